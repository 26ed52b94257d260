/*
 * test_scan.c
 *		Range-scan records and key bounds.
 */
#include "check.h"

#include "kv_scan.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

/* Decode every recorded continue answer; count what comes. */
static void
test_recorded(void)
{
	size_t		count;
	const Exchange *all = vectors_all(&count);
	int			keys = 0;
	int			documents = 0;

	for (size_t i = 0; i < count; i++)
	{
		CbBuf		last_key = {0};

		for (size_t j = 0; j < all[i].nresponses && all[i].stream; j++)
		{
			CbPacket	packet;
			CbScanIter	iter;
			CbScanItem	item;
			CbResult	result;

			check_context("%s step %d", all[i].scenario, all[i].step);
			CHECK_RESULT(cb_packet_read(all[i].responses[j], SIZE_MAX, &packet, NULL), CB_OK);
			if (packet.opcode != CB_OP_RANGE_SCAN_CONTINUE ||
				(packet.status != 0 && packet.status != CB_STATUS_RANGE_SCAN_MORE &&
				 packet.status != CB_STATUS_RANGE_SCAN_COMPLETE))
				continue;
			CHECK_RESULT(cb_kv_scan_iter_init(&iter, packet.extras, packet.value), CB_OK);
			while ((result = cb_kv_scan_iter_next(&iter, &item)) == CB_OK)
			{
				CHECK(item.key.len > 0);
				CHECK(last_key.len == 0 ||
					  memcmp(last_key.data, item.key.data,
							 last_key.len < item.key.len ? last_key.len : item.key.len) <= 0);
				cb_buf_reset(&last_key);
				cb_buf_append_span(&last_key, item.key);
				iter.key_only ? keys++ : documents++;
				CHECK((item.cas != 0) == !iter.key_only && (item.seqno != 0) == !iter.key_only);
			}
			CHECK_RESULT(result, CB_END);
		}
		cb_buf_free(&last_key);
	}
	check_context("%s", "");
	CHECK(keys > 100);
	CHECK(documents > 100);
}

static void
test_records(void)
{
	static const uint8_t record[] = {
		0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 5,
		4, 'k', 'e', 'y', '0', 6, 'v', 'a', 'l', 'u', 'e', '0'
	};
	CbScanIter	iter;
	CbScanItem	item;
	CbSpan		documents = cb_span("\0\0\0\1", 4);
	CbSpan		keys = cb_span("\0\0\0\0", 4);

	CHECK_RESULT(cb_kv_scan_iter_init(&iter, documents, cb_span(record, sizeof(record))), CB_OK);
	CHECK_RESULT(cb_kv_scan_iter_next(&iter, &item), CB_OK);
	CHECK_INT(item.flags, 1);
	CHECK_INT(item.expiry, 2);
	CHECK_INT(item.seqno, 3);
	CHECK_INT(item.cas, 4);
	CHECK_INT(item.datatype, 5);
	CHECK_BYTES(item.key, cb_span_cstr("key0"));
	CHECK_BYTES(item.value, cb_span_cstr("value0"));
	CHECK_RESULT(cb_kv_scan_iter_next(&iter, &item), CB_END);
	for (size_t len = 1; len < sizeof(record); len++)
	{
		uint8_t    *copy = malloc(len);

		memcpy(copy, record, len);
		CHECK_RESULT(cb_kv_scan_iter_init(&iter, documents, cb_span(copy, len)), CB_OK);
		CHECK_RESULT(cb_kv_scan_iter_next(&iter, &item), CB_MALFORMED);
		free(copy);
	}
	CHECK_RESULT(cb_kv_scan_iter_init(&iter, keys, cb_span("\1a\2bc", 5)), CB_OK);
	CHECK_RESULT(cb_kv_scan_iter_next(&iter, &item), CB_OK);
	CHECK_RESULT(cb_kv_scan_iter_next(&iter, &item), CB_OK);
	CHECK_BYTES(item.key, cb_span_cstr("bc"));
	CHECK_RESULT(cb_kv_scan_iter_next(&iter, &item), CB_END);
	/* Empty key, length past the end, key too long, unknown content. */
	CHECK_RESULT(cb_kv_scan_iter_init(&iter, keys, cb_span("\0", 1)), CB_OK);
	CHECK_RESULT(cb_kv_scan_iter_next(&iter, &item), CB_MALFORMED);
	CHECK_RESULT(cb_kv_scan_iter_init(&iter, keys, cb_span("\xff\xff\xff\xff\x0f" "a", 6)), CB_OK);
	CHECK_RESULT(cb_kv_scan_iter_next(&iter, &item), CB_MALFORMED);
	CHECK_RESULT(cb_kv_scan_iter_init(&iter, cb_span("\0\0\0\2", 4), keys), CB_MALFORMED);
	CHECK_RESULT(cb_kv_scan_iter_init(&iter, cb_span("\0\0\0", 3), keys), CB_MALFORMED);
	CHECK_RESULT(cb_kv_scan_iter_init(&iter, CB_SPAN_EMPTY, CB_SPAN_EMPTY), CB_OK);
	CHECK_RESULT(cb_kv_scan_iter_next(&iter, &item), CB_END);
}

static void
expect_body(const CbScanCreate *create, const char *body)
{
	CbBuf		out = {0};

	CHECK_RESULT(cb_kv_scan_create(&out, create), CB_OK);
	CHECK(out.len >= 24 && out.data[1] == 0xda && out.data[5] == CB_DATATYPE_JSON);
	CHECK_BYTES(cb_span(out.data + 24, out.len - 24), cb_span_cstr(body));
	cb_buf_free(&out);
}

static void
test_create(void)
{
	CbScanCreate create = {.collection_id = 0xabc, .key_only = true};
	CbBuf		out = {0};
	char		body[600];
	CbBuf		last = {0};
	uint8_t		ff[250];

	memset(ff, 0xff, sizeof(ff));
	cb_buf_append_base64(&last, cb_span(ff, 246));
	snprintf(body, sizeof(body), "{\"collection\":\"abc\",\"key_only\":true,\"range\":{\"start\":"
			 "\"AA==\",\"end\":\"%.*s\"}}", (int) last.len, last.data);
	expect_body(&create, body);

	create = (CbScanCreate) {
		.start = cb_span_cstr("k03-bks"), .start_exclusive = true,
		.end = cb_span_cstr("k06-bam"), .end_given = true, .end_exclusive = true
	};
	expect_body(&create, "{\"range\":{\"excl_start\":\"azAzLWJrcw==\",\"excl_end\":\"azA2LWJhbQ==\"}}");
	create = (CbScanCreate) {
		.samples = 20, .seed = 18111, .has_snapshot = true,
		.snapshot = {.vbucket_uuid = UINT64_MAX, .seqno = 7}, .seqno_exists = true,
		.snapshot_timeout_ms = 300
	};
	expect_body(&create, "{\"sampling\":{\"samples\":20,\"seed\":18111},\"snapshot_requirements\":"
				"{\"vb_uuid\":\"18446744073709551615\",\"seqno\":7,\"seqno_exists\":true,"
				"\"timeout_ms\":300}}");
	create.start = cb_span_cstr("x");
	CHECK_RESULT(cb_kv_scan_create(&out, &create), CB_INVALID);
	create = (CbScanCreate) {.collection_id = 7};
	CHECK_RESULT(cb_kv_scan_create(&out, &create), CB_INVALID);
	create = (CbScanCreate) {.start = cb_span(body, 251)};
	CHECK_RESULT(cb_kv_scan_create(&out, &create), CB_INVALID);
	CHECK_INT(out.len, 0);
	cb_buf_free(&last);
	cb_buf_free(&out);
}

static void
test_prefix_end(void)
{
	uint8_t		out[16];
	size_t		len;

	CHECK(cb_key_prefix_end(cb_span_cstr("abc"), out, &len));
	CHECK_BYTES(cb_span(out, len), cb_span_cstr("abd"));
	CHECK(cb_key_prefix_end(cb_span("a\xff\xff", 3), out, &len));
	CHECK_BYTES(cb_span(out, len), cb_span_cstr("b"));
	CHECK(!cb_key_prefix_end(cb_span("\xff\xff", 2), out, &len));
	CHECK(!cb_key_prefix_end(CB_SPAN_EMPTY, out, &len));
}

void
test_scan(void)
{
	test_recorded();
	test_records();
	test_create();
	test_prefix_end();
}
