/*
 * Functions of arrays: what n1ql_funcs_array.c (the table and what tells of arrays) and n1ql_funcs_array_make.c (what
 * makes new ones) share.
 */
#ifndef N1QL_FUNCS_ARRAY_H
#define N1QL_FUNCS_ARRAY_H

#include "n1ql.h"

/* MISSING if one is, NULL if the first is no array; else no value, and the array is unpacked. */
N1Value    *not_array(N1Value **args, int n);

/* MISSING if one is, NULL if one is no array; else no value, and all are unpacked. */
N1Value    *not_arrays(N1Value **args, int n);

/* An integer argument: false if it is none. */
bool		whole_number(const N1Value *v, int64_t *out);

bool		is_equal(N1Value *x, N1Value *y);	/* the operator = is TRUE */

N1Value    *fn_array_append(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_concat(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_distinct(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_except(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_flatten(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_insert(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_intersect(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_move(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_prepend(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_put(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_range(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_remove(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_repeat(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_replace(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_reverse(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_sort(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_star(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_swap(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_symdiff1(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_symdiffn(N1Eval *ev, N1Value **args, int n);
N1Value    *fn_array_union(N1Eval *ev, N1Value **args, int n);

#endif
