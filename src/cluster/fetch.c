/*
 * fetch.c
 *		Many documents by key: requests to all nodes at once, answers in order of arrival.
 */
#include "postgres.h"

#include "op.h"
#include "../protocol/compress.h"
#include "../protocol/vbucket.h"

/* Bytes of answers that may be on their way; requests, at first and at most. */
#define WINDOW_BYTES	(2 * 1024 * 1024)
#define FIRST_WINDOW	128
#define MIN_WINDOW		8
#define MAX_WINDOW		1024

/* Look-ups of metadata put these in front of the caller's paths (docs/ExtendedAttributes.md: virtual attributes). */
static const char *const meta_paths[] = {
	"$document.exptime", "$document.seqno", "$document.flags", "$document.datatype"
};
#define NUM_META_PATHS	lengthof(meta_paths)

typedef struct FetchItem
{
	KvItem		head;
	uint32		offset;			/* of the key in the arena */
	uint32		len;
	bool		whole;			/* the look-up of paths was refused: get the document */
} FetchItem;

struct KvFetch
{
	KvOp		op;				/* first: callbacks get it */
	bool		lookup;
	bool		want_body;
	bool		want_meta;
	int			npaths;
	int			nspecs;
	CbSubdocSpec specs[CB_SUBDOC_MAX_SPECS];

	int			items_capacity;
	char	   *arena;			/* keys */
	size_t		arena_len;
	size_t		arena_capacity;
	double		average;		/* bytes of an answer */

	CbBuf		inflated;
	ClusterValue values[KV_FETCH_MAX_PATHS];
	ClusterDoc	doc;
};

static CbSpan
item_key(const KvFetch *fetch, int index)
{
	const FetchItem *item = (const FetchItem *) kv_op_item((KvOp *) &fetch->op, index);

	return cb_span(fetch->arena + item->offset, item->len);
}

static uint16
item_vbucket(const KvFetch *fetch, int index)
{
	return cb_vbucket_of(item_key(fetch, index), fetch->op.handle->config->nvbuckets);
}

static KvConn *
route(KvOp *op, int index)
{
	return topology_conn(op->handle, item_vbucket((KvFetch *) op, index));
}

static void
send_get(KvOp *op, int index, KvConn *conn)
{
	KvFetch    *fetch = (KvFetch *) op;
	bool		lookup = fetch->lookup && !((FetchItem *) kv_op_item(op, index))->whole;
	uint8		opcode = lookup ? CB_OP_SUBDOC_MULTI_LOOKUP : CB_OP_GET;
	CbDocRef	ref;
	CbResult	result;

	ref.opaque = kv_conn_request(conn, op, index, opcode, KV_REPLY_ONE);
	ref.vbucket = item_vbucket(fetch, index);
	ref.has_collection = cb_has_feature(conn->features, CB_FEATURE_COLLECTIONS);
	ref.collection_id = op->collection->id;
	ref.key = item_key(fetch, index);
	if (lookup)
		result = cb_kv_lookup(&conn->out, &ref, 0, fetch->specs, fetch->nspecs);
	else
		result = cb_kv_get(&conn->out, &ref);
	kv_conn_requested(conn, ref.opaque, result);
}

/* Gets the document instead of looking up its paths. False where that was tried, or does not tell as much. */
static bool
get_whole(KvOp *op, int index)
{
	KvFetch    *fetch = (KvFetch *) op;
	FetchItem  *item = (FetchItem *) kv_op_item(op, index);

	if (!fetch->lookup || fetch->want_meta || item->whole)
		return false;
	item->whole = true;
	kv_op_enqueue(op, index);
	return true;
}

/* A locked document cannot be looked up, but got. */
static bool
refused(KvOp *op, const KvAnswer *answer)
{
	return answer->packet.status == CB_STATUS_LOCKED && get_whole(op, answer->item);
}

/* Without it a virtual attribute looks absent. */
static const char *
lacks(KvOp *op, int index, const KvConn *conn)
{
	if (((KvFetch *) op)->want_meta && !cb_has_feature(conn->features, CB_FEATURE_VATTR))
		return "VAttr (the virtual attribute $document)";
	return NULL;
}

static const KvOpClass fetch_class = {"key look-up", route, send_get, NULL, false, refused, NULL, lacks};

static void
cleanup(KvOp *op)
{
	KvFetch    *fetch = (KvFetch *) op;

	cb_buf_free(&fetch->inflated);
}

static void
add_spec(KvFetch *fetch, uint8 opcode, uint8 flags, const char *path)
{
	CbSubdocSpec *spec = &fetch->specs[fetch->nspecs++];

	spec->opcode = opcode;
	spec->flags = flags;
	spec->path = cb_span_cstr(path);
	spec->value = CB_SPAN_EMPTY;
}

KvFetch *
kv_fetch_create(ClusterHandle *handle, KvCollection *collection, const KvFetchSpec *spec, MemoryContext cxt,
				ClusterCounters *counters)
{
	KvFetch    *fetch = MemoryContextAllocZero(cxt, sizeof(KvFetch));

	if (spec->npaths > KV_FETCH_MAX_PATHS)
		elog(ERROR, "too many paths for one look-up");
	kv_op_init(&fetch->op, handle, collection, &fetch_class, sizeof(FetchItem), cxt, counters,
			   handle->settings->kv_timeout);
	fetch->op.cleanup = cleanup;
	fetch->npaths = spec->npaths;
	fetch->want_meta = spec->want_meta;
	fetch->lookup = spec->npaths > 0 || spec->want_meta;
	fetch->want_body = spec->want_body && fetch->lookup;
	if (spec->want_meta)
	{
		for (int i = 0; i < NUM_META_PATHS; i++)
			add_spec(fetch, CB_OP_SUBDOC_GET, CB_SUBDOC_FLAG_XATTR, meta_paths[i]);
	}
	for (int i = 0; i < spec->npaths; i++)
		add_spec(fetch, CB_OP_SUBDOC_GET, 0, MemoryContextStrdup(cxt, spec->paths[i]));
	if (fetch->want_body)
		add_spec(fetch, CB_OP_GET, 0, "");
	return fetch;
}

static void
make_room(KvFetch *fetch, int nkeys, size_t bytes)
{
	KvOp	   *op = &fetch->op;

	if (nkeys > fetch->items_capacity)
	{
		if (op->items != NULL)
			pfree(op->items);
		op->items = NULL;
		fetch->items_capacity = 0;
		op->items = MemoryContextAllocHuge(op->cxt, sizeof(FetchItem) * (size_t) nkeys);
		fetch->items_capacity = nkeys;
	}
	if (bytes > fetch->arena_capacity)
	{
		if (fetch->arena != NULL)
			pfree(fetch->arena);
		fetch->arena = NULL;
		fetch->arena_capacity = 0;
		fetch->arena = MemoryContextAllocHuge(op->cxt, bytes);
		fetch->arena_capacity = bytes;
	}
}

/* So many requests at a time that their answers, as large as they have been, fill the window of bytes. */
static void
set_window(KvFetch *fetch)
{
	if (fetch->average <= 0)
		fetch->op.window = FIRST_WINDOW;
	else
		fetch->op.window = (int) Min(Max(WINDOW_BYTES / fetch->average, MIN_WINDOW), MAX_WINDOW);
}

void
kv_fetch_start(KvFetch *fetch, int nkeys, const KvKey *keys)
{
	KvOp	   *op = &fetch->op;
	size_t		bytes = 0;

	kv_op_reset(op);
	cluster_bootstrap_for(op->handle, nkeys, keys, op->counters);
	topology_poll(op->handle);
	for (int i = 0; i < nkeys; i++)
		bytes += keys[i].len;
	if (bytes > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many keys in one look-up")));
	make_room(fetch, nkeys, bytes);
	fetch->arena_len = 0;
	for (int i = 0; i < nkeys; i++)
	{
		FetchItem  *item = (FetchItem *) kv_op_item(op, i);

		memset(&item->head, 0, sizeof(item->head));
		item->offset = (uint32) fetch->arena_len;
		item->len = (uint32) keys[i].len;
		item->whole = false;
		memcpy(fetch->arena + fetch->arena_len, keys[i].data, keys[i].len);
		fetch->arena_len += keys[i].len;
		kv_op_enqueue(op, i);
	}
	set_window(fetch);
	kv_op_push(op);
}

/* A number in JSON text, plain or, as sequence numbers are, as a string with 0x. */
static bool
read_number(CbSpan text, uint64 *number)
{
	char		digits[32];
	char	   *end;

	if (text.len >= 2 && text.data[0] == '"')
	{
		text.data++;
		text.len -= 2;
	}
	if (text.len == 0 || text.len >= sizeof(digits))
		return false;
	memcpy(digits, text.data, text.len);
	digits[text.len] = '\0';
	*number = strtoull(digits, &end, digits[0] == '0' && digits[1] == 'x' ? 16 : 10);
	return *end == '\0';
}

/* The datatype as a look-up tells it: ["json","xattr"], ["raw"]. */
static uint8
read_datatype(CbSpan text)
{
	uint8		datatype = CB_DATATYPE_RAW;

	if (memmem(text.data, text.len, "\"json\"", 6) != NULL)
		datatype |= CB_DATATYPE_JSON;
	if (memmem(text.data, text.len, "\"xattr\"", 7) != NULL)
		datatype |= CB_DATATYPE_XATTR;
	return datatype;
}

static void
take_meta(KvFetch *fetch, const KvAnswer *answer, int index, const CbLookupEntry *entry)
{
	uint64		number = 0;

	if (entry->status != CB_STATUS_SUCCESS || (index < 3 && !read_number(entry->value, &number)))
		kv_op_malformed(&fetch->op, answer, "document metadata that cannot be read");
	switch (index)
	{
		case 0:
			fetch->doc.expiry = (uint32) number;
			break;
		case 1:
			fetch->doc.seqno = number;
			break;
		case 2:
			fetch->doc.flags = (uint32) number;
			break;
		case 3:
			fetch->doc.datatype = read_datatype(entry->value);
			break;
	}
}

/* The parts of a look-up's answer: metadata, paths, body, in the order of the specs. */
static void
take_lookup(KvFetch *fetch, const KvAnswer *answer, CbSpan value)
{
	ClusterDoc *doc = &fetch->doc;
	int			nmeta = fetch->want_meta ? NUM_META_PATHS : 0;
	CbLookupIter iter;
	CbLookupEntry entry;

	doc->has_meta = fetch->want_meta;
	doc->nvalues = fetch->npaths;
	doc->values = fetch->values;
	cb_kv_lookup_iter_init(&iter, value);
	for (int i = 0; i < fetch->nspecs; i++)
	{
		if (cb_kv_lookup_iter_next(&iter, &entry) != CB_OK)
			kv_op_malformed(&fetch->op, answer, "a look-up answer with too few parts");
		if (i < nmeta)
			take_meta(fetch, answer, i, &entry);
		else if (i < nmeta + fetch->npaths)
		{
			ClusterValue *part = &fetch->values[i - nmeta];

			part->status = entry.status;
			part->data = entry.status == CB_STATUS_SUCCESS ? (const char *) entry.value.data : NULL;
			part->len = entry.status == CB_STATUS_SUCCESS ? entry.value.len : 0;
		}
		else if (entry.status == CB_STATUS_SUCCESS)
		{
			doc->value = (const char *) entry.value.data;
			doc->len = entry.value.len;
		}
		else
			kv_op_malformed(&fetch->op, answer, "a look-up answer without the document");
	}
}

static void
take_document(KvFetch *fetch, const KvAnswer *answer)
{
	const CbPacket *packet = &answer->packet;
	ClusterDoc *doc = &fetch->doc;
	CbSpan		key = item_key(fetch, answer->item);
	CbSpan		value;

	memset(doc, 0, sizeof(*doc));
	doc->key = (const char *) key.data;
	doc->keylen = key.len;
	doc->number = answer->item;
	doc->cas = packet->cas;
	doc->datatype = packet->datatype & ~CB_DATATYPE_SNAPPY;
	doc->vbucket = item_vbucket(fetch, answer->item);
	if (cb_packet_value(packet, CB_KV_DEFAULT_LIMIT, &fetch->inflated, &value) != CB_OK)
		kv_op_malformed(&fetch->op, answer, "a document that cannot be inflated");
	if (fetch->lookup && !((FetchItem *) kv_op_item(&fetch->op, answer->item))->whole)
		take_lookup(fetch, answer, value);
	else
	{
		uint32_t	flags;

		if (cb_kv_flags_result(packet->extras, &flags) != CB_OK)
			kv_op_malformed(&fetch->op, answer, "a document without flags");
		doc->flags = flags;
		doc->value = value.data ? (const char *) value.data : "";
		doc->len = value.len;
	}
	fetch->average = fetch->average <= 0 ? packet->size : fetch->average * 0.95 + packet->size * 0.05;
}

/* Whether the look-up found a path that no GET would stumble over: documents nested too deeply, or no JSON. */
static bool
has_refused_path(const KvFetch *fetch)
{
	for (int i = 0; i < fetch->doc.nvalues; i++)
	{
		uint16		status = fetch->values[i].status;

		if (status != CB_STATUS_SUCCESS && status != CB_STATUS_SUBDOC_PATH_ENOENT &&
			status != CB_STATUS_SUBDOC_PATH_MISMATCH)
			return true;
	}
	return false;
}

const ClusterDoc *
kv_fetch_next(KvFetch *fetch)
{
	KvAnswer   *answer;

	while ((answer = kv_op_next(&fetch->op)) != NULL)
	{
		switch (answer->packet.status)
		{
			case CB_STATUS_SUCCESS:
			case CB_STATUS_SUBDOC_MULTI_PATH_FAILURE:
				set_window(fetch);
				take_document(fetch, answer);
				if (has_refused_path(fetch) && get_whole(&fetch->op, answer->item))
					break;
				fetch->op.counters->documents++;
				return &fetch->doc;
			case CB_STATUS_KEY_ENOENT:
				break;
			default:
				kv_op_fail(&fetch->op, answer);
		}
	}
	return NULL;
}

void
kv_fetch_end(KvFetch *fetch)
{
	kv_op_end(&fetch->op);
}
