/*
 * diag.c
 *		Every step from a connection string to nodes that take requests, tried one by one and told of.
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "diag.h"
#include "handle.h"
#include "../protocol/vbucket.h"
#include "lib/stringinfo.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* Steps of a node connection in their order, by the names that kv_conn, kv_secure and kv_handshake give them. */
typedef enum DiagStep
{
	STEP_DNS,
	STEP_TCP,
	STEP_TLS,
	STEP_HELLO,
	STEP_SASL,
	STEP_BUCKET,
	STEP_CONFIG,
	STEP_READY
} DiagStep;

static const struct
{
	const char *name;
	const char *advice;
}			steps[] = {
	[STEP_DNS] = {"DNS look-up", "Check the host name, and the name servers that the database server asks."},
	[STEP_TCP] = {"TCP connect", "Is the port the data service's (11210, with TLS 11207)? Is the service up, "
	"and does no firewall stand between? Nodes with addresses for inside the cluster only may have others: "
	"option \"network\"."},
	[STEP_TLS] = {"TLS handshake", "Check the authority (\"truststorepath\"), the host name, "
	"and the client certificate."},
	[STEP_HELLO] = {"HELLO", "Something else than Couchbase's data service may listen there."},
	[STEP_SASL] = {"SASL authentication", "Check username and password of the user mapping."},
	[STEP_BUCKET] = {"bucket selection", "Check the bucket's name, and that the user has a role on it."},
	[STEP_CONFIG] = {"cluster config", "The bucket may be warming up or being created: try again."},
	[STEP_READY] = {"operation", NULL}
};

/* The way of one connection through these steps. */
typedef struct Trace
{
	KvConn	   *conn;
	char	   *target;
	DiagStep	at;				/* the steps before it are told of */
	int64		since;			/* when it began */
	int64		asked;			/* wait_now() of the request for data; 0: not yet */
	bool		done;
	List	   *checks;
} Trace;

/* ---- what is told ---- */

List *
diag_add(List *checks, const char *step, const char *target, bool ok, int64 us, const char *detail, const char *advice)
{
	ClusterCheck *check = palloc(sizeof(ClusterCheck));

	check->step = step;
	check->target = target;
	check->ok = ok;
	check->us = us;
	check->detail = detail;
	check->advice = advice;
	return lappend(checks, check);
}

static void
append_address(StringInfo text, const SockAddress *address)
{
	char		buffer[INET6_ADDRSTRLEN] = "";

	if (address->addr.ss_family == AF_INET)
		(void) inet_ntop(AF_INET, &((const struct sockaddr_in *) &address->addr)->sin_addr, buffer, sizeof(buffer));
	else
		(void) inet_ntop(AF_INET6, &((const struct sockaddr_in6 *) &address->addr)->sin6_addr, buffer, sizeof(buffer));
	appendStringInfo(text, "%s%s", text->len > 0 ? ", " : "", buffer);
}

static char *
config_in_words(const ClusterHandle *handle)
{
	const CbConfig *config = handle->config;

	return psprintf("revision %lld of epoch %lld, %zu nodes, %u vBuckets, %u replicas, network \"%s\"",
					(long long) config->version.rev, (long long) config->version.epoch, config->nnodes,
					config->nvbuckets, config->nreplicas, cluster_printable_cstr(handle->network));
}

/* What a step that went well has found, as long as the connection knows. */
static char *
found(const Trace *trace, DiagStep step)
{
	const KvConn *conn = trace->conn;
	StringInfoData text;

	initStringInfo(&text);
	switch (step)
	{
		case STEP_DNS:
			for (int i = 0; i < conn->naddresses; i++)
				append_address(&text, &conn->addresses[i]);
			return text.data;
		case STEP_TCP:
			if (conn->next_address > 0)
				append_address(&text, &conn->addresses[conn->next_address - 1]);
			return text.data;
		case STEP_HELLO:
			return conn->features == 0 ? NULL : psprintf("%d features agreed on", pg_popcount64(conn->features));
		case STEP_SASL:
			return psprintf("user \"%s\", %s", conn->handle->username, cb_sasl_name(conn->mech));
		case STEP_BUCKET:
			return psprintf("bucket \"%s\"", conn->handle->bucket);
		case STEP_CONFIG:
			return conn->handle->config == NULL ? NULL : config_in_words(conn->handle);
		default:
			return NULL;
	}
}

/* Whether a connection of this kind has the step at all. */
static bool
applies(const Trace *trace, DiagStep step)
{
	const ClusterHandle *handle = trace->conn->handle;
	SockAddress address;

	switch (step)
	{
		case STEP_DNS:
			return !dns_numeric(trace->conn->host, trace->conn->port, &address);
		case STEP_TLS:
			return handle->tls != NULL;
		case STEP_SASL:
			return handle->username != NULL &&
				(!handle->has_certificate || handle->settings->credentials_with_cert);
		default:
			return true;
	}
}

/* ---- following connections ---- */

/* A host that gave its configuration, in which it is not itself under this address, is closed then: it got through. */
static bool
got_through(const Trace *trace)
{
	const KvConn *conn = trace->conn;

	return conn->state == KV_CONN_READY ||
		(conn->state == KV_CONN_CLOSED && conn->failure.sqlstate == 0 && trace->at >= STEP_HELLO &&
		 conn->handle->config != NULL);
}

static DiagStep
step_of(const Trace *trace)
{
	if (got_through(trace))
		return STEP_READY;
	for (int i = 0; i < STEP_READY; i++)
	{
		if (strcmp(steps[i].name, trace->conn->step) == 0)
			return (DiagStep) i;
	}
	return trace->at;
}

static const char *
advice_on(DiagStep step, const KvFailure *failure)
{
	if (failure->hint != NULL)
		return failure->hint;
	if (step == STEP_CONFIG && failure->sqlstate == ERRCODE_PROTOCOL_VIOLATION)
		return "The node's answer is not understood: compare its release, and what stands between, with other nodes.";
	if (step == STEP_CONFIG && failure->sqlstate == ERRCODE_FEATURE_NOT_SUPPORTED)
		return "The cluster or bucket is not of the kind that the connection string asks for: change one of them.";
	return steps[step].advice;
}

/* ---- a request for data ---- */

/* A key of a vBucket that the node has; false: it has none. */
static bool
key_on_node(const KvConn *conn, char *key, size_t size, uint16 *vbucket)
{
	ClusterHandle *handle = conn->handle;
	uint32		n = handle->config->nvbuckets;

	for (uint32 i = 0; i < 64 * n; i++)
	{
		snprintf(key, size, "cbconn_diag %u", i);
		*vbucket = cb_vbucket_of(cb_span_cstr(key), n);
		if (topology_conn(handle, *vbucket) == conn)
			return true;
	}
	return false;
}

/* Looks for a document, which is not there as a rule. False: the node has no vBucket to ask for. */
static bool
ask_for_data(Trace *trace)
{
	KvConn	   *conn = trace->conn;
	char		key[32];
	CbDocRef	ref;

	if (!key_on_node(conn, key, sizeof(key), &ref.vbucket))
		return false;
	conn->ping_number++;
	conn->ping_answered = 0;
	ref.opaque = kv_conn_request(conn, NULL, conn->ping_number, CB_OP_GET, KV_REPLY_PING);
	ref.has_collection = cb_has_feature(conn->features, CB_FEATURE_COLLECTIONS);
	ref.collection_id = 0;
	ref.key = cb_span_cstr(key);
	kv_conn_requested(conn, ref.opaque, cb_kv_get(&conn->out, &ref));
	trace->asked = wait_now();
	return true;
}

static void
tell_data(Trace *trace, bool ok, const char *detail, const char *advice)
{
	trace->checks = diag_add(trace->checks, "data request", trace->target, ok, wait_now() - trace->asked, detail,
							 advice);
	trace->done = true;
}

/* What the node's answer to the request for data means. That there is no such document or collection is fine. */
static void
judge_data(Trace *trace, uint16 status)
{
	const char *words = cb_status_text(status);
	const char *text = psprintf("%s (status %02x)", words ? words : "the node refused the request", status);

	switch (status)
	{
		case CB_STATUS_SUCCESS:
		case CB_STATUS_KEY_ENOENT:
		case CB_STATUS_LOCKED:
		case CB_STATUS_UNKNOWN_COLLECTION:
		case CB_STATUS_UNKNOWN_SCOPE:
			tell_data(trace, true, NULL, NULL);
			break;
		case CB_STATUS_EACCESS:
			tell_data(trace, true, "no right to read the default collection; the node answers",
					  "Tables need the role data_reader on their own collection.");
			break;
		case CB_STATUS_TMPFAIL:
		case CB_STATUS_EBUSY:
		case CB_STATUS_NOT_INITIALIZED:
		case CB_STATUS_NO_BUCKET:
		case CB_STATUS_CONFIG_ONLY:
			tell_data(trace, false, text, "The bucket warms up on the node, or is being created: wait.");
			break;
		case CB_STATUS_NOT_MY_VBUCKET:
			tell_data(trace, false, text, "The vBucket is moving to another node: try again.");
			break;
		default:
			tell_data(trace, false, text, "The node's log (memcached.log) tells more.");
			break;
	}
}

static void
follow_data(Trace *trace)
{
	KvConn	   *conn = trace->conn;

	if (conn->ping_answered != 0)
		judge_data(trace, conn->ping_status);
	else if (conn->state != KV_CONN_READY)
		tell_data(trace, false, conn->failure.sqlstate != 0 ? cluster_printable_cstr(conn->failure.text)
				  : "the connection was closed", "The node's log (memcached.log) tells more.");
	else if (wait_now() >= trace->asked + conn->handle->settings->kv_timeout)
		tell_data(trace, false, "no answer in time",
				  "The node is overloaded, or its disks are: look at its load, or allow more by \"kv_timeout\".");
}

/* ---- following ---- */

/*
 * Tells of the steps that are over since the last look. What came in one packet with the end of another step took no
 * time of its own. A connection made anew goes through steps that have been told of: nothing new.
 */
static void
follow(Trace *trace)
{
	KvConn	   *conn = trace->conn;
	DiagStep	now_at = step_of(trace);
	int64		now = wait_now();

	while (trace->at < now_at)
	{
		if (applies(trace, trace->at))
		{
			trace->checks = diag_add(trace->checks, steps[trace->at].name, trace->target, true, now - trace->since,
								found(trace, trace->at), NULL);
			trace->since = now;
		}
		trace->at++;
	}
	if (conn->state == KV_CONN_CLOSED && now_at != STEP_READY)
	{
		const KvFailure *failure = &conn->failure;
		bool		left = failure->sqlstate == 0;

		trace->checks = diag_add(trace->checks, steps[now_at].name, trace->target, false, now - trace->since,
							left ? "the cluster does not list the node under this address any more"
							: cluster_printable_cstr(failure->text),
							advice_on(now_at, failure));
	}
	trace->done = conn->state == KV_CONN_CLOSED || (conn->state == KV_CONN_READY && !ask_for_data(trace));
}

/* Connects to all of them at once, until each has answered a request for data, or failed. */
static List *
follow_all(ClusterHandle *handle, Trace *traces, int n, List *checks)
{
	bool		busy = n > 0;

	for (int i = 0; i < n; i++)
	{
		traces[i].since = wait_now();
		traces[i].target = pstrdup(traces[i].conn->name);
		(void) kv_conn_want(traces[i].conn);
	}
	while (busy)
	{
		int64		deadline = WAIT_FOREVER;

		busy = false;
		for (int i = 0; i < n; i++)
		{
			if (!traces[i].done && traces[i].asked != 0)
				follow_data(&traces[i]);
			else if (!traces[i].done)
				follow(&traces[i]);
			if (!traces[i].done && traces[i].asked != 0)
				deadline = Min(deadline, traces[i].asked + handle->settings->kv_timeout);
			busy |= !traces[i].done;
		}
		if (busy)
			handle_wait(handle, deadline, false, NULL);
	}
	for (int i = 0; i < n; i++)
		checks = list_concat(checks, traces[i].checks);
	return checks;
}

/* ---- what is tried ---- */

typedef struct Opening
{
	const ClusterTarget *target;
	ClusterHandle *handle;
} Opening;

static void
open_handle(void *arg)
{
	Opening    *opening = arg;

	opening->handle = handle_create(opening->target);
}

/* A handle of our own with the hosts that another has found, which the choice of network looks at. */
static ClusterHandle *
private_handle(const ClusterTarget *target, const ClusterHandle *first)
{
	ClusterHandle *handle = handle_create(target);

	MemoryContextSetParent(handle->cxt, CurrentMemoryContext);
	handle->insists = true;
	handle->seeds = MemoryContextAllocZero(handle->cxt, sizeof(KvSeed) * Max(first->nseeds, 1));
	for (int i = 0; i < first->nseeds; i++)
	{
		handle->seeds[i] = first->seeds[i];
		handle->seeds[i].host = MemoryContextStrdup(handle->cxt, first->seeds[i].host);
	}
	handle->nseeds = first->nseeds;
	return handle;
}

static char *
settings_in_words(const ClusterHandle *handle)
{
	return psprintf("%zu host%s, bucket \"%s\", %s", handle->connstr->nhosts, handle->connstr->nhosts == 1 ? "" : "s",
					handle->bucket, handle->tls != NULL ? "TLS" : "no TLS");
}

static List *
check_mapping(const ClusterHandle *handle, List *checks)
{
	const char *detail = "neither user name nor client certificate";

	if (handle->username != NULL)
		detail = psprintf("user \"%s\", %s%s", handle->username,
						  handle->password[0] != '\0' ? "with a password" : "without a password",
						  handle->has_certificate ? ", client certificate" : "");
	else if (handle->has_certificate)
		detail = "client certificate";
	return diag_add(checks, "user mapping", handle->servername, handle->username != NULL || handle->has_certificate, -1,
			   detail, handle->username != NULL || handle->has_certificate ? NULL
			   : "Set the options \"username\" and \"password\" of the user mapping.");
}

static void
find_hosts(void *arg)
{
	ClusterHandle *handle = arg;

	seeds_find(handle, wait_now() + handle->settings->bootstrap_timeout, NULL);
}

/* Finds the hosts to begin with; a row only where SRV records were asked for. False when there are no hosts. */
static bool
check_srv(ClusterHandle *handle, List **checks)
{
	const char *name = handle->connstr->hosts[0].host;
	int64		start = wait_now();
	char	   *reason = cluster_try(find_hosts, handle);
	int64		us = wait_now() - start;

	if (reason != NULL)
		*checks = diag_add(*checks, "DNS SRV", name, false, us, reason,
					  "Check the records, or do without them by \"dnssrv=off\" in the connection string.");
	else if (handle->srv_note[0] != '\0')
		*checks = diag_add(*checks, "DNS SRV", name, true, us,
					  psprintf("%s The host itself is used.", cluster_printable_cstr(handle->srv_note)), NULL);
	else if (handle->srv_asked != 0)
		*checks = diag_add(*checks, "DNS SRV", name, true, us, psprintf("%d hosts", handle->nseeds), NULL);
	return reason == NULL;
}

/* Each host by itself, as if there were no other. The first handle that got a configuration stays. */
static List *
check_hosts(const ClusterTarget *target, const ClusterHandle *first, List *checks, ClusterHandle **informed)
{
	for (int i = 0; i < first->nseeds; i++)
	{
		ClusterHandle *handle = private_handle(target, first);
		Trace		trace = {0};

		trace.conn = handle_conn(handle, first->seeds[i].host, first->seeds[i].port);
		checks = follow_all(handle, &trace, 1, checks);
		if (*informed == NULL && handle->config != NULL)
			*informed = handle;
		else
			handle_destroy(handle);
	}
	return checks;
}

static bool
tried(List *checks, const char *name)
{
	ListCell   *lc;

	foreach(lc, checks)
	{
		if (strcmp(((ClusterCheck *) lfirst(lc))->target, name) == 0)
			return true;
	}
	return false;
}

/* The data nodes of the configuration that were not among the hosts, all at once. */
static List *
check_nodes(const ClusterTarget *target, const ClusterHandle *informed, List *checks)
{
	const CbConfig *config = informed->config;
	Trace	   *traces = palloc0(sizeof(Trace) * Max(config->nnodes, 1));
	ClusterHandle *handle = private_handle(target, informed);
	int			n = 0;

	for (size_t i = 0; i < config->nnodes; i++)
	{
		const char *host;
		uint16_t	port;

		if (!config->nodes[i].serves_bucket)
			continue;
		if (cb_config_endpoint(config, i, informed->network, CB_SERVICE_KV, handle->settings->tls, &host,
							   &port) != CB_OK)
			checks = diag_add(checks, "node address", pstrdup(cluster_printable_cstr(config->nodes[i].host)), false, -1,
						 psprintf("the node has no address for %s in network \"%s\"",
								  handle->settings->tls ? "its data service over TLS" : "its data service",
								  cluster_printable_cstr(informed->network)),
						 "Choose another network by the option \"network\" of the connection string.");
		else
		{
			KvConn	   *conn = handle_conn(handle, host, port);

			if (!tried(checks, conn->name))
				traces[n++].conn = conn;
		}
	}
	checks = follow_all(handle, traces, n, checks);
	handle_destroy(handle);
	return checks;
}

static List *
check_map(const ClusterHandle *handle, List *checks)
{
	const CbConfig *config = handle->config;
	uint32		nobody = 0;

	for (uint32 i = 0; i < config->nvbuckets; i++)
	{
		if (cb_config_node_of(config, (uint16) i, 0) < 0)
			nobody++;
	}
	return diag_add(checks, "vBucket map", handle->bucket, nobody == 0, -1,
			   nobody == 0 ? psprintf("all %u vBuckets have a node", config->nvbuckets)
			   : psprintf("%u of %u vBuckets have no node", nobody, config->nvbuckets),
			   nobody == 0 ? NULL : "A node was lost without replicas: bring it back, or recreate the bucket.");
}

List *
cluster_diagnose(const ClusterTarget *target)
{
	Opening		opening = {target, NULL};
	int64		start = wait_now();
	char	   *reason = cluster_try(open_handle, &opening);
	ClusterHandle *informed = NULL;
	List	   *checks = NIL;

	if (reason != NULL)
		return diag_add(NIL, "connection string", target->servername, false, wait_now() - start, reason,
				   "Change the connection string with ALTER SERVER; cbconn_parse() shows what it means.");
	MemoryContextSetParent(opening.handle->cxt, CurrentMemoryContext);
	checks = diag_add(checks, "connection string", target->servername, true, wait_now() - start,
				 settings_in_words(opening.handle), NULL);
	checks = check_mapping(opening.handle, checks);
	if (!check_srv(opening.handle, &checks))
		return checks;
	checks = check_hosts(target, opening.handle, checks, &informed);
	if (informed == NULL)
		return checks;
	checks = check_nodes(target, informed, checks);
	checks = check_map(informed, checks);
	return query_diagnose(informed, checks);
}
