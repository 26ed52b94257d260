/*
 * modify_row.c
 *		Rows to mutations: key, document or changes of paths, expiry and flags; and rows as they are stored afterwards.
 */
#include "modify.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "../compat.h"
#include "../protocol/kv_const.h"
#include "expiry.h"

/* Flags that all SDKs understand: the kind of document in the upper byte. */
#define FLAGS_JSON		0x02000000
#define FLAGS_BINARY	0x03000000
#define FLAGS_STRING	0x04000000
#define FLAGS_KIND(flags) ((flags) & 0xff000000)

/* What a document column gives. */
typedef struct Body
{
	const char *data;
	size_t		len;
	bool		json;
	uint32		flags;
} Body;

static const char *
column_name(const FdwModifyState *state, AttrNumber attnum)
{
	return NameStr(TupleDescAttr(RelationGetDescr(state->rel), attnum - 1)->attname);
}

/* ---- parts of a mutation ---- */

static void
row_key(FdwModifyState *state, Datum value, bool isnull, KvMutation *mutation)
{
	const char *name = column_name(state, state->table->key_attno);
	size_t		max;
	char	   *key;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"%s\" of foreign table \"%s\", the document key", name,
						state->table->relname),
				 errhint("Every document needs a key; none is made up.")));
	key = TextDatumGetCString(value);
	mutation->key = pg_server_to_any(key, strlen(key), PG_UTF8);
	mutation->keylen = strlen(mutation->key);
	state->current_key = value_escape(mutation->key, mutation->keylen, 250);
	max = kv_key_max(state->collection);
	if (mutation->keylen == 0 || mutation->keylen > max)
		ereport(ERROR,
				(errcode(mutation->keylen == 0 ? ERRCODE_ZERO_LENGTH_CHARACTER_STRING :
						 ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 mutation->keylen == 0 ? errmsg("document key is empty") :
				 errmsg("document key of %zu bytes is too long", mutation->keylen),
				 errdetail("Keys in this collection have 1 to %zu bytes.", max)));
}

static bool
row_is_expiry(const ModifyColumn *column)
{
	return column->column->kind == FDW_COLUMN_META && column->column->meta == FDW_META_EXPIRY;
}

/* given: whether another column had it before. */
static uint32
row_expiry(const FdwModifyState *state, Datum value, bool isnull, bool *given)
{
	if (*given)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("the expiry is given by several columns")));
	*given = true;
	return isnull ? 0 :
		expiry_write(value, TupleDescAttr(RelationGetDescr(state->rel), state->current->attnum - 1)->atttypid);
}

static uint32
row_flags(FdwModifyState *state, Datum value)
{
	Oid			type = TupleDescAttr(RelationGetDescr(state->rel), state->flags_attno - 1)->atttypid;
	int64		flags = type == INT8OID ? DatumGetInt64(value) :
		DatumGetInt64(DirectFunctionCall1(numeric_int8, value));

	if (flags < 0 || flags > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("flags are out of range"),
				 errdetail("Flags are numbers of 32 bits, 0 to 4294967295.")));
	return (uint32) flags;
}

static void
row_refuse_meta(const ModifyColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("column \"%s\" cannot be written: the data service sets it", column->name),
			 errdetail("Of the metadata, only expiry and flags can be written.")));
}

/* The document column's value: text and bytes as they are, which may or may not be JSON. */
static void
row_body(FdwModifyState *state, const ModifyColumn *column, Datum value, Body *body)
{
	ValueType  *type = column->type->kind == VALUE_DOMAIN ? column->type->base : column->type;
	StringInfoData encoded;
	CbJsonValue json;

	if (type->kind == VALUE_JSON || type->kind == VALUE_JSONB)
	{
		initStringInfo(&encoded);
		value_encode(&state->values, type, value, &encoded);
		*body = (Body) {encoded.data, encoded.len, true, FLAGS_JSON};
		return;
	}
	if (type->kind == VALUE_BYTEA)
	{
		bytea	   *bytes = DatumGetByteaPP(value);

		*body = (Body) {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), false, FLAGS_BINARY};
	}
	else
	{
		char	   *plain = TextDatumGetCString(value);

		body->data = pg_server_to_any(plain, strlen(plain), PG_UTF8);
		body->len = strlen(body->data);
		body->flags = FLAGS_STRING;
	}
	body->json = cb_json_value(cb_span(body->data, body->len), &json, NULL) == CB_OK;
	if (body->json)
		body->flags = FLAGS_JSON;
}

/* NULL takes the field away or stores null; elements of arrays have to stay in their places. */
static void
row_change(FdwModifyState *state, const ModifyColumn *column, Datum value, bool isnull, DocumentChange *change)
{
	StringInfoData text;

	change->path = &column->path;
	change->text = column->column->path;
	change->subdoc = column->subdoc;
	if (isnull)
	{
		bool		store = column->column->store_nulls || column->path.steps[column->path.nsteps - 1].name == NULL;

		change->value = store ? "null" : NULL;
		change->len = store ? strlen("null") : 0;
		return;
	}
	initStringInfo(&text);
	value_encode(&state->values, column->type, value, &text);
	change->value = text.data;
	change->len = text.len;
}

/* The document with the fields of columns put into it. */
static void
row_combine(FdwModifyState *state, Body *body, const ModifyItem *item)
{
	StringInfoData text;

	if (item->nchanges > 0 || body->data == NULL)
	{
		initStringInfo(&text);
		document_change(body->data, body->len, item->changes, item->nchanges, &text);
		*body = (Body) {text.data, text.len, true, FLAGS_JSON};
	}
}

static void
row_set_body(ModifyItem *item, const Body *body)
{
	item->body = item->mutation.value = body->data;
	item->body_len = item->mutation.len = body->len;
	item->mutation.json = body->json;
	item->mutation.flags = body->flags;
}

/* ---- messages ---- */

void
modify_error_context(void *arg)
{
	const FdwModifyState *state = arg;

	if (state->current != NULL && state->current_key != NULL)
		errcontext("column \"%s\" of foreign table \"%s\", document \"%s\"", state->current->name,
				   state->table->relname, state->current_key);
	else if (state->current_key != NULL)
		errcontext("foreign table \"%s\", document \"%s\"", state->table->relname, state->current_key);
}

/* ---- INSERT ---- */

static void
row_insert_columns(FdwModifyState *state, TupleTableSlot *slot, ModifyItem *item, Body *body, bool *flags_given)
{
	bool		expiry_given = false;

	for (int i = 0; i < state->ncolumns; i++)
	{
		const ModifyColumn *column = &state->columns[i];
		Datum		value = slot->tts_values[column->attnum - 1];
		bool		isnull = slot->tts_isnull[column->attnum - 1];

		state->current = column;
		if (isnull || column->column->kind == FDW_COLUMN_KEY)
			continue;
		if (column->attnum == state->document_attno)
			row_body(state, column, value, body);
		else if (row_is_expiry(column))
			item->mutation.expiry = row_expiry(state, value, isnull, &expiry_given);
		else if (column->attnum == state->flags_attno)
		{
			item->mutation.flags = row_flags(state, value);
			*flags_given = true;
		}
		else if (column->column->kind == FDW_COLUMN_META)
			row_refuse_meta(column);
		else
			row_change(state, column, value, isnull, &item->changes[item->nchanges++]);
	}
	state->current = NULL;
}

/* Whether one of the values leads to what the column leads to, into it or around it. */
static bool
row_has_value(const ModifyColumn *column, const ModifyItem *item, int nvalues)
{
	if (column->alone)
		return false;
	for (int i = 0; i < nvalues; i++)
	{
		if (modify_paths_overlap(&column->path, item->changes[i].path))
			return true;
	}
	return false;
}

/* Without a document, NULL columns may have to be written where no value is; with one, they leave it as it is. */
static void
row_insert_nulls(FdwModifyState *state, TupleTableSlot *slot, ModifyItem *item)
{
	int			nvalues = item->nchanges;

	for (int i = 0; i < state->ncolumns; i++)
	{
		const ModifyColumn *column = &state->columns[i];

		if (slot->tts_isnull[column->attnum - 1] && column->column->kind == FDW_COLUMN_PATH &&
			column->column->store_nulls && !row_has_value(column, item, nvalues))
			row_change(state, column, (Datum) 0, true, &item->changes[item->nchanges++]);
	}
}

void
modify_insert_item(FdwModifyState *state, TupleTableSlot *slot, ModifyItem *item)
{
	ErrorContextCallback context = {error_context_stack, modify_error_context, state};
	AttrNumber	key = state->table->key_attno;
	Body		body = {0};
	bool		flags_given = false;
	uint32		flags;
	int			level = state->needs_settings ? value_encode_begin() : 0;

	slot_getallattrs(slot);
	state->current_key = NULL;
	error_context_stack = &context;
	row_key(state, slot->tts_values[key - 1], slot->tts_isnull[key - 1], &item->mutation);
	item->mutation.kind = state->do_nothing || state->table->insert_mode == FDW_INSERT_INSERT ? KV_INSERT :
		state->table->insert_mode == FDW_INSERT_UPSERT ? KV_UPSERT : KV_REPLACE;
	item->changes = palloc(sizeof(DocumentChange) * Max(state->ncolumns, 1) * 2);
	row_insert_columns(state, slot, item, &body, &flags_given);
	if (body.data == NULL)
		row_insert_nulls(state, slot, item);
	row_combine(state, &body, item);
	flags = flags_given ? item->mutation.flags : body.flags;
	row_set_body(item, &body);
	item->mutation.flags = flags;
	error_context_stack = context.previous;
	if (state->needs_settings)
		value_encode_end(level);
	if (state->refresh)
		modify_refresh_inserted(state, slot, item);
}

/* ---- UPDATE and DELETE ---- */

void
modify_old_row(FdwModifyState *state, TupleTableSlot *planslot, Datum *values, bool *isnull)
{
	bool		missing;
	Datum		row = ExecGetJunkAttribute(planslot, state->whole_junk, &missing);
	HeapTupleHeader header;
	HeapTupleData tuple = {0};

	if (missing)
		elog(ERROR, "the old row is missing");
	header = DatumGetHeapTupleHeader(row);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	heap_deform_tuple(&tuple, RelationGetDescr(state->rel), values, isnull);
}

static void
row_identity(FdwModifyState *state, TupleTableSlot *planslot, ModifyItem *item)
{
	bool		nulls[4] = {false};
	Datum		key = ExecGetJunkAttribute(planslot, state->key_junk, &nulls[0]);
	Datum		high = ExecGetJunkAttribute(planslot, state->cas_high_junk, &nulls[1]);
	Datum		low = ExecGetJunkAttribute(planslot, state->cas_low_junk, &nulls[2]);

	if (nulls[0] || nulls[1] || nulls[2])
		elog(ERROR, "the identity of a row is missing");
	row_key(state, key, false, &item->mutation);
	item->mutation.cas = (uint64) DatumGetTransactionId(high) << 32 | DatumGetTransactionId(low);
	if (state->flags_junk != InvalidAttrNumber)
		item->old_flags = DatumGetCommandId(ExecGetJunkAttribute(planslot, state->flags_junk, &nulls[3]));
}

/* Attnums to be written: those that the command assigns, and those that a BEFORE trigger has changed. */
static Bitmapset *
row_assigned(FdwModifyState *state, TupleTableSlot *slot, TupleTableSlot *planslot)
{
	TupleDesc	tupdesc = RelationGetDescr(state->rel);
	Bitmapset  *assigned = bms_copy(state->assigned);
	Datum	   *values;
	bool	   *isnull;

	if (!state->by_trigger)
		return assigned;
	values = palloc(sizeof(Datum) * tupdesc->natts);
	isnull = palloc(sizeof(bool) * tupdesc->natts);
	modify_old_row(state, planslot, values, isnull);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(tupdesc, i);

		if (attr->attisdropped || (isnull[i] && slot->tts_isnull[i]))
			continue;
		if (isnull[i] != slot->tts_isnull[i] ||
			!datum_image_eq(values[i], slot->tts_values[i], attr->attbyval, attr->attlen))
			assigned = bms_add_member(assigned, attr->attnum);
	}
	return assigned;
}

typedef struct RowUpdate
{
	Body		body;			/* data NULL: the document as such is not assigned */
	bool		flags_given;
	bool		expiry_given;
	bool		piecewise;		/* what is assigned can be sent as subdocument changes */
} RowUpdate;

static void
row_update_column(FdwModifyState *state, const ModifyColumn *column, Datum value, bool isnull, ModifyItem *item,
				  RowUpdate *update)
{
	if (column->attnum == state->document_attno)
	{
		if (isnull)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("cannot set the document to NULL"),
					 errhint("DELETE removes documents.")));
		row_body(state, column, value, &update->body);
	}
	else if (row_is_expiry(column))
		item->mutation.expiry = row_expiry(state, value, isnull, &update->expiry_given);
	else if (column->attnum == state->flags_attno)
	{
		item->mutation.flags = isnull ? FLAGS_JSON : row_flags(state, value);
		update->flags_given = true;
	}
	else if (column->column->kind == FDW_COLUMN_KEY)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a trigger cannot change the document key")));
	else if (column->column->kind == FDW_COLUMN_META)
		row_refuse_meta(column);
	else
	{
		row_change(state, column, value, isnull, &item->changes[item->nchanges++]);
		update->piecewise &= column->subdoc != NULL && (column->alone || !state->refresh);
	}
}

static void
row_update_columns(FdwModifyState *state, TupleTableSlot *slot, TupleTableSlot *planslot, ModifyItem *item,
				   RowUpdate *update)
{
	Bitmapset  *assigned = row_assigned(state, slot, planslot);

	item->changes = palloc(sizeof(DocumentChange) * Max(state->ncolumns, 1));
	update->piecewise = !state->refresh || state->document_attno == 0;
	for (int i = 0; i < state->ncolumns; i++)
	{
		const ModifyColumn *column = &state->columns[i];

		state->current = column;
		if (bms_is_member(column->attnum, assigned))
			row_update_column(state, column, slot->tts_values[column->attnum - 1],
							  slot->tts_isnull[column->attnum - 1], item, update);
	}
	state->current = NULL;
}

/* The subdocument commands for the changes. */
static void
row_set_paths(ModifyItem *item)
{
	KvPathChange *paths = palloc0(sizeof(KvPathChange) * item->nchanges);

	for (int i = 0; i < item->nchanges; i++)
	{
		const DocumentChange *change = &item->changes[i];
		bool		member = change->path->steps[change->path->nsteps - 1].name != NULL;

		paths[i].op = change->value == NULL ? KV_PATH_REMOVE : member ? KV_PATH_UPSERT : KV_PATH_REPLACE;
		paths[i].mkdir_p = paths[i].op == KV_PATH_UPSERT;
		paths[i].path = change->subdoc;
		paths[i].pathlen = strlen(change->subdoc);
		paths[i].value = change->value;
		paths[i].len = change->len;
	}
	item->mutation.kind = KV_SUBDOC;
	item->mutation.npaths = item->nchanges;
	item->mutation.paths = paths;
}

/* Other flags than the document has only where it becomes another kind of document. */
static void
row_replace(FdwModifyState *state, ModifyItem *item, RowUpdate *update)
{
	uint32		flags = item->mutation.flags;

	row_combine(state, &update->body, item);
	if (!update->flags_given)
		flags = FLAGS_KIND(item->old_flags) == FLAGS_KIND(update->body.flags) || FLAGS_KIND(item->old_flags) == 0 ?
			item->old_flags : update->body.flags;
	row_set_body(item, &update->body);
	item->mutation.flags = flags;
	item->mutation.kind = KV_REPLACE;
}

void
modify_update_item(FdwModifyState *state, TupleTableSlot *slot, TupleTableSlot *planslot, ModifyItem *item)
{
	ErrorContextCallback context = {error_context_stack, modify_error_context, state};
	RowUpdate	update = {0};
	int			level = state->needs_settings ? value_encode_begin() : 0;

	slot_getallattrs(slot);
	state->current_key = NULL;
	error_context_stack = &context;
	row_identity(state, planslot, item);
	row_update_columns(state, slot, planslot, item, &update);
	if (state->needs_settings)
		value_encode_end(level);
	item->mutation.preserve_expiry = !update.expiry_given;
	if (update.body.data != NULL)
		row_replace(state, item, &update);
	else if (update.flags_given || item->nchanges == 0 || item->nchanges > KV_MUTATE_MAX_PATHS || !update.piecewise)
	{
		item->flags_given = update.flags_given;
		item->whole = true;
		if (!state->deferred)
			modify_read_whole(state, item);
	}
	else
		row_set_paths(item);
	error_context_stack = context.previous;
	if (state->refresh)
		modify_refresh_updated(state, slot, item);
}

void
modify_delete_item(FdwModifyState *state, TupleTableSlot *planslot, ModifyItem *item)
{
	state->current_key = NULL;
	row_identity(state, planslot, item);
	item->mutation.kind = KV_DELETE;
}

/* ---- rows as they are stored ---- */

static void
row_store(TupleTableSlot *slot, const Datum *values, const bool *isnull)
{
	int			natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, sizeof(Datum) * natts);
	memcpy(slot->tts_isnull, isnull, sizeof(bool) * natts);
	ExecStoreVirtualTuple(slot);
}

/* What the outcome tells of the document. */
static void
row_document(const ModifyItem *item, uint32 expiry, ClusterDoc *doc)
{
	memset(doc, 0, sizeof(*doc));
	doc->key = item->mutation.key;
	doc->keylen = item->mutation.keylen;
	doc->value = item->body;
	doc->len = item->body_len;
	doc->datatype = item->mutation.json ? CB_DATATYPE_JSON : 0;
	doc->flags = item->mutation.flags;
	doc->cas = item->cas;
	doc->vbucket = item->vbucket;
	doc->has_meta = true;
	doc->expiry = expiry;
	doc->seqno = item->seqno;
}

static void
row_refresh_whole(FdwModifyState *state, TupleTableSlot *slot, const ModifyItem *item, uint32 expiry)
{
	int			natts = slot->tts_tupleDescriptor->natts;
	Datum	   *values = palloc0(sizeof(Datum) * natts);
	bool	   *isnull = palloc(sizeof(bool) * natts);
	ClusterDoc	doc;

	row_document(item, expiry, &doc);
	row_decode(state->decoder, &doc, values, isnull);

	/* The first time is before the write: what could not be read back is an error now, not when it is too late. */
	if (item->settled)
		row_store(slot, values, isnull);
}

void
modify_refresh_inserted(FdwModifyState *state, TupleTableSlot *slot, const ModifyItem *item)
{
	row_refresh_whole(state, slot, item, expiry_absolute(item->mutation.expiry));
}

/* Only paths were written: what they read as now, and the metadata; the rest is as the scan found it. */
static void
row_refresh_paths(FdwModifyState *state, TupleTableSlot *slot, const ModifyItem *item, uint32 expiry)
{
	HeapTuple	tuple = ExecCopySlotHeapTuple(slot);
	int			natts = slot->tts_tupleDescriptor->natts;
	Datum	   *values = palloc0(sizeof(Datum) * natts);
	bool	   *isnull = palloc(sizeof(bool) * natts);
	Datum	   *meta = palloc0(sizeof(Datum) * natts);
	bool	   *meta_null = palloc(sizeof(bool) * natts);
	ClusterDoc	doc;

	heap_deform_tuple(tuple, slot->tts_tupleDescriptor, values, isnull);
	row_document(item, expiry, &doc);
	doc.value = "{}";
	doc.len = strlen("{}");
	doc.datatype = CB_DATATYPE_JSON;
	doc.flags = item->old_flags;
	row_decode(state->decoder, &doc, meta, meta_null);
	for (int i = 0; i < state->ncolumns; i++)
	{
		const ModifyColumn *column = &state->columns[i];

		if (column->column->kind == FDW_COLUMN_META && column->column->meta != FDW_META_DATATYPE)
		{
			values[column->attnum - 1] = meta[column->attnum - 1];
			isnull[column->attnum - 1] = meta_null[column->attnum - 1];
		}
		for (int j = 0; j < item->nchanges; j++)
		{
			if (item->changes[j].path == &column->path)
				row_decode_value(state->decoder, &doc, column->attnum, item->changes[j].value, item->changes[j].len,
								 &values[column->attnum - 1], &isnull[column->attnum - 1]);
		}
	}
	if (item->settled)
		row_store(slot, values, isnull);
}

void
modify_refresh_updated(FdwModifyState *state, TupleTableSlot *slot, const ModifyItem *item)
{
	uint32		expiry = expiry_absolute(item->mutation.expiry);
	int			column = state->expiry_attno - 1;

	if (item->mutation.preserve_expiry && column >= 0)
		expiry = slot->tts_isnull[column] ? 0 :
			expiry_unread(slot->tts_values[column], TupleDescAttr(RelationGetDescr(state->rel), column)->atttypid);
	if (item->body != NULL)
		row_refresh_whole(state, slot, item, expiry);
	else
		row_refresh_paths(state, slot, item, expiry);
}
