/*
 * walk.h: everything below a statement.
 */
#ifndef QUERY_WALK_H
#define QUERY_WALK_H

#include "n1ql_ast.h"

typedef struct Walk
{
	bool		(*on_select) (const N1Select *s, void *arg);	/* each may be NULL; false ends the walk */
	bool		(*on_from) (const N1From *f, void *arg);
	void	   *arg;
} Walk;

/* Subqueries included; outer ones first. False if a function ended it. */
bool		walk_select(const Walk *w, const N1Select *s);
bool		walk_expr(const Walk *w, const N1Expr *e);

#endif
