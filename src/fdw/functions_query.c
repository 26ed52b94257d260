/*
 * functions_query.c
 *		SQL++ statements run as they are given.
 */
#include "fdw.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "../cluster/query.h"

PG_FUNCTION_INFO_V1(cbconn_query);

enum
{
	ARG_SERVER,
	ARG_STATEMENT,
	ARG_PARAMETERS,
	ARG_BUCKET,
	ARG_READONLY,
	ARG_CONSISTENCY,
	ARG_PREPARED
};

/* A member's value as JSON text in UTF-8. */
static const char *
parameter_value(JsonbValue *value)
{
	Jsonb	   *json = JsonbValueToJsonb(value);
	char	   *text = JsonbToCString(NULL, &json->root, VARSIZE(json));

	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

static void
take_parameters(Jsonb *json, QueryRequest *request)
{
	QueryParameter *parameters;
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbValue	value;
	JsonbIteratorToken token = JsonbIteratorNext(&it, &value, true);

	if (token != WJB_BEGIN_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameters of a SQL++ statement must be a JSON object"),
				 errhint("Its members are the values of $names in the statement: {\"name\": value}.")));
	parameters = palloc0(sizeof(QueryParameter) * Max(JB_ROOT_COUNT(json), 1));
	while ((token = JsonbIteratorNext(&it, &value, true)) == WJB_KEY)
	{
		QueryParameter *parameter = &parameters[request->nparameters++];

		parameter->name = pnstrdup(value.val.string.val, value.val.string.len);
		(void) JsonbIteratorNext(&it, &value, true);
		parameter->json = parameter_value(&value);
	}
	request->parameters = parameters;
}

static QueryConsistency
consistency_of(const char *text)
{
	if (pg_strcasecmp(text, "not_bounded") == 0)
		return QUERY_NOT_BOUNDED;
	if (pg_strcasecmp(text, "request_plus") == 0)
		return QUERY_REQUEST_PLUS;
	if (pg_strcasecmp(text, "at_plus") == 0)
		return QUERY_AT_PLUS;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid scan consistency \"%s\"", text),
			 errhint("It is \"not_bounded\", \"request_plus\" or \"at_plus\".")));
}

static void
show_warnings(RemoteQuery *query)
{
	ListCell   *lc;

	foreach(lc, query_warnings(query))
		ereport(WARNING,
				(errmsg("the query service warns: %s", (const char *) lfirst(lc))));
}

/* On the way out that is no error: a temporary file has to be closed. */
static void
on_shutdown(Datum arg)
{
	query_close((RemoteQuery *) DatumGetPointer(arg));
}

static RemoteQuery *
begin(FunctionCallInfo fcinfo, MemoryContext cxt)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	QueryRequest request = {0};
	ClusterTarget target;
	RemoteQuery *query;

	if (PG_ARGISNULL(ARG_STATEMENT))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("statement must not be null")));
	function_target(fcinfo, ARG_BUCKET, &target);
	request.statement = text_to_cstring(PG_GETARG_TEXT_PP(ARG_STATEMENT));
	if (!PG_ARGISNULL(ARG_PARAMETERS))
		take_parameters(PG_GETARG_JSONB_P(ARG_PARAMETERS), &request);
	request.readonly = PG_ARGISNULL(ARG_READONLY) || PG_GETARG_BOOL(ARG_READONLY);
	if (!request.readonly)
		PreventCommandIfReadOnly("cbconn_query with readonly => false");
	if (!PG_ARGISNULL(ARG_CONSISTENCY))
		request.consistency = consistency_of(text_to_cstring(PG_GETARG_TEXT_PP(ARG_CONSISTENCY)));
	request.prepared = !PG_ARGISNULL(ARG_PREPARED) && PG_GETARG_BOOL(ARG_PREPARED);
	request.purpose = "query";
	query = query_open(cluster_open(&target), &request, cxt, NULL);
	RegisterExprContextCallback(rsinfo->econtext, on_shutdown, PointerGetDatum(query));
	return query;
}

/* cbconn_query(server_name, statement, parameters, ...): one row per row of the answer, as it comes. */
Datum
cbconn_query(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	const char *row;
	size_t		len;

	if (SRF_IS_FIRSTCALL())
	{
		funcctx = SRF_FIRSTCALL_INIT();
		funcctx->user_fctx = begin(fcinfo, funcctx->multi_call_memory_ctx);
	}
	funcctx = SRF_PERCALL_SETUP();
	if (!query_next(funcctx->user_fctx, &row, &len))
	{
		show_warnings(funcctx->user_fctx);
		query_close(funcctx->user_fctx);
		/* Its memory goes now; the function may be called again in the same context. */
		UnregisterExprContextCallback(((ReturnSetInfo *) fcinfo->resultinfo)->econtext, on_shutdown,
									  PointerGetDatum(funcctx->user_fctx));
		SRF_RETURN_DONE(funcctx);
	}
	SRF_RETURN_NEXT(funcctx, DirectFunctionCall1(jsonb_in, CStringGetDatum(pg_any_to_server(pnstrdup(row, len), len,
																							PG_UTF8))));
}
