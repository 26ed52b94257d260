/*
 * settings.h
 *		The options of a connection string, their names in the various clients, types,
 *		units, defaults and bounds; and their effective values.
 *
 * A bare number for a duration is in seconds under libcouchbase's names and in
 * milliseconds under the names of the newer SDKs; with a unit (h m s ms us, combinable:
 * 1m30s) both take the same.
 */
#ifndef CB_SETTINGS_H
#define CB_SETTINGS_H

#include "connstr.h"

typedef enum CbOptionKind
{
	CB_OPTION_DURATION = 0,		/* int64_t, microseconds */
	CB_OPTION_BOOL,				/* bool */
	CB_OPTION_ENUM,				/* int, one of the enums below */
	CB_OPTION_INT,				/* int64_t */
	CB_OPTION_FLOAT,			/* double */
	CB_OPTION_TEXT,				/* char *, NULL: not given */
	CB_OPTION_PATH,				/* char *, NULL: not given; a file of the server host */
	CB_OPTION_SECRET			/* char *, never shown */
} CbOptionKind;

typedef enum CbSrvMode
{
	CB_SRV_AUTO = 0,			/* when the string is a candidate */
	CB_SRV_ON,
	CB_SRV_OFF
} CbSrvMode;

typedef enum CbIpFamily
{
	CB_IP_ANY = 0,
	CB_IP_V4,
	CB_IP_V6
} CbIpFamily;

typedef enum CbTlsVerify
{
	CB_TLS_VERIFY_PEER = 0,
	CB_TLS_VERIFY_NONE
} CbTlsVerify;

typedef enum CbCompression
{
	CB_COMPRESSION_ON = 0,		/* both ways */
	CB_COMPRESSION_OFF,
	CB_COMPRESSION_INFLATE_ONLY,
	CB_COMPRESSION_DEFLATE_ONLY,
	CB_COMPRESSION_FORCE		/* both ways, without asking the server */
} CbCompression;

typedef enum CbBootstrapOn
{
	CB_BOOTSTRAP_ALL = 0,		/* KV, then HTTP */
	CB_BOOTSTRAP_CCCP,
	CB_BOOTSTRAP_HTTP,
	CB_BOOTSTRAP_FILE_ONLY
} CbBootstrapOn;

/* One member per option, in the order of CbSettingId. Durations: microseconds. */
typedef struct CbSettings
{
	/* bootstrap and addresses */
	int64_t		bootstrap_timeout;	/* all nodes together */
	int64_t		node_timeout;	/* connect, handshake and config from one node */
	int64_t		connect_timeout;	/* TCP and TLS to one address */
	int64_t		resolve_timeout;	/* addresses of one host name */
	int			bootstrap_on;	/* CbBootstrapOn */
	int			dnssrv;			/* CbSrvMode */
	char	   *dns_servers;	/* comma-separated addresses, with ports; NULL: the system's */
	int			ip_family;		/* CbIpFamily */
	bool		randomize_nodes;
	char	   *network;
	char	   *config_cache;
	char	   *config_cache_ro;
	int64_t		config_poll_interval;	/* 0: off */
	int64_t		config_poll_floor;

	/* operations */
	int64_t		kv_timeout;
	int64_t		kv_durable_timeout;
	int64_t		kv_scan_timeout;
	int64_t		query_timeout;
	int64_t		query_grace_period;
	int64_t		analytics_timeout;
	int64_t		search_timeout;
	int64_t		management_timeout;
	int64_t		persistence_timeout_floor;
	int64_t		retry_interval;
	int64_t		retry_nmv_delay;
	bool		retry_nmv_imm;
	int64_t		error_thresh_count;
	int64_t		error_thresh_delay;
	int64_t		slow_kv;		/* report slower operations */
	int64_t		slow_query;

	/* authentication and TLS */
	char	   *username;
	char	   *password;
	char	   *sasl_mech_force;
	bool		tls;			/* scheme or ssl option */
	int			tls_verify;		/* CbTlsVerify */
	char	   *tls_ca_file;
	char	   *tls_cert_file;
	char	   *tls_key_file;
	bool		tls_disable_deprecated;
	bool		tls_disable_v1_2;
	bool		tls_disable_system_ca;
	char	   *tls_ciphers;	/* of TLS 1.2; NULL: OpenSSL's choice */
	char	   *tls_ciphersuites;	/* of TLS 1.3 */
	bool		credentials_with_cert;

	/* wire */
	int			compression;	/* CbCompression */
	int64_t		compression_min_size;
	double		compression_min_ratio;
	bool		tcp_nodelay;
	bool		tcp_keepalive;
	int64_t		tcp_keepalive_interval;
	char	   *client_string;
	bool		mutation_tokens;
	bool		unordered_execution;
	bool		durable_write;
	bool		error_map;
	bool		clustermap_notification;
	bool		lazy_connections;
	bool		collections;
	char	   *server_group;

	/* HTTP */
	int64_t		http_poolsize;
	int64_t		http_pool_timeout;
	int64_t		max_http_connections;

	/* diagnostics */
	bool		log_redaction;
	bool		dump_configuration;

	/* Not an option: certpath came without keypath and was taken as tls_ca_file. */
	bool		certpath_as_ca;

	/* Name under which each option was given (static text), NULL: default. */
	const char *given[80];
} CbSettings;

/* Position of an option in the table and in CbSettings.given. */
typedef enum CbSettingId
{
	CB_SET_BOOTSTRAP_TIMEOUT = 0,
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
	CB_SET_QUERY_TIMEOUT,
	CB_SET_QUERY_GRACE_PERIOD,
	CB_SET_ANALYTICS_TIMEOUT,
	CB_SET_SEARCH_TIMEOUT,
	CB_SET_MANAGEMENT_TIMEOUT,
	CB_SET_PERSISTENCE_TIMEOUT_FLOOR,
	CB_SET_RETRY_INTERVAL,
	CB_SET_RETRY_NMV_DELAY,
	CB_SET_RETRY_NMV_IMM,
	CB_SET_ERROR_THRESH_COUNT,
	CB_SET_ERROR_THRESH_DELAY,
	CB_SET_SLOW_KV,
	CB_SET_SLOW_QUERY,
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
	CB_SET_MUTATION_TOKENS,
	CB_SET_UNORDERED_EXECUTION,
	CB_SET_DURABLE_WRITE,
	CB_SET_ERROR_MAP,
	CB_SET_CLUSTERMAP_NOTIFICATION,
	CB_SET_LAZY_CONNECTIONS,
	CB_SET_COLLECTIONS,
	CB_SET_SERVER_GROUP,
	CB_SET_HTTP_POOLSIZE,
	CB_SET_HTTP_POOL_TIMEOUT,
	CB_SET_MAX_HTTP_CONNECTIONS,
	CB_SET_LOG_REDACTION,
	CB_SET_DUMP_CONFIGURATION,
	CB_NSETTINGS
} CbSettingId;

/*
 * Effective settings of connstr. *settings is freed with cb_settings_free. On failure
 * (CB_INVALID, CB_NOMEM) err names the option and what was expected; for an unknown
 * one the closest name is in the hint.
 */
extern CbResult cb_settings_from_connstr(const CbConnStr *connstr,
										 CbSettings **settings, CbError *err);
extern void cb_settings_free(CbSettings *settings);

/* Whether an option that cannot but be on or off is as it is by default; false for others. */
extern bool cb_settings_is_default(const CbSettings *settings, CbSettingId id);

/* What is known about an option, for cbconn_parse() and documentation. */
typedef struct CbOptionInfo
{
	const char *name;			/* main name */
	CbOptionKind kind;
	const char *bare_unit;		/* of a bare number under the main name, "" if none */
	const char *meaning;		/* one line */
} CbOptionInfo;

extern void cb_option_info(CbSettingId id, CbOptionInfo *info);

/*
 * Name n of an option, the main one first; NULL past the last. *bare_unit (may be NULL) is that of a bare number under
 * this name.
 */
extern const char *cb_option_name(CbSettingId id, size_t n, const char **bare_unit);

/*
 * Option n of other clients that means nothing here, and why; NULL past the last. *anyway is "on" or "off", the only
 * value that is taken, or NULL: none is.
 */
extern const char *cb_foreign_option(size_t n, const char **reason, const char **anyway);

/* Append the effective value as text with its unit ("2.5s", "on", "external"). Not
 * given text is "", a given secret is "***". */
extern void cb_settings_format(const CbSettings *settings, CbSettingId id, CbBuf *out);

/* Parse a duration; bare_unit_us is what a bare number counts in. */
extern CbResult cb_duration_parse(const char *text, int64_t bare_unit_us,
								  int64_t *microseconds);

#endif
