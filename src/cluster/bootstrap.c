/*
 * bootstrap.c
 *		The first config of a handle: a kept one, or from its seeds, one after another, until one has it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "config_cache.h"
#include "handle.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Pause before the hosts are tried again, when one of them promised to be ready soon. */
#define ROUND_PAUSE		500000

/* Waits until the node has given a config or failed; throws only for what no other node can mend. */
static void
try_seed(ClusterHandle *handle, KvConn *conn, int64 deadline, ClusterCounters *counters)
{
	int			failures = conn->failures;
	int64		started = wait_now();

	/* The user asks now: an earlier failure is no reason not to try. */
	if (conn->state == KV_CONN_CLOSED)
		conn->retry_after = 0;
	(void) kv_conn_want(conn);
	while (handle->config == NULL && conn->state != KV_CONN_CLOSED && wait_now() < deadline)
		handle_wait(handle, deadline, false, counters);
	slow_note(handle, "connecting", conn->name,
			  conn->state == KV_CONN_CLOSED && conn->failure.sqlstate != 0 ? conn->failure.step : "connect",
			  wait_now() - started);
	if (handle->config == NULL && conn->state == KV_CONN_CLOSED && conn->failure.fatal && conn->failures > failures)
		cluster_raise(handle, NULL, &conn->failure);
}

/* Couchbase's own cloud service. */
static bool
is_capella(const char *host)
{
	static const char suffix[] = ".cloud.couchbase.com";
	size_t		len = strlen(host);

	if (len > 0 && host[len - 1] == '.')
		len--;
	return len >= sizeof(suffix) && pg_strncasecmp(host + len - (sizeof(suffix) - 1), suffix, sizeof(suffix) - 1) == 0;
}

static void
raise_failures(ClusterHandle *handle, KvConn **seeds, int nseeds, bool timed_out)
{
	StringInfoData detail;
	const char *hint = NULL;
	int			sqlstate = 0;

	initStringInfo(&detail);
	for (int i = 0; i < nseeds; i++)
	{
		const KvConn *conn = seeds[i];
		const char *text = conn->failure.text;
		const char *step = conn->step;

		if (conn->state != KV_CONN_CLOSED)
			text = "no answer in time";
		else if (conn->failure.sqlstate == 0)
			text = "not tried";
		else
		{
			step = conn->failure.step;
			if (sqlstate == 0)
				sqlstate = conn->failure.sqlstate;
			else if (sqlstate != conn->failure.sqlstate)
				sqlstate = ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION;
		}
		if (hint == NULL && conn->failure.sqlstate != 0)
			hint = conn->failure.hint;
		appendStringInfo(&detail, "%sNode %s, step %s: %s.", i > 0 ? "\n" : "", conn->name, step,
						 cluster_printable_cstr(text));
	}
	if (handle->srv_note[0] != '\0')
		appendStringInfo(&detail, "\n%s", cluster_printable_cstr(handle->srv_note));
	if (hint == NULL && !handle->settings->tls && is_capella(handle->connstr->hosts[0].host))
		hint = "Capella takes TLS only: use couchbases:// in the connection string.";
	if (sqlstate == 0)
		sqlstate = ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION;
	if (sqlstate == ERRCODE_UNDEFINED_DATABASE)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("bucket \"%s\" does not exist on server \"%s\"", handle->bucket, handle->servername),
				 errdetail("%s", detail.data)));
	ereport(ERROR,
			(errcode(sqlstate),
			 timed_out ? errmsg("could not connect to server \"%s\" within %.1f s", handle->servername,
								handle->settings->bootstrap_timeout / 1e6)
			 : errmsg("could not connect to server \"%s\"", handle->servername),
			 errdetail("%s", detail.data),
			 hint ? errhint("%s", hint) : 0));
}

static bool
worth_another_round(KvConn **seeds, int nseeds)
{
	for (int i = 0; i < nseeds; i++)
	{
		/* It promised to be ready soon, or is there, but slow. */
		if (seeds[i]->failure.sqlstate == ERRCODE_CANNOT_CONNECT_NOW ||
			(seeds[i]->answered && seeds[i]->failure.sqlstate == ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION))
			return true;
	}
	return false;
}

/*
 * A statement that was planned in vain does not try again when it is executed: the same error comes at once. Another
 * statement does, and so does a function that has caught the error.
 */
static void
raise_again(ClusterHandle *handle)
{
	const KvBootstrapFailure *failed = &handle->bootstrap_failure;

	if (failed->error != NULL && failed->statement == GetCurrentStatementStartTimestamp() &&
		failed->subid == GetCurrentSubTransactionId())
		ThrowErrorData(failed->error);
}

/* In a PG_CATCH block. */
static void
remember_failure(ClusterHandle *handle)
{
	KvBootstrapFailure *failed = &handle->bootstrap_failure;
	MemoryContext old;

	if (failed->cxt == NULL)
		failed->cxt = AllocSetContextCreate(handle->cxt, "cbconn_fdw failure", ALLOCSET_SMALL_SIZES);
	failed->error = NULL;
	MemoryContextReset(failed->cxt);
	if (!cluster_is_remote(geterrcode()))
		return;
	old = MemoryContextSwitchTo(failed->cxt);
	failed->error = CopyErrorData();
	/* It gets another one where it is thrown. */
	failed->error->context = NULL;
	failed->statement = GetCurrentStatementStartTimestamp();
	failed->subid = GetCurrentSubTransactionId();
	MemoryContextSwitchTo(old);
}

/* Asks one host after the other. */
static void
ask_seeds(ClusterHandle *handle, int64 deadline, ClusterCounters *counters)
{
	int			nseeds;
	KvConn	  **seeds;
	int			first;

	seeds_find(handle, deadline, counters);
	nseeds = handle->nseeds;
	seeds = palloc(sizeof(KvConn *) * nseeds);
	for (int i = 0; i < nseeds; i++)
		seeds[i] = handle_conn(handle, handle->seeds[i].host, handle->seeds[i].port);

	/* Backends spread over the hosts, unless they are to be tried in order. */
	first = handle->settings->randomize_nodes ? MyProcPid % nseeds : 0;
	for (;;)
	{
		for (int i = 0; i < nseeds && handle->config == NULL && wait_now() < deadline; i++)
			try_seed(handle, seeds[(first + i) % nseeds], deadline, counters);
		if (handle->config != NULL)
			break;
		if (wait_now() >= deadline)
			raise_failures(handle, seeds, nseeds, true);
		if (!worth_another_round(seeds, nseeds))
			raise_failures(handle, seeds, nseeds, false);
		for (int64 until = Min(wait_now() + ROUND_PAUSE, deadline); wait_now() < until;)
			handle_wait(handle, until, false, counters);
	}
	pfree(seeds);
}

void
cluster_bootstrap(ClusterHandle *handle, ClusterCounters *counters)
{
	cluster_bootstrap_for(handle, 0, NULL, counters);
}

void
cluster_bootstrap_for(ClusterHandle *handle, int nkeys, const KvKey *keys, ClusterCounters *counters)
{
	int64		deadline;

	if (handle->config != NULL && !handle->provisional)
		return;
	handle->used_in_xact = true;
	raise_again(handle);
	PG_TRY();
	{
		deadline = wait_now() + handle->settings->bootstrap_timeout;
		if (!config_cache_start(handle, nkeys, keys, deadline, counters))
			ask_seeds(handle, deadline, counters);
	}
	PG_CATCH();
	{
		remember_failure(handle);
		PG_RE_THROW();
	}
	PG_END_TRY();
}
