/*
 * error.c
 *		From what went wrong to what the user is told: the table of SQLSTATEs, the verdict on a status, the wording.
 */
#include "postgres.h"

#include <jansson.h>

#include "access/xact.h"
#include "handle.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "op.h"
#include "utils/resowner.h"

/* The table: every status that has a better SQLSTATE than the general one, and what is to be done about it. */
static const struct
{
	uint16		status;
	int			sqlstate;
	KvVerdict	verdict;
}			statuses[] =
{
	{CB_STATUS_SUCCESS, 0, KV_VERDICT_DELIVER},
	{CB_STATUS_KEY_ENOENT, ERRCODE_NO_DATA_FOUND, KV_VERDICT_DELIVER},
	{CB_STATUS_KEY_EEXISTS, ERRCODE_UNIQUE_VIOLATION, KV_VERDICT_DELIVER},
	{CB_STATUS_E2BIG, ERRCODE_PROGRAM_LIMIT_EXCEEDED, KV_VERDICT_DELIVER},
	{CB_STATUS_EINVAL, ERRCODE_PROTOCOL_VIOLATION, KV_VERDICT_DELIVER},
	{CB_STATUS_NOT_STORED, ERRCODE_NO_DATA_FOUND, KV_VERDICT_DELIVER},
	{CB_STATUS_DELTA_BADVAL, ERRCODE_INVALID_PARAMETER_VALUE, KV_VERDICT_DELIVER},
	{CB_STATUS_NOT_MY_VBUCKET, ERRCODE_CANNOT_CONNECT_NOW, KV_VERDICT_MOVED},
	{CB_STATUS_NO_BUCKET, ERRCODE_CANNOT_CONNECT_NOW, KV_VERDICT_RECONNECT},
	{CB_STATUS_LOCKED, ERRCODE_LOCK_NOT_AVAILABLE, KV_VERDICT_LATER},
	{CB_STATUS_CONFIG_ONLY, ERRCODE_CANNOT_CONNECT_NOW, KV_VERDICT_MOVED},
	{CB_STATUS_NOT_LOCKED, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, KV_VERDICT_DELIVER},
	{CB_STATUS_AUTH_STALE, ERRCODE_INVALID_PASSWORD, KV_VERDICT_RECONNECT},
	{CB_STATUS_AUTH_ERROR, ERRCODE_INVALID_PASSWORD, KV_VERDICT_RECONNECT},
	{CB_STATUS_AUTH_CONTINUE, ERRCODE_PROTOCOL_VIOLATION, KV_VERDICT_FAIL},
	{CB_STATUS_ERANGE, ERRCODE_PROTOCOL_VIOLATION, KV_VERDICT_DELIVER},
	{CB_STATUS_EACCESS, ERRCODE_INSUFFICIENT_PRIVILEGE, KV_VERDICT_FAIL},
	{CB_STATUS_NOT_INITIALIZED, ERRCODE_CANNOT_CONNECT_NOW, KV_VERDICT_RECONNECT},
	{CB_STATUS_RATE_LIMITED_NETWORK_INGRESS, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, KV_VERDICT_FAIL},
	{CB_STATUS_RATE_LIMITED_NETWORK_EGRESS, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, KV_VERDICT_FAIL},
	{CB_STATUS_RATE_LIMITED_MAX_CONNECTIONS, ERRCODE_TOO_MANY_CONNECTIONS, KV_VERDICT_FAIL},
	{CB_STATUS_RATE_LIMITED_MAX_COMMANDS, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, KV_VERDICT_FAIL},
	{CB_STATUS_SCOPE_SIZE_LIMIT, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, KV_VERDICT_FAIL},
	{CB_STATUS_BUCKET_SIZE_LIMIT, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, KV_VERDICT_FAIL},
	{CB_STATUS_BUCKET_RESIDENT_RATIO_LOW, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, KV_VERDICT_FAIL},
	{CB_STATUS_BUCKET_DATA_SIZE_BIG, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, KV_VERDICT_FAIL},
	{CB_STATUS_BUCKET_DISK_SPACE_LOW, ERRCODE_DISK_FULL, KV_VERDICT_FAIL},
	{CB_STATUS_UNKNOWN_COMMAND, ERRCODE_FEATURE_NOT_SUPPORTED, KV_VERDICT_FAIL},
	{CB_STATUS_ENOMEM, ERRCODE_OUT_OF_MEMORY, KV_VERDICT_LATER},
	{CB_STATUS_NOT_SUPPORTED, ERRCODE_FEATURE_NOT_SUPPORTED, KV_VERDICT_FAIL},
	{CB_STATUS_EINTERNAL, ERRCODE_FDW_ERROR, KV_VERDICT_DELIVER},
	{CB_STATUS_EBUSY, ERRCODE_CANNOT_CONNECT_NOW, KV_VERDICT_LATER},
	{CB_STATUS_TMPFAIL, ERRCODE_CANNOT_CONNECT_NOW, KV_VERDICT_LATER},
	{CB_STATUS_UNKNOWN_COLLECTION, ERRCODE_FDW_TABLE_NOT_FOUND, KV_VERDICT_COLLECTION},
	{CB_STATUS_UNKNOWN_SCOPE, ERRCODE_FDW_TABLE_NOT_FOUND, KV_VERDICT_COLLECTION},
	{CB_STATUS_DURABILITY_INVALID_LEVEL, ERRCODE_INVALID_PARAMETER_VALUE, KV_VERDICT_DELIVER},
	{CB_STATUS_DURABILITY_IMPOSSIBLE, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, KV_VERDICT_DELIVER},
	{CB_STATUS_SYNC_WRITE_IN_PROGRESS, ERRCODE_LOCK_NOT_AVAILABLE, KV_VERDICT_LATER},
	{CB_STATUS_SYNC_WRITE_AMBIGUOUS, ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN, KV_VERDICT_DELIVER},
	{CB_STATUS_SYNC_WRITE_RECOMMIT, ERRCODE_LOCK_NOT_AVAILABLE, KV_VERDICT_LATER},
	{CB_STATUS_RANGE_SCAN_CANCELLED, ERRCODE_CANNOT_CONNECT_NOW, KV_VERDICT_DELIVER},
	{CB_STATUS_RANGE_SCAN_MORE, 0, KV_VERDICT_DELIVER},
	{CB_STATUS_RANGE_SCAN_COMPLETE, 0, KV_VERDICT_DELIVER},
	{CB_STATUS_VBUUID_NOT_EQUAL, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, KV_VERDICT_DELIVER},
	{CB_STATUS_SUBDOC_PATH_ENOENT, ERRCODE_SQL_JSON_MEMBER_NOT_FOUND, KV_VERDICT_DELIVER},
	{CB_STATUS_SUBDOC_PATH_MISMATCH, ERRCODE_SQL_JSON_OBJECT_NOT_FOUND, KV_VERDICT_DELIVER},
	{CB_STATUS_SUBDOC_PATH_E2BIG, ERRCODE_PROGRAM_LIMIT_EXCEEDED, KV_VERDICT_DELIVER},
	{CB_STATUS_SUBDOC_DOC_E2DEEP, ERRCODE_PROGRAM_LIMIT_EXCEEDED, KV_VERDICT_DELIVER},
	{CB_STATUS_SUBDOC_DOC_NOTJSON, ERRCODE_INVALID_JSON_TEXT, KV_VERDICT_DELIVER},
	{CB_STATUS_SUBDOC_VALUE_E2DEEP, ERRCODE_PROGRAM_LIMIT_EXCEEDED, KV_VERDICT_DELIVER},
	{CB_STATUS_SUBDOC_MULTI_PATH_FAILURE, 0, KV_VERDICT_DELIVER},
	{CB_STATUS_SUBDOC_SUCCESS_DELETED, 0, KV_VERDICT_DELIVER},
	{CB_STATUS_SUBDOC_MULTI_PATH_FAILURE_DELETED, 0, KV_VERDICT_DELIVER}
};

bool
cluster_is_remote(int sqlstate)
{
	int			category = ERRCODE_TO_CATEGORY(sqlstate);

	return sqlstate == ERRCODE_CANNOT_CONNECT_NOW ||
		(category != ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) &&
		 category != ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) &&
		 category != ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR));
}

char *
cluster_try(void (*work) (void *), void *arg)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	SubTransactionId around = GetCurrentSubTransactionId();
	SubTransactionId own;
	char	   *volatile reason = NULL;

	BeginInternalSubTransaction(NULL);
	own = GetCurrentSubTransactionId();
	/* What the statement has failed to do before is not tried again here, nor what fails here afterwards. */
	manager_move_failures(around, own);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
		manager_move_failures(own, around);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		manager_move_failures(own, around);
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
		if (!cluster_is_remote(error->sqlerrcode))
			ReThrowError(error);
		reason = error->detail ? psprintf("%s: %s", error->message, error->detail) : error->message;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
	return reason;
}

int
kv_status_sqlstate(uint16 status)
{
	for (int i = 0; i < lengthof(statuses); i++)
	{
		if (statuses[i].status == status)
			return statuses[i].sqlstate != 0 ? statuses[i].sqlstate : ERRCODE_FDW_ERROR;
	}
	return ERRCODE_FDW_ERROR;
}

int
kv_outcome_sqlstate(KvOutcome outcome, uint16 status)
{
	switch (outcome)
	{
		case KV_EXISTS:
			return ERRCODE_UNIQUE_VIOLATION;
		case KV_MISSING:
		case KV_CHANGED:
			return ERRCODE_T_R_SERIALIZATION_FAILURE;
		case KV_UNKNOWN:
			return ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN;
		default:
			return kv_status_sqlstate(status);
	}
}

/* Whether the server's error map gives a status this attribute (docs/ErrorMap.md). */
static bool
map_has_attribute(json_t *map, uint16 status, const char *attribute)
{
	char		code[8];
	json_t	   *attributes;
	json_t	   *value;
	size_t		i;

	snprintf(code, sizeof(code), "%x", status);
	attributes = json_object_get(json_object_get(json_object_get(map, "errors"), code), "attrs");
	json_array_foreach(attributes, i, value)
	{
		const char *text = json_string_value(value);

		if (text != NULL && strcmp(text, attribute) == 0)
			return true;
	}
	return false;
}

/* For statuses that are younger than this program: what the server says about them. */
static KvVerdict
verdict_by_map(const ClusterHandle *handle, uint16 status)
{
	KvVerdict	verdict = KV_VERDICT_FAIL;
	json_t	   *map;

	if (handle->error_map.len == 0)
		return verdict;
	map = json_loadb((const char *) handle->error_map.data, handle->error_map.len, 0, NULL);
	if (map_has_attribute(map, status, "fetch-config"))
		verdict = KV_VERDICT_MOVED;
	else if (map_has_attribute(map, status, "conn-state-invalidated"))
		verdict = KV_VERDICT_RECONNECT;
	else if (map_has_attribute(map, status, "retry-now") || map_has_attribute(map, status, "retry-later"))
		verdict = KV_VERDICT_LATER;
	json_decref(map);
	return verdict;
}

KvVerdict
kv_status_verdict(const ClusterHandle *handle, uint16 status)
{
	if (status == CB_STATUS_SUCCESS)
		return KV_VERDICT_DELIVER;
	for (int i = 0; i < lengthof(statuses); i++)
	{
		if (statuses[i].status == status)
			return statuses[i].verdict;
	}
	if (cb_status_name(status) != NULL)
		return KV_VERDICT_DELIVER;
	return verdict_by_map(handle, status);
}

/* ---- texts ---- */

char *
cluster_printable(const char *bytes, size_t len)
{
	bool		as_is = GetDatabaseEncoding() == PG_UTF8 && pg_verify_mbstr(PG_UTF8, bytes, (int) len, true);
	char	   *text = palloc(len * 4 + 1);
	char	   *to = text;

	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) bytes[i];

		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !as_is))
			to += snprintf(to, 5, "\\x%02x", c);
		else
			*to++ = (char) c;
	}
	*to = '\0';
	return text;
}

char *
cluster_printable_cstr(const char *text)
{
	return cluster_printable(text, strlen(text));
}

void
kv_failure_set(KvFailure *failure, int sqlstate, bool fatal, const char *step, const char *format,...)
{
	va_list		args;

	failure->sqlstate = sqlstate;
	failure->fatal = fatal;
	failure->step = step;
	failure->hint = NULL;
	failure->node[0] = '\0';
	va_start(args, format);
	vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
}

void
kv_failure_status(KvFailure *failure, const KvConn *conn, const char *step, const CbPacket *packet)
{
	CbErrorBody body;
	CbSpan		value = packet->value;
	const char *words = cb_status_text(packet->status);
	const char *name = cb_status_name(packet->status);

	memset(&body, 0, sizeof(body));
	if (packet->datatype & CB_DATATYPE_SNAPPY)
		value = CB_SPAN_EMPTY;
	(void) cb_kv_error_body(value, &body);
	kv_failure_set(failure, kv_status_sqlstate(packet->status), false, step, "%s (status %02x%s%s)%s%s%s%s",
				   words ? words : "the node refused the request",
				   packet->status, name ? " " : "", name ? name : "",
				   body.context[0] ? ": " : "", body.context,
				   body.ref[0] ? ", server log reference " : "", body.ref);
	strlcpy(failure->node, conn->name, sizeof(failure->node));
}

/* "Node a:1, step HELLO." and the like; empty when nothing is known. */
static char *
where(const KvFailure *failure)
{
	if (failure->node[0] == '\0')
		return psprintf("Step: %s.", failure->step);
	return psprintf("Node %s, step: %s.", failure->node, failure->step);
}

static const char *
user_of(const ClusterHandle *handle)
{
	if (handle->username != NULL)
		return handle->username;
	return handle->has_certificate ? "(client certificate)" : "";
}

void
cluster_raise(const ClusterHandle *handle, const KvOp *op, const KvFailure *failure)
{
	const char *text = cluster_printable_cstr(failure->text);
	const KvCollection *collection = op ? op->collection : NULL;

	switch (failure->sqlstate)
	{
		case ERRCODE_INVALID_PASSWORD:
			ereport(ERROR,
					(errcode(failure->sqlstate),
					 errmsg("password authentication failed for user \"%s\" on server \"%s\"",
							user_of(handle), handle->servername),
					 errdetail("%s Cause: %s.", where(failure), text)));
			break;
		case ERRCODE_UNDEFINED_DATABASE:
			ereport(ERROR,
					(errcode(failure->sqlstate),
					 errmsg("bucket \"%s\" does not exist on server \"%s\"", handle->bucket, handle->servername),
					 errdetail("%s Cause: %s.", where(failure), text)));
			break;
		case ERRCODE_FDW_TABLE_NOT_FOUND:
			ereport(ERROR,
					(errcode(failure->sqlstate),
					 errmsg("collection \"%s.%s\" does not exist in bucket \"%s\" on server \"%s\"",
							collection ? collection->scope : "", collection ? collection->name : "",
							handle->bucket, handle->servername),
					 errdetail("%s Cause: %s.", where(failure), text)));
			break;
		case ERRCODE_INSUFFICIENT_PRIVILEGE:
			if (op == NULL || strcmp(failure->step, "bucket selection") == 0)
				ereport(ERROR,
						(errcode(failure->sqlstate),
						 errmsg("bucket \"%s\" does not exist on server \"%s\", or user \"%s\" may not use it",
								handle->bucket, handle->servername, user_of(handle)),
						 errdetail("%s Cause: %s.", where(failure), text)));
			ereport(ERROR,
					(errcode(failure->sqlstate),
					 errmsg("permission denied for %s in bucket \"%s\" on server \"%s\"",
							op->cls->name, handle->bucket, handle->servername),
					 errdetail("User \"%s\". %s Cause: %s.", user_of(handle),
							   where(failure), text)));
			break;
		default:
			ereport(ERROR,
					(errcode(failure->sqlstate),
					 errmsg("%s in bucket \"%s\" on server \"%s\" failed: %s",
							op ? op->cls->name : "connecting", handle->bucket, handle->servername, text),
					 errdetail("%s", where(failure)),
					 failure->hint ? errhint("%s", failure->hint) : 0));
			break;
	}
	pg_unreachable();
}

static bool
owes_answer(const KvConn *conn, const KvOp *op)
{
	for (int i = 0; i < conn->nrequests; i++)
	{
		if (conn->requests[i].reply != KV_REPLY_FREE && conn->requests[i].op == op)
			return true;
	}
	return false;
}

/* The nodes that are waited for, and what for. */
static char *
awaited_nodes(const ClusterHandle *handle, const KvOp *op)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < handle->nconns; i++)
	{
		const KvConn *conn = handle->conns[i];

		if (conn->state == KV_CONN_CLOSED || (conn->state == KV_CONN_READY && !owes_answer(conn, op)))
			continue;
		appendStringInfo(&names, "%sNode %s, step: %s.", names.len ? " " : "", conn->name, conn->step);
	}
	if (names.len == 0)
		appendStringInfoString(&names, "No node is connected.");
	return names.data;
}

/* What went wrong last; sqlstate is 0 when nothing has. */
static const KvFailure *
last_failure(const KvOp *op)
{
	if (op->last.sqlstate == 0 && op->collection != NULL && op->collection->state != KV_COLLECTION_KNOWN)
		return &op->collection->failure;
	return &op->last;
}

void
cluster_raise_timeout(const ClusterHandle *handle, const KvOp *op, int64 timeout)
{
	const KvFailure *failure = last_failure(op);
	char	   *nodes = awaited_nodes(handle, op);
	char	   *last = "";
	const char *hint = failure->sqlstate != 0 ? failure->hint : NULL;

	/* All nodes have answered, and said why they cannot: that is it, not the time. */
	if (op->sent == 0 && failure->sqlstate != 0 &&
		ERRCODE_TO_CATEGORY(failure->sqlstate) != ERRCODE_TO_CATEGORY(ERRCODE_CONNECTION_EXCEPTION))
		cluster_raise(handle, op, failure);
	if (failure->sqlstate != 0)
		last = psprintf(" Last error: %s (node %s, step: %s).", cluster_printable_cstr(failure->text),
						failure->node[0] ? failure->node : "unknown", failure->step);
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("%s in bucket \"%s\" on server \"%s\" got no answer within %.1f s",
					op->cls->name, handle->bucket, handle->servername, timeout / 1e6),
			 errdetail("%s%s", nodes, last),
			 hint ? errhint("%s", hint) : 0));
}
