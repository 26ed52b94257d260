/*
 * compress.c
 *		Snappy through its C interface, with limits.
 */
#include "compress.h"

#include <snappy-c.h>

CbResult
cb_snappy_inflate(CbSpan data, size_t limit, CbBuf *out)
{
	const char *input = (const char *) data.data;
	size_t		length = 0;

	cb_buf_reset(out);
	if (data.len == 0 ||
		snappy_uncompressed_length(input, data.len, &length) != SNAPPY_OK)
		return CB_MALFORMED;
	if (length > limit)
		return CB_LIMIT;
	/* The block format cannot shrink below 3 bytes for 64: reject lies before allocating. */
	if (length / 32 > data.len)
		return CB_MALFORMED;
	if (!cb_buf_reserve(out, length == 0 ? 1 : length))
		return CB_NOMEM;
	if (snappy_uncompress(input, data.len, (char *) out->data, &length) != SNAPPY_OK)
		return CB_MALFORMED;
	out->len = length;
	return CB_OK;
}

bool
cb_snappy_ok(CbSpan data, size_t limit)
{
	const char *input = (const char *) data.data;
	size_t		length = 0;

	return data.len > 0 &&
		snappy_uncompressed_length(input, data.len, &length) == SNAPPY_OK &&
		length <= limit &&
		snappy_validate_compressed_buffer(input, data.len) == SNAPPY_OK;
}

CbResult
cb_snappy_deflate(CbSpan data, size_t min_size, double max_ratio, CbBuf *out)
{
	size_t		length;

	cb_buf_reset(out);
	if (data.len == 0 || data.len < min_size)
		return CB_UNSUPPORTED;
	length = snappy_max_compressed_length(data.len);
	if (!cb_buf_reserve(out, length))
		return CB_NOMEM;
	if (snappy_compress((const char *) data.data, data.len, (char *) out->data,
						&length) != SNAPPY_OK)
		return CB_UNSUPPORTED;
	if ((double) length >= max_ratio * (double) data.len)
		return CB_UNSUPPORTED;
	out->len = length;
	return CB_OK;
}
