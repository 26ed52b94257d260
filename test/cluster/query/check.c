/*
 * check.c: what the server finds out before a query runs: keyspaces, rights, limits that are constants.
 */
#include <string.h>

#include "run.h"
#include "walk.h"

static const struct
{
	uint32_t	privilege;
	const char *role;
	const char *action;
}			rights[] = {
	{PRIV_QUERY_SELECT, "query_select", "run SELECT queries on"},
	{PRIV_QUERY_INSERT, "query_insert", "run INSERT queries on"},
	{PRIV_QUERY_UPDATE, "query_update", "run UPDATE queries on"},
	{PRIV_QUERY_DELETE, "query_delete", "run DELETE queries on"},
	{PRIV_QUERY_MANAGE_INDEX, "query_manage_index", "run index operations on"},
	{PRIV_QUERY_SYSTEM_CATALOG, "query_system_catalog", "run queries accessing the system tables on"},
};

static uint32_t
privileges_on(const Exec *x, const Keyspace *k)
{
	Collection *c = NULL;
	Bucket	   *b = k->system != NULL ? NULL : keyspace_bucket(x, k, &c);

	return user_privileges(query_user(x->r), b, c);
}

bool
check_right(Exec *x, const Keyspace *k, uint32_t privilege)
{
	size_t		i = 0;

	if ((privileges_on(x, k) & privilege) != 0)
		return true;
	while (rights[i].privilege != privilege)
		i++;
	x->empty_results = true;
	x->reason = xasprintf("{\"missing_role\":\"%s\",\"path\":\"%s%s\"}", rights[i].role, k->system != NULL ? "system:" : "",
						  k->path);
	return exec_fail(x, 13014, 401, "User does not have credentials to %s %s%s. Add role %s on %s%s to allow the statement to run.",
					 rights[i].action, k->system != NULL ? "system:" : "", k->path, rights[i].role,
					 k->system != NULL ? "system:" : "", k->path);
}

/* Without an index a scan needs the right to a sequential one. */
static bool
check_access(Exec *x, const N1From *f, const Keyspace *k)
{
	if (f->keys != NULL || k->system != NULL || index_on(x, k) != NULL ||
		(privileges_on(x, k) & PRIV_QUERY_SEQUENTIAL_SCAN) != 0)
		return true;
	return exec_fail(x, 4000, 404, "No index available on keyspace `default`:`%s`.`%s`.`%s` that matches your query. Use CREATE PRIMARY "
					 "INDEX ON `default`:`%s`.`%s`.`%s` to create a primary index, or check that your expected index is online.",
					 k->bucket, k->scope, k->collection, k->bucket, k->scope, k->collection);
}

static bool
open_from(const N1From *f, void *arg)
{
	Exec	   *x = arg;

	if (f->kind != N1FR_KEYSPACE)
		return true;
	return keyspace_open(x, f) != NULL;
}

static bool
check_from(const N1From *f, void *arg)
{
	Exec	   *x = arg;
	const Keyspace *k;

	if (f->kind != N1FR_KEYSPACE)
		return true;
	k = keyspace_of(x, f);
	if (k->system != NULL)
		return k->system->open || check_right(x, k, PRIV_QUERY_SYSTEM_CATALOG);
	return check_right(x, k, PRIV_QUERY_SELECT);
}

static bool
check_index(const N1From *f, void *arg)
{
	Exec	   *x = arg;

	if (f->kind == N1FR_JOIN_KEYS || f->kind == N1FR_NEST_KEYS)
		return true;
	return f->kind != N1FR_KEYSPACE || check_access(x, f, keyspace_of(x, f));
}

/* A constant that is no count is refused before anything runs; NULL and MISSING are not looked at. */
static bool
check_count(Exec *x, const N1Expr *e, const char *what)
{
	N1Value    *v;
	N1Buf		text;

	if (e == NULL || !e->constant)
		return true;
	v = exec_eval(x, x->keep, e, NULL, what);
	if (v == NULL)
		return false;
	if (v->type == N1_MISSING || v->type == N1_NULL || (v->type == N1_NUMBER && (v->is_int || __builtin_trunc(v->u.d) == v->u.d)))
		return true;
	n1_buf_init(&text, x->keep);
	go_text(&text, v);
	return exec_fail(x, 5030, 500, "Invalid %s value %s", what, text.s);
}

static bool
check_limits(const N1Select *s, void *arg)
{
	return check_count(arg, s->limit, "LIMIT") && check_count(arg, s->offset, "OFFSET");
}

bool
check_select(Exec *x, const N1Select *q)
{
	Walk		keyspaces = {.on_from = open_from, .arg = x};
	Walk		privileges = {.on_from = check_from, .arg = x};
	Walk		indexes = {.on_from = check_index, .on_select = check_limits, .arg = x};

	return walk_select(&keyspaces, q) && walk_select(&privileges, q) && walk_select(&indexes, q);
}
