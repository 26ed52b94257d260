/*
 * load.c: fills collections before the cluster opens: from files of one JSON object a line, or with
 * generated documents.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage.h"

#define MAX_DEPTH 512

/* ---------------------------------------------------------------- one line */

static char *
skip_blanks(char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* Four hexadecimal digits, or -1. */
static int
hex4(const char *p, const char *end)
{
	int			value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		char		c = p[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= c - '0';
		else if (c >= 'a' && c <= 'f')
			value |= c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			value |= c - 'A' + 10;
		else
			return -1;
	}
	return value;
}

static char *
put_utf8(char *out, unsigned c)
{
	if (c < 0x80)
		*out++ = (char) c;
	else if (c < 0x800)
	{
		*out++ = (char) (0xc0 | c >> 6);
		*out++ = (char) (0x80 | (c & 0x3f));
	}
	else if (c < 0x10000)
	{
		*out++ = (char) (0xe0 | c >> 12);
		*out++ = (char) (0x80 | (c >> 6 & 0x3f));
		*out++ = (char) (0x80 | (c & 0x3f));
	}
	else
	{
		*out++ = (char) (0xf0 | c >> 18);
		*out++ = (char) (0x80 | (c >> 12 & 0x3f));
		*out++ = (char) (0x80 | (c >> 6 & 0x3f));
		*out++ = (char) (0x80 | (c & 0x3f));
	}
	return out;
}

/* Decodes one escape (p behind the backslash) to *out; returns where it ends, NULL if it is malformed. */
static char *
decode_escape(char *p, const char *end, char **out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	int			unit;

	if (p == end)
		return NULL;
	if (*p != 'u')
	{
		found = strchr(from, *p);
		if (*p == '\0' || found == NULL)
			return NULL;
		*(*out)++ = to[found - from];
		return p + 1;
	}
	unit = hex4(p + 1, end);
	if (unit < 0)
		return NULL;
	p += 5;
	if (unit >= 0xd800 && unit < 0xe000)
	{
		int			low = end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, end) : -1;

		if (unit >= 0xdc00 || low < 0xdc00 || low > 0xdfff)
			return NULL;
		*out = put_utf8(*out, 0x10000u + ((unsigned) (unit - 0xd800) << 10) + (unsigned) (low - 0xdc00));
		return p + 6;
	}
	*out = put_utf8(*out, (unsigned) unit);
	return p;
}

/* Decodes the string at p (a quote) where it stands; returns what follows it, NULL if it is malformed. */
static char *
decode_string(char *p, const char *end, char **text, size_t *len)
{
	char	   *out = ++p;

	*text = out;
	while (p < end && *p != '"')
	{
		if ((unsigned char) *p < 0x20)
			return NULL;
		if (*p == '\\')
		{
			p = decode_escape(p + 1, end, &out);
			if (p == NULL)
				return NULL;
		}
		else
			*out++ = *p++;
	}
	if (p == end)
		return NULL;
	*len = (size_t) (out - *text);
	return p + 1;
}

/* Finds the end of the value at p by strings and brackets alone; the store checks the rest. */
static char *
skip_value(char *p, const char *end)
{
	int			depth = 0;

	for (; p < end; p++)
	{
		if (*p == '"')
		{
			for (p++; p < end && *p != '"'; p++)
				if (*p == '\\')
					p++;
			if (p >= end)
				return NULL;
		}
		else if (*p == '{' || *p == '[')
		{
			if (++depth > MAX_DEPTH)
				return NULL;
		}
		else if (*p == '}' || *p == ']')
		{
			if (depth == 0)
				return p;
			if (--depth == 0)
				return p + 1;
		}
		else if (*p == ',' && depth == 0)
			return p;
	}
	return NULL;
}

/* Parses one member at p into out; returns what follows it or NULL with *error set. */
static char *
parse_member(char *p, const char *end, LoadLine *out, const char **error)
{
	char	   *name;
	size_t		name_len;
	bool		is_key;

	*error = "malformed JSON";
	p = p < end && *p == '"' ? decode_string(p, end, &name, &name_len) : NULL;
	if (p == NULL)
		return NULL;
	is_key = name_len == 3 && memcmp(name, "key", 3) == 0;
	if (!is_key && !(name_len == 3 && memcmp(name, "doc", 3) == 0))
	{
		*error = "a member other than \"key\" and \"doc\"";
		return NULL;
	}
	if ((is_key ? out->key : out->doc) != NULL)
	{
		*error = "a member is repeated";
		return NULL;
	}
	p = skip_blanks(p, end);
	if (p == end || *p != ':')
		return NULL;
	p = skip_blanks(p + 1, end);
	if (p < end && *p == '"')
	{
		out->doc_is_text |= !is_key;
		return decode_string(p, end, is_key ? &out->key : &out->doc, is_key ? &out->key_len : &out->doc_len);
	}
	if (is_key)
	{
		*error = "\"key\" is not a string";
		return NULL;
	}
	out->doc = p;
	p = skip_value(p, end);
	if (p == NULL)
		return NULL;
	out->doc_len = (size_t) (p - out->doc);
	while (out->doc_len > 0 && strchr(" \t\r\n", out->doc[out->doc_len - 1]) != NULL)
		out->doc_len--;
	return p;
}

const char *
load_line_parse(char *line, size_t len, LoadLine *out)
{
	const char *end = line + len;
	const char *error;
	char	   *p = skip_blanks(line, end);

	memset(out, 0, sizeof(*out));
	if (p == end || *p != '{')
		return "not a JSON object";
	do
	{
		p = parse_member(skip_blanks(p + 1, end), end, out, &error);
		if (p == NULL)
			return error;
		p = skip_blanks(p, end);
	} while (p < end && *p == ',');
	if (p == end || *p != '}' || skip_blanks(p + 1, end) != end)
		return "malformed JSON";
	if (out->key == NULL || out->doc == NULL)
		return "\"key\" or \"doc\" is missing";
	if (!out->doc_is_text && json_datatype(out->doc, out->doc_len) != DT_JSON)
		return "\"doc\" is not valid JSON";
	return NULL;
}

/* ---------------------------------------------------------------- sources */

/* Finds or creates the collection of a source. */
static Collection *
open_collection(Cluster *cl, const Source *s, Bucket **bucket)
{
	Bucket	   *b = bucket_find(cl, s->bucket, strlen(s->bucket));
	Scope	   *scope;
	Collection *c;

	if (b == NULL)
		b = bucket_create(cl, s->bucket, CB_DEFAULT_VBUCKETS, 0);
	if (b == NULL)
	{
		cb_log("cannot create bucket \"%s\": the name is not allowed", s->bucket);
		return NULL;
	}
	scope = scope_find(b, s->scope, strlen(s->scope));
	if (scope == NULL && scope_create(b, s->scope, &scope) != KV_SUCCESS)
	{
		cb_log("cannot create scope \"%s\" of bucket \"%s\": the name is not allowed", s->scope, s->bucket);
		return NULL;
	}
	c = collection_find(scope, s->collection, strlen(s->collection));
	if (c == NULL && collection_create(b, s->scope, s->collection, 0, &c) != KV_SUCCESS)
	{
		cb_log("cannot create collection \"%s\" in scope \"%s\" of bucket \"%s\": the name is not allowed",
			   s->collection, s->scope, s->bucket);
		return NULL;
	}
	*bucket = b;
	return c;
}

static const char *
load_status_text(uint16_t status)
{
	switch (status)
	{
		case KV_E2BIG:
			return "the document is larger than 20 MB";
		case KV_EINVAL:
			return "the key is empty or too long";
		default:
			return "the store refused the document";
	}
}

static bool
load_file(Bucket *b, Collection *c, const Source *s)
{
	FILE	   *f = fopen(s->file, "r");
	char	   *line = NULL;
	size_t		room = 0;
	ssize_t		len;
	uint64_t	number = 0;
	bool		ok = true;

	if (f == NULL)
	{
		cb_log("cannot open \"%s\": %s", s->file, strerror(errno));
		return false;
	}
	while (ok && (len = getline(&line, &room, f)) > 0)
	{
		LoadLine	parsed;
		const char *error;
		uint16_t	status;

		number++;
		if (skip_blanks(line, line + len) == line + len)
			continue;
		error = load_line_parse(line, (size_t) len, &parsed);
		if (error == NULL)
		{
			status = store_load(b, c, parsed.key, parsed.key_len, parsed.doc, parsed.doc_len);
			if (status != KV_SUCCESS)
				error = load_status_text(status);
		}
		if (error != NULL)
		{
			cb_log("%s:%llu: %s", s->file, (unsigned long long) number, error);
			ok = false;
		}
	}
	if (ok && ferror(f))
	{
		cb_log("cannot read \"%s\": %s", s->file, strerror(errno));
		ok = false;
	}
	free(line);
	fclose(f);
	return ok;
}

static bool
load_generated(Bucket *b, Collection *c, const Source *s)
{
	char	   *buf = xmalloc(GENERATE_ROOM(s->size));
	char		key[32];

	for (uint64_t n = 1; n <= s->count; n++)
	{
		size_t		len = generate_document(n, s->size, key, buf);
		uint16_t	status = store_load(b, c, key, strlen(key), buf, len);

		if (status != KV_SUCCESS)
		{
			cb_log("cannot store generated document \"%s\": %s", key, load_status_text(status));
			free(buf);
			return false;
		}
	}
	free(buf);
	return true;
}

bool
source_load(Cluster *cl, const Source *s)
{
	Bucket	   *b;
	Collection *c = open_collection(cl, s, &b);

	if (c == NULL)
		return false;
	return s->kind == SOURCE_FILE ? load_file(b, c, s) : load_generated(b, c, s);
}
