/*
 * system.c: the keyspaces of the system.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"

/* An object that is being made; its names are constants. */
typedef struct RowMaker
{
	N1Arena    *a;
	N1Pair		p[16];
	size_t		n;
} RowMaker;

static void
put(RowMaker *m, const char *name, N1Value *v)
{
	m->p[m->n++] = (N1Pair) {name, strlen(name), v};
}

static void
put_text(RowMaker *m, const char *name, const char *text)
{
	put(m, name, n1_string(m->a, n1_dup(m->a, text, strlen(text)), strlen(text)));
}

static void
finish(RowMaker *m, ValueList *out)
{
	N1Pair	   *pairs = n1_alloc(m->a, (m->n + 1) * sizeof(*pairs));

	memcpy(pairs, m->p, m->n * sizeof(*pairs));
	list_add(m->a, out, n1_object(m->a, pairs, m->n));
	m->n = 0;
}

static void
rows_dual(Exec *x, ValueList *out, N1Arena *a)
{
	(void) x;
	list_add(a, out, &n1_null);
}

/* A collection; the default one stands for its bucket. */
static void
add_keyspace(const Bucket *b, const Scope *s, const Collection *c, ValueList *out, N1Arena *a)
{
	RowMaker	m = {.a = a};
	bool		whole = s->id == 0 && c->id == 0;
	char		path[512];

	if (whole)
		snprintf(path, sizeof(path), "default:%s", b->name);
	else
		snprintf(path, sizeof(path), "default:%s.%s.%s", b->name, s->name, c->name);
	put_text(&m, "datastore_id", "http://127.0.0.1:8091");
	put_text(&m, "id", whole ? b->name : c->name);
	put_text(&m, "name", whole ? b->name : c->name);
	put_text(&m, "namespace", "default");
	put_text(&m, "namespace_id", "default");
	put_text(&m, "path", path);
	if (!whole)
	{
		put_text(&m, "bucket", b->name);
		put_text(&m, "scope", s->name);
	}
	finish(&m, out);
}

static void
rows_keyspaces(Exec *x, ValueList *out, N1Arena *a)
{
	for (const Bucket *b = x->cluster->buckets; b != NULL; b = b->next)
		for (const Scope *s = b->config_only ? NULL : b->scopes; s != NULL; s = s->next)
			for (const Collection *c = s->collections; c != NULL; c = c->next)
				add_keyspace(b, s, c, out, a);
}

static void
rows_scopes(Exec *x, ValueList *out, N1Arena *a)
{
	for (const Bucket *b = x->cluster->buckets; b != NULL; b = b->next)
	{
		for (const Scope *s = b->config_only ? NULL : b->scopes; s != NULL; s = s->next)
		{
			RowMaker	m = {.a = a};
			char		path[512];

			snprintf(path, sizeof(path), "default:%s.%s", b->name, s->name);
			put_text(&m, "bucket", b->name);
			put_text(&m, "name", s->name);
			put_text(&m, "namespace", "default");
			put_text(&m, "namespace_id", "default");
			put_text(&m, "path", path);
			finish(&m, out);
		}
	}
}

static void
rows_indexes(Exec *x, ValueList *out, N1Arena *a)
{
	for (const IndexEntry *e = catalog_of(x->cluster)->indexes; e != NULL; e = e->next)
	{
		Bucket	   *b = bucket_find(x->cluster, e->bucket, strlen(e->bucket));
		Collection *c = b != NULL && strcmp(b->uuid, e->uuid) == 0 ? collection_by_id(b, e->cid) : NULL;
		RowMaker	m = {.a = a};

		if (c == NULL)
			continue;
		put_text(&m, "bucket_id", b->name);
		put_text(&m, "id", e->id);
		put(&m, "index_key", n1_array(a, NULL, 0));
		if (e->keys == NULL)
			put(&m, "is_primary", &n1_true);
		put_text(&m, "keyspace_id", c->name);
		put_text(&m, "name", e->name);
		put_text(&m, "namespace_id", "default");
		put_text(&m, "scope_id", c->scope->name);
		put_text(&m, "state", "online");
		put_text(&m, "using", "gsi");
		finish(&m, out);
	}
}

static void
rows_nodes(Exec *x, ValueList *out, N1Arena *a)
{
	for (int i = 0; i < x->cluster->num_nodes; i++)
	{
		const Node *n = x->cluster->nodes[i];
		RowMaker	m = {.a = a};
		N1Value   **services = n1_alloc(a, 2 * sizeof(*services));
		size_t		count = 0;
		char		name[300];

		if (n->failed_over)
			continue;
		if (!n->no_data)
			services[count++] = n1_string0(a, "kv");
		if (n->query_port != 0)
			services[count++] = n1_string0(a, "n1ql");
		snprintf(name, sizeof(name), "%s:%u", n->hostname != NULL ? n->hostname : x->cluster->url_host, n->mgmt_port);
		put_text(&m, "name", name);
		put(&m, "services", n1_array(a, services, count));
		put_text(&m, "uuid", n->uuid);
		finish(&m, out);
	}
}

static void
rows_prepareds(Exec *x, ValueList *out, N1Arena *a)
{
	for (const Prepared *p = catalog_of(x->cluster)->prepareds; p != NULL; p = p->next)
	{
		RowMaker	m = {.a = a};

		put_text(&m, "name", p->name);
		put_text(&m, "namespace", "default");
		put_text(&m, "statement", p->text);
		put(&m, "uses", n1_int(a, (int64_t) p->uses));
		finish(&m, out);
	}
}

static void
add_request(const QueryRequest *r, ValueList *out, N1Arena *a)
{
	RowMaker	m = {.a = a};
	char	   *elapsed = duration_text((query_now_us() - r->start_us) * 1000);

	put_text(&m, "clientContextID", r->params.client_context_id != NULL ? r->params.client_context_id : "");
	put_text(&m, "elapsedTime", elapsed);
	put_text(&m, "remoteAddr", r->remote);
	put_text(&m, "requestId", r->id);
	if (r->params.statement != NULL)
		put_text(&m, "statement", r->params.statement);
	put_text(&m, "state", r->held ? "preprocessing" : "running");
	put_text(&m, "userAgent", r->agent);
	put_text(&m, "users", r->user);
	finish(&m, out);
	free(elapsed);
}

static void
rows_active_requests(Exec *x, ValueList *out, N1Arena *a)
{
	for (int i = 0; i < x->cluster->num_nodes; i++)
	{
		const QueryNode *qn = x->cluster->nodes[i]->query;

		for (const QueryRequest *r = qn != NULL ? qn->requests : NULL; r != NULL; r = r->next)
			add_request(r, out, a);
	}
}

static const SystemKeyspace keyspaces[] = {
	{"dual", true, rows_dual},
	{"keyspaces", true, rows_keyspaces},
	{"all_keyspaces", true, rows_keyspaces},
	{"scopes", true, rows_scopes},
	{"all_scopes", true, rows_scopes},
	{"indexes", true, rows_indexes},
	{"all_indexes", true, rows_indexes},
	{"nodes", false, rows_nodes},
	{"prepareds", false, rows_prepareds},
	{"active_requests", false, rows_active_requests},
};

const SystemKeyspace *
system_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(keyspaces) / sizeof(keyspaces[0]); i++)
		if (strlen(keyspaces[i].name) == len && memcmp(keyspaces[i].name, name, len) == 0)
			return &keyspaces[i];
	return NULL;
}
