/*
 * Inside of the evaluator: what its files call of each other.
 */
#ifndef N1QL_EVAL_H
#define N1QL_EVAL_H

#include "n1ql_ast.h"

N1Value    *n1e_arith(N1Eval *ev, const N1Expr *e, const N1Row *row);	/* + - * / % ^ and the sign */
N1Value    *n1e_field(N1Eval *ev, const N1Expr *e, const N1Row *row);
N1Value    *n1e_element(N1Eval *ev, const N1Expr *e, const N1Row *row);
N1Value    *n1e_slice(N1Eval *ev, const N1Expr *e, const N1Row *row);
N1Value    *n1e_array_star(N1Eval *ev, const N1Expr *e, const N1Row *row);
N1Value    *n1e_in(N1Eval *ev, const N1Expr *e, const N1Row *row);
N1Value    *n1e_within(N1Eval *ev, const N1Expr *e, const N1Row *row);
N1Value    *n1e_like(N1Eval *ev, const N1Expr *e, const N1Row *row);
N1Value    *n1e_collection(N1Eval *ev, const N1Expr *e, const N1Row *row);	/* ANY to OBJECT ... FOR */

/* x IN list for a list of N1_LONG_LIST values or more and an IN that is hashed; neither MISSING nor x NULL. */
#define N1_LONG_LIST 16

/* An element as IN sees it: the numbers of a subquery are floats to it. */
N1Value    *n1e_in_element(N1Arena *a, const N1Expr *e, N1Value *v);
N1Value    *n1e_in_table(N1Eval *ev, const N1Expr *e, N1Value *x, N1Value *list);

/* An array of references that grows. */
typedef struct N1Items
{
	N1Arena    *arena;
	N1Value   **v;
	size_t		n;
	size_t		cap;
} N1Items;
void		n1_items_add(N1Items *l, N1Value *v);

/* All values within an array or object, depth first, objects by name. names: where each stands in its parent. */
void		n1_descendants(N1Eval *ev, N1Value *v, N1Items *values, N1Items *names);

#endif
