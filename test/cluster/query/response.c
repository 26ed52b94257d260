/*
 * response.c: what an answer of the query service consists of, in the order and with the blanks of the server
 * (couchbase/query, server/http/service_response.go).
 */
#include <stdlib.h>
#include <string.h>

#include "service.h"

/* ---------------------------------------------------------------- parts */

static const char *
prefix(const QueryRequest *r)
{
	return r->params.pretty == TRI_TRUE ? "    " : "";
}

static void
add(QueryRequest *r, const char *text)
{
	evbuffer_add(r->out, text, strlen(text));
}

void
json_text_add(struct evbuffer *out, const char *text, size_t len)
{
	evbuffer_add(out, "\"", 1);
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c == '"' || c == '\\')
			evbuffer_add_printf(out, "\\%c", c);
		else if (c == '\n' || c == '\r' || c == '\t')
			evbuffer_add_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
		else if (c < 0x20)
			evbuffer_add_printf(out, "\\u%04x", c);
		else
			evbuffer_add(out, text + i, 1);
	}
	evbuffer_add(out, "\"", 1);
}

static void
member_text(QueryRequest *r, const char *name, const char *text)
{
	evbuffer_add_printf(r->out, ",\n%s\"%s\": ", prefix(r), name);
	json_text_add(r->out, text, strlen(text));
}

static void
add_head(QueryRequest *r)
{
	evbuffer_add_printf(r->out, "{\n%s\"requestID\": \"%s\"", prefix(r), r->id);
	if (r->params.client_context_id != NULL && r->params.client_context_id[0] != '\0')
		member_text(r, "clientContextID", r->params.client_context_id);
}

/* ---------------------------------------------------------------- errors */

int
query_http_status(const QueryError *e, int otherwise)
{
	static const struct
	{
		int			code;
		int			http;
	}			table[] = {
		{1000, 403}, {1010, 405}, {1020, 400}, {1030, 400}, {1040, 400}, {1050, 400}, {1060, 400}, {1065, 400},
		{1070, 400}, {1120, 406}, {1180, 503}, {1181, 503}, {1182, 503}, {1191, 429}, {1192, 429}, {1193, 413},
		{1194, 413}, {1201, 429}, {1202, 400}, {2120, 401}, {3000, 400}, {4000, 404}, {4040, 404}, {4300, 409},
		{5000, 500}, {5370, 422}, {10000, 401}, {12002, 424}, {12003, 424}, {12020, 424}, {13014, 401},
	};

	if (e->http != 0)
		return e->http;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == e->code)
			return table[i].http;
	return otherwise;
}

static void
append_error(QueryError **list, QueryError *e)
{
	while (*list != NULL)
		list = &(*list)->next;
	e->next = NULL;
	*list = e;
}

void
query_add_error(QueryRequest *r, QueryError *e)
{
	append_error(&r->errors, e);
}

void
query_add_warning(QueryRequest *r, QueryError *e)
{
	append_error(&r->warnings, e);
}

/* "line L, column C" of a message, as members of their own. */
static void
add_place(QueryRequest *r, const char *msg, const char *separator)
{
	static const char between[] = ", column ";
	const char *at = strstr(msg, "line ");
	unsigned long line;
	unsigned long column;
	char	   *end;

	if (at == NULL)
		return;
	line = strtoul(at + 5, &end, 10);
	if (end == at + 5 || strncmp(end, between, sizeof(between) - 1) != 0)
		return;
	column = strtoul(end + sizeof(between) - 1, NULL, 10);
	evbuffer_add_printf(r->out, ",%s\"column\":%lu,%s\"line\":%lu", separator, column, separator, line);
}

static void
add_errors(QueryRequest *r, const char *name, const QueryError *e)
{
	bool		pretty = r->params.pretty == TRI_TRUE;
	const char *inner = pretty ? "\n            " : "";

	if (e == NULL)
		return;
	evbuffer_add_printf(r->out, ",\n%s\"%s\": [", prefix(r), name);
	for (const QueryError *first = e; e != NULL; e = e->next)
	{
		if (e != first)
			add(r, ",");
		add(r, pretty ? "\n        {" : "{");
		evbuffer_add_printf(r->out, "%s\"code\":%s%d", inner, pretty ? " " : "", e->code);
		add_place(r, e->msg, inner);
		evbuffer_add_printf(r->out, ",%s\"msg\":%s", inner, pretty ? " " : "");
		json_text_add(r->out, e->msg, strlen(e->msg));
		if (e->reason != NULL)
			evbuffer_add_printf(r->out, ",%s\"reason\":%s%s", inner, pretty ? " " : "", e->reason);
		if (e->retry)
			evbuffer_add_printf(r->out, ",%s\"retry\":%strue", inner, pretty ? " " : "");
		add(r, pretty ? "\n        }" : "}");
	}
	add(r, pretty ? "\n    ]" : "]");
}

static unsigned
count_errors(const QueryError *e)
{
	unsigned	n = 0;

	for (; e != NULL; e = e->next)
		n++;
	return n;
}

/* ---------------------------------------------------------------- the end of an answer */

static void
add_count(QueryRequest *r, const char *inner, const char *name, uint64_t n)
{
	if (n > 0)
		evbuffer_add_printf(r->out, ",%s\"%s\": %llu", inner, name, (unsigned long long) n);
}

static void
add_metrics(QueryRequest *r)
{
	const char *inner = r->params.pretty == TRI_TRUE ? "\n        " : "";
	int64_t		us = query_now_us() - r->start_us;
	char	   *elapsed = duration_text(us * 1000);
	char	   *execution = duration_text((us - r->execution_us) * 1000);

	if (r->params.metrics != TRI_FALSE)
	{
		evbuffer_add_printf(r->out, ",\n%s\"metrics\": {%s\"elapsedTime\": \"%s\",%s\"executionTime\": \"%s\","
							"%s\"resultCount\": %llu,%s\"resultSize\": %llu,%s\"serviceLoad\": 1", prefix(r), inner, elapsed,
							inner, execution, inner, (unsigned long long) r->result_count, inner,
							(unsigned long long) r->result_size, inner);
		add_count(r, inner, "mutationCount", r->mutation_count);
		add_count(r, inner, "sortCount", r->sort_count);
		add_count(r, inner, "errorCount", count_errors(r->errors));
		add_count(r, inner, "warningCount", count_errors(r->warnings));
		add(r, r->params.pretty == TRI_TRUE ? "\n    }" : "}");
	}
	free(elapsed);
	free(execution);
}

static void
add_named(QueryRequest *r)
{
	add(r, "\"namedArgs\": {");
	for (const QueryArg *a = r->params.named; a != NULL; a = a->next)
	{
		json_text_add(r->out, a->name, strlen(a->name));
		add(r, ":");
		evbuffer_add(r->out, a->text, a->len);
		if (a->next != NULL)
			add(r, ",");
	}
	add(r, "}");
}

static void
add_controls(QueryRequest *r)
{
	bool		first = true;

	if (r->params.controls != TRI_TRUE)
		return;
	evbuffer_add_printf(r->out, ",\n%s\"controls\": {", prefix(r));
	if (r->params.named != NULL)
	{
		add_named(r);
		first = false;
	}
	if (r->params.args != NULL)
	{
		evbuffer_add_printf(r->out, "%s\"positionalArgs\": ", first ? "" : ",");
		evbuffer_add(r->out, r->params.args, r->params.args_len);
		first = false;
	}
	evbuffer_add_printf(r->out, "%s\"scan_consistency\": \"%s\"", first ? "" : ",",
						r->params.consistency == SCAN_AT_PLUS ? "at_plus" :
						r->params.consistency >= SCAN_REQUEST_PLUS ? "scan_plus" : "unbounded");
	add(r, "}");
}

static void
add_tail(QueryRequest *r, const char *status)
{
	add_errors(r, "errors", r->errors);
	add_errors(r, "warnings", r->warnings);
	evbuffer_add_printf(r->out, ",\n%s\"status\": \"%s\"", prefix(r), status);
	add_metrics(r);
	add_controls(r);
	add(r, "\n}\n");
}

/* ---------------------------------------------------------------- whole answers */

void
response_begin(QueryRequest *r, const char *signature)
{
	r->execution_us = query_now_us() - r->start_us;
	add_head(r);
	if (r->prepared_name != NULL)
		member_text(r, "prepared", r->prepared_name);
	if (r->params.signature != TRI_FALSE)
		evbuffer_add_printf(r->out, ",\n%s\"signature\": %s", prefix(r), signature);
	evbuffer_add_printf(r->out, ",\n%s\"results\": [", prefix(r));
	r->results_open = true;
}

/* The text of a value with an indented line for each of its parts. */
static void
add_pretty(struct evbuffer *out, const char *text, size_t len, int depth)
{
	bool		quoted = false;

	for (size_t i = 0; i < len; i++)
	{
		char		c = text[i];
		bool		empty = i + 1 < len && (text[i + 1] == '}' || text[i + 1] == ']');

		if (!quoted && strchr(" \t\r\n", c) != NULL)
			continue;
		if (!quoted && (c == '}' || c == ']') && text[i - 1] != '{' && text[i - 1] != '[')
			evbuffer_add_printf(out, "\n%*s", 4 * --depth, "");
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
		evbuffer_add(out, &c, 1);
		if (quoted && c == '\\')
			evbuffer_add(out, &text[++i], 1);
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
		{
			depth++;
			if (!empty)
				evbuffer_add_printf(out, "\n%*s", 4 * depth, "");
		}
		else if (!quoted && c == ',')
			evbuffer_add_printf(out, "\n%*s", 4 * depth, "");
		else if (!quoted && c == ':')
			evbuffer_add(out, " ", 1);
	}
}

void
response_row(QueryRequest *r, const char *text, size_t len)
{
	add(r, r->result_count == 0 ? "\n" : ",\n");
	add(r, prefix(r));
	if (r->params.pretty == TRI_TRUE)
		add_pretty(r->out, text, len, 1);
	else
		evbuffer_add(r->out, text, len);
	r->result_count++;
	r->result_size += len;
}

void
response_end(QueryRequest *r)
{
	r->results_open = false;
	evbuffer_add_printf(r->out, "\n%s]", prefix(r));
	if (r->http == 0 && r->errors != NULL)
		r->http = query_http_status(r->errors, 200);
	add_tail(r, r->status != NULL ? r->status : r->errors != NULL ? "fatal" : "success");
}

void
response_failed(QueryRequest *r)
{
	add_head(r);
	if (r->http == 0)
		r->http = r->errors != NULL ? query_http_status(r->errors, 500) : 500;
	add_tail(r, r->status != NULL ? r->status : "fatal");
}
