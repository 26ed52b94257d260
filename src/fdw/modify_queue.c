/*
 * modify_queue.c
 *		Mutations under way: sent as they come, outcomes taken when there is no more room, when somebody needs them, and
 *		at the end of the statement. Nothing is reported as done before its outcome is known.
 *
 * After a failure nothing more is sent; the outcomes outstanding are awaited, and then one error tells what was
 * written, what was not, and what nobody knows.
 */
#include "modify.h"

#include "utils/memutils.h"

#include "../protocol/kv_const.h"

/* Keys that a message names, bytes of keys that the server log has, and bytes of a key that they repeat. */
#define KEYS_NAMED	10
#define KEYS_LOGGED	(256 * 1024)
#define KEY_SHOWN	250

/* Bytes of changes that are collected until their documents are read. */
#define UNREAD_BYTES	(4 * 1024 * 1024)

/* Keys remembered of writes under way, before these are awaited and forgotten. */
#define KEYS_REMEMBERED	10000

/* The failure that is reported, of all that there were. */
typedef struct ModifyFailure
{
	KvOutcome	outcome;
	int			sqlstate;
	char	   *key;			/* as messages show it */
	char	   *message;
	char	   *where;			/* "Node ..., step: ..."; NULL: nowhere */
} ModifyFailure;

/* ---- keys written ---- */

/* Remembers a key; true when it is new. */
static bool
queue_remember(FdwModifyState *state, const KvMutation *mutation)
{
	if (state->seen == NULL)
		state->seen = key_set_create(state->cxt);
	return key_set_add(state->seen, mutation->key, mutation->keylen);
}

bool
modify_first_time(FdwModifyState *state, const KvMutation *mutation)
{
	return !state->joined || queue_remember(state, mutation);
}

/* ---- failures ---- */

static void
queue_name_key(ModifyKeys *keys, const char *key)
{
	if (keys->n++ == 0)
		initStringInfo(&keys->text);
	if (keys->text.len <= KEYS_LOGGED)
		appendStringInfo(&keys->text, "%s\"%s\"", keys->n > 1 ? ", " : "", key);
	if (keys->n <= KEYS_NAMED)
		keys->named = keys->text.len;
}

/* An unknown fate is worse than a known one: of those the first is reported, else the first of all. */
static void
queue_note_failure(FdwModifyState *state, const KvMutationResult *result)
{
	MemoryContext old = MemoryContextSwitchTo(state->cxt);
	char	   *key = value_escape(result->key, result->keylen, KEY_SHOWN);
	bool		unknown = result->outcome == KV_UNKNOWN;

	if (unknown)
		queue_name_key(&state->unknown, key);
	else
		queue_name_key(&state->failed, key);
	if (state->failure == NULL || (unknown && state->failure->outcome != KV_UNKNOWN))
	{
		ModifyFailure *failure = palloc0(sizeof(ModifyFailure));

		failure->outcome = result->outcome;
		failure->sqlstate = result->sqlstate;
		failure->key = key;
		failure->message = pstrdup(result->message ? result->message : "");
		if (result->outcome > KV_CHANGED && result->node != NULL && result->node[0] != '\0')
			failure->where = psprintf("Node %s, step: %s.", result->node, result->step);
		state->failure = failure;
	}
	MemoryContextSwitchTo(old);
}

/* The headline: code and message of one failure. */
static int
queue_report(const FdwModifyState *state, const ModifyFailure *failure)
{
	const char *key = failure->key;
	const char *table = state->table->relname;

	switch (failure->outcome)
	{
		case KV_EXISTS:
			errcode(ERRCODE_UNIQUE_VIOLATION);
			return errmsg("document \"%s\" already exists in foreign table \"%s\"", key, table);
		case KV_MISSING:
			if (state->operation == CMD_INSERT)
			{
				errcode(ERRCODE_NO_DATA_FOUND);
				return errmsg("there is no document \"%s\" to replace in foreign table \"%s\"", key, table);
			}
			errcode(ERRCODE_T_R_SERIALIZATION_FAILURE);
			return errmsg("document \"%s\" of foreign table \"%s\" was deleted concurrently", key, table);
		case KV_CHANGED:
			errcode(ERRCODE_T_R_SERIALIZATION_FAILURE);
			errhint("The transaction might succeed if retried.");
			return errmsg("document \"%s\" of foreign table \"%s\" was changed concurrently", key, table);
		case KV_UNKNOWN:
			errcode(ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN);
			return errmsg("it is unknown whether document \"%s\" of foreign table \"%s\" was written: %s", key, table,
						  failure->message);
		default:
			errcode(failure->sqlstate);
			return errmsg("could not write document \"%s\" of foreign table \"%s\": %s", key, table,
						  failure->message);
	}
}

static void
queue_append_keys(StringInfo detail, const char *what, const ModifyKeys *keys, bool log)
{
	int			len = log ? keys->text.len : keys->named;
	bool		all = len == keys->text.len && len <= KEYS_LOGGED;

	if (keys->n > 0)
		appendStringInfo(detail, "%s%s: %lld document%s: %.*s%s.", detail->len > 0 ? " " : "", what,
						 (long long) keys->n, keys->n == 1 ? "" : "s", len, keys->text.data, all ? "" : ", ...");
}

/* What was written, what was not, what is unknown. */
static char *
queue_detail(const FdwModifyState *state, bool log)
{
	StringInfoData detail;

	initStringInfo(&detail);
	if (state->failure->where != NULL)
		appendStringInfoString(&detail, state->failure->where);
	if (state->applied > 0)
		appendStringInfo(&detail, "%sThis statement wrote %lld document%s not undone.", detail.len > 0 ? " " : "",
						 (long long) state->applied, state->applied == 1 ? ", which is" : "s, which are");
	if (state->failed.n + state->unknown.n > 1)
	{
		queue_append_keys(&detail, "Not written", &state->failed, log);
		queue_append_keys(&detail, "Of unknown fate", &state->unknown, log);
	}
	return detail.len > 0 ? detail.data : NULL;
}

/* One error for all; the server log has all keys. */
static void
queue_raise(FdwModifyState *state)
{
	const char *detail = queue_detail(state, false);

	ereport(ERROR,
			(queue_report(state, state->failure),
			 detail != NULL ? errdetail_internal("%s", detail) : 0,
			 detail != NULL ? errdetail_log("%s", queue_detail(state, true)) : 0));
}

/* ---- the whole document instead of paths ---- */

static void queue_take(FdwModifyState *state, int64 most);
static void queue_collect(FdwModifyState *state, int64 most);

static void
queue_note_unsent(FdwModifyState *state, const ModifyItem *item, KvOutcome outcome)
{
	KvMutationResult result = {.outcome = outcome, .key = item->mutation.key, .keylen = item->mutation.keylen};

	queue_note_failure(state, &result);
}

/* Makes the mutation one of the document as a whole; the body is made in the current memory context. */
static void
queue_change_document(const ClusterDoc *doc, ModifyItem *item)
{
	KvMutation *mutation = &item->mutation;
	StringInfoData body;

	initStringInfo(&body);
	if (item->nchanges > 0)
		document_change(doc->value, doc->len, item->changes, item->nchanges, &body);
	else
		appendBinaryStringInfo(&body, doc->value, doc->len);
	mutation->kind = KV_REPLACE;
	mutation->npaths = 0;
	mutation->json = item->nchanges > 0 || (doc->datatype & CB_DATATYPE_JSON) != 0;
	if (!item->flags_given)
		mutation->flags = doc->flags;
	mutation->value = item->body = body.data;
	mutation->len = item->body_len = body.len;
}

static void
queue_start_reading(FdwModifyState *state, int n, const KvKey *keys)
{
	KvFetchSpec spec = {0};

	if (state->fetch == NULL)
		state->fetch = kv_fetch_create(state->handle, state->collection, &spec, state->cxt, &state->fetch_counters);
	kv_fetch_start(state->fetch, n, keys);
}

void
modify_read_whole(FdwModifyState *state, ModifyItem *item)
{
	KvKey		key = {item->mutation.key, item->mutation.keylen};
	const ClusterDoc *doc;

	queue_start_reading(state, 1, &key);
	doc = kv_fetch_next(state->fetch);
	if (doc == NULL || doc->cas != item->mutation.cas)
	{
		queue_note_unsent(state, item, doc == NULL ? KV_MISSING : KV_CHANGED);
		queue_take(state, 0);
	}
	queue_change_document(doc, item);
}

/* The document of an item of the queue has come: what becomes of it is sent. Frees the item. */
static void
queue_send_document(FdwModifyState *state, ModifyItem *item, const ClusterDoc *doc)
{
	ErrorContextCallback context = {error_context_stack, modify_error_context, state};

	if (doc->cas != item->mutation.cas)
	{
		queue_note_unsent(state, item, KV_CHANGED);
		pfree(item);
		return;
	}
	state->current_key = value_escape(item->mutation.key, item->mutation.keylen, KEY_SHOWN);
	error_context_stack = &context;
	queue_change_document(doc, item);
	error_context_stack = context.previous;
	state->current_key = NULL;
	item->mutation.tag = 0;
	while (kv_mutate_full(state->mutate))
		queue_collect(state, kv_mutate_outstanding(state->mutate) - 1);
	if (state->failure == NULL)
		kv_mutate_add(state->mutate, &item->mutation);
	else
		queue_note_unsent(state, item, KV_FAILED);
	pfree(item);
}

static void
queue_read_documents(FdwModifyState *state)
{
	MemoryContext cxt = AllocSetContextCreate(state->cxt, "cbconn_fdw documents", ALLOCSET_DEFAULT_SIZES);
	MemoryContext doc_cxt = AllocSetContextCreate(cxt, "cbconn_fdw document", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	int			n = state->nunread;
	ModifyItem **items = palloc(sizeof(ModifyItem *) * n);
	KvKey	   *keys = palloc(sizeof(KvKey) * n);
	const ClusterDoc *doc;

	for (int i = 0; i < n; i++, state->unread = state->unread->next)
	{
		items[i] = state->unread;
		keys[i] = (KvKey) {items[i]->mutation.key, items[i]->mutation.keylen};
	}
	state->nunread = 0;
	state->unread_bytes = 0;
	MemoryContextSwitchTo(doc_cxt);
	queue_start_reading(state, n, keys);
	while (state->failure == NULL && (doc = kv_fetch_next(state->fetch)) != NULL)
	{
		ModifyItem *item = items[doc->number];

		items[doc->number] = NULL;
		queue_send_document(state, item, doc);
		MemoryContextReset(doc_cxt);
	}
	for (int i = 0; i < n; i++)
	{
		if (items[i] == NULL)
			continue;
		queue_note_unsent(state, items[i], state->failure == NULL ? KV_MISSING : KV_FAILED);
		pfree(items[i]);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}

/* Reads the documents that have to be changed as a whole, all at once, and sends them. */
static void
queue_read(FdwModifyState *state)
{
	PG_TRY();
	{
		queue_read_documents(state);
	}
	PG_CATCH();
	{
		modify_drain(state);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* Takes over an item of the queue's own whose document has to be read. */
static void
queue_read_later(FdwModifyState *state, ModifyItem *item)
{
	item->next = state->unread;
	state->unread = item;
	state->nunread++;
	state->unread_bytes += item->size;
}

/* Paths could not be changed, so that the document has to be: a field that is not there, an array that is too short. */
static void
queue_add_whole(FdwModifyState *state, ModifyItem *item)
{
	if (item->owned)
	{
		queue_read_later(state, item);
		return;
	}
	modify_read_whole(state, item);
	item->mutation.tag = (int64) (intptr_t) item;
	kv_mutate_add(state->mutate, &item->mutation);
}

/* ---- outcomes ---- */

static void
queue_settle(FdwModifyState *state, const KvMutationResult *result)
{
	ModifyItem *item = (ModifyItem *) (intptr_t) result->tag;

	if (result->outcome == KV_PATH_ERROR && state->failure == NULL && item != NULL)
	{
		queue_add_whole(state, item);
		return;
	}
	if (result->outcome == KV_APPLIED)
		state->applied++;
	else if (!(result->outcome == KV_EXISTS && state->do_nothing) &&
			 !(result->outcome == KV_MISSING && state->operation == CMD_UTILITY))
		queue_note_failure(state, result);
	if (item == NULL)
		return;
	if (item->owned)
	{
		pfree(item);
		return;
	}
	item->settled = true;
	item->outcome = result->outcome;
	item->cas = result->cas;
	item->vbucket = result->vbucket;
	item->seqno = result->has_token ? result->seqno : 0;
}

/* Takes outcomes until no more than this many are outstanding; after a failure, all. */
static void
queue_collect(FdwModifyState *state, int64 most)
{
	const KvMutationResult *result;

	while (kv_mutate_outstanding(state->mutate) > (state->failure != NULL ? 0 : most) &&
		   (result = kv_mutate_next(state->mutate)) != NULL)
		queue_settle(state, result);
}

/* The same; throws what has failed. */
static void
queue_take(FdwModifyState *state, int64 most)
{
	queue_collect(state, most);
	if (state->failure == NULL)
		return;
	for (; state->unread != NULL; state->unread = state->unread->next)
		queue_note_unsent(state, state->unread, KV_FAILED);
	queue_raise(state);
}

void
modify_finish(FdwModifyState *state)
{
	if (state->mutate == NULL)
		return;
	queue_take(state, 0);
	while (state->nunread > 0)
	{
		queue_read(state);
		queue_take(state, 0);
	}
	state->started = false;
	if (state->seen != NULL && !state->joined)
	{
		key_set_destroy(state->seen);
		state->seen = NULL;
	}
}

void
modify_drain(FdwModifyState *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->cxt);

	if (state->mutate != NULL && geterrcode() != ERRCODE_QUERY_CANCELED)
	{
		while (kv_mutate_next(state->mutate) != NULL)
			;
	}
	MemoryContextSwitchTo(old);
}

/* ---- sending ---- */

/* A copy of what it takes to change the whole document later, in one piece. */
static ModifyItem *
queue_copy(FdwModifyState *state, const ModifyItem *item)
{
	const KvMutation *mutation = &item->mutation;
	size_t		size = MAXALIGN(sizeof(ModifyItem)) + MAXALIGN(sizeof(DocumentChange) * item->nchanges);
	size_t		texts = mutation->keylen;
	ModifyItem *copy;
	char	   *to;

	for (int i = 0; i < item->nchanges; i++)
		texts += item->changes[i].len;
	copy = MemoryContextAllocHuge(state->cxt, size + texts);
	*copy = *item;
	copy->owned = true;
	copy->size = size + texts;
	copy->changes = (DocumentChange *) ((char *) copy + MAXALIGN(sizeof(ModifyItem)));
	to = (char *) copy + size;
	memcpy(to, mutation->key, mutation->keylen);
	copy->mutation.key = to;
	to += mutation->keylen;
	for (int i = 0; i < item->nchanges; i++)
	{
		copy->changes[i] = item->changes[i];
		if (item->changes[i].value == NULL)
			continue;
		memcpy(to, item->changes[i].value, item->changes[i].len);
		copy->changes[i].value = to;
		to += item->changes[i].len;
	}
	return copy;
}

/* Two writes of one key under way may be applied in any order: the second waits for the first. */
static void
queue_order(FdwModifyState *state, const ModifyItem *item)
{
	if (item->mutation.kind == KV_INSERT || item->mutation.cas != 0 || state->operation == CMD_UTILITY)
		return;
	if (queue_remember(state, &item->mutation) && key_set_size(state->seen) <= KEYS_REMEMBERED)
		return;
	modify_finish(state);
	(void) queue_remember(state, &item->mutation);
}

static void
queue_start(FdwModifyState *state)
{
	if (!state->started)
	{
		kv_mutate_start(state->mutate);
		state->started = true;
	}
	if (state->nunread >= state->table->batch_size || state->unread_bytes >= UNREAD_BYTES)
		queue_read(state);
}

static void
queue_add(FdwModifyState *state, ModifyItem *item)
{
	queue_order(state, item);
	queue_start(state);
	while (kv_mutate_full(state->mutate))
		queue_take(state, kv_mutate_outstanding(state->mutate) - 1);
	if (!state->hold)
		queue_take(state, state->table->batch_size - 1);
	kv_mutate_add(state->mutate, &item->mutation);
}

void
modify_add(FdwModifyState *state, ModifyItem *item)
{
	item->mutation.tag = (int64) (intptr_t) item;
	queue_add(state, item);
}

void
modify_send(FdwModifyState *state, ModifyItem *item)
{
	if (!state->deferred)
	{
		modify_add(state, item);
		modify_finish(state);
		return;
	}
	if (item->whole)
	{
		queue_start(state);
		queue_take(state, state->table->batch_size - 1);
		queue_read_later(state, queue_copy(state, item));
		return;
	}
	item->mutation.tag = item->mutation.kind == KV_SUBDOC ? (int64) (intptr_t) queue_copy(state, item) : 0;
	queue_add(state, item);
}
