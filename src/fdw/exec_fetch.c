/*
 * exec_fetch.c
 *		Starts the look-up of named keys.
 */
#include "exec.h"

/* What each document is asked for; decided once per scan. */
static void
fetch_create(FdwScanState *state)
{
	const RowNeeds *needs = row_decoder_needs(state->decoder);
	KvFetchSpec spec = {0};

	if (state->paths)
	{
		spec.npaths = needs->npaths;
		spec.paths = needs->paths;
	}
	spec.want_meta = needs->meta;
	spec.want_body = needs->body && !state->paths;
	state->fetch = kv_fetch_create(state->handle, state->collection, &spec, state->cxt, &state->counters);
}

/* Sends the requests; the keys need to live no longer than this call. */
void
fetch_start(FdwScanState *state, ExprContext *econtext)
{
	KvKey	   *keys;
	int			nkeys = keys_evaluate(state, econtext, &keys);

	state->at_end = nkeys == 0;
	if (nkeys == 0)
		return;
	if (state->fetch == NULL)
		fetch_create(state);
	kv_fetch_start(state->fetch, nkeys, keys);
}
