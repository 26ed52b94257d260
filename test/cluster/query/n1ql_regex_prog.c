/*
 * Regular expressions: from the parsed pattern to instructions.
 */
#include "n1ql_regex_int.h"

#include <string.h>

#define MOST_INSTRUCTIONS 20000

static int
emit(N1ReCompiler *c, N1ReOp op, int x, int y)
{
	if (c->n >= MOST_INSTRUCTIONS)
		n1_regex_fail(c, "expression too large", c->text, c->end);
	if (c->n == c->cap)
	{
		int			cap = c->cap ? c->cap * 2 : 32;
		N1ReInst   *p = n1_alloc(c->arena, (size_t) cap * sizeof(*p));

		if (c->n > 0)
			memcpy(p, c->prog, (size_t) c->n * sizeof(*p));
		c->prog = p;
		c->cap = cap;
	}
	c->prog[c->n] = (N1ReInst) {.op = op,.x = x,.y = y};
	return c->n++;
}

static void generate(N1ReCompiler *c, const N1ReNode *x);

/* Lets a split prefer its first or its second way. */
static void
set_split(N1ReCompiler *c, int at, int body, int out, bool lazy)
{
	c->prog[at].x = lazy ? out : body;
	c->prog[at].y = lazy ? body : out;
}

static void
generate_repeat(N1ReCompiler *c, const N1ReNode *x)
{
	int			splits[N1_RE_MOST_REPEATS];
	int			n = 0,
				at;

	for (int i = 0; i < x->min; i++)
		generate(c, x->left);
	if (x->max < 0)
	{
		at = emit(c, RE_SPLIT, 0, 0);
		generate(c, x->left);
		emit(c, RE_JUMP, at, 0);
		set_split(c, at, at + 1, c->n, x->lazy);
		return;
	}
	for (int i = x->min; i < x->max; i++)
	{
		splits[n++] = emit(c, RE_SPLIT, 0, 0);
		generate(c, x->left);
	}
	while (n-- > 0)
		set_split(c, splits[n], splits[n] + 1, c->n, x->lazy);
}

static void
generate(N1ReCompiler *c, const N1ReNode *x)
{
	int			split,
				jump;

	switch (x->kind)
	{
		case NODE_EMPTY:
			return;
		case NODE_SET:
			jump = emit(c, RE_SET, 0, 0);
			c->prog[jump].set = x->set;
			return;
		case NODE_ASSERT:
			emit(c, x->op, 0, 0);
			return;
		case NODE_CAT:
			generate(c, x->left);
			generate(c, x->right);
			return;
		case NODE_ALT:
			split = emit(c, RE_SPLIT, 0, 0);
			generate(c, x->left);
			jump = emit(c, RE_JUMP, 0, 0);
			set_split(c, split, split + 1, c->n, false);
			generate(c, x->right);
			c->prog[jump].x = c->n;
			return;
		case NODE_REPEAT:
			generate_repeat(c, x);
			return;
	}
}

void
n1_regex_generate(N1ReCompiler *c, const N1ReNode *x)
{
	generate(c, x);
	emit(c, RE_MATCH, 0, 0);
}
