/*
 * Functions with regular expressions.
 */
#include "n1ql_func.h"
#include "n1ql_regex.h"

#include <string.h>

static N1Value *
not_strings(N1Value **args, int n)
{
	for (int i = 0; i < n; i++)
		if (args[i]->type == N1_MISSING)
			return args[i];
	for (int i = 0; i < n; i++)
		if (args[i]->type != N1_STRING)
			return &n1_null;
	return NULL;
}

/* The pattern between before and behind; NULL with ev->err set. */
static N1Regex *
compile(N1Eval *ev, const N1Value *v, const char *before, const char *behind)
{
	const char *wrong;
	N1Regex    *re;
	N1Buf		b;

	n1_buf_init(&b, ev->arena);
	n1_buf_str(&b, before);
	n1_buf_add(&b, v->u.str.s, v->u.str.n);
	n1_buf_str(&b, behind);
	re = n1_regex(ev->arena, b.s, b.n, &wrong);
	if (re == NULL)
		n1_fail(ev, N1_EVAL_ERROR, "error parsing regexp: %s", wrong);
	return re;
}

static bool
find(N1Eval *ev, const N1Regex *re, const N1Value *v, size_t from, size_t *start, size_t *end)
{
	return n1_regex_find(re, ev->arena, v->u.str.s, v->u.str.n, from, start, end);
}

static N1Value *
f_contains(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	N1Regex    *re = bad ? NULL : compile(ev, args[1], "", "");
	size_t		start,
				end;

	return bad ? bad : re ? n1_bool(find(ev, re, args[0], 0, &start, &end)) : NULL;
}

/* The pattern between ^ and $, just by putting it there; by itself it must be right, too. */
static N1Value *
f_like(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	N1Regex    *re;
	size_t		start,
				end;

	if (bad != NULL)
		return bad;
	if (compile(ev, args[1], "", "") == NULL)
		return NULL;
	re = compile(ev, args[1], "^", "$");
	return re ? n1_bool(find(ev, re, args[0], 0, &start, &end)) : NULL;
}

static N1Value *
position_of(N1Eval *ev, N1Value **args, int n, int first)
{
	N1Value    *bad = not_strings(args, n);
	N1Regex    *re = bad ? NULL : compile(ev, args[1], "", "");
	size_t		start,
				end;

	if (bad != NULL || re == NULL)
		return bad;
	return n1_int(ev->arena, find(ev, re, args[0], 0, &start, &end) ? (int64_t) start + first : -1);
}

static N1Value *
f_position0(N1Eval *ev, N1Value **args, int n)
{
	return position_of(ev, args, n, 0);
}

static N1Value *
f_position1(N1Eval *ev, N1Value **args, int n)
{
	return position_of(ev, args, n, 1);
}

/* Where to look on behind a match that ended at end, the search for it having begun at from. */
static size_t
advance(const N1Value *v, size_t from, size_t end)
{
	int			used = 1;

	if (from < v->u.str.n)
		n1_utf8_get(v->u.str.s + from, v->u.str.n - from, &used);
	return from + (size_t) used > end ? from + (size_t) used : end;
}

static N1Value *
f_replace(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, 3);
	N1Regex    *re;
	size_t		from = 0,
				last = 0,
				start,
				end;
	int64_t		times = INT64_MAX;
	N1Buf		b;

	if (n > 3 && args[3]->type == N1_MISSING)
		return args[3];
	if (bad != NULL)
		return bad;
	if (n > 3 && args[3]->type != N1_NUMBER)
		return &n1_null;
	re = compile(ev, args[1], "", "");
	if (re == NULL)
		return NULL;
	if (n > 3 && !n1_whole(args[3], &times))
		return &n1_null;
	n1_buf_init(&b, ev->arena);
	while (from <= args[0]->u.str.n && find(ev, re, args[0], from, &start, &end) && times > 0)
	{
		n1_buf_add(&b, args[0]->u.str.s + last, start - last);
		if (end > last || start == 0)
		{
			n1_buf_add(&b, args[2]->u.str.s, args[2]->u.str.n);
			times--;
		}
		last = end;
		from = advance(args[0], from, end);
	}
	n1_buf_add(&b, args[0]->u.str.s + last, args[0]->u.str.n - last);
	return n1_buf_string(ev->arena, &b);
}

/* All matches one behind the other; an empty one right behind another does not count. Gives how many. */
static size_t
find_all(N1Eval *ev, const N1Regex *re, const N1Value *v, size_t *spans)
{
	size_t		n = 0,
				from = 0,
				start,
				end,
				before = SIZE_MAX;

	while (from <= v->u.str.n && find(ev, re, v, from, &start, &end))
	{
		if (!(start == end && start == before))
		{
			spans[2 * n] = start;
			spans[2 * n + 1] = end;
			n++;
		}
		from = end > from ? end : advance(v, from, end);
		before = end;
	}
	return n;
}

static N1Value *
f_matches(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	N1Regex    *re = bad ? NULL : compile(ev, args[1], "", "");
	size_t	   *spans;
	N1Value   **v;
	size_t		count;

	if (bad != NULL || re == NULL)
		return bad;
	spans = n1_alloc(ev->arena, (args[0]->u.str.n + 2) * 2 * sizeof(*spans));
	count = find_all(ev, re, args[0], spans);
	v = n1_alloc(ev->arena, (count + 1) * sizeof(*v));
	for (size_t i = 0; i < count; i++)
		v[i] = n1_string(ev->arena, args[0]->u.str.s + spans[2 * i], spans[2 * i + 1] - spans[2 * i]);
	return n1_array(ev->arena, v, count);
}

static N1Value *
f_split(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	N1Regex    *re = bad ? NULL : compile(ev, args[1], "", "");
	size_t	   *spans;
	N1Value   **v;
	size_t		count,
				k = 0,
				from = 0;

	if (bad != NULL || re == NULL)
		return bad;
	spans = n1_alloc(ev->arena, (args[0]->u.str.n + 2) * 2 * sizeof(*spans));
	count = find_all(ev, re, args[0], spans);
	v = n1_alloc(ev->arena, (count + 2) * sizeof(*v));
	for (size_t i = 0; i < count; i++)
	{
		if (spans[2 * i + 1] == 0)
			continue;
		v[k++] = n1_string(ev->arena, args[0]->u.str.s + from, spans[2 * i] - from);
		from = spans[2 * i + 1];
	}
	if (k > 0 && from < args[0]->u.str.n)
		v[k++] = n1_string(ev->arena, args[0]->u.str.s + from, args[0]->u.str.n - from);
	return n1_array(ev->arena, v, k);
}

static const N1Func funcs[] = {
	{"contains_regex", 2, 2, f_contains, 0},
	{"contains_regexp", 2, 2, f_contains, 0},
	{"regex_contains", 2, 2, f_contains, 0},
	{"regex_like", 2, 2, f_like, 0},
	{"regex_pos", 2, 2, f_position0, 0},
	{"regex_pos0", 2, 2, f_position0, 0},
	{"regex_pos1", 2, 2, f_position1, 0},
	{"regex_position", 2, 2, f_position0, 0},
	{"regex_position0", 2, 2, f_position0, 0},
	{"regex_position1", 2, 2, f_position1, 0},
	{"regex_replace", 3, 4, f_replace, 0},
	{"regexp_contains", 2, 2, f_contains, 0},
	{"regexp_like", 2, 2, f_like, 0},
	{"regexp_matches", 2, 2, f_matches, 0},
	{"regexp_pos", 2, 2, f_position0, 0},
	{"regexp_pos0", 2, 2, f_position0, 0},
	{"regexp_pos1", 2, 2, f_position1, 0},
	{"regexp_position", 2, 2, f_position0, 0},
	{"regexp_position0", 2, 2, f_position0, 0},
	{"regexp_position1", 2, 2, f_position1, 0},
	{"regexp_replace", 3, 4, f_replace, 0},
	{"regexp_split", 2, 2, f_split, 0},
};

const N1FuncTable n1_funcs_regexp = {funcs, sizeof(funcs) / sizeof(funcs[0])};
