/*
 * A hash table with open addresses over identical values.
 */
#include "n1ql_array_set.h"

#include <string.h>

#include "n1ql_identity.h"

void
array_set_init(ArraySet *s, N1Arena *a)
{
	memset(s, 0, sizeof(*s));
	s->a = a;
}

/* The slot of the value, or the empty one where it belongs. */
static size_t
slot_of(const ArraySet *s, N1Value *v)
{
	size_t		i = n1_identity_hash(v) % s->n_slots;

	while (s->slots[i] != 0 && !n1_identical(s->v[s->slots[i] - 1], v))
		i = (i + 1) % s->n_slots;
	return i;
}

bool
array_set_find(const ArraySet *s, N1Value *v, size_t *at)
{
	size_t		i;

	if (s->n == 0)
		return false;
	i = slot_of(s, v);
	if (s->slots[i] == 0)
		return false;
	*at = s->slots[i] - 1;
	return true;
}

static void
grow(ArraySet *s)
{
	size_t		cap = s->cap == 0 ? 16 : 2 * s->cap;
	N1Value   **v = n1_alloc(s->a, cap * sizeof(*v));
	size_t	   *counts = n1_alloc(s->a, cap * sizeof(*counts));

	if (s->n > 0)
	{
		memcpy(v, s->v, s->n * sizeof(*v));
		memcpy(counts, s->counts, s->n * sizeof(*counts));
	}
	s->v = v;
	s->counts = counts;
	s->cap = cap;
	s->n_slots = 2 * cap;
	s->slots = n1_alloc(s->a, s->n_slots * sizeof(*s->slots));
	for (size_t i = 0; i < s->n; i++)
		s->slots[slot_of(s, s->v[i])] = i + 1;
}

bool
array_set_add(ArraySet *s, N1Value *v)
{
	size_t		i;

	if (s->n == s->cap)
		grow(s);
	i = slot_of(s, v);
	if (s->slots[i] != 0)
	{
		s->counts[s->slots[i] - 1]++;
		return false;
	}
	s->v[s->n] = v;
	s->counts[s->n] = 1;
	s->slots[i] = ++s->n;
	return true;
}
