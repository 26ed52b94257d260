/*
 * Regular expressions: from the pattern to a program.
 */
#include "n1ql_regex_int.h"

#include <stdio.h>
#include <string.h>

#define DEEPEST 250

_Noreturn void
n1_regex_fail(N1ReCompiler *c, const char *what, const char *from, const char *to)
{
	N1Buf		b;

	n1_buf_init(&b, c->arena);
	n1_buf_printf(&b, "%s: `%.*s`", what, (int) (to - from), from);
	c->wrong = b.s;
	longjmp(c->stop, 1);
}

static N1ReNode *
node(N1ReCompiler *c, N1ReNodeKind kind, N1ReNode *left, N1ReNode *right)
{
	N1ReNode	   *x = n1_alloc(c->arena, sizeof(*x));

	x->kind = kind;
	x->left = left;
	x->right = right;
	return x;
}

static void
add_range(N1ReCompiler *c, N1Set *set, uint32_t lo, uint32_t hi)
{
	if ((set->n & (set->n - 1)) == 0)
	{
		N1Range    *r = n1_alloc(c->arena, (size_t) (set->n ? set->n * 2 : 1) * sizeof(*r));

		if (set->n > 0)
			memcpy(r, set->r, (size_t) set->n * sizeof(*r));
		set->r = r;
	}
	set->r[set->n++] = (N1Range) {lo, hi};
}

static N1Set *
new_set(N1ReCompiler *c)
{
	N1Set	   *set = n1_alloc(c->arena, sizeof(*set));

	set->fold = c->fold;
	return set;
}

static N1ReNode *
set_node(N1ReCompiler *c, N1Set *set)
{
	N1ReNode	   *x = node(c, NODE_SET, NULL, NULL);

	x->set = set;
	return x;
}

static N1ReNode *
assert_node(N1ReCompiler *c, N1ReOp op)
{
	N1ReNode	   *x = node(c, NODE_ASSERT, NULL, NULL);

	x->op = op;
	return x;
}

static uint32_t
next_char(N1ReCompiler *c)
{
	int			used;
	uint32_t	u = n1_utf8_get(c->s, (size_t) (c->end - c->s), &used);

	c->s += used;
	return u;
}

/* ---- classes ---- */

/* Adds \d, \s, \w or what is not in them. False when the letter is none of these. */
static bool
perl_class(N1ReCompiler *c, N1Set *set, char letter)
{
	static const N1Range digits[] = {{'0', '9'}},
				spaces[] = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}},
				word[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
	const N1Range *r = NULL;
	size_t		n = 0;
	uint32_t	lo = 0;

	switch (letter | 32)
	{
		case 'd':
			r = digits;
			n = 1;
			break;
		case 's':
			r = spaces;
			n = 3;
			break;
		case 'w':
			r = word;
			n = 4;
			break;
		default:
			return false;
	}
	for (size_t i = 0; i < n && letter >= 'a'; i++)
		add_range(c, set, r[i].lo, r[i].hi);
	for (size_t i = 0; i < n && letter < 'a'; i++)
	{
		if (r[i].lo > lo)
			add_range(c, set, lo, r[i].lo - 1);
		lo = r[i].hi + 1;
	}
	if (letter < 'a')
		add_range(c, set, lo, 0x10FFFF);
	return true;
}

static bool
posix_class(N1ReCompiler *c, N1Set *set)
{
	static const struct
	{
		const char *name;
		const char *ranges;
	}			classes[] = {
		{"[:alnum:]", "09AZaz"}, {"[:alpha:]", "AZaz"}, {"[:digit:]", "09"}, {"[:lower:]", "az"}, {"[:upper:]", "AZ"},
		{"[:space:]", "\t\r  "}, {"[:word:]", "09AZaz__"}, {"[:xdigit:]", "09AFaf"}, {"[:punct:]", "!/:@[`{~"},
		{"[:blank:]", "\t\t  "}, {"[:print:]", " ~"}, {"[:graph:]", "!~"},
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
	{
		size_t		n = strlen(classes[i].name);

		if ((size_t) (c->end - c->s) < n || memcmp(c->s, classes[i].name, n) != 0)
			continue;
		for (const char *r = classes[i].ranges; *r != '\0'; r += 2)
			add_range(c, set, (unsigned char) r[0], (unsigned char) r[1]);
		c->s += n;
		return true;
	}
	return false;
}

static int
hex(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch |= 32;
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* Behind \x: two digits or {digits}. */
static uint32_t
hex_escape(N1ReCompiler *c, const char *from)
{
	uint32_t	u = 0;
	bool		braces = c->s < c->end && *c->s == '{';
	int			digits = 0;

	if (braces)
		c->s++;
	while (c->s < c->end && hex(*c->s) >= 0 && (braces || digits < 2) && u <= 0x10FFFF)
	{
		u = u * 16 + (uint32_t) hex(*c->s++);
		digits++;
	}
	if (digits == 0 || (!braces && digits < 2) || u > 0x10FFFF || (braces && (c->s >= c->end || *c->s++ != '}')))
		n1_regex_fail(c, "invalid escape sequence", from, c->s < c->end ? c->s + 1 : c->end);
	return u;
}

/* The character that an escape means, the backslash being read. */
static uint32_t
escape_char(N1ReCompiler *c)
{
	static const char from[] = "aftnrv",
				to[] = "\a\f\t\n\r\v";
	const char *start = c->s - 1;
	char		ch;
	const char *at;

	if (c->s >= c->end)
		n1_regex_fail(c, "trailing backslash at end of expression", c->s, c->s);
	ch = *c->s;
	if ((unsigned char) ch >= 0x80 || (hex(ch) < 0 && !((ch | 32) >= 'a' && (ch | 32) <= 'z') && ch != '_'))
		return next_char(c);
	c->s++;
	at = strchr(from, ch);
	if (at != NULL)
		return (uint32_t) to[at - from];
	if (ch == 'x')
		return hex_escape(c, start);
	if (ch == '0')
	{
		uint32_t	u = 0;

		for (int i = 0; i < 2 && c->s < c->end && *c->s >= '0' && *c->s <= '7'; i++)
			u = u * 8 + (uint32_t) (*c->s++ - '0');
		return u;
	}
	n1_regex_fail(c, "invalid escape sequence", start, c->s);
}

/* One end of a range in brackets. */
static uint32_t
class_char(N1ReCompiler *c, const char *open)
{
	if (c->s >= c->end)
		n1_regex_fail(c, "missing closing ]", open, c->end);
	if (*c->s != '\\')
		return next_char(c);
	c->s++;
	return escape_char(c);
}

static N1ReNode *
parse_class(N1ReCompiler *c)
{
	const char *open = c->s++;
	N1Set	   *set = new_set(c);
	bool		first = true;

	if (c->s < c->end && *c->s == '^')
	{
		set->negated = true;
		c->s++;
	}
	for (; c->s >= c->end || *c->s != ']' || first; first = false)
	{
		const char *from = c->s;
		uint32_t	lo,
					hi;

		if (c->s >= c->end)
			n1_regex_fail(c, "missing closing ]", open, c->end);
		if (posix_class(c, set))
			continue;
		if (*c->s == '\\' && c->end - c->s > 1 && perl_class(c, set, c->s[1]))
		{
			c->s += 2;
			continue;
		}
		lo = hi = class_char(c, open);
		if (c->end - c->s > 1 && c->s[0] == '-' && c->s[1] != ']')
		{
			c->s++;
			hi = class_char(c, open);
			if (hi < lo)
				n1_regex_fail(c, "invalid character class range", from, c->s);
		}
		add_range(c, set, lo, hi);
	}
	c->s++;
	return set_node(c, set);
}

/* ---- syntax ---- */

static N1ReNode *parse_alt(N1ReCompiler *c);

static N1ReNode *
char_node(N1ReCompiler *c, uint32_t u)
{
	N1Set	   *set = new_set(c);

	add_range(c, set, u, u);
	return set_node(c, set);
}

static N1ReNode *
parse_escape(N1ReCompiler *c)
{
	const char *from = c->s++;
	N1Set	   *set;

	if (c->s < c->end)
	{
		switch (*c->s)
		{
			case 'A':
				c->s++;
				return assert_node(c, RE_BEGIN_TEXT);
			case 'z':
				c->s++;
				return assert_node(c, RE_END_TEXT);
			case 'b':
				c->s++;
				return assert_node(c, RE_WORD);
			case 'B':
				c->s++;
				return assert_node(c, RE_NOT_WORD);
			case 'p':
			case 'P':
				n1_regex_fail(c, "invalid character class range", from, c->end);
			default:
				break;
		}
		set = new_set(c);
		if (perl_class(c, set, *c->s))
		{
			c->s++;
			return set_node(c, set);
		}
	}
	return char_node(c, escape_char(c));
}

/* Behind (?: flags, a name, or a plain group. True when there is a group to parse; false: only flags were set. */
static bool
parse_group_head(N1ReCompiler *c, const char *open)
{
	bool		on = true;

	if (c->end - c->s > 2 && c->s[0] == 'P' && c->s[1] == '<')
	{
		while (c->s < c->end && *c->s != '>')
			c->s++;
		if (c->s >= c->end)
			n1_regex_fail(c, "invalid named capture", open, c->end);
		c->s++;
		return true;
	}
	for (; c->s < c->end; c->s++)
	{
		switch (*c->s)
		{
			case 'i':
				c->fold = on;
				continue;
			case 's':
				c->dotall = on;
				continue;
			case 'm':
				c->multiline = on;
				continue;
			case 'U':
				c->ungreedy = on;
				continue;
			case '-':
				on = false;
				continue;
			case ':':
				c->s++;
				return true;
			case ')':
				c->s++;
				return false;
			default:
				break;
		}
		break;
	}
	n1_regex_fail(c, "invalid or unsupported Perl syntax", open, c->s < c->end ? c->s + 1 : c->end);
}

static N1ReNode *
parse_group(N1ReCompiler *c)
{
	const char *open = c->s++;
	bool		fold = c->fold,
				dotall = c->dotall,
				multiline = c->multiline,
				ungreedy = c->ungreedy;
	N1ReNode	   *x;

	if (c->s < c->end && *c->s == '?')
	{
		c->s++;
		if (!parse_group_head(c, open))
			return node(c, NODE_EMPTY, NULL, NULL);
	}
	x = parse_alt(c);
	if (c->s >= c->end)
		n1_regex_fail(c, "missing closing )", c->text, c->end);
	c->s++;
	c->fold = fold;
	c->dotall = dotall;
	c->multiline = multiline;
	c->ungreedy = ungreedy;
	return x;
}

static N1ReNode *
parse_atom(N1ReCompiler *c)
{
	N1Set	   *set;

	switch (*c->s)
	{
		case '(':
			return parse_group(c);
		case '[':
			return parse_class(c);
		case '\\':
			return parse_escape(c);
		case '.':
			c->s++;
			set = new_set(c);
			set->fold = false;
			set->negated = true;
			if (!c->dotall)
				add_range(c, set, '\n', '\n');
			return set_node(c, set);
		case '^':
			c->s++;
			return assert_node(c, c->multiline ? RE_BEGIN_LINE : RE_BEGIN_TEXT);
		case '$':
			c->s++;
			return assert_node(c, c->multiline ? RE_END_LINE : RE_END_TEXT);
		case '*':
		case '+':
		case '?':
			n1_regex_fail(c, "missing argument to repetition operator", c->s, c->s + 1);
		default:
			return char_node(c, next_char(c));
	}
}

/* Reads {n}, {n,} or {n,m}; false when the brace is just a character. */
static bool
parse_counts(N1ReCompiler *c, int *min, int *max)
{
	const char *s = c->s + 1,
			   *from = c->s;
	long		n[2] = {-1, -1};
	int			i = 0;

	for (; s < c->end && *s != '}'; s++)
	{
		if (*s == ',' && i == 0 && n[0] >= 0)
			i = 1;
		else if (*s >= '0' && *s <= '9')
			n[i] = (n[i] < 0 ? 0 : n[i] > 100000 ? n[i] : n[i] * 10) + (*s - '0');
		else
			return false;
	}
	if (s >= c->end || n[0] < 0)
		return false;
	*min = (int) n[0];
	*max = i == 0 ? (int) n[0] : (int) n[1];
	c->s = s + 1;
	if (*min > N1_RE_MOST_REPEATS || *max > N1_RE_MOST_REPEATS || (*max >= 0 && *max < *min))
		n1_regex_fail(c, "invalid repeat count", from, c->s);
	return true;
}

static N1ReNode *
parse_repeat(N1ReCompiler *c)
{
	N1ReNode	   *x = parse_atom(c);
	const char *last = NULL;

	while (c->s < c->end && strchr("*+?{", *c->s) != NULL)
	{
		const char *from = c->s;
		N1ReNode	   *r = node(c, NODE_REPEAT, x, NULL);

		r->max = -1;
		if (*c->s == '{')
		{
			if (!parse_counts(c, &r->min, &r->max))
				break;
		}
		else
		{
			r->min = *c->s == '+';
			r->max = *c->s == '?' ? 1 : -1;
			c->s++;
		}
		r->lazy = c->ungreedy;
		if (c->s < c->end && *c->s == '?')
		{
			r->lazy = !r->lazy;
			c->s++;
		}
		if (last != NULL)
			n1_regex_fail(c, "invalid nested repetition operator", last, c->s);
		last = from;
		x = r;
	}
	return x;
}

static N1ReNode *
parse_cat(N1ReCompiler *c)
{
	N1ReNode	   *x = NULL;

	while (c->s < c->end && *c->s != '|' && *c->s != ')')
	{
		N1ReNode	   *y = parse_repeat(c);

		x = x ? node(c, NODE_CAT, x, y) : y;
	}
	return x ? x : node(c, NODE_EMPTY, NULL, NULL);
}

static N1ReNode *
parse_alt(N1ReCompiler *c)
{
	N1ReNode	   *x;

	if (++c->depth > DEEPEST)
		n1_regex_fail(c, "expression nests too deeply", c->text, c->end);
	x = parse_cat(c);
	while (c->s < c->end && *c->s == '|')
	{
		c->s++;
		x = node(c, NODE_ALT, x, parse_cat(c));
	}
	c->depth--;
	return x;
}

N1Regex *
n1_regex(N1Arena *a, const char *s, size_t n, const char **wrong)
{
	N1ReCompiler   *c = n1_alloc(a, sizeof(*c));
	N1Regex    *re = n1_alloc(a, sizeof(*re));
	N1ReNode	   *x;

	c->arena = a;
	c->s = c->text = n1_dup(a, s, n);
	c->end = c->s + n;
	if (setjmp(c->stop) != 0)
	{
		*wrong = c->wrong;
		return NULL;
	}
	x = parse_alt(c);
	if (c->s < c->end)
		n1_regex_fail(c, "unexpected )", c->text, c->end);
	n1_regex_generate(c, x);
	re->prog = c->prog;
	re->n = c->n;
	return re;
}
