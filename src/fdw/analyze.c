/*
 * analyze.c
 *		ANALYZE: a random sample of the documents, by the data service's sampling scan.
 *
 * The connection is that of the table's owner, whoever runs ANALYZE.
 */
#include "filter.h"

#include <math.h>

#include "access/htup_details.h"
#include "commands/vacuum.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "../compat.h"

/* Documents looked at to learn how large they are. */
#define ANALYZE_SIZE_SAMPLE	100

static void
analyze_delay(void)
{
#if PG_VERSION_NUM >= 180000	/* is_analyze */
	vacuum_delay_point(true);
#else
	vacuum_delay_point();
#endif
}

static KvScan *
analyze_start(Relation relation, FdwTable *table, int64 size, double *documents)
{
	KvScanSpec	spec = {.start.unbounded = true, .end.unbounded = true};
	KvCollection *collection;
	ClusterHandle *handle = table_connect(table, relation->rd_rel->relowner, &collection);
	KvScan	   *scan;

	*documents = cluster_item_count(handle, collection);
	if (*documents < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("cannot count the documents of collection %s.%s.%s", table->bucket, table->scope,
						table->collection),
				 errdetail("No node tells their number to the owner of foreign table \"%s\".", table->relname)));
	spec.limit_hint = -1;
	spec.sample_size = size;
	spec.sample_seed = pg_prng_uint32(&pg_global_prng_state);
	scan = kv_scan_create(handle, collection, &spec, CurrentMemoryContext, NULL);
	kv_scan_start(scan, NULL);
	return scan;
}

/*
 * Takes every document while there is room, then each further one with the probability that keeps the sample
 * uniform: the scan returns about as many as were asked for. seen counts all that pass the filter, of which *share
 * tells; returns how many rows there are.
 */
static int
analyze_take(KvScan *scan, RowDecoder *decoder, FilterMatch *filter, TupleDesc tupdesc, HeapTuple *rows, int targrows,
			 double *share)
{
	MemoryContext row_cxt = AllocSetContextCreate(CurrentMemoryContext, "cbconn_fdw sample row",
												  ALLOCSET_DEFAULT_SIZES);
	Datum	   *values = palloc(sizeof(Datum) * Max(tupdesc->natts, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(tupdesc->natts, 1));
	const ClusterDoc *doc;
	uint64		seen = 0;
	uint64		read = 0;
	int			nrows = 0;

	while ((doc = kv_scan_next(scan)) != NULL)
	{
		uint64		place = seen;
		MemoryContext old;

		analyze_delay();
		read++;
		if (filter != NULL && !filter_match(filter, doc))
			continue;
		seen++;
		if (place >= targrows)
			place = pg_prng_uint64_range(&pg_global_prng_state, 0, place);
		if (place >= targrows)
			continue;

		MemoryContextReset(row_cxt);
		old = MemoryContextSwitchTo(row_cxt);
		row_decode(decoder, doc, values, nulls);
		MemoryContextSwitchTo(old);
		if (place < nrows)
			heap_freetuple(rows[place]);
		else
			nrows++;
		rows[place] = heap_form_tuple(tupdesc, values, nulls);
	}
	MemoryContextDelete(row_cxt);
	*share = read > 0 ? (double) seen / read : 1;
	return nrows;
}

static int
analyze_acquire(Relation relation, int elevel, HeapTuple *rows, int targrows, double *totalrows, double *totaldeadrows)
{
	FdwTable   *table = table_load(RelationGetRelid(relation));
	TupleDesc	tupdesc = RelationGetDescr(relation);
	Bitmapset  *all = bms_make_singleton(InvalidAttrNumber);
	RowDecoder *decoder = row_decoder_create(table, tupdesc, all, CurrentMemoryContext);
	KvScan	   *scan = analyze_start(relation, table, targrows, totalrows);
	FilterMatch *filter = filter_match_create(table, CurrentMemoryContext);
	double		share;
	int			nrows = analyze_take(scan, decoder, filter, tupdesc, rows, targrows, &share);

	kv_scan_end(scan);
	*totalrows = Max(*totalrows * share, nrows);
	*totaldeadrows = 0;
	ereport(elevel,
			(errmsg("\"%s\": collection contains %.0f documents; %d rows in sample",
					RelationGetRelationName(relation), *totalrows, nrows)));
	return nrows;
}

/* A foreign table is as large as its documents, a few of which tell how large they are: the planner wants to know. */
bool
cbconnAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *totalpages)
{
	FdwTable   *table = table_load(RelationGetRelid(relation));
	const ClusterDoc *doc;
	double		documents;
	double		bytes = 0;
	int			seen = 0;
	KvScan	   *scan = analyze_start(relation, table, ANALYZE_SIZE_SAMPLE, &documents);

	while (seen < ANALYZE_SIZE_SAMPLE && (doc = kv_scan_next(scan)) != NULL)
	{
		bytes += doc->keylen + doc->len;
		seen++;
	}
	kv_scan_end(scan);

	*func = analyze_acquire;
	*totalpages = seen == 0 ? 0 : (BlockNumber) Min(ceil(documents * (bytes / seen) / BLCKSZ), MaxBlockNumber);
	return true;
}
