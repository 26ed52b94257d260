/*
 * cbcluster.h: everything the files of the test cluster share.
 *
 * A development Couchbase cluster in one process: N nodes on loopback, one libevent loop, no threads. Written from
 * the documents of couchbase/kv_engine (docs/BinaryProtocol.md, Collections.md, SubDocument.md, range_scans/, sasl.md)
 * and from recorded conversations (test/vectors/); it shares no code with the client in src/.
 */
#ifndef CBCLUSTER_H
#define CBCLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "kv_wire.h"

#define CB_MAX_NODES 16
#define CB_MAX_REPLICAS 3
#define CB_NO_NODE (-1)
#define CB_MAX_VALUE (20 * 1024 * 1024)        /* largest document value */
#define CB_MAX_DEFAULT_KEY 250				/* bytes of a key in the default collection */
#define CB_MAX_NAMED_KEY 246				/* and in any other */
#define CB_LOAD_FLAGS 0x02000006			/* common flags "JSON" and the legacy value, as SDKs write them */
#define CB_MAX_PACKET (30 * 1024 * 1024)       /* header and body; more closes the connection */

typedef struct Cluster Cluster;
typedef struct Node Node;
typedef struct Bucket Bucket;
typedef struct VBucket VBucket;
typedef struct Scope Scope;
typedef struct Collection Collection;
typedef struct Doc Doc;
typedef struct DiskView DiskView;
typedef struct User User;
typedef struct Conn Conn;
typedef struct Req Req;
typedef struct Fault Fault;
typedef struct PersistWait PersistWait;
typedef struct Lock Lock;
typedef struct PendingWrite PendingWrite;

/* ---------------------------------------------------------------- documents (store.c) */

/*
 * One version of a document: one block, immutable once stored, counted references. A deletion is a version too
 * (deleted set; value empty or xattrs). The value is as stored: snappy if datatype says so, xattr section first.
 */
struct Doc
{
	Doc		   *hash_next;			/* owned by the hash table */
	uint64_t	cas;
	uint64_t	seqno;
	uint64_t	revid;
	uint32_t	refs;
	uint32_t	cid;				/* collection id */
	uint32_t	flags;				/* as on the wire, host order */
	uint32_t	expiry;				/* absolute, unix seconds; 0: none */
	uint32_t	mtime;				/* unix seconds of the write */
	uint32_t	value_len;
	uint8_t		key_len;
	uint8_t		datatype;			/* DT_* bits */
	bool		deleted;
	bool		macros;				/* xattrs hold placeholders: store_put() calls xattr_expand_macros() once CAS and seqno are set */
	char		data[];				/* key, then value */
};

#define doc_key(d) ((d)->data)
#define doc_value(d) ((d)->data + (d)->key_len)

/* A new version with one reference; value_len bytes at doc_value() are for the caller to fill. NULL never returned. */
Doc		   *doc_new(uint32_t cid, const void *key, size_t key_len, size_t value_len);
Doc		   *doc_ref(Doc *d);
void		doc_unref(Doc *d);

static inline bool
doc_expired(const Doc *d, uint32_t now)
{
	return d->expiry != 0 && d->expiry <= now;
}

/* Byte order of range scans: collection id, then key bytes (memcmp, shorter first). */
int			doc_compare_key(const Doc *d, uint32_t cid, const void *key, size_t key_len);

/* The live version (not deleted, not expired), or NULL. Borrowed: valid until the next store call. */
Doc		   *store_find(VBucket *vb, uint32_t cid, const void *key, size_t key_len);

/* The same with deletions; an expired document is turned into its deletion first. */
Doc		   *store_find_any(VBucket *vb, uint32_t cid, const void *key, size_t key_len);

/*
 * Makes d (ownership taken) the current version: gives it CAS (unless keep_cas), seqno, revid and mtime, replaces the
 * older one, queues it for the flusher. Returns d, borrowed. No checks at all: handlers use kv_commit() instead.
 */
Doc		   *store_put(VBucket *vb, Doc *d, bool keep_cas);

/*
 * Stores a document for --load and --generate: hashes the key (CRC-32 over the key without collection prefix),
 * detects JSON, no request needed. Returns 0 or a KV status (too big, bad key).
 */
uint16_t	store_load(Bucket *b, Collection *c, const void *key, size_t key_len, const void *value, size_t value_len);
uint16_t	store_vbucket_of(const Bucket *b, const void *key, size_t key_len);

/* Looks a document up by key in its vBucket (for tests and the query service); NULL if not live. Borrowed. */
Doc		   *store_find_in(Bucket *b, Collection *c, const void *key, size_t key_len);

/* DT_JSON if the bytes are one JSON value as the data service detects it (json_check.c), else 0. */
uint8_t		json_datatype(const void *value, size_t len);

/* New CAS: hybrid logical clock, strictly growing per vBucket. */
uint64_t	store_next_cas(VBucket *vb);

struct Lock
{
	Lock	   *next;
	Doc		   *doc;				/* the locked version (referenced) */
	uint64_t	cas;				/* CAS of the lock */
	int64_t		until_ms;			/* cb_now_ms() */
};

/* The lock on the current version of the document, or NULL. */
Lock	   *store_lock_of(VBucket *vb, uint32_t cid, const void *key, size_t key_len);

/* ---------------------------------------------------------------- vBuckets and what is on disk (disk.c) */

/* What durability sees of the replicas of a vBucket when it is not simply the map. */
typedef enum Topology
{
	TOPOLOGY_MAP,					/* the replicas of the map */
	TOPOLOGY_UNASSIGNED,			/* one replica configured, not assigned: durability impossible */
	TOPOLOGY_SILENT					/* one replica named that never acknowledges */
} Topology;

struct VBucket
{
	Bucket	   *bucket;
	uint16_t	id;
	int8_t		nodes[1 + CB_MAX_REPLICAS];	/* active, replicas; node index or CB_NO_NODE */
	Topology	topology;
	uint64_t	uuid;				/* of the newest failover entry */
	uint64_t	old_uuid;			/* of the entry before it, 0 if none */
	uint64_t	old_seqno;			/* seqno at which uuid replaced old_uuid */
	uint64_t	high_seqno;
	uint64_t	persisted_seqno;
	uint64_t	max_cas;
	uint32_t	first_expiry;		/* no document expires before; 0: none does */

	Doc		  **hash;				/* chains; hash_size is a power of 2 or 0 */
	size_t		hash_size;
	size_t		hash_used;			/* deletions included */
	size_t		items;				/* live documents */

	Doc		  **dirty;				/* stored, not flushed; referenced */
	size_t		dirty_used;
	size_t		dirty_size;
	Doc		  **flushed;			/* flushed, not yet merged into the view; referenced */
	size_t		flushed_used;
	size_t		flushed_size;
	DiskView   *view;				/* NULL until first needed; ask disk_view() */
	bool		in_flush_list;
	VBucket    *flush_next;

	Lock	   *locks;
	PendingWrite *pending;
	PersistWait *waits;
	void	   *scans;				/* range scans of this vBucket, kept by kv_rangescan.c */
};

/* An immutable, sorted snapshot of the persisted live documents of a vBucket (order of doc_compare_key). */
struct DiskView
{
	unsigned	refs;
	uint64_t	seqno;				/* persisted up to here */
	size_t		n;
	Doc		   *docs[];				/* referenced by the view */
};

/* The current view, with a reference for the caller: scans keep it as their snapshot. */
DiskView   *disk_view(VBucket *vb);
void		disk_view_unref(DiskView *v);

/* First index whose document is >= (cid, key); v->n if none. A key of length 0 is the start of the collection. */
size_t		disk_lower_bound(const DiskView *v, uint32_t cid, const void *key, size_t key_len);

/*
 * Calls fn once: status 0 as soon as persisted_seqno >= seqno (from the loop, never from inside this call),
 * KV_ETMPFAIL when timeout_ms passed. The caller may cancel until then.
 */
typedef void (*PersistFn) (void *arg, uint16_t status);
PersistWait *disk_wait(VBucket *vb, uint64_t seqno, unsigned timeout_ms, PersistFn fn, void *arg);
void		disk_wait_cancel(PersistWait *w);

/* ---------------------------------------------------------------- buckets, scopes, collections (bucket.c, manifest.c) */

struct Collection
{
	Collection *next;
	Scope	   *scope;
	char	   *name;
	uint32_t	id;
	uint32_t	max_ttl;			/* seconds, 0: none */
	size_t		items;				/* live documents in all vBuckets */
};

struct Scope
{
	Scope	   *next;
	Collection *collections;
	char	   *name;
	uint32_t	id;
};

struct Bucket
{
	Bucket	   *next;
	Cluster    *cluster;
	char	   *name;
	char		uuid[33];
	unsigned	num_vbuckets;		/* 64 or 1024 */
	unsigned	num_replicas;
	VBucket    *vb;					/* [num_vbuckets] */
	Scope	   *scopes;				/* in order of creation; _default first */
	uint64_t	manifest_uid;
	uint32_t	next_scope_id;		/* ids start at 8, 0 is the default */
	uint32_t	next_collection_id;
	uint64_t	rev;				/* configuration revision; epoch is the cluster's */
	bool		config_only;		/* made by SET_CLUSTER_CONFIG: no data */
	Collection *last_collection;	/* found last by id */
	char	   *config_cache[CB_MAX_NODES];	/* what config_json() made, per node; NULL: to be made */
	char	   *set_config;			/* body given by SET_CLUSTER_CONFIG, or NULL: then made from the map */
	int64_t		set_epoch;
	int64_t		set_rev;
};

/* Creates a bucket with a deterministic map over the nodes: vBucket v is active on v * nodes / vBuckets. NULL if the name is taken or bad. */
Bucket	   *bucket_create(Cluster *cl, const char *name, unsigned num_vbuckets, unsigned num_replicas);
Bucket	   *bucket_find(Cluster *cl, const char *name, size_t name_len);
void		bucket_drop(Bucket *b);

/* Sets the active node of a vBucket (replica: 0) or a replica (1..); does not bump the revision, see cluster_config_changed(). */
void		bucket_set_node(Bucket *b, unsigned vb, unsigned replica, int node);
void		bucket_set_topology(Bucket *b, unsigned vb, Topology t);

Scope	   *scope_find(Bucket *b, const char *name, size_t len);
Collection *collection_find(Scope *s, const char *name, size_t len);
Collection *collection_by_id(Bucket *b, uint32_t cid);

/* 0, KV_EINVAL (bad name), KV_KEY_EEXISTS, KV_UNKNOWN_SCOPE, KV_UNKNOWN_COLLECTION. Each bumps manifest_uid. Dropping purges the documents. */
uint16_t	scope_create(Bucket *b, const char *name, Scope **out);
uint16_t	scope_drop(Bucket *b, const char *name);
uint16_t	collection_create(Bucket *b, const char *scope, const char *name, uint32_t max_ttl, Collection **out);
uint16_t	collection_drop(Bucket *b, const char *scope, const char *name);

/* The manifest as JSON ({"uid":"4","scopes":[...]}, uids hexadecimal as on the wire); malloced. */
char	   *manifest_json(const Bucket *b);

/* Replaces the manifest by JSON of the same form (opcode b9); 0 or a KV status. Collections that vanish are dropped. */
uint16_t	manifest_set(Bucket *b, const char *json, size_t len);

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
#define ROLE_WRITER (ROLE_SCANNER | PRIV_INSERT | PRIV_DELETE | PRIV_UPSERT | PRIV_SYS_XATTR_READ | PRIV_SYS_XATTR_WRITE)
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

User	   *user_create(Cluster *cl, const char *name, const char *password);	/* replaces the password if it exists */
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

struct Node
{
	Cluster    *cluster;
	int			index;
	char		uuid[33];
	uint16_t	kv_port;			/* 0 until started, then kept over kill and revive */
	uint16_t	kvs_port;			/* TLS; 0: there is none */
	uint16_t	mgmt_port;			/* set by http.c */
	struct evconnlistener *kv_listener;
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
	const char *host;				/* "127.0.0.1": nothing else is ever bound */
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

/* A new revision: configs are rebuilt, KV connections notified, listeners called. b NULL: every bucket and the global one. */
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
void		node_kill(Node *n, bool failover);	/* listeners closed, connections reset; failover: replicas take over, revision bumped */
bool		node_revive(Node *n);			/* same ports; comes back into the configuration with its former vBuckets if it was failed over */
void		node_drop_connections(Node *n);
void		node_add_fault(Node *n, const Fault *f);
void		node_clear_faults(Node *n);
void		cluster_failover(Node *n);		/* promotes replicas where there are any, else the next node takes over empty-handed by the map */

/* http.c: closes or opens the listeners of a node, called by node_kill and node_revive. */
void		http_node_stopped(Node *n);
bool		http_node_started(Node *n);
void		http_node_paused(Node *n, bool paused);

/* ---------------------------------------------------------------- connections and requests (kv_conn.c, kv_dispatch.c) */

/* One bit per HELLO feature. */
#define FEATURE(f) (UINT64_C(1) << (f))
#define conn_has(c, f) (((c)->features & FEATURE(f)) != 0)

struct Conn
{
	Conn	   *next;				/* in node->conns */
	Conn	  **prev;
	Node	   *node;
	int			fd;
	struct event *ev_read;
	struct event *ev_write;
	struct event *ev_delay;
	uint8_t    *in;					/* received, not worked on: in[in_pos .. in_used) */
	size_t		in_pos;
	size_t		in_used;
	size_t		in_size;
	struct evbuffer *out;
	uint64_t	features;
	User	   *user;				/* NULL: not authenticated */
	Bucket	   *bucket;				/* selected, or NULL */
	void	   *sasl;				/* exchange under way */
	char		agent[251];			/* of HELLO, terminated */
	char		peer[64];
	bool		closing;			/* close once the output is written */
	bool		dead;				/* freed as soon as nothing uses it (busy == 0) */
	bool		dcp;				/* opened as a DCP producer */
	bool		stalled;			/* output too long: reads on when it has drained */
	unsigned	busy;				/* depth of calls that use the connection */
	unsigned	kept;				/* requests not yet answered */
	unsigned	kept_ordered;		/* those that nothing may overtake */
	Req		   *kept_list;
	Req		   *draining;			/* kept requests that wait for room in the output */
	int64_t		seen_epoch;			/* configuration last sent, for de-duplication */
	int64_t		seen_rev;
	Bucket	   *seen_bucket;
	size_t		delay_bytes;		/* input that has already waited for the node's delay */
	bool		fault_passed;		/* the next request has already waited for its FAULT_DELAY */
};

typedef struct OpSpec OpSpec;
typedef void (*ReqFn) (Req *r);

/*
 * One request. The pointers lie in the input buffer until the handler returns, unless req_keep() copied it.
 * key is the logical key: without the collection prefix; raw_key is as it came.
 */
struct Req
{
	Conn	   *conn;
	Node	   *node;
	Bucket	   *bucket;				/* NULL when the operation needs none */
	VBucket    *vb;					/* NULL when the operation has no vBucket check */
	Collection *collection;			/* NULL when the operation has no collection key */
	const OpSpec *op;
	uint8_t		magic;
	uint8_t		opcode;
	uint8_t		datatype;
	uint16_t	vbid;
	uint32_t	opaque;				/* as on the wire, copied verbatim */
	uint64_t	cas;
	const uint8_t *packet;
	size_t		packet_len;
	const uint8_t *frames, *ext, *raw_key, *key, *val;
	size_t		frames_len, ext_len, raw_key_len, key_len, val_len;
	uint32_t	cid;
	int64_t		start_us;
	const uint8_t *wire_val;			/* the value as it came, compressed or not */
	size_t		wire_val_len;
	uint8_t    *inflated;			/* value inflated for OP_INFLATE, freed with the request */

	/* framing extras */
	bool		preserve_expiry;
	bool		has_durability;
	uint8_t		durability;			/* 1..3 */
	uint16_t	durability_ms;		/* 0: default */
	User	   *user;				/* whose privileges count: the connection's or the impersonated one */
	uint32_t	extra_privileges;	/* of a privilege frame */
	uint32_t	privileges;			/* of user on the bucket and collection, extra ones included */
	uint16_t	ok_status;			/* status of the answer of a successful kv_commit(): 0 unless the handler sets it */

	bool		has_fault;
	Fault		fault;				/* applies to the answer */

	/* kept requests only */
	bool		kept;
	bool		ordered;			/* nothing may overtake it */
	Req		   *kept_next;
	Req		  **kept_prev;
	Req		   *drain_next;
	ReqFn		on_drain;
	ReqFn		on_cancel;			/* the connection goes away: release arg, do not answer */
	void	   *arg;				/* the handler's own */
};

/* What is checked before a handler runs, in the server's order; see kv_dispatch.c. */
enum
{
	OP_KEY = 1 << 0,				/* key required */
	OP_NO_KEY = 1 << 1,				/* key must be empty; neither: any */
	OP_VAL = 1 << 2,				/* value required */
	OP_NO_VAL = 1 << 3,
	OP_CAS = 1 << 4,				/* CAS may be other than 0 */
	OP_DT_JSON = 1 << 5,			/* datatype bits that may be set */
	OP_DT_SNAPPY = 1 << 6,
	OP_DT_XATTR = 1 << 7,
	OP_PREAUTH = 1 << 8,			/* allowed before authentication */
	OP_BUCKET = 1 << 9,				/* needs a selected bucket */
	OP_VB = 1 << 10,				/* vBucket must be active here: r->vb is set, else 07 */
	OP_CKEY = 1 << 11,				/* key carries a collection prefix: r->cid, r->collection, r->key are set */
	OP_VB0 = 1 << 12,				/* vBucket field must be 0 */
	OP_DURABLE = 1 << 13,			/* durability frame allowed */
	OP_PRESERVE = 1 << 14,			/* preserve-expiry frame allowed */
	OP_QUIET = 1 << 15,				/* no answer on success (writes) or on a miss (reads): the handler's business */
	OP_NO_REORDER = 1 << 16,		/* never overtakes or is overtaken on an unordered connection */
	OP_INFLATE = 1 << 17			/* the value reaches the handler inflated */
};

#define EXT(n) (UINT64_C(1) << (n))	/* extras of n bytes are legal (n < 64) */
#define EXT_ANY UINT64_MAX

struct OpSpec
{
	uint8_t		opcode;
	const char *name;
	uint32_t	rules;				/* OP_* */
	uint64_t	extras;				/* EXT(n) | ... */
	uint32_t	privileges;			/* all of these are needed on the collection (or bucket) */
	ReqFn		handler;
	bool		(*validate) (Req *r);	/* after the general checks, before vBucket and collection: answers and returns false to refuse */
};

const OpSpec *op_find(uint8_t opcode);	/* NULL: unknown. The table stands in kv_optable.c: add your rows there. */

/* ---- answers: each completes a request that is not kept; a kept one ends with req_done() */

/* Bare status, or with the standard text of that status if it has one. Answers 07 with the config. */
void		reply_status(Req *r, uint16_t status);

/* Status with {"error":{"context":"..."}}. */
void		reply_error(Req *r, uint16_t status, const char *fmt,...) __attribute__((format(printf, 3, 4)));

/* Status with this body, verbatim. */
void		reply_body(Req *r, uint16_t status, uint8_t datatype, const void *val, size_t len);

/* Everything. Server duration is added when negotiated; datatype bits the connection did not negotiate are taken out. */
typedef struct Reply
{
	uint16_t	status;
	uint8_t		datatype;
	uint64_t	cas;
	const void *ext;
	size_t		ext_len;
	const void *key;
	size_t		key_len;
	const void *val;				/* copied */
	size_t		val_len;
	Doc		   *doc;				/* if set: val lies inside this document and is sent by reference, not copied */
} Reply;
void		reply_send(Req *r, const Reply *rep);

/* Unknown scope/collection with the manifest uid in the body. */
void		reply_unknown_collection(Req *r, uint16_t status);

/* Closes the connection without an answer; later requests of the same read are not worked on. */
void		conn_close(Conn *c);

/* ---- requests that are answered later */

/*
 * Copies the request to the heap so that it outlives the handler, which then returns without answering.
 * on_cancel is called (once, instead of anything else) when the connection dies first; the Req is freed after it.
 */
Req		   *req_keep(Req *r, ReqFn on_cancel, void *arg);

/* Ends a kept request after its answers: frees it and lets the connection go on. */
void		req_done(Req *r);

/* Bytes not yet written to the socket, and a call (from the loop) once few are left: back-pressure for streams. */
size_t		conn_backlog(const Conn *c);
void		req_on_drain(Req *r, ReqFn fn);

/* ---------------------------------------------------------------- writing documents (kv_write.c) */

/*
 * May this document be written now with this CAS? 0, KV_LOCKED, KV_SYNC_WRITE_IN_PROGRESS, KV_KEY_EEXISTS (CAS differs),
 * KV_KEY_ENOENT (CAS given, no document). old is the live version or NULL.
 */
uint16_t	kv_may_write(Req *r, const Doc *old, uint64_t cas);

/*
 * Expiry as a request gives it (relative, absolute, 0) made absolute, limited by the collection's maximum;
 * with preserve_expiry and old the one of old.
 */
uint32_t	kv_expiry(const Req *r, uint32_t wire, const Doc *old);

/*
 * Stores d (ownership taken) and answers: status 0, its CAS, the mutation token if negotiated, this value. With a
 * durability frame the document is visible and the answer sent when the replicas have it, or the answer says why not.
 * A tombstone (d->deleted) deletes. Quiet opcodes (OP_QUIET) get no answer. Removes any lock.
 */
void		kv_commit(Req *r, Doc *d, uint8_t datatype, const void *val, size_t val_len);

/*
 * The value of a stored document, inflated if needed: *buf is malloced when that was necessary (else NULL) and
 * must be freed. Xattr section still in front if DT_XATTR.
 */
bool		doc_inflated(const Doc *d, const char **val, size_t *len, char **buf);

/* Where the body starts behind the xattr section of an inflated value (0 without DT_XATTR); len if malformed. */
size_t		xattr_body_offset(const char *val, size_t len, uint8_t datatype);

/*
 * GET of a plain connection: the value without xattrs and with the datatype bits and compression this connection
 * understands. Fills datatype, val, val_len, doc of rep; *buf must be freed after reply_send().
 */
void		kv_present(const Req *r, Doc *d, Reply *rep, char **buf);

/* ---------------------------------------------------------------- handlers of other files, for the table */

void		kv_subdoc(Req *r);			/* c5..d1 except the multi ones: kv_subdoc*.c */
bool		kv_subdoc_validate(Req *r);
void		kv_subdoc_multi(Req *r);	/* d0, d1 */
bool		kv_subdoc_multi_validate(Req *r);
void		kv_scan_create(Req *r);		/* da, db, dc: kv_rangescan*.c */
bool		kv_scan_create_validate(Req *r);
void		kv_scan_continue(Req *r);
bool		kv_scan_continue_validate(Req *r);
void		kv_scan_cancel(Req *r);
bool		kv_scan_cancel_validate(Req *r);
void		kv_scan_vbucket_gone(VBucket *vb);	/* the vBucket moved or its bucket is dropped: its scans end */
void		xattr_expand_macros(Doc *d);	/* xattr.c: the placeholders of CAS and seqno become their values */

/* ---------------------------------------------------------------- small helpers (util.c) */

void	   *xmalloc(size_t n);			/* these end the program when memory is out */
void	   *xcalloc(size_t n, size_t size);
void	   *xrealloc(void *p, size_t n);
char	   *xstrdup(const char *s);
char	   *xstrndup(const char *s, size_t n);
char	   *xasprintf(const char *fmt,...) __attribute__((format(printf, 1, 2)));
void		random_hex(char *out, size_t digits);	/* terminated */
void		random_uuid(char out[37]);	/* 8-4-4-4-12, terminated */
void		cb_log(const char *fmt,...) __attribute__((format(printf, 1, 2)));	/* a line on stderr */

/* Big-endian fields. */
static inline uint16_t
get16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t) (b[0] << 8 | b[1]);
}

static inline uint32_t
get32(const void *p)
{
	return (uint32_t) get16(p) << 16 | get16((const uint8_t *) p + 2);
}

static inline uint64_t
get64(const void *p)
{
	return (uint64_t) get32(p) << 32 | get32((const uint8_t *) p + 4);
}

static inline void
put16(void *p, uint16_t v)
{
	uint8_t    *b = p;

	b[0] = (uint8_t) (v >> 8);
	b[1] = (uint8_t) v;
}

static inline void
put32(void *p, uint32_t v)
{
	put16(p, (uint16_t) (v >> 16));
	put16((uint8_t *) p + 2, (uint16_t) v);
}

static inline void
put64(void *p, uint64_t v)
{
	put32(p, (uint32_t) (v >> 32));
	put32((uint8_t *) p + 4, (uint32_t) v);
}

#endif
