/*
 * rangescan.h: range and sampling scans (kv_engine docs/range_scans/). A scan is a sorted snapshot
 * of what a vBucket has on disk and a place in it; it belongs to the vBucket, not to the connection
 * that made it.
 */
#ifndef RANGESCAN_H
#define RANGESCAN_H

#include "subdoc.h"

/* ---------------------------------------------------------------- mt19937.c */

typedef struct Mt19937
{
	uint32_t	state[624];
	unsigned	at;
} Mt19937;

void		mt19937_seed(Mt19937 *g, uint32_t seed);
uint32_t	mt19937_next(Mt19937 *g);

/*
 * One Bernoulli draw: true with probability p. Takes two numbers of the generator, as C++'s
 * std::bernoulli_distribution does.
 */
bool		mt19937_bernoulli(Mt19937 *g, double p);

/* ---------------------------------------------------------------- json_complain.c */

/* Is it JSON? If not, *why says so the way the data service's parser does. */
bool		json_complain(const char *s, size_t len, Text *why);

/* ---------------------------------------------------------------- rangescan.c */

typedef struct Scan Scan;

/* What a create asks for. */
typedef struct ScanSpec
{
	uint32_t	cid;
	Text		start;
	Text		end;
	bool		excl_start;
	bool		excl_end;
	bool		to_end;				/* no end: the rest of the collection */
	bool		key_only;
	bool		sampling;
	uint64_t	samples;
	uint32_t	seed;
	bool		has_snapshot;
	uint64_t	vb_uuid;
	uint64_t	seqno;
	bool		seqno_exists;
	uint32_t	timeout_ms;
} ScanSpec;

/*
 * Opens a scan on documents at..end-1 of a view (reference taken over); NULL if too many are open.
 */
Scan	   *scan_open(VBucket *vb, const ScanSpec *spec, DiskView *view, size_t at, size_t end);
const uint8_t *scan_uuid(const Scan *s);	/* 16 bytes */

/*
 * May the user of the request scan this collection? Answers if not, or if there is no such
 * collection.
 */
bool		scan_allowed(Req *r, uint32_t cid);

#endif
