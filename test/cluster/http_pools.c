/*
 * http_pools.c: what the management service says about the cluster and its nodes (couchbase/ns_server,
 * menelaus_web_pools.erl, menelaus_web_node.erl, bucket_info_cache.erl).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manage.h"

static const char *
node_membership(const Node *n)
{
	return n->failed_over ? "inactiveFailed" : "active";
}

static json_t *
node_json(const Node *self, const Node *n)
{
	char	   *hostname = xasprintf("%s:%u", n->hostname != NULL ? n->hostname : n->cluster->url_host, n->mgmt_port);
	char	   *otp = xasprintf("n_%d@%s", n->index, n->cluster->host);
	json_t	   *ports = json_object();
	json_t	   *services = json_array();
	json_t	   *json;

	json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:i, s:s, s:s, s:i}",
					 "hostname", hostname, "configuredHostname", hostname, "otpNode", otp, "nodeUUID", n->uuid,
					 "clusterMembership", node_membership(n), "recoveryType", "none",
					 "status", n->killed || n->paused ? "unhealthy" : "healthy", "services", services, "ports", ports,
					 "version", CB_SERVER_VERSION, "clusterCompatibility", 458758, "os", "x86_64-pc-linux-gnu",
					 "serverGroup", "Group 1", "cpuCount", (int) sysconf(_SC_NPROCESSORS_ONLN));
	if (!n->no_data)
	{
		json_object_set_new(ports, "direct", json_integer(n->kv_port));
		json_array_append_new(services, json_string("kv"));
	}
	if (n->query_port != 0)
		json_array_append_new(services, json_string("n1ql"));
	if (n->mgmt_tls_port != 0)
		json_object_set_new(ports, "httpsMgmt", json_integer(n->mgmt_tls_port));
	if (n == self)
		json_object_set_new(json, "thisNode", json_true());
	free(hostname);
	free(otp);
	return json;
}

json_t *
http_nodes_json(const Node *self)
{
	json_t	   *nodes = json_array();

	for (int i = 0; i < self->cluster->num_nodes; i++)
		json_array_append_new(nodes, node_json(self, self->cluster->nodes[i]));
	return nodes;
}

static void
get_pools(HttpReq *h)
{
	json_t	   *pool = json_pack("{s:s, s:s+}", "name", "default", "uri", "/pools/default?uuid=", h->cluster->uuid);

	http_json(h, 200, json_pack("{s:[o], s:b, s:b, s:b, s:s, s:s, s:s}", "pools", pool, "isAdminCreds", true,
								"isROAdminCreds", false, "isEnterprise", true, "uuid", h->cluster->uuid,
								"implementationVersion", CB_SERVER_VERSION, "prod", "server"));
}

static void
get_pool(HttpReq *h)
{
	json_t	   *names = json_array();

	for (const Bucket *b = h->cluster->buckets; b != NULL; b = b->next)
		if (!b->config_only && http_can_read(h->user, b))
			json_array_append_new(names, json_pack("{s:s, s:s}", "bucketName", b->name, "uuid", b->uuid));
	http_json(h, 200,
			  json_pack("{s:s, s:o, s:o, s:{s:s+}, s:s, s:s, s:b, s:s, s:i, s:i, s:i}",
						"name", "default", "nodes", http_nodes_json(h->node), "bucketNames", names,
						"buckets", "uri", "/pools/default/buckets?uuid=", h->cluster->uuid,
						"nodeServicesUri", "/pools/default/nodeServices", "rebalanceStatus", "none", "balanced", true,
						"clusterName", "", "maxBucketCount", 30, "memoryQuota", 256,
						"chronicleRev", (int) h->cluster->rev));
}

static char *
global_config(Node *n, Bucket *b, size_t *len)
{
	return config_json(n, b, false, len);
}

static void
get_node_services(HttpReq *h)
{
	size_t		len;
	char	   *text = config_json(h->node, NULL, false, &len);

	http_text(h, 200, "application/json", text, len);
	free(text);
}

static void
stream_node_services(HttpReq *h)
{
	http_stream(h, NULL, global_config);
}

const HttpRoute http_pool_routes[] = {
	{EVHTTP_REQ_GET, "pools", RIGHT_ANY, "cluster.pools!read", get_pools},
	{EVHTTP_REQ_GET, "pools/default", RIGHT_ANY, "cluster.pools!read", get_pool},
	{EVHTTP_REQ_GET, "pools/nodes", RIGHT_ANY, "cluster.pools!read", get_pool},
	{EVHTTP_REQ_GET, "pools/default/nodeServices", RIGHT_ANY, "cluster.pools!read", get_node_services},
	{EVHTTP_REQ_GET, "pools/default/nodeServicesStreaming", RIGHT_ANY, "cluster.pools!read", stream_node_services},
	{0, NULL, 0, NULL, NULL}
};
