/*
 * test_compress.c
 *		Snappy: round trips, limits, corrupt input.
 */
#include "check.h"

#include "compress.h"
#include "kv_packet.h"

#include <stdlib.h>

static void
test_round_trips(void)
{
	CbBuf		packed = {0};
	CbBuf		plain = {0};
	char	   *text = malloc(100000);

	for (size_t i = 0; i < 100000; i++)
		text[i] = "{\"name\":\"value\"},"[i % 17];
	for (size_t len = 40; len <= 100000; len = len * 3 + 1)
	{
		CbSpan		data = cb_span(text, len);

		check_context("%zu bytes", len);
		CHECK_RESULT(cb_snappy_deflate(data, 32, 0.83, &packed), CB_OK);
		CHECK(packed.len < len * 83 / 100);
		CHECK_RESULT(cb_snappy_inflate(cb_buf_span(&packed), len, &plain), CB_OK);
		CHECK_BYTES(cb_buf_span(&plain), data);
		CHECK_RESULT(cb_snappy_inflate(cb_buf_span(&packed), len - 1, &plain), CB_LIMIT);
		CHECK_INT(plain.len, 0);
		for (size_t cut = 0; cut < packed.len; cut += 1 + packed.len / 50)
			CHECK(cb_snappy_inflate(cb_span(packed.data, cut), len, &plain) != CB_OK);
	}
	check_context("%s", "");
	CHECK_RESULT(cb_snappy_deflate(cb_span(text, 31), 32, 0.83, &packed), CB_UNSUPPORTED);
	for (size_t i = 0; i < 1000; i++)
		text[i] = (char) (i * 2654435761u >> 13);
	CHECK_RESULT(cb_snappy_deflate(cb_span(text, 60), 32, 0.83, &packed), CB_UNSUPPORTED);
	free(text);
	cb_buf_free(&packed);
	cb_buf_free(&plain);
}

static void
test_corrupt(void)
{
	CbBuf		plain = {0};
	uint8_t		noise[64];
	uint32_t	seed = 1;

	CHECK_RESULT(cb_snappy_inflate(CB_SPAN_EMPTY, 100, &plain), CB_MALFORMED);
	/* Announces 4 GiB in five bytes. */
	CHECK_RESULT(cb_snappy_inflate(cb_span("\xff\xff\xff\xff\x0f", 5), SIZE_MAX, &plain),
				 CB_MALFORMED);
	CHECK_RESULT(cb_snappy_inflate(cb_span("\x80\x80\x80\x08", 4), 1 << 20, &plain), CB_LIMIT);
	CHECK_INT(plain.cap < 4096, true);
	/* A copy from before the start, and a literal that ends early. */
	CHECK_RESULT(cb_snappy_inflate(cb_span("\x04\x01\x01", 3), 100, &plain), CB_MALFORMED);
	CHECK_RESULT(cb_snappy_inflate(cb_span("\x04\x0c" "ab", 4), 100, &plain), CB_MALFORMED);
	CHECK(cb_snappy_ok(cb_span("\x05\x10" "12345", 7), 5));
	CHECK(!cb_snappy_ok(cb_span("\x05\x10" "12345", 7), 4));
	CHECK(!cb_snappy_ok(cb_span("\x05\x10" "1234", 6), 5));
	CHECK(!cb_snappy_ok(CB_SPAN_EMPTY, 5));
	CHECK_RESULT(cb_snappy_inflate(cb_span("\x00", 1), 100, &plain), CB_OK);
	CHECK_INT(plain.len, 0);
	for (int round = 0; round < 20000; round++)
	{
		size_t		len = 1 + (seed >> 8) % sizeof(noise);

		for (size_t i = 0; i < len; i++)
		{
			seed = seed * 1664525 + 1013904223;
			noise[i] = (uint8_t) (seed >> 24);
		}
		if (cb_snappy_inflate(cb_span(noise, len), 1 << 16, &plain) == CB_OK)
			CHECK(plain.len <= 1 << 16);
	}
	cb_buf_free(&plain);
}

static void
test_packet_value(void)
{
	CbPacket	packet = {.value = cb_span_cstr("plain")};
	CbBuf		scratch = {0};
	CbSpan		value;

	CHECK_RESULT(cb_packet_value(&packet, 100, &scratch, &value), CB_OK);
	CHECK_BYTES(value, cb_span_cstr("plain"));
	CHECK(value.data == packet.value.data);
	CHECK_RESULT(cb_packet_value(&packet, 4, &scratch, &value), CB_LIMIT);
	packet.datatype = CB_DATATYPE_JSON | CB_DATATYPE_SNAPPY;
	packet.value = cb_span("\x05\x10" "12345", 7);
	CHECK_RESULT(cb_packet_value(&packet, 100, &scratch, &value), CB_OK);
	CHECK_BYTES(value, cb_span_cstr("12345"));
	packet.value.len = 4;
	CHECK_RESULT(cb_packet_value(&packet, 100, &scratch, &value), CB_MALFORMED);
	CHECK_INT(value.len, 0);
	cb_buf_free(&scratch);
}

void
test_compress(void)
{
	test_round_trips();
	test_corrupt();
	test_packet_value();
}
