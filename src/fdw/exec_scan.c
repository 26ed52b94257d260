/*
 * exec_scan.c
 *		Starts the range scan of a collection, whole or between bounds.
 */
#include "exec.h"

void
range_start(FdwScanState *state, ExprContext *econtext)
{
	KvScanSpec	spec = {0};

	state->at_end = !keys_evaluate_bounds(state, econtext, &spec.start, &spec.end);
	if (state->at_end)
		return;
	spec.keys_only = (state->flags & SCAN_FLAG_KEYS_ONLY) != 0;
	spec.ordered = (state->flags & SCAN_FLAG_ORDERED) != 0;
	spec.limit_hint = state->limit;
	if (state->parallel != NULL)
	{
		spec.next_vbucket = parallel_next_vbucket;
		spec.next_vbucket_arg = state;
		parallel_take_tokens(state);
	}
	if (state->scan == NULL)
	{
		state->scan = kv_scan_create(state->handle, state->collection, &spec, state->cxt, &state->counters);
		kv_scan_start(state->scan, NULL);
	}
	else
		kv_scan_start(state->scan, &spec);
}
