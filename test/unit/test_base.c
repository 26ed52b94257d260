/*
 * test_base.c
 *		Buffer, base64, UTF-8, JSON strings, closest name.
 */
#include "check.h"

#include <stdlib.h>

static void
test_buffer(void)
{
	CbBuf		buf = {0};

	cb_buf_append_u8(&buf, 1);
	cb_buf_append_u16(&buf, 0x0203);
	cb_buf_append_u32(&buf, 0x04050607);
	cb_buf_append_u64(&buf, UINT64_C(0x08090a0b0c0d0e0f));
	cb_buf_append_format(&buf, "%d-%s", 16, "x");
	CHECK_BYTES(cb_buf_span(&buf), cb_span("\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17" "16-x", 19));
	CHECK_INT(cb_get_u16(buf.data + 1), 0x0203);
	CHECK_INT(cb_get_u32(buf.data + 3), 0x04050607);
	CHECK(cb_get_u64(buf.data + 7) == UINT64_C(0x08090a0b0c0d0e0f));
	cb_buf_consume(&buf, 15);
	CHECK_BYTES(cb_buf_span(&buf), cb_span_cstr("16-x"));
	cb_buf_consume(&buf, 99);
	CHECK_INT(buf.len, 0);
	CHECK(!cb_buf_reserve(&buf, SIZE_MAX - 1));
	CHECK(buf.oom);
	cb_buf_append_cstr(&buf, "lost");
	CHECK_INT(buf.len, 0);
	CHECK_RESULT(cb_buf_result(&buf), CB_NOMEM);
	cb_buf_reset(&buf);
	for (int i = 0; i < 10000; i++)
		cb_buf_append_cstr(&buf, "0123456789");
	CHECK_INT(buf.len, 100000);
	cb_buf_free_secret(&buf);
	CHECK(buf.data == NULL);
}

static void
test_base64(void)
{
	static const char *const bad[] = {
		"A", "AA", "AA=", "AAA", "!!!!", "A===", "====", "AA==AA==", "AB==", "AAB=",
		"AA-_", "AAA\n", "AA= "
	};
	CbBuf		text = {0};
	CbBuf		bytes = {0};

	for (size_t len = 0; len < 64; len++)
	{
		uint8_t		data[64];

		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t) (i * 37 + len * 11);
		cb_buf_reset(&text);
		cb_buf_reset(&bytes);
		cb_buf_append_base64(&text, cb_span(data, len));
		CHECK_INT(text.len, (len + 2) / 3 * 4);
		CHECK_RESULT(cb_base64_decode(cb_buf_span(&text), &bytes), CB_OK);
		CHECK_BYTES(cb_buf_span(&bytes), cb_span(data, len));
	}
	cb_buf_reset(&text);
	cb_buf_append_base64(&text, cb_span("\xff\xff", 2));
	CHECK_BYTES(cb_buf_span(&text), cb_span_cstr("//8="));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		check_context("base64 %s", bad[i]);
		cb_buf_reset(&bytes);
		CHECK_RESULT(cb_base64_decode(cb_span_cstr(bad[i]), &bytes), CB_MALFORMED);
	}
	check_context("%s", "");
	cb_buf_free(&text);
	cb_buf_free(&bytes);
}

static void
test_utf8(void)
{
	static const struct
	{
		const char *text;
		size_t		valid;
	}			cases[] = {
		{"", 0}, {"plain ascii text", 16}, {"\xc3\xbc", 2}, {"a\xe2\x82\xac" "b", 5},
		{"\xf0\x9f\x98\x80", 4}, {"\xed\x9f\xbf", 3}, {"\xee\x80\x80", 3},
		{"\xf4\x8f\xbf\xbf", 4},
		/* overlong, surrogates, too large, cut, stray */
		{"ab\xc0\x80", 2}, {"ab\xc1\xbf", 2}, {"\xe0\x80\x80", 0}, {"\xe0\x9f\xbf", 0},
		{"\xf0\x8f\xbf\xbf", 0}, {"\xed\xa0\x80", 0}, {"\xed\xbf\xbf", 0},
		{"\xf4\x90\x80\x80", 0}, {"\xf5\x80\x80\x80", 0}, {"a\xe2\x82", 1}, {"a\x80", 1},
		{"12345678\xff", 8}, {"a\xc3", 1}, {"\xf0\x9f\x98", 0}, {"\xc3" "a", 0}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		check_context("case %zu", i);
		CHECK_INT(cb_utf8_valid_prefix(cb_span_cstr(cases[i].text)), cases[i].valid);
	}
	check_context("%s", "");
}

static void
test_texts(void)
{
	static const char *const names[] = {"kv_timeout", "compression", "network", NULL};
	CbError		err;
	CbBuf		buf = {0};
	char		long_text[600];

	cb_buf_append_json(&buf, cb_span("a\"b\\c\n\x01\xc3\xbc", 9));
	CHECK_BYTES(cb_buf_span(&buf), cb_span_cstr("\"a\\\"b\\\\c\\u000a\\u0001\xc3\xbc\""));
	cb_buf_free(&buf);

	CHECK_STR(cb_closest_name(cb_span_cstr("kv_timeuot"), names), "kv_timeout");
	CHECK_STR(cb_closest_name(cb_span_cstr("Netwrok"), names), "network");
	CHECK_STR(cb_closest_name(cb_span_cstr("elephant"), names), NULL);
	CHECK_STR(cb_closest_name(cb_span_cstr(""), names), NULL);
	CHECK_STR(cb_closest_name(cb_span_cstr("x"), names), NULL);

	memset(long_text, 'x', sizeof(long_text));
	memcpy(long_text + 510, "\xe2\x82\xac", 3);
	long_text[599] = '\0';
	CHECK_RESULT(cb_error_set(&err, CB_LIMIT, NULL, "%s", long_text), CB_LIMIT);
	CHECK_INT(strlen(err.text), 510);
	CHECK_STR(err.hint, "");
	CHECK_RESULT(cb_error_set(NULL, CB_LIMIT, NULL, "nobody looks"), CB_LIMIT);
}

void
test_base(void)
{
	test_buffer();
	test_base64();
	test_utf8();
	test_texts();
}
