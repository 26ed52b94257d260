/*
 * test_sqlpp.c
 *		Requests to the query service; its answers, cut at every place.
 */
#include "check.h"

#include "answers.h"
#include "sqlpp.h"

#include <stdlib.h>

#define LIMIT_TEXT	(1024 * 1024)

/* What came out of an answer. */
typedef struct Reading
{
	CbResult	result;
	CbBuf		items;			/* rows as they are; members with their name; each with its own mark */
	size_t		rows;
	CbError		err;
} Reading;

static void
take(Reading *reading, const CbSqlppItem *item)
{
	cb_buf_append_u8(&reading->items, item->row ? 1 : 2);
	if (item->row)
		reading->rows++;
	cb_buf_append_span(&reading->items, item->name);
	cb_buf_append_u8(&reading->items, 3);
	cb_buf_append_span(&reading->items, item->text);
}

/* Feeds a piece, in memory of its own so that reads beyond it are found. */
static void
feed(CbSqlppStream *stream, Reading *reading, CbSpan piece)
{
	uint8_t    *copy = calloc(piece.len > 0 ? piece.len : 1, 1);
	CbSpan		input = cb_span(copy, piece.len);
	CbSqlppItem item;

	if (piece.len > 0)
		memcpy(copy, piece.data, piece.len);
	while ((reading->result = cb_sqlpp_stream_next(stream, &input, &item, &reading->err)) == CB_OK)
		take(reading, &item);
	if ((reading->result == CB_NEED_MORE || reading->result == CB_END) && input.len != 0)
		check_fail(__FILE__, __LINE__, "%zu bytes of input are left over", input.len);
	free(copy);
}

static void
clear(Reading *reading)
{
	cb_buf_free(&reading->items);
	*reading = (Reading) {0};
}

static void
read_cut(CbSpan text, size_t cut, size_t max_text, Reading *reading)
{
	CbSqlppStream stream = {.max_text = max_text};

	feed(&stream, reading, cb_span(text.data, cut));
	if (reading->result == CB_NEED_MORE || (reading->result == CB_END && cut < text.len))
		feed(&stream, reading, cb_span(text.data + cut, text.len - cut));
	cb_sqlpp_stream_free(&stream);
}

static void
read_bytewise(CbSpan text, Reading *reading)
{
	CbSqlppStream stream = {.max_text = LIMIT_TEXT};

	reading->result = CB_NEED_MORE;
	for (size_t i = 0; i < text.len && reading->result == CB_NEED_MORE; i++)
		feed(&stream, reading, cb_span(text.data + i, 1));
	cb_sqlpp_stream_free(&stream);
}

/* Whole, byte by byte, and in two pieces: the same each time. every: how far the cuts are apart. */
static void
check_cuts(CbSpan text, size_t every, Reading *whole)
{
	Reading		other = {0};

	read_cut(text, text.len, LIMIT_TEXT, whole);
	read_bytewise(text, &other);
	if (whole->result == CB_END)
	{
		CHECK_RESULT(other.result, whole->result);
		CHECK_BYTES(cb_buf_span(&other.items), cb_buf_span(&whole->items));
	}
	clear(&other);
	for (size_t cut = 0; cut < text.len; cut += every)
	{
		read_cut(text, cut, LIMIT_TEXT, &other);
		CHECK_RESULT(other.result, whole->result);
		CHECK_BYTES(cb_buf_span(&other.items), cb_buf_span(&whole->items));
		clear(&other);
	}
}

static void
check_rows(const Answer *answer, const Reading *reading)
{
	CbBuf		want = {0};
	size_t		n = json_array_size(answer->rows);

	for (size_t i = 0; i < n; i++)
	{
		cb_buf_append(&want, "\1\3", 2);
		cb_buf_append_cstr(&want, json_string_value(json_array_get(answer->rows, i)));
	}
	CHECK_INT(reading->rows, n);
	if (n > 0)
	{
		const uint8_t *first = memchr(reading->items.data, 1, reading->items.len);

		CHECK(first != NULL && (size_t) (reading->items.data + reading->items.len - first) >= want.len);
		if (first != NULL)
			CHECK_BYTES(cb_span(first, want.len), cb_buf_span(&want));
	}
	cb_buf_free(&want);
}

/* Every recorded answer; cut at every place where it is short, else at places that differ from answer to answer. */
static void
test_recorded(void)
{
	size_t		count;
	const Answer *all = answers_all(&count);
	size_t		rows = 0;

	CHECK(count > 1000);
	for (size_t i = 0; i < count; i++)
	{
		CbSpan		text = cb_buf_span(&all[i].text);
		Reading		whole = {0};

		check_context("%s", all[i].id);
		check_cuts(text, text.len <= 300 ? 1 : text.len / 60 + 7, &whole);
		CHECK_RESULT(whole.result, CB_END);
		check_rows(&all[i], &whole);
		rows += whole.rows;
		clear(&whole);
	}
	check_context("%s", "");
	CHECK(rows > 10000);
}

static const char nasty[] =
	" {\"requestID\" : \"a\\\"b\", \"signature\":{\"*\":\"*\"} , \"results\":[ 1,\n-2.5E+3 ,\"\\\\\",\"]}\\\"\",true,"
	"[] ,{\"results\":[{\"a\\u0022\":\"[{\"}]},null],\"x\":[],\"status\":\"success\",\"metrics\":{\"a\":{}}} \n";

static void
test_layout(void)
{
	static const char want[] =
		"\2requestID\3\"a\\\"b\"\2signature\3{\"*\":\"*\"}\1\3" "1\1\3-2.5E+3\1\3\"\\\\\"\1\3\"]}\\\"\"\1\3true"
		"\1\3[]\1\3{\"results\":[{\"a\\u0022\":\"[{\"}]}\1\3null\2x\3[]\2status\3\"success\"\2metrics\3{\"a\":{}}";
	Reading		whole = {0};

	check_context("%s", "nasty layout");
	check_cuts(cb_span_cstr(nasty), 1, &whole);
	CHECK_RESULT(whole.result, CB_END);
	CHECK_BYTES(cb_buf_span(&whole.items), cb_span_cstr(want));
	clear(&whole);
	for (size_t len = 0; len < strlen(nasty) - 3; len++)
	{
		check_context("first %zu bytes", len);
		read_cut(cb_span(nasty, len), len, LIMIT_TEXT, &whole);
		CHECK_RESULT(whole.result, CB_NEED_MORE);
		clear(&whole);
	}
	check_context("%s", "");
}

static void
test_refused(void)
{
	static const char *const texts[] = {
		"<html>", "[1]", "x", "{x", "{1:2}", "{\"a\" 1}", "{\"a\":}", "{\"a\":1 2}", "{\"a\":1,}", "{,\"a\":1}",
		"{\"a\":[1}}", "{\"a\":{\"b\":1]}", "{\"a\":1}x", "{\"a\":1}{", "{\"results\":{}}", "{\"results\":null}",
		"{\"results\":[1 2]}", "{\"results\":[1,]}", "{\"results\":[,1]}", "{\"results\":[}]}", "{\"results\":[x]}",
		"{\"results\":[],\"results\":[]}", "{\"results\":[]]}", "{\"a\":]}", "{\"a\":1]", "\xef\xbb\xbf{\"a\":1}",
		"{\"results\":[1}", "{\"results\":[\"a\"\"b\"]}"
	};
	Reading		whole = {0};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		check_context("%s", texts[i]);
		check_cuts(cb_span_cstr(texts[i]), 1, &whole);
		CHECK_RESULT(whole.result, CB_MALFORMED);
		CHECK(whole.err.text[0] != '\0');
		clear(&whole);
	}
	check_context("%s", "");
}

static void
test_limits(void)
{
	CbBuf		text = {0};
	Reading		reading = {0};
	char		deep[2 * CB_STREAM_MAX_DEPTH + 100];

	for (int extra = 0; extra < 2; extra++)
	{
		int			levels = CB_STREAM_MAX_DEPTH + extra;

		cb_buf_reset(&text);
		memset(deep, '[', (size_t) levels);
		memset(deep + levels, ']', (size_t) levels);
		cb_buf_append_cstr(&text, "{\"results\":[");
		cb_buf_append(&text, deep, (size_t) levels * 2);
		cb_buf_append_cstr(&text, "]}");
		check_context("%d levels", levels);
		read_cut(cb_buf_span(&text), 20, LIMIT_TEXT, &reading);
		CHECK_RESULT(reading.result, extra ? CB_LIMIT : CB_END);
		clear(&reading);
	}
	for (size_t cut = 0; cut < 18; cut++)
	{
		check_context("row of 5 bytes, cut at %zu", cut);
		read_cut(cb_span_cstr("{\"results\":[12345]}"), cut, 5, &reading);
		CHECK_RESULT(reading.result, CB_END);
		clear(&reading);
		read_cut(cb_span_cstr("{\"results\":[12345]}"), cut, 4, &reading);
		CHECK_RESULT(reading.result, CB_LIMIT);
		clear(&reading);
	}
	check_context("%s", "");
	cb_buf_free(&text);
}

static void
test_members(void)
{
	CbSqlppMetrics metrics;
	CbSqlppError error;
	char		text[8];
	static const char errors[] =
		"[{\"code\":13014,\"msg\":\"no\",\"reason\":{\"missing_role\":\"query_select\",\"path\":\"default:b.s.c\"}},"
		"{\"code\":12009,\"msg\":\"DML\",\"retry\":true,\"reason\":{\"cause\":{\"code\":17012,\"message\":\"dup\"}}},7]";

	CHECK_RESULT(cb_sqlpp_metrics(cb_span_cstr(
		"{\"elapsedTime\":\"1m2.0000035s\",\"executionTime\":\"12.6\xc2\xb5s\",\"resultCount\":3,\"resultSize\":4,"
		"\"mutationCount\":5,\"sortCount\":6,\"errorCount\":7,\"warningCount\":8}"), &metrics), CB_OK);
	CHECK_INT(metrics.elapsed_us, 62000004);
	CHECK_INT(metrics.execution_us, 13);
	CHECK_INT(metrics.result_count * 100000 + metrics.result_size * 10000 + metrics.mutation_count * 1000 +
			  metrics.sort_count * 100 + metrics.errors * 10 + metrics.warnings, 345678);
	CHECK_RESULT(cb_sqlpp_metrics(cb_span_cstr("[]"), &metrics), CB_MALFORMED);
	CHECK_RESULT(cb_sqlpp_error(cb_span_cstr(errors), 0, &error), CB_OK);
	CHECK_INT(error.code, 13014);
	CHECK_STR(error.role, "query_select");
	CHECK_STR(error.path, "default:b.s.c");
	CHECK_RESULT(cb_sqlpp_error(cb_span_cstr(errors), 1, &error), CB_OK);
	CHECK(error.retry);
	CHECK_INT(error.reason_code, 17012);
	CHECK_STR(error.reason, "dup");
	CHECK_RESULT(cb_sqlpp_error(cb_span_cstr(errors), 2, &error), CB_MALFORMED);
	CHECK_RESULT(cb_sqlpp_error(cb_span_cstr(errors), 3, &error), CB_END);
	CHECK_RESULT(cb_sqlpp_string(cb_span_cstr("\"a\\u00fcbc\\u00fcde\""), text, sizeof(text)), CB_OK);
	CHECK_STR(text, "a\xc3\xbc" "bc\xc3\xbc");
	CHECK_RESULT(cb_sqlpp_string(cb_span_cstr("5"), text, sizeof(text)), CB_MALFORMED);
}

static void
test_durations(void)
{
	static const struct
	{
		const char *text;
		int64_t		want;		/* -1: refused */
	}			cases[] = {
		{"0", 0}, {"0s", 0}, {"1h1m1.5s", 3661500000}, {"999ns", 1}, {"499ns", 0}, {"1.5ms", 1500}, {"2us", 2},
		{"75s", 75000000}, {"", -1}, {"1", -1}, {"s", -1}, {".s", -1}, {"1x", -1}, {"-1s", -1}, {"1e9h", -1},
		{"9999999999h", -1}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int64_t		got = -1;

		check_context("\"%s\"", cases[i].text);
		CHECK((cb_sqlpp_duration(cases[i].text, &got) == CB_OK) == (cases[i].want >= 0));
		CHECK_INT(got, cases[i].want);
	}
	check_context("%s", "");
}

static void
check_body(const CbSqlppRequest *request, const char *want)
{
	CbBuf		body = {0};
	CbError		err = {0};
	json_t	   *parsed;

	CHECK_RESULT(cb_sqlpp_request(request, &body, &err), CB_OK);
	CHECK_BYTES(cb_buf_span(&body), cb_span_cstr(want));
	parsed = json_loadb((const char *) body.data, body.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	CHECK(json_is_object(parsed));
	json_decref(parsed);
	cb_buf_free(&body);
}

static void
test_requests_built(void)
{
	const CbSqlppParameter parameters[] = {
		{"p1", cb_span_cstr("\"\\\"; DROP $1 -- `\"")}, {"Q_2", cb_span_cstr("[1,null]")}
	};
	const CbSqlppToken tokens[] = {{7, UINT64_MAX, 12}, {1023, 5, INT64_MAX}};
	const CbSqlppVector vectors[] = {{"b\"x", tokens, 2}, {"c", tokens, 1}};
	CbSqlppRequest request = {
		.statement = "SELECT \"a\\b\"\n\t`c` /* */", .readonly = true, .query_context = "default:`b`.`s`",
		.context_id = "pg 1", .parameters = parameters, .nparameters = 2, .scan_wait = 5, .timeout = 75000000,
		.profile = "timings", .vectors = vectors, .nvectors = 2, .consistency = CB_SCAN_AT_PLUS
	};

	check_body(&request, "{\"statement\":\"SELECT \\\"a\\\\b\\\"\\u000a\\u0009`c` /* */\",\"pretty\":false,"
			   "\"signature\":false,\"metrics\":true,\"readonly\":true,\"query_context\":\"default:`b`.`s`\","
			   "\"client_context_id\":\"pg 1\",\"scan_consistency\":\"at_plus\",\"scan_vectors\":{\"b\\\"x\":"
			   "{\"7\":[12,\"18446744073709551615\"],\"1023\":[9223372036854775807,\"5\"]},"
			   "\"c\":{\"7\":[12,\"18446744073709551615\"]}},\"scan_wait\":\"5us\","
			   "\"timeout\":\"75000000us\",\"profile\":\"timings\",\"$p1\":\"\\\"; DROP $1 -- `\",\"$Q_2\":[1,null]}");
	request = (CbSqlppRequest) {.statement = "SELECT 1", .prepare = true, .consistency = CB_SCAN_AT_PLUS};
	check_body(&request, "{\"statement\":\"PREPARE SELECT 1\",\"auto_execute\":true,\"pretty\":false,"
			   "\"signature\":false,\"metrics\":true}");
	request = (CbSqlppRequest) {.statement = "SELECT 1", .prepared = "n", .consistency = CB_SCAN_REQUEST_PLUS};
	check_body(&request, "{\"prepared\":\"n\",\"pretty\":false,\"signature\":false,\"metrics\":true,"
			   "\"scan_consistency\":\"request_plus\"}");
}

static void
check_refused(const CbSqlppRequest *request, const char *words)
{
	CbBuf		body = {0};
	CbError		err = {0};

	check_context("%s", words);
	CHECK_RESULT(cb_sqlpp_request(request, &body, &err), CB_INVALID);
	CHECK(strstr(err.text, words) != NULL);
	CHECK_INT(body.len, 0);
	check_context("%s", "");
	cb_buf_free(&body);
}

static void
test_requests_refused(void)
{
	CbSqlppParameter twice[] = {{"a", cb_span_cstr("1")}, {"a", cb_span_cstr("2")}};
	CbSqlppRequest request = {.statement = "SELECT \xff"};

	check_refused(&request, "statement is not valid UTF-8");
	request = (CbSqlppRequest) {.statement = "x", .context_id = "a\"b"};
	check_refused(&request, "client context id");
	request.context_id = "12345678901234567890123456789012345678901234567890123456789012345";
	check_refused(&request, "client context id");
	request = (CbSqlppRequest) {.statement = "x", .parameters = twice, .nparameters = 2};
	check_refused(&request, "$a is given twice");
	twice[1] = (CbSqlppParameter) {"b", cb_span_cstr("1,\"readonly\":false")};
	check_refused(&request, "value of parameter $b is not JSON");
	twice[1] = (CbSqlppParameter) {"b\":1", cb_span_cstr("1")};
	check_refused(&request, "name is not made of");
	twice[1] = (CbSqlppParameter) {"", cb_span_cstr("1")};
	check_refused(&request, "name is not made of");
}

void
test_sqlpp(void)
{
	test_recorded();
	test_layout();
	test_refused();
	test_limits();
	test_members();
	test_durations();
	test_requests_built();
	test_requests_refused();
	answers_free();
}
