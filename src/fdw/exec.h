/*
 * exec.h
 *		The state of a foreign scan, shared by the executor's files.
 */
#ifndef CBCONN_EXEC_H
#define CBCONN_EXEC_H

#include "filter.h"
#include "scan.h"

#include "nodes/execnodes.h"

/* A condition on the key as the plan names it, ready to be evaluated. */
typedef struct ScanTerm
{
	KeyOp		op;
	ExprState  *value;
} ScanTerm;

/* Terms that are ORed. */
typedef struct ScanGroup
{
	int			nterms;
	ScanTerm   *terms;
} ScanGroup;

typedef struct ParallelScan ParallelScan;
typedef struct QueryScan QueryScan; /* exec_query.h */
typedef struct AheadRows AheadRows;

/* ForeignScanState.fdw_state. Everything in it lives as long as the query. */
typedef struct FdwScanState
{
	FdwTable   *table;
	Oid			userid;			/* whose user mapping counts */
	ScanAccess	access;
	int			flags;			/* SCAN_FLAG_ORDERED ... */
	int			limit;			/* documents expected to be taken, or -1 */
	int			ngroups;
	ScanGroup  *groups;			/* ANDed */
	bool		paths;			/* documents come as values of paths */
	RowDecoder *decoder;
	FilterMatch *filter;		/* NULL: all documents are rows, or the service filters */
	MemoryContext cxt;

	ClusterHandle *handle;		/* NULL until the first row is wanted */
	KvCollection *collection;
	KvFetch    *fetch;			/* SCAN_LOOKUP; reused by rescans */
	KvScan	   *scan;			/* SCAN_RANGE; reused by rescans */
	QueryScan  *query;			/* SCAN_QUERY; reused by rescans */
	bool		running;		/* conditions evaluated, operation started unless there is nothing to find */
	bool		at_end;
	bool		read_ahead;		/* the statement writes into this collection: see exec_ahead.c */
	AheadRows  *ahead;			/* rows that were read ahead; NULL: none yet */

	ClusterCounters counters;	/* of this process */
	ClusterCounters workers;	/* of parallel workers that have finished */
	ParallelScan *parallel;		/* in shared memory; NULL: not parallel */
} FdwScanState;

/* ---- exec_keys.c: conditions to keys and bounds; results live in the current memory context ---- */

/* The keys that satisfy all groups, each once; only those a document can have. */
extern int	keys_evaluate(FdwScanState *state, ExprContext *econtext, KvKey **keys);

/* The narrowest bounds that satisfy all groups; false when nothing lies between them. */
extern bool keys_evaluate_bounds(FdwScanState *state, ExprContext *econtext, KvBound *start, KvBound *end);

/* ---- exec_fetch.c, exec_scan.c: the operation of one access path ---- */

extern void fetch_start(FdwScanState *state, ExprContext *econtext);
extern void range_start(FdwScanState *state, ExprContext *econtext);

/* The next row of the cluster, or an empty slot. */
extern TupleTableSlot *scan_iterate(ForeignScanState *node);

/* ---- exec_ahead.c ---- */

/* The next of the rows that were all read before the first was passed on. */
extern TupleTableSlot *ahead_iterate(ForeignScanState *node);
extern void ahead_rescan(ForeignScanState *node);
extern void ahead_end(FdwScanState *state);

/* ---- parallel.c ---- */

/* KvScanSpec.next_vbucket: arg is the FdwScanState. */
extern int	parallel_next_vbucket(void *arg);

/* A worker learns of the leader's writes, so that its scans wait for them. May wait for the connection. */
extern void parallel_take_tokens(FdwScanState *state);

/* A worker leaves its counters in shared memory; the leader collects what is there. */
extern void parallel_publish(FdwScanState *state);
extern void parallel_collect(FdwScanState *state);

#endif							/* CBCONN_EXEC_H */
