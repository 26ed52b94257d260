/*
 * kv_scan.h
 *		Range scans and sampling scans of one vBucket
 *		(kv_engine docs/range_scans/).
 *
 * Create, continue until the answer's status is not 0 (RANGE_SCAN_MORE:
 * continue again; RANGE_SCAN_COMPLETE: done), cancel otherwise.
 */
#ifndef CB_KV_SCAN_H
#define CB_KV_SCAN_H

#include "kv_ops.h"

#define CB_SCAN_ID_SIZE	16

/* Builders return CB_OK, CB_INVALID or CB_NOMEM as those of kv_ops.h. */
typedef struct CbScanCreate
{
	uint32_t	opaque;
	uint16_t	vbucket;
	uint32_t	collection_id;
	bool		key_only;
	/* range (when samples is 0); keys of at most 250 bytes, any bytes */
	CbSpan		start;			/* empty: from the first key */
	bool		start_exclusive;
	CbSpan		end;			/* empty and not end_given: to the last key */
	bool		end_given;
	bool		end_exclusive;
	/* sample */
	uint64_t	samples;		/* 0: no sampling */
	uint32_t	seed;
	/* snapshot requirements */
	bool		has_snapshot;
	CbMutationToken snapshot;	/* must be persisted before the scan starts */
	bool		seqno_exists;	/* the very mutation must still be there */
	uint32_t	snapshot_timeout_ms;	/* 0: do not wait */
} CbScanCreate;

extern CbResult cb_kv_scan_create(CbBuf *buf, const CbScanCreate *create);

/* Scan id from the value of a successful create. */
extern CbResult cb_kv_scan_create_result(CbSpan value, uint8_t id[CB_SCAN_ID_SIZE]);

/*
 * item_limit 0: none; time_limit_ms 0: none. There is no byte limit because
 * the server mistakes it (7.6).
 */
extern CbResult cb_kv_scan_continue(CbBuf *buf, uint32_t opaque, uint16_t vbucket,
									const uint8_t id[CB_SCAN_ID_SIZE],
									uint32_t item_limit, uint32_t time_limit_ms);
extern CbResult cb_kv_scan_cancel(CbBuf *buf, uint32_t opaque, uint16_t vbucket,
								  const uint8_t id[CB_SCAN_ID_SIZE]);

/* One document or key of a continue answer; spans into the answer. */
typedef struct CbScanItem
{
	CbSpan		key;			/* without collection prefix */
	/* zero for key-only scans */
	uint32_t	flags;
	uint32_t	expiry;			/* absolute seconds, 0: none */
	uint64_t	seqno;
	uint64_t	cas;
	uint8_t		datatype;
	CbSpan		value;
} CbScanItem;

/* Steps through the value of one continue answer (items never straddle two). */
typedef struct CbScanIter
{
	CbSpan		rest;
	bool		key_only;
} CbScanIter;

/* extras and value of an answer with status 0, MORE or COMPLETE; an empty value has no items. */
extern CbResult cb_kv_scan_iter_init(CbScanIter *iter, CbSpan extras, CbSpan value);

/* CB_OK, CB_END, CB_MALFORMED. */
extern CbResult cb_kv_scan_iter_next(CbScanIter *iter, CbScanItem *item);

/*
 * Smallest key above every key that begins with prefix, for an exclusive end
 * bound. false: there is none (prefix is empty or all 0xff): scan to the last key.
 * out holds at least prefix.len bytes.
 */
extern bool cb_key_prefix_end(CbSpan prefix, uint8_t *out, size_t *out_len);

#endif
