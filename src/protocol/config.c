/*
 * config.c
 *		Parser of cluster configurations (JSON, from the network: hostile).
 */
#include "config.h"

#include "config_internal.h"

#include <stdlib.h>
#include <string.h>

#define HOST_MAX	255

/* Keys of the services object, by service */
static const char *const service_keys[CB_NSERVICES][2] = {
	[CB_SERVICE_KV] = {"kv", "kvSSL"},
	[CB_SERVICE_MGMT] = {"mgmt", "mgmtSSL"},
	[CB_SERVICE_QUERY] = {"n1ql", "n1qlSSL"},
	[CB_SERVICE_ANALYTICS] = {"cbas", "cbasSSL"},
	[CB_SERVICE_SEARCH] = {"fts", "ftsSSL"},
	[CB_SERVICE_VIEWS] = {"capi", "capiSSL"}
};

CbResult
cb_config_malformed(CbError *err, const char *what)
{
	return cb_error_set(err, CB_MALFORMED, NULL, "cluster configuration: %s", what);
}

CbResult
cb_config_nomem(CbError *err)
{
	return cb_error_set(err, CB_NOMEM, NULL, "out of memory");
}

CbResult
cb_config_text(const json_t *object, const char *key, char **out, CbError *err)
{
	const json_t *value = json_object_get(object, key);

	*out = NULL;
	if (value == NULL || json_is_null(value))
		return CB_OK;
	if (!json_is_string(value))
		return cb_error_set(err, CB_MALFORMED, NULL,
							"cluster configuration: \"%s\" is no string", key);
	*out = cb_span_dup(cb_span(json_string_value(value), json_string_length(value)));
	return *out == NULL ? cb_config_nomem(err) : CB_OK;
}

/* An integer member; absent leaves *out alone. */
static CbResult
get_integer(const json_t *object, const char *key, int64_t *out, CbError *err)
{
	const json_t *value = json_object_get(object, key);

	if (value == NULL || json_is_null(value))
		return CB_OK;
	if (!json_is_integer(value))
		return cb_error_set(err, CB_MALFORMED, NULL,
							"cluster configuration: \"%s\" is no integer", key);
	*out = json_integer_value(value);
	return CB_OK;
}

/* Host name as the client uses it: $HOST and absence replaced, no brackets. */
static CbResult
resolve_host(const char *text, size_t len, const char *origin, char **out, CbError *err)
{
	if (text == NULL || len == 0 || (len == 5 && memcmp(text, "$HOST", 5) == 0))
	{
		text = origin;
		len = strlen(origin);
	}
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']')
	{
		text++;
		len -= 2;
	}
	if (len == 0 || len > HOST_MAX)
		return cb_config_malformed(err, "host name is empty or too long");
	for (size_t i = 0; i < len; i++)
	{
		uint8_t		c = (uint8_t) text[i];

		if (c <= 0x20 || c == 0x7f || strchr("/@\\?#\"'<>,;[]", c) != NULL)
			return cb_config_malformed(err, "host name with illegal characters");
	}
	*out = cb_span_dup(cb_span(text, len));
	return *out == NULL ? cb_config_nomem(err) : CB_OK;
}

static CbResult
member_host(const json_t *object, const char *origin, char **out, CbError *err)
{
	const json_t *value = json_object_get(object, "hostname");

	if (value != NULL && !json_is_string(value))
		return cb_config_malformed(err, "host name is no string");
	return resolve_host(json_string_value(value), json_string_length(value), origin,
						out, err);
}

static CbResult
get_port(const json_t *services, const char *key, uint16_t *port, CbError *err)
{
	int64_t		value = 0;
	CbResult	result = get_integer(services, key, &value, err);

	if (result != CB_OK)
		return result;
	if (value < 0 || value > UINT16_MAX)
		return cb_error_set(err, CB_MALFORMED, NULL,
							"cluster configuration: port of \"%s\" is out of range", key);
	*port = (uint16_t) value;
	return CB_OK;
}

/* services may be NULL: no service. */
static CbResult
parse_ports(const json_t *services, CbPorts *ports, CbError *err)
{
	*ports = (CbPorts) {0};
	if (services == NULL || json_is_null(services))
		return CB_OK;
	if (!json_is_object(services))
		return cb_config_malformed(err, "services or ports of a node are no object");
	for (int i = 0; i < CB_NSERVICES; i++)
	{
		CbResult	result = get_port(services, service_keys[i][0], &ports->plain[i], err);

		if (result == CB_OK)
			result = get_port(services, service_keys[i][1], &ports->tls[i], err);
		if (result != CB_OK)
			return result;
	}
	return CB_OK;
}

static CbResult
parse_alternates(const json_t *alternates, const char *origin, CbNode *node, CbError *err)
{
	const char *network;
	json_t	   *value;

	if (alternates == NULL || json_is_null(alternates))
		return CB_OK;
	if (!json_is_object(alternates))
		return cb_config_malformed(err, "alternate addresses are no object");
	if (json_object_size(alternates) == 0)
		return CB_OK;
	node->alternates = calloc(json_object_size(alternates), sizeof(CbAltAddress));
	if (node->alternates == NULL)
		return cb_config_nomem(err);
	json_object_foreach((json_t *) alternates, network, value)
	{
		CbAltAddress *alt = &node->alternates[node->nalternates];
		const json_t *ports;
		CbResult	result;

		if (!json_is_object(value))
			return cb_config_malformed(err, "an alternate address is no object");
		/* Without a name there is nothing to connect to on that network. */
		if (json_object_get(value, "hostname") == NULL)
			continue;
		node->nalternates++;
		alt->network = cb_span_dup(cb_span_cstr(network));
		if (alt->network == NULL)
			return cb_config_nomem(err);
		result = member_host(value, origin, &alt->host, err);
		ports = json_object_get(value, "ports");
		if (result == CB_OK && ports != NULL)
			result = parse_ports(ports, &alt->ports, err);
		else
			alt->ports = node->ports;
		if (result != CB_OK)
			return result;
	}
	return CB_OK;
}

static CbResult
parse_node_ext(const json_t *entry, const char *origin, CbNode *node, CbError *err)
{
	CbResult	result;

	if (!json_is_object(entry))
		return cb_config_malformed(err, "a node is no object");
	result = member_host(entry, origin, &node->host, err);
	if (result == CB_OK)
		result = parse_ports(json_object_get(entry, "services"), &node->ports, err);
	if (result == CB_OK)
		result = parse_alternates(json_object_get(entry, "alternateAddresses"), origin,
								  node, err);
	if (result == CB_OK)
		result = cb_config_text(entry, "serverGroup", &node->server_group, err);
	if (result == CB_OK)
		result = cb_config_text(entry, "nodeUUID", &node->uuid, err);
	node->this_node = json_is_true(json_object_get(entry, "thisNode"));
	return result;
}

/* A decimal port, or 0. */
static uint16_t
port_from_text(const char *text, size_t len)
{
	unsigned	port = 0;

	if (len == 0 || len > 5)
		return 0;
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return 0;
		port = port * 10 + (unsigned) (text[i] - '0');
	}
	return port > UINT16_MAX ? 0 : (uint16_t) port;
}

/* Entry of the older nodes list: hostname is host:management-port. */
static CbResult
parse_node_old(const json_t *entry, const char *origin, CbNode *node, CbError *err)
{
	const json_t *hostname = json_object_get(entry, "hostname");
	const json_t *ports = json_object_get(entry, "ports");
	const char *text = json_string_value(hostname);
	size_t		len = json_string_length(hostname);
	const char *colon = text == NULL ? NULL : strrchr(text, ':');
	CbResult	result;

	if (!json_is_object(entry) || (hostname != NULL && text == NULL))
		return cb_config_malformed(err, "a node is no object, or its name no string");
	if (ports != NULL && !json_is_object(ports))
		return cb_config_malformed(err, "ports of a node are no object");
	if (colon != NULL)
	{
		size_t		host_len = (size_t) (colon - text);

		node->ports.plain[CB_SERVICE_MGMT] = port_from_text(colon + 1, len - host_len - 1);
		if (node->ports.plain[CB_SERVICE_MGMT] == 0)
			return cb_config_malformed(err, "port of a node is out of range");
		len = host_len;
	}
	result = resolve_host(text, len, origin, &node->host, err);
	if (result == CB_OK)
		result = get_port(ports, "direct", &node->ports.plain[CB_SERVICE_KV], err);
	if (result == CB_OK)
		result = get_port(ports, "httpsMgmt", &node->ports.tls[CB_SERVICE_MGMT], err);
	node->this_node = json_is_true(json_object_get(entry, "thisNode"));
	return result;
}

static CbResult
parse_nodes(const json_t *root, const char *origin, CbConfig *config, CbError *err)
{
	const json_t *ext = json_object_get(root, "nodesExt");
	const json_t *nodes = json_object_get(root, "nodes");
	const json_t *list = ext != NULL ? ext : nodes;
	size_t		serving;

	if (list == NULL || !json_is_array(list) || (nodes != NULL && !json_is_array(nodes)))
		return cb_config_malformed(err, "no list of nodes");
	if (json_array_size(list) == 0)
		return cb_config_malformed(err, "list of nodes is empty");
	if (json_array_size(list) > CB_CONFIG_MAX_NODES)
		return cb_error_set(err, CB_LIMIT, NULL,
							"cluster configuration: more than %d nodes",
							CB_CONFIG_MAX_NODES);
	serving = nodes != NULL ? json_array_size(nodes) :
		config->bucket != NULL ? json_array_size(list) : 0;
	if (serving > json_array_size(list))
		return cb_config_malformed(err, "nodes of the bucket are missing in nodesExt");
	config->nodes = calloc(json_array_size(list), sizeof(CbNode));
	if (config->nodes == NULL)
		return cb_config_nomem(err);
	config->nnodes = json_array_size(list);
	for (size_t i = 0; i < config->nnodes; i++)
	{
		CbNode	   *node = &config->nodes[i];
		const json_t *entry = json_array_get(list, i);
		CbResult	result = ext != NULL ? parse_node_ext(entry, origin, node, err) :
			parse_node_old(entry, origin, node, err);

		if (result != CB_OK)
			return result;
		node->serves_bucket = config->bucket != NULL && i < serving;
	}
	return CB_OK;
}

/* Rows of node indexes; narrow ones are filled with -1, surplus columns left out. */
static CbResult
parse_map(const json_t *rows, const CbConfig *config, size_t nserving, int16_t **out,
		  CbError *err)
{
	size_t		width = config->nreplicas + 1;
	int16_t    *map = malloc(json_array_size(rows) * width * sizeof(*map));

	if (map == NULL)
		return cb_config_nomem(err);
	*out = map;
	for (size_t i = 0; i < json_array_size(rows); i++)
	{
		const json_t *row = json_array_get(rows, i);

		if (!json_is_array(row))
			return cb_config_malformed(err, "a row of the vBucket map is no array");
		for (size_t j = 0; j < width; j++)
			map[i * width + j] = -1;
		for (size_t j = 0; j < json_array_size(row); j++)
		{
			const json_t *cell = json_array_get(row, j);
			int64_t		index = json_integer_value(cell);

			if (!json_is_integer(cell) || index < -1 || index >= (int64_t) nserving)
				return cb_config_malformed(err, "the vBucket map names a node that does not exist");
			if (j < width)
				map[i * width + j] = (int16_t) index;
		}
	}
	return CB_OK;
}

static CbResult
parse_vbuckets(const json_t *root, CbConfig *config, CbError *err)
{
	const json_t *server_map = json_object_get(root, "vBucketServerMap");
	const json_t *rows = json_object_get(server_map, "vBucketMap");
	const json_t *forward = json_object_get(server_map, "vBucketMapForward");
	int64_t		replicas = 0;
	size_t		nserving = 0;
	CbResult	result;

	if (rows == NULL || json_is_null(rows))
		return CB_OK;
	if (!json_is_array(rows) || (forward != NULL && !json_is_array(forward)))
		return cb_config_malformed(err, "vBucket map is no array");
	if (json_array_size(rows) > CB_CONFIG_MAX_VBUCKETS)
		return cb_error_set(err, CB_LIMIT, NULL,
							"cluster configuration: more than %d vBuckets",
							CB_CONFIG_MAX_VBUCKETS);
	result = get_integer(server_map, "numReplicas", &replicas, err);
	if (result != CB_OK)
		return result;
	if (replicas < 0 || replicas > CB_CONFIG_MAX_REPLICAS)
		return cb_config_malformed(err, "number of replicas is out of range");
	if (json_array_size(rows) == 0)
		return CB_OK;
	config->nreplicas = (uint32_t) replicas;
	while (nserving < config->nnodes && config->nodes[nserving].serves_bucket)
		nserving++;
	result = parse_map(rows, config, nserving, &config->map, err);
	if (result != CB_OK)
		return result;
	config->nvbuckets = (uint32_t) json_array_size(rows);
	if (forward == NULL || json_array_size(forward) == 0)
		return CB_OK;
	if (json_array_size(forward) != config->nvbuckets)
		return cb_config_malformed(err, "forward map and vBucket map differ in size");
	return parse_map(forward, config, nserving, &config->forward_map, err);
}

static bool
has_capability(const json_t *root, const char *name)
{
	const json_t *list = json_object_get(root, "bucketCapabilities");

	for (size_t i = 0; i < json_array_size(list); i++)
	{
		const char *text = json_string_value(json_array_get(list, i));

		if (text != NULL && strcmp(text, name) == 0)
			return true;
	}
	return false;
}

static CbResult
parse_identity(const json_t *root, CbConfig *config, CbError *err)
{
	const char *locator = json_string_value(json_object_get(root, "nodeLocator"));
	const char *manifest = json_string_value(json_object_get(root, "collectionsManifestUid"));
	CbResult	result;

	result = get_integer(root, "rev", &config->version.rev, err);
	if (result == CB_OK)
		result = get_integer(root, "revEpoch", &config->version.epoch, err);
	if (result == CB_OK)
		result = cb_config_text(root, "name", &config->bucket, err);
	if (result == CB_OK)
		result = cb_config_text(root, "uuid", &config->uuid, err);
	if (result == CB_OK)
		result = cb_config_text(root, "clusterName", &config->cluster_name, err);
	if (result == CB_OK)
		result = cb_config_text(root, "clusterUUID", &config->cluster_uuid, err);
	if (result != CB_OK)
		return result;
	config->vbucket_locator = locator != NULL && strcmp(locator, "vbucket") == 0;
	if (manifest != NULL)
	{
		config->has_manifest_uid = cb_hex_parse(manifest, &config->manifest_uid);
		if (!config->has_manifest_uid)
			return cb_config_malformed(err, "collections manifest uid is not hexadecimal");
	}
	config->collections = has_capability(root, "collections");
	config->durable_write = has_capability(root, "durableWrite");
	config->range_scan = has_capability(root, "rangeScan");
	config->preserve_expiry = has_capability(root, "preserveExpiry") ||
		has_capability(root, "preserve_expiry");
	return CB_OK;
}

CbResult
cb_config_parse(CbSpan text, const char *host, CbConfig **out, CbError *err)
{
	json_error_t why;
	json_t	   *root;
	CbConfig   *config;
	CbResult	result;

	*out = NULL;
	root = text.len == 0 ? NULL :
		json_loadb((const char *) text.data, text.len, 0, &why);
	if (!json_is_object(root))
	{
		json_decref(root);
		return cb_config_malformed(err, "not a JSON object");
	}
	config = calloc(1, sizeof(*config));
	if (config == NULL)
		result = cb_config_nomem(err);
	else
	{
		result = parse_identity(root, config, err);
		if (result == CB_OK)
			result = parse_nodes(root, host, config, err);
		if (result == CB_OK)
			result = parse_vbuckets(root, config, err);
	}
	json_decref(root);
	if (result != CB_OK)
		cb_config_free(config);
	else
		*out = config;
	return result;
}
