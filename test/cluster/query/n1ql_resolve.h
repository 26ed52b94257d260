/*
 * Inside of the resolver.
 */
#ifndef N1QL_RESOLVE_H
#define N1QL_RESOLVE_H

#include "n1ql_parse.h"

typedef struct N1Known
{
	struct N1Known *next;
	const char *name;
	bool		correlated;		/* WITH: refers to a query around */
} N1Known;

/* What names mean at a place of the statement; the forms of the queries around are linked behind it. */
typedef struct N1Form
{
	struct N1Form *outer;
	N1Select   *owner;			/* the query whose form this is; NULL in parts of one */
	const char *keyspace;		/* what a bare field belongs to; NULL: nothing or more than one thing */
	N1Known    *allowed;
	N1Known    *aliases;		/* of those, names that FROM takes for a variable rather than a keyspace */
	N1Known    *withs;
	bool		hit;			/* one of the names was used */
} N1Form;

void		n1p_resolve_expr(N1Parser *P, N1Form *f, N1Expr **ep);
void		n1p_resolve_select(N1Parser *P, N1Form *outer, N1Select *s);
void		n1p_resolve_from(N1Parser *P, N1Form *f, N1From *t);
const char *n1p_near(N1Parser *P, int line, int col);

/* OVER name and OVER (name ...) made complete. */
void		n1p_name_windows(N1Parser *P, N1Sub *s);

/* Collects aggregates and windows, gives them slots, refuses what does not survive grouping. */
void		n1p_check_select(N1Parser *P, N1Select *s);

/* Leaves constants out of WHERE; one that is always true goes away, one that never is becomes FALSE. */
void		n1p_simplify_where(N1Parser *P, N1Sub *s);

/* Everything an expression consists of, one level down; not into subqueries. */
void		n1p_children(N1Parser *P, N1Expr *e, N1List *out);

#endif
