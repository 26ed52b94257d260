/*
 * guc.c
 *		Settings that switch single access paths off, as PostgreSQL's enable_seqscan and its kin do.
 */
#include "ship.h"

#include "utils/guc.h"

bool		guc_enable_key_lookup = true;
bool		guc_enable_key_range = true;
bool		guc_enable_key_order = true;
bool		guc_enable_query = true;
bool		guc_enable_condition_pushdown = true;
bool		guc_enable_text_pushdown = true;
bool		guc_enable_math_pushdown = true;
bool		guc_enable_time_pushdown = true;
bool		guc_enable_json_pushdown = true;
bool		guc_enable_array_pushdown = true;
bool		guc_enable_case_pushdown = true;
bool		guc_enable_sort_pushdown = true;
bool		guc_enable_limit_pushdown = true;
bool		guc_enable_parameter_pushdown = true;
int			guc_scan_consistency = -1;

static const struct config_enum_entry consistency_entries[] = {
	{"default", -1, false},
	{"not_bounded", QUERY_NOT_BOUNDED, false},
	{"request_plus", QUERY_REQUEST_PLUS, false},
	{"at_plus", QUERY_AT_PLUS, false},
	{NULL, 0, false}
};

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
	guc_define("cbconn_fdw.enable_query",
			   "Enables the planner's use of the Couchbase query service where the option access leaves the choice.",
			   &guc_enable_query);
	guc_define("cbconn_fdw.enable_condition_pushdown",
			   "Enables conditions in statements for the Couchbase query service.",
			   &guc_enable_condition_pushdown);
	guc_define("cbconn_fdw.enable_text_pushdown",
			   "Enables LIKE and functions of text there.",
			   &guc_enable_text_pushdown);
	guc_define("cbconn_fdw.enable_math_pushdown",
			   "Enables arithmetic there.",
			   &guc_enable_math_pushdown);
	guc_define("cbconn_fdw.enable_time_pushdown",
			   "Enables comparisons of dates and times there.",
			   &guc_enable_time_pushdown);
	guc_define("cbconn_fdw.enable_json_pushdown",
			   "Enables operators of json and jsonb there.",
			   &guc_enable_json_pushdown);
	guc_define("cbconn_fdw.enable_array_pushdown",
			   "Enables operators of array columns there.",
			   &guc_enable_array_pushdown);
	guc_define("cbconn_fdw.enable_case_pushdown",
			   "Enables CASE, COALESCE, NULLIF, GREATEST and LEAST there.",
			   &guc_enable_case_pushdown);
	guc_define("cbconn_fdw.enable_sort_pushdown",
			   "Enables ORDER BY in statements for the Couchbase query service.",
			   &guc_enable_sort_pushdown);
	guc_define("cbconn_fdw.enable_limit_pushdown",
			   "Enables LIMIT in statements for the Couchbase query service.",
			   &guc_enable_limit_pushdown);
	guc_define("cbconn_fdw.enable_parameter_pushdown",
			   "Enables statements for the Couchbase query service on the inner side of joins.",
			   &guc_enable_parameter_pushdown);
	DefineCustomEnumVariable("cbconn_fdw.scan_consistency",
							 "What the indexes of the Couchbase query service must hold, in place of the options.",
							 NULL, &guc_scan_consistency, -1, consistency_entries, PGC_USERSET, GUC_EXPLAIN, NULL, NULL,
							 NULL);
}
