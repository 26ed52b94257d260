/*
 * mutate.c
 *		Many mutations at a time, to all nodes at once. Each is copied until its fate is known, sent again only when it
 *		certainly was not applied, and has exactly one result.
 */
#include "postgres.h"

#include "mutate.h"
#include "op.h"
#include "../protocol/compress.h"
#include "../protocol/vbucket.h"

/* Most requests and bytes under way, over all nodes. */
#define WINDOW_REQUESTS		2048
#define WINDOW_BYTES		(4 * 1024 * 1024)
/* Mutations and bytes added between two looks at the network. */
#define PUSH_REQUESTS		64
#define PUSH_BYTES			(64 * 1024)
/* Copies not larger than this are kept for the next mutation. */
#define KEEP_BYTES			4096

typedef struct MutateItem
{
	KvItem		head;			/* first: the engine's */
	bool		busy;			/* added, result not taken yet */
	bool		unknown;		/* given up, fate unknown */
	bool		json;
	bool		preserve_expiry;
	uint8		npaths;
	KvMutationKind kind;
	uint32		flags;
	uint32		expiry;
	uint64		cas;
	int64		tag;
	size_t		under_way;		/* bytes counted in the load: may have been sent */
	char	   *data;			/* CbSubdocSpec of the paths, key, value: */
	size_t		capacity;
	size_t		size;
	CbSpan		key;			/* in data */
	CbSpan		value;
	KvFailure  *failure;		/* given up: why */
} MutateItem;

struct KvMutate
{
	KvOp		op;				/* first: callbacks get it */
	KvDurability durability;
	uint16		durability_ms;
	int			items_capacity;
	int			free_item;		/* head of the free list */
	int			taken;			/* whose result was handed out last */
	int64		outstanding;
	size_t		held;			/* bytes of what is outstanding */
	int			unpushed;
	size_t		unpushed_bytes;
	bool		hold;
	CbBuf		deflated;
	KvFailure	failure;		/* what result says */
	char	   *message;
	KvMutationResult result;
};

static MutateItem *
mutate_item(KvMutate *mutate, int index)
{
	return (MutateItem *) kv_op_item(&mutate->op, index);
}

static uint16
item_vbucket(const KvMutate *mutate, const MutateItem *item)
{
	return cb_vbucket_of(item->key, mutate->op.handle->config->nvbuckets);
}

/* ---- what the engine calls ---- */

static KvConn *
route(KvOp *op, int index)
{
	KvMutate   *mutate = (KvMutate *) op;

	return topology_conn(op->handle, item_vbucket(mutate, mutate_item(mutate, index)));
}

/* Whether documents are sent compressed on this connection. */
static bool
compresses(const KvConn *conn)
{
	int			compression = conn->handle->settings->compression;

	return cb_has_feature(conn->features, CB_FEATURE_SNAPPY) && compression != CB_COMPRESSION_OFF &&
		compression != CB_COMPRESSION_INFLATE_ONLY;
}

static CbResult
append_store(KvMutate *mutate, const MutateItem *item, const CbDocRef *ref, const CbWriteOptions *options,
			 KvConn *conn)
{
	const CbSettings *settings = mutate->op.handle->settings;
	uint8		opcode = item->kind == KV_INSERT ? CB_OP_ADD : item->kind == KV_UPSERT ? CB_OP_SET : CB_OP_REPLACE;
	uint8		datatype = item->json ? CB_DATATYPE_JSON : CB_DATATYPE_RAW;
	CbSpan		value = item->value;

	if (compresses(conn))
	{
		CbResult	result = cb_snappy_deflate(value, settings->compression_min_size, settings->compression_min_ratio,
											   &mutate->deflated);

		if (result == CB_NOMEM)
			return result;
		if (result == CB_OK)
		{
			value = cb_buf_span(&mutate->deflated);
			datatype |= CB_DATATYPE_SNAPPY;
		}
	}
	return cb_kv_store(&conn->out, opcode, ref, options, item->flags, datatype, value);
}

static void
send_mutation(KvOp *op, int index, KvConn *conn)
{
	KvMutate   *mutate = (KvMutate *) op;
	MutateItem *item = mutate_item(mutate, index);
	size_t		before = conn->out.len;
	uint8		opcode;
	CbDocRef	ref;
	CbWriteOptions options;
	CbResult	result;

	switch (item->kind)
	{
		case KV_INSERT:
			opcode = CB_OP_ADD;
			break;
		case KV_UPSERT:
			opcode = CB_OP_SET;
			break;
		case KV_REPLACE:
			opcode = CB_OP_REPLACE;
			break;
		case KV_DELETE:
			opcode = CB_OP_DELETE;
			break;
		default:
			opcode = CB_OP_SUBDOC_MULTI_MUTATION;
			break;
	}
	ref.opaque = kv_conn_request(conn, op, index, opcode, KV_REPLY_ONE);
	ref.vbucket = item_vbucket(mutate, item);
	ref.has_collection = cb_has_feature(conn->features, CB_FEATURE_COLLECTIONS);
	ref.collection_id = op->collection->id;
	ref.key = item->key;
	options.cas = item->cas;
	options.expiry = item->expiry;
	options.preserve_expiry = item->preserve_expiry;
	options.durability = (CbDurability) mutate->durability;
	options.durability_timeout_ms = mutate->durability_ms;
	if (item->kind == KV_DELETE)
		result = cb_kv_delete(&conn->out, &ref, &options);
	else if (item->kind == KV_SUBDOC)
		result = cb_kv_mutate(&conn->out, &ref, &options, 0, (const CbSubdocSpec *) item->data, item->npaths);
	else
		result = append_store(mutate, item, &ref, &options, conn);
	kv_conn_requested(conn, ref.opaque, result);
	item->under_way = conn->out.len - before;
	op->load += item->under_way;
}

/* Nothing of the item is under way any more. */
static void
landed(KvMutate *mutate, MutateItem *item)
{
	mutate->op.load -= item->under_way;
	item->under_way = 0;
}

static void
restart(KvOp *op, int index)
{
	landed((KvMutate *) op, mutate_item((KvMutate *) op, index));
}

static void
gave_up(KvOp *op, int index, const KvFailure *failure, bool unknown)
{
	KvMutate   *mutate = (KvMutate *) op;
	MutateItem *item = mutate_item(mutate, index);

	landed(mutate, item);
	item->failure = MemoryContextAlloc(op->cxt, sizeof(KvFailure));
	*item->failure = *failure;
	item->unknown = unknown;
}

static const char *
lacks(KvOp *op, int index, const KvConn *conn)
{
	const KvMutate *mutate = (const KvMutate *) op;

	if (mutate->durability != KV_DURABILITY_NONE && !cb_has_feature(conn->features, CB_FEATURE_SYNC_REPLICATION))
		return "SyncReplication (durable writes, Couchbase Server 6.5)";
	if (mutate_item((KvMutate *) op, index)->preserve_expiry &&
		!cb_has_feature(conn->features, CB_FEATURE_PRESERVE_TTL))
		return "PreserveTtl (writes that keep the expiry, Couchbase Server 7.0)";
	return NULL;
}

static const KvOpClass mutate_class = {
	"write", route, send_mutation, restart, false, NULL, gave_up, lacks
};

/* ---- what became of a mutation ---- */

static KvOutcome
outcome_of_status(KvMutationKind kind, uint16 status)
{
	switch (status)
	{
		case CB_STATUS_SUCCESS:
		case CB_STATUS_SUBDOC_SUCCESS_DELETED:
			return KV_APPLIED;
		case CB_STATUS_KEY_EEXISTS:
			return kind == KV_INSERT ? KV_EXISTS : KV_CHANGED;
		case CB_STATUS_NOT_STORED:
			return kind == KV_INSERT ? KV_EXISTS : KV_MISSING;
		case CB_STATUS_KEY_ENOENT:
			return KV_MISSING;
		case CB_STATUS_E2BIG:
			return KV_TOO_BIG;
			/* Neither says that nothing was done. */
		case CB_STATUS_SYNC_WRITE_AMBIGUOUS:
		case CB_STATUS_EINTERNAL:
			return KV_UNKNOWN;
		case CB_STATUS_SUBDOC_MULTI_PATH_FAILURE:
		case CB_STATUS_SUBDOC_MULTI_PATH_FAILURE_DELETED:
		case CB_STATUS_SUBDOC_PATH_ENOENT:
		case CB_STATUS_SUBDOC_PATH_MISMATCH:
		case CB_STATUS_SUBDOC_PATH_EINVAL:
		case CB_STATUS_SUBDOC_PATH_E2BIG:
		case CB_STATUS_SUBDOC_DOC_E2DEEP:
		case CB_STATUS_SUBDOC_VALUE_CANTINSERT:
		case CB_STATUS_SUBDOC_DOC_NOTJSON:
		case CB_STATUS_SUBDOC_PATH_EEXISTS:
		case CB_STATUS_SUBDOC_VALUE_E2DEEP:
			return KV_PATH_ERROR;
		default:
			return KV_FAILED;
	}
}

/*
 * Ended before all results were taken. Answers that have come are still believed; of all else that was sent nobody
 * will ever know.
 */
static void
count_rest(KvMutate *mutate)
{
	KvOp	   *op = &mutate->op;
	int64		applied = 0;
	int64		unknown = 0;

	for (int i = 0; i < op->ring_count; i++)
	{
		const KvAnswer *answer = &op->ring[(op->ring_head + i) & (op->ring_size - 1)];
		MutateItem *item = mutate_item(mutate, answer->item);

		if (!answer->lost || !answer->sent)
			item->under_way = 0;
		if (answer->lost)
			continue;
		switch (outcome_of_status(item->kind, answer->packet.status))
		{
			case KV_APPLIED:
				applied++;
				break;
			case KV_UNKNOWN:
				unknown++;
				break;
			default:
				break;
		}
	}
	for (int i = 0; i < mutate->items_capacity; i++)
	{
		const MutateItem *item = mutate_item(mutate, i);

		if (item->busy && i != mutate->taken && (item->under_way > 0 || item->unknown))
			unknown++;
	}
	written_count(op->handle, op->subid, applied, unknown);
}

static void
cleanup(KvOp *op)
{
	KvMutate   *mutate = (KvMutate *) op;

	if (mutate->outstanding > 0)
		count_rest(mutate);
	cb_buf_free(&mutate->deflated);
}

/* ---- taking mutations ---- */

KvMutate *
kv_mutate_create(ClusterHandle *handle, KvCollection *collection, const KvMutateSpec *spec, MemoryContext cxt,
				 ClusterCounters *counters)
{
	KvMutate   *mutate = MemoryContextAllocZero(cxt, sizeof(KvMutate));
	const CbSettings *settings = handle->settings;
	int64		timeout = spec->timeout;

	if (spec->durability != KV_DURABILITY_NONE && !settings->durable_write)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("durable writes to server \"%s\" are switched off", handle->servername),
				 errdetail("Its connection string says enable_durable_write=off.")));
	if (timeout <= 0)
		timeout = spec->durability == KV_DURABILITY_NONE ? settings->kv_timeout : settings->kv_durable_timeout;
	kv_op_init(&mutate->op, handle, collection, &mutate_class, sizeof(MutateItem), cxt, counters, timeout);
	mutate->op.cleanup = cleanup;
	mutate->op.window = WINDOW_REQUESTS;
	mutate->op.max_load = WINDOW_BYTES;
	mutate->durability = spec->durability;
	mutate->hold = spec->hold;
	/* The node gives up before we do, and says so. */
	if (spec->durability != KV_DURABILITY_NONE)
		mutate->durability_ms = (uint16) Min(Max(timeout / 1000 * 9 / 10, 1), 65534);
	mutate->free_item = KV_NO_ITEM;
	mutate->taken = KV_NO_ITEM;
	return mutate;
}

void
kv_mutate_start(KvMutate *mutate)
{
	KvOp	   *op = &mutate->op;

	if (mutate->outstanding == 0)
		kv_op_reset(op);
	cluster_bootstrap(op->handle, op->counters);
	topology_poll(op->handle);
	written_begin(op->handle, op->subid);
}

static void
grow_items(KvMutate *mutate)
{
	KvOp	   *op = &mutate->op;
	int			old = mutate->items_capacity;
	int			size = old == 0 ? 64 : old * 2;

	if (op->items == NULL)
		op->items = MemoryContextAllocHuge(op->cxt, sizeof(MutateItem) * size);
	else
		op->items = repalloc_huge(op->items, sizeof(MutateItem) * size);
	mutate->items_capacity = size;
	memset(mutate_item(mutate, old), 0, sizeof(MutateItem) * (size - old));
	for (int i = size - 1; i >= old; i--)
	{
		mutate_item(mutate, i)->head.next = mutate->free_item;
		mutate->free_item = i;
	}
}

static size_t
mutation_size(const KvMutation *mutation)
{
	size_t		size = sizeof(CbSubdocSpec) * mutation->npaths + mutation->keylen + mutation->len;

	for (int i = 0; i < mutation->npaths; i++)
		size += mutation->paths[i].pathlen + mutation->paths[i].len;
	return size;
}

static CbSpan
copy_bytes(char **to, const char *bytes, size_t len)
{
	CbSpan		copy = cb_span(*to, len);

	if (len > 0)
		memcpy(*to, bytes, len);
	*to += len;
	return copy;
}

static void
copy_mutation(KvMutate *mutate, MutateItem *item, const KvMutation *mutation)
{
	static const uint8 opcodes[] = {
		[KV_PATH_UPSERT] = CB_OP_SUBDOC_DICT_UPSERT,
		[KV_PATH_ADD] = CB_OP_SUBDOC_DICT_ADD,
		[KV_PATH_REPLACE] = CB_OP_SUBDOC_REPLACE,
		[KV_PATH_REMOVE] = CB_OP_SUBDOC_DELETE,
		[KV_PATH_PUSH_LAST] = CB_OP_SUBDOC_ARRAY_PUSH_LAST,
		[KV_PATH_PUSH_FIRST] = CB_OP_SUBDOC_ARRAY_PUSH_FIRST,
		[KV_PATH_ARRAY_INSERT] = CB_OP_SUBDOC_ARRAY_INSERT,
		[KV_PATH_ADD_UNIQUE] = CB_OP_SUBDOC_ARRAY_ADD_UNIQUE
	};
	CbSubdocSpec *specs;
	char	   *to;

	item->size = mutation_size(mutation);
	if (item->size > item->capacity)
	{
		if (item->data != NULL)
			pfree(item->data);
		item->data = NULL;
		item->capacity = 0;
		item->data = MemoryContextAllocHuge(mutate->op.cxt, item->size);
		item->capacity = item->size;
	}
	specs = (CbSubdocSpec *) item->data;
	to = item->data + sizeof(CbSubdocSpec) * mutation->npaths;
	item->key = copy_bytes(&to, mutation->key, mutation->keylen);
	item->value = copy_bytes(&to, mutation->value, mutation->len);
	for (int i = 0; i < mutation->npaths; i++)
	{
		const KvPathChange *change = &mutation->paths[i];

		specs[i].opcode = opcodes[change->op];
		specs[i].flags = change->mkdir_p ? CB_SUBDOC_FLAG_MKDIR_P : 0;
		specs[i].path = copy_bytes(&to, change->path, change->pathlen);
		specs[i].value = copy_bytes(&to, change->value, change->len);
	}
}

static void
check_mutation(const KvMutation *mutation)
{
	if (mutation->keylen == 0 || mutation->keylen > CB_KV_MAX_KEY)
		elog(ERROR, "write of a document with a key of %zu bytes", mutation->keylen);
	if ((mutation->kind == KV_SUBDOC) != (mutation->npaths > 0))
		elog(ERROR, "write with %d paths", mutation->npaths);
	if (mutation->npaths > KV_MUTATE_MAX_PATHS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot change more than %d paths of a document at once", KV_MUTATE_MAX_PATHS)));
	for (int i = 0; i < mutation->npaths; i++)
	{
		if (mutation->paths[i].pathlen > CB_SUBDOC_MAX_PATH)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("path of %zu bytes is longer than %d bytes", mutation->paths[i].pathlen,
							CB_SUBDOC_MAX_PATH)));
	}
}

void
kv_mutate_add(KvMutate *mutate, const KvMutation *mutation)
{
	KvOp	   *op = &mutate->op;
	MutateItem *item;
	int			index;

	if (op->handle == NULL)
		elog(ERROR, "%s goes on after its transaction has ended", op->cls->name);
	check_mutation(mutation);
	if (mutate->free_item == KV_NO_ITEM)
		grow_items(mutate);
	index = mutate->free_item;
	item = mutate_item(mutate, index);
	copy_mutation(mutate, item, mutation);
	mutate->free_item = item->head.next;
	memset(&item->head, 0, sizeof(item->head));
	item->busy = true;
	item->unknown = false;
	item->kind = mutation->kind;
	item->json = mutation->json;
	item->preserve_expiry = mutation->preserve_expiry;
	item->npaths = (uint8) mutation->npaths;
	item->flags = mutation->flags;
	item->expiry = mutation->expiry;
	item->cas = mutation->cas;
	item->tag = mutation->tag;
	mutate->outstanding++;
	mutate->held += item->size;

	if (item->size - item->key.len - sizeof(CbSubdocSpec) * item->npaths > CB_KV_MAX_VALUE)
	{
		KvFailure	failure;

		kv_failure_set(&failure, kv_status_sqlstate(CB_STATUS_E2BIG), true, "operation", "%s",
					   cb_status_text(CB_STATUS_E2BIG));
		kv_op_give_up(op, index, &failure);
		return;
	}
	kv_op_enqueue(op, index);
	if (mutate->hold)
		return;
	mutate->unpushed_bytes += item->size;
	if (++mutate->unpushed >= PUSH_REQUESTS || mutate->unpushed_bytes >= PUSH_BYTES)
	{
		mutate->unpushed = 0;
		mutate->unpushed_bytes = 0;
		kv_op_push(op);
	}
}

bool
kv_mutate_full(const KvMutate *mutate)
{
	return !mutate->hold && (mutate->outstanding >= WINDOW_REQUESTS || mutate->held >= WINDOW_BYTES);
}

int64
kv_mutate_outstanding(const KvMutate *mutate)
{
	return mutate->outstanding;
}

/* ---- handing out results ---- */

/* The result handed out last is of no interest any more. */
static void
release_taken(KvMutate *mutate)
{
	MutateItem *item;

	if (mutate->taken == KV_NO_ITEM)
		return;
	item = mutate_item(mutate, mutate->taken);
	item->busy = false;
	if (item->failure != NULL)
		pfree(item->failure);
	item->failure = NULL;
	if (mutate->message != NULL)
		pfree(mutate->message);
	mutate->message = NULL;
	if (item->capacity > KEEP_BYTES)
	{
		pfree(item->data);
		item->data = NULL;
		item->capacity = 0;
	}
	item->head.next = mutate->free_item;
	mutate->free_item = mutate->taken;
	mutate->taken = KV_NO_ITEM;
}

static void
take_applied(KvMutate *mutate, const KvAnswer *answer)
{
	KvMutationResult *result = &mutate->result;
	CbMutationToken token;
	CbResult	found = cb_kv_mutation_token(answer->packet.extras, &token);

	if (found == CB_MALFORMED)
		kv_op_malformed(&mutate->op, answer, "a mutation token that cannot be read");
	result->cas = answer->packet.cas;
	if (found != CB_OK)
		return;
	result->has_token = true;
	result->vbucket_uuid = token.vbucket_uuid;
	result->seqno = token.seqno;
	written_token(mutate->op.handle, result->vbucket, &token);
}

/* Which path it was. */
static void
take_path_error(KvMutate *mutate, const KvAnswer *answer, const MutateItem *item)
{
	KvMutationResult *result = &mutate->result;
	uint8		index;

	result->path_status = answer->packet.status;
	if (answer->packet.status != CB_STATUS_SUBDOC_MULTI_PATH_FAILURE &&
		answer->packet.status != CB_STATUS_SUBDOC_MULTI_PATH_FAILURE_DELETED)
		return;
	if (cb_kv_mutate_failure(answer->packet.value, &index, &result->path_status) != CB_OK || index >= item->npaths)
		kv_op_malformed(&mutate->op, answer, "a refused mutation that does not name the path");
	result->path_index = index;
}

/* Why it was not applied, in words. */
static void
describe(KvMutate *mutate, const KvFailure *failure)
{
	KvMutationResult *result = &mutate->result;
	MemoryContext old = MemoryContextSwitchTo(mutate->op.cxt);

	mutate->message = cluster_printable_cstr(failure->text);
	MemoryContextSwitchTo(old);
	result->message = mutate->message;
	result->node = failure->node;
	result->step = failure->step;
}

static void
take_answer(KvMutate *mutate, const KvAnswer *answer, MutateItem *item)
{
	KvMutationResult *result = &mutate->result;
	CbPacket	packet = answer->packet;

	result->outcome = outcome_of_status(item->kind, packet.status);
	if (result->outcome == KV_APPLIED)
	{
		take_applied(mutate, answer);
		return;
	}
	if (result->outcome == KV_PATH_ERROR)
	{
		take_path_error(mutate, answer, item);
		if (packet.status != result->path_status)
			packet.value = CB_SPAN_EMPTY;
		packet.status = result->path_status;
	}
	kv_failure_status(&mutate->failure, answer->conn, "operation", &packet);
	result->sqlstate = kv_outcome_sqlstate(result->outcome, packet.status);
	describe(mutate, &mutate->failure);
}

static void
take_given_up(KvMutate *mutate, const MutateItem *item)
{
	KvMutationResult *result = &mutate->result;

	if (item->unknown)
		result->outcome = KV_UNKNOWN;
	else if (item->failure->sqlstate == kv_status_sqlstate(CB_STATUS_E2BIG))
		result->outcome = KV_TOO_BIG;
	else
		result->outcome = KV_FAILED;
	result->sqlstate = item->unknown ? ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN : item->failure->sqlstate;
	describe(mutate, item->failure);
}

const KvMutationResult *
kv_mutate_next(KvMutate *mutate)
{
	KvOp	   *op = &mutate->op;
	KvMutationResult *result = &mutate->result;
	KvAnswer   *answer;
	MutateItem *item;

	release_taken(mutate);
	mutate->hold = false;
	if (mutate->outstanding == 0)
		return NULL;
	answer = kv_op_next(op);
	if (answer == NULL)
		elog(ERROR, "%lld writes have nothing under way", (long long) mutate->outstanding);
	item = mutate_item(mutate, answer->item);
	memset(result, 0, sizeof(*result));
	result->tag = item->tag;
	result->key = (const char *) item->key.data;
	result->keylen = item->key.len;
	result->vbucket = item_vbucket(mutate, item);
	result->path_index = -1;
	if (answer->gave_up)
		take_given_up(mutate, item);
	else
		take_answer(mutate, answer, item);
	landed(mutate, item);
	written_count(op->handle, op->subid, result->outcome == KV_APPLIED, result->outcome == KV_UNKNOWN);
	mutate->taken = answer->item;
	mutate->outstanding--;
	mutate->held -= item->size;
	return result;
}

void
kv_mutate_end(KvMutate *mutate)
{
	kv_op_end(&mutate->op);
}

void
kv_mutate_raise(KvMutate *mutate, const KvMutationResult *result)
{
	const ClusterHandle *handle = mutate->op.handle;
	const char *key = cluster_printable(result->key, result->keylen);

	ereport(ERROR,
			(errcode(result->sqlstate),
			 result->outcome == KV_UNKNOWN
			 ? errmsg("fate of the write of document \"%s\" in bucket \"%s\" on server \"%s\" is unknown: %s",
					  key, handle->bucket, handle->servername, result->message)
			 : errmsg("write of document \"%s\" in bucket \"%s\" on server \"%s\" failed: %s",
					  key, handle->bucket, handle->servername, result->message),
			 result->node[0] != '\0' ? errdetail("Node %s, step: %s.", result->node, result->step)
			 : errdetail("Step: %s.", result->step)));
}
