/*
 * config_file.c
 *		Writing and reading kept cluster configurations.
 */
#include "config_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define MAGIC	"cbconn_fdw cluster configuration, format "
#define FORMAT	"1\n"

/* ---- writing ---- */

static bool
fits_line(CbSpan value)
{
	if (value.len > CB_CONFIG_FILE_VALUE_MAX)
		return false;
	for (size_t i = 0; i < value.len; i++)
	{
		if (value.data[i] < 0x20 || value.data[i] == 0x7f)
			return false;
	}
	return true;
}

static void
append_line(CbBuf *out, const char *name, CbSpan value)
{
	cb_buf_append_format(out, "%s ", name);
	cb_buf_append_span(out, value);
	cb_buf_append_u8(out, '\n');
}

static uint32_t
checksum(CbSpan header, CbSpan text)
{
	uLong		crc = crc32(0, Z_NULL, 0);

	crc = crc32(crc, header.data, (uInt) header.len);
	return (uint32_t) crc32(crc, text.data, (uInt) text.len);
}

CbResult
cb_config_file_write(const CbConfigFile *file, CbBuf *out)
{
	size_t		start = out->len;
	CbSpan		header;

	if (!fits_line(file->server) || !fits_line(file->bucket) || !fits_line(file->bucket_uuid) ||
		!fits_line(file->cluster_uuid) || !fits_line(file->host) || !fits_line(file->network))
		return CB_INVALID;
	if (file->server.len == 0 || file->bucket.len == 0 || file->network.len == 0 ||
		file->text.len == 0 || file->version.epoch < 0 || file->version.rev < 0 || file->written < 0)
		return CB_INVALID;
	if (file->text.len > CB_CONFIG_FILE_MAX - 4096)
		return CB_LIMIT;
	cb_buf_append_cstr(out, MAGIC FORMAT);
	append_line(out, "server", file->server);
	append_line(out, "bucket", file->bucket);
	append_line(out, "bucket-uuid", file->bucket_uuid);
	append_line(out, "cluster-uuid", file->cluster_uuid);
	append_line(out, "host", file->host);
	append_line(out, "network", file->network);
	cb_buf_append_format(out, "epoch %" PRId64 "\nrevision %" PRId64 "\nwritten %" PRId64 "\n"
						 "length %zu\n",
						 file->version.epoch, file->version.rev, file->written, file->text.len);
	if (cb_buf_result(out) != CB_OK)
		return CB_NOMEM;
	header = cb_span(out->data + start, out->len - start);
	cb_buf_append_format(out, "checksum %08" PRIx32 "\n\n", checksum(header, file->text));
	cb_buf_append_span(out, file->text);
	return cb_buf_result(out);
}

/* ---- reading ---- */

/* The value of the line that must come next; false: it does not. */
static bool
take_line(CbSpan *rest, const char *name, CbSpan *value)
{
	size_t		skip = strlen(name) + 1;
	const uint8_t *end = memchr(rest->data, '\n', rest->len);

	if (end == NULL || (size_t) (end - rest->data) < skip ||
		memcmp(rest->data, name, skip - 1) != 0 || rest->data[skip - 1] != ' ')
		return false;
	*value = cb_span(rest->data + skip, (size_t) (end - rest->data) - skip);
	*rest = cb_span(end + 1, rest->len - (size_t) (end + 1 - rest->data));
	return fits_line(*value);
}

/* Decimal digits as printed: no sign, no leading zero. */
static bool
take_number(CbSpan *rest, const char *name, int64_t *number)
{
	CbSpan		value;

	*number = 0;
	if (!take_line(rest, name, &value) || value.len == 0 || value.len > 19 ||
		(value.len > 1 && value.data[0] == '0'))
		return false;
	for (size_t i = 0; i < value.len; i++)
	{
		int			digit = value.data[i] - '0';

		if (digit < 0 || digit > 9 || *number > (INT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return true;
}

static bool
take_header(CbSpan *rest, CbConfigFile *file, int64_t *length)
{
	return take_line(rest, "server", &file->server) && file->server.len > 0 &&
		take_line(rest, "bucket", &file->bucket) && file->bucket.len > 0 &&
		take_line(rest, "bucket-uuid", &file->bucket_uuid) &&
		take_line(rest, "cluster-uuid", &file->cluster_uuid) &&
		take_line(rest, "host", &file->host) &&
		take_line(rest, "network", &file->network) && file->network.len > 0 &&
		take_number(rest, "epoch", &file->version.epoch) &&
		take_number(rest, "revision", &file->version.rev) &&
		take_number(rest, "written", &file->written) &&
		take_number(rest, "length", length);
}

CbResult
cb_config_file_read(CbSpan data, CbConfigFile *file, CbError *err)
{
	const size_t magic = strlen(MAGIC FORMAT);
	CbSpan		rest = data;
	CbSpan		header;
	CbSpan		sum;
	int64_t		length;
	char		want[9];

	memset(file, 0, sizeof(*file));
	if (data.len == 0)
		return cb_error_set(err, CB_MALFORMED, NULL, "it is empty");
	if (!cb_config_file_is_ours(data))
		return cb_error_set(err, CB_UNSUPPORTED, NULL, "it is not a configuration cache");
	if (data.len > CB_CONFIG_FILE_MAX)
		return cb_error_set(err, CB_MALFORMED, NULL, "it is too long");
	if (data.len < magic)
		return cb_error_set(err, CB_MALFORMED, NULL, "it is cut off");
	if (memcmp(data.data, MAGIC FORMAT, magic) != 0)
		return cb_error_set(err, CB_UNSUPPORTED, NULL, "it has another format");

	rest = cb_span(data.data + magic, data.len - magic);
	if (!take_header(&rest, file, &length))
		return cb_error_set(err, CB_MALFORMED, NULL, "its header is damaged or cut off");
	header = cb_span(data.data, (size_t) (rest.data - data.data));
	if (!take_line(&rest, "checksum", &sum) || rest.len == 0 || rest.data[0] != '\n')
		return cb_error_set(err, CB_MALFORMED, NULL, "its header is damaged or cut off");
	file->text = cb_span(rest.data + 1, rest.len - 1);
	if (length == 0 || (uint64_t) length != file->text.len)
		return cb_error_set(err, CB_MALFORMED, NULL, "it has %zu bytes of text, not %" PRId64,
							file->text.len, length);
	snprintf(want, sizeof(want), "%08" PRIx32, checksum(header, file->text));
	if (!cb_span_equal_cstr(sum, want))
		return cb_error_set(err, CB_MALFORMED, NULL, "its checksum is wrong");
	return CB_OK;
}

bool
cb_config_file_is_ours(CbSpan data)
{
	size_t		len = strlen(MAGIC);

	if (data.len < len)
		len = data.len;
	return len == 0 || memcmp(data.data, MAGIC, len) == 0;
}
