/*
 * query_answer.c
 *		Reading an answer of the query service: rows as they come, and what all of it comes to.
 */
#include "postgres.h"

#include "query_internal.h"

/* ---- members ---- */

static void
keep(CbBuf *buf, CbSpan text)
{
	cb_buf_reset(buf);
	cb_buf_append_span(buf, text);
	if (buf->oom)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
}

static void
take_member(RemoteQuery *query, const CbSqlppItem *item)
{
	static const struct
	{
		const char *name;
		size_t		offset;
	}			kept[] = {
		{"errors", offsetof(RemoteQuery, errors)},
		{"warnings", offsetof(RemoteQuery, warnings)},
		{"metrics", offsetof(RemoteQuery, metrics_text)},
		{"profile", offsetof(RemoteQuery, profile_text)},
		{"prepared", offsetof(RemoteQuery, prepared_name)}
	};

	if (cb_span_equal_cstr(item->name, "status"))
		(void) cb_sqlpp_string(item->text, query->status, sizeof(query->status));
	else if (cb_span_equal_cstr(item->name, "requestID"))
	{
		(void) cb_sqlpp_string(item->text, query->request_id, sizeof(query->request_id));
		strlcpy(query->metrics->request_id, query->request_id, sizeof(query->metrics->request_id));
	}
	for (int i = 0; i < lengthof(kept); i++)
	{
		if (cb_span_equal_cstr(item->name, kept[i].name))
			keep((CbBuf *) ((char *) query + kept[i].offset), item->text);
	}
}

/* ---- rows ---- */

/* Takes what has been received; false: nothing has. */
static bool
next_chunk(RemoteQuery *query)
{
	http_take(query->http, &query->chunk);
	query->input = cb_buf_span(&query->chunk);
	query->metrics->bytes += query->chunk.len;
	return query->chunk.len > 0;
}

/* It is not an answer of a query service. */
static void
not_an_answer(RemoteQuery *query, const CbError *error)
{
	QueryFailure failure;
	const HttpTransfer *http = query->http;

	query_set_failure(&failure, error->result == CB_LIMIT ? ERRCODE_PROGRAM_LIMIT_EXCEEDED
					  : error->result == CB_NOMEM ? ERRCODE_OUT_OF_MEMORY : ERRCODE_PROTOCOL_VIOLATION,
					  QUERY_FAIL, "answer", "the answer cannot be read: %s", error->text);
	/* The status tells more, as soon as it is known. */
	if (http->status != 0 && http->status != 200)
		query_set_failure(&failure, http->status == 401 ? ERRCODE_INVALID_PASSWORD : ERRCODE_PROTOCOL_VIOLATION,
						  QUERY_FAIL, "answer", "HTTP status %d, and the answer is not one of a query service",
						  http->status);
	failure.hint = "Perhaps the port is not one of the query service.";
	strlcpy(failure.node, http_node(http), sizeof(failure.node));
	query_failed(query, &failure);
}

QueryProgress
query_read(RemoteQuery *query, CbSpan *row)
{
	for (;;)
	{
		CbSqlppItem item;
		CbError		error = {0};
		CbResult	result = cb_sqlpp_stream_next(&query->stream, &query->input, &item, &error);

		switch (result)
		{
			case CB_OK:
				if (!item.row)
				{
					take_member(query, &item);
					break;
				}
				query->metrics->rows++;
				*row = item.text;
				return QUERY_ROW;
			case CB_NEED_MORE:
			case CB_END:
				query->complete = result == CB_END;
				if (next_chunk(query))
					break;
				return query->http->state >= HTTP_DONE || query->complete ? QUERY_ENDED : QUERY_NOTHING_YET;
			default:
				error.result = result;
				not_an_answer(query, &error);
				return QUERY_NOTHING_YET;
		}
	}
}

/* ---- the end ---- */

static void
take_metrics(RemoteQuery *query)
{
	QueryMetrics *metrics = query->metrics;
	CbSqlppMetrics said;

	if (query->metrics_text.len == 0 || cb_sqlpp_metrics(cb_buf_span(&query->metrics_text), &said) != CB_OK)
		return;
	metrics->elapsed_us += said.elapsed_us;
	metrics->execution_us += said.execution_us;
	metrics->result_count += said.result_count;
	metrics->result_size += said.result_size;
	metrics->mutation_count += said.mutation_count;
	metrics->sort_count += said.sort_count;
	metrics->errors += said.errors;
	metrics->warnings += said.warnings;
	if (!query->readonly && said.mutation_count > 0)
		written_count(query->handle, query->subid, said.mutation_count, 0);
}

/* The connection ended before the answer did. */
static void
cut_short(const RemoteQuery *query, QueryFailure *failure)
{
	const HttpTransfer *http = query->http;

	if (http->state == HTTP_FAILED)
	{
		query_set_failure(failure, http->failure.sqlstate, http->failure.fatal ? QUERY_FAIL : QUERY_OTHER_NODE,
						  http->failure.step, "%s", http->failure.text);
		failure->hint = http->failure.hint;
	}
	else if (query->stream.state == CB_STREAM_START)
		query_set_failure(failure, http->status == 401 ? ERRCODE_INVALID_PASSWORD : ERRCODE_PROTOCOL_VIOLATION,
						  http->status < 500 ? QUERY_FAIL : QUERY_OTHER_NODE, "answer",
						  "HTTP status %d without an answer", http->status);
	else
		query_set_failure(failure, ERRCODE_CONNECTION_FAILURE, QUERY_OTHER_NODE, "answer",
						  "the answer ends in the middle");
	failure->safe = http->connected == 0;
}

static void
said_no(const RemoteQuery *query, QueryFailure *failure)
{
	CbSqlppError error;

	if (cb_sqlpp_error(cb_buf_span(&query->errors), 0, &error) == CB_OK)
		query_error_failure(failure, &error);
	else if (query->status[0] == '\0')
		query_set_failure(failure, ERRCODE_PROTOCOL_VIOLATION, QUERY_FAIL, "answer", "the answer has no status");
	else
	{
		query_set_failure(failure, strcmp(query->status, "stopped") == 0 ? ERRCODE_QUERY_CANCELED : ERRCODE_FDW_ERROR,
						  QUERY_FAIL, "answer", "the query ended with status \"%s\"", query->status);
		if (strcmp(query->status, "stopped") == 0)
			failure->hint = "Somebody has stopped the query on the query service.";
	}
}

bool
query_conclude(RemoteQuery *query, QueryFailure *failure)
{
	if (!query->complete)
		cut_short(query, failure);
	else
	{
		take_metrics(query);
		if (strcmp(query->status, "success") == 0)
			return true;
		said_no(query, failure);
	}
	strlcpy(failure->node, http_node(query->http), sizeof(failure->node));
	return false;
}
