/*
 * Inside of the regular expressions: the program that a pattern becomes.
 */
#ifndef N1QL_REGEX_INT_H
#define N1QL_REGEX_INT_H

#include "n1ql_regex.h"
#include "n1ql_text.h"

#include <setjmp.h>

typedef enum N1ReOp
{
	RE_SET, RE_SPLIT, RE_JUMP, RE_BEGIN_TEXT, RE_END_TEXT, RE_BEGIN_LINE, RE_END_LINE, RE_WORD, RE_NOT_WORD, RE_MATCH
} N1ReOp;

typedef struct N1Range
{
	uint32_t	lo, hi;
} N1Range;

typedef struct N1Set
{
	N1Range    *r;
	int			n;
	bool		negated;
	bool		fold;			/* either case */
} N1Set;

typedef struct N1ReInst
{
	N1ReOp		op;
	int			x, y;			/* RE_SPLIT: x is preferred; RE_JUMP: x */
	N1Set	   *set;
} N1ReInst;

struct N1Regex
{
	N1ReInst   *prog;
	int			n;
};

#define N1_RE_MOST_REPEATS 1000

typedef enum N1ReNodeKind { NODE_EMPTY, NODE_SET, NODE_ASSERT, NODE_CAT, NODE_ALT, NODE_REPEAT } N1ReNodeKind;

typedef struct N1ReNode
{
	N1ReNodeKind	kind;
	N1ReOp		op;				/* NODE_ASSERT */
	N1Set	   *set;
	struct N1ReNode *left, *right;
	int			min, max;		/* NODE_REPEAT; max -1: no end */
	bool		lazy;
} N1ReNode;

typedef struct N1ReCompiler
{
	N1Arena    *arena;
	const char *s, *end, *text;
	bool		fold, dotall, multiline, ungreedy;
	int			depth;
	N1ReInst   *prog;
	int			n, cap;
	const char *wrong;
	jmp_buf		stop;
} N1ReCompiler;

_Noreturn void n1_regex_fail(N1ReCompiler *c, const char *what, const char *from, const char *to);
void		n1_regex_generate(N1ReCompiler *c, const N1ReNode *x);	/* the whole program */
bool		n1_set_has(const N1Set *set, uint32_t c);

#endif
