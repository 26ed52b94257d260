/*
 * parallel.c
 *		Parallel scans: all participants take vBuckets from one counter in shared memory, each over connections of its
 *		own (P2).
 */
#include "exec.h"

#include "../cluster/mutate.h"

#include "access/parallel.h"
#include "port/atomics.h"

/* In dynamic shared memory; no pointers. Tokens of the leader's writes lie behind the counters. */
struct ParallelScan
{
	pg_atomic_uint32 next_vbucket;
	int			nworkers;
	int			ntokens;
	ClusterCounters counters[FLEXIBLE_ARRAY_MEMBER];	/* by worker number; each writes its own */
};

static ClusterToken *
parallel_tokens(ParallelScan *parallel)
{
	return (ClusterToken *) &parallel->counters[parallel->nworkers];
}

/* Writes of this session that the workers, on handles of their own, could not know of. */
static int
parallel_count_tokens(FdwScanState *state)
{
	KvCollection *collection;

	return cluster_tokens(table_connect(state->table, state->userid, &collection), NULL, 0);
}

/* Nothing a scan needs is bound to the leader: a worker connects by itself, as the same user. */
bool
cbconnIsForeignScanParallelSafe(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte)
{
	return true;
}

Size
cbconnEstimateDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt)
{
	FdwScanState *state = node->fdw_state;
	Size		size = add_size(offsetof(ParallelScan, counters), mul_size(pcxt->nworkers, sizeof(ClusterCounters)));

	return add_size(size, mul_size(parallel_count_tokens(state), sizeof(ClusterToken)));
}

void
cbconnInitializeDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt, void *coordinate)
{
	FdwScanState *state = node->fdw_state;
	ParallelScan *parallel = coordinate;
	KvCollection *collection;

	pg_atomic_init_u32(&parallel->next_vbucket, 0);
	parallel->nworkers = pcxt->nworkers;
	memset(parallel->counters, 0, sizeof(ClusterCounters) * pcxt->nworkers);
	parallel->ntokens = parallel_count_tokens(state);
	cluster_tokens(table_connect(state->table, state->userid, &collection), parallel_tokens(parallel),
				   parallel->ntokens);
	state->parallel = parallel;
}

/* Before workers are launched again for a rescan. */
void
cbconnReInitializeDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt, void *coordinate)
{
	FdwScanState *state = node->fdw_state;

	state->parallel = coordinate;
	parallel_collect(state);
	pg_atomic_write_u32(&state->parallel->next_vbucket, 0);
}

void
cbconnInitializeWorkerForeignScan(ForeignScanState *node, shm_toc *toc, void *coordinate)
{
	((FdwScanState *) node->fdw_state)->parallel = coordinate;
}

void
parallel_take_tokens(FdwScanState *state)
{
	if (IsParallelWorker())
		cluster_add_tokens(state->handle, parallel_tokens(state->parallel), state->parallel->ntokens);
}

int
parallel_next_vbucket(void *arg)
{
	FdwScanState *state = arg;
	uint32		vbucket;

	if (state->parallel == NULL)	/* shut down: nobody wants more */
		return -1;
	vbucket = pg_atomic_fetch_add_u32(&state->parallel->next_vbucket, 1);
	parallel_publish(state);
	return vbucket < cluster_vbucket_count(state->handle) ? (int) vbucket : -1;
}

void
parallel_publish(FdwScanState *state)
{
	if (IsParallelWorker())
		state->parallel->counters[ParallelWorkerNumber] = state->counters;
}

void
parallel_collect(FdwScanState *state)
{
	for (int i = 0; i < state->parallel->nworkers; i++)
	{
		ClusterCounters *worker = &state->parallel->counters[i];

		state->workers.requests += worker->requests;
		state->workers.round_trips += worker->round_trips;
		state->workers.documents += worker->documents;
		state->workers.bytes_received += worker->bytes_received;
		state->workers.retries += worker->retries;
		state->workers.connects += worker->connects;
		state->workers.server_us += worker->server_us;
		memset(worker, 0, sizeof(*worker));
	}
}
