/*
 * project.c: the result of a row: terms, stars, EXCLUDE, the order of names.
 */
#include <stdlib.h>
#include <string.h>

#include "exec.h"

/* A member of the result that is being made. */
typedef struct Member
{
	N1Pair		pair;
	int			place;				/* of its term */
} Member;

typedef struct Members
{
	N1Arena    *arena;
	Member	   *v;
	size_t		n;
	size_t		cap;
} Members;

/* A later member of the same name takes the place of the earlier. */
static void
add_member(Members *m, const char *name, size_t len, N1Value *value, int place)
{
	Member	   *at = NULL;

	if (value->type == N1_MISSING)
		return;
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].pair.len == len && memcmp(m->v[i].pair.name, name, len) == 0)
			at = &m->v[i];
	if (at == NULL)
	{
		if (m->n == m->cap)
		{
			Member	   *more;

			m->cap = m->cap == 0 ? 16 : 2 * m->cap;
			more = n1_alloc(m->arena, m->cap * sizeof(*more));
			if (m->n > 0)
				memcpy(more, m->v, m->n * sizeof(*more));
			m->v = more;
		}
		at = &m->v[m->n++];
	}
	at->pair = (N1Pair) {name, len, value};
	at->place = place;
}

static int
compare_members(const void *a, const void *b)
{
	const Member *x = a;
	const Member *y = b;
	size_t		shorter = x->pair.len < y->pair.len ? x->pair.len : y->pair.len;
	int			c;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	c = memcmp(x->pair.name, y->pair.name, shorter);
	return c != 0 ? c : (x->pair.len > y->pair.len) - (x->pair.len < y->pair.len);
}

/* ---------------------------------------------------------------- EXCLUDE */

/* True if an EXCLUDE names a member of a star: NAME or ALIAS.NAME of the alias that the star stands for. */
static bool
is_excluded(const SubRun *s, const N1Expr *star, const char *name, size_t len)
{
	for (int i = 0; i < s->sub->n_exclude; i++)
	{
		const N1Expr *e = s->sub->exclude[i];
		const char *last = e->name;

		if (last == NULL || strlen(last) != len || memcmp(last, name, len) != 0)
			continue;
		if (e->kind == N1E_IDENT)
			return true;
		if (e->kind == N1E_FIELD && star != NULL && e->args[0]->kind == N1E_IDENT && star->kind == N1E_IDENT &&
			e->args[0]->name == star->name)
			return true;
	}
	return false;
}

/* ---------------------------------------------------------------- terms */

/* True for the variables of LET and LETTING, which no star shows. */
static bool
is_bound(const SubRun *s, const char *name)
{
	for (int i = 0; i < s->sub->n_let; i++)
		if (s->sub->let[i].var == name)
			return true;
	for (int i = 0; i < s->sub->n_letting; i++)
		if (s->sub->letting[i].var == name)
			return true;
	return false;
}

/* The names of FROM and so on as members. */
static void
add_self(SubRun *s, Members *m, int place)
{
	for (int i = 0; i < s->sub->n_names; i++)
	{
		const char *name = s->sub->names[i];
		N1Value    *v = is_bound(s, name) ? NULL : n1_lookup(&s->row, name);

		if (v != NULL && !is_excluded(s, NULL, name, strlen(name)))
			add_member(m, name, strlen(name), v, place);
	}
}

static bool
add_star(SubRun *s, Members *m, const N1Term *t, int place)
{
	N1Value    *v;

	if (t->expr == NULL || t->expr->kind == N1E_SELF)
	{
		add_self(s, m, place);
		return true;
	}
	v = exec_eval(s->x, s->row_arena, t->expr, &s->row, "projection");
	if (v == NULL)
		return false;
	if (v->type != N1_OBJECT)
		return true;
	n1_unpack(v);
	for (size_t i = 0; i < v->u.obj.n; i++)
		if (!is_excluded(s, t->expr, v->u.obj.p[i].name, v->u.obj.p[i].len))
			add_member(m, v->u.obj.p[i].name, v->u.obj.p[i].len, v->u.obj.p[i].value, place);
	return true;
}

static bool
project_raw(SubRun *s, N1Value **value)
{
	const N1Term *t = &s->sub->terms[0];

	*value = exec_eval(s->x, s->row_arena, t->expr, &s->row, "projection");
	if (*value == NULL)
		return false;
	if (t->alias != NULL && !t->implicit)
		s->aliases[s->n_aliases++] = (N1Binding) {t->alias, *value};
	return true;
}

static bool
add_term(SubRun *s, Members *m, const N1Term *t, int place)
{
	N1Value    *v;

	if (t->star || t->expr->kind == N1E_SELF)
		return add_star(s, m, t, place);
	v = exec_eval(s->x, s->row_arena, t->expr, &s->row, "projection");
	if (v == NULL)
		return false;
	if (!is_excluded(s, NULL, t->alias, strlen(t->alias)))
		add_member(m, t->alias, strlen(t->alias), v, place);
	if (!t->implicit)
		s->aliases[s->n_aliases++] = (N1Binding) {t->alias, v};
	return true;
}

bool
sub_project(SubRun *s, N1Value **value)
{
	Members		m = {.arena = s->row_arena};
	N1Pair	   *pairs;

	s->n_aliases = 0;
	s->order = NULL;
	if (s->sub->raw)
		return project_raw(s, value);
	for (int i = 0; i < s->sub->n_terms; i++)
		if (!add_term(s, &m, &s->sub->terms[i], i))
			return false;
	if (m.n > 1)
		qsort(m.v, m.n, sizeof(*m.v), compare_members);
	pairs = n1_alloc(s->row_arena, (m.n + 1) * sizeof(*pairs));
	s->order = n1_alloc(s->row_arena, (m.n + 1) * sizeof(*s->order));
	s->n_order = (int) m.n;
	for (size_t i = 0; i < m.n; i++)
	{
		pairs[i] = m.v[i].pair;
		s->order[i] = (N1Name) {m.v[i].pair.name, m.v[i].pair.len};
	}
	*value = n1_object(s->row_arena, pairs, m.n);
	return true;
}
