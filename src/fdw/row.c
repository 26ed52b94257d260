/*
 * row.c
 *		Documents to tuples: one pass over the text finds all wanted paths, then each column is converted.
 */
#include "fdw.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "../compat.h"
#include "expiry.h"
#include "value.h"

#include "../protocol/kv_const.h"

/* Most bytes of a key that a message repeats. */
#define ROW_KEY_SHOWN 250

typedef struct RowColumn
{
	int			index;			/* attnum - 1 */
	const FdwColumn *column;
	const char *name;
	Oid			meta_type;		/* META: type of the column */
	int			path;			/* PATH: index of the path */
	ValueType  *type;			/* all but META */
} RowColumn;

struct RowDecoder
{
	const FdwTable *table;
	int			natts;
	RowNeeds	needs;
	bool		lookup;			/* documents may come as answers of look-ups */
	bool		looked_up;		/* this one does */
	int			ncolumns;
	RowColumn  *columns;
	int			npaths;
	const char **paths;			/* distinct, server's encoding */
	CbPathSet  *set;			/* NULL: no paths */
	CbJsonValue *found;			/* npaths */
	ValueState	state;

	/* the document and column at work, for messages */
	const ClusterDoc *doc;
	const RowColumn *current;
	MemoryContextCallback callback;
};

/* ---- creating ---- */

static void
row_decoder_release(void *arg)
{
	RowDecoder *decoder = arg;

	if (decoder->set != NULL)
		cb_pathset_free(decoder->set);
	cb_buf_free(&decoder->state.text);
}

/* Index of the path among the distinct ones. */
static int
row_add_path(RowDecoder *decoder, const char *path)
{
	for (int i = 0; i < decoder->npaths; i++)
	{
		if (strcmp(decoder->paths[i], path) == 0)
			return i;
	}
	decoder->paths[decoder->npaths] = path;
	return decoder->npaths++;
}

static void
row_add_column(RowDecoder *decoder, Form_pg_attribute attr, const FdwColumn *column)
{
	RowColumn  *entry = &decoder->columns[decoder->ncolumns++];
	RowNeeds   *needs = &decoder->needs;

	entry->index = attr->attnum - 1;
	entry->column = column;
	entry->name = pstrdup(NameStr(attr->attname));
	entry->meta_type = attr->atttypid;
	switch (column->kind)
	{
		case FDW_COLUMN_PATH:
			entry->path = row_add_path(decoder, column->path);
			needs->body = true;
			break;
		case FDW_COLUMN_DOCUMENT:
			needs->body = needs->whole = true;
			break;
		case FDW_COLUMN_META:
			needs->meta |= column->meta == FDW_META_EXPIRY || column->meta == FDW_META_SEQNO;
			/* A look-up answers with neither. */
			needs->lookup_ok &= column->meta != FDW_META_FLAGS && column->meta != FDW_META_DATATYPE;
			return;
		default:
			break;
	}
	entry->type = value_type_create(&decoder->state, attr->atttypid, attr->atttypmod, column->format);
}

/*
 * The data service compares names as the document spells them, the walker decodes their escapes. A name is left to
 * the former only if no JSON writer in use escapes its characters (they do so with all that is not ASCII, with
 * slashes, and with what HTML minds).
 */
static bool
row_path_is_plain(const CbPath *path)
{
	for (size_t i = 0; i < path->nsteps; i++)
	{
		const CbPathStep *step = &path->steps[i];

		for (size_t j = 0; step->name != NULL && j < step->name_len; j++)
		{
			unsigned char c = step->name[j];

			if (c < 0x20 || c >= 0x7f || strchr("\"\\/<>&'+=`", c) != NULL)
				return false;
		}
	}
	return true;
}

char *
row_subdoc_path(const CbPath *path)
{
	CbBuf		buf = {0};
	char	   *text = NULL;

	if (row_path_is_plain(path) && cb_path_append_subdoc(&buf, path) == CB_OK && cb_buf_result(&buf) == CB_OK)
		text = MemoryContextAllocExtended(CurrentMemoryContext, buf.len + 1, MCXT_ALLOC_NO_OOM);
	if (text != NULL)
	{
		memcpy(text, buf.data, buf.len);
		text[buf.len] = '\0';
	}
	cb_buf_free(&buf);
	return text;
}

/* The paths in the syntax of subdocument commands, as far as all can be expressed. */
static void
row_lookup_paths(RowDecoder *decoder, const CbPath *paths)
{
	RowNeeds   *needs = &decoder->needs;

	if (needs->whole || decoder->npaths > KV_FETCH_MAX_PATHS)
		needs->lookup_ok = false;
	needs->npaths = decoder->npaths;
	needs->texts = decoder->paths;
	if (!needs->lookup_ok)
		return;

	needs->paths = palloc0(sizeof(char *) * Max(decoder->npaths, 1));
	for (int i = 0; i < decoder->npaths && needs->lookup_ok; i++)
	{
		needs->paths[i] = row_subdoc_path(&paths[i]);
		needs->lookup_ok = needs->paths[i] != NULL;
	}
	if (!needs->lookup_ok)
		needs->paths = NULL;
}

static void
row_compile_paths(RowDecoder *decoder)
{
	CbPath	   *paths = palloc0(sizeof(CbPath) * decoder->npaths);
	const CbPath **pointers = palloc(sizeof(CbPath *) * decoder->npaths);
	char	  **texts = palloc(sizeof(char *) * decoder->npaths);
	CbError		err = {0};
	CbResult	result = CB_OK;

	for (int i = 0; i < decoder->npaths; i++)
	{
		texts[i] = pg_server_to_any(decoder->paths[i], strlen(decoder->paths[i]), PG_UTF8);
		pointers[i] = &paths[i];
	}
	for (int i = 0; i < decoder->npaths && result == CB_OK; i++)
		result = cb_path_parse(texts[i], &paths[i], &err);
	if (result == CB_OK)
		result = cb_pathset_create(pointers, decoder->npaths, &decoder->set);
	if (result == CB_OK)
		row_lookup_paths(decoder, paths);
	for (int i = 0; i < decoder->npaths; i++)
		cb_path_free(&paths[i]);
	if (result != CB_OK)
		elog(ERROR, "could not compile paths: %s", err.text[0] ? err.text : cb_result_name(result));
	decoder->found = palloc0(sizeof(CbJsonValue) * decoder->npaths);
}

RowDecoder *
row_decoder_create(const FdwTable *table, TupleDesc tupdesc, const Bitmapset *attnums, MemoryContext cxt)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	RowDecoder *decoder = palloc0(sizeof(RowDecoder));
	int			natts = tupdesc->natts;

	decoder->table = table;
	decoder->natts = natts;
	decoder->columns = palloc0(sizeof(RowColumn) * Max(natts, 1));
	decoder->paths = palloc0(sizeof(char *) * Max(natts, 1));
	/* a filter looks at the whole document */
	decoder->needs.lookup_ok = table->nfilters == 0;
	decoder->needs.body = table->nfilters > 0;
	decoder->state.cxt = cxt;
	decoder->callback.func = row_decoder_release;
	decoder->callback.arg = decoder;
	MemoryContextRegisterResetCallback(cxt, &decoder->callback);

	for (int i = 0; i < natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(tupdesc, i);

		if (!attr->attisdropped && table->columns[i].kind != FDW_COLUMN_NONE &&
			(bms_is_member(0, attnums) || bms_is_member(attr->attnum, attnums)))
			row_add_column(decoder, attr, &table->columns[i]);
	}
	if (decoder->npaths > 0)
		row_compile_paths(decoder);
	else
		row_lookup_paths(decoder, NULL);

	MemoryContextSwitchTo(old);
	return decoder;
}

const RowNeeds *
row_decoder_needs(const RowDecoder *decoder)
{
	return &decoder->needs;
}

void
row_decoder_use_lookup(RowDecoder *decoder, bool lookup)
{
	decoder->lookup = lookup;
}

/* ---- messages ---- */

static void
row_error_context(void *arg)
{
	const RowDecoder *decoder = arg;
	const RowColumn *column = decoder->current;
	char	   *key = value_escape(decoder->doc->key, decoder->doc->keylen, ROW_KEY_SHOWN);

	if (column->column->kind == FDW_COLUMN_PATH)
		errcontext("column \"%s\" of foreign table \"%s\", path \"%s\" of document \"%s\"",
				   column->name, decoder->table->relname, column->column->path, key);
	else
		errcontext("column \"%s\" of foreign table \"%s\", document \"%s\"",
				   column->name, decoder->table->relname, key);
}

/* The body cannot be taken apart: false when soft, else an error. */
static bool
row_not_json(RowDecoder *decoder, const CbJsonError *err)
{
	if (decoder->state.soft)
		return false;
	if (err->result == CB_BAD_UTF8)
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("document is not valid UTF-8"),
				 errdetail("The first offending byte is at offset %zu.", err->offset)));
	if (err->result == CB_NOMEM)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	ereport(ERROR,
			(errcode(err->result == CB_LIMIT ? ERRCODE_PROGRAM_LIMIT_EXCEEDED : ERRCODE_INVALID_JSON_TEXT),
			 errmsg("document is not JSON"),
			 errdetail("At byte offset %zu: %s.", err->offset, err->what ? err->what : "malformed")));
}

/* ---- the kinds of columns ---- */

/* Keys are any bytes; a text column takes those that are text. */
static bool
row_key(RowDecoder *decoder, const RowColumn *column, Datum *datum, bool *isnull)
{
	const ClusterDoc *doc = decoder->doc;
	CbJsonValue quoted = {0};

	if (pg_encoding_verifymbstr(PG_UTF8, doc->key, doc->keylen) != doc->keylen)
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("document key is not valid UTF-8 text"),
				 errdetail("The key is \"%s\".", value_escape(doc->key, doc->keylen, ROW_KEY_SHOWN))));

	if (column->type->kind == VALUE_TEXT && GetDatabaseEncoding() == PG_UTF8)
	{
		*datum = PointerGetDatum(cstring_to_text_with_len(doc->key, doc->keylen));
		return true;
	}

	/* Other types and encodings take the way of strings in documents: as a JSON string. */
	cb_buf_reset(&decoder->state.text);
	cb_buf_append_json(&decoder->state.text, cb_span(doc->key, doc->keylen));
	if (cb_buf_result(&decoder->state.text) != CB_OK)
		return value_bad_text(&decoder->state, CB_NOMEM);
	quoted.type = CB_JSON_STRING;
	quoted.escaped = true;
	quoted.len = decoder->state.text.len;
	quoted.data = (const uint8_t *) pnstrdup((const char *) decoder->state.text.data, quoted.len);
	return value_decode(&decoder->state, column->type, &quoted, datum, isnull);
}

static Datum
row_unsigned(uint64 number, Oid type)
{
	char		text[32];

	if (type == INT8OID)
		return Int64GetDatum((int64) number);
	if (type == INT4OID)
		return Int32GetDatum((int32) number);
	if (number <= PG_INT64_MAX)
		return NumericGetDatum(int64_to_numeric((int64) number));
	snprintf(text, sizeof(text), UINT64_FORMAT, number);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static void
row_meta(const ClusterDoc *doc, const RowColumn *column, Datum *datum, bool *isnull)
{
	FdwMeta		meta = column->column->meta;

	if ((meta == FDW_META_EXPIRY || meta == FDW_META_SEQNO) && !doc->has_meta)
		elog(ERROR, "document came without its metadata");
	switch (meta)
	{
		case FDW_META_CAS:
			*datum = row_unsigned(doc->cas, column->meta_type);
			break;
		case FDW_META_FLAGS:
			*datum = row_unsigned(doc->flags, column->meta_type);
			break;
		case FDW_META_SEQNO:
			/* What was written without a mutation token. */
			*isnull = doc->seqno == 0;
			*datum = row_unsigned(doc->seqno, column->meta_type);
			break;
		case FDW_META_VBUCKET:
			*datum = row_unsigned(doc->vbucket, column->meta_type);
			break;
		case FDW_META_EXPIRY:
			*isnull = doc->expiry == 0;
			*datum = expiry_read(doc->expiry, column->meta_type);
			break;
		case FDW_META_DATATYPE:
			*datum = CStringGetTextDatum(psprintf("%s%s", (doc->datatype & CB_DATATYPE_JSON) ? "json" : "raw",
												  (doc->datatype & CB_DATATYPE_XATTR) ? ",xattr" : ""));
			break;
	}
}

/* The whole body as a base type: bytes as they are, text after an encoding check, JSON after a check of its syntax. */
static bool
row_body(RowDecoder *decoder, ValueType *type, Datum *datum, bool *isnull)
{
	const ClusterDoc *doc = decoder->doc;
	ValueString string;
	CbJsonValue json;
	CbJsonError err = {0};

	if (type->kind == VALUE_BYTEA)
	{
		*datum = PointerGetDatum(cstring_to_text_with_len(doc->value, doc->len));
		return true;
	}
	if (type->kind == VALUE_JSON || type->kind == VALUE_JSONB)
	{
		if (cb_json_value(cb_span(doc->value, doc->len), &json, &err) != CB_OK)
			return row_not_json(decoder, &err);
		return value_decode(&decoder->state, type, &json, datum, isnull);
	}

	if (pg_encoding_verifymbstr(PG_UTF8, doc->value, doc->len) != doc->len)
		return value_bad_text(&decoder->state, memchr(doc->value, '\0', doc->len) ? CB_NUL_CHAR : CB_BAD_UTF8);
	if (!value_to_server(&decoder->state, doc->value, doc->len, &string))
		return false;
	if (type->kind == VALUE_TEXT)
	{
		*datum = PointerGetDatum(cstring_to_text_with_len(string.data, string.len));
		return true;
	}
	return value_input(&decoder->state, type, pnstrdup(string.data, string.len), datum);
}

static bool
row_document(RowDecoder *decoder, const RowColumn *column, Datum *datum, bool *isnull)
{
	ValueType  *type = column->type;
	ValueType  *base = type->kind == VALUE_DOMAIN ? type->base : type;

	if (!row_body(decoder, base, datum, isnull))
		return false;
	if (type != base)
		domain_check(*datum, *isnull, type->type, &type->domain_extra, decoder->state.cxt);
	return true;
}

/* One path's answer of a look-up, checked. */
static bool
row_lookup_value(RowDecoder *decoder, int path, CbJsonValue *json)
{
	const ClusterValue *value = &decoder->doc->values[path];
	CbJsonError err = {0};

	json->type = CB_JSON_MISSING;
	switch (value->status)
	{
		case CB_STATUS_SUCCESS:
			if (cb_json_value(cb_span(value->data, value->len), json, &err) != CB_OK)
				return row_not_json(decoder, &err);
			return true;
		case CB_STATUS_SUBDOC_PATH_ENOENT:
		case CB_STATUS_SUBDOC_PATH_MISMATCH:
			return true;
		case CB_STATUS_SUBDOC_DOC_NOTJSON:
			err.result = CB_MALFORMED;
			err.what = "the data service says so";
			return row_not_json(decoder, &err);
		default:
			ereport(ERROR,
					(errcode(ERRCODE_FDW_ERROR),
					 errmsg("the data service cannot look up a path of this document (status 0x%02x)", value->status),
					 errhint("Set the option \"lookup\" of the foreign table to \"off\" to read whole documents.")));
	}
}

/* ---- rows ---- */

static bool
row_column(RowDecoder *decoder, const RowColumn *column, Datum *datum, bool *isnull)
{
	CbJsonValue looked_up;

	*isnull = false;
	switch (column->column->kind)
	{
		case FDW_COLUMN_KEY:
			return row_key(decoder, column, datum, isnull);
		case FDW_COLUMN_META:
			row_meta(decoder->doc, column, datum, isnull);
			return true;
		case FDW_COLUMN_DOCUMENT:
			return row_document(decoder, column, datum, isnull);
		default:
			break;
	}
	if (!decoder->looked_up)
		return value_decode(&decoder->state, column->type, &decoder->found[column->path], datum, isnull);
	return row_lookup_value(decoder, column->path, &looked_up) &&
		value_decode(&decoder->state, column->type, &looked_up, datum, isnull);
}

void
row_decode(RowDecoder *decoder, const ClusterDoc *doc, Datum *values, bool *isnull)
{
	ErrorContextCallback context = {error_context_stack, row_error_context, decoder};
	CbJsonError err = {0};
	bool		walked = true;

	memset(isnull, true, decoder->natts);
	decoder->doc = doc;
	/* Documents that the data service cannot look into come whole all the same. */
	decoder->looked_up = decoder->lookup && doc->nvalues > 0;
	if (decoder->set != NULL && !decoder->looked_up)
	{
		/* What the data service marks as JSON it has checked: the part after the last wanted value need not be. */
		unsigned	flags = (doc->datatype & CB_DATATYPE_JSON) ? CB_WALK_STOP_EARLY : 0;

		walked = cb_json_walk(decoder->set, cb_span(doc->value, doc->len), flags, decoder->found, &err) == CB_OK;
	}

	error_context_stack = &context;
	for (int i = 0; i < decoder->ncolumns; i++)
	{
		const RowColumn *column = &decoder->columns[i];
		bool		fits;

		decoder->current = column;
		/* The planner relies on keys being unique and never null. */
		decoder->state.soft = column->column->on_type_error == FDW_TYPE_ERROR_NULL &&
			column->column->kind != FDW_COLUMN_KEY;
		if (!walked && column->column->kind == FDW_COLUMN_PATH)
			fits = row_not_json(decoder, &err);
		else
			fits = row_column(decoder, column, &values[column->index], &isnull[column->index]);
		if (!fits)
			isnull[column->index] = true;
	}
	error_context_stack = context.previous;
}

void
row_decode_value(RowDecoder *decoder, const ClusterDoc *doc, AttrNumber attnum, const char *json, size_t len,
				 Datum *value, bool *isnull)
{
	ErrorContextCallback context = {error_context_stack, row_error_context, decoder};
	CbJsonValue parsed = {0};
	CbJsonError err = {0};

	decoder->doc = doc;
	for (int i = 0; i < decoder->ncolumns; i++)
	{
		const RowColumn *column = &decoder->columns[i];

		if (column->index != attnum - 1)
			continue;
		error_context_stack = &context;
		decoder->current = column;
		decoder->state.soft = column->column->on_type_error == FDW_TYPE_ERROR_NULL;
		*isnull = false;
		if ((len > 0 && cb_json_value(cb_span(json, len), &parsed, &err) != CB_OK) ||
			!value_decode(&decoder->state, column->type, &parsed, value, isnull))
			*isnull = true;
		error_context_stack = context.previous;
	}
}
