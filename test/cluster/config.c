/*
 * config.c: the terse cluster configuration, as the management port of a real cluster makes it and the data port
 * hands it on: hostnames are left out and written "$HOST", because every node is on the local host.
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

int64_t
config_epoch(const Cluster *cl, const Bucket *b)
{
	return b != NULL && b->set_config != NULL ? b->set_epoch : cl->epoch;
}

int64_t
config_rev(const Cluster *cl, const Bucket *b)
{
	if (b == NULL)
		return (int64_t) cl->rev;
	return b->set_config != NULL ? b->set_rev : (int64_t) b->rev;
}

static json_t *
host_port(const Cluster *cl, int port, bool with_host)
{
	char	   *text = xasprintf("%s:%d", with_host ? cl->url_host : "$HOST", port);
	json_t	   *j = json_string(text);

	free(text);
	return j;
}

static json_t *
nodes_ext(Node *self, bool with_host)
{
	Cluster    *cl = self->cluster;
	json_t	   *list = json_array();

	for (int i = 0; i < cl->num_nodes; i++)
	{
		Node	   *n = cl->nodes[i];
		json_t	   *services = json_object();
		json_t	   *entry = json_object();

		if (n->failed_over)
		{
			json_decref(services);
			json_decref(entry);
			continue;
		}
		json_object_set_new(services, "kv", json_integer(n->kv_port));
		if (n->kvs_port != 0)
			json_object_set_new(services, "kvSSL", json_integer(n->kvs_port));
		if (n->mgmt_port != 0)
			json_object_set_new(services, "mgmt", json_integer(n->mgmt_port));
		if (n->mgmt_tls_port != 0)
			json_object_set_new(services, "mgmtSSL", json_integer(n->mgmt_tls_port));
		json_object_set_new(entry, "services", services);
		if (n == self)
			json_object_set_new(entry, "thisNode", json_true());
		if (with_host)
			json_object_set_new(entry, "hostname", json_string(cl->host));
		json_array_append_new(list, entry);
	}
	return list;
}

/* Index of a node in the server list, which leaves out failed-over ones; -1 for none. */
static int
list_index(const Cluster *cl, int node)
{
	int			at = 0;

	if (node < 0 || node >= cl->num_nodes || cl->nodes[node]->failed_over)
		return -1;
	for (int i = 0; i < node; i++)
		at += !cl->nodes[i]->failed_over;
	return at;
}

static json_t *
vbucket_map(const Bucket *b)
{
	json_t	   *map = json_array();

	for (unsigned v = 0; v < b->num_vbuckets; v++)
	{
		json_t	   *entry = json_array();

		for (unsigned r = 0; r <= b->num_replicas; r++)
			json_array_append_new(entry, json_integer(list_index(b->cluster, b->vb[v].nodes[r])));
		json_array_append_new(map, entry);
	}
	return map;
}

static void
add_bucket(json_t *top, Bucket *b, bool with_host)
{
	Cluster    *cl = b->cluster;
	json_t	   *capabilities = json_array();
	json_t	   *nodes = json_array();
	json_t	   *servers = json_array();

	for (size_t i = 0; i < sizeof(bucket_capabilities) / sizeof(bucket_capabilities[0]); i++)
		json_array_append_new(capabilities, json_string(bucket_capabilities[i]));
	for (int i = 0; i < cl->num_nodes; i++)
	{
		Node	   *n = cl->nodes[i];
		json_t	   *entry;

		if (n->failed_over)
			continue;
		entry = json_pack("{s:o, s:{s:i}}", "hostname", host_port(cl, n->mgmt_port, with_host), "ports",
						  "direct", (int) n->kv_port);
		json_array_append_new(nodes, entry);
		json_array_append_new(servers, host_port(cl, n->kv_port, with_host));
	}
	json_object_set_new(top, "name", json_string(b->name));
	json_object_set_new(top, "nodeLocator", json_string("vbucket"));
	json_object_set_new(top, "bucketType", json_string("membase"));
	json_object_set_new(top, "uuid", json_string(b->uuid));
	json_object_set_new(top, "uri", json_sprintf("/pools/default/buckets/%s?bucket_uuid=%s", b->name, b->uuid));
	json_object_set_new(top, "streamingUri",
						json_sprintf("/pools/default/bucketsStreaming/%s?bucket_uuid=%s", b->name, b->uuid));
	json_object_set_new(top, "collectionsManifestUid", json_sprintf("%llx", (unsigned long long) b->manifest_uid));
	json_object_set_new(top, "bucketCapabilitiesVer", json_string(""));
	json_object_set_new(top, "bucketCapabilities", capabilities);
	json_object_set_new(top, "nodes", nodes);
	json_object_set_new(top, "vBucketServerMap",
						json_pack("{s:s, s:i, s:o, s:o}", "hashAlgorithm", "CRC", "numReplicas", (int) b->num_replicas,
								  "serverList", servers, "vBucketMap", vbucket_map(b)));
}

static char *
make_config(Node *n, Bucket *b, bool with_host)
{
	Cluster    *cl = n->cluster;
	json_t	   *top = json_object();
	char	   *text;

	json_object_set_new(top, "rev", json_integer(config_rev(cl, b)));
	json_object_set_new(top, "revEpoch", json_integer(config_epoch(cl, b)));
	if (b != NULL)
		add_bucket(top, b, with_host);
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

	if (b != NULL && b->set_config != NULL)
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
