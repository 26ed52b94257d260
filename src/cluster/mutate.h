/*
 * mutate.h
 *		The write verbs of the cluster layer: many mutations at a time, each with an outcome of its own, and what a
 *		transaction knows of its writes. To be read after cluster.h, whose rules hold here too.
 */
#ifndef CBCONN_MUTATE_H
#define CBCONN_MUTATE_H

#include "cluster.h"

/* ---- mutations ---- */

typedef enum KvMutationKind
{
	KV_INSERT,					/* the key must not exist (ADD) */
	KV_UPSERT,					/* SET */
	KV_REPLACE,					/* the key must exist */
	KV_DELETE,
	KV_SUBDOC					/* changes of paths; the key must exist; all of them are applied, or none */
} KvMutationKind;

typedef enum KvPathOp
{
	KV_PATH_UPSERT,				/* member of an object: made or replaced */
	KV_PATH_ADD,				/* member of an object: must not exist */
	KV_PATH_REPLACE,			/* any value that exists, array elements too */
	KV_PATH_REMOVE,				/* must exist; no value */
	KV_PATH_PUSH_LAST,			/* onto the array at path; several values may be given, separated by commas */
	KV_PATH_PUSH_FIRST,
	KV_PATH_ARRAY_INSERT,		/* before the element that path ends in */
	KV_PATH_ADD_UNIQUE
} KvPathOp;

typedef struct KvPathChange
{
	KvPathOp	op;
	bool		mkdir_p;		/* makes missing objects on the way; not for REPLACE, REMOVE, ARRAY_INSERT */
	const char *path;			/* in Couchbase's path syntax, not NUL-terminated; at most 1,024 bytes */
	size_t		pathlen;
	const char *value;			/* one JSON value (UTF-8); checked, as the server does not */
	size_t		len;
} KvPathChange;

/*
 * Most paths that one mutation can change. More are refused (kv_mutate_add throws 54000), not split: two requests
 * would not be one change. Who has more replaces the whole document under its CAS; extended attributes stay then, too.
 */
#define KV_MUTATE_MAX_PATHS 16

/* One mutation. Zero is a sensible default for everything but kind, key and value. kv_mutate_add copies all of it. */
typedef struct KvMutation
{
	KvMutationKind kind;
	const char *key;
	size_t		keylen;			/* 1 to kv_key_max bytes: the caller's to check */
	uint64		cas;			/* 0: whatever is there; not for KV_INSERT */
	const char *value;			/* INSERT, UPSERT, REPLACE */
	size_t		len;
	bool		json;			/* value is JSON; else bytes */
	uint32		flags;			/* INSERT, UPSERT, REPLACE: others keep them */
	uint32		expiry;			/* as the server takes it: 0 none, up to 2,592,000: seconds from now, above: since
								 * 1970 */
	bool		preserve_expiry;	/* keeps the document's expiry, where it has one; else, expiry is set. Not for
								 * KV_INSERT, KV_DELETE; without it every write sets or clears the expiry */
	int			npaths;			/* KV_SUBDOC */
	const KvPathChange *paths;
	int64		tag;			/* the caller's, handed back with the result */
} KvMutation;

/* ---- results ---- */

typedef enum KvOutcome
{
	KV_APPLIED,					/* done, durably so if that was asked for */
	KV_EXISTS,					/* not applied: INSERT of a key that exists */
	KV_MISSING,					/* not applied: the key does not exist */
	KV_CHANGED,					/* not applied: the document has another CAS */
	KV_PATH_ERROR,				/* not applied: see path_index, path_status */
	KV_TOO_BIG,					/* not applied: the document would be larger than 20 MiB */
	KV_FAILED,					/* not applied for another reason: see sqlstate and the texts */
	KV_UNKNOWN					/* fate unknown: sent, and the connection broke, no answer came in time, or durability
								 * is ambiguous. Never sent again. sqlstate is 08007 */
} KvOutcome;

/* Pointers stay valid until the next call on the same operation. */
typedef struct KvMutationResult
{
	int64		tag;
	KvOutcome	outcome;
	const char *key;			/* not NUL-terminated */
	size_t		keylen;
	uint64		cas;			/* APPLIED: of the document now; DELETE: of the deletion */
	uint16		vbucket;
	bool		has_token;		/* APPLIED: the node told vbucket_uuid and seqno */
	uint64		vbucket_uuid;
	uint64		seqno;
	int			path_index;		/* PATH_ERROR: in KvMutation.paths; -1: the document as such (too deep, not JSON) */
	uint16		path_status;	/* PATH_ERROR: 00c0 not found, 00c1 mismatch, 00c9 exists ... (CB_STATUS_SUBDOC_...) */
	int			sqlstate;		/* all but APPLIED, from the table of error.c: EXISTS 23505; MISSING, CHANGED 40001;
								 * TOO_BIG 54000; FAILED and PATH_ERROR whatever fits; UNKNOWN 08007 */
	const char *message;		/* all but APPLIED: the cause, lower case, no full stop, in the server's encoding */
	const char *node;			/* all but APPLIED: host:port, or "" when no node was involved */
	const char *step;			/* all but APPLIED: what was being done: "operation", "connect" ... */
} KvMutationResult;

typedef enum KvDurability
{
	KV_DURABILITY_NONE = 0,		/* the numbers of the protocol */
	KV_DURABILITY_MAJORITY = 1,
	KV_DURABILITY_MAJORITY_AND_PERSIST_TO_ACTIVE = 2,
	KV_DURABILITY_PERSIST_TO_MAJORITY = 3
} KvDurability;

typedef struct KvMutateSpec
{
	KvDurability durability;	/* of all mutations of the operation */
	int64		timeout;		/* microseconds for one mutation, retries included; 0: the connection string's
								 * kv_timeout, or kv_durable_timeout with durability */
	bool		hold;			/* nothing is sent, and nothing full, before the first kv_mutate_next */
} KvMutateSpec;

/* ---- the operation (mutate.c) ---- */

typedef struct KvMutate KvMutate;

/*
 * A reusable operation. Mutations that certainly were not applied (not sent, moved vBucket, temporary failure, locked
 * document, durable write in progress) are tried again until the timeout. Several mutations of one key may be under
 * way at once, but are applied in any order: who minds takes the result of one before adding the next.
 */
extern KvMutate *kv_mutate_create(ClusterHandle *handle, KvCollection *collection, const KvMutateSpec *spec,
								  MemoryContext cxt, ClusterCounters *counters);

/* Connects if need be; to be called before the first add of each statement or batch. Results outstanding stay so. */
extern void kv_mutate_start(KvMutate *mutate);

/*
 * Takes a mutation and sends it as soon as windows of requests and bytes allow; never waits. Adding may go on while
 * results are outstanding: who streams takes results whenever kv_mutate_full. Memory is that of what is outstanding.
 */
extern void kv_mutate_add(KvMutate *mutate, const KvMutation *mutation);

/* More is outstanding than can be under way: take results before adding. */
extern bool kv_mutate_full(const KvMutate *mutate);

/* Mutations added whose results were not taken yet. */
extern int64 kv_mutate_outstanding(const KvMutate *mutate);

/*
 * The next result in order of arrival; every mutation added has exactly one. Waits; NULL when nothing is outstanding.
 * Throws only for what concerns all of them: no such collection, cancel, a broken protocol. What was sent then without
 * an answer counts as unknown in cluster_written and the warning at the end of the transaction.
 */
extern const KvMutationResult *kv_mutate_next(KvMutate *mutate);

/* Takes what is outstanding and was not sent back; what was sent without an answer counts as unknown. Never waits. */
extern void kv_mutate_end(KvMutate *mutate);

/* Throws what a result says: of FAILED and UNKNOWN; callers word the other outcomes, knowing table and column. */
extern void kv_mutate_raise(KvMutate *mutate, const KvMutationResult *result) pg_attribute_noreturn();

/* ---- what a transaction knows of its writes (written.c) ---- */

/*
 * The layer keeps count by itself: a transaction or subtransaction that wrote and is rolled back ends with a WARNING
 * that tells how many writes stay applied, and how many have an unknown fate; PREPARE TRANSACTION is refused after a
 * write. Range scans on the same handle see the transaction's own writes: they wait for them to be persisted, no
 * longer than kv_timeout per vBucket and attempt. So do scans of the transactions that follow within a minute, unless
 * the vBucket was failed over since.
 */
typedef struct ClusterWritten
{
	int64		applied;		/* mutations of this transaction known to be applied */
	int64		unknown;		/* whose fate is unknown */
} ClusterWritten;

extern ClusterWritten cluster_written(const ClusterHandle *handle);

/*
 * Newest mutation of this session in a vBucket, of this transaction or of one that ended within the last minute: for
 * at_plus of the query service, and for parallel workers.
 */
typedef struct ClusterToken
{
	uint64		vbucket_uuid;
	uint64		seqno;
	uint16		vbucket;
	bool		earlier;		/* of an earlier transaction: counts only while the vBucket is not failed over */
} ClusterToken;

/* How many vBuckets have one; fills tokens (may be NULL) up to max. In ascending order of vBuckets. */
extern int	cluster_tokens(const ClusterHandle *handle, ClusterToken *tokens, int max);

/* Makes the handle know of writes made elsewhere: by the leader of a parallel worker. Until the transaction ends. */
extern void cluster_add_tokens(ClusterHandle *handle, const ClusterToken *tokens, int ntokens);

#endif							/* CBCONN_MUTATE_H */
