/*
 * Aggregates and window functions: their names and what may stand with them. The pipeline computes them.
 */
#include "n1ql.h"

#define ALL N1F_AGGREGATE
#define WIN N1F_WINDOW

static const N1Func funcs[] = {
	{"array_agg", 1, 1, NULL, ALL},
	{"avg", 1, 1, NULL, ALL},
	{"count", 1, 1, NULL, ALL},
	{"countn", 1, 1, NULL, ALL},
	{"cume_dist", 0, 0, NULL, WIN},
	{"dense_rank", 0, 0, NULL, WIN},
	{"first_value", 1, 1, NULL, WIN | N1F_NULLS},
	{"lag", 1, 3, NULL, WIN | N1F_NULLS},
	{"last_value", 1, 1, NULL, WIN | N1F_NULLS},
	{"lead", 1, 3, NULL, WIN | N1F_NULLS},
	{"max", 1, 1, NULL, ALL},
	{"mean", 1, 1, NULL, ALL},
	{"median", 1, 1, NULL, ALL},
	{"min", 1, 1, NULL, ALL},
	{"nth_value", 2, 2, NULL, WIN | N1F_NULLS},
	{"ntile", 1, 1, NULL, WIN},
	{"percent_rank", 0, 0, NULL, WIN},
	{"rank", 0, 0, NULL, WIN},
	{"ratio_to_report", 1, 1, NULL, WIN},
	{"row_number", 0, 0, NULL, WIN},
	{"stddev", 1, 1, NULL, ALL},
	{"stddev_pop", 1, 1, NULL, ALL},
	{"stddev_samp", 1, 1, NULL, ALL},
	{"sum", 1, 1, NULL, ALL},
	{"var_pop", 1, 1, NULL, ALL},
	{"var_samp", 1, 1, NULL, ALL},
	{"variance", 1, 1, NULL, ALL},
	{"variance_pop", 1, 1, NULL, ALL},
	{"variance_samp", 1, 1, NULL, ALL},
};

const N1FuncTable n1_funcs_aggregate = {funcs, sizeof(funcs) / sizeof(funcs[0])};
