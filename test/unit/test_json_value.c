/*
 * test_json_value.c
 *		Decoding strings, classifying numbers, stepping through containers.
 */
#include "check.h"

#include "json_value.h"

#include <stdlib.h>

static CbJsonValue
parse(const char *text)
{
	CbJsonValue value;

	CHECK_RESULT(cb_json_value(cb_span_cstr(text), &value, NULL), CB_OK);
	return value;
}

static void
test_strings(void)
{
	static const struct
	{
		const char *text;
		CbResult	result;
		const char *decoded;
	}			cases[] = {
		{"\"\"", CB_OK, ""},
		{"\"plain\"", CB_OK, "plain"},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", CB_OK, "\"\\/\b\f\n\r\t"},
		{"\"\\u0041\\u00fc\\u20ac\"", CB_OK, "A\xc3\xbc\xe2\x82\xac"},
		{"\"\\ud83d\\uDE00!\"", CB_OK, "\xf0\x9f\x98\x80!"},
		{"\"\\uffff\\u007f\\u0080\\u07ff\\u0800\"", CB_OK,
		"\xef\xbf\xbf\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80"},
		{"\"\\udbff\\udfff\"", CB_OK, "\xf4\x8f\xbf\xbf"},
		{"\"a\\u0000b\"", CB_NUL_CHAR, NULL},
		{"\"a\\ud800\"", CB_LONE_SURROGATE, NULL},
		{"\"a\\ud800b\"", CB_LONE_SURROGATE, NULL},
		{"\"a\\udc00\\ud800\"", CB_LONE_SURROGATE, NULL},
		{"\"a\\ud800\\u0041\"", CB_LONE_SURROGATE, NULL},
		{"\"a\\ud800\\n\"", CB_LONE_SURROGATE, NULL},
	};
	CbBuf		out = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		CbJsonValue value = parse(cases[i].text);
		CbSpan		raw;

		check_context("string %s", cases[i].text);
		cb_buf_reset(&out);
		cb_buf_append_cstr(&out, ">");
		CHECK_RESULT(cb_json_string_append(&value, &out), cases[i].result);
		if (cases[i].decoded == NULL)
		{
			CHECK_INT(out.len, 1);
			CHECK(!cb_json_string_equal(&value, cb_span_cstr("a")));
			continue;
		}
		CHECK_BYTES(cb_span(out.data + 1, out.len - 1), cb_span_cstr(cases[i].decoded));
		CHECK(cb_json_string_equal(&value, cb_span_cstr(cases[i].decoded)));
		cb_buf_append_u8(&out, 'x');
		CHECK(!cb_json_string_equal(&value, cb_span(out.data + 1, out.len - 1)));
		CHECK_RESULT(cb_json_string_raw(&value, &raw), value.escaped ? CB_UNSUPPORTED : CB_OK);
		if (!value.escaped)
			CHECK_BYTES(raw, cb_span_cstr(cases[i].decoded));
	}
	check_context("%s", "");
	CHECK_RESULT(cb_json_string_append(&(CbJsonValue) {.type = CB_JSON_NUMBER}, &out), CB_INVALID);
	/* Not what the walker hands out: refused, not overrun. */
	CHECK_RESULT(cb_json_string_append(&(CbJsonValue) {(const uint8_t *) "\"\\\"", 3,
									   CB_JSON_STRING, true}, &out), CB_MALFORMED);
	CHECK_RESULT(cb_json_string_append(&(CbJsonValue) {(const uint8_t *) "\"\\u12\"", 6,
									   CB_JSON_STRING, true}, &out), CB_MALFORMED);
	cb_buf_free(&out);
}

static void
test_numbers(void)
{
	static const struct
	{
		const char *text;
		bool		integral;
		bool		fits;
		int64_t		value;
	}			cases[] = {
		{"0", true, true, 0}, {"-0", true, true, 0}, {"7", true, true, 7},
		{"-12", true, true, -12},
		{"9223372036854775807", true, true, INT64_MAX},
		{"-9223372036854775808", true, true, INT64_MIN},
		{"9223372036854775808", true, false, 0},
		{"-9223372036854775809", true, false, 0},
		{"18446744073709551616", true, false, 0},
		{"99999999999999999999999999", true, false, 0},
		{"1.0", false, true, 1}, {"-1.50e1", false, true, -15}, {"1.5", false, false, 0},
		{"1e3", false, true, 1000}, {"1E+3", false, true, 1000}, {"1e-3", false, false, 0},
		{"1000e-3", false, true, 1}, {"12.340e2", false, true, 1234},
		{"0.0e99999", false, true, 0}, {"0e-99999999999", false, true, 0},
		{"1e99999999999", false, false, 0}, {"0.00001e5", false, true, 1},
		{"922337203685477580700e-2", false, true, INT64_MAX},
		{"1e18", false, true, INT64_C(1000000000000000000)},
		{"1e19", false, false, 0}, {"10e18", false, false, 0},
		{"-9223372036854775808.000", false, true, INT64_MIN},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		CbJsonValue value = parse(cases[i].text);
		CbJsonNumber number;

		check_context("number %s", cases[i].text);
		CHECK_RESULT(cb_json_number(&value, &number), CB_OK);
		CHECK_INT(number.integral, cases[i].integral);
		CHECK_INT(number.fits_int64, cases[i].fits);
		if (number.fits_int64)
			CHECK_INT(number.int64, cases[i].value);
	}
	check_context("%s", "");
	CHECK_RESULT(cb_json_number(&(CbJsonValue) {(const uint8_t *) "1x", 2, CB_JSON_NUMBER, false},
								&(CbJsonNumber) {0}), CB_MALFORMED);
	CHECK_RESULT(cb_json_number(&(CbJsonValue) {.type = CB_JSON_NULL}, &(CbJsonNumber) {0}), CB_INVALID);
}

/* Elements or members joined by "|", then how it ended. */
static CbResult
join(const CbJsonValue *container, CbBuf *out)
{
	CbJsonIter	iter;
	CbJsonValue name = {0};
	CbJsonValue value;
	CbResult	result = cb_json_iter_init(&iter, container);

	if (result != CB_OK)
		return result;
	while ((result = cb_json_iter_next(&iter, &name, &value)) == CB_OK)
	{
		if (iter.object)
			cb_buf_append(out, name.data, name.len);
		cb_buf_append(out, value.data, value.len);
		cb_buf_append_u8(out, '|');
	}
	CHECK_RESULT(cb_json_iter_next(&iter, &name, &value), result);
	return result;
}

static void
test_containers(void)
{
	static const struct
	{
		const char *text;
		const char *joined;
	}			good[] = {
		{"[]", ""}, {"{}", ""}, {"[ ]", ""}, {"[1]", "1|"},
		{"[ 1 , \"a,b\" , [2,3] , {\"x\":4} ]", "1|\"a,b\"|[2,3]|{\"x\":4}|"},
		{"{\"a\":1,\"b\" : [2] , \"\\n\":null}", "\"a\"1|\"b\"[2]|\"\\n\"null|"},
	};
	static const char *const bad[] = {
		"[1", "[1,", "[1,]", "[,]", "[1 2]", "[}", "{]", "{\"a\"}", "{\"a\":}", "{1:2}",
		"{\"a\":1,}", "[1]]", "[\"\xff\"]"
	};
	CbBuf		out = {0};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		CbJsonValue value = parse(good[i].text);

		check_context("container %s", good[i].text);
		cb_buf_reset(&out);
		CHECK_RESULT(join(&value, &out), CB_END);
		CHECK_BYTES(cb_buf_span(&out), cb_span_cstr(good[i].joined));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		size_t		len = strlen(bad[i]);
		uint8_t    *copy = malloc(len);
		CbJsonValue value = {copy, len, bad[i][0] == '[' ? CB_JSON_ARRAY : CB_JSON_OBJECT, false};

		memcpy(copy, bad[i], len);
		check_context("container %s", bad[i]);
		CHECK_RESULT(join(&value, &out), CB_MALFORMED);
		free(copy);
	}
	check_context("%s", "");
	CHECK_RESULT(join(&(CbJsonValue) {(const uint8_t *) "1", 1, CB_JSON_NUMBER, false}, &out), CB_INVALID);
	cb_buf_free(&out);
}

void
test_json_value(void)
{
	test_strings();
	test_numbers();
	test_containers();
}
