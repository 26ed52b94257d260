/*
 * scan.h
 *		What scan.c and scan_merge.c share: one stream of documents for every vBucket that is being read.
 */
#ifndef CBCONN_SCAN_H
#define CBCONN_SCAN_H

#include "op.h"

#include "lib/binaryheap.h"

typedef enum ScanPhase
{
	SCAN_CREATE,				/* to be created on its node, or about to be */
	SCAN_CONTINUE,				/* asked for more, or about to be */
	SCAN_IDLE,					/* there is more to ask for (merge only) */
	SCAN_DONE
} ScanPhase;

/* A received piece that waits for its turn in a merge. */
typedef struct ScanPiece
{
	struct ScanPiece *next;
	KvBlock    *block;
	CbScanIter	iter;			/* before its first item */
} ScanPiece;

/* One vBucket. */
typedef struct ScanStream
{
	KvItem		head;			/* first: the engine's */
	uint16		vbucket;
	ScanPhase	phase;
	bool		open;			/* the node has a scan by this id */
	uint8		id[CB_SCAN_ID_SIZE];
	bool		has_last;		/* of the keys received: where to go on after a restart */
	uint16		last_len;
	uint32		limit;			/* items to ask for next */
	uint8		last[CB_KV_MAX_KEY];

	/* merge only */
	ScanPiece  *pieces;
	ScanPiece  *last_piece;
	CbScanIter	iter;			/* inside the first piece */
	CbScanItem	item;			/* the one in the heap */
} ScanStream;

struct KvScan
{
	KvOp		op;				/* first: callbacks get it */
	KvScanSpec	spec;
	uint8		start[CB_KV_MAX_KEY];
	uint8		end[CB_KV_MAX_KEY];
	uint16	   *vbuckets;		/* still to be read, in the order of reading */
	int			nvbuckets;
	int			next;
	uint32		map_size;		/* vBuckets of the bucket when the scan started */
	uint64		bucket_changes;	/* of the handle when the scan began */
	bool		delivered;		/* a document was handed out since */
	int			nnodes;			/* that have some */

	int			nstreams;
	int			streams_capacity;
	int		   *free_streams;
	int			nfree;
	int			active;			/* streams in use */
	int			max_active;
	uint32		ramp;			/* most items asked for at a time so far */
	double		average;		/* bytes of an item */
	int64		now;			/* by this machine's clock, seconds since 1970, when the last piece came */

	/* unordered: the piece that is handed out */
	ScanStream *current;
	CbScanIter	iter;
	CbSpan		handed;			/* key handed out last from it */

	/* merge */
	bool		merge;
	binaryheap *heap;
	bool		heap_built;
	ScanStream *top;			/* whose item was handed out last */
	int			missing;		/* streams that must have an item before the next can be handed out */
	int			open;			/* scans on the nodes */
	int			max_open;
	KvList		unopened;		/* streams that wait for their turn to be created */
	ScanPiece  *free_pieces;
	int64		returned;

	CbBuf		inflated;
	ClusterDoc	doc;
};

static inline ScanStream *
scan_stream(KvScan *scan, int index)
{
	return (ScanStream *) kv_op_item(&scan->op, index);
}

static inline int
scan_index(const KvScan *scan, const ScanStream *stream)
{
	return (int) (stream - (const ScanStream *) scan->op.items);
}

/* scan.c */
extern void scan_anew(KvScan *scan);
extern void scan_created(KvScan *scan, ScanStream *stream, const KvAnswer *answer);
extern bool scan_failed_over(KvScan *scan, const ScanStream *stream, const KvAnswer *answer);
extern void scan_gone(KvScan *scan, ScanStream *stream);
extern void scan_init_iter(KvScan *scan, const KvAnswer *answer, CbScanIter *iter);
extern bool scan_next_item(KvScan *scan, CbScanIter *iter, CbScanItem *item);
extern void scan_keep_last(ScanStream *stream, CbSpan key);
extern const ClusterDoc *scan_document(KvScan *scan, const ScanStream *stream, const CbScanItem *item);
extern uint32 scan_items(const KvScan *scan, int bytes);

/* scan_merge.c */
extern void merge_start(KvScan *scan);
extern const ClusterDoc *merge_next(KvScan *scan);
extern void merge_drop(KvScan *scan);
extern void merge_before_restart(KvScan *scan, ScanStream *stream);

#endif							/* CBCONN_SCAN_H */
