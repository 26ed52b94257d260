/*
 * test_vbucket.c
 *		vBucket hash against known values and against the recorded requests.
 */
#include "check.h"

#include "vbucket.h"

void
test_vbucket(void)
{
	char		long_key[250];
	const struct
	{
		CbSpan		key;
		int			by_1024;
		int			by_128;
		int			by_64;
	}			cases[] = {
		{cb_span_cstr(""), 0, 0, 0},
		{cb_span_cstr("a"), 183, 55, 55},
		{cb_span_cstr("hello"), 528, 16, 16},
		{cb_span_cstr("foo"), 115, 115, 51},
		{cb_span_cstr("key1"), 92, 92, 28},
		{cb_span_cstr("airline_10"), 361, 105, 41},
		{cb_span_cstr("\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87"), 175, 47, 47},
		{cb_span(long_key, 250), 360, 104, 40},
	};

	memset(long_key, 'x', sizeof(long_key));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		check_context("key %zu", i);
		CHECK_INT(cb_vbucket_of(cases[i].key, 1024), cases[i].by_1024);
		CHECK_INT(cb_vbucket_of(cases[i].key, 128), cases[i].by_128);
		CHECK_INT(cb_vbucket_of(cases[i].key, 64), cases[i].by_64);
		CHECK_INT(cb_vbucket_of(cases[i].key, 1), 0);
	}
	check_context("%s", "");
	/* Fifteen bits: e8b7 counts as 68b7. */
	CHECK_INT(cb_vbucket_of(cb_span_cstr("a"), 1000), 807);
	CHECK_INT(cb_vbucket_of(cb_span_cstr("a"), 65536), 0x68b7);
}
