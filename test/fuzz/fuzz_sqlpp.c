/*
 * fuzz_sqlpp.c
 *		Answers of the query service: whatever the cuts, the same items come out, each within its limit; what is
 *		JSON as a whole is not refused.
 */
#include "fuzz.h"

#include "json_walk.h"
#include "sqlpp.h"

#define LIMIT_TEXT	4096

/* Reads in pieces of the given size; what comes out goes to items. */
static CbResult
read_pieces(CbSpan text, size_t piece, CbBuf *items)
{
	CbSqlppStream stream = {.max_text = LIMIT_TEXT};
	CbResult	result = CB_NEED_MORE;
	CbError		err = {0};

	while (text.len > 0 && (result == CB_NEED_MORE || result == CB_END))
	{
		size_t		len = piece < text.len ? piece : text.len;
		CbSpan		input = cb_span(text.data, len);
		CbSqlppItem item;

		while ((result = cb_sqlpp_stream_next(&stream, &input, &item, &err)) == CB_OK)
		{
			EXPECT(item.text.len > 0 && item.text.len <= LIMIT_TEXT && item.name.len <= CB_STREAM_NAME_MAX);
			cb_buf_append_u8(items, item.row);
			cb_buf_append_span(items, item.name);
			cb_buf_append_u8(items, 2);
			cb_buf_append_span(items, item.text);
		}
		EXPECT(input.len == 0 || (result != CB_NEED_MORE && result != CB_END));
		EXPECT(result == CB_NEED_MORE || result == CB_END || err.text[0] != '\0' || result == CB_NOMEM);
		text.data += len;
		text.len -= len;
	}
	cb_sqlpp_stream_free(&stream);
	return result;
}

static void
try_members(CbSpan text)
{
	CbSqlppMetrics metrics;
	CbSqlppError error;
	char		out[9];

	(void) cb_sqlpp_metrics(text, &metrics);
	for (size_t i = 0; cb_sqlpp_error(text, i, &error) == CB_OK; i++)
		EXPECT(cb_utf8_valid_prefix(cb_span_cstr(error.message)) == strlen(error.message));
	if (cb_sqlpp_string(text, out, sizeof(out)) == CB_OK)
		EXPECT(cb_utf8_valid_prefix(cb_span_cstr(out)) == strlen(out));
}

static void
try_duration(const uint8_t *data, size_t size)
{
	char	   *text = fuzz_text(data, size);
	int64_t		microseconds = 0;

	if (cb_sqlpp_duration(text, &microseconds) == CB_OK)
		EXPECT(microseconds >= 0);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CbSpan		text = cb_span(data, size);
	CbBuf		whole = {0};
	CbResult	result = read_pieces(text, SIZE_MAX, &whole);

	for (size_t piece = 1; piece <= 64; piece *= 4)
	{
		CbBuf		items = {0};

		EXPECT(read_pieces(text, piece, &items) == result);
		EXPECT(cb_span_equal(cb_buf_span(&items), cb_buf_span(&whole)));
		cb_buf_free(&items);
	}
	if (result == CB_MALFORMED && memmem(data, size, "results", 7) == NULL)
	{
		CbJsonValue value;

		EXPECT(cb_json_value(text, &value, NULL) != CB_OK || value.type != CB_JSON_OBJECT);
	}
	cb_buf_free(&whole);
	try_members(text);
	try_duration(data, size);
	return 0;
}
