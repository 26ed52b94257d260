/*
 * A set of values in order of arrival, for the functions of arrays.
 */
#ifndef N1QL_ARRAY_SET_H
#define N1QL_ARRAY_SET_H

#include "n1ql.h"

typedef struct ArraySet
{
	N1Arena    *a;
	N1Value   **v;
	size_t	   *counts;				/* how often each was added */
	size_t		n;
	size_t		cap;
	size_t	   *slots;				/* number + 1 */
	size_t		n_slots;
} ArraySet;

void		array_set_init(ArraySet *s, N1Arena *a);
bool		array_set_find(const ArraySet *s, N1Value *v, size_t *at);
bool		array_set_add(ArraySet *s, N1Value *v);	/* false: it was there */

#endif
