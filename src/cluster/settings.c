/*
 * settings.c
 *		Which of the connection-string options that the protocol layer understands are honoured here; the others are
 *		refused, because an option that is silently ignored is a trap.
 */
#include "postgres.h"

#include "handle.h"

#define CREDENTIALS "Everybody could read them there; they belong into a user mapping."

/*
 * The options that do not take effect, and why. What cannot be switched is accepted as long as it asks for what is
 * done anyway.
 */
static const struct
{
	CbSettingId id;
	const char *reason;
}			refused[] =
{
	{CB_SET_QUERY_GRACE_PERIOD, "query_timeout is how long the query service may be silent: it has nothing to add."},
	{CB_SET_ANALYTICS_TIMEOUT, "The analytics service is not queried."},
	{CB_SET_SEARCH_TIMEOUT, "The search service is not queried."},
	{CB_SET_MANAGEMENT_TIMEOUT, "The management service is not asked."},
	{CB_SET_PERSISTENCE_TIMEOUT_FLOOR, "kv_durable_timeout is the time for every durable write."},
	{CB_SET_RETRY_INTERVAL, "Pauses between attempts grow from 1 ms to 1 s."},
	{CB_SET_RETRY_NMV_DELAY, "Pauses between attempts grow from 1 ms to 1 s."},
	{CB_SET_RETRY_NMV_IMM, "A newer configuration is always acted on at once."},
	{CB_SET_ERROR_THRESH_COUNT, "The first error makes the configuration looked at again."},
	{CB_SET_ERROR_THRESH_DELAY, "config_poll_floor is the least time between two looks at the configuration."},
	{CB_SET_USERNAME, CREDENTIALS},
	{CB_SET_PASSWORD, CREDENTIALS},
	{CB_SET_TLS_DISABLE_DEPRECATED, "TLS 1.0 and 1.1 are never used."},
	{CB_SET_CLUSTERMAP_NOTIFICATION,
	"Nobody would read notifications while a session is idle; config_poll_interval is how often it looks by itself."},
	{CB_SET_LAZY_CONNECTIONS, "A node is connected to when it is first needed."},
	{CB_SET_COLLECTIONS, "Every table is a collection; without options, the default one."},
	{CB_SET_SERVER_GROUP, "Replicas are not read."},
	{CB_SET_HTTP_POOLSIZE, "A session keeps up to eight idle HTTP connections."},
	{CB_SET_HTTP_POOL_TIMEOUT, "Idle HTTP connections are used again for 4 s; the services close theirs after 5 s."},
	{CB_SET_MAX_HTTP_CONNECTIONS, "A query has one HTTP connection."},
	{CB_SET_LOG_REDACTION, "Messages carry no redaction tags."},
};

const char *
cluster_refused_setting(int id)
{
	for (int i = 0; i < lengthof(refused); i++)
	{
		if (refused[i].id == id)
			return refused[i].reason;
	}
	return NULL;
}

static void
refuse(const char *name, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("connection string option \"%s\" is not supported", name),
			 errdetail("%s", what)));
}

static void
refuse_credentials(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
			 errmsg("credentials are not allowed in a connection string: option \"%s\"", name),
			 errdetail("%s", CREDENTIALS),
			 errhint("Write CREATE USER MAPPING ... OPTIONS (username ..., password ...).")));
}

/* Files: a name means the same one whatever the working directory. */
static void
check_path(const CbSettings *settings, CbSettingId id, const char *path)
{
	if (path != NULL && path[0] != '/')
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("connection string option \"%s\" must be an absolute path", settings->given[id])));
}

static void
check_files(const CbSettings *settings)
{
	if (settings->config_cache != NULL && settings->config_cache_ro != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("connection string options \"config_cache\" and \"config_cache_ro\" exclude each other")));
	check_path(settings, CB_SET_CONFIG_CACHE, settings->config_cache);
	check_path(settings, CB_SET_CONFIG_CACHE_RO, settings->config_cache_ro);
	check_path(settings, CB_SET_TLS_CA_FILE, settings->tls_ca_file);
	check_path(settings, CB_SET_TLS_CERT_FILE, settings->tls_cert_file);
	check_path(settings, CB_SET_TLS_KEY_FILE, settings->tls_key_file);
}

static void
check_settings(const CbConnStr *connstr, const CbSettings *settings)
{
	for (size_t i = 0; i < connstr->nhosts && !settings->tls; i++)
	{
		CbHostProto proto = connstr->hosts[i].proto;

		if (proto == CB_PROTO_HTTPS || proto == CB_PROTO_KV_TLS)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
					 errmsg("host \"%s\" of the connection string is given with a protocol over TLS",
							connstr->hosts[i].host),
					 errhint("TLS is for all nodes or none: use couchbases://.")));
	}
	if (settings->tls_disable_system_ca && settings->tls_ca_file == NULL &&
		settings->tls_verify != CB_TLS_VERIFY_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("connection string option \"%s\" leaves no authority to trust",
						settings->given[CB_SET_TLS_DISABLE_SYSTEM_CA]),
				 errhint("Name the authorities by \"truststorepath\".")));
	for (int id = 0; id < CB_NSETTINGS; id++)
	{
		const char *reason = cluster_refused_setting(id);

		if (settings->given[id] != NULL && reason != NULL && !cb_settings_is_default(settings, id))
		{
			if (id == CB_SET_USERNAME || id == CB_SET_PASSWORD)
				refuse_credentials(settings->given[id]);
			refuse(settings->given[id], reason);
		}
	}
	check_files(settings);
	if (settings->bootstrap_on == CB_BOOTSTRAP_HTTP || settings->bootstrap_on == CB_BOOTSTRAP_FILE_ONLY)
		refuse(settings->given[CB_SET_BOOTSTRAP_ON],
			   "The cluster configuration is fetched over the data service only.");
	if (settings->compression == CB_COMPRESSION_FORCE)
		refuse(settings->given[CB_SET_COMPRESSION], "Compression is negotiated with the node.");
	if (settings->compression == CB_COMPRESSION_DEFLATE_ONLY)
		refuse(settings->given[CB_SET_COMPRESSION], "A node that takes compressed documents gives them, too.");
}

/* What is allocated hangs on the handle at once, so that errors leave nothing behind (W3). */
void
handle_parse_connection_string(ClusterHandle *handle, const char *text)
{
	CbError		error;

	if (cb_connstr_parse(text, &handle->connstr, &error) != CB_OK ||
		cb_settings_from_connstr(handle->connstr, &handle->settings, &error) != CB_OK)
		ereport(ERROR,
				(errcode(error.result == CB_NOMEM ? ERRCODE_OUT_OF_MEMORY : ERRCODE_FDW_INVALID_STRING_FORMAT),
				 errmsg("invalid connection string: %s", cluster_printable_cstr(error.text)),
				 error.hint[0] ? errhint("%s", cluster_printable_cstr(error.hint)) : 0));
	check_settings(handle->connstr, handle->settings);
}

void
cluster_check_connection_string(const char *text)
{
	CbConnStr  *connstr = NULL;
	CbSettings *settings = NULL;
	CbError		error;
	bool		valid = cb_connstr_parse(text, &connstr, &error) == CB_OK &&
		cb_settings_from_connstr(connstr, &settings, &error) == CB_OK;

	PG_TRY();
	{
		if (valid)
			check_settings(connstr, settings);
	}
	PG_FINALLY();
	{
		cb_settings_free(settings);
		cb_connstr_free(connstr);
	}
	PG_END_TRY();
}
