/*
 * test_config.c
 *		Cluster configurations of every shape, and manifests.
 */
#include "check.h"

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

static CbConfig *
parse(const char *text, CbResult want)
{
	CbConfig   *config = NULL;
	CbError		err = {0};
	CbResult	result = cb_config_parse(cb_span_cstr(text), "origin.example", &config, &err);

	if (!CHECK_RESULT(result, want))
		fprintf(stderr, "    %s\n    %.100s\n", err.text, text);
	CHECK((config != NULL) == (result == CB_OK));
	CHECK((err.text[0] != '\0') == (result != CB_OK));
	return config;
}

/* Two data nodes and a query node, TLS and alternate addresses, 8 vBuckets. */
static const char full[] =
"{\"rev\":4711,\"revEpoch\":3,\"name\":\"travel\",\"uuid\":\"ab12\",\"nodeLocator\":\"vbucket\","
"\"clusterName\":\"prod\",\"clusterUUID\":\"cd34\",\"unknown\":{\"x\":[1,2]},"
"\"bucketCapabilities\":[\"collections\",\"durableWrite\",\"rangeScan\",\"preserveExpiry\"],"
"\"collectionsManifestUid\":\"1f\","
"\"nodes\":[{\"hostname\":\"10.0.0.1:8091\",\"ports\":{\"direct\":11210}},{\"hostname\":\"$HOST:8091\"}],"
"\"nodesExt\":["
"{\"hostname\":\"10.0.0.1\",\"services\":{\"kv\":11210,\"kvSSL\":11207,\"mgmt\":8091,\"mgmtSSL\":18091,"
"\"projector\":9999,\"projector\":9998},\"serverGroup\":\"Group 1\",\"nodeUUID\":\"n1\","
"\"alternateAddresses\":{\"external\":{\"hostname\":\"ext1.example\",\"ports\":{\"kv\":31210,\"kvSSL\":31207}},"
"\"vpn\":{\"hostname\":\"vpn1.example\"}}},"
"{\"services\":{\"kv\":11210,\"mgmt\":8091},\"thisNode\":true,"
"\"alternateAddresses\":{\"external\":{\"hostname\":\"ext2.example\",\"ports\":{\"kv\":32210}}}},"
"{\"hostname\":\"[2001:db8::3]\",\"services\":{\"n1ql\":8093,\"n1qlSSL\":18093,\"mgmt\":8091}}],"
"\"vBucketServerMap\":{\"hashAlgorithm\":\"CRC\",\"numReplicas\":1,\"serverList\":[\"x:1\",\"y:2\"],"
"\"vBucketMap\":[[0,1],[0,1],[1,0],[1,0],[0,-1],[-1,-1],[1],[0,1,1]],"
"\"vBucketMapForward\":[[1,0],[0,1],[1,0],[1,0],[0,1],[0,1],[1,0],[0,1]]}}";

static void
test_full(void)
{
	CbConfig   *config = parse(full, CB_OK);

	if (config == NULL)
		return;
	CHECK(config->version.epoch == 3 && config->version.rev == 4711);
	CHECK_STR(config->bucket, "travel");
	CHECK_STR(config->uuid, "ab12");
	CHECK_STR(config->cluster_name, "prod");
	CHECK_STR(config->cluster_uuid, "cd34");
	CHECK(config->vbucket_locator && config->collections && config->durable_write);
	CHECK(config->range_scan && config->preserve_expiry);
	CHECK(config->has_manifest_uid && config->manifest_uid == 0x1f);
	CHECK_INT(config->nnodes, 3);
	CHECK_STR(config->nodes[0].host, "10.0.0.1");
	CHECK_STR(config->nodes[0].server_group, "Group 1");
	CHECK_STR(config->nodes[0].uuid, "n1");
	CHECK_STR(config->nodes[1].host, "origin.example");
	CHECK_STR(config->nodes[2].host, "2001:db8::3");
	CHECK(!config->nodes[0].this_node && config->nodes[1].this_node);
	CHECK(config->nodes[0].serves_bucket && config->nodes[1].serves_bucket);
	CHECK(!config->nodes[2].serves_bucket);
	CHECK_INT(config->nodes[0].ports.tls[CB_SERVICE_KV], 11207);
	CHECK_INT(config->nodes[2].ports.plain[CB_SERVICE_QUERY], 8093);
	CHECK_INT(config->nodes[2].ports.tls[CB_SERVICE_QUERY], 18093);
	CHECK_INT(config->nodes[2].ports.plain[CB_SERVICE_KV], 0);
	CHECK_INT(config->nodes[0].nalternates, 2);
	CHECK_INT(config->nvbuckets, 8);
	CHECK_INT(config->nreplicas, 1);
	CHECK_INT(cb_config_node_of(config, 0, 0), 0);
	CHECK_INT(cb_config_node_of(config, 2, 1), 0);
	CHECK_INT(cb_config_node_of(config, 5, 0), -1);
	CHECK_INT(cb_config_node_of(config, 6, 0), 1);
	CHECK_INT(cb_config_node_of(config, 6, 1), -1);
	CHECK_INT(cb_config_node_of(config, 7, 1), 1);
	CHECK_INT(cb_config_node_of(config, 8, 0), -1);
	CHECK_INT(cb_config_node_of(config, 0, 2), -1);
	CHECK_INT(cb_config_forward_node_of(config, 0), 1);
	CHECK_INT(cb_config_forward_node_of(config, 8), -1);
	cb_config_free(config);
}

static void
expect_endpoint(const CbConfig *config, size_t node, const char *network, CbService service,
				bool tls, const char *want)
{
	const char *host;
	uint16_t	port;
	char		got[200] = "none";

	if (cb_config_endpoint(config, node, network, service, tls, &host, &port) == CB_OK)
		snprintf(got, sizeof(got), "%s:%u", host, port);
	check_context("node %zu, %s", node, network);
	CHECK_STR(got, want);
	check_context("%s", "");
}

static const char *
choose(const CbConfig *config, const char *option, const char *seed, uint16_t port, bool tls)
{
	return cb_config_choose_network(config, option, &seed, &port, 1, tls);
}

static void
test_networks(void)
{
	CbConfig   *config = parse(full, CB_OK);

	if (config == NULL)
		return;
	expect_endpoint(config, 0, "default", CB_SERVICE_KV, false, "10.0.0.1:11210");
	expect_endpoint(config, 0, "default", CB_SERVICE_KV, true, "10.0.0.1:11207");
	expect_endpoint(config, 1, "default", CB_SERVICE_KV, true, "none");
	expect_endpoint(config, 0, "external", CB_SERVICE_KV, true, "ext1.example:31207");
	expect_endpoint(config, 0, "external", CB_SERVICE_MGMT, false, "none");
	/* No ports object: the internal ones. */
	expect_endpoint(config, 0, "vpn", CB_SERVICE_MGMT, false, "vpn1.example:8091");
	expect_endpoint(config, 1, "vpn", CB_SERVICE_KV, false, "none");
	expect_endpoint(config, 9, "default", CB_SERVICE_KV, false, "none");

	CHECK_STR(choose(config, NULL, "10.0.0.1", 0, false), "default");
	CHECK_STR(choose(config, "auto", "EXT1.example", 31210, false), "external");
	CHECK_STR(choose(config, "auto", "vpn1.example", 0, false), "vpn");
	CHECK_STR(choose(config, "external", "10.0.0.1", 0, false), "external");
	CHECK_STR(choose(config, "default", "ext1.example", 0, false), "default");
	CHECK_STR(choose(config, "other", "10.0.0.1", 0, false), "other");
	/* Nobody knows the name: external, if it reaches all data nodes. */
	CHECK_STR(choose(config, "auto", "loadbalancer.example", 0, false), "external");
	CHECK_STR(choose(config, "auto", "loadbalancer.example", 0, true), "default");
	cb_config_free(config);

	/* One host name for all, told apart by ports (NAT). */
	config = parse("{\"rev\":1,\"name\":\"b\",\"nodesExt\":[{\"hostname\":\"nat\",\"services\":{\"kv\":11210},"
				   "\"alternateAddresses\":{\"external\":{\"hostname\":\"nat\",\"ports\":{\"kv\":31210}}}}]}",
				   CB_OK);
	CHECK_STR(choose(config, NULL, "nat", 31210, false), "external");
	CHECK_STR(choose(config, NULL, "nat", 11210, false), "default");
	CHECK_STR(choose(config, NULL, "nat", 0, false), "default");
	CHECK_STR(choose(config, NULL, "nat", 555, false), "default");
	cb_config_free(config);
}

/* Shapes that are legal. */
static void
test_shapes(void)
{
	static const char *const good[] = {
		/* no bucket */
		"{\"rev\":1,\"nodesExt\":[{\"services\":{\"kv\":11210}}]}",
		/* older list only */
		"{\"rev\":1,\"name\":\"b\",\"nodes\":[{\"hostname\":\"$HOST:8091\",\"ports\":{\"direct\":11210}}]}",
		/* no map, empty map */
		"{\"rev\":1,\"name\":\"b\",\"nodesExt\":[{}],\"vBucketServerMap\":{}}",
		"{\"rev\":1,\"name\":\"b\",\"nodesExt\":[{}],\"vBucketServerMap\":{\"numReplicas\":0,\"vBucketMap\":[]}}",
		/* repeated members: the last one */
		"{\"rev\":9,\"rev\":1,\"name\":\"x\",\"name\":\"b\",\"nodesExt\":[{}]}",
		/* alternate without host name: not reachable there */
		"{\"rev\":1,\"nodesExt\":[{\"alternateAddresses\":{\"external\":{\"ports\":{\"kv\":1}}}}]}",
		/* largest numbers */
		"{\"rev\":1,\"x\":9223372036854775807,\"nodesExt\":[{}]}",
	};
	CbConfig   *config;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		check_context("shape %zu", i);
		config = parse(good[i], CB_OK);
		if (config == NULL)
			continue;
		CHECK(config->version.rev == 1 && config->version.epoch == 0);
		CHECK_STR(config->bucket, i >= 1 && i <= 4 ? "b" : NULL);
		CHECK_STR(config->nodes[0].host, "origin.example");
		CHECK_INT(config->nvbuckets, 0);
		CHECK_INT(cb_config_node_of(config, 0, 0), -1);
		CHECK_INT(config->nodes[0].serves_bucket, i >= 1 && i <= 4);
		CHECK_INT(config->nodes[0].nalternates, 0);
		cb_config_free(config);
	}
	check_context("%s", "");
}

static void
test_hostile(void)
{
	static const char *const bad[] = {
		"", "nothing", "[]", "{", "{}", "{\"nodesExt\":[]}", "{\"nodesExt\":{}}",
		"{\"nodesExt\":[5]}", "{\"nodesExt\":[{\"hostname\":5}]}",
		"{\"nodesExt\":[{\"hostname\":\"a b\"}]}", "{\"nodesExt\":[{\"hostname\":\"a/b\"}]}",
		"{\"nodesExt\":[{\"hostname\":\"a\\u0001\"}]}", "{\"nodesExt\":[{\"hostname\":\"[]\"}]}",
		"{\"nodesExt\":[{\"hostname\":\"a\\u0000b\"}]}",
		"{\"nodesExt\":[{\"services\":[]}]}", "{\"nodesExt\":[{\"services\":{\"kv\":\"1\"}}]}",
		"{\"nodesExt\":[{\"services\":{\"kv\":65536}}]}", "{\"nodesExt\":[{\"services\":{\"kv\":-1}}]}",
		"{\"nodesExt\":[{\"services\":{\"kv\":1.5}}]}",
		"{\"nodesExt\":[{\"alternateAddresses\":5}]}",
		"{\"nodesExt\":[{\"alternateAddresses\":{\"e\":5}}]}",
		"{\"nodesExt\":[{\"alternateAddresses\":{\"e\":{\"hostname\":7}}}]}",
		"{\"nodesExt\":[{\"alternateAddresses\":{\"e\":{\"hostname\":\"h\",\"ports\":7}}}]}",
		"{\"rev\":\"1\",\"nodesExt\":[{}]}", "{\"rev\":1.5,\"nodesExt\":[{}]}",
		"{\"rev\":99999999999999999999,\"nodesExt\":[{}]}",
		"{\"name\":5,\"nodesExt\":[{}]}", "{\"collectionsManifestUid\":\"xyz\",\"nodesExt\":[{}]}",
		"{\"name\":\"b\",\"nodesExt\":[{}],\"nodes\":[{},{}]}",
		"{\"name\":\"b\",\"nodes\":[{\"hostname\":\"h:99999\"}]}",
		"{\"name\":\"b\",\"nodes\":[{\"hostname\":\"h:8091\",\"ports\":5}]}",
		"{\"name\":\"b\",\"nodes\":[{\"hostname\":5}]}",
#define MAP(rest) "{\"name\":\"b\",\"nodesExt\":[{}],\"vBucketServerMap\":{" rest "}}"
		MAP("\"vBucketMap\":{}"), MAP("\"vBucketMap\":[5]"), MAP("\"vBucketMap\":[[1]]"),
		MAP("\"vBucketMap\":[[-2]]"), MAP("\"vBucketMap\":[[0.5]]"), MAP("\"vBucketMap\":[[\"0\"]]"),
		MAP("\"vBucketMap\":[[null]]"), MAP("\"vBucketMap\":[[0,0,7]]"),
		MAP("\"numReplicas\":-1,\"vBucketMap\":[[0]]"), MAP("\"numReplicas\":16,\"vBucketMap\":[[0]]"),
		MAP("\"numReplicas\":\"1\",\"vBucketMap\":[[0]]"),
		MAP("\"vBucketMap\":[[4294967296]]"),
		MAP("\"vBucketMap\":[[0]],\"vBucketMapForward\":5"),
		MAP("\"vBucketMap\":[[0]],\"vBucketMapForward\":[[0],[0]]"),
		MAP("\"vBucketMap\":[[0]],\"vBucketMapForward\":[[9]]"),
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		check_context("hostile %zu", i);
		cb_config_free(parse(bad[i], CB_MALFORMED));
	}
	check_context("%s", "");
}

/* A map of n rows, width columns, over two nodes. */
static CbConfig *
parse_map(size_t rows, int width, int replicas, CbResult want)
{
	CbBuf		text = {0};
	CbConfig   *config;

	cb_buf_append_format(&text, "{\"rev\":1,\"name\":\"b\",\"nodesExt\":[{},{}],"
						 "\"vBucketServerMap\":{\"numReplicas\":%d,\"vBucketMap\":[", replicas);
	for (size_t i = 0; i < rows; i++)
	{
		cb_buf_append_cstr(&text, i ? ",[" : "[");
		for (int j = 0; j < width; j++)
			cb_buf_append_format(&text, "%s%d", j ? "," : "", (int) (i + (size_t) j) % 2);
		cb_buf_append_cstr(&text, "]");
	}
	cb_buf_append_cstr(&text, "]}}");
	cb_buf_append_u8(&text, '\0');
	config = parse((const char *) text.data, want);
	cb_buf_free(&text);
	return config;
}

static void
test_sizes(void)
{
	static const size_t sizes[] = {64, 128, 1024, 65536};

	for (size_t i = 0; i < 4; i++)
	{
		for (int width = 0; width <= 5; width++)
		{
			CbConfig   *config = parse_map(sizes[i], width, 2, CB_OK);

			check_context("%zu vBuckets, %d columns", sizes[i], width);
			if (config == NULL)
				continue;
			CHECK_INT(config->nvbuckets, sizes[i]);
			CHECK_INT(cb_config_node_of(config, 63, 0), width > 0 ? 1 : -1);
			CHECK_INT(cb_config_node_of(config, 63, 2), width > 2 ? 1 : -1);
			CHECK_INT(cb_config_node_of(config, 63, 3), -1);
			cb_config_free(config);
		}
	}
	check_context("%s", "");
	cb_config_free(parse_map(65537, 1, 0, CB_LIMIT));
}

static void
test_versions(void)
{
	CbVersion	old = {1, INT64_MAX};
	CbVersion	new = {2, 1};

	CHECK(cb_version_compare(old, new) < 0);
	CHECK(cb_version_compare(new, old) > 0);
	CHECK(cb_version_compare(new, new) == 0);
	CHECK(cb_version_compare((CbVersion) {2, 1}, (CbVersion) {2, INT64_C(1) << 40}) < 0);
	CHECK(cb_version_compare((CbVersion) {-1, 5}, (CbVersion) {0, 1}) < 0);
}

static void
test_manifest(void)
{
	static const char *const bad[] = {
		"", "[]", "{}", "{\"uid\":\"g\",\"scopes\":[]}", "{\"uid\":4,\"scopes\":[]}",
		"{\"uid\":\"4\"}", "{\"uid\":\"4\",\"scopes\":[{\"name\":\"s\"}]}",
		"{\"uid\":\"4\",\"scopes\":[{\"uid\":\"8\"}]}",
		"{\"uid\":\"4\",\"scopes\":[{\"name\":\"s\",\"uid\":\"8\",\"collections\":5}]}",
		"{\"uid\":\"4\",\"scopes\":[{\"name\":\"s\",\"uid\":\"8\",\"collections\":[{\"name\":\"c\"}]}]}",
		"{\"uid\":\"4\",\"scopes\":[{\"name\":\"s\",\"uid\":\"8\",\"collections\":[{\"uid\":\"9\"}]}]}",
		"{\"uid\":\"4\",\"scopes\":[{\"name\":\"s\",\"uid\":\"8\",\"collections\":"
		"[{\"name\":\"c\",\"uid\":\"1ffffffff\"}]}]}",
		"{\"uid\":\"4\",\"scopes\":[{\"name\":\"s\",\"uid\":\"8\",\"collections\":"
		"[{\"name\":\"c\",\"uid\":\"9\",\"maxTTL\":\"x\"}]}]}",
	};
	CbManifest *manifest;
	CbError		err;

	CHECK_RESULT(cb_manifest_parse(cb_span_cstr(
		"{\"uid\":\"1F\",\"scopes\":[{\"name\":\"_default\",\"uid\":\"0\",\"collections\":"
		"[{\"name\":\"_default\",\"uid\":\"0\"}]},{\"name\":\"empty\",\"uid\":\"9\",\"collections\":[]},"
		"{\"name\":\"vec\",\"uid\":\"8\",\"collections\":[{\"name\":\"c1\",\"uid\":\"a\",\"maxTTL\":3600},"
		"{\"name\":\"c2\",\"uid\":\"b\",\"maxTTL\":-1}]}]}"), &manifest, &err), CB_OK);
	if (manifest != NULL)
	{
		CHECK(manifest->uid == 0x1f);
		CHECK_INT(manifest->ncollections, 3);
		CHECK_STR(manifest->collections[1].scope, "vec");
		CHECK_STR(manifest->collections[1].name, "c1");
		CHECK_INT(manifest->collections[1].scope_id, 8);
		CHECK_INT(manifest->collections[1].id, 10);
		CHECK_INT(manifest->collections[1].max_ttl, 3600);
		CHECK_INT(manifest->collections[2].max_ttl, -1);
		CHECK_INT(manifest->nempty_scopes, 1);
		CHECK_STR(manifest->empty_scopes[0], "empty");
		cb_manifest_free(manifest);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		check_context("manifest %zu", i);
		CHECK_RESULT(cb_manifest_parse(cb_span_cstr(bad[i]), &manifest, &err), CB_MALFORMED);
		CHECK(manifest == NULL);
	}
	check_context("%s", "");
}

void
test_config(void)
{
	test_full();
	test_networks();
	test_shapes();
	test_hostile();
	test_sizes();
	test_versions();
	test_manifest();
}
