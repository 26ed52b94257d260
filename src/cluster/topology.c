/*
 * topology.c
 *		Which node has which vBucket: configs by (epoch, rev), the connections that belong to their nodes, and the
 *		search for a newer one when nodes refuse, vanish, or time has passed.
 */
#include "postgres.h"

#include "config_cache.h"
#include "op.h"
#include "port/pg_crc32c.h"

#define MAX_CONFIG_SIZE			(20 * 1024 * 1024)
/* A node that has not answered for this long is not waited for by others that want a newer config. */
#define REFRESH_PATIENCE		500000

static bool
refuse(KvFailure *failure, const KvConn *from, int sqlstate, const char *text)
{
	kv_failure_set(failure, sqlstate, false, "cluster config", "%s", text);
	strlcpy(failure->node, from->name, sizeof(failure->node));
	return false;
}

static bool
same_bucket(const CbConfig *a, const CbConfig *b)
{
	if (a->uuid == NULL || b->uuid == NULL)
		return true;
	return strcmp(a->uuid, b->uuid) == 0;
}

static void
choose_network(ClusterHandle *handle, const CbConfig *config)
{
	const char **hosts = palloc(sizeof(char *) * Max(handle->nseeds, 1));
	uint16	   *ports = palloc(sizeof(uint16) * Max(handle->nseeds, 1));

	for (int i = 0; i < handle->nseeds; i++)
	{
		hosts[i] = handle->seeds[i].host;
		ports[i] = handle->seeds[i].given_port;
	}
	handle->network = MemoryContextStrdup(handle->cxt,
										  cb_config_choose_network(config, handle->settings->network, hosts, ports,
																   handle->nseeds, handle->settings->tls));
	pfree(hosts);
	pfree(ports);
}

static bool
has_address(const KvConn *conn, const char *host, uint16 port)
{
	return conn->port == port && pg_strcasecmp(conn->host, host) == 0;
}

/* A node may be known to the connection string under another name than the cluster uses: it is still one node. */
static void
adopt_name(ClusterHandle *handle, KvConn *from, const char *host, uint16 port)
{
	MemoryContext old;

	for (int i = 0; i < handle->nconns; i++)
	{
		if (has_address(handle->conns[i], host, port))
			return;
	}
	old = MemoryContextSwitchTo(handle->cxt);
	from->host = pstrdup(host);
	from->port = port;
	from->name = psprintf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
	MemoryContextSwitchTo(old);
}

/* Reads are sent to the new owner; what became of a write, only the node that has it can tell. */
static bool
owes_writes(const KvConn *conn)
{
	for (int i = 0; i < conn->nrequests; i++)
	{
		if (conn->requests[i].reply != KV_REPLY_FREE && conn->requests[i].op != NULL &&
			conn->requests[i].op->cls->gave_up != NULL)
			return true;
	}
	return false;
}

/* Connections for the nodes of a config, by node; those of nodes that are gone retire. */
static void
assign_connections(ClusterHandle *handle, KvConn *from, const CbConfig *config)
{
	KvConn	  **conns = MemoryContextAllocZero(handle->cxt, sizeof(KvConn *) * Max(config->nnodes, 1));

	for (size_t i = 0; i < config->nnodes; i++)
	{
		const char *host;
		uint16_t	port;

		if (!config->nodes[i].serves_bucket ||
			cb_config_endpoint(config, i, handle->network, CB_SERVICE_KV, handle->settings->tls, &host, &port) != CB_OK)
			continue;
		if (config->nodes[i].this_node && from != NULL && from->state == KV_CONN_HANDSHAKE)
			adopt_name(handle, from, host, port);
		conns[i] = handle_conn(handle, host, port);
	}
	for (int i = 0; i < handle->nconns; i++)
		handle->conns[i]->retired = true;
	for (size_t i = 0; i < config->nnodes; i++)
	{
		if (conns[i] != NULL)
		{
			/* A node that a newer config names may be back. */
			conns[i]->retired = false;
			conns[i]->retry_after = 0;
		}
	}
	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];

		if (conn->retired && conn != from && !owes_writes(conn))
			kv_conn_close(conn);
	}
	if (handle->node_conns != NULL)
		pfree(handle->node_conns);
	handle->node_conns = conns;
}

/* Whether any data node of a config has a TLS port, which the connection string asks for. */
static bool
has_tls(const CbConfig *config, const char *network)
{
	const char *host;
	uint16_t	port;

	for (size_t i = 0; i < config->nnodes; i++)
	{
		if (cb_config_endpoint(config, i, network, CB_SERVICE_KV, true, &host, &port) == CB_OK)
			return true;
	}
	return false;
}

static pg_crc32c
checksum(CbSpan text)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, text.data, text.len);
	FIN_CRC32C(crc);
	return crc;
}

static void
dump(const ClusterHandle *handle, CbSpan text)
{
	ereport(LOG,
			(errmsg("configuration of bucket \"%s\" on server \"%s\" is now: %s", handle->bucket, handle->servername,
					cluster_printable((const char *) text.data, text.len)),
			 errhidestmt(true)));
}

/* from: the node that sent it, or NULL. */
static void
take_over(ClusterHandle *handle, KvConn *from, CbConfig *config, CbSpan text, pg_crc32c crc)
{
	CbConfig   *old = handle->config;

	if (handle->network == NULL)
		choose_network(handle, config);
	assign_connections(handle, from, config);
	if (old != NULL && !same_bucket(old, config))
		handle->bucket_changes++;
	handle->config = config;
	handle->config_doubted = false;
	handle->config_crc = crc;
	handle->config_len = text.len;
	handle->config_changes++;
	handle->conn_events++;
	cb_config_free(old);
	if (handle->settings->dump_configuration)
		dump(handle, text);
}

void
topology_start_from(ClusterHandle *handle, CbConfig *config, CbSpan network, CbSpan text)
{
	char	   *name = MemoryContextAlloc(handle->cxt, network.len + 1);

	memcpy(name, network.data, network.len);
	name[network.len] = '\0';
	handle->network = name;
	take_over(handle, NULL, config, text, checksum(text));
	handle->provisional = true;
}

void
topology_drop(ClusterHandle *handle)
{
	cb_config_free(handle->config);
	handle->config = NULL;
	handle->config_len = 0;
	handle->provisional = false;
	pfree(handle->node_conns);
	handle->node_conns = NULL;
	pfree(handle->network);
	handle->network = NULL;
}

/* Whether one can follow the other, so that their versions can be compared. */
static bool
comparable(const CbConfig *a, const CbConfig *b)
{
	if (a->cluster_uuid != NULL && b->cluster_uuid != NULL && strcmp(a->cluster_uuid, b->cluster_uuid) != 0)
		return false;
	return same_bucket(a, b) && a->nvbuckets == b->nvbuckets;
}

bool
topology_follow(ClusterHandle *handle, CbConfig *config, CbSpan text)
{
	if (!comparable(config, handle->config) || cb_version_compare(config->version, handle->config->version) <= 0)
		return false;
	take_over(handle, NULL, config, text, checksum(text));
	return true;
}

/* A node's word counts for more than a kept config, whatever the versions. */
static bool
is_newer(const ClusterHandle *handle, const CbConfig *config)
{
	return handle->config == NULL || handle->provisional || handle->config_doubted ||
		!same_bucket(config, handle->config) || cb_version_compare(config->version, handle->config->version) > 0;
}

/*
 * Takes over the config in the packet's value when it is newer. False with a reason when it is of no use. Nothing
 * happens for texts that have been seen: a moved vBucket brings the same one with every answer.
 */
bool
topology_apply(ClusterHandle *handle, KvConn *from, const CbPacket *packet, KvFailure *failure)
{
	CbSpan		text;
	CbConfig   *config = NULL;
	CbError		error;
	pg_crc32c	crc;

	if (cb_packet_value(packet, MAX_CONFIG_SIZE, &handle->scratch, &text) != CB_OK)
		return refuse(failure, from, ERRCODE_PROTOCOL_VIOLATION, "a cluster configuration that cannot be inflated");
	crc = checksum(text);
	if (handle->config != NULL && handle->config_len == text.len && handle->config_crc == crc)
	{
		handle->provisional = false;
		return true;
	}

	if (cb_config_parse(text, from->host, &config, &error) != CB_OK)
		return refuse(failure, from, ERRCODE_PROTOCOL_VIOLATION, error.text);
	if (config->bucket == NULL || strcmp(config->bucket, handle->bucket) != 0)
		refuse(failure, from, ERRCODE_PROTOCOL_VIOLATION, "a cluster configuration of another bucket");
	else if (!config->vbucket_locator)
	{
		refuse(failure, from, ERRCODE_FEATURE_NOT_SUPPORTED, "memcached buckets are not supported");
		failure->hint = "Use a bucket of type couchbase or ephemeral.";
	}
	else if (config->nvbuckets == 0)
		refuse(failure, from, ERRCODE_CANNOT_CONNECT_NOW, "the bucket is not ready: it has no vBucket map yet");
	else if (handle->provisional && !comparable(config, handle->config))
		refuse(failure, from, ERRCODE_CANNOT_CONNECT_NOW, "the kept configuration is of another bucket or cluster");
	else
	{
		bool		known = handle->config != NULL && comparable(config, handle->config) &&
			cb_version_compare(config->version, handle->config->version) == 0;

		if (!is_newer(handle, config))
		{
			cb_config_free(config);
			return true;
		}
		if (handle->network == NULL)
			choose_network(handle, config);
		if (handle->settings->tls && !has_tls(config, handle->network))
		{
			cb_config_free(config);
			return refuse(failure, from, ERRCODE_FEATURE_NOT_SUPPORTED,
						  "no node of the cluster has a TLS port for its data service");
		}
		handle->provisional = false;
		take_over(handle, from, config, text, crc);
		if (!known)
			config_cache_store(handle, from->host, text);
		return true;
	}
	cb_config_free(config);
	return false;
}

KvConn *
topology_conn(ClusterHandle *handle, uint16 vbucket)
{
	int			node = cb_config_node_of(handle->config, vbucket, 0);

	if (node < 0 || (size_t) node >= handle->config->nnodes)
		return NULL;
	return handle->node_conns[node];
}

static void
ask(KvConn *conn)
{
	ClusterHandle *handle = conn->handle;
	const CbVersion *known = NULL;
	uint32		opaque;

	if (handle->config != NULL && !handle->config_doubted && !conn->retired && handle->config->version.epoch > 0 &&
		handle->config->version.rev > 0 &&
		cb_has_feature(conn->features, CB_FEATURE_GET_CONFIG_WITH_VERSION))
		known = &handle->config->version;
	opaque = kv_conn_request(conn, NULL, 0, CB_OP_GET_CLUSTER_CONFIG, KV_REPLY_CONFIG);
	kv_conn_requested(conn, opaque, cb_kv_get_cluster_config(&conn->out, opaque, known));
	handle->refreshing = conn;
}

/*
 * Looks for a newer config, without waiting: asks a connected node, else connects to one, which asks on the way. avoid
 * is a node that is known to have nothing better (may be NULL).
 */
void
topology_refresh(ClusterHandle *handle, KvConn *avoid)
{
	int64		now = wait_now();
	int			start = handle->nconns > 0 ? (int) (handle->conn_events % handle->nconns) : 0;

	if (config_cache_catch_up(handle))
		return;
	if (handle->refreshing != NULL && now - handle->refresh_started < REFRESH_PATIENCE)
		return;
	if (now - handle->refresh_started < handle->settings->config_poll_floor)
		return;
	handle->refresh_started = now;
	seeds_refresh(handle);
	/* First those that owe nothing: another may have stopped answering. */
	for (int i = 0; i < 2 * handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[(start + i) % handle->nconns];

		if (conn != avoid && conn != handle->refreshing && conn->state == KV_CONN_READY &&
			(i >= handle->nconns || conn->outstanding == 0))
		{
			ask(conn);
			return;
		}
	}
	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[(start + i) % handle->nconns];

		if (conn != avoid && kv_conn_want(conn) != KV_CONN_CLOSED)
			return;
	}
}

void
topology_answer(KvConn *conn, const CbPacket *packet)
{
	ClusterHandle *handle = conn->handle;
	KvFailure	failure;

	if (handle->refreshing == conn)
		handle->refreshing = NULL;
	handle->last_config_check = wait_now();
	if (packet->status == CB_STATUS_SUCCESS && packet->value.len > 0)
		(void) topology_apply(handle, conn, packet, &failure);
}

void
topology_poll(ClusterHandle *handle)
{
	int64		interval = handle->settings->config_poll_interval;

	if (config_cache_catch_up(handle))
		return;
	if (interval > 0 && handle->config != NULL && wait_now() - handle->last_config_check > interval)
		topology_refresh(handle, NULL);
}

void
topology_forget_conn(ClusterHandle *handle, KvConn *conn)
{
	if (handle->refreshing == conn)
		handle->refreshing = NULL;
}

int
cluster_vbucket_count(ClusterHandle *handle)
{
	cluster_bootstrap(handle, NULL);
	return (int) handle->config->nvbuckets;
}
