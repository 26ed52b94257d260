/*
 * json_path.c: the path syntax of subdocument operations: a.b[0].`odd.name`[-1]
 * (kv_engine docs/SubDocument.md; what it accepts beyond that was recorded from the data service).
 */
#include <string.h>

#include "subdoc.h"

static uint16_t
add_index(JsonPath *p, const char *digits, size_t len)
{
	PathPart   *part;
	size_t		value = 0;
	bool		last = len == 2 && digits[0] == '-' && digits[1] == '1';

	for (size_t i = 0; i < len && !last; i++)
	{
		if (digits[i] < '0' || digits[i] > '9' || value > SIZE_MAX / 10 - 1)
			return KV_SUBDOC_PATH_EINVAL;
		value = value * 10 + (size_t) (digits[i] - '0');
	}
	if (p->n == PATH_MAX_PARTS)
		return KV_SUBDOC_PATH_E2BIG;
	part = &p->part[p->n++];
	memset(part, 0, sizeof(*part));
	part->is_index = true;
	part->is_last = last;
	part->index = value;
	return 0;
}

/* Doubled backticks become one, single ones vanish. */
static void
unquote(JsonPath *p, PathPart *part)
{
	char	   *out = p->names + p->names_used;
	size_t		n = 0;

	for (size_t i = 0; i < part->len; i++)
	{
		if (part->name[i] != '`')
			out[n++] = part->name[i];
		else if (i + 1 < part->len && part->name[i + 1] == '`')
			out[n++] = part->name[i++];
	}
	part->name = out;
	part->len = n;
	p->names_used += n;
}

static uint16_t
add_name(JsonPath *p, const char *name, size_t len, size_t backticks)
{
	PathPart   *part;

	if (len > 1 && name[0] == '`' && name[len - 1] == '`')
	{
		name++;
		len -= 2;
		backticks -= 2;
	}
	if (p->n == PATH_MAX_PARTS)
		return KV_SUBDOC_PATH_E2BIG;
	if (len == 0)
		return KV_SUBDOC_PATH_EINVAL;
	part = &p->part[p->n++];
	memset(part, 0, sizeof(*part));
	part->name = name;
	part->len = len;
	if (backticks > 0)
		unquote(p, part);
	return 0;
}

/*
 * One name: up to a dot or bracket outside backticks. *used: bytes it takes, a dot behind it
 * included.
 */
static uint16_t
parse_name(JsonPath *p, const char *text, size_t len, size_t *used)
{
	bool		quoted = false;
	bool		escaped = false;
	size_t		backticks = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (escaped)
		{
			if (c == '\0' || strchr("\"/\\bfnrt", c) == NULL)
				return KV_SUBDOC_PATH_EINVAL;
			escaped = false;
		}
		else if (c == '\\')
			escaped = true;
		else if (c == '"' || c < 0x1f)
			return KV_SUBDOC_PATH_EINVAL;
		if (c == '`')
		{
			backticks++;
			quoted = !quoted;
		}
		if (quoted)
			continue;
		if (c == ']')
			return KV_SUBDOC_PATH_EINVAL;
		if (c == '[' || c == '.')
			break;
	}
	if (quoted || escaped)
		return KV_SUBDOC_PATH_EINVAL;
	*used = i < len && text[i] == '.' ? i + 1 : i;
	return add_name(p, text, i, backticks);
}

/* One index with its brackets, and a dot behind it. */
static uint16_t
parse_index(JsonPath *p, const char *text, size_t len, size_t *used)
{
	const char *close = memchr(text, ']', len);
	uint16_t	st;
	size_t		i;

	if (close == NULL)
		return KV_SUBDOC_PATH_EINVAL;
	st = add_index(p, text + 1, (size_t) (close - text) - 1);
	if (st != 0)
		return st;
	i = (size_t) (close - text) + 1;
	if (i < len && text[i] == '.')
		i++;
	else if (i < len && text[i] != '[')
		return KV_SUBDOC_PATH_EINVAL;
	*used = i;
	return 0;
}

uint16_t
path_parse(JsonPath *p, const char *text, size_t len)
{
	p->n = 0;
	p->names_used = 0;
	if (len > PATH_MAX_BYTES)
		return KV_SUBDOC_PATH_EINVAL;
	for (size_t i = 0; i < len;)
	{
		size_t		used = 0;
		uint16_t	st;

		if (text[i] == '[')
			st = parse_index(p, text + i, len - i, &used);
		else
			st = parse_name(p, text + i, len - i, &used);
		if (st != 0)
			return st;
		i += used;
	}
	return 0;
}
