/*
 * config.c: the terse cluster configuration, as the management port of a real cluster makes it and the data port
 * hands it on: unless a node has a name, its hostname is left out and written "$HOST".
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core.h"

static const char *const bucket_capabilities[] = {
	"collections", "durableWrite", "tombstonedUserXAttrs", "couchapi", "subdoc.ReplaceBodyWithXattr",
	"subdoc.DocumentMacroSupport", "subdoc.ReviveDocument", "dcp.IgnorePurgedTombstones", "preserveExpiry",
	"subdoc.ReplicaRead", "subdoc.BinaryXattr", "rangeScan", "dcp", "cbhello", "touch", "cccp",
	"xdcrCheckpointing", "nodesExt", "xattr"
};

void
config_forget(char **cache)
{
	for (int i = 0; i < CB_MAX_NODES; i++)
	{
		free(cache[i]);
		cache[i] = NULL;
	}
}

/* What a node that is frozen goes on giving; text NULL: nothing. */
static const FrozenConfig *
frozen_config(const Node *n, const Bucket *b)
{
	return b != NULL ? &b->frozen[n->index] : &n->frozen_global;
}

int64_t
config_epoch(const Node *n, const Bucket *b)
{
	if (frozen_config(n, b)->text != NULL)
		return frozen_config(n, b)->epoch;
	return b != NULL && b->set_config != NULL ? b->set_epoch : n->cluster->epoch;
}

int64_t
config_rev(const Node *n, const Bucket *b)
{
	if (frozen_config(n, b)->text != NULL)
		return frozen_config(n, b)->rev;
	if (b == NULL)
		return (int64_t) n->cluster->rev;
	return b->set_config != NULL ? b->set_rev : (int64_t) b->rev;
}

/* ---------------------------------------------------------------- nodes */

/* Nodes of the configuration: those with data first, in their order in every list, then the others; *data counts them. */
static int
listed_nodes(Cluster *cl, Node **out, int *data)
{
	int			n = 0;

	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < cl->num_nodes; i++)
		{
			Node	   *node = cl->nodes[i];

			if (!node->failed_over && (node->no_data || node->joining) == (pass == 1))
				out[n++] = node;
		}
		if (pass == 0)
			*data = n;
	}
	return n;
}

static json_t *
host_port(const Node *n, int port, bool with_host)
{
	const char *host = n->hostname != NULL ? n->hostname : with_host ? n->cluster->url_host : "$HOST";
	bool		bare_v6 = strchr(host, ':') != NULL && host[0] != '[';
	char	   *text = xasprintf(bare_v6 ? "[%s]:%d" : "%s:%d", host, port);
	json_t	   *j = json_string(text);

	free(text);
	return j;
}

/* The ports of a node by service. */
static json_t *
services(const Node *n)
{
	json_t	   *list = json_object();

	if (!n->no_data)
		json_object_set_new(list, "kv", json_integer(n->kv_port));
	if (n->kvs_port != 0)
		json_object_set_new(list, "kvSSL", json_integer(n->kvs_port));
	if (n->mgmt_port != 0)
		json_object_set_new(list, "mgmt", json_integer(n->mgmt_port));
	if (n->mgmt_tls_port != 0)
		json_object_set_new(list, "mgmtSSL", json_integer(n->mgmt_tls_port));
	if (n->query_port != 0)
		json_object_set_new(list, "n1ql", json_integer(n->query_port));
	if (n->query_tls_port != 0)
		json_object_set_new(list, "n1qlSSL", json_integer(n->query_tls_port));
	return list;
}

static json_t *
alternates(const Node *n)
{
	json_t	   *networks = json_object();

	for (const Alternate *a = n->alternates; a != NULL; a = a->next)
	{
		json_t	   *entry = json_pack("{s:s}", "hostname", a->hostname);

		if (a->with_ports)
			json_object_set_new(entry, "ports", a->ports != NULL ? json_loads(a->ports, 0, NULL) : services(n));
		json_object_set_new(networks, a->network, entry);
	}
	return networks;
}

static json_t *
nodes_ext(Node *self, bool with_host)
{
	Node	   *nodes[CB_MAX_NODES];
	int			data;
	int			count = listed_nodes(self->cluster, nodes, &data);
	json_t	   *list = json_array();

	for (int i = 0; i < count; i++)
	{
		Node	   *n = nodes[i];
		json_t	   *entry = json_pack("{s:o}", "services", services(n));

		if (n == self)
			json_object_set_new(entry, "thisNode", json_true());
		if (n->hostname != NULL || with_host)
			json_object_set_new(entry, "hostname", json_string(n->hostname != NULL ? n->hostname : n->cluster->host));
		if (n->alternates != NULL)
			json_object_set_new(entry, "alternateAddresses", alternates(n));
		json_array_append_new(list, entry);
	}
	return list;
}

/* ---------------------------------------------------------------- buckets */

/* The map as it is, or as it will be after the rebalance. */
static json_t *
vbucket_map(const Bucket *b, const int *index_of, bool forward)
{
	json_t	   *map = json_array();

	for (unsigned v = 0; v < b->num_vbuckets; v++)
	{
		json_t	   *entry = json_array();

		for (unsigned r = 0; r <= b->num_replicas; r++)
		{
			int			node = forward ? rebalance_target(b, v, r) : b->vb[v].nodes[r];

			json_array_append_new(entry, json_integer(node >= 0 ? index_of[node] : CB_NO_NODE));
		}
		json_array_append_new(map, entry);
	}
	return map;
}

static json_t *
server_map(const Node *self, const Bucket *b, const int *index_of, json_t *servers)
{
	bool		empty = b->state[self->index] == BUCKET_EMPTY_MAP;
	json_t	   *map = json_pack("{s:s, s:i, s:o, s:o}", "hashAlgorithm", "CRC", "numReplicas", (int) b->num_replicas,
								"serverList", servers,
								"vBucketMap", empty ? json_array() : vbucket_map(b, index_of, false));

	if (b->rebalance != NULL && !empty)
		json_object_set_new(map, "vBucketMapForward", vbucket_map(b, index_of, true));
	return map;
}

static void
add_bucket(json_t *top, const Node *self, Bucket *b, bool with_host)
{
	Node	   *data_nodes[CB_MAX_NODES];
	int			index_of[CB_MAX_NODES];
	int			count;
	json_t	   *capabilities = json_array();
	json_t	   *nodes = json_array();
	json_t	   *servers = json_array();

	for (size_t i = 0; i < sizeof(bucket_capabilities) / sizeof(bucket_capabilities[0]); i++)
		json_array_append_new(capabilities, json_string(bucket_capabilities[i]));
	for (int i = 0; i < CB_MAX_NODES; i++)
		index_of[i] = CB_NO_NODE;
	listed_nodes(b->cluster, data_nodes, &count);
	for (int i = 0; i < count; i++)
	{
		Node	   *n = data_nodes[i];

		index_of[n->index] = i;
		json_array_append_new(nodes, json_pack("{s:o, s:{s:i}}", "hostname", host_port(n, n->mgmt_port, with_host),
											   "ports", "direct", (int) n->kv_port));
		json_array_append_new(servers, host_port(n, n->kv_port, with_host));
	}
	json_object_set_new(top, "name", json_string(b->name));
	json_object_set_new(top, "nodeLocator", json_string(b->memcached ? "ketama" : "vbucket"));
	json_object_set_new(top, "bucketType", json_string(b->memcached ? "memcached" : "membase"));
	json_object_set_new(top, "uuid", json_string(b->uuid));
	json_object_set_new(top, "uri", json_sprintf("/pools/default/buckets/%s?bucket_uuid=%s", b->name, b->uuid));
	json_object_set_new(top, "streamingUri",
						json_sprintf("/pools/default/bucketsStreaming/%s?bucket_uuid=%s", b->name, b->uuid));
	json_object_set_new(top, "collectionsManifestUid", json_sprintf("%llx", (unsigned long long) b->manifest_uid));
	json_object_set_new(top, "bucketCapabilitiesVer", json_string(""));
	json_object_set_new(top, "bucketCapabilities", capabilities);
	json_object_set_new(top, "nodes", nodes);
	if (b->memcached)
		json_decref(servers);
	else
		json_object_set_new(top, "vBucketServerMap", server_map(self, b, index_of, servers));
}

static char *
make_config(Node *n, Bucket *b, bool with_host)
{
	Cluster    *cl = n->cluster;
	json_t	   *top = json_object();
	char	   *text;

	json_object_set_new(top, "rev", json_integer(config_rev(n, b)));
	json_object_set_new(top, "revEpoch", json_integer(config_epoch(n, b)));
	if (b != NULL)
		add_bucket(top, n, b, with_host);
	json_object_set_new(top, "nodesExt", nodes_ext(n, with_host));
	json_object_set_new(top, "clusterCapabilitiesVer", json_pack("[i, i]", 1, 0));
	json_object_set_new(top, "clusterCapabilities", json_pack("{s:[s]}", "n1ql", "enhancedPreparedStatements"));
	json_object_set_new(top, "clusterUUID", json_string(cl->uuid));
	json_object_set_new(top, "clusterName", json_string("cbcluster"));
	text = json_dumps(top, JSON_COMPACT);
	json_decref(top);
	return text;
}

char *
config_json(Node *n, Bucket *b, bool with_host, size_t *len)
{
	char	  **cache = b != NULL ? b->config_cache : n->cluster->config_cache;
	char	   *text;

	if (frozen_config(n, b)->text != NULL)
		text = xstrdup(frozen_config(n, b)->text);
	else if (b != NULL && b->set_config != NULL)
		text = xstrdup(b->set_config);
	else if (with_host)
		text = make_config(n, b, true);
	else
	{
		if (cache[n->index] == NULL)
			cache[n->index] = make_config(n, b, false);
		text = xstrdup(cache[n->index]);
	}
	if (len != NULL)
		*len = strlen(text);
	return text;
}

/* ---------------------------------------------------------------- frozen nodes */

static void
freeze(Node *n, Bucket *b, FrozenConfig *frozen)
{
	char	   *text = config_json(n, b, false, NULL);

	frozen->epoch = config_epoch(n, b);
	frozen->rev = config_rev(n, b);
	free(frozen->text);
	frozen->text = text;
}

static void
thaw(FrozenConfig *frozen)
{
	free(frozen->text);
	frozen->text = NULL;
}

void
node_freeze(Node *n, bool frozen)
{
	if (n->frozen == frozen)
		return;
	n->frozen = frozen;
	if (frozen)
		freeze(n, NULL, &n->frozen_global);
	else
		thaw(&n->frozen_global);
	for (Bucket *b = n->cluster->buckets; b != NULL; b = b->next)
	{
		if (frozen)
			freeze(n, b, &b->frozen[n->index]);
		else
			thaw(&b->frozen[n->index]);
	}
}
