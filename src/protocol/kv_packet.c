/*
 * kv_packet.c
 *		Writer of requests and reader of what the server sends.
 */
#include "kv_packet.h"

#include "compress.h"

#include <math.h>

/* Framing extras of requests and answers */
#define FRAME_REQUEST_DURABILITY		1
#define FRAME_REQUEST_PRESERVE_EXPIRY	5
#define FRAME_RESPONSE_DURATION			0

size_t
cb_leb128_write(uint32_t value, uint8_t out[5])
{
	size_t		n = 0;

	do
	{
		out[n] = (uint8_t) (value & 0x7f);
		value >>= 7;
		if (value != 0)
			out[n] |= 0x80;
		n++;
	} while (value != 0);
	return n;
}

CbResult
cb_leb128_read(CbSpan input, uint32_t *value, size_t *used)
{
	uint32_t	result = 0;

	for (size_t i = 0; i < 5; i++)
	{
		uint8_t		byte;

		if (i >= input.len)
			return CB_NEED_MORE;
		byte = input.data[i];
		if (i == 4 && byte > 0x0f)
			return CB_MALFORMED;
		result |= (uint32_t) (byte & 0x7f) << (7 * i);
		if ((byte & 0x80) == 0)
		{
			if (byte == 0 && i > 0)
				return CB_MALFORMED;
			*value = result;
			*used = i + 1;
			return CB_OK;
		}
	}
	return CB_MALFORMED;
}

/*
 * Walk the framing extras of an answer. Each starts with id and length of four
 * bits; 15 in either means that a further byte is added to it.
 */
static CbResult
read_frames(CbPacket *packet)
{
	CbSpan		rest = packet->frames;

	while (rest.len > 0)
	{
		unsigned	id = rest.data[0] >> 4;
		size_t		len = rest.data[0] & 0x0f;
		size_t		pos = 1;

		if (id == 15)
		{
			if (pos >= rest.len)
				return CB_MALFORMED;
			id += rest.data[pos++];
		}
		if (len == 15)
		{
			if (pos >= rest.len)
				return CB_MALFORMED;
			len += rest.data[pos++];
		}
		if (len > rest.len - pos)
			return CB_MALFORMED;
		if (id == FRAME_RESPONSE_DURATION && len == 2)
		{
			packet->has_duration = true;
			packet->duration_us =
				(uint32_t) (pow(cb_get_u16(rest.data + pos), 1.74) / 2);
		}
		rest.data += pos + len;
		rest.len -= pos + len;
	}
	return CB_OK;
}

static CbSpan
take(CbSpan *rest, size_t len)
{
	CbSpan		part = {rest->data, len};

	rest->data += len;
	rest->len -= len;
	return part;
}

CbResult
cb_packet_read(CbSpan input, size_t limit, CbPacket *packet, size_t *need)
{
	const uint8_t *p = input.data;
	size_t		frames_len = 0;
	size_t		key_len;
	size_t		extras_len;
	size_t		body_len;
	CbSpan		rest;
	bool		flex;

	if (need != NULL)
		*need = CB_KV_HEADER_SIZE;
	if (input.len > 0 && p[0] != CB_MAGIC_RESPONSE && p[0] != CB_MAGIC_RESPONSE_FLEX &&
		p[0] != CB_MAGIC_SERVER_REQUEST)
		return CB_MALFORMED;
	if (input.len < CB_KV_HEADER_SIZE)
		return CB_NEED_MORE;

	flex = p[0] == CB_MAGIC_RESPONSE_FLEX;
	key_len = flex ? p[3] : cb_get_u16(p + 2);
	if (flex)
		frames_len = p[2];
	extras_len = p[4];
	body_len = cb_get_u32(p + 8);
	if (frames_len + extras_len + key_len > body_len)
		return CB_MALFORMED;
	if (body_len > limit || body_len + CB_KV_HEADER_SIZE > limit)
		return CB_LIMIT;
	if (need != NULL)
		*need = CB_KV_HEADER_SIZE + body_len;
	if (input.len < CB_KV_HEADER_SIZE + body_len)
		return CB_NEED_MORE;

	*packet = (CbPacket) {
		.magic = p[0],
		.opcode = p[1],
		.datatype = p[5],
		.server_request = p[0] == CB_MAGIC_SERVER_REQUEST,
		.opaque = cb_get_u32(p + 12),
		.cas = cb_get_u64(p + 16),
		.size = CB_KV_HEADER_SIZE + body_len
	};
	if (!packet->server_request)
		packet->status = cb_get_u16(p + 6);
	rest = cb_span(p + CB_KV_HEADER_SIZE, body_len);
	packet->frames = take(&rest, frames_len);
	packet->extras = take(&rest, extras_len);
	packet->key = take(&rest, key_len);
	packet->value = rest;
	return read_frames(packet);
}

CbResult
cb_packet_value(const CbPacket *packet, size_t limit, CbBuf *scratch, CbSpan *value)
{
	CbResult	result;

	*value = packet->value;
	if ((packet->datatype & CB_DATATYPE_SNAPPY) == 0)
		return packet->value.len > limit ? CB_LIMIT : CB_OK;
	result = cb_snappy_inflate(packet->value, limit, scratch);
	*value = result == CB_OK ? cb_buf_span(scratch) : CB_SPAN_EMPTY;
	return result;
}

/* Framing extras of a request into out (at most 5 bytes); their length. */
static size_t
write_frames(const CbRequest *request, uint8_t out[5])
{
	size_t		n = 0;

	if (request->durability != CB_DURABILITY_NONE)
	{
		bool		timeout = request->durability_timeout_ms != 0;

		out[n++] = FRAME_REQUEST_DURABILITY << 4 | (timeout ? 3 : 1);
		out[n++] = (uint8_t) request->durability;
		if (timeout)
		{
			out[n++] = (uint8_t) (request->durability_timeout_ms >> 8);
			out[n++] = (uint8_t) request->durability_timeout_ms;
		}
	}
	if (request->preserve_expiry)
		out[n++] = FRAME_REQUEST_PRESERVE_EXPIRY << 4;
	return n;
}

/* Whether the server would understand the request at all. */
static bool
acceptable(const CbRequest *request)
{
	if (request->extras.len > UINT8_MAX)
		return false;
	if (request->has_collection)
	{
		bool		named = request->collection_id != 0;

		/* Ids 1 to 7 are reserved by the server. */
		if (named && request->collection_id < 8)
			return false;
		if (request->key.len == 0 ||
			request->key.len > (named ? CB_KV_MAX_COLLECTION_KEY : CB_KV_MAX_KEY))
			return false;
	}
	else if (request->key.len > CB_KV_MAX_KEY)
		return false;
	if ((int) request->durability < 0 || request->durability > CB_DURABILITY_PERSIST_MAJORITY)
		return false;
	/* 0xffff means "infinite" and is refused. */
	if (request->durability_timeout_ms == UINT16_MAX)
		return false;
	return true;
}

CbResult
cb_request_append(CbBuf *buf, const CbRequest *request)
{
	uint8_t		prefix[5];
	uint8_t		frames[5];
	size_t		prefix_len = 0;
	size_t		frames_len;
	size_t		key_len;
	size_t		body_len;

	if (!acceptable(request))
		return CB_INVALID;
	frames_len = write_frames(request, frames);
	if (request->has_collection)
		prefix_len = cb_leb128_write(request->collection_id, prefix);
	key_len = prefix_len + request->key.len;
	if (request->value.len > CB_KV_DEFAULT_LIMIT)
		return CB_INVALID;
	body_len = frames_len + request->extras.len + key_len + request->value.len;
	if (body_len + CB_KV_HEADER_SIZE > CB_KV_DEFAULT_LIMIT)
		return CB_INVALID;
	if (!cb_buf_reserve(buf, CB_KV_HEADER_SIZE + body_len))
		return CB_NOMEM;

	if (frames_len > 0)
	{
		cb_buf_append_u8(buf, CB_MAGIC_REQUEST_FLEX);
		cb_buf_append_u8(buf, request->opcode);
		cb_buf_append_u8(buf, (uint8_t) frames_len);
		cb_buf_append_u8(buf, (uint8_t) key_len);
	}
	else
	{
		cb_buf_append_u8(buf, CB_MAGIC_REQUEST);
		cb_buf_append_u8(buf, request->opcode);
		cb_buf_append_u16(buf, (uint16_t) key_len);
	}
	cb_buf_append_u8(buf, (uint8_t) request->extras.len);
	cb_buf_append_u8(buf, request->datatype);
	cb_buf_append_u16(buf, request->vbucket);
	cb_buf_append_u32(buf, (uint32_t) body_len);
	cb_buf_append_u32(buf, request->opaque);
	cb_buf_append_u64(buf, request->cas);
	cb_buf_append(buf, frames, frames_len);
	cb_buf_append_span(buf, request->extras);
	cb_buf_append(buf, prefix, prefix_len);
	cb_buf_append_span(buf, request->key);
	cb_buf_append_span(buf, request->value);
	return CB_OK;
}
