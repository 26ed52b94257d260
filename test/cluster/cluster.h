/*
 * cluster.h: users, nodes, the cluster, fault switches.
 */
#ifndef CLUSTER_H
#define CLUSTER_H

#include <event2/event.h>

#include "store.h"

/* ---------------------------------------------------------------- users (rbac.c) */

/* Privileges, as kv_engine's docs/rbac.md names them. */
enum
{
	PRIV_READ = 1 << 0,
	PRIV_INSERT = 1 << 1,
	PRIV_DELETE = 1 << 2,
	PRIV_UPSERT = 1 << 3,
	PRIV_SIMPLE_STATS = 1 << 4,
	PRIV_META_READ = 1 << 5,
	PRIV_META_WRITE = 1 << 6,
	PRIV_RANGE_SCAN = 1 << 7,
	PRIV_SYS_XATTR_READ = 1 << 8,
	PRIV_SYS_XATTR_WRITE = 1 << 9,
	PRIV_DCP = 1 << 10,
	PRIV_NODE_ADMIN = 1 << 11,		/* set-config, set-manifest, impersonation, bucket administration */
	PRIV_STATS = 1 << 12,
	PRIV_QUERY_SELECT = 1 << 13,	/* the query service's */
	PRIV_QUERY_INSERT = 1 << 14,
	PRIV_QUERY_UPDATE = 1 << 15,
	PRIV_QUERY_DELETE = 1 << 16,
	PRIV_QUERY_MANAGE_INDEX = 1 << 17,
	PRIV_QUERY_SEQUENTIAL_SCAN = 1 << 18,
	PRIV_QUERY_SYSTEM_CATALOG = 1 << 19,
	PRIV_ALL = 0xfffff
};
#define ROLE_READER (PRIV_READ | PRIV_SIMPLE_STATS)
#define ROLE_SCANNER (ROLE_READER | PRIV_RANGE_SCAN | PRIV_META_READ)
#define ROLE_WRITER \
	(ROLE_SCANNER | PRIV_INSERT | PRIV_DELETE | PRIV_UPSERT | PRIV_SYS_XATTR_READ | PRIV_SYS_XATTR_WRITE)
#define ROLE_ADMIN PRIV_ALL

typedef struct Grant
{
	struct Grant *next;
	char	   *bucket;				/* "*": every bucket */
	char	   *scope;				/* NULL: whole bucket */
	char	   *collection;			/* NULL: whole scope */
	uint32_t	privileges;
} Grant;

struct User
{
	User	   *next;
	char	   *name;
	char	   *password;
	Grant	   *grants;
	void	   *scram;				/* salted keys per mechanism (kv_sasl.c) */
};

/* Replaces the password if there is such a user. */
User	   *user_create(Cluster *cl, const char *name, const char *password);
void		user_grant(User *u, const char *bucket, const char *scope, const char *collection, uint32_t privileges);
User	   *user_find(Cluster *cl, const char *name, size_t len);
void		user_drop(Cluster *cl, User *u);	/* connections authenticated as this user are closed */
bool		user_check_password(const User *u, const char *password, size_t len);

/* Privileges on a bucket (b NULL: cluster wide), in one collection when c is not NULL. */
uint32_t	user_privileges(const User *u, const Bucket *b, const Collection *c);

/* ---------------------------------------------------------------- nodes and the cluster (cluster.c, node.c) */

typedef enum FaultKind
{
	FAULT_STATUS,					/* answer with .status, do nothing */
	FAULT_STATUS_AFTER,				/* do it, then answer with .status */
	FAULT_CLOSE,					/* close the connection instead of working */
	FAULT_CLOSE_AFTER,				/* do the work, close without an answer */
	FAULT_SILENT,					/* swallow the request */
	FAULT_CORRUPT,					/* answer with byte .offset of the packet inverted */
	FAULT_TRUNCATE,					/* send the first .offset bytes of the answer, then close */
	FAULT_HANG,						/* this request and all later ones of the connection are never answered */
	FAULT_HANG_AFTER,				/* all later ones */
	FAULT_DELAY						/* work after .delay_ms (ordered with the rest of the connection) */
} FaultKind;

struct Fault
{
	Fault	   *next;
	FaultKind	kind;
	int			opcode;				/* -1: any */
	uint16_t	status;
	unsigned	offset;
	unsigned	delay_ms;
	unsigned	skip;				/* let this many pass first */
	int			remaining;			/* -1: for ever */
};

/* Files and modes of TLS; NULL: not set. */
typedef struct TlsSettings
{
	const char *cert;				/* chain, PEM */
	const char *key;
	const char *client_ca;
	const char *client_auth;		/* "disabled", "enabled", "mandatory" */
	const char *min_version;		/* "1.2", "1.3" */
} TlsSettings;

/* What happens on a connection once .after bytes were sent on it. */
typedef enum WireFaultKind
{
	WIRE_CLOSE,
	WIRE_RESET,
	WIRE_STALL,						/* nothing more is sent */
	WIRE_CORRUPT					/* the next byte is inverted */
} WireFaultKind;

typedef struct WireFault
{
	struct WireFault *next;
	WireFaultKind kind;
	uint64_t	after;
	int			remaining;			/* connections; -1: all */
} WireFault;

typedef enum HttpFaultKind
{
	HTTP_FAULT_STATUS,
	HTTP_FAULT_CLOSE,
	HTTP_FAULT_SILENT
} HttpFaultKind;

typedef struct HttpFault
{
	HttpFaultKind kind;
	int			status;
	int			remaining;			/* requests; 0: none, -1: all */
} HttpFault;

/* What is wrong with log-ins. */
typedef enum SaslFault
{
	SASL_NO_FAULT,
	SASL_NO_SIGNATURE,				/* success without the server's proof */
	SASL_WRONG_SIGNATURE,
	SASL_FOREIGN_NONCE,				/* the server's nonce does not begin with the client's */
	SASL_NO_ITERATIONS,				/* i=0 */
	SASL_ENDLESS_ITERATIONS,		/* i=2147483647 */
	SASL_MANDATORY_EXTENSION,		/* m=... , which nobody understands */
	SASL_PLAIN_ONLY					/* no other mechanism is offered or taken */
} SaslFault;

/* Where a node is reached from another network. */
typedef struct Alternate
{
	struct Alternate *next;
	char	   *network;			/* "external" */
	char	   *hostname;
	bool		with_ports;			/* false: no member "ports" */
	char	   *ports;				/* JSON object; NULL: the node's own */
} Alternate;

struct Node
{
	Cluster    *cluster;
	int			index;
	char		uuid[33];
	uint16_t	kv_port;			/* 0 until started, then kept over kill and revive */
	uint16_t	kvs_port;			/* TLS; 0: there is none */
	uint16_t	mgmt_port;			/* set by http.c */
	uint16_t	mgmt_tls_port;		/* the same by TLS */
	uint16_t	query_port;			/* set by query/service.c; 0: there is no query service */
	uint16_t	query_tls_port;
	struct ssl_ctx_st *tls;			/* NULL: no TLS ports */
	TlsSettings tls_settings;		/* what it was made of */
	struct evconnlistener *kv_listener;
	struct evconnlistener *kvs_listener;
	void	   *http;				/* http.c's */
	void	   *query;				/* query/service.c's */
	Conn	   *conns;
	bool		paused;				/* accepts, reads and answers nothing */
	bool		killed;				/* listeners closed, connections too */
	bool		refusing;			/* listeners closed, connections live */
	bool		no_data;			/* never has the data service */
	bool		no_query;			/* never has the query service */
	bool		joining;			/* has no vBuckets before the next rebalance */
	bool		frozen;				/* gives the configurations it had when this was set */
	FrozenConfig frozen_global;
	char	   *hostname;			/* in configurations; NULL: none */
	Alternate  *alternates;
	bool		failed_over;		/* no longer in the configuration */
	unsigned	delay_ms;			/* every request waits so long */
	uint64_t	withheld;			/* features, by bit, that it does not know: an older server */
	Fault	   *faults;
	WireFault  *wire_faults;
	HttpFault	http_fault;
	uint64_t	accepted;			/* data connections */
	uint64_t	flights;			/* times that clients spoke first or after an answer: round trips, that of TCP aside */
	uint64_t	requests;			/* KV requests seen */
};

typedef void (*ConfigFn) (void *arg, Bucket *b);	/* b NULL: cluster level */
typedef struct ConfigListener
{
	struct ConfigListener *next;
	ConfigFn	fn;
	void	   *arg;
} ConfigListener;

struct Cluster
{
	struct event_base *base;
	const char *host;				/* "127.0.0.1" or "::1": nothing else is ever bound */
	const char *url_host;			/* the same as it stands before a port */
	Node	   *nodes[CB_MAX_NODES];
	int			num_nodes;
	Bucket	   *buckets;
	User	   *users;
	int64_t		epoch;				/* revEpoch of every configuration */
	uint64_t	rev;				/* of the global configuration; buckets share the counter */
	char		uuid[33];
	ConfigListener *listeners;
	int64_t		time_shift_ms;		/* added to the clock: lets tests expire documents */
	uint16_t	control_port;		/* control.c's */
	unsigned	flush_ms;			/* from a write to its being on disk */
	char	   *config_cache[CB_MAX_NODES];	/* global configuration */
	unsigned	scram_iterations;	/* of known users */
	SaslFault	sasl_fault;
	void	   *http;				/* http.c's, cluster wide */
	void	   *query;				/* query/catalog.c's: indexes, prepared statements */
	bool		no_query;			/* no node has the query service */
	unsigned	slow_client_ms;		/* a client of the query service that takes nothing for so long is cut off */
	const char *version;			/* answer to VERSION */
	VBucket    *flush_list;
	struct event *flush_timer;
	struct event *pager_timer;
	int			exit_code;
};

Cluster    *cluster_new(struct event_base *base, int num_nodes);
Node	   *cluster_make_node(Cluster *cl);	/* the next one, not started */
bool		cluster_start_kv(Cluster *cl);	/* opens every KV listener; false after printing why */
void		cluster_free(Cluster *cl);

int64_t		cb_now_ns(const Cluster *cl);	/* unix time with the shift */
int64_t		cb_now_ms(const Cluster *cl);
uint32_t	cb_now(const Cluster *cl);		/* the same in seconds */

/*
 * A new revision: configurations are rebuilt, KV connections notified, listeners called. b NULL: of every bucket and
 * the global one.
 */
void		cluster_config_changed(Cluster *cl, Bucket *b);
void		cluster_on_config(Cluster *cl, ConfigFn fn, void *arg);
void		cluster_off_config(Cluster *cl, ConfigFn fn, void *arg);

/*
 * The terse configuration as a node gives it: thisNode marked, hostnames left out (one host: the client uses the
 * address it came by) unless with_host. b NULL: the global one. malloced.
 */
char	   *config_json(Node *n, Bucket *b, bool with_host, size_t *len);

/* Fault switches (control.c calls them). */
void		node_pause(Node *n, bool paused);
void		node_kill(Node *n, bool failover);	/* listeners closed, connections reset; cluster_failover() too if asked */
bool		node_revive(Node *n);			/* same ports; after a fail-over back with its former vBuckets */
void		node_drop_connections(Node *n);
void		node_rekey(Node *n);			/* TLS of all data connections: new keys, or a new handshake */
void		node_add_fault(Node *n, const Fault *f);
void		node_add_wire_fault(Node *n, WireFaultKind kind, uint64_t after, int connections);
void		node_clear_faults(Node *n);

void		node_refuse(Node *n, bool refuse);	/* no new connections */
void		node_freeze(Node *n, bool freeze);

/* Gives the text (taken over) as configuration until the next revision, and tells who listens. */
void		bucket_give_config(Bucket *b, char *text, int64_t epoch, int64_t rev);

void		node_set_hostname(Node *n, const char *hostname);	/* empty or NULL: none */
void		node_set_alternate(Node *n, const char *network, const char *hostname, bool with_ports, const char *ports);

/*
 * An even map over the nodes that are up, except one (-1: none): at once (step_ms 0) or a vBucket every step_ms, each a
 * revision. False if no node is left. A second one replaces the first; fail-over ends it.
 */
bool		rebalance_start(Bucket *b, int without, unsigned step_ms);
void		rebalance_stop(Bucket *b);
int			rebalance_target(const Bucket *b, unsigned vb, unsigned copy);	/* where it will be; while one is under way */

/* A node of its own ports joins without vBuckets; NULL if it cannot. */
Node	   *cluster_add_node(Cluster *cl);
/* Its vBuckets go to the others, it leaves the configuration and its ports close; false if it is the last. */
bool		cluster_remove_node(Node *n);

/* The node leaves the configuration: replicas take over, else the next node with an empty vBucket. */
void		cluster_failover(Node *n);

/* http.c: closes or opens the listeners of a node, called by node_kill and node_revive. */
bool		http_node_open(Node *n);		/* of a node that has none; false after printing why */
void		http_node_close(Node *n);
void		http_node_refuse(Node *n, bool refuse);
void		http_node_stopped(Node *n);
bool		http_node_started(Node *n);
void		http_node_paused(Node *n, bool paused);

/* query/service.c: the same for the query service. */
bool		query_node_open(Node *n);
void		query_node_close(Node *n);
void		query_node_refuse(Node *n, bool refuse);
void		query_node_stopped(Node *n);
bool		query_node_started(Node *n);
void		query_node_paused(Node *n, bool paused);
void		query_fault_clear(Node *n);
void		query_catalog_free(Cluster *cl);

#endif
