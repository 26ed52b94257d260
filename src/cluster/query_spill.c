/*
 * query_spill.c
 *		Rows that are fetched before they are wanted, in a temporary file: the query service gives up readers that let
 *		it wait, and what it holds meanwhile is not free.
 */
#include "postgres.h"

#include "query_internal.h"
#include "storage/buffile.h"
#include "utils/resowner.h"

static void
start_spill(RemoteQuery *query)
{
	MemoryContext old = MemoryContextSwitchTo(query->cxt);

	query->spill_owner = CurrentResourceOwner;
	query->spill = BufFileCreateTemp(false);
	query->spilled_rows = 0;
	MemoryContextSwitchTo(old);
}

static void
write_row(RemoteQuery *query, CbSpan row)
{
	ResourceOwner owner = CurrentResourceOwner;
	uint32		len = (uint32) row.len;

	CurrentResourceOwner = query->spill_owner;
	BufFileWrite(query->spill, &len, sizeof(len));
	BufFileWrite(query->spill, (void *) row.data, row.len);
	CurrentResourceOwner = owner;
	query->spilled_rows++;
	query->metrics->spilled += row.len;
}

static void
read_bytes(RemoteQuery *query, void *to, size_t len)
{
	if (len > 0 && BufFileRead(query->spill, to, len) != len)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read a temporary file of a remote query")));
}

bool
query_spilled_row(RemoteQuery *query, CbSpan *row)
{
	uint32		len;

	if (query->spilled_rows == 0)
		return false;
	query->spilled_rows--;
	read_bytes(query, &len, sizeof(len));
	if (len > query->spill_row_size)
	{
		if (query->spill_row != NULL)
			pfree(query->spill_row);
		query->spill_row = NULL;
		query->spill_row_size = 0;
		query->spill_row = MemoryContextAllocHuge(query->cxt, Max(len, 8192));
		query->spill_row_size = Max(len, 8192);
	}
	read_bytes(query, query->spill_row, len);
	*row = cb_span(query->spill_row, len);
	return true;
}

void
query_drain(RemoteQuery *query)
{
	start_spill(query);
	while (query->state == QUERY_SENT)
	{
		CbSpan		row;

		if (query_step(query, &row))
			write_row(query, row);
	}
	if (BufFileSeek(query->spill, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind a temporary file of a remote query")));
}

void
query_end_spill(RemoteQuery *query)
{
	if (query->spill != NULL)
	{
		BufFile    *file = query->spill;

		query->spill = NULL;
		BufFileClose(file);
	}
	query->spilled_rows = 0;
}
