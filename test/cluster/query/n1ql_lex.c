/*
 * The scanner. The server's is a longest-match automaton that stops for good when the text ends inside something that
 * could have gone on: "1." is 1, and "01" is 0. Everywhere else a shorter match just lets the next token begin there.
 */
#include "n1ql_lex.h"
#include "n1ql_text.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
#define K(word) #word,
#include "n1ql_keywords.h"
#undef K
};

#define N_WORDS (sizeof(words) / sizeof(words[0]))

void
n1_lex_init(N1Lex *x, N1Arena *a, const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\n\v\f\r", *text) != NULL && *text != '\0')
		text++, len--;
	while (len > 0 && strchr(" \t\n\v\f\r", text[len - 1]) != NULL && text[len - 1] != '\0')
		len--;
	x->arena = a;
	x->text = x->s = text;
	x->end = text + len;
	x->line = x->col = 1;
}

static void
advance(N1Lex *x, const char *to)
{
	while (x->s < to)
	{
		int			used;

		if (*x->s == '\n')
		{
			x->line++;
			x->col = 1;
			x->s++;
			continue;
		}
		n1_utf8_get(x->s, (size_t) (x->end - x->s), &used);
		x->col++;
		x->s += used;
	}
}

static bool
is_alpha(char c)
{
	return ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_word(const char *s, const char *end)
{
	while (s < end && (is_alpha(*s) || is_digit(*s)))
		s++;
	return s;
}

static const char *
skip_digits(const char *s, const char *end)
{
	while (s < end && is_digit(*s))
		s++;
	return s;
}

/* Behind the comment at s, or NULL when it does not end. */
static const char *
skip_comment(const char *s, const char *end)
{
	for (s += 2; s + 1 < end; s++)
		if (s[0] == '*' && s[1] == '/')
			return s + 2;
	return NULL;
}

/* Moves to the next token over blanks and comments; a comment with + is one. */
static void
skip_blank(N1Lex *x)
{
	for (;;)
	{
		const char *s = x->s;
		bool		two = x->end - s >= 2;
		bool		hint = x->end - s >= 3 && s[2] == '+';

		if (s < x->end && strchr(" \t\n\r\f", *s) != NULL && *s != '\0')
			s++;
		else if (two && s[0] == '-' && s[1] == '-' && !hint)
			while (s < x->end && *s != '\n' && *s != '\r')
				s++;
		else if (two && s[0] == '/' && s[1] == '*' && !hint && skip_comment(s, x->end) != NULL)
			s = skip_comment(s, x->end);
		else
			return;
		advance(x, s);
	}
}

/* Hexadecimal digits of a \u escape, or -1. */
static int
hex4(const char *s, const char *end)
{
	char		digits[5] = {0};
	char	   *stop;
	long		x;

	if (end - s < 4)
		return -1;
	memcpy(digits, s, 4);
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return -1;
	x = strtol(digits, &stop, 16);
	return (int) x;
}

/* A \u escape, s behind the u; moves *sp; false when it is none. */
static bool
escape_u(const char **sp, const char *end, uint32_t *out)
{
	const char *s = *sp;
	int			hi = hex4(s, end);
	int			lo;

	if (hi < 0)
		return false;
	s += 4;
	*out = (uint32_t) hi;
	if (hi >= 0xD800 && hi <= 0xDFFF)
	{
		*out = 0xFFFD;
		if (end - s >= 6 && s[0] == '\\' && s[1] == 'u')
		{
			lo = hex4(s + 2, end);
			if (lo < 0)
				return false;
			s += 6;
			if (hi < 0xDC00 && lo >= 0xDC00 && lo <= 0xDFFF)
				*out = 0x10000 + (((uint32_t) hi - 0xD800) << 10) + ((uint32_t) lo - 0xDC00);
		}
	}
	*sp = s;
	return true;
}

/* The text between quotes with escapes resolved; gives NULL or what is wrong with it. */
static const char *
unquote(N1Lex *x, N1Lexeme *t, size_t len)
{
	static const char from[] = "bfnrt/\\\"'`",
				to[] = "\b\f\n\r\t/\\\"'`";
	const char *s = t->text + 1,
			   *end = t->text + len - 1;
	char		quote = t->text[0];
	N1Buf		b;

	if (len < 2)
		return "invalid string";
	if (*end != quote)
		return "missing closing quote";
	n1_buf_init(&b, x->arena);
	while (s < end)
	{
		char		c = *s++;
		const char *at;
		uint32_t	u;
		char		utf[4];

		if (c != '\\')
		{
			if (c == quote && (quote == '"' || s >= end || *s++ != quote))
				return "unescaped embedded quote";
			n1_buf_char(&b, c);
			continue;
		}
		if (s == end)
			return "missing closing quote";
		c = *s++;
		at = c == '\0' ? NULL : strchr(from, c);
		if (at != NULL)
			n1_buf_char(&b, to[at - from]);
		else if (c == 'u' && escape_u(&s, end, &u))
			n1_buf_add(&b, utf, n1_utf8_put(utf, u));
		else
			return "invalid escape sequence";
	}
	t->s = b.s;
	t->n = b.n;
	return NULL;
}

static void
complain(N1Lex *x, N1Lexeme *t, const char *what, const char *why)
{
	N1Buf		b;

	n1_buf_init(&b, x->arena);
	n1_buf_printf(&b, what, why);
	t->token = T_ERROR;
	t->complaint = b.s;
}

/* A string or a name in quotes. */
static void
lex_quoted(N1Lex *x, N1Lexeme *t)
{
	char		quote = *x->s;
	const char *s = x->s + 1;
	const char *wrong;
	size_t		len;

	while (s < x->end)
	{
		if (*s == '\\')
		{
			if (s + 1 >= x->end)
				break;
			s += 2;
		}
		else if (*s != quote)
			s++;
		else if (quote != '"' && s + 1 < x->end && s[1] == quote)
			s += 2;
		else
		{
			s++;
			break;
		}
	}
	len = t->len = (size_t) (s - x->s);
	t->token = quote == '`' ? T_IDENT : T_STR;
	if (quote == '`' && s < x->end && *s == 'i')
	{
		t->token = T_IDENT_ICASE;
		t->len++;
	}
	wrong = unquote(x, t, len);
	if (wrong != NULL)
		complain(x, t, t->token == T_STR ? "invalid quoted string - %s" :
				 t->token == T_IDENT ? "invalid escaped identifier - %s" : "invalid case insensitive identifier - %s",
				 wrong);
}

/* Where a number with point or exponent that begins at s ends, or NULL. whole: where its whole part ends. */
static const char *
float_end(const char *whole, const char *end)
{
	const char *s = whole,
			   *frac = NULL,
			   *e;

	if (s < end && *s == '.')
	{
		frac = skip_digits(s + 1, end);
		if (frac == s + 1)
			return NULL;
		s = frac;
	}
	if (s < end && (*s | 32) == 'e')
	{
		s++;
		if (s < end && (*s == '+' || *s == '-'))
			s++;
		e = skip_digits(s, end);
		if (e > s)
			return e;
	}
	return frac;
}

/* True when the text ends in what might have become a longer number than the one that ends at stop. */
static bool
cut_number(const char *s, const char *stop, const char *whole, const char *end)
{
	const char *p = skip_digits(s, end);

	if (p == end)
		return stop < end;
	p = whole;
	if (p < end && *p == '.')
		p = skip_digits(p + 1, end);
	if (p < end && (*p | 32) == 'e')
	{
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
	}
	return p == end && stop < end;
}

static void
lex_number(N1Lex *x, N1Lexeme *t)
{
	const char *s = x->s,
			   *whole = *s == '0' ? s + 1 : skip_digits(s, x->end),
			   *stop = float_end(whole, x->end),
			   *word = skip_digits(s, x->end);
	N1Value    *v;

	word = word < x->end && is_alpha(*word) ? skip_word(word, x->end) : NULL;
	if (word != NULL && (stop == NULL || word > stop))
	{
		t->len = (size_t) (word - s);
		complain(x, t, "%s", "invalid number");
		return;
	}
	if (stop == NULL)
		stop = whole;
	t->len = (size_t) (stop - s);
	v = n1_number_parse(x->arena, s, t->len);
	t->token = v->is_int && stop == whole ? T_INT : T_NUM;
	t->i = v->is_int ? v->u.i : 0;
	t->d = n1_num(v);
	if (cut_number(s, stop, whole, x->end))
		x->end = stop;
}

static int
word_cmp(const char *s, size_t n, const char *word)
{
	size_t		i;

	for (i = 0; i < n; i++)
	{
		char		c = s[i] >= 'a' && s[i] <= 'z' ? (char) (s[i] - 32) : s[i];

		if (c != word[i])
			return (unsigned char) c < (unsigned char) word[i] ? -1 : 1;
	}
	return word[i] == '\0' ? 0 : -1;
}

/* The token of a reserved word, or T_IDENT. */
static N1Token
word_token(const char *s, size_t n)
{
	size_t		lo = 0,
				hi = N_WORDS;

	while (lo < hi)
	{
		size_t		mid = lo + (hi - lo) / 2;
		int			c = word_cmp(s, n, words[mid]);

		if (c == 0)
			return (N1Token) (T_FIRST_WORD + 1 + mid);
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return T_IDENT;
}

/* $name, @name, $1; the server lets | begin one, too. False when it is none. */
static bool
lex_parameter(N1Lex *x, N1Lexeme *t)
{
	const char *s = x->s + 1;

	if (strchr("$@|", *x->s) == NULL || s >= x->end)
		return false;
	if (is_alpha(*s))
	{
		t->token = T_NAMED;
		t->s = s;
		t->n = (size_t) (skip_word(s, x->end) - s);
		t->len = t->n + 1;
		return true;
	}
	if (*s < '1' || *s > '9')
		return false;
	t->token = T_POS;
	t->len = (size_t) (skip_digits(s, x->end) - x->s);
	t->i = strtoll(n1_dup(x->arena, s, t->len - 1), NULL, 10);
	return true;
}

static void
lex_symbol(N1Lex *x, N1Lexeme *t)
{
	static const struct
	{
		const char *text;
		N1Token		token;
	}			symbols[] = {
		{"||", T_CONCAT}, {"==", T_DEQ}, {"!=", T_NE}, {"<>", T_NE}, {"<=", T_LE}, {">=", T_GE},
		{"]i", T_RBRACKET_ICASE}, {"??", T_RANDOM}, {".", T_DOT}, {"+", T_PLUS}, {"-", T_MINUS}, {"*", T_STAR}, {"/", T_DIV_OP},
		{"%", T_MOD_OP}, {"^", T_POW}, {"=", T_EQ}, {"<", T_LT}, {">", T_GT}, {"(", T_LPAREN}, {")", T_RPAREN}, {"{", T_LBRACE},
		{"}", T_RBRACE}, {",", T_COMMA}, {":", T_COLON}, {"[", T_LBRACKET}, {"]", T_RBRACKET}, {";", T_SEMI},
		{"!", T_NOT_A_TOKEN}, {"?", T_NEXT},
	};
	int			used;

	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
	{
		size_t		n = strlen(symbols[i].text);

		if ((size_t) (x->end - x->s) >= n && memcmp(x->s, symbols[i].text, n) == 0)
		{
			t->token = symbols[i].token;
			t->len = n;
			return;
		}
	}
	n1_utf8_get(x->s, (size_t) (x->end - x->s), &used);
	t->token = T_UNKNOWN;
	t->len = (size_t) used;
}

/* A hint comment, or a comment that does not end: the server takes its slash for a division and reads no further. */
static bool
lex_comment(N1Lex *x, N1Lexeme *t)
{
	const char *s = x->s,
			   *stop;

	if (x->end - s >= 3 && memcmp(s, "--+", 3) == 0)
	{
		for (stop = s; stop < x->end && *stop != '\n' && *stop != '\r'; stop++)
			;
	}
	else if (x->end - s >= 2 && memcmp(s, "/*", 2) == 0)
	{
		stop = skip_comment(s, x->end);
		if (stop == NULL)
		{
			x->end = s + 1;
			return false;
		}
	}
	else
		return false;
	t->token = T_HINTS;
	t->len = (size_t) (stop - s);
	return true;
}

N1Lexeme
n1_lex_next(N1Lex *x)
{
	N1Lexeme	t = {0};

	skip_blank(x);
	t.text = x->s;
	t.line = x->line;
	t.col = x->col;
	if (x->s >= x->end)
		return t;
	if (strchr("\"'`", *x->s) != NULL && *x->s != '\0')
		lex_quoted(x, &t);
	else if (is_digit(*x->s))
		lex_number(x, &t);
	else if (is_alpha(*x->s))
	{
		t.len = t.n = (size_t) (skip_word(x->s, x->end) - x->s);
		t.s = x->s;
		t.token = word_token(t.s, t.n);
	}
	else if (!lex_comment(x, &t) && !lex_parameter(x, &t))
		lex_symbol(x, &t);
	advance(x, x->s + t.len);
	return t;
}

/* Names that the server's grammar has for other tokens: it calls text like them reserved, too. */
static bool
is_token_name(const char *s, size_t n)
{
	static const char *const names[] = {
		"COLON", "COMMA", "CONCAT", "DEQ", "DIV", "DOT", "EQ", "GE", "GT", "IDENT", "IDENT_ICASE", "INT", "LBRACE",
		"LBRACKET", "LE", "LPAREN", "LT", "MINUS", "MOD", "NAMED_PARAM", "NAMESPACE_ID", "NE", "NEXT_PARAM",
		"NOT_A_TOKEN", "NUM", "NUMBER", "OPTIM_HINTS", "PLUS", "POSITIONAL_PARAM", "POW", "RANDOM_ELEMENT", "RBRACE",
		"RBRACKET", "RBRACKET_ICASE", "RPAREN", "SEMI", "STAR", "STR", "UMINUS", "_CORRELATED", "_COVER", "_ERROR_"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (word_cmp(s, n, names[i]) == 0)
			return true;
	return false;
}

#define CONTEXT_CHARS 20

static bool
is_space(uint32_t c)
{
	return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* The last 20 characters of the line before the lexeme, from the first one that is no blank. */
static void
near_text(const N1Lex *x, const N1Lexeme *t, N1Buf *out)
{
	const char *starts[CONTEXT_CHARS];
	const char *line = t->text,
			   *s;
	int			n = 0,
				from,
				used;

	while (line > x->text && line[-1] != '\n')
		line--;
	for (s = line; s < t->text; s += used)
	{
		uint32_t	c = n1_utf8_get(s, (size_t) (t->text - s), &used);

		starts[n++ % CONTEXT_CHARS] = is_space(c) ? NULL : s;
	}
	for (from = n < CONTEXT_CHARS ? 0 : n - CONTEXT_CHARS; from < n; from++)
	{
		s = starts[from % CONTEXT_CHARS];
		if (s == NULL)
			continue;
		n1_buf_printf(out, ", near '%s", s == line ? "" : "...");
		n1_buf_add(out, s, (size_t) (t->text - s));
		n1_buf_char(out, '\'');
		return;
	}
}

void
n1_lex_context(const N1Lex *x, const N1Lexeme *t, N1Buf *out)
{
	if (t->token == T_END)
	{
		n1_buf_str(out, " - at end of input");
		return;
	}
	n1_buf_printf(out, " - line %d, column %d", t->line, t->col);
	near_text(x, t, out);
	n1_buf_str(out, ", at: ");
	n1_buf_add(out, t->text, t->len);
	if (word_token(t->text, t->len) != T_IDENT || is_token_name(t->text, t->len))
		n1_buf_str(out, " (reserved word)");
}
