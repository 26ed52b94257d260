/*
 * cluster.h
 *		The verbs of the cluster layer: open a handle, get many documents, scan a collection.
 *
 * Every function here may wait (W1) and may throw, unless it says otherwise. What is allocated for a caller
 * lives in the memory context the caller names and gives back its network resources when that context is
 * reset (W3), so that callers need no PG_TRY.
 */
#ifndef CBCONN_CLUSTER_H
#define CBCONN_CLUSTER_H

#include "../compat.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "utils/palloc.h"

/* One per backend, user mapping and bucket (P2). Stays valid until the end of the transaction that opened it. */
typedef struct ClusterHandle ClusterHandle;

/* A collection of an open bucket: names now, the id when it is first needed. Lives as long as its handle. */
typedef struct KvCollection KvCollection;

/* What to connect to. cluster_open copies what it keeps. */
typedef struct ClusterTarget
{
	Oid			umid;			/* user mapping: the cache key, with bucket */
	Oid			serverid;
	Oid			userid;			/* whose mapping it is (checkAsUser) */
	const char *servername;		/* for messages */
	const char *connection_string;
	const char *bucket;			/* never NULL: resolved from table option or connection string */
	const char *username;		/* NULL: none */
	const char *password;		/* NULL: none; never shown (E1) */
	const char *cert_file;		/* client certificate of the mapping and its key; NULL: none */
	const char *key_file;
	bool		keep_connections;	/* false: closed at the end of the transaction */
	int64		idle_timeout;	/* microseconds after which connections that are not used are closed, 0: never */
	int64		slow_kv;		/* microseconds from which an operation is logged, 0: never, -1: as the string says */
} ClusterTarget;

/* What an operation cost, for EXPLAIN ANALYZE. Plain sums, never reset by the cluster layer. */
typedef struct ClusterCounters
{
	int64		requests;		/* request packets sent */
	int64		round_trips;	/* times the backend had to wait for an answer */
	int64		documents;		/* documents (or keys) received */
	int64		bytes_received;
	int64		retries;		/* requests sent again: temporary failure, moved vBucket, unknown collection */
	int64		connects;		/* connections opened */
	int64		server_us;		/* server time as reported in the framing extras, microseconds */
} ClusterCounters;

/* Result of one path of a subdocument look-up. */
typedef struct ClusterValue
{
	const char *data;			/* raw JSON text, not NUL-terminated; NULL when missing */
	size_t		len;
	uint16		status;			/* KV status: 0, or 00c0 path not found, 00c1 path mismatch ... */
} ClusterValue;

/*
 * A document as an operation returned it. All pointers stay valid until the next call on the same operation.
 * Text is as received: encoding and JSON syntax are not checked here.
 */
typedef struct ClusterDoc
{
	const char *key;			/* without collection prefix, not NUL-terminated */
	size_t		keylen;
	int			number;			/* look-ups: of the key, in the order given to kv_fetch_start */
	const char *value;			/* whole body, inflated; NULL for keys-only scans and look-ups without body */
	size_t		len;
	uint8		datatype;		/* of the body after inflation: bit 0x01 is JSON */
	uint32		flags;
	uint64		cas;
	uint16		vbucket;
	bool		has_meta;		/* expiry and seqno below are known */
	uint32		expiry;			/* absolute, seconds since 1970; 0 is none */
	uint64		seqno;
	int			nvalues;		/* look-up: as many as paths were asked for, or 0: value has the whole document, as
								 * the paths of a locked or deeply nested one cannot be looked up */
	const ClusterValue *values; /* NULL without */
} ClusterDoc;

/* ---- connection strings (settings.c) ---- */

/* Throws if the string asks for what is understood but not done. Says nothing of strings that cannot be understood. */
extern void cluster_check_connection_string(const char *text);

/* Its text with control characters, and bytes that are no text, as \xNN: for messages. palloc'd. */
extern char *cluster_printable_cstr(const char *text);

/* Why an option (a CbSettingId) has no effect, or NULL when it has. */
extern const char *cluster_refused_setting(int id);

/* ---- handles (manager.c) ---- */

/*
 * The handle for this mapping and bucket, connected on first use by one of the verbs below. A handle whose
 * server or mapping was altered is replaced as soon as no open operation of this transaction uses it.
 */
extern ClusterHandle *cluster_open(const ClusterTarget *target);

/* Never waits, never throws for unknown names: those are found out by the first operation. NULL means _default. */
extern KvCollection *cluster_collection(ClusterHandle *handle, const char *scope, const char *collection);

/*
 * Number of documents of the collection as the nodes count them; asks all data nodes once. Nodes that do not answer
 * are taken for average; -1 when none does or may.
 */
extern int64 cluster_item_count(ClusterHandle *handle, KvCollection *collection);

/* Closes handles not used in this transaction: of one server, or all (InvalidOid). Returns how many; never waits. */
extern int	cluster_disconnect(Oid serverid, bool *in_use);

/* One entry per node of each handle (one without a node where none is known) for cbconn_get_connections(). */
typedef struct ClusterInfo
{
	Oid			umid;
	Oid			serverid;
	Oid			userid;
	const char *bucket;
	bool		valid;			/* false: altered or dropped since, closed at the end of the transaction */
	bool		used_in_xact;
	int64		config_epoch;
	int64		config_rev;

	const char *node;			/* host:port; NULL: no node is known yet */
	const char *state;			/* static */
	TimestampTz connected_at;	/* of the last connection; 0: there was none */
	TimestampTz last_used_at;	/* bytes passed; 0: never */
	int64		connects;		/* these and the following: of this session, since the handle was made */
	int64		requests;
	int64		retries;
	int64		bytes_sent;
	int64		bytes_received;
	const char *error;			/* why the last attempt to connect failed; NULL: it did not */
} ClusterInfo;

/* List of palloc'd ClusterInfo in the current memory context. */
extern List *cluster_list(void);

/*
 * Calls work(arg) in a subtransaction. Why it failed, if the error is about the cluster or how to reach it; NULL: it
 * did not. Other errors, such as cancels, are thrown again.
 */
extern char *cluster_try(void (*work) (void *), void *arg);

/* ---- many documents by key (fetch.c) ---- */

typedef struct KvFetch KvFetch;

typedef struct KvKey
{
	const char *data;
	size_t		len;
} KvKey;

/* Most paths one look-up can carry (the server takes 16; metadata and body need some of them). */
#define KV_FETCH_MAX_PATHS 12

typedef struct KvFetchSpec
{
	int			npaths;			/* 0: whole documents by GET; else a subdocument look-up of these paths */
	const char *const *paths;	/* in Couchbase's path syntax; copied */
	bool		want_body;		/* with npaths > 0 or want_meta: the whole body too */
	bool		want_meta;		/* expiry, seqno, flags ($document), which makes every request a look-up */
} KvFetchSpec;

/* A reusable operation: start it again and again with other keys (rescans, parameterised joins). */
extern KvFetch *kv_fetch_create(ClusterHandle *handle, KvCollection *collection, const KvFetchSpec *spec,
								MemoryContext cxt, ClusterCounters *counters);

/*
 * Sends requests for these keys to all nodes concerned, pipelined under a byte and request window. Keys are
 * copied. Duplicates and keys longer than the server takes must have been removed by the caller
 * (246 bytes in named collections, 250 in the default collection: see kv_key_max). Abandons what was under way.
 */
extern void kv_fetch_start(KvFetch *fetch, int nkeys, const KvKey *keys);

/* The next document in order of arrival; missing ones are left out; NULL at the end. */
extern const ClusterDoc *kv_fetch_next(KvFetch *fetch);

extern void kv_fetch_end(KvFetch *fetch);

extern size_t kv_key_max(const KvCollection *collection);

/* ---- scans (scan.c) ---- */

typedef struct KvScan KvScan;

typedef struct KvBound
{
	bool		unbounded;
	bool		inclusive;
	const char *data;			/* key bytes, at most 250 */
	size_t		len;
} KvBound;

typedef struct KvScanSpec
{
	KvBound		start;
	KvBound		end;
	bool		keys_only;
	bool		ordered;		/* merge vBuckets into one ascending byte order of keys */
	int64		limit_hint;		/* documents the caller expects to take; -1 unknown: keeps LIMIT 10 from reading all */
	int64		sample_size;	/* > 0: sampling scan of about this many documents; bounds and ordered unused */
	uint32		sample_seed;
	int			(*next_vbucket) (void *arg);	/* parallel scans: hands out the vBuckets, -1 at the end; NULL: all */
	void	   *next_vbucket_arg;
} KvScanSpec;

/* Copies the spec, bounds included. */
extern KvScan *kv_scan_create(ClusterHandle *handle, KvCollection *collection, const KvScanSpec *spec,
							  MemoryContext cxt, ClusterCounters *counters);

/* Opens the scan, or opens it anew (rescan) with other bounds when spec is not NULL. */
extern void kv_scan_start(KvScan *scan, const KvScanSpec *spec);

extern const ClusterDoc *kv_scan_next(KvScan *scan);

/* Cancels what is still open on the nodes without waiting for the answers. */
extern void kv_scan_end(KvScan *scan);

/* Number of vBuckets of the bucket (connects when there is no config yet). */
extern int	cluster_vbucket_count(ClusterHandle *handle);

#endif							/* CBCONN_CLUSTER_H */
