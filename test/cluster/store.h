/*
 * store.h: documents, vBuckets and what of them is on disk, buckets, scopes, collections.
 */
#ifndef STORE_H
#define STORE_H

#include <event2/event.h>

#include "kv_wire.h"
#include "util.h"

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
	int16_t		nodes[1 + CB_MAX_REPLICAS];	/* active, replicas; node index or CB_NO_NODE */
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

/* ------------------------------------------------------- buckets, scopes, collections (bucket.c, manifest.c) */

struct Collection
{
	Collection *next;
	Scope	   *scope;
	char	   *name;
	uint32_t	id;
	uint32_t	max_ttl;			/* seconds, 0: none */
	size_t		items;				/* live documents in all vBuckets */
	uint32_t   *vb_items;			/* and in each */
};

struct Scope
{
	Scope	   *next;
	Collection *collections;
	char	   *name;
	uint32_t	id;
};

/* What a bucket is on one node. */
typedef enum BucketState
{
	BUCKET_READY,
	BUCKET_EMPTY_MAP,				/* configurations of this node have no vBuckets yet */
	BUCKET_WARMING,					/* everything that needs the data is answered with 86 */
	BUCKET_CONFIG_ONLY				/* and with 0d: the node knows the map and has no data */
} BucketState;

/* A configuration that a node goes on giving; NULL text: none. */
typedef struct FrozenConfig
{
	char	   *text;
	int64_t		epoch;
	int64_t		rev;
} FrozenConfig;

struct Bucket
{
	Bucket	   *next;
	Cluster    *cluster;
	char	   *name;
	char		uuid[33];
	unsigned	num_vbuckets;		/* 64, 128 or 1024 */
	unsigned	num_replicas;
	VBucket    *vb;					/* [num_vbuckets] */
	Scope	   *scopes;				/* in order of creation; _default first */
	uint64_t	manifest_uid;
	uint32_t	next_scope_id;		/* ids start at 8, 0 is the default */
	uint32_t	next_collection_id;
	uint64_t	rev;				/* configuration revision; epoch is the cluster's */
	bool		memcached;			/* of that type: configurations have no vBucket map */
	uint8_t		state[CB_MAX_NODES];	/* BucketState */
	Rebalance  *rebalance;			/* under way, or NULL */
	int16_t		homes[CB_MAX_NODES];	/* nodes over which the first map is spread */
	unsigned	num_homes;
	bool		config_only;		/* made by SET_CLUSTER_CONFIG: no data */
	Collection *last_collection;	/* found last by id */
	char	   *config_cache[CB_MAX_NODES];	/* what config_json() made, per node; NULL: to be made */
	FrozenConfig frozen[CB_MAX_NODES];
	char	   *set_config;			/* body given by SET_CLUSTER_CONFIG, or NULL: then made from the map */
	int64_t		set_epoch;
	int64_t		set_rev;
};

/* Creates a bucket: vBucket v is active on node v * nodes / vBuckets. NULL if the name is taken or bad. */
Bucket	   *bucket_create(Cluster *cl, const char *name, unsigned num_vbuckets, unsigned num_replicas);
Bucket	   *bucket_find(Cluster *cl, const char *name, size_t name_len);
void		bucket_drop(Bucket *b);

/* Sets the active node of a vBucket (replica: 0) or a replica (1..); cluster_config_changed() makes it known. */
void		bucket_set_node(Bucket *b, unsigned vb, unsigned replica, int node);
void		bucket_set_topology(Bucket *b, unsigned vb, Topology t);

Scope	   *scope_find(Bucket *b, const char *name, size_t len);
Collection *collection_find(Scope *s, const char *name, size_t len);
Collection *collection_by_id(Bucket *b, uint32_t cid);

/*
 * 0, KV_EINVAL (bad name), KV_KEY_EEXISTS, KV_UNKNOWN_SCOPE, KV_UNKNOWN_COLLECTION. Each makes a new manifest_uid.
 * Dropping purges the documents.
 */
uint16_t	scope_create(Bucket *b, const char *name, Scope **out);
uint16_t	scope_drop(Bucket *b, const char *name);
uint16_t	collection_create(Bucket *b, const char *scope, const char *name, uint32_t max_ttl, Collection **out);
uint16_t	collection_drop(Bucket *b, const char *scope, const char *name);

/* The manifest as JSON ({"uid":"4","scopes":[...]}, uids hexadecimal as on the wire); malloced. */
char	   *manifest_json(const Bucket *b);

/* Replaces the manifest by JSON of the same form (opcode b9); 0 or a KV status. Collections that vanish are dropped. */
uint16_t	manifest_set(Bucket *b, const char *json, size_t len);

#endif
