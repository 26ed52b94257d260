/*
 * catalog.h: what the service knows of keyspaces besides their documents: indexes, prepared statements, the keyspaces of
 * the system.
 */
#ifndef QUERY_CATALOG_H
#define QUERY_CATALOG_H

#include "exec.h"

/* ---------------------------------------------------------------- system keyspaces (system.c) */

typedef struct SystemKeyspace
{
	const char *name;
	bool		open;				/* anybody may read it */
	void		(*rows) (Exec *x, ValueList *out, N1Arena *a);	/* objects */
} SystemKeyspace;

const SystemKeyspace *system_find(const char *name, size_t len);

/* ---------------------------------------------------------------- indexes (index.c) */

typedef struct IndexEntry
{
	struct IndexEntry *next;
	char		id[17];
	char	   *name;
	char	   *bucket;
	char		uuid[33];
	uint32_t	cid;
	char	   *keys;				/* text between the parentheses; NULL: primary */
	bool		online;				/* built */
} IndexEntry;

typedef struct Prepared
{
	struct Prepared *next;
	char	   *name;
	char	   *text;				/* the statement */
	size_t		len;
	char	   *context;			/* query_context, or NULL */
	uint64_t	uses;
} Prepared;

/* Of the cluster; made when first asked for. */
typedef struct Catalog
{
	IndexEntry *indexes;
	Prepared   *prepareds;
} Catalog;

Catalog    *catalog_of(Cluster *cl);

/* An online index on the keyspace, or NULL. */
const IndexEntry *index_on(Exec *x, const Keyspace *k);

/* CREATE, DROP and BUILD INDEX; false: error. */
bool		index_statement(Exec *x, const N1Stmt *st);

/* ---------------------------------------------------------------- prepared statements (prepared.c) */

Prepared   *prepared_find(Cluster *cl, const char *name, const char *context);
Prepared   *prepared_put(Cluster *cl, const char *name, const char *text, size_t len, const char *context);
bool		prepared_drop(Cluster *cl, const char *name);
void		prepareds_free(Catalog *c);

#endif
