/*
 * index.c: indexes as entries of a catalog: scans do not use them, but with one on a keyspace everybody may scan it.
 */
#include <stdlib.h>
#include <string.h>

#include "run.h"

Catalog *
catalog_of(Cluster *cl)
{
	if (cl->query == NULL)
		cl->query = xcalloc(1, sizeof(Catalog));
	return cl->query;
}

static bool
is_on(const IndexEntry *e, const Keyspace *k)
{
	return strcmp(e->bucket, k->bucket) == 0 && strcmp(e->uuid, k->uuid) == 0 && e->cid == k->cid;
}

const IndexEntry *
index_on(Exec *x, const Keyspace *k)
{
	for (const IndexEntry *e = catalog_of(x->cluster)->indexes; e != NULL; e = e->next)
		if (e->online && is_on(e, k))
			return e;
	return NULL;
}

static IndexEntry **
index_find(Exec *x, const Keyspace *k, const char *name)
{
	IndexEntry **at = &catalog_of(x->cluster)->indexes;

	while (*at != NULL && !(is_on(*at, k) && strcmp((*at)->name, name) == 0))
		at = &(*at)->next;
	return at;
}

static void
index_free(IndexEntry *e)
{
	free(e->name);
	free(e->bucket);
	free(e->keys);
	free(e);
}

static bool
create_index(Exec *x, const Keyspace *k, const N1Stmt *st)
{
	const char *name = st->name != NULL ? st->name : "#primary";
	IndexEntry **at = index_find(x, k, name);
	IndexEntry *e;

	if (*at != NULL)
		return st->if_not_exists || exec_fail(x, 4300, 409, "The index %s already exists.", name);
	e = xcalloc(1, sizeof(*e));
	random_hex(e->id, 16);
	e->name = xstrdup(name);
	e->bucket = xstrdup(k->bucket);
	memcpy(e->uuid, k->uuid, sizeof(e->uuid));
	e->cid = k->cid;
	e->keys = st->kind == N1ST_CREATE_PRIMARY ? NULL : xstrdup("");
	e->online = true;
	*at = e;
	return true;
}

static bool
drop_index(Exec *x, const Keyspace *k, const N1Stmt *st)
{
	const char *name = st->name != NULL ? st->name : "#primary";
	IndexEntry **at = index_find(x, k, name);
	IndexEntry *e = *at;

	if (e == NULL)
		return st->if_exists || exec_fail(x, 12016, 500, "Index Not Found - cause: GSI index %s not found.", name);
	*at = e->next;
	index_free(e);
	return true;
}

bool
index_statement(Exec *x, const N1Stmt *st)
{
	Keyspace   *k = keyspace_open(x, st->target);

	if (k == NULL)
		return false;
	if (k->system != NULL)
		return exec_fail(x, 11003, 500, "Not supported for a system keyspace.");
	if (!check_right(x, k, PRIV_QUERY_MANAGE_INDEX))
		return false;
	switch (st->kind)
	{
		case N1ST_CREATE_INDEX:
		case N1ST_CREATE_PRIMARY:
			return create_index(x, k, st);
		case N1ST_DROP_INDEX:
			return drop_index(x, k, st);
		default:
			/* Nothing is ever left to be built. */
			return true;
	}
}

void
query_catalog_free(Cluster *cl)
{
	Catalog    *c = cl->query;

	if (c == NULL)
		return;
	while (c->indexes != NULL)
	{
		IndexEntry *next = c->indexes->next;

		index_free(c->indexes);
		c->indexes = next;
	}
	prepareds_free(c);
	free(c);
	cl->query = NULL;
}
