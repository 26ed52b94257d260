/*
 * members.c
 *		The nodes of a cluster: what the configuration says of them, and which version each data node says it is.
 */
#include "postgres.h"

#include "diag.h"
#include "handle.h"

StaticAssertDecl(CLUSTER_NODE_SERVICES == CB_NSERVICES, "services are counted alike");

const char *const cluster_service_names[CLUSTER_NODE_SERVICES] = {
	[CB_SERVICE_KV] = "kv",
	[CB_SERVICE_MGMT] = "management",
	[CB_SERVICE_QUERY] = "query",
	[CB_SERVICE_ANALYTICS] = "analytics",
	[CB_SERVICE_SEARCH] = "search",
	[CB_SERVICE_VIEWS] = "views"
};

/* Host and ports in the network that is used. False: the node has no address there. */
static bool
fill_addresses(const ClusterHandle *handle, size_t index, ClusterNode *node)
{
	bool		found = false;

	node->host = handle->config->nodes[index].host;
	for (int service = 0; service < CLUSTER_NODE_SERVICES; service++)
	{
		for (int tls = 0; tls <= 1; tls++)
		{
			const char *host;
			uint16_t	port;

			if (cb_config_endpoint(handle->config, index, handle->network, (CbService) service, tls, &host,
								   &port) != CB_OK)
				continue;
			node->host = host;
			(tls ? node->tls_ports : node->ports)[service] = port;
			found = true;
		}
	}
	node->host = cluster_printable_cstr(node->host);
	return found;
}

static void
count_vbuckets(const CbConfig *config, int index, ClusterNode *node)
{
	for (uint32 vb = 0; vb < config->nvbuckets; vb++)
	{
		for (uint32 replica = 0; replica <= config->nreplicas; replica++)
		{
			if (cb_config_node_of(config, (uint16) vb, replica) != index)
				continue;
			if (replica == 0)
				node->active++;
			else
				node->replicas++;
		}
	}
}

/* What came of asking the node over its connection. */
static void
take_answer(const KvConn *conn, List *pings, ClusterNode *node)
{
	ListCell   *lc;

	foreach(lc, pings)
	{
		const ClusterPing *ping = lfirst(lc);

		if (ping->node == NULL || strcmp(ping->node, conn->name) != 0)
			continue;
		node->state = ping->state;
		node->error = ping->error;
		if (strcmp(ping->state, "ok") == 0 && conn->version[0] != '\0')
			node->version = cluster_printable_cstr(conn->version);
	}
}

static ClusterNode *
describe(const ClusterHandle *handle, size_t index, List *pings)
{
	const CbNode *from = &handle->config->nodes[index];
	ClusterNode *node = palloc0(sizeof(ClusterNode));

	if (!fill_addresses(handle, index, node))
		node->error = psprintf("the node has no address in network \"%s\"", cluster_printable_cstr(handle->network));
	node->this_node = from->this_node;
	node->server_group = from->server_group ? cluster_printable_cstr(from->server_group) : NULL;
	count_vbuckets(handle->config, (int) index, node);
	if (handle->node_conns[index] != NULL)
		take_answer(handle->node_conns[index], pings, node);
	return node;
}

ClusterMembers *
cluster_members(ClusterHandle *handle)
{
	ClusterMembers *members = palloc0(sizeof(ClusterMembers));
	List	   *pings;

	handle->insists = true;
	cluster_bootstrap(handle, NULL);
	/* The user asks now, however short a time ago it was looked for. */
	handle->refresh_started = 0;
	topology_refresh(handle, NULL);
	pings = ping_nodes(handle, CB_OP_VERSION);
	for (size_t i = 0; i < handle->config->nnodes; i++)
		members->nodes = lappend(members->nodes, describe(handle, i, pings));
	members->vbuckets = (int) handle->config->nvbuckets;
	members->replicas = (int) handle->config->nreplicas;
	members->network = cluster_printable_cstr(handle->network);
	members->epoch = handle->config->version.epoch;
	members->rev = handle->config->version.rev;
	return members;
}
