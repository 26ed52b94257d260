/*
 * Regular expressions: running a program over a text, all ways at once, each with the place where it began.
 */
#include "n1ql_func.h"
#include "n1ql_regex_int.h"

#include <string.h>

bool
n1_set_has(const N1Set *set, uint32_t c)
{
	uint32_t	other[2] = {c, c};

	if (set->fold)
	{
		other[0] = n1_lower(c);
		other[1] = n1_upper(c);
	}
	for (int i = 0; i < set->n; i++)
	{
		if (c >= set->r[i].lo && c <= set->r[i].hi)
			return !set->negated;
		for (int k = 0; k < 2 && set->fold; k++)
			if (other[k] >= set->r[i].lo && other[k] <= set->r[i].hi)
				return !set->negated;
	}
	return set->negated;
}

typedef struct Thread
{
	int			pc;
	size_t		start;
} Thread;

typedef struct Threads			/* in the order in which they are preferred */
{
	Thread	   *t;
	int			n;
	unsigned   *seen;			/* by pc: the step that added it */
} Threads;

typedef struct Match
{
	const N1Regex *re;
	const char *s;
	size_t		n;
	unsigned	step;
	int		   *stack;			/* of pcs still to be followed */
} Match;

static bool
is_word(const Match *m, size_t at)
{
	char		c = at < m->n ? m->s[at] : '\0';

	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

static bool
holds(const Match *m, N1ReOp op, size_t at)
{
	bool		border = (at > 0 && is_word(m, at - 1)) != is_word(m, at);

	switch (op)
	{
		case RE_BEGIN_TEXT:
			return at == 0;
		case RE_END_TEXT:
			return at == m->n;
		case RE_BEGIN_LINE:
			return at == 0 || m->s[at - 1] == '\n';
		case RE_END_LINE:
			return at == m->n || m->s[at] == '\n';
		case RE_WORD:
			return border;
		default:
			return !border;
	}
}

/* Adds what can be reached from pc without reading, preferred ways first. */
static void
follow(Match *m, Threads *to, int pc, size_t start, size_t at)
{
	int			depth = 0;

	m->stack[depth++] = pc;
	while (depth > 0)
	{
		const N1ReInst *i;

		pc = m->stack[--depth];
		if (to->seen[pc] == m->step)
			continue;
		to->seen[pc] = m->step;
		i = &m->re->prog[pc];
		if (i->op == RE_JUMP)
			m->stack[depth++] = i->x;
		else if (i->op == RE_SPLIT)
		{
			m->stack[depth++] = i->y;
			m->stack[depth++] = i->x;
		}
		else if (i->op == RE_SET || i->op == RE_MATCH)
			to->t[to->n++] = (Thread) {pc, start};
		else if (holds(m, i->op, at))
			m->stack[depth++] = pc + 1;
	}
}

static void
new_threads(N1Arena *a, Threads *t, int n)
{
	t->t = n1_alloc(a, (size_t) n * sizeof(*t->t));
	t->seen = n1_alloc(a, (size_t) n * sizeof(*t->seen));
}

/* Lets every thread read c. True when a match ended before it; then *start and *end are set. */
static bool
step(Match *m, const Threads *from, Threads *to, uint32_t c, size_t at, size_t next, size_t *start, size_t *end)
{
	for (int i = 0; i < from->n; i++)
	{
		const N1ReInst *inst = &m->re->prog[from->t[i].pc];

		if (inst->op == RE_MATCH)
		{
			*start = from->t[i].start;
			*end = at;
			return true;
		}
		if (at < m->n && n1_set_has(inst->set, c))
			follow(m, to, from->t[i].pc + 1, from->t[i].start, next);
	}
	return false;
}

bool
n1_regex_find(const N1Regex *re, N1Arena *scratch, const char *s, size_t n, size_t from, size_t *start, size_t *end)
{
	Match		m = {.re = re,.s = s,.n = n};
	N1Mark		mark = n1_arena_mark(scratch);
	Threads		now = {0},
				then = {0};
	bool		found = false;

	new_threads(scratch, &now, re->n);
	new_threads(scratch, &then, re->n);
	m.stack = n1_alloc(scratch, (size_t) (2 * re->n + 2) * sizeof(int));
	m.step = 1;
	for (size_t at = from;; m.step++)
	{
		int			used = 1;
		uint32_t	c = at < n ? n1_utf8_get(s + at, n - at, &used) : 0;
		Threads		swap;

		if (!found)
			follow(&m, &now, 0, at, at);
		if (now.n == 0 && found)
			break;
		then.n = 0;
		m.step++;
		found |= step(&m, &now, &then, c, at, at + (size_t) used, start, end);
		swap = now;
		now = then;
		then = swap;
		m.step--;
		if (at >= n)
			break;
		at += (size_t) used;
	}
	n1_arena_reset(scratch, mark);
	return found;
}
