/*
 * test_json_random.c
 *		The walker against jansson on generated documents, whole and spoilt.
 */
#include "check.h"

#include "json_value.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed = 88172645463325252u;

static uint32_t
roll(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t) (seed >> 32) % n;
}

static void
blanks(CbBuf *out)
{
	if (roll(6) == 0)
		cb_buf_append_cstr(out, (const char *[]) {" ", "\n", "\t ", "  \r\n"}[roll(4)]);
}

static void
random_string(CbBuf *out, bool name)
{
	static const char *const names[] = {
		"a", "b", "c", "id", "name", "\\u0061", "x y", "\xc3\xbc", "d.e", "\\n"
	};
	static const char *const pieces[] = {
		"a", "longer piece of text, ", "\\\"", "\\\\", "\\u00fc", "\xe2\x82\xac",
		"\\ud83d\\ude00", "\xf0\x9f\x98\x80", "{[,:", "0123456789abcdef"
	};

	cb_buf_append_u8(out, '"');
	if (name)
		cb_buf_append_cstr(out, names[roll(10)]);
	for (uint32_t n = name ? 0 : roll(6); n > 0; n--)
		cb_buf_append_cstr(out, pieces[roll(10)]);
	cb_buf_append_u8(out, '"');
}

static void
random_value(CbBuf *out, int depth)
{
	static const char *const scalars[] = {
		"0", "-1", "12345", "1.5", "-0.25e3", "1E5", "true", "false", "null"
	};
	uint32_t	kind = roll(depth > 4 ? 2 : 5);
	uint32_t	n = roll(5);

	blanks(out);
	if (kind == 0)
		cb_buf_append_cstr(out, scalars[roll(9)]);
	else if (kind == 1)
		random_string(out, false);
	else
	{
		bool		object = kind != 2;

		cb_buf_append_u8(out, object ? '{' : '[');
		for (uint32_t i = 0; i < n; i++)
		{
			blanks(out);
			if (i > 0)
				cb_buf_append_u8(out, ',');
			blanks(out);
			if (object)
			{
				random_string(out, true);
				blanks(out);
				cb_buf_append_u8(out, ':');
			}
			random_value(out, depth + 1);
		}
		blanks(out);
		cb_buf_append_u8(out, object ? '}' : ']');
	}
	blanks(out);
}

static void
random_path(char *out, size_t size)
{
	static const char *const names[] = {
		"a", "b", "c", "id", "name", "x y", "\xc3\xbc", "`d.e`", "`\n`", "nope"
	};
	size_t		used = 0;

	for (uint32_t i = 0, n = 1 + roll(3); i < n; i++)
	{
		if (roll(4) == 0)
			used += (size_t) snprintf(out + used, size - used, "[%u]", roll(4));
		else
			used += (size_t) snprintf(out + used, size - used, "%s%s", i ? "." : "", names[roll(10)]);
	}
}

/* The value of path by jansson; NULL when missing. */
static const json_t *
look_up(const json_t *root, const CbPath *path)
{
	for (size_t i = 0; i < path->nsteps && root != NULL; i++)
	{
		const CbPathStep *step = &path->steps[i];

		if (step->name != NULL)
			root = json_object_get(root, step->name);
		else
			root = json_is_array(root) ? json_array_get(root, (size_t) step->index) : NULL;
	}
	return root;
}

static bool same(const CbJsonValue *got, const json_t *want);

/* Members of got, later ones replacing earlier ones, are those of want. */
static bool
same_object(const CbJsonValue *got, const json_t *want)
{
	json_t	   *rebuilt = json_object();
	CbJsonIter	iter;
	CbJsonValue name;
	CbJsonValue value;
	bool		ok = cb_json_iter_init(&iter, got) == CB_OK;

	while (ok && cb_json_iter_next(&iter, &name, &value) == CB_OK)
	{
		CbBuf		text = {0};

		cb_json_string_append(&name, &text);
		cb_buf_append_u8(&text, '\0');
		json_object_set_new(rebuilt, (const char *) text.data,
							json_loadb((const char *) value.data, value.len, JSON_DECODE_ANY, NULL));
		cb_buf_free(&text);
	}
	ok = ok && json_equal(rebuilt, want);
	json_decref(rebuilt);
	return ok;
}

static bool
same_array(const CbJsonValue *got, const json_t *want)
{
	CbJsonIter	iter;
	CbJsonValue value;
	size_t		n = 0;

	if (cb_json_iter_init(&iter, got) != CB_OK)
		return false;
	for (; cb_json_iter_next(&iter, NULL, &value) == CB_OK; n++)
	{
		if (!same(&value, json_array_get(want, n)))
			return false;
	}
	return n == json_array_size(want);
}

static bool
same(const CbJsonValue *got, const json_t *want)
{
	CbBuf		text = {0};
	CbJsonNumber number;
	bool		ok;

	if (want == NULL || got->type == CB_JSON_MISSING)
		return want == NULL && got->type == CB_JSON_MISSING;
	switch (json_typeof(want))
	{
		case JSON_NULL:
			return got->type == CB_JSON_NULL;
		case JSON_TRUE:
			return got->type == CB_JSON_TRUE;
		case JSON_FALSE:
			return got->type == CB_JSON_FALSE;
		case JSON_INTEGER:
			return cb_json_number(got, &number) == CB_OK && number.integral &&
				number.fits_int64 && number.int64 == json_integer_value(want);
		case JSON_REAL:
			cb_buf_append(&text, got->data, got->len);
			cb_buf_append_u8(&text, '\0');
			ok = got->type == CB_JSON_NUMBER &&
				strtod((const char *) text.data, NULL) == json_real_value(want);
			cb_buf_free(&text);
			return ok;
		case JSON_STRING:
			ok = cb_json_string_append(got, &text) == CB_OK &&
				cb_span_equal(cb_buf_span(&text),
							  cb_span(json_string_value(want), json_string_length(want)));
			cb_buf_free(&text);
			return ok;
		case JSON_ARRAY:
			return same_array(got, want);
		case JSON_OBJECT:
			return same_object(got, want);
	}
	return false;
}

/* The first value that the steps from step on lead to, member by member. */
static bool
first_of(const CbJsonValue *value, const CbPath *path, size_t step, CbJsonValue *first)
{
	CbJsonIter	iter;
	CbJsonValue name;
	CbJsonValue child;
	const CbPathStep *wanted = &path->steps[step];

	*first = *value;
	if (step == path->nsteps)
		return true;
	if (cb_json_iter_init(&iter, value) != CB_OK || iter.object != (wanted->name != NULL))
		return false;
	for (int32_t index = 0; cb_json_iter_next(&iter, &name, &child) == CB_OK; index++)
	{
		bool		matches = iter.object ?
			cb_json_string_equal(&name, cb_span(wanted->name, wanted->name_len)) : index == wanted->index;

		if (matches && first_of(&child, path, step + 1, first))
			return true;
	}
	return false;
}

/* jansson keeps the last of repeated members, so documents with such are looked through by hand. */
static void
check_repeated(CbSpan text, const CbJsonValue *values, const CbPath *paths, size_t npaths)
{
	CbJsonValue root;
	CbJsonValue first;

	CHECK_RESULT(cb_json_value(text, &root, NULL), CB_OK);
	for (size_t i = 0; i < npaths; i++)
	{
		bool		found = first_of(&root, &paths[i], 0, &first);

		if (!CHECK(found ? values[i].data == first.data && values[i].len == first.len :
				   values[i].type == CB_JSON_MISSING))
			fprintf(stderr, "    path %zu of %.*s\n", i, (int) text.len, text.data);
	}
}

static void
check_document(CbSpan text, const CbPathSet *set, const CbPath *paths, size_t npaths)
{
	json_error_t why;
	json_t	   *root = json_loadb((const char *) text.data, text.len,
								  JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
	CbJsonValue values[8];
	CbJsonError err;
	CbResult	result = cb_json_walk(set, text, 0, values, &err);

	/* 1e345 is legal JSON, but too large for jansson. */
	if (root == NULL && json_error_code(&why) == json_error_numeric_overflow)
		return;
	if (result == CB_OK && root == NULL && json_error_code(&why) == json_error_duplicate_key)
	{
		check_repeated(text, values, paths, npaths);
		return;
	}
	if (!CHECK((result == CB_OK) == (root != NULL)))
		fprintf(stderr, "    %.*s\n", (int) text.len, text.data);
	else if (root != NULL)
	{
		for (size_t i = 0; i < npaths; i++)
		{
			if (!CHECK(same(&values[i], look_up(root, &paths[i]))))
				fprintf(stderr, "    path %zu of %.*s\n", i, (int) text.len, text.data);
		}
	}
	else
		CHECK(err.offset <= text.len);
	json_decref(root);
}

/* jansson refuses what is legal JSON: lone surrogates and \u0000. */
static bool
comparable(CbSpan text)
{
	for (size_t i = 0; i + 1 < text.len; i++)
	{
		if (text.data[i] == '\\' && text.data[i + 1] == 'u')
			return false;
	}
	return true;
}

/* Spoil a byte or cut the end. */
static void
spoil(CbBuf *text)
{
	static const char bytes[] = "{}[]\",:0123456789.eE+-\\truefalsn\x01\xff\xc3 \n";

	if (text->len == 0)
		return;
	if (roll(3) == 0)
		text->len = roll((uint32_t) text->len);
	else
		text->data[roll((uint32_t) text->len)] = (uint8_t) bytes[roll(sizeof(bytes) - 1)];
}

void
test_json_random(void)
{
	CbBuf		text = {0};

	for (int round = 0; round < 20000; round++)
	{
		CbPath		paths[8];
		const CbPath *list[8];
		CbPathSet  *set;
		size_t		npaths = roll(8);

		check_context("round %d", round);
		for (size_t i = 0; i < npaths; i++)
		{
			char		path[100];

			random_path(path, sizeof(path));
			cb_path_parse(path, &paths[i], NULL);
			list[i] = &paths[i];
		}
		CHECK_RESULT(cb_pathset_create(list, npaths, &set), CB_OK);
		cb_buf_reset(&text);
		random_value(&text, 0);
		check_document(cb_buf_span(&text), set, paths, npaths);
		for (int i = 0; i < 3; i++)
		{
			spoil(&text);
			if (comparable(cb_buf_span(&text)))
				check_document(cb_buf_span(&text), set, paths, npaths);
		}
		cb_pathset_free(set);
		for (size_t i = 0; i < npaths; i++)
			cb_path_free(&paths[i]);
	}
	check_context("%s", "");
	cb_buf_free(&text);
}
