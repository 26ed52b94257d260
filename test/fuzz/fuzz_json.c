/*
 * fuzz_json.c
 *		The document walker and everything that looks into what it found.
 */
#include "fuzz.h"

#include "json_value.h"

static const char *const paths[] = {
	"a", "b", "a.b", "a.b.c", "a[0]", "a[1].x", "`x.y`", "name", "[0]", "[1][1]", "geo.lat", "tags[2]"
};

#define NPATHS (sizeof(paths) / sizeof(paths[0]) + 1)

static CbPathSet *
compile(void)
{
	CbPath		parsed[NPATHS];
	const CbPath *list[NPATHS];
	CbPathSet  *set;

	parsed[0] = (CbPath) {0};
	list[0] = &parsed[0];
	for (size_t i = 1; i < NPATHS; i++)
	{
		EXPECT(cb_path_parse(paths[i - 1], &parsed[i], NULL) == CB_OK);
		list[i] = &parsed[i];
	}
	EXPECT(cb_pathset_create(list, NPATHS, &set) == CB_OK);
	for (size_t i = 0; i < NPATHS; i++)
		cb_path_free(&parsed[i]);
	return set;
}

/* Everything inside a checked value is well-formed. */
static void
look_inside(const CbJsonValue *value)
{
	CbBuf		text = {0};
	CbJsonNumber number;
	CbJsonIter	iter;
	CbJsonValue name = {0};
	CbJsonValue inner;
	CbResult	result;

	if (value->type == CB_JSON_STRING)
	{
		result = cb_json_string_append(value, &text);
		EXPECT(result == CB_OK || result == CB_NUL_CHAR || result == CB_LONE_SURROGATE);
		if (result == CB_OK)
		{
			EXPECT(cb_utf8_valid_prefix(cb_buf_span(&text)) == text.len);
			EXPECT(cb_json_string_equal(value, cb_buf_span(&text)));
		}
	}
	else if (value->type == CB_JSON_NUMBER)
		EXPECT(cb_json_number(value, &number) == CB_OK);
	else if (value->type == CB_JSON_ARRAY || value->type == CB_JSON_OBJECT)
	{
		EXPECT(cb_json_iter_init(&iter, value) == CB_OK);
		while ((result = cb_json_iter_next(&iter, &name, &inner)) == CB_OK)
		{
			if (inner.type != CB_JSON_ARRAY && inner.type != CB_JSON_OBJECT)
				look_inside(&inner);
		}
		EXPECT(result == CB_END);
	}
	cb_buf_free(&text);
}

/* The same functions on unchecked bytes: only memory safety is promised. */
static void
look_unchecked(const uint8_t *data, size_t size)
{
	CbBuf		text = {0};
	CbJsonIter	iter;
	CbJsonValue name;
	CbJsonValue inner;
	CbJsonNumber number;

	for (int type = CB_JSON_NULL; type <= CB_JSON_OBJECT; type++)
	{
		CbJsonValue value = {data, size, (CbJsonType) type, true};

		cb_json_string_append(&value, &text);
		cb_json_string_equal(&value, cb_span_cstr("name"));
		cb_json_number(&value, &number);
		if (cb_json_iter_init(&iter, &value) == CB_OK)
		{
			while (cb_json_iter_next(&iter, &name, &inner) == CB_OK)
				;
		}
	}
	cb_buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CbPathSet  *set = compile();
	CbSpan		text = cb_span(data, size);
	CbJsonValue values[NPATHS];
	CbJsonValue whole;
	CbJsonError err = {0};
	CbJsonError other = {0};
	CbResult	result = cb_json_walk(set, text, 0, values, &err);

	EXPECT(cb_json_value(text, &whole, &other) == result);
	EXPECT(err.offset == other.offset && err.offset <= size);
	if (result == CB_OK)
	{
		EXPECT(values[0].data == whole.data && values[0].len == whole.len);
		for (size_t i = 0; i < NPATHS; i++)
			look_inside(&values[i]);
	}
	cb_json_walk(set, text, CB_WALK_STOP_EARLY, values, NULL);
	look_unchecked(data, size);
	cb_pathset_free(set);
	return 0;
}
