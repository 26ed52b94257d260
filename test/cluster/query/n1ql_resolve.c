/*
 * Names: which variable an identifier means, and which keyspace or expression a term of FROM.
 */
#include "n1ql_resolve.h"

#include <string.h>
#include <strings.h>

static N1Form
form_inside(N1Form *outer, N1Select *owner)
{
	return (N1Form) {.outer = outer,.owner = owner};
}

static void
allow(N1Parser *P, N1Known **list, const char *name)
{
	N1Known    *k = n1_alloc(P->arena, sizeof(*k));

	k->name = name;
	k->next = *list;
	*list = k;
}

static N1Known *
known(N1Known *list, const char *name, bool icase)
{
	for (; list != NULL; list = list->next)
		if (list->name == name || (icase && strcasecmp(list->name, name) == 0))
			return list;
	return NULL;
}

/* The form that has the name as a variable, or NULL. */
static N1Form *
find_allowed(N1Form *f, const char *name, bool icase, const char **found)
{
	for (; f != NULL; f = f->outer)
	{
		N1Known    *k = known(f->allowed, name, icase);

		if (k == NULL)
			continue;
		if (found != NULL)
			*found = k->name;
		return f;
	}
	return NULL;
}

static N1Form *
find_with(N1Form *f, const char *name, N1Known **found)
{
	for (; f != NULL; f = f->outer)
	{
		*found = known(f->withs, name, false);
		if (*found != NULL)
			return f;
	}
	return NULL;
}

static bool
has_alias(N1Form *f, const char *name)
{
	for (; f != NULL; f = f->outer)
		if (known(f->aliases, name, false) != NULL)
			return true;
	return false;
}

/* A name of form at was used in form f: every query in between depends on the one around it. */
static void
correlate(N1Form *f, N1Form *at)
{
	at->hit = true;
	for (; f != at; f = f->outer)
		if (f->owner != NULL)
			f->owner->correlated = true;
}

static void
resolve_ident(N1Parser *P, N1Form *f, N1Expr **ep)
{
	N1Expr	   *e = *ep,
			   *field;
	N1Known    *with;
	N1Form	   *at = find_allowed(f, e->name, e->icase, &e->name);

	if (at != NULL)
	{
		e->icase = false;
		correlate(f, at);
		return;
	}
	at = find_with(f, e->name, &with);
	if (at != NULL)
	{
		if (with->correlated)
			correlate(f, at);
		return;
	}
	if (f->keyspace == NULL)
		n1p_fail(P, 3080, 500, "Ambiguous reference to field '%s'%s.", e->name, n1p_near(P, e->line, e->col));
	field = n1p_node(P, N1E_FIELD, e, n1p_node_n(P, N1E_IDENT, NULL, 0, 0, 0), NULL, NULL);
	field->args[0]->name = f->keyspace;
	field->name = e->name;
	field->icase = e->icase;
	field->parens = e->parens;
	*ep = field;
	resolve_ident(P, f, &field->args[0]);
}

const char *
n1p_near(N1Parser *P, int line, int col)
{
	N1Buf		b;

	if (line == 0)
		return "";
	n1_buf_init(&b, P->arena);
	n1_buf_printf(&b, " (near line %d, column %d)", line, col);
	return b.s;
}

static void
allow_variable(N1Parser *P, N1Form *f, const char *name, int line, int col)
{
	N1Known    *with;

	if (find_allowed(f, name, false, NULL) != NULL || find_with(f, name, &with) != NULL)
		n1p_fail(P, 3081, 500, "Duplicate variable: '%s' already in scope%s.", name, n1p_near(P, line, col));
	allow(P, &f->allowed, name);
	allow(P, &f->aliases, name);
}

/* Bindings of LET: each sees those before it. */
static void
resolve_let(N1Parser *P, N1Form *f, N1Bind *b, int n)
{
	for (int i = 0; i < n; i++)
	{
		n1p_resolve_expr(P, f, &b[i].expr);
		allow_variable(P, f, b[i].var, b[i].line, b[i].col);
	}
}

static void
resolve_collection(N1Parser *P, N1Form *f, N1Expr *e)
{
	N1Form		in = form_inside(f, NULL);

	in.keyspace = f->keyspace;
	for (int i = 0; i < e->n_binds; i++)
	{
		n1p_resolve_expr(P, f, &e->binds[i].expr);
		allow_variable(P, &in, e->binds[i].var, e->binds[i].line, e->binds[i].col);
		if (e->binds[i].name_var != NULL)
			allow_variable(P, &in, e->binds[i].name_var, e->binds[i].line, e->binds[i].col);
	}
	if (e->kind >= N1E_COLL_ARRAY)
		for (int i = 0; i < e->n_args; i++)
			n1p_resolve_expr(P, &in, &e->args[i]);
	else
		e->n_args = 0;			/* only stood there for its place */
	if (e->cond != NULL)
		n1p_resolve_expr(P, &in, &e->cond);
}

static void
resolve_window(N1Parser *P, N1Form *f, N1Window *w)
{
	for (int i = 0; i < w->n_partition; i++)
		n1p_resolve_expr(P, f, &w->partition[i]);
	for (int i = 0; i < w->n_order; i++)
	{
		n1p_resolve_expr(P, f, &w->order[i].expr);
		if (w->order[i].dir != NULL)
			n1p_resolve_expr(P, f, &w->order[i].dir);
		if (w->order[i].nulls != NULL)
			n1p_resolve_expr(P, f, &w->order[i].nulls);
	}
	if (w->from_expr != NULL)
		n1p_resolve_expr(P, f, &w->from_expr);
	if (w->to_expr != NULL)
		n1p_resolve_expr(P, f, &w->to_expr);
}

/* META() without argument means the only term of FROM. */
static void
resolve_meta(N1Parser *P, N1Form *f, N1Expr *e)
{
	if (e->n_args > 0 || strcmp(e->func->name, "meta") != 0)
		return;
	if (f->keyspace == NULL)
		n1p_fail(P, 4310, 500, "META() in query with multiple FROM terms requires an argument%s.",
				 n1p_near(P, e->line, e->col));
	e->args = n1_alloc(P->arena, sizeof(N1Expr *));
	e->args[0] = n1p_node_n(P, N1E_IDENT, NULL, 0, 0, 0);
	e->args[0]->name = f->keyspace;
	e->n_args = 1;
	e->constant = false;
}

void
n1p_resolve_expr(N1Parser *P, N1Form *f, N1Expr **ep)
{
	N1Expr	   *e = *ep;

	if (e->kind == N1E_IDENT)
	{
		resolve_ident(P, f, ep);
		return;
	}
	if (e->kind >= N1E_ANY && e->kind <= N1E_COLL_OBJECT)
	{
		resolve_collection(P, f, e);
		return;
	}
	if (e->kind == N1E_SUBQUERY)
	{
		n1p_resolve_select(P, f, e->select);
		e->lookup = e->select->correlated;
		return;
	}
	if (e->kind == N1E_FUNC)
		resolve_meta(P, f, e);
	for (int i = 0; i < e->n_args; i++)
		if (e->args[i] != NULL)
			n1p_resolve_expr(P, f, &e->args[i]);
	if (e->filter != NULL)
		n1p_resolve_expr(P, f, &e->filter);
	if (e->window != NULL)
		resolve_window(P, f, e->window);
}

/* ---- FROM ---- */

static void
check_alias(N1Parser *P, N1Form *f, const N1From *t, const char *what)
{
	N1Known    *with;

	if (t->alias == NULL || *t->alias == '\0')
		n1p_fail(P, 4010, 500, "%s term%s must have a name or alias", what, n1p_near(P, t->line, t->col));
	if (find_allowed(f, t->alias, false, NULL) != NULL || find_with(f, t->alias, &with) != NULL)
		n1p_fail(P, 4020, 500, "Duplicate %s alias '%s'%s", what, t->alias, n1p_near(P, t->line, t->col));
}

/* True when a term that looks like the name of a keyspace is a variable. */
static bool
is_variable(const N1From *t, N1Form *f)
{
	N1Known    *with;
	const N1Expr *e = t->expr;

	if (t->kind != N1FR_KEYSPACE || e == NULL)
		return false;
	while (e->kind == N1E_FIELD)
		e = e->args[0];
	return has_alias(f, e->name) || (t->n_path == 1 && find_with(f, e->name, &with) != NULL);
}

/*
 * A term without joins. join: "FROM", or "JOIN" or "NEST" when it is the right side of one, f then being the form of
 * the left side. Inside: a form for what the term itself refers to.
 */
static void
resolve_simple(N1Parser *P, N1Form *f, N1Form *inside, N1From *t, const char *join)
{
	N1Known    *with;

	if (is_variable(t, f))
	{
		t->kind = N1FR_EXPR;
		if (t->keys != NULL)
			n1p_fail(P, 4100, 500, "FROM expression term should not have USE KEYS or USE INDEX");
	}
	if (t->kind == N1FR_KEYSPACE)
	{
		check_alias(P, f, t, join);
		if (t->keys != NULL)
			n1p_resolve_expr(P, inside, &t->keys);
	}
	else if (t->kind == N1FR_SUBQUERY)
	{
		check_alias(P, f, t, "subquery");
		n1p_resolve_select(P, inside, t->select);
	}
	else
	{
		/* WITH x ... FROM x has its own name twice, rightly. */
		bool		own = t->expr->kind == N1E_IDENT && t->expr->name == t->alias;

		if (!own || find_with(f, t->alias, &with) == NULL)
			check_alias(P, f, t, "FROM expression");
		n1p_resolve_expr(P, inside, &t->expr);
	}
}

static void
add_term(N1Parser *P, N1Form *f, const N1From *t)
{
	allow(P, &f->allowed, t->alias);
	if (t->given)
		allow(P, &f->aliases, t->alias);
}

static void
resolve_right(N1Parser *P, N1Form *f, N1From *t)
{
	bool		nest = t->kind == N1FR_NEST || t->kind == N1FR_NEST_KEYS;
	N1Form		inside = form_inside(f, NULL);
	bool		hit = f->hit;

	f->hit = false;
	resolve_simple(P, f, &inside, t->right, nest ? "NEST" : "JOIN");
	if (t->kind == N1FR_JOIN_KEYS || t->kind == N1FR_NEST_KEYS)
		n1p_resolve_expr(P, f, &t->on);
	t->correlated = f->hit;
	f->hit |= hit;
	f->keyspace = NULL;
	add_term(P, f, t->right);
	if (t->on != NULL && (t->kind == N1FR_JOIN || t->kind == N1FR_NEST))
		n1p_resolve_expr(P, f, &t->on);
}

void
n1p_resolve_from(N1Parser *P, N1Form *f, N1From *t)
{
	if (t->kind == N1FR_UNNEST)
	{
		n1p_resolve_from(P, f, t->left);
		n1p_resolve_expr(P, f, &t->expr);
		check_alias(P, f, t, "UNNEST");
		f->keyspace = NULL;
		add_term(P, f, t);
	}
	else if (t->left != NULL)
	{
		n1p_resolve_from(P, f, t->left);
		resolve_right(P, f, t);
	}
	else
	{
		N1Form		inside = form_inside(f, NULL);

		resolve_simple(P, f, &inside, t, "FROM");
		add_term(P, f, t);
		f->keyspace = t->alias;
	}
}

/* ---- queries ---- */

static void
list_names(N1Parser *P, N1List *l, const N1From *t)
{
	if (t->left != NULL)
		list_names(P, l, t->left);
	n1p_push(P, l, (void *) t->alias);
}

/* What SELECT * gives. */
static void
collect_names(N1Parser *P, N1Sub *s)
{
	N1List		l = {0};

	if (s->from != NULL)
		list_names(P, &l, s->from);
	if (s->group_as != NULL)
		n1p_push(P, &l, (void *) s->group_as);
	for (int i = 0; i < s->n_group; i++)
		if (s->group[i].alias != NULL)
			n1p_push(P, &l, (void *) s->group[i].alias);
	for (int i = 0; i < s->n_letting; i++)
		n1p_push(P, &l, (void *) s->letting[i].var);
	s->names = (const char **) l.v;
	s->n_names = l.n;
}

static void
resolve_group(N1Parser *P, N1Form *f, N1Sub *s)
{
	for (int i = 0; i < s->n_group; i++)
		n1p_resolve_expr(P, f, &s->group[i].expr);
	if (s->group_as != NULL)
	{
		if (find_allowed(f, s->group_as, false, NULL) != NULL)
			n1p_fail(P, 4020, 500, "Duplicate GROUP AS alias '%s'", s->group_as);
		allow(P, &f->allowed, s->group_as);
		allow(P, &f->aliases, s->group_as);
	}
	for (int i = 0; i < s->n_group; i++)
		if (s->group[i].alias != NULL)
			allow_variable(P, f, s->group[i].alias, s->group[i].line, s->group[i].col);
	resolve_let(P, f, s->letting, s->n_letting);
	if (s->having != NULL)
		n1p_resolve_expr(P, f, &s->having);
}

static void
check_aliases(N1Parser *P, const N1Sub *s)
{
	for (int i = 0; i < s->n_terms; i++)
		for (int j = 0; j < i && !s->terms[i].star; j++)
			if (!s->terms[j].star && s->terms[j].alias == s->terms[i].alias)
				n1p_fail(P, 3000, 400, "Duplicate result alias '%s'%s.", s->terms[i].alias,
						 n1p_near(P, s->terms[i].line, s->terms[i].col));
}

static void
resolve_sub(N1Parser *P, N1Form *f, N1Sub *s)
{
	if (s->from != NULL)
		n1p_resolve_from(P, f, s->from);
	resolve_let(P, f, s->let, s->n_let);
	if (s->where != NULL)
		n1p_resolve_expr(P, f, &s->where);
	resolve_group(P, f, s);
	n1p_name_windows(P, s);
	check_aliases(P, s);
	for (int i = 0; i < s->n_terms; i++)
		n1p_resolve_expr(P, f, &s->terms[i].expr);
	for (int i = 0; i < s->n_exclude; i++)
		if (s->exclude[i]->kind == N1E_SUBQUERY)
			n1p_resolve_expr(P, f, &s->exclude[i]);
	collect_names(P, s);
}

/* Resolves a tree of set operations; f is then what ORDER BY may refer to. */
static void
resolve_query(N1Parser *P, N1Form *outer, N1Form *f, N1Select *s, N1Query *q)
{
	N1Query    *first = q;

	*f = form_inside(outer, s);
	if (q->op == N1S_SELECT)
	{
		resolve_sub(P, f, q->sub);
		for (int i = 0; i < q->sub->n_terms; i++)
			if (!q->sub->terms[i].star && !q->sub->terms[i].implicit && q->sub->terms[i].alias != NULL)
				allow(P, &f->allowed, q->sub->terms[i].alias);
		return;
	}
	if (q->op == N1S_PAREN)
	{
		n1p_resolve_select(P, f, q->select);
		return;
	}
	resolve_query(P, outer, f, s, q->left);
	resolve_query(P, outer, f, s, q->right);
	*f = form_inside(outer, s);
	while (first->op != N1S_SELECT)
		first = first->op == N1S_PAREN ? first->select->query : first->left;
	for (int i = 0; i < first->sub->n_terms; i++)
		if (!first->sub->terms[i].star)
			allow(P, &f->allowed, first->sub->terms[i].alias);
}

static void
resolve_withs(N1Parser *P, N1Form *f, N1Select *s)
{
	for (int i = 0; i < s->n_with; i++)
	{
		N1Bind	   *b = &s->with[i];
		N1Form		inside = form_inside(f, NULL);
		N1Known    *with;
		bool		before = s->correlated;

		if (find_with(f, b->var, &with) != NULL || find_allowed(f, b->var, false, NULL) != NULL)
			n1p_fail(P, 4020, 500, "Duplicate WITH clause alias '%s'%s", b->var, n1p_near(P, b->line, b->col));
		s->correlated = false;
		n1p_resolve_expr(P, &inside, &b->expr);
		allow(P, &f->withs, b->var);
		f->withs->correlated = s->correlated;
		s->correlated |= before;
	}
}

void
n1p_resolve_select(N1Parser *P, N1Form *outer, N1Select *s)
{
	N1Form		withs = form_inside(outer, s);
	N1Form		f;

	n1p_enter(P);
	s->correlated = false;
	resolve_withs(P, &withs, s);
	resolve_query(P, &withs, &f, s, s->query);
	for (int i = 0; i < s->n_order; i++)
	{
		n1p_resolve_expr(P, &f, &s->order[i].expr);
		if (s->order[i].dir != NULL && s->order[i].dir->kind == N1E_IDENT)
			n1p_resolve_expr(P, &f, &s->order[i].dir);
		if (s->order[i].nulls != NULL && s->order[i].nulls->kind == N1E_IDENT)
			n1p_resolve_expr(P, &f, &s->order[i].nulls);
	}
	if (s->limit != NULL)
		n1p_resolve_expr(P, &withs, &s->limit);
	if (s->offset != NULL)
		n1p_resolve_expr(P, &withs, &s->offset);
	n1p_check_select(P, s);
	n1p_leave(P);
}

void
n1p_resolve(N1Parser *P, N1Stmt *s)
{
	N1Form		root = {0};

	if (s->inner != NULL)
		n1p_resolve(P, s->inner);
	if (s->select != NULL)
		n1p_resolve_select(P, &root, s->select);
	if (s->using_ != NULL)
		n1p_resolve_expr(P, &root, &s->using_);
}
