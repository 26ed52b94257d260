/*
 * json_walk.c: reads JSON text: passes values, finds a path, counts. Stops as soon as the answer is
 * known, as the data service does: what stands behind a match is not looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "subdoc.h"

void
json_blanks(JsonCursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
		c->p++;
}

bool
json_peek_type(const JsonCursor *c, JsonType *type)
{
	if (c->p >= c->end)
		return false;
	switch (*c->p)
	{
		case '{':
			*type = JSON_OBJECT;
			return true;
		case '[':
			*type = JSON_ARRAY;
			return true;
		case '"':
			*type = JSON_STRING;
			return true;
		case 't':
			*type = JSON_TRUE;
			return true;
		case 'f':
			*type = JSON_FALSE;
			return true;
		case 'n':
			*type = JSON_NULL;
			return true;
		default:
			*type = JSON_NUMBER;
			return *c->p == '-' || (*c->p >= '0' && *c->p <= '9');
	}
}

static bool
skip_hex4(JsonCursor *c)
{
	for (int i = 0; i < 4; i++, c->p++)
		if (c->p >= c->end || *c->p == '\0' || strchr("0123456789abcdefABCDEF", *c->p) == NULL)
			return false;
	return true;
}

bool
json_skip_string(JsonCursor *c, Span *raw)
{
	if (c->p >= c->end || *c->p != '"')
		return false;
	raw->at = ++c->p;
	while (c->p < c->end && *c->p != '"')
	{
		unsigned char ch = (unsigned char) *c->p++;

		if (ch < 0x20)
			return false;
		if (ch != '\\')
			continue;
		if (c->p >= c->end || *c->p == '\0' || strchr("\"\\/bfnrtu", *c->p) == NULL)
			return false;
		if (*c->p++ == 'u' && !skip_hex4(c))
			return false;
	}
	if (c->p >= c->end)
		return false;
	raw->len = (size_t) (c->p - raw->at);
	c->p++;
	return true;
}

static size_t
skip_digits(JsonCursor *c)
{
	const char *start = c->p;

	while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
		c->p++;
	return (size_t) (c->p - start);
}

static bool
skip_number(JsonCursor *c)
{
	const char *digits;
	size_t		n;

	if (c->p < c->end && *c->p == '-')
		c->p++;
	digits = c->p;
	n = skip_digits(c);
	if (n == 0 || (n > 1 && *digits == '0'))
		return false;
	if (c->p < c->end && *c->p == '.')
	{
		c->p++;
		if (skip_digits(c) == 0)
			return false;
	}
	if (c->p < c->end && (*c->p == 'e' || *c->p == 'E'))
	{
		c->p++;
		if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
			c->p++;
		if (skip_digits(c) == 0)
			return false;
	}
	return true;
}

static bool
skip_word(JsonCursor *c, const char *word)
{
	size_t		n = strlen(word);

	if ((size_t) (c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return false;
	c->p += n;
	return true;
}

void
json_enter(JsonCursor *c)
{
	c->p++;
}

int
json_next(JsonCursor *c, bool object, size_t seen, Span *key)
{
	json_blanks(c);
	if (c->p >= c->end)
		return -1;
	if (*c->p == (object ? '}' : ']'))
	{
		c->p++;
		return 0;
	}
	if (seen > 0)
	{
		if (*c->p != ',')
			return -1;
		c->p++;
		json_blanks(c);
	}
	if (object)
	{
		if (!json_skip_string(c, key))
			return -1;
		json_blanks(c);
		if (c->p >= c->end || *c->p != ':')
			return -1;
		c->p++;
		json_blanks(c);
	}
	return 1;
}

uint16_t
json_skip(JsonCursor *c, unsigned level)
{
	JsonType	type;
	Span		key;
	bool		ok = false;

	if (!json_peek_type(c, &type))
		return KV_SUBDOC_DOC_NOTJSON;
	if (level > JSON_MAX_LEVEL)
		return KV_SUBDOC_DOC_E2DEEP;
	switch (type)
	{
		case JSON_OBJECT:
		case JSON_ARRAY:
			json_enter(c);
			for (size_t seen = 0;; seen++)
			{
				int			more = json_next(c, type == JSON_OBJECT, seen, &key);
				uint16_t	st;

				if (more <= 0)
					return more < 0 ? KV_SUBDOC_DOC_NOTJSON : 0;
				st = json_skip(c, level + 1);
				if (st != 0)
					return st;
			}
		case JSON_STRING:
			ok = json_skip_string(c, &key);
			break;
		case JSON_NUMBER:
			ok = skip_number(c);
			break;
		case JSON_TRUE:
			ok = skip_word(c, "true");
			break;
		case JSON_FALSE:
			ok = skip_word(c, "false");
			break;
		case JSON_NULL:
			ok = skip_word(c, "null");
			break;
	}
	return ok ? 0 : KV_SUBDOC_DOC_NOTJSON;
}

/*
 * Is this raw key the name of the path? \u escapes of the document are resolved first: paths cannot
 * have them.
 */
static bool
key_is(Span key, const char *name, size_t len)
{
	Text		plain = {0};
	bool		same;

	if (key.len == len && memcmp(key.at, name, len) == 0)
		return true;
	if (memchr(key.at, '\\', key.len) == NULL)
		return false;
	for (size_t i = 0; i < key.len; i++)
	{
		Text		one = {0};
		char		quoted[9] = "\"\\u0000\"";

		if (key.at[i] != '\\' || i + 1 >= key.len)
			text_add(&plain, key.at + i, 1);
		else if (key.at[i + 1] != 'u' || i + 6 > key.len)
		{
			text_add(&plain, key.at + i, 2);
			i++;
		}
		else
		{
			memcpy(quoted + 3, key.at + i + 2, 4);
			if (json_string_text((Span) {quoted, 8}, &one))
				text_add(&plain, one.s, one.len);
			text_free(&one);
			i += 5;
		}
	}
	same = plain.len == len && memcmp(plain.s, name, len) == 0;
	text_free(&plain);
	return same;
}

/*
 * Moves the cursor from the bracket of a container to the child a path part names. 1: there; 0: not
 * there, the container is passed and m tells its size; else a status.
 */
static uint16_t
find_child(JsonCursor *c, const PathPart *part, unsigned level, JsonMatch *m)
{
	bool		object = !part->is_index;
	const char *start = c->p;
	const char *last = NULL;
	size_t		seen = 0;
	Span		key = {NULL, 0};
	uint16_t	st;

	json_enter(c);
	for (;; seen++)
	{
		int			more = json_next(c, object, seen, &key);

		if (more < 0)
			return KV_SUBDOC_DOC_NOTJSON;
		if (more == 0)
			break;
		m->key = object ? (Span) {key.at - 1, key.len + 2} : (Span) {NULL, 0};
		m->position = seen;
		if (object ? key_is(key, part->name, part->len) : !part->is_last && seen == part->index)
			return 1;
		last = c->p;
		st = json_skip(c, level + 1);
		if (st != 0)
			return st;
	}
	if (part->is_last && last != NULL)
	{
		c->p = last;
		m->position = seen - 1;
		return 1;
	}
	m->value = (Span) {start, (size_t) (c->p - start)};
	m->members = seen;
	return 0;
}

uint16_t
json_find(const char *doc, size_t len, const JsonPath *path, JsonMatch *m)
{
	JsonCursor	c = {doc, doc + len};
	const char *start;
	uint16_t	st;
	unsigned	i;

	memset(m, 0, sizeof(*m));
	json_blanks(&c);
	for (i = 0;; i++)
	{
		if (!json_peek_type(&c, &m->type))
			return KV_SUBDOC_DOC_NOTJSON;
		if (i + 1 > JSON_MAX_LEVEL)
			return KV_SUBDOC_DOC_E2DEEP;
		if (i == path->n)
			break;
		if (m->type != (path->part[i].is_index ? JSON_ARRAY : JSON_OBJECT))
			return KV_SUBDOC_PATH_MISMATCH;
		st = find_child(&c, &path->part[i], i + 1, m);
		if (st > 1)
			return st;
		if (st == 0)
		{
			m->depth = i;
			return 0;
		}
	}
	start = c.p;
	st = json_skip(&c, path->n + 1);
	if (st != 0)
		return st;
	m->value = (Span) {start, (size_t) (c.p - start)};
	m->found = true;
	return 0;
}

bool
json_count(Span container, size_t *n)
{
	JsonCursor	c = {container.at, container.at + container.len};
	JsonType	type;
	Span		key;
	int			more;

	if (!json_peek_type(&c, &type) || (type != JSON_OBJECT && type != JSON_ARRAY))
		return false;
	json_enter(&c);
	for (*n = 0; (more = json_next(&c, type == JSON_OBJECT, *n, &key)) > 0; ++*n)
		if (json_skip(&c, 2) != 0)
			return false;
	return more == 0;
}

bool
json_member(Span object, const char *name, Span *value, JsonType *type)
{
	JsonCursor	c = {object.at, object.at + object.len};
	bool		found = false;
	Span		key;

	json_blanks(&c);
	if (!json_peek_type(&c, type) || *type != JSON_OBJECT)
		return false;
	json_enter(&c);
	for (size_t seen = 0; json_next(&c, true, seen, &key) > 0; seen++)
	{
		const char *start = c.p;
		JsonType	this_type;

		if (!json_peek_type(&c, &this_type) || json_skip(&c, 2) != 0)
			return false;
		if (key_is(key, name, strlen(name)))
		{
			*value = (Span) {start, (size_t) (c.p - start)};
			*type = this_type;
			found = true;		/* the last of several counts */
		}
	}
	return found;
}

/* ---------------------------------------------------------------- fragments */

static uint16_t
fragment_status(uint16_t st)
{
	return st == KV_SUBDOC_DOC_E2DEEP ? KV_SUBDOC_VALUE_E2DEEP : KV_SUBDOC_VALUE_CANTINSERT;
}

uint16_t
json_check_fragment(Span value, FragmentKind kind, unsigned level)
{
	JsonCursor	c = {value.at, value.at + value.len};
	JsonType	type;
	Span		key;

	for (;;)
	{
		uint16_t	st;

		json_blanks(&c);
		if (kind == FRAGMENT_ONE_SCALAR &&
			(!json_peek_type(&c, &type) || type == JSON_OBJECT || type == JSON_ARRAY))
			return KV_SUBDOC_VALUE_CANTINSERT;
		st = json_skip(&c, level);
		if (st != 0)
			return fragment_status(st);
		json_blanks(&c);
		if (c.p == c.end)
			return 0;
		if (*c.p != ',' || kind == FRAGMENT_ONE_SCALAR)
			return KV_SUBDOC_VALUE_CANTINSERT;
		c.p++;
		if (kind == FRAGMENT_MEMBER)
		{
			json_blanks(&c);
			if (!json_skip_string(&c, &key))
				return KV_SUBDOC_VALUE_CANTINSERT;
			json_blanks(&c);
			if (c.p >= c.end || *c.p != ':')
				return KV_SUBDOC_VALUE_CANTINSERT;
			c.p++;
		}
	}
}
