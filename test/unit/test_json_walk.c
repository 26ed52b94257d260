/*
 * test_json_walk.c
 *		What the walker finds, and what it refuses and where.
 */
#include "check.h"

#include "json_walk.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_PATHS 8

/* Walk a copy of exactly the text's size, so that the sanitizer sees every overrun. */
static CbResult
walk(const char *const *paths, CbSpan text, unsigned flags, char *found, size_t size,
	 CbJsonError *err)
{
	CbPath		parsed[MAX_PATHS];
	const CbPath *list[MAX_PATHS];
	CbJsonValue values[MAX_PATHS];
	CbPathSet  *set = NULL;
	size_t		n = 0;
	size_t		used = 0;
	uint8_t    *copy = malloc(text.len + 1);
	CbResult	result;

	memcpy(copy + 1, text.data, text.len);
	for (; paths[n] != NULL; n++)
	{
		if (paths[n][0] == '\0')
			parsed[n] = (CbPath) {0};
		else
			CHECK_RESULT(cb_path_parse(paths[n], &parsed[n], NULL), CB_OK);
		list[n] = &parsed[n];
	}
	CHECK_RESULT(cb_pathset_create(list, n, &set), CB_OK);
	CHECK_INT(cb_pathset_size(set), n);
	result = cb_json_walk(set, cb_span(copy + 1, text.len), flags, values, err);
	found[0] = '\0';
	for (size_t i = 0; i < n; i++)
	{
		const char *shown = values[i].type == CB_JSON_MISSING ? "-" : (const char *) values[i].data;
		int			len = values[i].type == CB_JSON_MISSING ? 1 : (int) values[i].len;

		used += (size_t) snprintf(found + used, size - used, "%s%.*s", i ? " | " : "", len, shown);
		if (result != CB_OK)
			CHECK_INT(values[i].type, CB_JSON_MISSING);
		cb_path_free(&parsed[i]);
	}
	cb_pathset_free(set);
	free(copy);
	return result;
}

static void
test_finding(void)
{
	static const struct
	{
		const char *text;
		const char *paths[MAX_PATHS];
		const char *found;
	}			cases[] = {
		{"{\"a\":1,\"b\":\"x\"}", {"b", "a", "c"}, "\"x\" | 1 | -"},
		{" { \"a\" : [ 1 , 2 ] } ", {"a[1]", "a", "a[2]", ""}, "2 | [ 1 , 2 ] | - | { \"a\" : [ 1 , 2 ] }"},
		{"{\"geo\":{\"lat\":1.5,\"lon\":2},\"x\":{}}", {"geo.lon", "geo", "geo.lat", "x"},
		"2 | {\"lat\":1.5,\"lon\":2} | 1.5 | {}"},
		{"[[1,2],{\"k\":[3]}]", {"[1].k[0]", "[0][1]", "[0]", "[2]"}, "3 | 2 | [1,2] | -"},
		/* the same path twice; prefixes of names */
		{"{\"ab\":1,\"abc\":2}", {"abc", "a", "ab", "abc"}, "2 | - | 1 | 2"},
		/* paths into values of another type */
		{"{\"a\":5,\"b\":[1],\"c\":{\"x\":1}}", {"a.x", "a[0]", "b.x", "c[0]"}, "- | - | - | -"},
		{"null", {"a", ""}, "- | null"},
		{"\"s\"", {"[0]", ""}, "- | \"s\""},
		/* repeated members: the first value of each path */
		{"{\"a\":1,\"a\":2}", {"a"}, "1"},
		{"{\"a\":{\"x\":1},\"a\":{\"y\":2}}", {"a.x", "a.y"}, "1 | 2"},
		{"{\"a\":7,\"a\":{\"x\":1}}", {"a.x", "a"}, "1 | 7"},
		{"{\"a\":{\"x\":1,\"x\":{\"z\":3}}}", {"a.x", "a.x.z"}, "1 | 3"},
		{"{\"a\":null,\"a\":2}", {"a"}, "null"},
		/* names with escapes compare decoded */
		{"{\"\\u0061\":1}", {"a"}, "1"},
		{"{\"\\u00fc\\n\":1,\"b\":2}", {"`\xc3\xbc\n`", "b"}, "1 | 2"},
		{"{\"\\ud83d\\ude00\":1}", {"\xf0\x9f\x98\x80"}, "1"},
		{"{\"a\\/b\":1,\"a.b\":2}", {"a/b", "`a.b`"}, "1 | 2"},
		{"{\"\\ud800\":1,\"\\u0000\":2,\"x\":3}", {"x"}, "3"},
		/* indexes out of order, arrays of objects */
		{"{\"t\":[{\"n\":\"a\"},{\"n\":\"b\"},{\"n\":\"c\"}]}", {"t[2].n", "t[0].n", "t[10].n"},
		"\"c\" | \"a\" | -"},
		{"[]", {"[0]"}, "-"},
		{"{}", {"a"}, "-"},
		{"{\"a\":[]}", {"a[0]", "a"}, "- | []"},
		{"{\"a\":-0.5e+10,\"b\":true,\"c\":false,\"d\":null}", {"a", "b", "c", "d"},
		"-0.5e+10 | true | false | null"},
	};
	char		found[500];
	CbJsonError err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		check_context("case %zu: %s", i, cases[i].text);
		CHECK_RESULT(walk(cases[i].paths, cb_span_cstr(cases[i].text), 0, found, sizeof(found),
						  &err), CB_OK);
		CHECK_STR(found, cases[i].found);
	}
	check_context("%s", "");
}

static void
test_refusing(void)
{
	static const struct
	{
		const char *text;
		CbResult	result;
		size_t		offset;
		const char *what;
	}			cases[] = {
		{"", CB_MALFORMED, 0, "no value"},
		{"  ", CB_MALFORMED, 2, "no value"},
		{"{", CB_MALFORMED, 1, "expected a member name"},
		{"{\"a\"", CB_MALFORMED, 4, "expected \":\""},
		{"{\"a\":", CB_MALFORMED, 5, "expected a value"},
		{"{\"a\":1", CB_MALFORMED, 6, NULL},
		{"{\"a\":1,", CB_MALFORMED, 7, "expected a member name"},
		{"{\"a\":1,}", CB_MALFORMED, 7, "expected a member name"},
		{"{\"a\" 1}", CB_MALFORMED, 5, "expected \":\""},
		{"{a:1}", CB_MALFORMED, 1, "expected a member name"},
		{"{\"a\":1 \"b\":2}", CB_MALFORMED, 7, NULL},
		{"[1,]", CB_MALFORMED, 3, "expected a value"},
		{"[1 2]", CB_MALFORMED, 3, NULL},
		{"[1}", CB_MALFORMED, 2, NULL},
		{"[", CB_MALFORMED, 1, "expected a value"},
		{"{\"x\":[1,2", CB_MALFORMED, 9, NULL},
		{"1 2", CB_MALFORMED, 2, "more text after the value"},
		{"{}x", CB_MALFORMED, 2, "more text after the value"},
		{"tru", CB_MALFORMED, 0, "invalid literal"},
		{"nul", CB_MALFORMED, 0, "invalid literal"},
		{"True", CB_MALFORMED, 0, "expected a value"},
		{"NaN", CB_MALFORMED, 0, "expected a value"},
		{"+1", CB_MALFORMED, 0, "expected a value"},
		{".5", CB_MALFORMED, 0, "expected a value"},
		{"01", CB_MALFORMED, 1, "more text after the value"},
		{"-", CB_MALFORMED, 1, "invalid number"},
		{"-x", CB_MALFORMED, 1, "invalid number"},
		{"1.", CB_MALFORMED, 2, "invalid number"},
		{"1.e5", CB_MALFORMED, 2, "invalid number"},
		{"1e", CB_MALFORMED, 2, "invalid number"},
		{"1e+", CB_MALFORMED, 3, "invalid number"},
		{"0x10", CB_MALFORMED, 1, "more text after the value"},
		{"'a'", CB_MALFORMED, 0, "expected a value"},
		{"/*c*/1", CB_MALFORMED, 0, "expected a value"},
		{"\xef\xbb\xbf{}", CB_MALFORMED, 0, "expected a value"},
		{"\"abc", CB_MALFORMED, 4, "unterminated string"},
		{"\"abc\\", CB_MALFORMED, 4, "unterminated string"},
		{"\"a\\x\"", CB_MALFORMED, 2, "invalid escape"},
		{"\"a\\u12g4\"", CB_MALFORMED, 2, "invalid \\u escape"},
		{"\"a\\u12\"", CB_MALFORMED, 2, "invalid \\u escape"},
		{"\"a\nb\"", CB_MALFORMED, 2, "control character in string"},
		{"\"0123456789abcdef\tb\"", CB_MALFORMED, 17, "control character in string"},
		{"\"a\xff\"", CB_BAD_UTF8, 2, "invalid UTF-8"},
		{"\"\xc3\"", CB_BAD_UTF8, 1, "invalid UTF-8"},
		{"\"\xed\xa0\x80\"", CB_BAD_UTF8, 1, "invalid UTF-8"},
		{"\"\xc3\xbc\xc0\x80\"", CB_BAD_UTF8, 3, "invalid UTF-8"},
		{"{\"k\xff\":1}", CB_BAD_UTF8, 3, "invalid UTF-8"},
		{"{\"a\":{\"b\":[1,{\"c\":tru}]}}", CB_MALFORMED, 18, "invalid literal"},
		{"\f1", CB_MALFORMED, 0, "expected a value"},
		{"[1\v]", CB_MALFORMED, 2, NULL},
	};
	/* With no path, with one beside and one into the trouble. */
	static const char *const path_sets[][3] = {
		{NULL}, {"zz", NULL}, {"a.b", "x[1]", NULL}, {"", "[0]", NULL}
	};
	char		found[500];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		CbJsonValue value;
		CbJsonError err;

		for (size_t j = 0; j < 4; j++)
		{
			check_context("case %zu: %s, paths %zu", i, cases[i].text, j);
			CHECK_RESULT(walk(path_sets[j], cb_span_cstr(cases[i].text), 0, found,
							  sizeof(found), &err), cases[i].result);
			CHECK_RESULT(err.result, cases[i].result);
			CHECK_INT(err.offset, cases[i].offset);
			if (cases[i].what != NULL)
				CHECK_STR(err.what, cases[i].what);
		}
		CHECK_RESULT(cb_json_value(cb_span_cstr(cases[i].text), &value, &err), cases[i].result);
		CHECK_INT(err.offset, cases[i].offset);
		CHECK_INT(value.type, CB_JSON_MISSING);
	}
	check_context("%s", "");
	CHECK_RESULT(cb_json_walk(NULL, cb_span("{}\0", 3), 0, NULL, NULL), CB_MALFORMED);
	CHECK_RESULT(cb_json_walk(NULL, cb_span("\"a\0b\"", 5), 0, NULL, NULL), CB_MALFORMED);
	CHECK_RESULT(cb_json_walk(NULL, CB_SPAN_EMPTY, 0, NULL, NULL), CB_MALFORMED);
}

/* Exactly CB_JSON_MAX_DEPTH levels, however they are reached. */
static void
test_depth(void)
{
	static const char *const none[] = {NULL};
	static const char *const deep[] = {"[0][0][0][0].a", NULL};
	char		found[2000];
	CbJsonError err;

	for (int style = 0; style < 3; style++)
	{
		for (int levels = CB_JSON_MAX_DEPTH - 1; levels <= CB_JSON_MAX_DEPTH + 1; levels++)
		{
			CbBuf		text = {0};

			for (int i = 0; i < levels; i++)
				cb_buf_append_cstr(&text, style == 0 || (style == 2 && i % 2) ? "[" : "{\"a\":");
			cb_buf_append_cstr(&text, "1");
			for (int i = levels; i-- > 0;)
				cb_buf_append_cstr(&text, style == 0 || (style == 2 && i % 2) ? "]" : "}");
			check_context("style %d, %d levels", style, levels);
			CHECK_RESULT(walk(none, cb_buf_span(&text), 0, found, sizeof(found), &err),
						 levels <= CB_JSON_MAX_DEPTH ? CB_OK : CB_LIMIT);
			CHECK_RESULT(walk(deep, cb_buf_span(&text), 0, found, sizeof(found), &err),
						 levels <= CB_JSON_MAX_DEPTH ? CB_OK : CB_LIMIT);
			cb_buf_free(&text);
		}
	}
	check_context("%s", "");
}

static void
test_stop_early(void)
{
	static const char *const paths[] = {"a", "g.x", NULL};
	static const char *const missing[] = {"a", "nope", NULL};
	static const char *const whole[] = {"a", "", NULL};
	static const char *const twice[] = {"a", "g.x", "a", NULL};
	const char *text = "{\"a\":1,\"g\":{\"x\":2,\"y\":3},\"a\":9,oops";
	char		found[200];
	CbJsonError err;

	CHECK_RESULT(walk(paths, cb_span_cstr(text), CB_WALK_STOP_EARLY, found, 200, &err), CB_OK);
	CHECK_STR(found, "1 | 2");
	CHECK_RESULT(walk(paths, cb_span_cstr(text), 0, found, 200, &err), CB_MALFORMED);
	CHECK_RESULT(walk(missing, cb_span_cstr(text), CB_WALK_STOP_EARLY, found, 200, &err),
				 CB_MALFORMED);
	CHECK_RESULT(walk(whole, cb_span_cstr(text), CB_WALK_STOP_EARLY, found, 200, &err),
				 CB_MALFORMED);
	CHECK_RESULT(walk(whole, cb_span_cstr("{\"a\":1} x"), CB_WALK_STOP_EARLY, found, 200, &err),
				 CB_OK);
	CHECK_RESULT(walk(twice, cb_span_cstr(text), CB_WALK_STOP_EARLY, found, 200, &err), CB_OK);
	CHECK_STR(found, "1 | 2 | 1");
	/* What stops early finds what a full walk finds. */
	CHECK_RESULT(walk(paths, cb_span_cstr("{\"a\":1,\"a\":2,\"g\":{\"x\":3}}"),
					  CB_WALK_STOP_EARLY, found, 200, &err), CB_OK);
	CHECK_STR(found, "1 | 3");
}

static void
test_types(void)
{
	static const struct
	{
		const char *text;
		CbJsonType	type;
		bool		escaped;
	}			cases[] = {
		{"null", CB_JSON_NULL, false}, {"true", CB_JSON_TRUE, false},
		{"false", CB_JSON_FALSE, false}, {"-1", CB_JSON_NUMBER, false},
		{"\"x\"", CB_JSON_STRING, false}, {"\"\\n\"", CB_JSON_STRING, true},
		{"[\"\\n\"]", CB_JSON_ARRAY, false}, {"{\"\\n\":1}", CB_JSON_OBJECT, false}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		CbJsonValue value;

		CHECK_RESULT(cb_json_value(cb_span_cstr(cases[i].text), &value, NULL), CB_OK);
		CHECK_INT(value.type, cases[i].type);
		CHECK_INT(value.escaped, cases[i].escaped);
		CHECK_INT(value.len, strlen(cases[i].text));
	}
}

static void
test_set_limits(void)
{
	CbPath		path = {0};
	const CbPath *list[4097];
	CbPathSet  *set;

	for (int i = 0; i < 4097; i++)
		list[i] = &path;
	CHECK_RESULT(cb_pathset_create(list, 4097, &set), CB_LIMIT);
	CHECK(set == NULL);
	CHECK_RESULT(cb_pathset_create(list, 4096, &set), CB_OK);
	cb_pathset_free(set);
	CHECK_RESULT(cb_pathset_create(NULL, 0, &set), CB_OK);
	CHECK_RESULT(cb_json_walk(set, cb_span_cstr("{}"), 0, NULL, NULL), CB_OK);
	cb_pathset_free(set);
}

void
test_json_walk(void)
{
	test_finding();
	test_refusing();
	test_depth();
	test_stop_early();
	test_types();
	test_set_limits();
}
