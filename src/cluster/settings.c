/*
 * settings.c
 *		Which of the connection-string options that the protocol layer understands are honoured here; the others are
 *		refused, because an option that is silently ignored is a trap.
 */
#include "postgres.h"

#include "handle.h"

/* The options that take effect. */
static const CbSettingId honoured[] = {
	CB_SET_BOOTSTRAP_TIMEOUT,
	CB_SET_NODE_TIMEOUT,
	CB_SET_CONNECT_TIMEOUT,
	CB_SET_RESOLVE_TIMEOUT,
	CB_SET_BOOTSTRAP_ON,
	CB_SET_DNSSRV,
	CB_SET_DNS_SERVERS,
	CB_SET_IP_FAMILY,
	CB_SET_RANDOMIZE_NODES,
	CB_SET_NETWORK,
	CB_SET_CONFIG_CACHE,
	CB_SET_CONFIG_CACHE_RO,
	CB_SET_CONFIG_POLL_INTERVAL,
	CB_SET_CONFIG_POLL_FLOOR,
	CB_SET_KV_TIMEOUT,
	CB_SET_KV_DURABLE_TIMEOUT,
	CB_SET_KV_SCAN_TIMEOUT,
	CB_SET_SLOW_KV,
	CB_SET_USERNAME,
	CB_SET_PASSWORD,
	CB_SET_SASL_MECH_FORCE,
	CB_SET_TLS,
	CB_SET_TLS_VERIFY,
	CB_SET_TLS_CA_FILE,
	CB_SET_TLS_CERT_FILE,
	CB_SET_TLS_KEY_FILE,
	CB_SET_TLS_DISABLE_DEPRECATED,
	CB_SET_TLS_DISABLE_V1_2,
	CB_SET_TLS_DISABLE_SYSTEM_CA,
	CB_SET_TLS_CIPHERS,
	CB_SET_TLS_CIPHERSUITES,
	CB_SET_CREDENTIALS_WITH_CERT,
	CB_SET_COMPRESSION,
	CB_SET_COMPRESSION_MIN_SIZE,
	CB_SET_COMPRESSION_MIN_RATIO,
	CB_SET_TCP_NODELAY,
	CB_SET_TCP_KEEPALIVE,
	CB_SET_TCP_KEEPALIVE_INTERVAL,
	CB_SET_CLIENT_STRING,
	CB_SET_UNORDERED_EXECUTION,
	CB_SET_ERROR_MAP
};

static bool
is_honoured(CbSettingId id)
{
	for (int i = 0; i < lengthof(honoured); i++)
	{
		if (honoured[i] == id)
			return true;
	}
	return false;
}

static void
refuse(const char *name, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("connection string option \"%s\" is not supported", name),
			 what ? errdetail("%s", what) : 0));
}

/* Kept configurations: one name, which means the same file whatever the working directory. */
static void
check_cache(const CbSettings *settings)
{
	const char *path = settings->config_cache ? settings->config_cache : settings->config_cache_ro;

	if (settings->config_cache != NULL && settings->config_cache_ro != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("connection string options \"config_cache\" and \"config_cache_ro\" exclude each other")));
	if (path != NULL && path[0] != '/')
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("connection string option \"%s\" must be an absolute path",
						settings->config_cache ? "config_cache" : "config_cache_ro")));
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
	if (!settings->tls_disable_deprecated)
		refuse(settings->given[CB_SET_TLS_DISABLE_DEPRECATED], "TLS 1.0 and 1.1 are never used.");
	if (settings->tls_disable_system_ca && settings->tls_ca_file == NULL &&
		settings->tls_verify != CB_TLS_VERIFY_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("connection string option \"%s\" leaves no authority to trust",
						settings->given[CB_SET_TLS_DISABLE_SYSTEM_CA]),
				 errhint("Name the authorities by \"truststorepath\".")));
	for (int id = 0; id < CB_NSETTINGS; id++)
	{
		if (settings->given[id] != NULL && !is_honoured(id))
			refuse(settings->given[id], NULL);
	}
	check_cache(settings);
	if (settings->bootstrap_on == CB_BOOTSTRAP_HTTP || settings->bootstrap_on == CB_BOOTSTRAP_FILE_ONLY)
		refuse(settings->given[CB_SET_BOOTSTRAP_ON],
			   "The cluster configuration is fetched over the data service only.");
	if (settings->compression == CB_COMPRESSION_FORCE)
		refuse(settings->given[CB_SET_COMPRESSION], "Compression is negotiated with the node.");
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
