/*
 * sqlpp_request.c
 *		Bodies of requests to the query service. Values travel as named parameters, never within the statement.
 */
#include "sqlpp.h"

#include <inttypes.h>
#include <string.h>

#include "json_walk.h"

#define CONTEXT_ID_MAX	64

static bool
is_name(const char *name)
{
	if (name == NULL || *name == '\0')
		return false;
	for (; *name != '\0'; name++)
	{
		char		c = *name;

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

/* The service refuses the request for other ids. */
static bool
is_context_id(const char *id)
{
	if (strlen(id) > CONTEXT_ID_MAX)
		return false;
	for (; *id != '\0'; id++)
	{
		if (*id == '"' || *id == '\\' || (unsigned char) *id < ' ')
			return false;
	}
	return true;
}

static CbResult
check_text(const char *text, const char *what, CbError *err)
{
	CbSpan		span = cb_span_cstr(text);

	if (text != NULL && cb_utf8_valid_prefix(span) != span.len)
		return cb_error_set(err, CB_INVALID, NULL, "the %s is not valid UTF-8", what);
	return CB_OK;
}

/* Parameters of one name would make the service refuse the whole request. */
static CbResult
check_parameters(const CbSqlppRequest *request, CbError *err)
{
	for (size_t i = 0; i < request->nparameters; i++)
	{
		const CbSqlppParameter *parameter = &request->parameters[i];
		CbJsonError where;
		CbJsonValue value;

		if (!is_name(parameter->name))
			return cb_error_set(err, CB_INVALID, NULL,
								"a parameter's name is not made of letters, digits and underscores");
		if (cb_json_value(parameter->json, &value, &where) != CB_OK)
			return cb_error_set(err, CB_INVALID, NULL, "the value of parameter $%s is not JSON: %s at byte %zu",
								parameter->name, where.what, where.offset);
		for (size_t j = 0; j < i; j++)
		{
			if (strcmp(request->parameters[j].name, parameter->name) == 0)
				return cb_error_set(err, CB_INVALID, NULL, "parameter $%s is given twice", parameter->name);
		}
	}
	return CB_OK;
}

static void
append_member(CbBuf *body, const char *name, const char *text)
{
	cb_buf_append_format(body, ",\"%s\":", name);
	cb_buf_append_json(body, cb_span_cstr(text));
}

static void
append_duration(CbBuf *body, const char *name, int64_t microseconds)
{
	if (microseconds > 0)
		cb_buf_append_format(body, ",\"%s\":\"%" PRId64 "us\"", name, microseconds);
}

/* Sparse vector of a bucket: "bucket":{"vBucket":[sequence number,"uuid"],...}. */
static void
append_vector(CbBuf *body, const CbSqlppVector *vector)
{
	cb_buf_append_json(body, cb_span_cstr(vector->bucket));
	cb_buf_append_cstr(body, ":{");
	for (size_t i = 0; i < vector->ntokens; i++)
	{
		const CbSqlppToken *token = &vector->tokens[i];

		cb_buf_append_format(body, "%s\"%u\":[%" PRIu64 ",\"%" PRIu64 "\"]", i > 0 ? "," : "", token->vbucket,
							 token->seqno, token->uuid);
	}
	cb_buf_append_u8(body, '}');
}

static void
append_consistency(CbBuf *body, const CbSqlppRequest *request)
{
	if (request->consistency == CB_SCAN_REQUEST_PLUS)
		append_member(body, "scan_consistency", "request_plus");
	if (request->consistency != CB_SCAN_AT_PLUS || request->nvectors == 0)
		return;
	append_member(body, "scan_consistency", "at_plus");
	cb_buf_append_cstr(body, ",\"scan_vectors\":{");
	for (size_t i = 0; i < request->nvectors; i++)
	{
		cb_buf_append_cstr(body, i > 0 ? "," : "");
		append_vector(body, &request->vectors[i]);
	}
	cb_buf_append_u8(body, '}');
}

static void
append_statement(CbBuf *body, const CbSqlppRequest *request)
{
	if (request->prepared != NULL)
	{
		cb_buf_append_cstr(body, "\"prepared\":");
		cb_buf_append_json(body, cb_span_cstr(request->prepared));
		return;
	}
	cb_buf_append_cstr(body, "\"statement\":");
	if (request->prepare)
	{
		CbBuf		text = {0};

		cb_buf_append_cstr(&text, "PREPARE ");
		cb_buf_append_cstr(&text, request->statement);
		cb_buf_append_json(body, cb_buf_span(&text));
		body->oom |= text.oom;
		cb_buf_free(&text);
		cb_buf_append_cstr(body, ",\"auto_execute\":true");
	}
	else
		cb_buf_append_json(body, cb_span_cstr(request->statement));
}

CbResult
cb_sqlpp_request(const CbSqlppRequest *request, CbBuf *body, CbError *err)
{
	CbResult	result = check_text(request->statement, "statement", err);

	if (result == CB_OK)
		result = check_text(request->query_context, "query context", err);
	if (result == CB_OK)
		result = check_text(request->prepared, "name of the prepared statement", err);
	for (size_t i = 0; i < request->nvectors && result == CB_OK; i++)
		result = check_text(request->vectors[i].bucket, "name of a bucket", err);
	if (result == CB_OK)
		result = check_text(request->context_id, "client context id", err);
	if (result == CB_OK && request->context_id != NULL && !is_context_id(request->context_id))
		result = cb_error_set(err, CB_INVALID, NULL, "the client context id is too long or has odd characters");
	if (result == CB_OK)
		result = check_parameters(request, err);
	if (result != CB_OK)
		return result;

	cb_buf_append_u8(body, '{');
	append_statement(body, request);
	cb_buf_append_cstr(body, ",\"pretty\":false,\"signature\":false,\"metrics\":true");
	if (request->readonly)
		cb_buf_append_cstr(body, ",\"readonly\":true");
	if (request->query_context != NULL)
		append_member(body, "query_context", request->query_context);
	if (request->context_id != NULL)
		append_member(body, "client_context_id", request->context_id);
	append_consistency(body, request);
	append_duration(body, "scan_wait", request->scan_wait);
	append_duration(body, "timeout", request->timeout);
	if (request->profile != NULL)
		append_member(body, "profile", request->profile);
	for (size_t i = 0; i < request->nparameters; i++)
	{
		cb_buf_append_format(body, ",\"$%s\":", request->parameters[i].name);
		cb_buf_append_span(body, request->parameters[i].json);
	}
	cb_buf_append_u8(body, '}');
	result = cb_buf_result(body);
	return result == CB_OK ? CB_OK : cb_error_set(err, result, NULL, "out of memory");
}
