/*
 * keyspace.c: from the path of a keyspace to its collection, with the errors of the server.
 */
#include <stdlib.h>
#include <string.h>

#include "catalog.h"

/* ---------------------------------------------------------------- query_context */

/* The next name of a context, without back-quotes, in the arena; NULL at the end. */
static char *
context_part(N1Arena *a, const char **p)
{
	const char *start;
	char	   *name;

	while (**p == '.' || **p == ' ')
		(*p)++;
	if (**p == '\0')
		return NULL;
	if (**p == '`')
	{
		start = ++*p;
		*p += strcspn(*p, "`");
		name = n1_dup(a, start, (size_t) (*p - start));
		*p += **p == '`';
		return name;
	}
	start = *p;
	*p += strcspn(*p, ".");
	return n1_dup(a, start, (size_t) (*p - start));
}

/* Bucket and scope of "default:bucket.scope"; both NULL if there are none. */
static void
context_parts(Exec *x, char **bucket, char **scope)
{
	const char *p = x->r->params.query_context;

	*bucket = *scope = NULL;
	if (p == NULL)
		return;
	if (strncmp(p, "default:", 8) == 0)
		p += 8;
	*bucket = context_part(x->keep, &p);
	if (*bucket != NULL)
		*scope = context_part(x->keep, &p);
}

/* ---------------------------------------------------------------- paths */

static char *
part(Exec *x, const N1Name *n)
{
	return n1_dup(x->keep, n->s, n->n);
}

/* Sets bucket, scope and collection of a keyspace from the names of a statement. */
static void
resolve_path(Exec *x, Keyspace *k, const N1From *f)
{
	char	   *bucket;
	char	   *scope;

	k->scope = k->collection = "_default";
	switch (f->n_path)
	{
		case 1:
			context_parts(x, &bucket, &scope);
			if (bucket == NULL || scope == NULL)
			{
				k->bucket = part(x, &f->path[0]);
				return;
			}
			k->bucket = bucket;
			k->scope = scope;
			k->collection = part(x, &f->path[0]);
			return;
		case 2:
			k->bucket = part(x, &f->path[1]);
			return;
		default:
			k->bucket = part(x, &f->path[f->n_path - 3]);
			k->scope = part(x, &f->path[f->n_path - 2]);
			k->collection = part(x, &f->path[f->n_path - 1]);
	}
}

static void
name_keyspace(Exec *x, Keyspace *k, bool whole_bucket)
{
	N1Buf		b;

	n1_buf_init(&b, x->keep);
	if (whole_bucket)
		n1_buf_printf(&b, "default:%s", k->bucket);
	else
		n1_buf_printf(&b, "default:%s.%s.%s", k->bucket, k->scope, k->collection);
	k->path = b.s;
}

/* True once its collection is there. */
static bool
find_collection(Exec *x, Keyspace *k)
{
	Bucket	   *b = bucket_find(x->cluster, k->bucket, strlen(k->bucket));
	Scope	   *s;
	Collection *c;

	if (b == NULL || b->config_only || b->memcached)
		return exec_fail(x, 12003, 424, "Keyspace not found in CB datastore: %s - cause: No bucket named %s", k->path, k->bucket);
	s = scope_find(b, k->scope, strlen(k->scope));
	if (s == NULL)
		return exec_fail(x, 12021, 500, "Scope not found in CB datastore default:%s.%s", k->bucket, k->scope);
	c = collection_find(s, k->collection, strlen(k->collection));
	if (c == NULL)
		return exec_fail(x, 12003, 424, "Keyspace not found in CB datastore: %s", k->path);
	k->cid = c->id;
	memcpy(k->uuid, b->uuid, sizeof(k->uuid));
	return true;
}

Keyspace *
keyspace_open(Exec *x, const N1From *from)
{
	Keyspace   *k = n1_alloc(x->keep, sizeof(*k));

	k->from = from;
	if (from->n_path == 2 && from->path[0].s[0] == '#')
	{
		k->system = system_find(from->path[1].s, from->path[1].n);
		if (k->system == NULL)
		{
			exec_fail(x, 12003, 424, "Keyspace not found in CB datastore: system:%.*s", (int) from->path[1].n, from->path[1].s);
			return NULL;
		}
		k->path = n1_dup(x->keep, from->path[1].s, from->path[1].n);
	}
	else
	{
		resolve_path(x, k, from);
		name_keyspace(x, k, from->n_path <= 2 && strcmp(k->collection, "_default") == 0);
		if (!find_collection(x, k))
			return NULL;
		name_keyspace(x, k, false);
	}
	k->next = x->keyspaces;
	x->keyspaces = k;
	return k;
}

Keyspace *
keyspace_of(const Exec *x, const N1From *from)
{
	Keyspace   *k = x->keyspaces;

	while (k->from != from)
		k = k->next;
	return k;
}

Bucket *
keyspace_bucket(const Exec *x, const Keyspace *k, Collection **c)
{
	Bucket	   *b = bucket_find(x->cluster, k->bucket, strlen(k->bucket));

	if (b == NULL || strcmp(b->uuid, k->uuid) != 0)
		return NULL;
	*c = collection_by_id(b, k->cid);
	return *c != NULL ? b : NULL;
}
