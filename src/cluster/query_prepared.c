/*
 * query_prepared.c
 *		Names under which the query service keeps plans of statements: known to the handle, found by a statement's
 *		text.
 */
#include "postgres.h"

#include "query_internal.h"
#include "utils/memutils.h"

/* More are forgotten in turn. */
#define MAX_PREPARED	64

struct QueryPrepared
{
	char	   *statement;
	char	   *query_context;	/* "" for none */
	char	   *name;
};

static struct QueryPrepared *
find(const RemoteQuery *query)
{
	const ClusterHandle *handle = query->handle;
	const char *context = query->query_context ? query->query_context : "";

	for (int i = 0; i < handle->nprepared; i++)
	{
		struct QueryPrepared *prepared = &handle->prepared[i];

		if (strcmp(prepared->statement, query->statement) == 0 && strcmp(prepared->query_context, context) == 0)
			return prepared;
	}
	return NULL;
}

const char *
query_prepared_find(const RemoteQuery *query)
{
	const struct QueryPrepared *prepared = find(query);

	return prepared ? prepared->name : NULL;
}

static void
drop(ClusterHandle *handle, struct QueryPrepared *prepared)
{
	pfree(prepared->statement);
	pfree(prepared->query_context);
	pfree(prepared->name);
	*prepared = handle->prepared[--handle->nprepared];
}

void
query_prepared_keep(RemoteQuery *query, const char *name)
{
	ClusterHandle *handle = query->handle;
	struct QueryPrepared prepared;

	if (find(query) != NULL)
		query_prepared_forget(query);
	if (handle->prepared == NULL)
		handle->prepared = MemoryContextAlloc(handle->cxt, sizeof(struct QueryPrepared) * MAX_PREPARED);
	if (handle->nprepared == MAX_PREPARED)
		drop(handle, &handle->prepared[0]);
	prepared.statement = MemoryContextStrdup(handle->cxt, query->statement);
	prepared.query_context = MemoryContextStrdup(handle->cxt, query->query_context ? query->query_context : "");
	prepared.name = MemoryContextStrdup(handle->cxt, name);
	handle->prepared[handle->nprepared++] = prepared;
}

void
query_prepared_forget(RemoteQuery *query)
{
	struct QueryPrepared *prepared = find(query);

	if (prepared != NULL)
		drop(query->handle, prepared);
}
