/*
 * json_complain.c: checks JSON and words the complaint about it like the parser of the data service
 * (nlohmann::json), whose text reaches clients when a range-scan create does not parse.
 */
#include <stdlib.h>
#include <string.h>

#include "rangescan.h"

typedef enum Token
{
	TOKEN_WORD,						/* true, false, null, numbers */
	TOKEN_STRING,
	TOKEN_ARRAY,
	TOKEN_OBJECT,
	TOKEN_ARRAY_END,
	TOKEN_OBJECT_END,
	TOKEN_COLON,
	TOKEN_COMMA,
	TOKEN_END,
	TOKEN_BAD
} Token;

typedef struct Reader
{
	const char *start;
	JsonCursor	c;
	const char *token_at;
	Token		token;
	const char *name;				/* of the token */
	const char *bad;				/* what is wrong with it */
} Reader;

static void
read_value_token(Reader *r)
{
	JsonType	type;
	Text		text = {0};

	r->token = TOKEN_BAD;
	r->bad = "invalid literal";
	if (!json_peek_type(&r->c, &type))
		r->c.p++;
	else if (json_skip(&r->c, 1) == 0)
	{
		static const char *const names[] = {
			"", "", "string literal", "number literal", "true literal", "false literal", "null literal"
		};

		r->token = type == JSON_STRING ? TOKEN_STRING : TOKEN_WORD;
		r->name = names[type];
	}
	else if (type == JSON_NUMBER)
		r->bad = "invalid number; expected digit";
	else if (type == JSON_STRING)
		r->bad = r->c.p >= r->c.end ? "invalid string: missing closing quote" :
			"invalid string: forbidden character";
	if (r->token == TOKEN_STRING &&
		!json_string_text((Span) {r->token_at, (size_t) (r->c.p - r->token_at)}, &text))
	{
		r->token = TOKEN_BAD;
		r->bad = "invalid string: ill-formed UTF-8 byte";
	}
	text_free(&text);
}

static void
read_token(Reader *r)
{
	static const char marks[] = "[{]}:,";
	static const char *const names[] = {"'['", "'{'", "']'", "'}'", "':'", "','"};
	const char *mark;

	json_blanks(&r->c);
	r->token_at = r->c.p;
	if (r->c.p >= r->c.end)
	{
		r->token = TOKEN_END;
		r->name = "end of input";
		return;
	}
	mark = *r->c.p != '\0' ? strchr(marks, *r->c.p) : NULL;
	if (mark == NULL)
	{
		read_value_token(r);
		return;
	}
	r->token = (Token) (TOKEN_ARRAY + (mark - marks));
	r->name = names[mark - marks];
	r->c.p++;
}

/* Columns count bytes read of the line, the end of input as one. */
static bool
complain(const Reader *r, const char *context, const char *expected, Text *why)
{
	size_t		line = 1;
	const char *line_start = r->start;

	for (const char *p = r->start; p < r->c.p; p++)
		if (*p == '\n')
		{
			line++;
			line_start = p + 1;
		}
	text_printf(why, "[json.exception.parse_error.101] parse error at line %zu, column %zu: ", line,
				(size_t) (r->c.p - line_start) + (r->token == TOKEN_END ? 1 : 0));
	text_printf(why, "syntax error while parsing %s - ", context);
	if (r->token == TOKEN_BAD)
	{
		text_printf(why, "%s; last read: '", r->bad);
		text_add(why, r->token_at, (size_t) (r->c.p - r->token_at));
		text_puts(why, "'");
	}
	else
		text_printf(why, "unexpected %s", r->name);
	if (expected != NULL)
		text_printf(why, "; expected %s", expected);
	return false;
}

/* The key and colon of a member, up to the token of its value. */
static bool
read_key(Reader *r, Text *why)
{
	if (r->token != TOKEN_STRING)
		return complain(r, "object key", "string literal", why);
	read_token(r);
	if (r->token != TOKEN_COLON)
		return complain(r, "object separator", "':'", why);
	read_token(r);
	return true;
}

/*
 * A value begins: pushes its container, or passes it. *open: its first member or element comes
 * next.
 */
static bool
begin_value(Reader *r, Text *stack, bool *open, Text *why)
{
	*open = false;
	if (r->token == TOKEN_ARRAY || r->token == TOKEN_OBJECT)
	{
		bool		object = r->token == TOKEN_OBJECT;

		read_token(r);
		if (r->token == (object ? TOKEN_OBJECT_END : TOKEN_ARRAY_END))
			return true;
		if (object && !read_key(r, why))
			return false;
		text_add(stack, object ? "{" : "[", 1);
		*open = true;
		return true;
	}
	if (r->token == TOKEN_STRING || r->token == TOKEN_WORD)
		return true;
	return complain(r, "value", r->token == TOKEN_BAD ? NULL : "'[', '{', or a literal", why);
}

/* Behind a value: closes containers up to the next comma. *done: everything was read. */
static bool
end_value(Reader *r, Text *stack, bool *done, Text *why)
{
	*done = false;
	for (;;)
	{
		bool		object;

		read_token(r);
		if (stack->len == 0)
		{
			*done = true;
			return r->token == TOKEN_END || complain(r, "value", "end of input", why);
		}
		object = stack->s[stack->len - 1] == '{';
		if (r->token == TOKEN_COMMA)
		{
			read_token(r);
			return !object || read_key(r, why);
		}
		if (r->token != (object ? TOKEN_OBJECT_END : TOKEN_ARRAY_END))
			return object ? complain(r, "object", "'}'", why) : complain(r, "array", "']'", why);
		stack->len--;
	}
}

bool
json_complain(const char *s, size_t len, Text *why)
{
	Reader		r = {.start = s, .c = {s, s + len}};
	Text		stack = {0};
	bool		done = false;
	bool		open;
	bool		ok = true;

	read_token(&r);
	while (ok && !done)
	{
		ok = begin_value(&r, &stack, &open, why);
		if (ok && !open)
			ok = end_value(&r, &stack, &done, why);
	}
	text_free(&stack);
	return ok;
}
