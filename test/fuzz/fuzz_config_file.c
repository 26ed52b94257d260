/*
 * fuzz_config_file.c
 *		Kept configurations. What is accepted, whole or with a checksum put right, is
 *		written again to the very same bytes.
 */
#include "fuzz.h"

#include "config_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <zlib.h>

static bool
inside(CbSpan part, CbSpan whole)
{
	return part.len == 0 ||
		(part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static bool
try_read(CbSpan data)
{
	CbConfigFile file;
	CbConfigFile again;
	CbError		err = {0};
	CbBuf		out = {0};

	if (cb_config_file_read(data, &file, &err) != CB_OK)
	{
		EXPECT(err.text[0] != '\0');
		return false;
	}
	EXPECT(cb_config_file_is_ours(data));
	EXPECT(inside(file.server, data) && inside(file.bucket, data) && inside(file.host, data) &&
		   inside(file.bucket_uuid, data) && inside(file.cluster_uuid, data) &&
		   inside(file.network, data) && inside(file.text, data) && file.text.len > 0);
	EXPECT(cb_config_file_write(&file, &out) == CB_OK);
	EXPECT(cb_span_equal(cb_buf_span(&out), data));
	EXPECT(cb_config_file_read(cb_buf_span(&out), &again, &err) == CB_OK);
	cb_buf_free(&out);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *copy = fuzz_text(data, size);
	char	   *line = size > 0 ? memmem(copy, size, "\nchecksum ", 10) : NULL;

	try_read(cb_span(data, size));
	if (line != NULL && (size_t) (copy + size - line) > 20)
	{
		uLong		crc = crc32(0, Z_NULL, 0);
		char		digits[9];

		crc = crc32(crc, data, (uInt) (line + 1 - copy));
		crc = crc32(crc, data + (line - copy) + 20, (uInt) (copy + size - line - 20));
		snprintf(digits, sizeof(digits), "%08" PRIx32, (uint32_t) crc);
		memcpy(line + 10, digits, 8);
		try_read(cb_span(copy, size));
	}
	free(copy);
	return 0;
}
