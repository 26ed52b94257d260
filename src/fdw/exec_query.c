/*
 * exec_query.c
 *		Runs a statement of the query service and takes its rows apart.
 *
 * A row is an array whose places the plan names. It becomes a document as the data service would give it, with the
 * values of its paths or as a whole, so that one decoder makes tuples of both.
 */
#include "exec.h"

#include "executor/executor.h"
#include "nodes/nodeFuncs.h"

#include "../cluster/query.h"
#include "../protocol/json_value.h"
#include "../protocol/kv_const.h"
#include "exec_query.h"
#include "ship.h"

struct QueryScan
{
	char	   *statement;
	int			nitems;
	QueryItem  *items;
	int			nparams;
	ExprState **values;
	Oid		   *types;
	ShipEncode *encodes;
	QueryParameter *parameters;
	RemoteQuery *query;
	QueryMetrics metrics;
	ClusterDoc	doc;
	ClusterValue *paths;		/* of doc */
	int			npaths;
	CbBuf		key;			/* a key with escapes, decoded */
	MemoryContextCallback callback;
};

static void
query_scan_release(void *arg)
{
	cb_buf_free(&((QueryScan *) arg)->key);
}

QueryScan *
query_scan_init(FdwScanState *state, ForeignScanState *node)
{
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	List	   *items = list_nth(plan->fdw_private, SCAN_PRIVATE_ITEMS);
	List	   *encodes = list_nth(plan->fdw_private, SCAN_PRIVATE_ENCODES);
	QueryScan  *scan = palloc0(sizeof(QueryScan));
	ListCell   *lc;

	scan->statement = strVal(list_nth(plan->fdw_private, SCAN_PRIVATE_STATEMENT));
	scan->items = palloc(sizeof(QueryItem) * list_length(items));
	foreach(lc, items)
		scan->items[scan->nitems++] = (QueryItem) lfirst_int(lc);

	scan->values = palloc0(sizeof(ExprState *) * Max(list_length(encodes), 1));
	scan->types = palloc0(sizeof(Oid) * Max(list_length(encodes), 1));
	scan->encodes = palloc0(sizeof(ShipEncode) * Max(list_length(encodes), 1));
	scan->parameters = palloc0(sizeof(QueryParameter) * Max(list_length(encodes), 1));
	foreach(lc, plan->fdw_exprs)
	{
		int			i = scan->nparams++;

		scan->values[i] = ExecInitExpr(lfirst(lc), &node->ss.ps);
		scan->types[i] = exprType(lfirst(lc));
		scan->encodes[i] = (ShipEncode) list_nth_int(encodes, i);
		scan->parameters[i].name = psprintf("p%d", i + 1);
	}
	scan->npaths = row_decoder_needs(state->decoder)->npaths;
	scan->paths = palloc0(sizeof(ClusterValue) * Max(scan->npaths, 1));
	scan->callback.func = query_scan_release;
	scan->callback.arg = scan;
	MemoryContextRegisterResetCallback(state->cxt, &scan->callback);
	return scan;
}

/* ---- sending ---- */

/* The parameters' values, in the per-tuple context: query_open and query_restart copy them. */
static void
query_scan_evaluate(QueryScan *scan, ExprContext *econtext)
{
	for (int i = 0; i < scan->nparams; i++)
	{
		bool		isnull;
		Datum		value = ExecEvalExpr(scan->values[i], econtext, &isnull);

		scan->parameters[i].json = ship_encode(scan->encodes[i], scan->types[i], value, isnull);
	}
}

QueryConsistency
query_scan_consistency(const FdwTable *table)
{
	return guc_scan_consistency < 0 ? table->consistency : (QueryConsistency) guc_scan_consistency;
}

void
query_scan_start(QueryScan *scan, FdwScanState *state, ExprContext *econtext)
{
	QueryRequest request = {0};

	query_scan_evaluate(scan, econtext);
	if (scan->query != NULL)
	{
		query_restart(scan->query, scan->parameters);
		return;
	}
	request.statement = scan->statement;
	request.nparameters = scan->nparams;
	request.parameters = scan->parameters;
	request.readonly = true;
	request.consistency = query_scan_consistency(state->table);
	request.purpose = psprintf("query of foreign table \"%s\"", state->table->relname);
	scan->query = query_open(state->handle, &request, state->cxt, &scan->metrics);
}

/* ---- rows ---- */

static void query_row_malformed(const FdwScanState *state) pg_attribute_noreturn();

static void
query_row_malformed(const FdwScanState *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("query service on server \"%s\" sent a row that is not what was asked for",
					state->table->servername)));
}

static uint64
query_row_number(const FdwScanState *state, const CbJsonValue *value)
{
	char		digits[24];

	if (value->type != CB_JSON_NUMBER || value->len >= sizeof(digits))
		query_row_malformed(state);
	memcpy(digits, value->data, value->len);
	digits[value->len] = '\0';
	return strtoull(digits, NULL, 10);
}

static void
query_row_key(QueryScan *scan, const FdwScanState *state, const CbJsonValue *value)
{
	CbSpan		raw;

	if (value->type != CB_JSON_STRING)
		query_row_malformed(state);
	if (cb_json_string_raw(value, &raw) != CB_OK)
	{
		cb_buf_reset(&scan->key);
		if (cb_json_string_append(value, &scan->key) != CB_OK || cb_buf_result(&scan->key) != CB_OK)
			query_row_malformed(state);
		raw = cb_buf_span(&scan->key);
	}
	scan->doc.key = (const char *) raw.data;
	scan->doc.keylen = raw.len;
}

static void
query_row_item(QueryScan *scan, const FdwScanState *state, QueryItem item, const CbJsonValue *value)
{
	ClusterDoc *doc = &scan->doc;

	switch (item)
	{
		case QUERY_ITEM_KEY:
			query_row_key(scan, state, value);
			break;
		case QUERY_ITEM_TYPE:
			if (value->type != CB_JSON_STRING)
				query_row_malformed(state);
			if (value->len == 6 && memcmp(value->data, "\"json\"", 6) == 0)
				doc->datatype = CB_DATATYPE_JSON;
			break;
		case QUERY_ITEM_CAS:
			doc->cas = query_row_number(state, value);
			break;
		case QUERY_ITEM_EXPIRY:
			doc->expiry = (uint32) query_row_number(state, value);
			doc->has_meta = true;
			break;
		case QUERY_ITEM_FLAGS:
			doc->flags = (uint32) query_row_number(state, value);
			break;
		case QUERY_ITEM_DOCUMENT:
			doc->value = (const char *) value->data;
			doc->len = value->len;
			break;
		case QUERY_ITEM_PATHS:
			if (doc->nvalues >= scan->npaths)
				query_row_malformed(state);
			scan->paths[doc->nvalues].data = (const char *) value->data;
			scan->paths[doc->nvalues].len = value->len;
			scan->paths[doc->nvalues++].status = CB_STATUS_SUCCESS;
			break;
	}
}

/*
 * A document that is not JSON has no fields, and the service shows a remark in its place. The data service's decoder
 * is given nothing that it could take for JSON, so that on_type_error decides.
 */
static void
query_row_not_json(QueryScan *scan)
{
	scan->doc.value = "";
	scan->doc.len = 0;
	scan->doc.nvalues = 0;
}

const ClusterDoc *
query_scan_next(QueryScan *scan, FdwScanState *state)
{
	const char *row;
	size_t		len;
	CbJsonValue array;
	CbJsonValue name;
	CbJsonValue value;
	CbJsonIter	iter;
	int			place = 0;
	bool		typed = false;

	if (!query_next(scan->query, &row, &len))
		return NULL;
	if (cb_json_value(cb_span(row, len), &array, NULL) != CB_OK || array.type != CB_JSON_ARRAY ||
		cb_json_iter_init(&iter, &array) != CB_OK)
		query_row_malformed(state);

	memset(&scan->doc, 0, sizeof(scan->doc));
	scan->doc.values = scan->paths;
	while (cb_json_iter_next(&iter, &name, &value) == CB_OK)
	{
		QueryItem	item = scan->items[Min(place, scan->nitems - 1)];

		if (place >= scan->nitems && item != QUERY_ITEM_PATHS)
			query_row_malformed(state);
		typed |= item == QUERY_ITEM_TYPE;
		query_row_item(scan, state, item, &value);
		place++;
	}
	if (place < scan->nitems || (scan->items[scan->nitems - 1] == QUERY_ITEM_PATHS &&
								 scan->doc.nvalues != scan->npaths))
		query_row_malformed(state);
	if (typed && scan->doc.datatype == 0)
		query_row_not_json(scan);
	state->counters.documents++;
	return &scan->doc;
}

void
query_scan_end(QueryScan *scan)
{
	if (scan->query != NULL)
		query_close(scan->query);
	scan->query = NULL;
}

const char *
query_scan_statement(const QueryScan *scan)
{
	return scan->statement;
}

const QueryMetrics *
query_scan_metrics(const QueryScan *scan)
{
	return &scan->metrics;
}
