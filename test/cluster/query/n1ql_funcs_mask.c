/*
 * MASK(text, options): a text behind a mask.
 */
#include "n1ql_func.h"
#include "n1ql_funcs_string.h"
#include "n1ql_regex.h"

#include <string.h>
#include <strings.h>

typedef struct Chars			/* code points, read from the left or from the right */
{
	uint32_t   *c;
	size_t		n;
	size_t		at;
	bool		right;
} Chars;

static Chars
chars_of(N1Eval *ev, const char *s, size_t n)
{
	Chars		x = {.c = n1_alloc(ev->arena, (n + 1) * sizeof(uint32_t))};
	int			used;

	for (size_t i = 0; i < n; i += (size_t) used)
		x.c[x.n++] = n1_utf8_get(s + i, n - i, &used);
	return x;
}

static bool
read_char(Chars *x, uint32_t *c)
{
	if (x->at >= x->n)
		return false;
	*c = x->right ? x->c[x->n - 1 - x->at] : x->c[x->at];
	x->at++;
	return true;
}

static bool
has_char(const Chars *x, uint32_t c)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->c[i] == c)
			return true;
	return false;
}

typedef struct Mask
{
	Chars		mask, hole, inject, source;
	bool		preserve;		/* the result is as long as the text */
	bool		right;			/* from the end */
	size_t		anchor;			/* characters that stay before the mask begins */
} Mask;

static Chars
option_chars(N1Eval *ev, N1Value *options, const char *name, const char *otherwise)
{
	N1Value    *v = options ? n1_option(ev, options, name, N1_STRING) : NULL;

	return v ? chars_of(ev, v->u.str.s, v->u.str.n) : chars_of(ev, otherwise, strlen(otherwise));
}

static bool
is_word(const N1Value *v, const char *word)
{
	return v->u.str.n == strlen(word) && strncasecmp(v->u.str.s, word, v->u.str.n) == 0;
}

/* Where the mask begins: false with *done set to the whole text (no such place), or with ev->err set. */
static bool
find_anchor(N1Eval *ev, N1Value *text, N1Value *anchor, Mask *m)
{
	const char *wrong;
	N1Regex    *re;
	size_t		start,
				end;
	int64_t		at;

	if (anchor->type == N1_NUMBER && n1_whole(anchor, &at))
	{
		m->right = at < 0;
		m->anchor = (size_t) (at < 0 ? -(at + 1) + 1 : at);
		return true;
	}
	if (anchor->type != N1_STRING || is_word(anchor, "start"))
		return true;
	if (is_word(anchor, "end"))
	{
		m->right = true;
		return true;
	}
	re = n1_regex(ev->arena, anchor->u.str.s, anchor->u.str.n, &wrong);
	if (re == NULL)
	{
		n1_fail(ev, N1_EVAL_ERROR, "error parsing regexp: %s", wrong);
		return false;
	}
	if (!n1_regex_find(re, ev->arena, text->u.str.s, text->u.str.n, 0, &start, &end))
		return false;
	m->anchor = n1_utf8_len(text->u.str.s, start);
	return true;
}

/* The next character of the result; 0 when both mask and text are at their end. */
static uint32_t
masked_char(Mask *m)
{
	uint32_t	c,
				s;

	if (!read_char(&m->mask, &c))
		return read_char(&m->source, &s) ? s : 0;
	if (has_char(&m->hole, c))
		return read_char(&m->source, &s) ? s : c;
	if (!has_char(&m->inject, c))
		read_char(&m->source, &s);
	return c;
}

static N1Value *
apply(N1Eval *ev, Mask *m)
{
	size_t		len = m->preserve ? m->source.n : m->mask.n + m->anchor,
				i = 0;
	uint32_t   *out;
	N1Buf		b;

	for (size_t k = 0; m->preserve && k < m->mask.n; k++)
		len += has_char(&m->inject, m->mask.c[k]);
	out = n1_alloc(ev->arena, (len + 1) * sizeof(*out));
	m->mask.right = m->source.right = m->right;
	while (i < m->anchor && i < len && read_char(&m->source, &out[i]))
		i++;
	for (; i < len; i++)
		out[i] = masked_char(m);
	n1_buf_init(&b, ev->arena);
	for (i = 0; i < len; i++)
	{
		char		utf[4];

		n1_buf_add(&b, utf, n1_utf8_put(utf, out[m->right ? len - 1 - i : i]));
	}
	return n1_buf_string(ev->arena, &b);
}

N1Value *
n1_f_mask(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *options = n > 1 ? args[1] : NULL,
			   *v;
	Mask		m = {0};

	if (args[0]->type == N1_MISSING || (options != NULL && options->type == N1_MISSING))
		return &n1_missing;
	if (args[0]->type != N1_STRING || (options != NULL && options->type != N1_OBJECT))
		return &n1_null;
	m.source = chars_of(ev, args[0]->u.str.s, args[0]->u.str.n);
	m.mask = option_chars(ev, options, "mask", "********");
	if (m.mask.n == 0)
		m.mask = chars_of(ev, "********", 8);
	m.hole = option_chars(ev, options, "hole", " ");
	m.inject = option_chars(ev, options, "inject", "");
	v = options ? n1_option(ev, options, "length", N1_STRING) : NULL;
	m.preserve = v != NULL && is_word(v, "source");
	v = options ? n1_field(ev->arena, options, "anchor", 6) : &n1_missing;
	if (!find_anchor(ev, args[0], v, &m))
		return ev->err.code ? NULL : args[0];
	return m.anchor > m.source.n ? args[0] : apply(ev, &m);
}
