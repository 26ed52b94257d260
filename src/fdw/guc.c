/*
 * guc.c
 *		Settings that switch single access paths off, as PostgreSQL's enable_seqscan and its kin do.
 */
#include "scan.h"

#include "utils/guc.h"

bool		guc_enable_key_lookup = true;
bool		guc_enable_key_range = true;
bool		guc_enable_key_order = true;

static void
guc_define(const char *name, const char *description, bool *variable)
{
	DefineCustomBoolVariable(name, description, NULL, variable, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
}

void
guc_init(void)
{
	guc_define("cbconn_fdw.enable_key_lookup",
			   "Enables the planner's use of Couchbase key look-ups.",
			   &guc_enable_key_lookup);
	guc_define("cbconn_fdw.enable_key_range",
			   "Enables the planner's use of key ranges and prefixes in Couchbase range scans.",
			   &guc_enable_key_range);
	guc_define("cbconn_fdw.enable_key_order",
			   "Enables the planner's use of Couchbase range scans in key order.",
			   &guc_enable_key_order);
}
