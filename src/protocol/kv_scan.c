/*
 * kv_scan.c
 *		Range-scan and sampling-scan requests, and the records they return.
 */
#include "kv_scan.h"

#include <string.h>

#define SCAN_META_SIZE	25
#define SCAN_KEY_MAX	250

static void
append_bound(CbBuf *out, const char *name, bool exclusive, CbSpan key)
{
	cb_buf_append_format(out, "\"%s%s\":\"", exclusive ? "excl_" : "", name);
	cb_buf_append_base64(out, key);
	cb_buf_append_u8(out, '"');
}

static void
append_range(CbBuf *out, const CbScanCreate *create)
{
	static const uint8_t zero = 0;
	uint8_t		last[SCAN_KEY_MAX];
	CbSpan		end = create->end;
	bool		end_exclusive = create->end_exclusive;

	cb_buf_append_cstr(out, "\"range\":{");
	if (create->start.len == 0)
		append_bound(out, "start", false, cb_span(&zero, 1));
	else
		append_bound(out, "start", create->start_exclusive, create->start);
	if (!create->end_given && end.len == 0)
	{
		/* No key is above the longest one of all ff. */
		memset(last, 0xff, sizeof(last));
		end = cb_span(last, create->collection_id == 0 ? CB_KV_MAX_KEY :
					  CB_KV_MAX_COLLECTION_KEY);
		end_exclusive = false;
	}
	cb_buf_append_u8(out, ',');
	append_bound(out, "end", end_exclusive, end);
	cb_buf_append_u8(out, '}');
}

static void
append_snapshot(CbBuf *out, const CbScanCreate *create)
{
	cb_buf_append_format(out, ",\"snapshot_requirements\":{\"vb_uuid\":\"%llu\",\"seqno\":%llu",
						 (unsigned long long) create->snapshot.vbucket_uuid,
						 (unsigned long long) create->snapshot.seqno);
	if (create->seqno_exists)
		cb_buf_append_cstr(out, ",\"seqno_exists\":true");
	if (create->snapshot_timeout_ms != 0)
		cb_buf_append_format(out, ",\"timeout_ms\":%u",
							 (unsigned) create->snapshot_timeout_ms);
	cb_buf_append_u8(out, '}');
}

CbResult
cb_kv_scan_create(CbBuf *buf, const CbScanCreate *create)
{
	CbBuf		body = {0};
	CbRequest	request = {
		.opcode = CB_OP_RANGE_SCAN_CREATE,
		.datatype = CB_DATATYPE_JSON,
		.opaque = create->opaque,
		.vbucket = create->vbucket
	};
	CbResult	result;

	if (create->start.len > SCAN_KEY_MAX || create->end.len > SCAN_KEY_MAX)
		return CB_INVALID;
	if (create->collection_id > 0 && create->collection_id < 8)
		return CB_INVALID;
	if (create->samples != 0 && (create->start.len > 0 || create->end.len > 0))
		return CB_INVALID;
	cb_buf_append_u8(&body, '{');
	if (create->collection_id != 0)
		cb_buf_append_format(&body, "\"collection\":\"%x\",",
							 (unsigned) create->collection_id);
	if (create->key_only)
		cb_buf_append_cstr(&body, "\"key_only\":true,");
	if (create->samples != 0)
		cb_buf_append_format(&body, "\"sampling\":{\"samples\":%llu,\"seed\":%u}",
							 (unsigned long long) create->samples,
							 (unsigned) create->seed);
	else
		append_range(&body, create);
	if (create->has_snapshot)
		append_snapshot(&body, create);
	cb_buf_append_u8(&body, '}');
	request.value = cb_buf_span(&body);
	result = body.oom ? CB_NOMEM : cb_request_append(buf, &request);
	cb_buf_free(&body);
	return result;
}

CbResult
cb_kv_scan_create_result(CbSpan value, uint8_t id[CB_SCAN_ID_SIZE])
{
	if (value.len != CB_SCAN_ID_SIZE)
		return CB_MALFORMED;
	memcpy(id, value.data, CB_SCAN_ID_SIZE);
	return CB_OK;
}

CbResult
cb_kv_scan_continue(CbBuf *buf, uint32_t opaque, uint16_t vbucket,
					const uint8_t id[CB_SCAN_ID_SIZE], uint32_t item_limit,
					uint32_t time_limit_ms)
{
	uint8_t		extras[CB_SCAN_ID_SIZE + 12] = {0};

	memcpy(extras, id, CB_SCAN_ID_SIZE);
	for (int i = 0; i < 4; i++)
	{
		extras[CB_SCAN_ID_SIZE + i] = (uint8_t) (item_limit >> (24 - 8 * i));
		extras[CB_SCAN_ID_SIZE + 4 + i] = (uint8_t) (time_limit_ms >> (24 - 8 * i));
	}
	return cb_request_append(buf, &(CbRequest) {
		.opcode = CB_OP_RANGE_SCAN_CONTINUE, .opaque = opaque, .vbucket = vbucket,
			.extras = cb_span(extras, sizeof(extras))
	});
}

CbResult
cb_kv_scan_cancel(CbBuf *buf, uint32_t opaque, uint16_t vbucket,
				  const uint8_t id[CB_SCAN_ID_SIZE])
{
	return cb_request_append(buf, &(CbRequest) {
		.opcode = CB_OP_RANGE_SCAN_CANCEL, .opaque = opaque, .vbucket = vbucket,
			.extras = cb_span(id, CB_SCAN_ID_SIZE)
	});
}

CbResult
cb_kv_scan_iter_init(CbScanIter *iter, CbSpan extras, CbSpan value)
{
	uint32_t	content;

	*iter = (CbScanIter) {0};
	if (value.len == 0)
		return CB_OK;
	if (extras.len != 4)
		return CB_MALFORMED;
	content = cb_get_u32(extras.data);
	if (content > 1)
		return CB_MALFORMED;
	iter->key_only = content == 0;
	iter->rest = value;
	return CB_OK;
}

/* Take a length-prefixed run of bytes off rest. */
static CbResult
take_prefixed(CbSpan *rest, CbSpan *out)
{
	uint32_t	len;
	size_t		used;

	if (cb_leb128_read(*rest, &len, &used) != CB_OK || len > rest->len - used)
		return CB_MALFORMED;
	*out = cb_span(rest->data + used, len);
	rest->data += used + len;
	rest->len -= used + len;
	return CB_OK;
}

CbResult
cb_kv_scan_iter_next(CbScanIter *iter, CbScanItem *item)
{
	CbSpan		rest = iter->rest;

	if (rest.len == 0)
		return CB_END;
	*item = (CbScanItem) {0};
	if (!iter->key_only)
	{
		if (rest.len < SCAN_META_SIZE)
			return CB_MALFORMED;
		item->flags = cb_get_u32(rest.data);
		item->expiry = cb_get_u32(rest.data + 4);
		item->seqno = cb_get_u64(rest.data + 8);
		item->cas = cb_get_u64(rest.data + 16);
		item->datatype = rest.data[24];
		rest.data += SCAN_META_SIZE;
		rest.len -= SCAN_META_SIZE;
	}
	if (take_prefixed(&rest, &item->key) != CB_OK)
		return CB_MALFORMED;
	if (item->key.len == 0 || item->key.len > CB_KV_MAX_KEY)
		return CB_MALFORMED;
	if (!iter->key_only && take_prefixed(&rest, &item->value) != CB_OK)
		return CB_MALFORMED;
	iter->rest = rest;
	return CB_OK;
}

bool
cb_key_prefix_end(CbSpan prefix, uint8_t *out, size_t *out_len)
{
	size_t		len = prefix.len;

	while (len > 0 && prefix.data[len - 1] == 0xff)
		len--;
	if (len == 0)
		return false;
	memcpy(out, prefix.data, len);
	out[len - 1]++;
	*out_len = len;
	return true;
}
