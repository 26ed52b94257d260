/*
 * explain.c
 *		What EXPLAIN shows of a foreign scan: access path, keyspace, condition on the key; of a write: its kind and
 *		keyspace; with ANALYZE, counters.
 *
 * Counters that depend on time and network (how answers were cut into packets, how often the backend waited) are
 * shown only together with times, so that EXPLAIN (ANALYZE, TIMING OFF) is the same every time.
 */
#include "exec_query.h"
#include "modify.h"

#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/plannodes.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "compat.h"
#include "explain_path.h"

static const char *
explain_access(const FdwScanState *state)
{
	bool		keys_only = (state->flags & SCAN_FLAG_KEYS_ONLY) != 0;

	if (state->access == SCAN_LOOKUP)
		return "key lookup";
	if (state->access == SCAN_QUERY)
		return "query service";
	if (state->flags & SCAN_FLAG_ORDERED)
		return keys_only ? "range scan of keys in key order" : "range scan in key order";
	return keys_only ? "range scan of keys" : "range scan";
}

/* The conditions as the user wrote them, with the columns of outer tables by name. */
static char *
explain_conditions(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	List	   *ancestors = explain_ancestors(es->pstmt, &plan->scan.plan);
	List	   *context = set_deparse_context_plan(es->deparse_cxt, &plan->scan.plan, ancestors);

	return deparse_expression((Node *) make_ands_explicit(plan->fdw_recheck_quals), context, es->verbose, false);
}

/* The statement with its parameters, as they are known here: by the expressions that they are computed from. */
static void
explain_statement(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	FdwScanState *state = node->fdw_state;
	List	   *ancestors = explain_ancestors(es->pstmt, &plan->scan.plan);
	List	   *context = set_deparse_context_plan(es->deparse_cxt, &plan->scan.plan, ancestors);
	List	   *parameters = NIL;
	ListCell   *lc;

	ExplainPropertyText("Chosen By", strVal(list_nth(plan->fdw_private, SCAN_PRIVATE_REASON)), es);
	if (!es->verbose)
		return;
	ExplainPropertyText("Remote SQL", query_scan_statement(state->query), es);
	foreach(lc, plan->fdw_exprs)
		parameters = lappend(parameters,
							 psprintf("$p%d = %s", foreach_current_index(lc) + 1,
									  deparse_expression(lfirst(lc), context, true, false)));
	if (parameters != NIL)
		ExplainPropertyList("Remote Parameters", parameters, es);
}

static void
explain_metrics(const FdwScanState *state, ExplainState *es)
{
	const QueryMetrics *metrics = query_scan_metrics(state->query);

	ExplainPropertyInteger("Rows Received", NULL, metrics->rows, es);
	ExplainPropertyInteger("Requests", NULL, metrics->requests, es);
	if (metrics->warnings > 0)
		ExplainPropertyInteger("Warnings", NULL, metrics->warnings, es);
	if (!es->timing)
		return;
	ExplainPropertyInteger("Round Trips", NULL, metrics->round_trips, es);
	ExplainPropertyInteger("Bytes Received", NULL, metrics->bytes, es);
	ExplainPropertyInteger("Retries", NULL, metrics->retries, es);
	ExplainPropertyInteger("Connections Opened", NULL, metrics->connects, es);
	if (metrics->spilled > 0)
		ExplainPropertyInteger("Bytes Spilled", NULL, metrics->spilled, es);
	ExplainPropertyFloat("Service Elapsed Time", "ms", metrics->elapsed_us / 1000.0, 3, es);
	ExplainPropertyFloat("Service Execution Time", "ms", metrics->execution_us / 1000.0, 3, es);
	ExplainPropertyInteger("Service Result Size", NULL, metrics->result_size, es);
	if (es->verbose && metrics->node[0] != '\0')
		ExplainPropertyText("Service Node", metrics->node, es);
	if (es->verbose && metrics->request_id[0] != '\0')
		ExplainPropertyText("Service Request", metrics->request_id, es);
}

static void
explain_paths(const FdwScanState *state, ExplainState *es)
{
	const RowNeeds *needs = row_decoder_needs(state->decoder);
	List	   *paths = NIL;

	for (int i = 0; i < needs->npaths; i++)
		paths = lappend(paths, (char *) needs->texts[i]);
	ExplainPropertyList("Document Paths", paths, es);
}

static void
explain_counters(const FdwScanState *state, ExplainState *es)
{
	const ClusterCounters *own = &state->counters;
	const ClusterCounters *workers = &state->workers;

	ExplainPropertyInteger("Documents", NULL, own->documents + workers->documents, es);
	if (state->access == SCAN_LOOKUP || es->timing)
		ExplainPropertyInteger("Requests", NULL, own->requests + workers->requests, es);
	if (!es->timing)
		return;
	ExplainPropertyInteger("Round Trips", NULL, own->round_trips + workers->round_trips, es);
	ExplainPropertyInteger("Bytes Received", NULL, own->bytes_received + workers->bytes_received, es);
	ExplainPropertyInteger("Retries", NULL, own->retries + workers->retries, es);
	ExplainPropertyInteger("Connections Opened", NULL, own->connects + workers->connects, es);
	ExplainPropertyFloat("Server Time", "ms", (own->server_us + workers->server_us) / 1000.0, 3, es);
}

void
cbconnExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	FdwScanState *state = node->fdw_state;
	const FdwTable *table = state->table;
	char	   *keyspace = psprintf("%s.%s.%s", table->bucket, table->scope, table->collection);

	ExplainPropertyText("Couchbase Access", explain_access(state), es);
	ExplainPropertyText("Keyspace", keyspace, es);
	if (plan->fdw_recheck_quals != NIL)
		ExplainPropertyText(state->access == SCAN_QUERY ? "Remote Condition" : "Key Condition",
							explain_conditions(node, es), es);
	if (state->access == SCAN_QUERY)
		explain_statement(node, es);
	if (state->paths)
		explain_paths(state, es);
	if (es->verbose && state->limit >= 0)
		ExplainPropertyInteger("Expected Documents", NULL, state->limit, es);
	if (es->analyze && state->access == SCAN_QUERY)
		explain_metrics(state, es);
	else if (es->analyze)
		explain_counters(state, es);
}

/* ---- writes ---- */

static const char *
explain_write(const ModifyTable *plan, const FdwTable *table)
{
	if (plan->operation != CMD_INSERT)
		return plan->operation == CMD_UPDATE ? "update" : "delete";
	if (plan->onConflictAction == ONCONFLICT_NOTHING || table->insert_mode == FDW_INSERT_INSERT)
		return "insert";
	return table->insert_mode == FDW_INSERT_UPSERT ? "upsert" : "replace";
}

void
cbconnExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private, int subplan_index,
						   ExplainState *es)
{
	const FdwTable *table = table_load(RelationGetRelid(rinfo->ri_RelationDesc));
	FdwModifyState *state = rinfo->ri_FdwState;

	ExplainPropertyText("Couchbase Write", explain_write((ModifyTable *) mtstate->ps.plan, table), es);
	ExplainPropertyText("Keyspace", psprintf("%s.%s.%s", table->bucket, table->scope, table->collection), es);
	if (!es->analyze || state == NULL)
		return;
	modify_finish(state);
	ExplainPropertyInteger("Documents Written", NULL, state->applied, es);
	if (!es->timing)
		return;
	ExplainPropertyInteger("Requests", NULL, state->counters.requests + state->fetch_counters.requests, es);
	ExplainPropertyInteger("Round Trips", NULL, state->counters.round_trips + state->fetch_counters.round_trips, es);
	ExplainPropertyInteger("Retries", NULL, state->counters.retries + state->fetch_counters.retries, es);
}
