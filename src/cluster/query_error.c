/*
 * query_error.c
 *		From what the query service says to what the user is told: the table of its codes, and the wording.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "query_internal.h"

#define NO_INDEX_HINT \
	"An index on the fields of the conditions serves the query, or a primary index; " \
	"reading over the data service needs none."

/* The table: codes first..last, their SQLSTATE, and what may be done about them. The first row that fits counts. */
static const struct
{
	int			first;
	int			last;
	int			sqlstate;
	QueryVerdict verdict;
	const char *hint;
}			codes[] =
{
	{1000, 1000, ERRCODE_READ_ONLY_SQL_TRANSACTION, QUERY_FAIL, "The request was sent as read-only."},
	{1065, 1065, ERRCODE_FEATURE_NOT_SUPPORTED, QUERY_FAIL, "The query service is older than this request needs."},
	{1010, 1070, ERRCODE_INVALID_PARAMETER_VALUE, QUERY_FAIL, NULL},
	{1080, 1080, ERRCODE_QUERY_CANCELED, QUERY_FAIL, "The node's own limit of time for requests has passed."},
	{1110, 1110, ERRCODE_INVALID_PARAMETER_VALUE, QUERY_FAIL, NULL},
	{1180, 1182, ERRCODE_CANNOT_CONNECT_NOW, QUERY_OTHER_NODE, NULL},
	{1191, 1194, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, QUERY_LATER, NULL},
	{1195, 1195, ERRCODE_FDW_ERROR, QUERY_FAIL, "Some of the changes may have been made."},
	{1201, 1201, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, QUERY_LATER, NULL},
	{1203, 1203, ERRCODE_CONNECTION_FAILURE, QUERY_FAIL, "Rows were taken too slowly."},
	{2120, 2120, ERRCODE_INVALID_PASSWORD, QUERY_FAIL, NULL},
	{3230, 3230, ERRCODE_FEATURE_NOT_SUPPORTED, QUERY_FAIL, NULL},
	{3000, 3999, ERRCODE_SYNTAX_ERROR, QUERY_FAIL, NULL},
	{4000, 4000, ERRCODE_UNDEFINED_OBJECT, QUERY_FAIL, NO_INDEX_HINT},
	{4120, 4120, ERRCODE_UNDEFINED_OBJECT, QUERY_FAIL, NO_INDEX_HINT},
	{4330, 4330, ERRCODE_UNDEFINED_OBJECT, QUERY_FAIL, "An index on the fields of the join conditions serves it."},
	{4036, 4036, ERRCODE_PROGRAM_LIMIT_EXCEEDED, QUERY_FAIL, NULL},
	{4040, 4090, ERRCODE_INVALID_SQL_STATEMENT_NAME, QUERY_PREPARE_AGAIN, NULL},
	{5001, 5001, ERRCODE_FDW_ERROR, QUERY_FAIL, "The query service met a fault of its own: its log tells more."},
	{5006, 5011, ERRCODE_DATA_EXCEPTION, QUERY_FAIL, NULL},
	{5030, 5030, ERRCODE_DATA_EXCEPTION, QUERY_FAIL, NULL},
	{5035, 5035, ERRCODE_PROGRAM_LIMIT_EXCEEDED, QUERY_FAIL, NULL},
	{5070, 5070, ERRCODE_INVALID_PARAMETER_VALUE, QUERY_FAIL, NULL},
	{5073, 5073, ERRCODE_UNIQUE_VIOLATION, QUERY_FAIL, NULL},
	{5420, 5420, ERRCODE_PROGRAM_LIMIT_EXCEEDED, QUERY_FAIL, NULL},
	{5500, 5500, ERRCODE_OUT_OF_MEMORY, QUERY_FAIL, "The request's memory quota on the query service is used up."},
	{5600, 5600, ERRCODE_OUT_OF_MEMORY, QUERY_FAIL, "The node's memory quota for the query service is used up."},
	{10000, 10202, ERRCODE_INVALID_PASSWORD, QUERY_FAIL, NULL},
	{12003, 12003, ERRCODE_FDW_TABLE_NOT_FOUND, QUERY_FAIL, NULL},
	{12015, 12016, ERRCODE_FDW_ERROR, QUERY_LATER, "An index does not answer, or has just been dropped."},
	{12020, 12021, ERRCODE_FDW_TABLE_NOT_FOUND, QUERY_FAIL, NULL},
	{12033, 12033, ERRCODE_T_R_SERIALIZATION_FAILURE, QUERY_FAIL, NULL},
	{12037, 12037, ERRCODE_INSUFFICIENT_PRIVILEGE, QUERY_FAIL, NULL},
	{13014, 13014, ERRCODE_INSUFFICIENT_PRIVILEGE, QUERY_FAIL, NULL},
	{14000, 14999, ERRCODE_FDW_ERROR, QUERY_LATER, "The index service has a problem."},
	{16050, 16065, ERRCODE_FDW_ERROR, QUERY_LATER, "A sequential scan on the service has failed: an index avoids it."},
	{17012, 17012, ERRCODE_UNIQUE_VIOLATION, QUERY_FAIL, NULL},
	{17010, 17010, ERRCODE_T_R_SERIALIZATION_FAILURE, QUERY_FAIL, NULL},
	{17097, 17097, ERRCODE_FEATURE_NOT_SUPPORTED, QUERY_FAIL, NULL},
	{17000, 17999, ERRCODE_INVALID_TRANSACTION_STATE, QUERY_FAIL, NULL}
};

void
query_set_failure(QueryFailure *failure, int sqlstate, QueryVerdict verdict, const char *step, const char *format,...)
{
	va_list		args;

	memset(failure, 0, offsetof(QueryFailure, text));
	failure->role[0] = failure->path[0] = '\0';
	failure->sqlstate = sqlstate;
	failure->verdict = verdict;
	failure->step = step;
	va_start(args, format);
	vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
}

static bool
look_up(int64 code, QueryFailure *failure)
{
	for (int i = 0; i < lengthof(codes); i++)
	{
		if (code < codes[i].first || code > codes[i].last)
			continue;
		failure->sqlstate = codes[i].sqlstate;
		failure->verdict = codes[i].verdict;
		failure->hint = codes[i].hint;
		return true;
	}
	return false;
}

/* A cause stands within a sentence of ours. */
static void
strip_full_stop(char *text)
{
	size_t		len = strlen(text);

	if (len > 0 && text[len - 1] == '.')
		text[len - 1] = '\0';
}

void
query_error_failure(QueryFailure *failure, const CbSqlppError *error)
{
	query_set_failure(failure, ERRCODE_FDW_ERROR, error->retry ? QUERY_LATER : QUERY_FAIL, NULL, "%s%s%s",
					  error->message, error->reason[0] ? ": " : "",
					  strstr(error->message, error->reason) == NULL ? error->reason : "");
	strip_full_stop(failure->text);
	failure->code = error->code;
	(void) look_up(error->code, failure);
	/* What went wrong with a document stands below: a duplicate key, a changed document. */
	if (error->code == 12009)
		(void) look_up(error->reason_code, failure);
	/* Refused before anything was done. */
	failure->safe = failure->verdict == QUERY_OTHER_NODE || failure->verdict == QUERY_PREPARE_AGAIN ||
		failure->sqlstate == ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
	strlcpy(failure->role, error->role, sizeof(failure->role));
	strlcpy(failure->path, error->path, sizeof(failure->path));
}

/* ---- wording ---- */

static char *
detail_of(const RemoteQuery *query, const QueryFailure *failure)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "Node %s", failure->node[0] ? failure->node : "unknown");
	if (failure->step != NULL)
		appendStringInfo(&text, ", step: %s", failure->step);
	else
		appendStringInfo(&text, ", code %lld", (long long) failure->code);
	if (query->request_id[0] != '\0')
		appendStringInfo(&text, ", request %s", cluster_printable_cstr(query->request_id));
	appendStringInfoChar(&text, '.');
	return text.data;
}

/* The statement that makes an index, when the service names the keyspace. */
static const char *
index_hint(const QueryFailure *failure)
{
	const char *from = strstr(failure->text, "keyspace ");
	const char *to = from ? strstr(from, " that ") : NULL;
	const char *keyspace;

	if (to == NULL)
		return failure->hint;
	from += strlen("keyspace ");
	keyspace = cluster_printable(from, to - from);
	return psprintf("CREATE INDEX name ON %s (fields of the conditions) serves the query, "
					"CREATE PRIMARY INDEX ON %s any query; reading over the data service needs none.",
					keyspace, keyspace);
}

static const char *
hint_of(const RemoteQuery *query, const QueryFailure *failure)
{
	const ClusterHandle *handle = query->handle;

	if (failure->code == 13014 && failure->role[0] != '\0')
		return psprintf("Grant the role \"%s\" on \"%s\" to user \"%s\".", cluster_printable_cstr(failure->role),
						cluster_printable_cstr(failure->path), handle->username ? handle->username : "");
	if (failure->code == 13014 || failure->code == 12037)
		return "Reading needs the role \"query_select\" on the collection, or one that includes it.";
	if (failure->code == 4000 || failure->code == 4120)
		return index_hint(failure);
	return failure->hint;
}

void
query_raise(const RemoteQuery *query, const QueryFailure *failure)
{
	const ClusterHandle *handle = query->handle;
	const char *text = cluster_printable_cstr(failure->text);
	const char *hint = hint_of(query, failure);
	bool		password = failure->sqlstate == ERRCODE_INVALID_PASSWORD;

	ereport(ERROR,
			(errcode(failure->sqlstate),
			 password ? errmsg("password authentication failed for user \"%s\" on server \"%s\"",
							   handle->username ? handle->username : "", handle->servername)
			 : errmsg("%s on server \"%s\" failed: %s", query->purpose, handle->servername, text),
			 password ? errdetail("%s Cause: %s.", detail_of(query, failure), text)
			 : errdetail("%s", detail_of(query, failure)),
			 hint ? errhint("%s", hint) : 0,
			 errcontext("remote SQL++: %s", cluster_printable_cstr(query->statement))));
	pg_unreachable();
}
