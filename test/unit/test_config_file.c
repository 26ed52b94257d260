/*
 * test_config_file.c
 *		Kept configurations: what is written reads back, and nothing else does.
 */
#include "check.h"

#include "config_file.h"

#include <stdlib.h>

static CbConfigFile
sample(void)
{
	CbConfigFile file = {
		.server = cb_span_cstr("0123abcd"),
		.bucket = cb_span_cstr("travel-sample"),
		.bucket_uuid = cb_span_cstr("4f2c"),
		.host = cb_span_cstr("fe80::1"),
		.network = cb_span_cstr("external"),
		.version = {1, 42},
		.written = 1790000000,
		.text = cb_span_cstr("{\"rev\":42}\n\n\n"),
	};

	return file;
}

static void
check_same(const CbConfigFile *got, const CbConfigFile *want)
{
	CHECK_BYTES(got->server, want->server);
	CHECK_BYTES(got->bucket, want->bucket);
	CHECK_BYTES(got->bucket_uuid, want->bucket_uuid);
	CHECK_BYTES(got->cluster_uuid, want->cluster_uuid);
	CHECK_BYTES(got->host, want->host);
	CHECK_BYTES(got->network, want->network);
	CHECK_BYTES(got->text, want->text);
	CHECK_INT(got->version.epoch, want->version.epoch);
	CHECK_INT(got->version.rev, want->version.rev);
	CHECK_INT(got->written, want->written);
}

/* Every prefix, every changed bit and every added byte is found out. */
static void
check_damage(const CbBuf *good)
{
	CbConfigFile got;
	CbError		err;
	uint8_t    *copy = malloc(good->len + 1);

	for (size_t len = 0; len < good->len; len++)
	{
		check_context("first %zu bytes", len);
		CHECK_RESULT(cb_config_file_read(cb_span(good->data, len), &got, &err), CB_MALFORMED);
		CHECK(cb_config_file_is_ours(cb_span(good->data, len)));
	}
	for (size_t bit = 0; bit < good->len * 8; bit++)
	{
		check_context("bit %zu", bit);
		memcpy(copy, good->data, good->len);
		copy[bit / 8] ^= (uint8_t) (1 << bit % 8);
		CHECK(cb_config_file_read(cb_span(copy, good->len), &got, &err) != CB_OK);
		CHECK(err.text[0] != '\0');
	}
	memcpy(copy, good->data, good->len);
	copy[good->len] = '}';
	check_context("%s", "a byte more");
	CHECK_RESULT(cb_config_file_read(cb_span(copy, good->len + 1), &got, &err), CB_MALFORMED);
	check_context("%s", "");
	free(copy);
}

static void
check_refusals(void)
{
	static const char *const foreign[] = {
		"{\"rev\":1}", "#!/bin/sh\n", "cbconn_fdw cluster\n", "\n", "listen_addresses = '*'\n"
	};
	CbConfigFile file = sample();
	CbConfigFile got;
	CbError		err;
	CbBuf		out = {0};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
	{
		check_context("foreign %zu", i);
		CHECK_RESULT(cb_config_file_read(cb_span_cstr(foreign[i]), &got, &err), CB_UNSUPPORTED);
		CHECK(!cb_config_file_is_ours(cb_span_cstr(foreign[i])));
	}
	check_context("%s", "");
	CHECK_RESULT(cb_config_file_read(cb_span_cstr("cbconn_fdw cluster configuration, format 2\n"),
									 &got, &err), CB_UNSUPPORTED);
	CHECK_STR(err.text, "it has another format");

	file.bucket = cb_span_cstr("a\nb");
	CHECK_RESULT(cb_config_file_write(&file, &out), CB_INVALID);
	file = sample();
	file.bucket = CB_SPAN_EMPTY;
	CHECK_RESULT(cb_config_file_write(&file, &out), CB_INVALID);
	file = sample();
	file.text = CB_SPAN_EMPTY;
	CHECK_RESULT(cb_config_file_write(&file, &out), CB_INVALID);
	file = sample();
	file.version.rev = -1;
	CHECK_RESULT(cb_config_file_write(&file, &out), CB_INVALID);
	file = sample();
	file.text.len = CB_CONFIG_FILE_MAX;
	CHECK_RESULT(cb_config_file_write(&file, &out), CB_LIMIT);
	CHECK_INT(out.len, 0);
	cb_buf_free(&out);
}

void
test_config_file(void)
{
	CbConfigFile file = sample();
	CbConfigFile got;
	CbError		err = {0};
	CbBuf		out = {0};

	CHECK_RESULT(cb_config_file_write(&file, &out), CB_OK);
	CHECK_RESULT(cb_config_file_read(cb_buf_span(&out), &got, &err), CB_OK);
	check_same(&got, &file);
	check_damage(&out);

	cb_buf_reset(&out);
	file.version.epoch = INT64_MAX;
	file.version.rev = 0;
	file.cluster_uuid = cb_span_cstr("a b");
	file.host = CB_SPAN_EMPTY;
	cb_buf_append_cstr(&out, "before");
	CHECK_RESULT(cb_config_file_write(&file, &out), CB_OK);
	CHECK_RESULT(cb_config_file_read(cb_span(out.data + 6, out.len - 6), &got, &err), CB_OK);
	check_same(&got, &file);
	cb_buf_free(&out);
	check_refusals();
}
