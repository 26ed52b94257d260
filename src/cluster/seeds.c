/*
 * seeds.c
 *		The hosts by which a cluster is entered: those of the connection string, or those that the SRV records of its
 *		only host name; looked up anew when no node answers any more.
 */
#include "postgres.h"

#include "handle.h"
#include "utils/memutils.h"

/* No name is asked for more often than this by one handle. */
#define SRV_INTERVAL		(10 * INT64CONST(1000000))
/* For how long a backend remembers that a name has no SRV records. */
#define SRV_NONE_LIFETIME	(300 * INT64CONST(1000000))
/* How many names it remembers. */
#define SRV_NONE_NAMES		16
/* How many of the hosts found are tried at once when no node answers. */
#define SEEDS_AT_ONCE		3

/* Names without records, whichever handle asked; nothing that a child process could not inherit. */
static struct
{
	char		name[280];
	char		servers[128];
	const char *why;			/* static text */
	int64		until;			/* of wait_now() */
}			without_records[SRV_NONE_NAMES];
static int	next_without_records = 0;

/* Why the name is known to have no records; NULL: nothing is known. */
static const char *
known_without_records(const char *name, const char *servers)
{
	for (int i = 0; i < SRV_NONE_NAMES; i++)
	{
		if (pg_strcasecmp(without_records[i].name, name) == 0 && strcmp(without_records[i].servers, servers) == 0 &&
			wait_now() < without_records[i].until)
			return without_records[i].why;
	}
	return NULL;
}

static void
remember_without_records(const char *name, const char *servers, const char *why)
{
	int			i = next_without_records;

	if (strlen(name) >= sizeof(without_records[i].name) || strlen(servers) >= sizeof(without_records[i].servers))
		return;
	strlcpy(without_records[i].name, name, sizeof(without_records[i].name));
	strlcpy(without_records[i].servers, servers, sizeof(without_records[i].servers));
	without_records[i].why = why;
	without_records[i].until = wait_now() + SRV_NONE_LIFETIME;
	next_without_records = (i + 1) % SRV_NONE_NAMES;
}

static const char *
name_servers(const ClusterHandle *handle)
{
	return handle->settings->dns_servers ? handle->settings->dns_servers : "";
}

/* ---- lists of seeds ---- */

static KvSeed *
new_seeds(ClusterHandle *handle, int count)
{
	return MemoryContextAllocZero(handle->cxt, sizeof(KvSeed) * Max(count, 1));
}

/* Takes over the list in place of the old one. */
static void
replace_seeds(ClusterHandle *handle, KvSeed *seeds, int count)
{
	for (int i = 0; i < handle->nseeds; i++)
		pfree(handle->seeds[i].host);
	if (handle->seeds != NULL)
		pfree(handle->seeds);
	handle->seeds = seeds;
	handle->nseeds = count;
}

/* Management ports stand for the data port of their host. */
static void
seeds_from_string(ClusterHandle *handle)
{
	const CbConnStr *connstr = handle->connstr;
	KvSeed	   *seeds = new_seeds(handle, (int) connstr->nhosts);

	for (size_t i = 0; i < connstr->nhosts; i++)
	{
		const CbConnHost *host = &connstr->hosts[i];
		char	   *name = host->zone ? psprintf("%s%%%s", host->host, host->zone) : pstrdup(host->host);

		seeds[i].host = MemoryContextStrdup(handle->cxt, name);
		seeds[i].given_port = host->port;
		seeds[i].port = host->port;
		if (host->port == 0 || host->proto == CB_PROTO_HTTP || host->proto == CB_PROTO_HTTPS)
			seeds[i].port = cb_connstr_default_port(handle->settings->tls);
		pfree(name);
	}
	replace_seeds(handle, seeds, (int) connstr->nhosts);
}

static void
seeds_from_records(ClusterHandle *handle, const DnsHost *hosts, int count)
{
	KvSeed	   *seeds = new_seeds(handle, count);

	for (int i = 0; i < count; i++)
	{
		seeds[i].host = MemoryContextStrdup(handle->cxt, hosts[i].host);
		seeds[i].given_port = hosts[i].port;
		seeds[i].port = hosts[i].port;
	}
	replace_seeds(handle, seeds, count);
}

static bool
is_seed(const ClusterHandle *handle, const DnsHost *host)
{
	for (int i = 0; i < handle->nseeds; i++)
	{
		if (handle->seeds[i].port == host->port && pg_strcasecmp(handle->seeds[i].host, host->host) == 0)
			return true;
	}
	return false;
}

/* ---- look-ups ---- */

/* The name to look up; NULL: the string's hosts are what they seem. */
static char *
srv_name(const ClusterHandle *handle)
{
	const CbSettings *settings = handle->settings;

	if (settings->dnssrv == CB_SRV_OFF ||
		(settings->dnssrv == CB_SRV_AUTO && !cb_connstr_srv_candidate(handle->connstr)))
		return NULL;
	return psprintf("_couchbase%s._tcp.%s", settings->tls ? "s" : "", handle->connstr->hosts[0].host);
}

static void
start_lookup(ClusterHandle *handle, const char *name)
{
	const CbSettings *settings = handle->settings;
	int64		now = wait_now();

	handle->srv_asked = now;
	handle->srv_deadline = now + settings->resolve_timeout;
	handle->srv_nitems = 0;
	handle->srv = dns_srv_start(name, strchr(handle->connstr->hosts[0].host, '.') == NULL,
								settings->resolve_timeout / 4, settings->dns_servers);
}

static void
end_lookup(ClusterHandle *handle)
{
	dns_free(handle->srv);
	handle->srv = NULL;
}

/* The look-up that a search for nodes started is over: hosts that are new are nodes to try, whatever they know. */
static void
take_new_hosts(ClusterHandle *handle)
{
	const DnsHost *hosts;
	int			count = dns_srv_hosts(handle->srv, &hosts);
	bool		any_new = false;

	for (int i = 0; i < count; i++)
		any_new |= !is_seed(handle, &hosts[i]);
	if (any_new)
	{
		seeds_from_records(handle, hosts, count);
		handle->config_doubted = true;
		handle->network = NULL;
		for (int i = 0; i < Min(count, SEEDS_AT_ONCE); i++)
		{
			KvConn	   *conn = handle_conn(handle, handle->seeds[i].host, handle->seeds[i].port);

			conn->retry_after = 0;
			(void) kv_conn_want(conn);
		}
	}
	end_lookup(handle);
}

void
seeds_step(ClusterHandle *handle, const WaitItem *items, int nitems)
{
	dns_step(handle->srv, items, nitems);
	if (handle->config != NULL && dns_done(handle->srv))
		take_new_hosts(handle);
}

void
seeds_check_deadline(ClusterHandle *handle, int64 now)
{
	if (handle->srv == NULL || dns_done(handle->srv))
		return;
	if (dns_deadline(handle->srv) - now < 1000)
		seeds_step(handle, NULL, 0);
	if (handle->srv != NULL && handle->config != NULL && now >= handle->srv_deadline)
		end_lookup(handle);
}

int64
seeds_deadline(const ClusterHandle *handle)
{
	return Min(handle->srv_deadline, dns_deadline(handle->srv));
}

void
seeds_forget(ClusterHandle *handle)
{
	end_lookup(handle);
}

void
seeds_in_reserve(ClusterHandle *handle)
{
	if (handle->nseeds == 0)
		seeds_from_string(handle);
	for (int i = 0; i < handle->nseeds; i++)
	{
		int			before = handle->nconns;
		KvConn	   *conn = handle_conn(handle, handle->seeds[i].host, handle->seeds[i].port);

		/* as if it had been met and had left the config */
		if (handle->nconns > before)
			conn->retired = true;
	}
}

/* Whether every node that is known was tried since it last worked, and failed. */
static bool
all_nodes_failed(const ClusterHandle *handle)
{
	for (int i = 0; i < handle->nconns; i++)
	{
		const KvConn *conn = handle->conns[i];

		if (conn->state == KV_CONN_READY || (!conn->retired && conn->failures == 0))
			return false;
	}
	return true;
}

void
seeds_refresh(ClusterHandle *handle)
{
	char	   *name;

	if (handle->srv != NULL || wait_now() - handle->srv_asked < SRV_INTERVAL || !all_nodes_failed(handle))
		return;
	name = srv_name(handle);
	if (name == NULL)
		return;
	if (known_without_records(name, name_servers(handle)) == NULL)
		start_lookup(handle, name);
	if (handle->srv != NULL && dns_done(handle->srv))
		take_new_hosts(handle);
	pfree(name);
}

/* What came of a look-up at the start, in words; NULL: hosts, which are the seeds now. */
static const char *
take_first_hosts(ClusterHandle *handle, const char *name)
{
	const DnsHost *hosts;
	int			count;

	handle->srv_unsure = handle->srv == NULL || !dns_srv_none(handle->srv);
	if (handle->srv == NULL)
		return "the resolver could not be started";
	if (!dns_done(handle->srv))
		return "no answer in time";
	count = dns_srv_hosts(handle->srv, &hosts);
	if (count > 0)
	{
		seeds_from_records(handle, hosts, count);
		return NULL;
	}
	if (!handle->srv_unsure)
		remember_without_records(name, name_servers(handle), dns_failure(handle->srv));
	return dns_failure(handle->srv);
}

/* Waits for the look-up; what it found, or why nothing. */
static const char *
look_up(ClusterHandle *handle, const char *name, int64 deadline, ClusterCounters *counters)
{
	const char *why = known_without_records(name, name_servers(handle));

	handle->srv_unsure = false;
	if (why != NULL)
		return why;
	end_lookup(handle);
	start_lookup(handle, name);
	deadline = Min(deadline, handle->srv_deadline);
	while (handle->srv != NULL && !dns_done(handle->srv) && wait_now() < deadline)
		handle_wait(handle, deadline, false, counters);
	why = take_first_hosts(handle, name);
	end_lookup(handle);
	return why;
}

void
seeds_find(ClusterHandle *handle, int64 deadline, ClusterCounters *counters)
{
	char	   *name = srv_name(handle);
	const char *why;

	if (handle->nseeds > 0 && (name == NULL || wait_now() - handle->srv_asked < SRV_INTERVAL))
		return;
	why = name != NULL ? look_up(handle, name, deadline, counters) : NULL;
	if (name != NULL && why == NULL)
	{
		handle->srv_note[0] = '\0';
		return;
	}
	if (name != NULL)
	{
		snprintf(handle->srv_note, sizeof(handle->srv_note), "SRV records of %s: %s.", name, why);
		if (handle->settings->dnssrv == CB_SRV_ON)
			ereport(ERROR,
					(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
					 errmsg("could not look up the nodes of server \"%s\"", handle->servername),
					 errdetail("%s", handle->srv_note)));
		if (handle->srv_unsure)
			ereport(LOG,
					(errmsg("could not look up the nodes of server \"%s\", using the host name itself",
							handle->servername),
					 errdetail("%s", handle->srv_note)));
	}
	seeds_from_string(handle);
}
