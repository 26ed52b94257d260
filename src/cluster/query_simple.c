/*
 * query_simple.c
 *		Small questions: all rows of a query at once; how old the service is.
 */
#include "postgres.h"

#include "diag.h"
#include "query_internal.h"
#include "utils/memutils.h"

List *
query_fetch_all(ClusterHandle *handle, const QueryRequest *request, QueryMetrics *metrics)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "cbconn_fdw query", ALLOCSET_SMALL_SIZES);
	RemoteQuery *query = query_open(handle, request, cxt, metrics);
	List	   *rows = NIL;
	const char *row;
	size_t		len;

	while (query_next(query, &row, &len))
		rows = lappend(rows, pnstrdup(row, len));
	query_close(query);
	MemoryContextDelete(cxt);
	return rows;
}

/* 70608 of "7.6.8-1234"; 0: it does not begin like a version. */
static int
version_number(const char *text)
{
	unsigned long number = 0;

	for (int i = 0; i < 3; i++)
	{
		char	   *end;
		unsigned long part = isdigit((unsigned char) *text) ? strtoul(text, &end, 10) : 100;

		if (part >= 100)
			return 0;
		number = number * 100 + part;
		text = end + (*end == '.');
	}
	return (int) number;
}

int
query_service_version(ClusterHandle *handle)
{
	int			lowest = 0;

	if (handle->query_version != 0)
		return handle->query_version;
	cluster_bootstrap(handle, NULL);
	(void) ping_nodes(handle, CB_OP_VERSION);
	for (int i = 0; i < handle->nconns; i++)
	{
		int			version = version_number(handle->conns[i]->version);

		if (version != 0 && (lowest == 0 || version < lowest))
			lowest = version;
	}
	handle->query_version = lowest;
	return lowest;
}
