/*
 * collection.c
 *		Names of collections to ids. Asked for with the handshake where possible, again when a node says that an id is
 *		not valid any more.
 */
#include "postgres.h"

#include "handle.h"
#include "op.h"

KvCollection *
cluster_collection(ClusterHandle *handle, const char *scope, const char *name)
{
	MemoryContext old;
	KvCollection *collection;

	scope = scope ? scope : "_default";
	name = name ? name : "_default";
	for (int i = 0; i < handle->ncollections; i++)
	{
		collection = handle->collections[i];
		if (strcmp(collection->scope, scope) == 0 && strcmp(collection->name, name) == 0)
			return collection;
	}

	old = MemoryContextSwitchTo(handle->cxt);
	collection = palloc0(sizeof(KvCollection));
	collection->handle = handle;
	collection->scope = pstrdup(scope);
	collection->name = pstrdup(name);
	/* The default collection has had its id since before there were others. */
	if (strcmp(scope, "_default") == 0 && strcmp(name, "_default") == 0)
		collection->state = KV_COLLECTION_KNOWN;
	if (handle->collections == NULL)
		handle->collections = palloc(sizeof(KvCollection *));
	else
		handle->collections = repalloc(handle->collections, sizeof(KvCollection *) * (handle->ncollections + 1));
	handle->collections[handle->ncollections++] = collection;
	MemoryContextSwitchTo(old);
	return collection;
}

size_t
kv_key_max(const KvCollection *collection)
{
	if (strcmp(collection->scope, "_default") == 0 && strcmp(collection->name, "_default") == 0)
		return CB_KV_MAX_KEY;
	return CB_KV_MAX_COLLECTION_KEY;
}

static bool
names_ok(const KvCollection *collection)
{
	return cb_kv_collection_name_ok(cb_span_cstr(collection->scope)) &&
		cb_kv_collection_name_ok(cb_span_cstr(collection->name));
}

static void
set_missing(KvCollection *collection, const KvConn *conn, int sqlstate, const char *text)
{
	collection->state = KV_COLLECTION_MISSING;
	kv_failure_set(&collection->failure, sqlstate, true, "collection look-up", "%s", text);
	if (conn != NULL)
		strlcpy(collection->failure.node, conn->name, sizeof(collection->failure.node));
}

void
collection_ask(KvConn *conn, KvCollection *collection, int index)
{
	uint32		opaque = kv_conn_request(conn, NULL, index, CB_OP_GET_COLLECTION_ID, KV_REPLY_COLLECTION);

	kv_conn_requested(conn, opaque, cb_kv_get_collection_id(&conn->out, opaque, cb_span_cstr(collection->scope),
															cb_span_cstr(collection->name)));
	collection->state = KV_COLLECTION_ASKED;
	collection->asked = conn;
}

void
collection_ask_all(KvConn *conn)
{
	ClusterHandle *handle = conn->handle;

	for (int i = 0; i < handle->ncollections; i++)
	{
		if (handle->collections[i]->state == KV_COLLECTION_UNKNOWN && names_ok(handle->collections[i]))
			collection_ask(conn, handle->collections[i], i);
	}
}

static KvConn *
any_ready_conn(ClusterHandle *handle)
{
	bool		under_way = false;

	for (int i = 0; i < handle->nconns; i++)
	{
		if (handle->conns[i]->state == KV_CONN_READY && !handle->conns[i]->retired)
			return handle->conns[i];
		under_way |= handle->conns[i]->state != KV_CONN_CLOSED;
	}
	for (int i = 0; i < handle->nconns && !under_way; i++)
	{
		if (!handle->conns[i]->retired)
			under_way = kv_conn_want(handle->conns[i]) != KV_CONN_CLOSED;
	}
	return NULL;
}

bool
collection_ready(KvCollection *collection, const KvOp *op)
{
	ClusterHandle *handle = collection->handle;
	KvConn	   *conn;

	if (collection->state == KV_COLLECTION_KNOWN)
		return true;
	if (collection->state == KV_COLLECTION_UNKNOWN && !names_ok(collection))
		set_missing(collection, NULL, ERRCODE_FDW_TABLE_NOT_FOUND, "no collection can have this name");
	if (collection->state == KV_COLLECTION_MISSING)
		cluster_raise(handle, op, &collection->failure);
	if (collection->state == KV_COLLECTION_ASKED)
		return false;
	conn = any_ready_conn(handle);
	if (conn != NULL)
	{
		for (int i = 0; i < handle->ncollections; i++)
		{
			if (handle->collections[i] == collection)
				collection_ask(conn, collection, i);
		}
	}
	return false;
}

void
collection_forget(KvCollection *collection, uint32 id)
{
	/* An answer to a request that was sent before the id changed says nothing about the new one. */
	if (collection->state == KV_COLLECTION_KNOWN && collection->id == id && kv_key_max(collection) != CB_KV_MAX_KEY)
		collection->state = KV_COLLECTION_UNKNOWN;
}

void
collection_answer(KvConn *conn, int index, const CbPacket *packet)
{
	KvCollection *collection = conn->handle->collections[index];
	uint64		manifest_uid;
	uint32		id;

	if (collection->state != KV_COLLECTION_ASKED || collection->asked != conn)
		return;
	collection->asked = NULL;
	collection->state = KV_COLLECTION_UNKNOWN;
	if (packet->status == CB_STATUS_SUCCESS)
	{
		if (cb_kv_collection_id_result(packet->extras, &manifest_uid, &id) == CB_OK)
		{
			collection->id = id;
			collection->state = KV_COLLECTION_KNOWN;
			collection->failure.sqlstate = 0;
		}
		else
			set_missing(collection, conn, ERRCODE_PROTOCOL_VIOLATION, "an answer without a collection id");
		return;
	}
	switch (kv_status_verdict(conn->handle, packet->status))
	{
		case KV_VERDICT_MOVED:
		case KV_VERDICT_LATER:
		case KV_VERDICT_RECONNECT:
			kv_failure_status(&collection->failure, conn, "collection look-up", packet);
			break;
		default:
			{
				KvFailure  *failure = &collection->failure;

				/* Before authentication everything is refused like this; the handshake tells why. */
				if (!conn->authenticated && conn->handle->username != NULL)
					break;
				kv_failure_status(failure, conn, "collection look-up", packet);
				failure->fatal = true;
				collection->state = KV_COLLECTION_MISSING;
				break;
			}
	}
}

void
collection_lost(ClusterHandle *handle, const KvConn *conn)
{
	for (int i = 0; i < handle->ncollections; i++)
	{
		KvCollection *collection = handle->collections[i];

		if (collection->state == KV_COLLECTION_ASKED && collection->asked == conn)
		{
			collection->state = KV_COLLECTION_UNKNOWN;
			collection->asked = NULL;
		}
	}
}
