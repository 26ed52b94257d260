/*
 * fuzz_error.c
 *		JSON bodies of error answers: the texts are always printable in a message.
 */
#include "fuzz.h"

#include "kv_ops.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CbErrorBody body;

	cb_kv_error_body(cb_span(data, size), &body);
	EXPECT(strlen(body.context) < sizeof(body.context));
	EXPECT(strlen(body.ref) < sizeof(body.ref));
	EXPECT(cb_utf8_valid_prefix(cb_span_cstr(body.context)) == strlen(body.context));
	EXPECT(cb_utf8_valid_prefix(cb_span_cstr(body.ref)) == strlen(body.ref));
	return 0;
}
