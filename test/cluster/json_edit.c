/*
 * json_edit.c: the subdocument operations on JSON text (kv_engine docs/SubDocument.md): each finds
 * its path and cuts the new document together from pieces of the old one, the new value as it came,
 * and as few commas as needed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "subdoc.h"

typedef struct Work
{
	Edit	   *e;
	const char *doc;
	const char *end;
	JsonPath	path;
	JsonMatch	m;
} Work;

static void
out_until(Work *w, const char *to)
{
	text_add(&w->e->out, w->doc, (size_t) (to - w->doc));
}

static void
out_from(Work *w, const char *from)
{
	text_add(&w->e->out, from, (size_t) (w->end - from));
}

static void
out_value(Work *w)
{
	text_add(&w->e->out, w->e->value.at, w->e->value.len);
}

static void
out_name(Work *w, const PathPart *part)
{
	text_add(&w->e->out, "\"", 1);
	text_add(&w->e->out, part->name, part->len);
	text_add(&w->e->out, "\":", 2);
}

static const char *
span_end(Span s)
{
	return s.at + s.len;
}

/* ---------------------------------------------------------------- reading */

static uint16_t
edit_read(Work *w)
{
	Edit	   *e = w->e;
	uint16_t	st = json_find(w->doc, (size_t) (w->end - w->doc), &w->path, &w->m);
	size_t		n;

	if (st != 0)
		return st;
	if (!w->m.found)
		return KV_SUBDOC_PATH_ENOENT;
	if (e->code == EDIT_COUNT)
	{
		if (!json_count(w->m.value, &n))
			return KV_SUBDOC_PATH_MISMATCH;
		snprintf(e->number, sizeof(e->number), "%zu", n);
		e->result = (Span) {e->number, strlen(e->number)};
	}
	else
		e->result = w->m.value;
	return 0;
}

/* ---------------------------------------------------------------- creating what is missing */

static bool
parent_found(const Work *w)
{
	return w->m.found || w->m.depth + 1 == w->path.n;
}

/*
 * Adds the missing parts of the path as nested objects to the deepest container that is there, and
 * the value (in an array of its own if array) as the innermost member.
 */
static uint16_t
create_path(Work *w, bool array)
{
	Text	   *out = &w->e->out;
	const char *close = span_end(w->m.value) - 1;
	unsigned	first = w->m.depth;

	for (unsigned i = first; i < w->path.n; i++)
		if (w->path.part[i].is_index)
			return KV_SUBDOC_PATH_ENOENT;
	if (first == w->path.n)
		return KV_SUBDOC_PATH_ENOENT;
	out_until(w, close);
	if (w->m.members > 0)
		text_add(out, ",", 1);
	for (unsigned i = first; i < w->path.n; i++)
	{
		if (i > first)
			text_add(out, "{", 1);
		out_name(w, &w->path.part[i]);
	}
	if (array)
		text_add(out, "[", 1);
	out_value(w);
	if (array)
		text_add(out, "]", 1);
	for (unsigned i = first + 1; i < w->path.n; i++)
		text_add(out, "}", 1);
	out_from(w, close);
	return 0;
}

/* ---------------------------------------------------------------- members */

static uint16_t
store_member(Work *w)
{
	Edit	   *e = w->e;

	if (e->code != EDIT_REPLACE && w->path.part[w->path.n - 1].is_index)
		return KV_SUBDOC_PATH_EINVAL;
	if (w->m.found)
	{
		if (e->code == EDIT_ADD)
			return KV_SUBDOC_PATH_EEXISTS;
		out_until(w, w->m.value.at);
		out_value(w);
		out_from(w, span_end(w->m.value));
		return 0;
	}
	if (e->code == EDIT_REPLACE || (!parent_found(w) && !e->mkdir_p))
		return KV_SUBDOC_PATH_ENOENT;
	return create_path(w, false);
}

static uint16_t
edit_member(Work *w)
{
	uint16_t	st;

	if (w->path.n == 0)
		return KV_SUBDOC_VALUE_CANTINSERT;
	st = json_check_fragment(w->e->value, FRAGMENT_MEMBER, w->path.n + 1);
	if (st == 0)
		st = json_find(w->doc, (size_t) (w->end - w->doc), &w->path, &w->m);
	return st != 0 ? st : store_member(w);
}

static uint16_t
edit_remove(Work *w)
{
	uint16_t	st;
	const char *from;
	const char *to;
	JsonCursor	c;

	if (w->path.n == 0)
		return KV_SUBDOC_VALUE_CANTINSERT;
	st = json_find(w->doc, (size_t) (w->end - w->doc), &w->path, &w->m);
	if (st != 0)
		return st;
	if (!w->m.found)
		return KV_SUBDOC_PATH_ENOENT;
	from = w->m.key.at != NULL ? w->m.key.at : w->m.value.at;
	to = span_end(w->m.value);
	c = (JsonCursor) {to, w->end};
	json_blanks(&c);
	if (c.p < c.end && *c.p == ',')
		to = c.p + 1;
	else if (w->m.position > 0)
		while (from > w->doc && *from != ',')
			from--;
	out_until(w, from);
	out_from(w, to);
	return 0;
}

/* ---------------------------------------------------------------- arrays */

/* Elements into an empty array: blanks between its brackets go. */
static uint16_t
fill_array(Work *w, Span array)
{
	out_until(w, array.at + 1);
	out_value(w);
	out_from(w, span_end(array) - 1);
	return 0;
}

static uint16_t
before_element(Work *w, const char *element)
{
	out_until(w, element);
	out_value(w);
	text_add(&w->e->out, ",", 1);
	out_from(w, element);
	return 0;
}

static uint16_t
at_array_end(Work *w, Span array)
{
	out_until(w, span_end(array) - 1);
	text_add(&w->e->out, ",", 1);
	out_value(w);
	out_from(w, span_end(array) - 1);
	return 0;
}

/* Appends to a document that is an array, without reading it: only its end is looked at. */
static uint16_t
push_last_root(Work *w)
{
	const char *close = w->end;
	const char *last;

	while (close > w->doc && strchr(" \t\r\n\v\f", close[-1]) != NULL)
		close--;
	if (close - w->doc < 2)
		return KV_SUBDOC_DOC_NOTJSON;
	close--;
	if (*close != ']')
		return *close == '}' ? KV_SUBDOC_PATH_MISMATCH : KV_SUBDOC_DOC_NOTJSON;
	last = close;
	while (last > w->doc && strchr(" \t\r\n", last[-1]) != NULL)
		last--;
	if (last == w->doc)
		return KV_SUBDOC_DOC_NOTJSON;
	out_until(w, last);
	if (last[-1] != '[' && last[-1] != ',')
		text_add(&w->e->out, ",", 1);
	out_value(w);
	text_add(&w->e->out, "]", 1);
	return 0;
}

/* Compares scalars as text, the way the data service tells unique elements. */
static uint16_t
check_unique(Span array, Span value)
{
	JsonCursor	c = {array.at, array.at + array.len};
	Span		key;

	json_enter(&c);
	for (size_t seen = 0; json_next(&c, false, seen, &key) > 0; seen++)
	{
		const char *start = c.p;

		if (*start == '{' || *start == '[')
			return KV_SUBDOC_PATH_MISMATCH;
		if (json_skip(&c, 2) != 0)
			return KV_SUBDOC_DOC_NOTJSON;
		if ((size_t) (c.p - start) == value.len && memcmp(start, value.at, value.len) == 0)
			return KV_SUBDOC_PATH_EEXISTS;
	}
	return 0;
}

static uint16_t
edit_push_last(Work *w)
{
	Edit	   *e = w->e;
	bool		unique = e->code == EDIT_ADD_UNIQUE;
	uint16_t	st;
	size_t		n;

	st = json_check_fragment(e->value, unique ? FRAGMENT_ONE_SCALAR : FRAGMENT_ELEMENTS, w->path.n + 2);
	if (st != 0)
		return st;
	if (w->path.n == 0 && !unique)
		return push_last_root(w);
	st = json_find(w->doc, (size_t) (w->end - w->doc), &w->path, &w->m);
	if (st != 0)
		return st;
	if (!w->m.found)
		return e->mkdir_p ? create_path(w, true) : KV_SUBDOC_PATH_ENOENT;
	if (w->m.type != JSON_ARRAY)
		return KV_SUBDOC_PATH_MISMATCH;
	if (unique)
		st = check_unique(w->m.value, e->value);
	if (st != 0)
		return st;
	if (!json_count(w->m.value, &n))
		return KV_SUBDOC_DOC_NOTJSON;
	return n == 0 ? fill_array(w, w->m.value) : at_array_end(w, w->m.value);
}

static uint16_t
edit_push_first(Work *w)
{
	uint16_t	st = json_check_fragment(w->e->value, FRAGMENT_ELEMENTS, w->path.n + 2);

	if (st != 0)
		return st;
	if (w->path.n == PATH_MAX_PARTS)
		return KV_SUBDOC_PATH_E2BIG;
	memset(&w->path.part[w->path.n], 0, sizeof(PathPart));
	w->path.part[w->path.n++].is_index = true;
	st = json_find(w->doc, (size_t) (w->end - w->doc), &w->path, &w->m);
	if (st != 0)
		return st;
	if (w->m.found)
		return before_element(w, w->m.value.at);
	if (parent_found(w))
		return fill_array(w, w->m.value);
	w->path.n--;
	return w->e->mkdir_p ? create_path(w, true) : KV_SUBDOC_PATH_ENOENT;
}

static uint16_t
edit_insert(Work *w)
{
	uint16_t	st = json_check_fragment(w->e->value, FRAGMENT_ELEMENTS, w->path.n + 1);
	const PathPart *last;

	if (st != 0)
		return st;
	if (w->path.n == 0 || !w->path.part[w->path.n - 1].is_index || w->path.part[w->path.n - 1].is_last)
		return KV_SUBDOC_PATH_EINVAL;
	last = &w->path.part[w->path.n - 1];
	st = json_find(w->doc, (size_t) (w->end - w->doc), &w->path, &w->m);
	if (st != 0)
		return st;
	if (w->m.found)
		return before_element(w, w->m.value.at);
	if (!parent_found(w) || last->index != w->m.members)
		return KV_SUBDOC_PATH_ENOENT;
	return w->m.members == 0 ? fill_array(w, w->m.value) : at_array_end(w, w->m.value);
}

/* ---------------------------------------------------------------- counters */

static bool
parse_delta(Span value, int64_t *delta)
{
	char		text[24];
	size_t		sign = value.len > 0 && value.at[0] == '-' ? 1 : 0;

	if (value.len <= sign || value.len >= sizeof(text) || value.at[sign] == '0')
		return false;
	for (size_t i = sign; i < value.len; i++)
		if (value.at[i] < '0' || value.at[i] > '9')
			return false;
	memcpy(text, value.at, value.len);
	text[value.len] = '\0';
	errno = 0;
	*delta = strtoll(text, NULL, 10);
	return errno == 0;
}

/*
 * The integer that stands at the path: 0, KV_SUBDOC_PATH_MISMATCH (no integer),
 * KV_SUBDOC_NUM_E2BIG.
 */
static uint16_t
stored_integer(const JsonMatch *m, int64_t *n)
{
	char		text[24];

	if (m->type != JSON_NUMBER)
		return KV_SUBDOC_PATH_MISMATCH;
	for (size_t i = 0; i < m->value.len; i++)
		if (strchr(".eE", m->value.at[i]) != NULL)
			return KV_SUBDOC_PATH_MISMATCH;
	if (m->value.len >= sizeof(text))
		return KV_SUBDOC_NUM_E2BIG;
	memcpy(text, m->value.at, m->value.len);
	text[m->value.len] = '\0';
	errno = 0;
	*n = strtoll(text, NULL, 10);
	return errno == 0 ? 0 : KV_SUBDOC_NUM_E2BIG;
}

static uint16_t
edit_counter(Work *w)
{
	Edit	   *e = w->e;
	int64_t		delta;
	int64_t		n = 0;
	uint16_t	st;

	if (!parse_delta(e->value, &delta))
		return KV_SUBDOC_DELTA_EINVAL;
	st = json_find(w->doc, (size_t) (w->end - w->doc), &w->path, &w->m);
	if (st == 0 && w->m.found)
		st = stored_integer(&w->m, &n);
	if (st != 0)
		return st;
	if (!w->m.found && ((!e->mkdir_p && !parent_found(w)) || *w->m.value.at != '{'))
		return KV_SUBDOC_PATH_ENOENT;
	if (__builtin_add_overflow(n, delta, &n))
		return KV_SUBDOC_VALUE_CANTINSERT;
	snprintf(e->number, sizeof(e->number), "%" PRId64, n);
	e->value = e->result = (Span) {e->number, strlen(e->number)};
	if (!w->m.found)
		return store_member(w);
	out_until(w, w->m.value.at);
	out_value(w);
	out_from(w, span_end(w->m.value));
	return 0;
}

uint16_t
json_edit(Edit *e, const char *doc, size_t len)
{
	Work		w;
	uint16_t	st;

	memset(&w.m, 0, sizeof(w.m));
	w.e = e;
	w.doc = doc;
	w.end = doc + len;
	st = path_parse(&w.path, e->path, e->path_len);
	if (st != 0)
		return st;
	switch (e->code)
	{
		case EDIT_GET:
		case EDIT_EXISTS:
		case EDIT_COUNT:
			return edit_read(&w);
		case EDIT_ADD:
		case EDIT_UPSERT:
		case EDIT_REPLACE:
			return edit_member(&w);
		case EDIT_REMOVE:
			return edit_remove(&w);
		case EDIT_PUSH_LAST:
		case EDIT_ADD_UNIQUE:
			return edit_push_last(&w);
		case EDIT_PUSH_FIRST:
			return edit_push_first(&w);
		case EDIT_INSERT:
			return edit_insert(&w);
		case EDIT_COUNTER:
			return edit_counter(&w);
	}
	return KV_EINVAL;
}
