/*
 * test_packet.c
 *		The packet reader on everything a real server sent, whole, byte by byte
 *		and glued together; and on what no server sends.
 */
#include "check.h"

#include "kv_packet.h"
#include "vectors.h"

#include <stdlib.h>

/* Compare a packet with the recorded bytes, split here by hand. */
static void
compare(const CbPacket *packet, CbSpan raw)
{
	const uint8_t *p = raw.data;
	bool		flex = p[0] == 0x18;
	size_t		frames = flex ? p[2] : 0;
	size_t		key = flex ? p[3] : (size_t) (p[2] << 8 | p[3]);
	size_t		extras = p[4];
	const uint8_t *body = p + 24;

	CHECK_INT(packet->size, raw.len);
	CHECK_INT(packet->magic, p[0]);
	CHECK_INT(packet->opcode, p[1]);
	CHECK_INT(packet->datatype, p[5]);
	CHECK_INT(packet->server_request, p[0] == 0x82);
	if (!packet->server_request)
		CHECK_INT(packet->status, p[6] << 8 | p[7]);
	CHECK(packet->opaque == cb_get_u32(p + 12));
	CHECK(packet->cas == cb_get_u64(p + 16));
	CHECK_BYTES(packet->frames, cb_span(body, frames));
	CHECK_BYTES(packet->extras, cb_span(body + frames, extras));
	CHECK_BYTES(packet->key, cb_span(body + frames + extras, key));
	CHECK_BYTES(packet->value, cb_span(body + frames + extras + key,
									   raw.len - 24 - frames - extras - key));
	CHECK_INT(packet->has_duration, frames == 3 && body[0] == 0x02);
}

/* Growing prefixes: every one is asked for more, with the right number. */
static void
read_bytewise(CbSpan raw)
{
	CbPacket	packet;
	size_t		need = 0;
	size_t		step = raw.len > 4096 ? 97 : 1;

	for (size_t len = 0; len < raw.len; len += step)
	{
		/* A copy of just this size, for the address sanitizer. */
		uint8_t    *copy = malloc(len + 1);

		memcpy(copy + 1, raw.data, len);
		if (cb_packet_read(cb_span(copy + 1, len), CB_KV_DEFAULT_LIMIT, &packet, &need) !=
			CB_NEED_MORE || need != (len < 24 ? 24 : raw.len))
			check_fail(__FILE__, __LINE__, "prefix of %zu bytes", len);
		check_count++;
		free(copy);
	}
	CHECK_RESULT(cb_packet_read(raw, CB_KV_DEFAULT_LIMIT, &packet, &need), CB_OK);
	CHECK_INT(need, raw.len);
	compare(&packet, raw);
}

static void
test_recorded(void)
{
	size_t		count;
	const Exchange *all = vectors_all(&count);
	CbBuf		glued = {0};
	CbSpan		rest;
	size_t		packets = 0;

	for (size_t i = 0; i < count; i++)
	{
		for (size_t j = 0; j < all[i].nresponses; j++)
		{
			check_context("%s %s step %d", all[i].file, all[i].scenario, all[i].step);
			read_bytewise(all[i].responses[j]);
			cb_buf_append_span(&glued, all[i].responses[j]);
			packets++;
		}
	}
	CHECK(packets > 1500);
	rest = cb_buf_span(&glued);
	for (size_t i = 0; i < count; i++)
	{
		for (size_t j = 0; j < all[i].nresponses; j++)
		{
			CbPacket	packet;

			check_context("glued, %s %s step %d", all[i].file, all[i].scenario, all[i].step);
			if (!CHECK_RESULT(cb_packet_read(rest, CB_KV_DEFAULT_LIMIT, &packet, NULL), CB_OK))
				goto out;
			CHECK_INT(packet.size, all[i].responses[j].len);
			rest.data += packet.size;
			rest.len -= packet.size;
		}
	}
	CHECK_INT(rest.len, 0);
out:
	check_context("%s", "");
	cb_buf_free(&glued);
}

static void
test_hostile(void)
{
	uint8_t		raw[64] = {0x81, 0x00, 0, 4, 4, 0, 0, 0, 0, 0, 0, 10};
	CbPacket	packet;
	size_t		need;

	for (int magic = 0; magic < 256; magic++)
	{
		bool		known = magic == 0x81 || magic == 0x18 || magic == 0x82;

		raw[0] = (uint8_t) magic;
		check_context("magic %02x", magic);
		CHECK_RESULT(cb_packet_read(cb_span(raw, 1), 100, &packet, NULL),
					 known ? CB_NEED_MORE : CB_MALFORMED);
	}
	check_context("%s", "");
	raw[0] = 0x81;
	CHECK_RESULT(cb_packet_read(cb_span(raw, 34), 34, &packet, &need), CB_OK);
	CHECK_INT(packet.size, 34);
	CHECK_INT(packet.value.len, 2);
	CHECK_RESULT(cb_packet_read(cb_span(raw, 33), 34, &packet, &need), CB_NEED_MORE);
	CHECK_INT(need, 34);
	CHECK_RESULT(cb_packet_read(cb_span(raw, 24), 33, &packet, &need), CB_LIMIT);
	raw[11] = 7;				/* key and extras do not fit */
	CHECK_RESULT(cb_packet_read(cb_span(raw, 24), 1000, &packet, &need), CB_MALFORMED);
	memset(raw + 8, 0xff, 4);
	CHECK_RESULT(cb_packet_read(cb_span(raw, 24), CB_KV_DEFAULT_LIMIT, &packet, &need), CB_LIMIT);
	CHECK_RESULT(cb_packet_read(CB_SPAN_EMPTY, 100, &packet, &need), CB_NEED_MORE);
	CHECK_INT(need, 24);
}

static void
test_frames(void)
{
	static const struct
	{
		const char *frames;
		size_t		len;
		bool		ok;
		long		duration;	/* -1: none */
	}			cases[] = {
		{"", 0, true, -1},
		{"\x02\x00\x00", 3, true, 0},
		{"\x02\xff\xff", 3, true, 120125042},	/* the longest: two minutes */
		{"\x02\x03\xe8", 3, true, 82979},
		{"\x12\x00\x01\x02\x00\x04", 6, true, 5},	/* read units before it */
		{"\xf0\x05\x02\x00\x04", 5, true, 5},	/* id escape */
		{"\x1f\x01" "0123456789abcdef\x02\x00\x04", 21, true, 5},	/* length escape: 16 */
		{"\x01\x00", 2, true, -1},	/* id 0 of another length: not ours */
		{"\x02\x00", 2, false, 0},
		{"\x02", 1, false, 0},
		{"\xf0", 1, false, 0},
		{"\x1f", 1, false, 0},
		{"\x1f\xff\x00", 3, false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		uint8_t		raw[64] = {0x18};
		CbPacket	packet;
		CbResult	result;

		check_context("frames case %zu", i);
		raw[2] = raw[11] = (uint8_t) cases[i].len;
		memcpy(raw + 24, cases[i].frames, cases[i].len);
		result = cb_packet_read(cb_span(raw, 24 + cases[i].len), 1000, &packet, NULL);
		CHECK_RESULT(result, cases[i].ok ? CB_OK : CB_MALFORMED);
		if (result != CB_OK)
			continue;
		CHECK_INT(packet.has_duration, cases[i].duration >= 0);
		if (packet.has_duration)
			CHECK_INT(packet.duration_us, cases[i].duration);
	}
	check_context("%s", "");
}

static void
test_leb128(void)
{
	static const struct
	{
		uint32_t	value;
		const char *bytes;
		size_t		len;
	}			good[] = {
		{0, "\x00", 1}, {1, "\x01", 1}, {0x7f, "\x7f", 1}, {0x80, "\x80\x01", 2},
		{0x555, "\xd5\x0a", 2}, {0x7fff, "\xff\xff\x01", 3}, {0xbfff, "\xff\xff\x02", 3},
		{0x7ffff, "\xff\xff\x1f", 3}, {0x7fffffff, "\xff\xff\xff\xff\x07", 5},
		{0xffffffff, "\xff\xff\xff\xff\x0f", 5}
	};
	uint8_t		out[5];
	uint32_t	value;
	size_t		used;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		CbSpan		bytes = cb_span(good[i].bytes, good[i].len);

		CHECK_BYTES(cb_span(out, cb_leb128_write(good[i].value, out)), bytes);
		CHECK_RESULT(cb_leb128_read(bytes, &value, &used), CB_OK);
		CHECK(value == good[i].value);
		CHECK_INT(used, good[i].len);
		bytes.len--;
		CHECK_RESULT(cb_leb128_read(bytes, &value, &used), CB_NEED_MORE);
	}
	CHECK_RESULT(cb_leb128_read(cb_span("\x80\x00", 2), &value, &used), CB_MALFORMED);
	CHECK_RESULT(cb_leb128_read(cb_span("\xff\xff\xff\xff\x10", 5), &value, &used), CB_MALFORMED);
	CHECK_RESULT(cb_leb128_read(cb_span("\xff\xff\xff\xff\xff\x01", 6), &value, &used), CB_MALFORMED);
}

void
test_packet(void)
{
	test_recorded();
	test_hostile();
	test_frames();
	test_leb128();
}
