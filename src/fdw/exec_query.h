/*
 * exec_query.h
 *		Scans through the query service, for the executor and EXPLAIN.
 */
#ifndef CBCONN_EXEC_QUERY_H
#define CBCONN_EXEC_QUERY_H

#include "exec.h"

#include "../cluster/query.h"

/* Reads what the plan says; sends nothing. */
extern QueryScan *query_scan_init(FdwScanState *state, ForeignScanState *node);

/* Sends the statement with the parameters' values of now, for the first time or anew. */
extern void query_scan_start(QueryScan *scan, FdwScanState *state, ExprContext *econtext);

/* The next row as a document: valid until the next call; NULL at the end. */
extern const ClusterDoc *query_scan_next(QueryScan *scan, FdwScanState *state);

/* What the setting says, else the table. */
extern QueryConsistency query_scan_consistency(const FdwTable *table);

extern void query_scan_end(QueryScan *scan);
extern const char *query_scan_statement(const QueryScan *scan);
extern const QueryMetrics *query_scan_metrics(const QueryScan *scan);

#endif							/* CBCONN_EXEC_QUERY_H */
