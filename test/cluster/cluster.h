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
	PRIV_ALL = 0x1fff
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

struct Node
{
	Cluster    *cluster;
	int			index;
	char		uuid[33];
	uint16_t	kv_port;			/* 0 until started, then kept over kill and revive */
	uint16_t	kvs_port;			/* TLS; 0: there is none */
	uint16_t	mgmt_port;			/* set by http.c */
	uint16_t	mgmt_tls_port;		/* the same by TLS */
	struct ssl_ctx_st *tls;			/* NULL: no TLS ports */
	TlsSettings tls_settings;		/* what it was made of */
	struct evconnlistener *kv_listener;
	struct evconnlistener *kvs_listener;
	void	   *http;				/* http.c's */
	Conn	   *conns;
	bool		paused;				/* accepts, reads and answers nothing */
	bool		killed;				/* listeners closed */
	bool		failed_over;		/* no longer in the configuration */
	unsigned	delay_ms;			/* every request waits so long */
	Fault	   *faults;
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
	void	   *http;				/* http.c's, cluster wide */
	const char *version;			/* answer to VERSION */
	VBucket    *flush_list;
	struct event *flush_timer;
	struct event *pager_timer;
	int			exit_code;
};

Cluster    *cluster_new(struct event_base *base, int num_nodes);
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
void		node_add_fault(Node *n, const Fault *f);
void		node_clear_faults(Node *n);

/* The node leaves the configuration: replicas take over, else the next node with an empty vBucket. */
void		cluster_failover(Node *n);

/* http.c: closes or opens the listeners of a node, called by node_kill and node_revive. */
void		http_node_stopped(Node *n);
bool		http_node_started(Node *n);
void		http_node_paused(Node *n, bool paused);

#endif
