/*
 * manager.c
 *		The handles of this backend: one per user mapping and bucket (P2), forgotten when their server or mapping
 *		changes, tidied up at the end of each transaction.
 */
#include "postgres.h"

#include "access/xact.h"
#include "down.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "op.h"
#include "utils/inval.h"
#include "utils/syscache.h"

static dlist_head handles = DLIST_STATIC_INIT(handles);
static int	owner_pid = 0;		/* process that made the handles (P1) */

/* ---- the end of transactions (W2) ---- */

/*
 * Connections that nobody will wait for are closed: those still being made, those to hosts that are no nodes of the
 * configuration, and, after an error, those with answers to come.
 */
static void
close_busy_connections(ClusterHandle *handle, bool abort)
{
	seeds_forget(handle);
	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];

		if ((abort && conn->outstanding > 0) || conn->retired ||
			(conn->state != KV_CONN_CLOSED && conn->state != KV_CONN_READY))
			kv_conn_close(conn);
	}
}

static void
detach_operations(ClusterHandle *handle)
{
	while (!dlist_is_empty(&handle->ops))
		kv_op_detach(dlist_container(KvOp, node, dlist_head_node(&handle->ops)));
}

static void
forget(ClusterHandle *handle)
{
	dlist_delete(&handle->node);
	handle_destroy(handle);
}

static void
cbconnXactCallback(XactEvent event, void *arg)
{
	dlist_mutable_iter iter;
	dlist_iter	prepared;
	bool		abort = event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT;

	if (event == XACT_EVENT_PRE_PREPARE)
	{
		dlist_foreach(prepared, &handles)
			written_refuse_prepare(dlist_container(ClusterHandle, node, prepared.cur));
	}
	if (!abort && event != XACT_EVENT_COMMIT && event != XACT_EVENT_PARALLEL_COMMIT && event != XACT_EVENT_PREPARE)
		return;
	idle_pause();
	dlist_foreach_modify(iter, &handles)
	{
		ClusterHandle *handle = dlist_container(ClusterHandle, node, iter.cur);

		handle->counters = NULL;
		detach_operations(handle);
		query_detach_all(handle);
		written_end(handle, abort);
		if (handle->invalid || handle->replaced || (handle->used_in_xact && !handle->keep))
		{
			forget(handle);
			continue;
		}
		if (handle->used_in_xact)
		{
			close_busy_connections(handle, abort);
			handle->rested_since = wait_now();
		}
		handle->used_in_xact = false;
		handle->insists = false;
	}
	idle_begin(&handles);
}

/* Whether answers are to come that nobody waits for, or whose operation was running in the subtransaction. */
static bool
owes_subtransaction(const KvConn *conn, SubTransactionId subid)
{
	for (int i = 0; i < conn->nrequests; i++)
	{
		const KvRequest *request = &conn->requests[i];

		if (request->reply != KV_REPLY_FREE && (request->op == NULL || request->op->subid == subid))
			return true;
	}
	return false;
}

/*
 * Operations of outer levels that wait on the connections closed here send their requests again. So do reads that the
 * subtransaction began for a cursor of an outer level; others of its own end with their memory. Writes never go on.
 */
static void
abort_subtransaction(ClusterHandle *handle, SubTransactionId subid)
{
	dlist_mutable_iter iter;

	handle->counters = NULL;
	dlist_foreach_modify(iter, &handle->ops)
	{
		KvOp	   *op = dlist_container(KvOp, node, iter.cur);

		if (op->subid == subid && op->cls->gave_up != NULL)
			kv_op_detach(op);
	}
	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];

		if ((conn->state != KV_CONN_CLOSED && conn->state != KV_CONN_READY) || owes_subtransaction(conn, subid))
			kv_conn_close(conn);
	}
}

void
manager_move_failures(SubTransactionId from, SubTransactionId to)
{
	dlist_iter	iter;

	dlist_foreach(iter, &handles)
	{
		ClusterHandle *handle = dlist_container(ClusterHandle, node, iter.cur);

		if (handle->bootstrap_failure.subid == from)
			handle->bootstrap_failure.subid = to;
	}
}

static void
cbconnSubXactCallback(SubXactEvent event, SubTransactionId subid, SubTransactionId parent, void *arg)
{
	dlist_iter	iter;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	dlist_foreach(iter, &handles)
	{
		ClusterHandle *handle = dlist_container(ClusterHandle, node, iter.cur);
		dlist_iter	ops;

		if (!handle->used_in_xact)
			continue;
		if (event == SUBXACT_EVENT_ABORT_SUB)
			abort_subtransaction(handle, subid);
		query_end_sub(handle, subid, parent, event == SUBXACT_EVENT_ABORT_SUB);
		dlist_foreach(ops, &handle->ops)
		{
			KvOp	   *op = dlist_container(KvOp, node, ops.cur);

			if (op->subid == subid)
				op->subid = parent;
		}
		written_end_sub(handle, subid, parent, event == SUBXACT_EVENT_ABORT_SUB);
	}
}

/* ---- invalidation ---- */

static void
cbconnInvalidate(Datum arg, int cacheid, uint32 hashvalue)
{
	dlist_iter	iter;

	dlist_foreach(iter, &handles)
	{
		ClusterHandle *handle = dlist_container(ClusterHandle, node, iter.cur);

		if (hashvalue == 0 ||
			(cacheid == USERMAPPINGOID && handle->mapping_hash == hashvalue) ||
			(cacheid == FOREIGNSERVEROID && handle->server_hash == hashvalue) ||
			(cacheid == FOREIGNDATAWRAPPEROID && handle->wrapper_hash == hashvalue))
			handle->invalid = true;
	}
}

/* ---- finding and making ---- */

static void
set_up_process(void)
{
	static bool callbacks_registered = false;

	if (owner_pid != MyProcPid)
	{
		/* Handles of a parent are not ours to close. */
		idle_pause();
		dlist_init(&handles);
		owner_pid = MyProcPid;
	}
	if (!callbacks_registered)
	{
		RegisterXactCallback(cbconnXactCallback, NULL);
		RegisterSubXactCallback(cbconnSubXactCallback, NULL);
		CacheRegisterSyscacheCallback(USERMAPPINGOID, cbconnInvalidate, (Datum) 0);
		CacheRegisterSyscacheCallback(FOREIGNSERVEROID, cbconnInvalidate, (Datum) 0);
		CacheRegisterSyscacheCallback(FOREIGNDATAWRAPPEROID, cbconnInvalidate, (Datum) 0);
		callbacks_registered = true;
	}
	idle_end();
}

static ClusterHandle *
find_handle(const ClusterTarget *target)
{
	dlist_iter	iter;

	dlist_foreach(iter, &handles)
	{
		ClusterHandle *handle = dlist_container(ClusterHandle, node, iter.cur);

		if (!handle->replaced && handle->umid == target->umid && handle->serverid == target->serverid &&
			strcmp(handle->bucket, target->bucket) == 0)
			return handle;
	}
	return NULL;
}

ClusterHandle *
cluster_open(const ClusterTarget *target)
{
	ClusterHandle *handle;

	set_up_process();
	handle = find_handle(target);
	if (handle != NULL && handle->invalid && dlist_is_empty(&handle->ops) &&
		dlist_is_empty(&handle->queries))
	{
		handle->replaced = true;
		handle_close_connections(handle);
		handle = NULL;
	}
	if (handle == NULL)
	{
		/* Hash values first: a change that comes while the options are read is then seen. */
		uint32		mapping = GetSysCacheHashValue1(USERMAPPINGOID, ObjectIdGetDatum(target->umid));
		uint32		server = GetSysCacheHashValue1(FOREIGNSERVEROID, ObjectIdGetDatum(target->serverid));
		Oid			fdwid = GetForeignServer(target->serverid)->fdwid;

		handle = handle_create(target);
		handle->mapping_hash = mapping;
		handle->server_hash = server;
		handle->wrapper_hash = GetSysCacheHashValue1(FOREIGNDATAWRAPPEROID, ObjectIdGetDatum(fdwid));
		dlist_push_tail(&handles, &handle->node);
	}
	handle->used_in_xact = true;
	return handle;
}

List *
handle_siblings(const ClusterHandle *handle)
{
	List	   *result = NIL;
	dlist_iter	iter;

	dlist_foreach(iter, &handles)
	{
		ClusterHandle *other = dlist_container(ClusterHandle, node, iter.cur);

		if (!other->replaced && other->umid == handle->umid && other->serverid == handle->serverid)
			result = lappend(result, other);
	}
	return result;
}

int
cluster_disconnect(Oid serverid, bool *in_use)
{
	dlist_mutable_iter iter;
	int			closed = 0;

	*in_use = false;
	set_up_process();
	dlist_foreach_modify(iter, &handles)
	{
		ClusterHandle *handle = dlist_container(ClusterHandle, node, iter.cur);

		if (OidIsValid(serverid) && handle->serverid != serverid)
			continue;
		if (handle->used_in_xact)
		{
			*in_use = true;
			continue;
		}
		forget(handle);
		closed++;
	}
	return closed;
}

/* ---- showing ---- */

static const char *const state_names[] = {
	[KV_CONN_CLOSED] = "closed",
	[KV_CONN_RESOLVING] = "resolving",
	[KV_CONN_CONNECTING] = "connecting",
	[KV_CONN_SECURING] = "securing",
	[KV_CONN_HANDSHAKE] = "handshake",
	[KV_CONN_READY] = "ready"
};

static ClusterInfo *
describe_handle(const ClusterHandle *handle)
{
	ClusterInfo *info = palloc0(sizeof(ClusterInfo));

	info->umid = handle->umid;
	info->serverid = handle->serverid;
	info->userid = handle->userid;
	info->bucket = pstrdup(handle->bucket);
	info->valid = !handle->invalid && !handle->replaced;
	info->used_in_xact = handle->used_in_xact;
	if (handle->config != NULL)
	{
		info->config_epoch = handle->config->version.epoch;
		info->config_rev = handle->config->version.rev;
	}
	return info;
}

static ClusterInfo *
describe_node(const ClusterHandle *handle, const KvConn *conn)
{
	ClusterInfo *info = describe_handle(handle);

	info->node = pstrdup(conn->name);
	info->state = conn->state == KV_CONN_CLOSED && down_state(conn) != DOWN_NOT ? "down" : state_names[conn->state];
	info->connected_at = conn->connected_at;
	info->last_used_at = conn->last_used_at;
	info->connects = conn->connects;
	info->requests = conn->requests_made;
	info->retries = conn->retries;
	info->bytes_sent = conn->bytes_sent;
	info->bytes_received = conn->bytes_received;
	if (conn->state == KV_CONN_CLOSED && conn->failure.sqlstate != 0)
		info->error = psprintf("%s: %s", conn->failure.step, cluster_printable_cstr(conn->failure.text));
	return info;
}

List *
cluster_list(void)
{
	List	   *result = NIL;
	dlist_iter	iter;

	set_up_process();
	dlist_foreach(iter, &handles)
	{
		const ClusterHandle *handle = dlist_container(ClusterHandle, node, iter.cur);
		bool		any = false;

		for (int i = 0; i < handle->nconns; i++)
		{
			/* Hosts that are no nodes of the configuration are of interest while they are connected. */
			if (handle->conns[i]->retired && handle->conns[i]->state == KV_CONN_CLOSED)
				continue;
			result = lappend(result, describe_node(handle, handle->conns[i]));
			any = true;
		}
		if (!any)
			result = lappend(result, describe_handle(handle));
	}
	return result;
}
