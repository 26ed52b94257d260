/*
 * option_check.c
 *		Checks of option values that have a grammar of their own: connection strings, names, paths.
 */
#include "option.h"

#include "catalog/pg_authid.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"

#include "../cluster/cluster.h"
#include "../protocol/connstr.h"
#include "../protocol/settings.h"
#include "filter.h"

#define BUCKET_NAME_MAX		100
#define BATCH_SIZE_MAX		100000
#define KEYSPACE_NAME_MAX	251

static void
check_throw(const char *name, CbResult result, const CbError *err)
{
	if (result == CB_NOMEM)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": %s", name,
					cluster_printable_cstr(err->text)),
			 err->hint[0] != '\0' ? errhint("%s", cluster_printable_cstr(err->hint)) : 0));
}

/* Whoever names a file that the server process opens must be allowed to read (or write) such files. */
static void
check_file_privilege(const char *option, bool writes)
{
	Oid			role = writes ? ROLE_PG_WRITE_SERVER_FILES : ROLE_PG_READ_SERVER_FILES;

	if (!has_privs_of_role(GetUserId(), role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set connection option \"%s\"", option),
				 errdetail("Only roles with privileges of the \"%s\" role may name files of the server.",
						   writes ? "pg_write_server_files" : "pg_read_server_files")));
}

/*
 * What the given settings forbid. Takes only values copied out of the malloc'd settings, so it may throw.
 */
static void
check_settings(const char *const *given, bool certpath_as_ca, bool unverified)
{
	for (int id = 0; id < CB_NSETTINGS; id++)
	{
		CbOptionInfo info;

		cb_option_info((CbSettingId) id, &info);
		if (given[id] != NULL && info.kind == CB_OPTION_PATH)
			check_file_privilege(given[id], id == CB_SET_CONFIG_CACHE);
	}

	if (certpath_as_ca)
		ereport(NOTICE,
				(errmsg("connection option \"certpath\" without \"keypath\" is taken as the file of certificate "
						"authorities"),
				 errhint("Use \"truststorepath\".")));
	if (unverified)
		ereport(WARNING,
				(errmsg("certificates of the cluster will not be verified"),
				 errdetail("Whoever can redirect its connections can read and change all that is sent.")));
}

/* http:// has ports of the management service, which is not asked; 8091 is the one that everybody leaves out. */
static uint16
management_port(const CbConnStr *connstr)
{
	for (size_t i = 0; i < connstr->nhosts && connstr->scheme == CB_SCHEME_HTTP; i++)
	{
		if (connstr->hosts[i].proto == CB_PROTO_HTTP && connstr->hosts[i].port != 0)
			return connstr->hosts[i].port;
	}
	return 0;
}

static void
note_management_port(uint16 port, bool tls)
{
	if (port != 0)
		ereport(NOTICE,
				(errmsg("port %u of the connection string is taken as that of the management service", port),
				 errdetail("The data service is looked for at port %u of the host.", cb_connstr_default_port(tls)),
				 errhint("Write couchbase:// if the port is that of the data service.")));
}

/* Parses it strictly and throws with the part that is wrong, or not done. */
void
option_check_connection_string(const char *name, const char *value)
{
	CbConnStr  *connstr;
	CbSettings *settings = NULL;
	CbError		err = {0};
	const char *given[CB_NSETTINGS] = {0};	/* static text: outlives the settings */
	bool		certpath_as_ca = false;
	bool		unverified = false;
	bool		tls;
	uint16		port = 0;
	CbResult	result;

	(void) option_connection_bucket(value);
	result = cb_connstr_parse(value, &connstr, &err);
	if (result == CB_OK)
	{
		result = cb_settings_from_connstr(connstr, &settings, &err);
		port = management_port(connstr);
		cb_connstr_free(connstr);
	}
	if (result != CB_OK)
		check_throw(name, result, &err);

	memcpy(given, settings->given, sizeof(given));
	certpath_as_ca = settings->certpath_as_ca;
	tls = settings->tls;
	unverified = tls && settings->tls_verify == CB_TLS_VERIFY_NONE;
	cb_settings_free(settings);
	check_settings(given, certpath_as_ca, unverified);
	cluster_check_connection_string(value);
	note_management_port(port, tls);
}

char *
option_connection_bucket(const char *connection_string)
{
	CbConnStr  *connstr;
	CbError		err = {0};
	CbResult	result = cb_connstr_parse(connection_string, &connstr, &err);
	char		bucket[BUCKET_NAME_MAX + 1] = "";

	if (result != CB_OK)
		check_throw("connection_string", result, &err);
	if (connstr->bucket != NULL)
		strlcpy(bucket, connstr->bucket, sizeof(bucket));
	cb_connstr_free(connstr);
	if (bucket[0] == '\0')
		return NULL;
	option_check_bucket("bucket", bucket);
	return pstrdup(bucket);
}

bool
option_connection_certificate(const char *connection_string)
{
	CbConnStr  *connstr;
	CbSettings *settings = NULL;
	CbError		err = {0};
	CbResult	result = cb_connstr_parse(connection_string, &connstr, &err);
	bool		found = false;

	if (result == CB_OK)
	{
		result = cb_settings_from_connstr(connstr, &settings, &err);
		cb_connstr_free(connstr);
	}
	if (result != CB_OK)
		check_throw("connection_string", result, &err);
	found = settings->tls_cert_file != NULL;
	cb_settings_free(settings);
	return found;
}

/* Every byte is a letter, a digit or one of others. */
static bool
check_characters(const char *value, const char *others)
{
	for (const char *p = value; *p; p++)
	{
		bool		alnum = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');

		if (!alnum && strchr(others, *p) == NULL)
			return false;
	}
	return true;
}

static void
check_name(const char *name, const char *value, int max, bool valid, const char *rule)
{
	size_t		len = strlen(value);

	if (len >= 1 && len <= max && valid)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", name, cluster_printable_cstr(value)),
			 errdetail("%s", rule)));
}

void
option_check_bucket(const char *name, const char *value)
{
	check_name(name, value, BUCKET_NAME_MAX, check_characters(value, "_-.%") && value[0] != '.',
			   "A bucket name has 1 to 100 characters of A-Z, a-z, 0-9, _, -, . and %, and does not begin with a dot.");
}

/* Scopes and collections: only _default may begin with an underscore. */
void
option_check_keyspace(const char *name, const char *value)
{
	bool		valid = check_characters(value, "_-%") &&
		((value[0] != '_' && value[0] != '%') || strcmp(value, "_default") == 0);

	check_name(name, value, KEYSPACE_NAME_MAX, valid,
			   "The name of a scope or collection has 1 to 251 characters of A-Z, a-z, 0-9, _, - and %, "
			   "and does not begin with _ or % unless it is _default.");
}

void
option_check_path(const char *name, const char *value)
{
	CbPath		path;
	CbError		err = {0};
	char	   *utf8 = pg_server_to_any(value, strlen(value), PG_UTF8);
	CbResult	result = cb_path_parse(utf8, &path, &err);

	if (result == CB_OK && path.nsteps == 0)
	{
		cb_path_free(&path);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must not be empty", name),
				 errhint("Use OPTIONS (document 'true') for the whole document.")));
	}
	if (result != CB_OK)
		check_throw(name, result, &err);
	cb_path_free(&path);
}

void
option_check_filter(const char *name, const char *value)
{
	int			n;

	(void) filter_parse(value, &n);
}

void
option_check_not_empty(const char *name, const char *value)
{
	if (value[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must not be empty", name)));
}

void
option_check_batch_size(const char *name, const char *value)
{
	int			number;

	if (strspn(value, "0123456789") != strlen(value) || !parse_int(value, &number, 0, NULL) || number < 1 ||
		number > BATCH_SIZE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\": \"%s\"", name, value),
				 errdetail("It must be a whole number between 1 and %d.", BATCH_SIZE_MAX)));
}

/* A file that the server process reads. */
void
option_check_file(const char *name, const char *value)
{
	option_check_not_empty(name, value);
	check_file_privilege(name, false);
	if (value[0] != '/')
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"%s\" must be an absolute path", name)));
}

/* Microseconds; -1: it is no duration of at most a day. A bare number would mean another unit to everybody. */
static int64
parse_duration(const char *value)
{
	int64_t		us;

	if (strcmp(value, "0") == 0)
		return 0;
	if (cb_duration_parse(value, 0, &us) != CB_OK || us > INT64CONST(86400000000))
		return -1;
	return us;
}

void
option_check_duration(const char *name, const char *value)
{
	if (parse_duration(value) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\": \"%s\"", name, value),
				 errdetail("It must be 0, or a duration of at most a day with a unit: 500ms, 2.5s, 5m, 1h.")));
}

int64
option_duration(List *options, const char *name, int64 absent)
{
	const char *text = option_text(options, NIL, name);

	return text != NULL ? parse_duration(text) : absent;
}
