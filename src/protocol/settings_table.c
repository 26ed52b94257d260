/*
 * settings_table.c
 *		The option table.
 */
#include "settings_internal.h"

const CbWord cb_bool_words[] = {
	{"on", true}, {"off", false}, {"true", true}, {"false", false},
	{"yes", true}, {"no", false}, {"1", true}, {"0", false}, {NULL, 0}
};

static const CbWord not_words[] = {
	{"on", false}, {"off", true}, {"true", false}, {"false", true},
	{"yes", false}, {"no", true}, {"1", false}, {"0", true}, {NULL, 0}
};

static const CbWord bootstrap_words[] = {
	{"all", CB_BOOTSTRAP_ALL}, {"cccp", CB_BOOTSTRAP_CCCP},
	{"http", CB_BOOTSTRAP_HTTP}, {"file_only", CB_BOOTSTRAP_FILE_ONLY},
	{"both", CB_BOOTSTRAP_ALL}, {NULL, 0}
};

static const CbWord srv_words[] = {
	{"auto", CB_SRV_AUTO}, {"on", CB_SRV_ON}, {"off", CB_SRV_OFF},
	{"true", CB_SRV_ON}, {"false", CB_SRV_OFF}, {NULL, 0}
};

static const CbWord enable_srv_words[] = {
	{"true", CB_SRV_AUTO}, {"false", CB_SRV_OFF}, {"on", CB_SRV_AUTO},
	{"off", CB_SRV_OFF}, {"yes", CB_SRV_AUTO}, {"no", CB_SRV_OFF}, {NULL, 0}
};

static const CbWord ip_words[] = {
	{"any", CB_IP_ANY}, {"force_ipv4", CB_IP_V4}, {"force_ipv6", CB_IP_V6}, {NULL, 0}
};

static const CbWord ipv6_words[] = {
	{"allow", CB_IP_ANY}, {"disabled", CB_IP_V4}, {"only", CB_IP_V6}, {NULL, 0}
};

static const CbWord force_ipv4_words[] = {
	{"true", CB_IP_V4}, {"false", CB_IP_ANY}, {"on", CB_IP_V4}, {"off", CB_IP_ANY},
	{"yes", CB_IP_V4}, {"no", CB_IP_ANY}, {NULL, 0}
};

/* no_verify is told from on by cb_settings_from_connstr. */
static const CbWord ssl_words[] = {
	{"on", 1}, {"off", 0}, {"no_verify", 2}, {"no_global_init", 1}, {NULL, 0}
};

static const CbWord verify_words[] = {
	{"peer", CB_TLS_VERIFY_PEER}, {"none", CB_TLS_VERIFY_NONE}, {NULL, 0}
};

static const CbWord compression_words[] = {
	{"on", CB_COMPRESSION_ON}, {"off", CB_COMPRESSION_OFF},
	{"inflate_only", CB_COMPRESSION_INFLATE_ONLY},
	{"deflate_only", CB_COMPRESSION_DEFLATE_ONLY},
	{"force", CB_COMPRESSION_FORCE}, {NULL, 0}
};

static const CbWord enable_compression_words[] = {
	{"true", CB_COMPRESSION_ON}, {"false", CB_COMPRESSION_OFF},
	{"on", CB_COMPRESSION_ON}, {"off", CB_COMPRESSION_OFF},
	{"yes", CB_COMPRESSION_ON}, {"no", CB_COMPRESSION_OFF}, {NULL, 0}
};

#define S			1e6
#define MS			1e3
#define DAY			(86400 * S)
#define AT(member)	offsetof(CbSettings, member)

#define DURATION(id, member, fallback, min, zero_ok, meaning) \
	[id] = {id, CB_OPTION_DURATION, AT(member), fallback, min, DAY, zero_ok, NULL, NULL, meaning}
#define BOOL(id, member, fallback, meaning) \
	[id] = {id, CB_OPTION_BOOL, AT(member), fallback, 0, 0, false, cb_bool_words, NULL, meaning}
#define ENUM(id, member, words, meaning) \
	[id] = {id, CB_OPTION_ENUM, AT(member), 0, 0, 0, false, words, NULL, meaning}
#define INT(id, member, fallback, min, max, meaning) \
	[id] = {id, CB_OPTION_INT, AT(member), fallback, min, max, false, NULL, NULL, meaning}
#define FLOAT(id, member, fallback, min, max, meaning) \
	[id] = {id, CB_OPTION_FLOAT, AT(member), fallback, min, max, false, NULL, NULL, meaning}
#define TEXT(id, kind, member, fallback, meaning) \
	[id] = {id, kind, AT(member), 0, 0, 0, false, NULL, fallback, meaning}

const CbSettingDef cb_setting_defs[CB_NSETTINGS] = {
	DURATION(CB_SET_BOOTSTRAP_TIMEOUT, bootstrap_timeout, 10 * S, MS, false,
			 "time to reach any node and get the configuration"),
	DURATION(CB_SET_NODE_TIMEOUT, node_timeout, 2 * S, MS, false,
			 "time for connecting to one node, handshake included"),
	DURATION(CB_SET_CONNECT_TIMEOUT, connect_timeout, 2 * S, MS, false,
			 "time for TCP and TLS to one address"),
	DURATION(CB_SET_RESOLVE_TIMEOUT, resolve_timeout, 2 * S, MS, false,
			 "time for resolving one host name"),
	ENUM(CB_SET_BOOTSTRAP_ON, bootstrap_on, bootstrap_words,
		 "where the configuration may come from"),
	ENUM(CB_SET_DNSSRV, dnssrv, srv_words,
		 "whether the host name stands for an SRV record"),
	TEXT(CB_SET_DNS_SERVERS, CB_OPTION_TEXT, dns_servers, NULL,
		 "name servers to ask instead of the system's: addresses with ports, separated by commas"),
	ENUM(CB_SET_IP_FAMILY, ip_family, ip_words, "address family to connect to"),
	BOOL(CB_SET_RANDOMIZE_NODES, randomize_nodes, true,
		 "try the hosts of the connection string in random order"),
	TEXT(CB_SET_NETWORK, CB_OPTION_TEXT, network, "auto",
		 "which of the nodes' addresses to use: auto, default, external or another name"),
	TEXT(CB_SET_CONFIG_CACHE, CB_OPTION_PATH, config_cache, NULL,
		 "file or directory that keeps the configuration"),
	TEXT(CB_SET_CONFIG_CACHE_RO, CB_OPTION_PATH, config_cache_ro, NULL,
		 "the same, only read"),
	DURATION(CB_SET_CONFIG_POLL_INTERVAL, config_poll_interval, 2.5 * S, 50 * MS, true,
			 "age from which the configuration is checked at the next activity, 0: never"),
	DURATION(CB_SET_CONFIG_POLL_FLOOR, config_poll_floor, 50 * MS, MS, false,
			 "lower bound of config_poll_interval"),
	DURATION(CB_SET_KV_TIMEOUT, kv_timeout, 2.5 * S, MS, false,
			 "time for a data operation, retries included"),
	DURATION(CB_SET_KV_DURABLE_TIMEOUT, kv_durable_timeout, 10 * S, MS, false,
			 "time for a durable write"),
	DURATION(CB_SET_KV_SCAN_TIMEOUT, kv_scan_timeout, 75 * S, MS, false,
			 "time for one step of a range scan"),
	DURATION(CB_SET_QUERY_TIMEOUT, query_timeout, 75 * S, MS, false,
			 "how long the query service may be silent"),
	DURATION(CB_SET_QUERY_GRACE_PERIOD, query_grace_period, 0, 0, true,
			 "time added on the client's side to wait for the server's own time-out"),
	DURATION(CB_SET_ANALYTICS_TIMEOUT, analytics_timeout, 75 * S, MS, false,
			 "time for an analytics request"),
	DURATION(CB_SET_SEARCH_TIMEOUT, search_timeout, 75 * S, MS, false,
			 "time for a search request"),
	DURATION(CB_SET_MANAGEMENT_TIMEOUT, management_timeout, 75 * S, MS, false,
			 "time for a management request"),
	DURATION(CB_SET_PERSISTENCE_TIMEOUT_FLOOR, persistence_timeout_floor, 1.5 * S, 1.5 * S,
			 false, "least time given to a write that waits for disks"),
	DURATION(CB_SET_RETRY_INTERVAL, retry_interval, 10 * MS, MS, false,
			 "first pause before an operation is tried again"),
	DURATION(CB_SET_RETRY_NMV_DELAY, retry_nmv_delay, 100 * MS, MS, false,
			 "pause after a node said that the vBucket is not there"),
	BOOL(CB_SET_RETRY_NMV_IMM, retry_nmv_imm, true,
		 "no such pause when the answer brought a new configuration"),
	INT(CB_SET_ERROR_THRESH_COUNT, error_thresh_count, 100, 1, 1000000,
		"errors after which the configuration is fetched again"),
	DURATION(CB_SET_ERROR_THRESH_DELAY, error_thresh_delay, 10 * MS, MS, false,
			 "least time between fetches that errors cause"),
	DURATION(CB_SET_SLOW_KV, slow_kv, 0.5 * S, 0, true,
			 "data operations that take longer are reported, 0: none"),
	DURATION(CB_SET_SLOW_QUERY, slow_query, S, 0, true,
			 "SQL++ statements that are waited for longer are reported, 0: none"),
	TEXT(CB_SET_USERNAME, CB_OPTION_TEXT, username, NULL, "user name"),
	TEXT(CB_SET_PASSWORD, CB_OPTION_SECRET, password, NULL, "password"),
	TEXT(CB_SET_SASL_MECH_FORCE, CB_OPTION_TEXT, sasl_mech_force, NULL,
		 "only these SASL mechanisms, PLAIN without TLS too"),
	BOOL(CB_SET_TLS, tls, false, "encrypt connections"),
	ENUM(CB_SET_TLS_VERIFY, tls_verify, verify_words, "whether the server's certificate is verified"),
	TEXT(CB_SET_TLS_CA_FILE, CB_OPTION_PATH, tls_ca_file, NULL,
		 "certificates of the authorities to trust"),
	TEXT(CB_SET_TLS_CERT_FILE, CB_OPTION_PATH, tls_cert_file, NULL, "client certificate"),
	TEXT(CB_SET_TLS_KEY_FILE, CB_OPTION_PATH, tls_key_file, NULL, "key of the client certificate"),
	BOOL(CB_SET_TLS_DISABLE_DEPRECATED, tls_disable_deprecated, true, "no TLS 1.0 and 1.1"),
	BOOL(CB_SET_TLS_DISABLE_V1_2, tls_disable_v1_2, false, "no TLS 1.2 either"),
	BOOL(CB_SET_TLS_DISABLE_SYSTEM_CA, tls_disable_system_ca, false,
		 "do not trust the system's authorities"),
	TEXT(CB_SET_TLS_CIPHERS, CB_OPTION_TEXT, tls_ciphers, NULL,
		 "ciphers of TLS 1.2, as OpenSSL writes lists of them"),
	TEXT(CB_SET_TLS_CIPHERSUITES, CB_OPTION_TEXT, tls_ciphersuites, NULL,
		 "cipher suites of TLS 1.3, separated by colons"),
	BOOL(CB_SET_CREDENTIALS_WITH_CERT, credentials_with_cert, false,
		 "send user name and password although there is a client certificate"),
	ENUM(CB_SET_COMPRESSION, compression, compression_words, "compression of documents"),
	INT(CB_SET_COMPRESSION_MIN_SIZE, compression_min_size, 32, 32, 20971520,
		"documents of fewer bytes are sent as they are"),
	FLOAT(CB_SET_COMPRESSION_MIN_RATIO, compression_min_ratio, 0.83, 0, 1,
		  "documents that do not shrink to this part are sent as they are"),
	BOOL(CB_SET_TCP_NODELAY, tcp_nodelay, true, "TCP_NODELAY"),
	BOOL(CB_SET_TCP_KEEPALIVE, tcp_keepalive, true, "TCP keep-alive"),
	DURATION(CB_SET_TCP_KEEPALIVE_INTERVAL, tcp_keepalive_interval, 60 * S, S, false,
			 "idle time before the first TCP keep-alive probe"),
	TEXT(CB_SET_CLIENT_STRING, CB_OPTION_TEXT, client_string, NULL,
		 "text added to the client's name"),
	BOOL(CB_SET_MUTATION_TOKENS, mutation_tokens, true, "ask for mutation tokens"),
	BOOL(CB_SET_UNORDERED_EXECUTION, unordered_execution, true,
		 "let a node answer pipelined requests in any order"),
	BOOL(CB_SET_DURABLE_WRITE, durable_write, true, "negotiate durable writes"),
	BOOL(CB_SET_ERROR_MAP, error_map, true, "fetch the server's error map"),
	BOOL(CB_SET_CLUSTERMAP_NOTIFICATION, clustermap_notification, false,
		 "let nodes announce new configurations"),
	BOOL(CB_SET_LAZY_CONNECTIONS, lazy_connections, true, "connect to a node on first need"),
	BOOL(CB_SET_COLLECTIONS, collections, true, "negotiate scopes and collections"),
	TEXT(CB_SET_SERVER_GROUP, CB_OPTION_TEXT, server_group, NULL,
		 "server group to prefer for reading replicas"),
	INT(CB_SET_HTTP_POOLSIZE, http_poolsize, 1, 0, 1000, "idle HTTP connections kept per node"),
	DURATION(CB_SET_HTTP_POOL_TIMEOUT, http_pool_timeout, S, 0, true,
			 "how long idle HTTP connections are kept"),
	INT(CB_SET_MAX_HTTP_CONNECTIONS, max_http_connections, 0, 0, 10000,
		"most HTTP connections per node, 0: no limit"),
	BOOL(CB_SET_LOG_REDACTION, log_redaction, false, "tag user data in log messages"),
	BOOL(CB_SET_DUMP_CONFIGURATION, dump_configuration, false, "log every configuration"),
};

#define SEC	CB_BARE_SECONDS
#define MIL	CB_BARE_MILLISECONDS
#define BOTH CB_BARE_SHARED

const CbSettingName cb_setting_names[] = {
	{"bootstrap_timeout", CB_SET_BOOTSTRAP_TIMEOUT, MIL, NULL},
	{"config_total_timeout", CB_SET_BOOTSTRAP_TIMEOUT, SEC, NULL},
	{"config_node_timeout", CB_SET_NODE_TIMEOUT, SEC, NULL},
	{"kv_connect_timeout", CB_SET_CONNECT_TIMEOUT, MIL, NULL},
	{"resolve_timeout", CB_SET_RESOLVE_TIMEOUT, MIL, NULL},
	{"bootstrap_on", CB_SET_BOOTSTRAP_ON, 0, bootstrap_words},
	{"dnssrv", CB_SET_DNSSRV, 0, srv_words},
	{"enable_dns_srv", CB_SET_DNSSRV, 0, enable_srv_words},
	{"dns_servers", CB_SET_DNS_SERVERS, 0, NULL},
	{"ip_protocol", CB_SET_IP_FAMILY, 0, ip_words},
	{"ipv6", CB_SET_IP_FAMILY, 0, ipv6_words},
	{"force_ipv4", CB_SET_IP_FAMILY, 0, force_ipv4_words},
	{"randomize_nodes", CB_SET_RANDOMIZE_NODES, 0, cb_bool_words},
	{"preserve_bootstrap_nodes_order", CB_SET_RANDOMIZE_NODES, 0, not_words},
	{"network", CB_SET_NETWORK, 0, NULL},
	{"config_cache", CB_SET_CONFIG_CACHE, 0, NULL},
	{"config_cache_ro", CB_SET_CONFIG_CACHE_RO, 0, NULL},
	{"config_poll_interval", CB_SET_CONFIG_POLL_INTERVAL, BOTH, NULL},
	{"config_poll_floor", CB_SET_CONFIG_POLL_FLOOR, MIL, NULL},
	{"kv_timeout", CB_SET_KV_TIMEOUT, MIL, NULL},
	{"key_value_timeout", CB_SET_KV_TIMEOUT, MIL, NULL},
	{"operation_timeout", CB_SET_KV_TIMEOUT, SEC, NULL},
	{"timeout", CB_SET_KV_TIMEOUT, SEC, NULL},
	{"kv_durable_timeout", CB_SET_KV_DURABLE_TIMEOUT, MIL, NULL},
	{"key_value_durable_timeout", CB_SET_KV_DURABLE_TIMEOUT, MIL, NULL},
	{"kv_scan_timeout", CB_SET_KV_SCAN_TIMEOUT, MIL, NULL},
	{"query_timeout", CB_SET_QUERY_TIMEOUT, BOTH, NULL},
	{"query_grace_period", CB_SET_QUERY_GRACE_PERIOD, SEC, NULL},
	{"analytics_timeout", CB_SET_ANALYTICS_TIMEOUT, BOTH, NULL},
	{"search_timeout", CB_SET_SEARCH_TIMEOUT, BOTH, NULL},
	{"management_timeout", CB_SET_MANAGEMENT_TIMEOUT, MIL, NULL},
	{"http_timeout", CB_SET_MANAGEMENT_TIMEOUT, SEC, NULL},
	{"persistence_timeout_floor", CB_SET_PERSISTENCE_TIMEOUT_FLOOR, SEC, NULL},
	{"retry_interval", CB_SET_RETRY_INTERVAL, SEC, NULL},
	{"retry_nmv_delay", CB_SET_RETRY_NMV_DELAY, SEC, NULL},
	{"retry_nmv_interval", CB_SET_RETRY_NMV_DELAY, SEC, NULL},
	{"retry_nmv_imm", CB_SET_RETRY_NMV_IMM, 0, cb_bool_words},
	{"error_thresh_count", CB_SET_ERROR_THRESH_COUNT, 0, NULL},
	{"error_thresh_delay", CB_SET_ERROR_THRESH_DELAY, SEC, NULL},
	{"tracing_threshold_kv", CB_SET_SLOW_KV, SEC, NULL},
	{"tracing_threshold_query", CB_SET_SLOW_QUERY, SEC, NULL},
	{"username", CB_SET_USERNAME, 0, NULL},
	{"user", CB_SET_USERNAME, 0, NULL},
	{"password", CB_SET_PASSWORD, 0, NULL},
	{"pass", CB_SET_PASSWORD, 0, NULL},
	{"sasl_mech_force", CB_SET_SASL_MECH_FORCE, 0, NULL},
	{"allowed_sasl_mechanisms", CB_SET_SASL_MECH_FORCE, 0, NULL},
	{"ssl", CB_SET_TLS, 0, ssl_words},
	{"enable_tls", CB_SET_TLS, 0, cb_bool_words},
	{"tls_verify", CB_SET_TLS_VERIFY, 0, verify_words},
	{"truststorepath", CB_SET_TLS_CA_FILE, 0, NULL},
	{"trust_certificate", CB_SET_TLS_CA_FILE, 0, NULL},
	{"trust_store_path", CB_SET_TLS_CA_FILE, 0, NULL},
	{"ca_cert_path", CB_SET_TLS_CA_FILE, 0, NULL},
	{"certpath", CB_SET_TLS_CERT_FILE, 0, NULL},
	{"cert_path", CB_SET_TLS_CERT_FILE, 0, NULL},
	{"keypath", CB_SET_TLS_KEY_FILE, 0, NULL},
	{"key_path", CB_SET_TLS_KEY_FILE, 0, NULL},
	{"tls_disable_deprecated_protocols", CB_SET_TLS_DISABLE_DEPRECATED, 0, cb_bool_words},
	{"tls_disable_v1_2", CB_SET_TLS_DISABLE_V1_2, 0, cb_bool_words},
	{"disable_mozilla_ca_certificates", CB_SET_TLS_DISABLE_SYSTEM_CA, 0, cb_bool_words},
	{"tls_ciphers", CB_SET_TLS_CIPHERS, 0, NULL},
	{"tls_ciphersuites", CB_SET_TLS_CIPHERSUITES, 0, NULL},
	{"use_credentials_with_client_certificate", CB_SET_CREDENTIALS_WITH_CERT, 0, cb_bool_words},
	{"compression", CB_SET_COMPRESSION, 0, compression_words},
	{"enable_compression", CB_SET_COMPRESSION, 0, enable_compression_words},
	{"compression_min_size", CB_SET_COMPRESSION_MIN_SIZE, 0, NULL},
	{"compression_min_ratio", CB_SET_COMPRESSION_MIN_RATIO, 0, NULL},
	{"tcp_nodelay", CB_SET_TCP_NODELAY, 0, cb_bool_words},
	{"tcp_keepalive", CB_SET_TCP_KEEPALIVE, 0, cb_bool_words},
	{"enable_tcp_keep_alive", CB_SET_TCP_KEEPALIVE, 0, cb_bool_words},
	{"enable_tcp_keepalives", CB_SET_TCP_KEEPALIVE, 0, cb_bool_words},
	{"tcp_keep_alive_interval", CB_SET_TCP_KEEPALIVE_INTERVAL, MIL, NULL},
	{"tcp_keepalive_time", CB_SET_TCP_KEEPALIVE_INTERVAL, MIL, NULL},
	{"client_string", CB_SET_CLIENT_STRING, 0, NULL},
	{"user_agent_extra", CB_SET_CLIENT_STRING, 0, NULL},
	{"enable_mutation_tokens", CB_SET_MUTATION_TOKENS, 0, cb_bool_words},
	{"enable_unordered_execution", CB_SET_UNORDERED_EXECUTION, 0, cb_bool_words},
	{"unordered_execution_enabled", CB_SET_UNORDERED_EXECUTION, 0, cb_bool_words},
	{"enable_durable_write", CB_SET_DURABLE_WRITE, 0, cb_bool_words},
	{"enable_errmap", CB_SET_ERROR_MAP, 0, cb_bool_words},
	{"enable_clustermap_notification", CB_SET_CLUSTERMAP_NOTIFICATION, 0, cb_bool_words},
	{"enable_cluster_config_notifications", CB_SET_CLUSTERMAP_NOTIFICATION, 0, cb_bool_words},
	{"enable_lazy_connections", CB_SET_LAZY_CONNECTIONS, 0, cb_bool_words},
	{"enable_collections", CB_SET_COLLECTIONS, 0, cb_bool_words},
	{"preferred_server_group", CB_SET_SERVER_GROUP, 0, NULL},
	{"server_group", CB_SET_SERVER_GROUP, 0, NULL},
	{"http_poolsize", CB_SET_HTTP_POOLSIZE, 0, NULL},
	{"http_pool_timeout", CB_SET_HTTP_POOL_TIMEOUT, SEC, NULL},
	{"idle_http_connection_timeout", CB_SET_HTTP_POOL_TIMEOUT, MIL, NULL},
	{"max_http_connections", CB_SET_MAX_HTTP_CONNECTIONS, 0, NULL},
	{"log_redaction", CB_SET_LOG_REDACTION, 0, cb_bool_words},
	{"dump_configuration", CB_SET_DUMP_CONFIGURATION, 0, cb_bool_words},
	{NULL, 0, 0, NULL}
};

#define LOGGING		"Messages go to PostgreSQL's log, as its own settings say."
#define METRICS		"Nothing is measured in the background; EXPLAIN (ANALYZE) and cbconn_get_connections() tell."
#define DURABILITY	"Durable writes wait for the node's own answer: see the option durability of servers and tables."
#define INSIDE		"It adjusts the inside of another library."
#define GUESSING	"Where a vBucket is, is never guessed."
#define SOCKETS		"Each session has one connection to each node that it needs."
#define VIEWS		"Views are not queried."
#define ANALYTICS	"The analytics service is not queried."
#define SEARCH		"The search service is not queried."

const CbForeignOption cb_foreign_options[] = {
	{"allow_enterprise_analytics", ANALYTICS, "off"},
	{"allow_static_config", "The nodes are always learnt from the cluster.", "off"},
	{"app_telemetry_endpoint", METRICS, NULL},
	{"bucket_cred", "Buckets have had no passwords of their own since Couchbase Server 5.", NULL},
	{"console_log_file", LOGGING, NULL},
	{"console_log_level", LOGGING, NULL},
	{"detailed_errcodes", "Errors are always told in detail.", "on"},
	{"durability_interval", DURABILITY, NULL},
	{"durability_timeout", DURABILITY, NULL},
	{"enable_app_telemetry", METRICS, "off"},
	{"enable_metrics", METRICS, "off"},
	{"enable_operation_metrics", METRICS, "off"},
	{"enable_tracing", METRICS, "off"},
	{"http_urlmode", INSIDE, NULL},
	{"kv_buffer_size", INSIDE, NULL},
	{"kv_pool_size", SOCKETS, NULL},
	{"max_queue_size", INSIDE, NULL},
	{"metrics", METRICS, "off"},
	{"num_kv_connections", SOCKETS, NULL},
	{"operation_metrics_flush_interval", METRICS, NULL},
	{"read_chunk_size", INSIDE, NULL},
	{"readj_ts_wait", INSIDE, "off"},
	{"retry_policy",
	"What is tried again follows from the operation: reads always, writes that were not applied.", NULL},
	{"select_bucket", "Every connection is to a bucket.", "on"},
	{"show_queries", LOGGING, "off"},
	{"sync_dtor", INSIDE, "off"},
	{"tracing_orphaned_queue_flush_interval", METRICS, NULL},
	{"tracing_orphaned_queue_size", METRICS, NULL},
	{"tracing_threshold_analytics", ANALYTICS, NULL},
	{"tracing_threshold_queue_flush_interval", METRICS, NULL},
	{"tracing_threshold_queue_size", METRICS, NULL},
	{"tracing_threshold_search", SEARCH, NULL},
	{"tracing_threshold_view", VIEWS, NULL},
	{"unsafe_optimize", INSIDE, "off"},
	{"vb_noremap", GUESSING, "on"},
	{"vbguess_persist", GUESSING, "off"},
	{"view_timeout", VIEWS, NULL},
	{"views_timeout", VIEWS, NULL},
	{"wait_for_config", INSIDE, "off"},
	{NULL, NULL, NULL}
};
