/*
 * fuzz_snappy.c
 *		Compressed documents: the limit holds, and what compresses comes back.
 */
#include "fuzz.h"

#include "compress.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CbBuf		packed = {0};
	CbBuf		plain = {0};

	if (cb_snappy_inflate(cb_span(data, size), 1 << 16, &plain) == CB_OK)
		EXPECT(plain.len <= 1 << 16);
	if (cb_snappy_deflate(cb_span(data, size), 0, 10.0, &packed) == CB_OK)
	{
		EXPECT(cb_snappy_inflate(cb_buf_span(&packed), size, &plain) == CB_OK);
		EXPECT(cb_span_equal(cb_buf_span(&plain), cb_span(data, size)));
	}
	cb_buf_free(&packed);
	cb_buf_free(&plain);
	return 0;
}
