/*
 * config_use.c
 *		Questions about a parsed cluster configuration.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
cb_config_free(CbConfig *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->nnodes; i++)
	{
		CbNode	   *node = &config->nodes[i];

		for (size_t j = 0; j < node->nalternates; j++)
		{
			free(node->alternates[j].network);
			free(node->alternates[j].host);
		}
		free(node->alternates);
		free(node->host);
		free(node->server_group);
		free(node->uuid);
	}
	free(config->nodes);
	free(config->bucket);
	free(config->uuid);
	free(config->cluster_name);
	free(config->cluster_uuid);
	free(config->map);
	free(config->forward_map);
	free(config);
}

int
cb_version_compare(CbVersion a, CbVersion b)
{
	if (a.epoch != b.epoch)
		return a.epoch < b.epoch ? -1 : 1;
	if (a.rev != b.rev)
		return a.rev < b.rev ? -1 : 1;
	return 0;
}

int
cb_config_node_of(const CbConfig *config, uint16_t vbucket, unsigned replica)
{
	if (vbucket >= config->nvbuckets || replica > config->nreplicas)
		return -1;
	return config->map[(size_t) vbucket * (config->nreplicas + 1) + replica];
}

int
cb_config_forward_node_of(const CbConfig *config, uint16_t vbucket)
{
	if (config->forward_map == NULL || vbucket >= config->nvbuckets)
		return -1;
	return config->forward_map[(size_t) vbucket * (config->nreplicas + 1)];
}

static const CbAltAddress *
find_alternate(const CbNode *node, const char *network)
{
	for (size_t i = 0; i < node->nalternates; i++)
	{
		if (strcmp(node->alternates[i].network, network) == 0)
			return &node->alternates[i];
	}
	return NULL;
}

/* Whether host and port are those of an address; port 0: host alone counts. */
static bool
address_is(const char *host, const CbPorts *ports, const char *seed_host,
		   uint16_t seed_port, bool tls)
{
	const uint16_t *list = tls ? ports->tls : ports->plain;

	if (strcasecmp(host, seed_host) != 0)
		return false;
	return seed_port == 0 || list[CB_SERVICE_KV] == seed_port ||
		list[CB_SERVICE_MGMT] == seed_port;
}

static const char *
network_of_seed(const CbConfig *config, const char *host, uint16_t port, bool tls)
{
	for (size_t i = 0; i < config->nnodes; i++)
	{
		if (address_is(config->nodes[i].host, &config->nodes[i].ports, host, port, tls))
			return "default";
	}
	for (size_t i = 0; i < config->nnodes; i++)
	{
		for (size_t j = 0; j < config->nodes[i].nalternates; j++)
		{
			const CbAltAddress *alt = &config->nodes[i].alternates[j];

			if (address_is(alt->host, &alt->ports, host, port, tls))
				return alt->network;
		}
	}
	return NULL;
}

/* Whether all nodes that matter offer KV on the external network. */
static bool
external_is_complete(const CbConfig *config, bool tls)
{
	bool		any = false;

	for (size_t i = 0; i < config->nnodes; i++)
	{
		const char *host;
		uint16_t	port;

		if (config->bucket != NULL ? !config->nodes[i].serves_bucket :
			config->nodes[i].ports.plain[CB_SERVICE_KV] == 0 &&
			config->nodes[i].ports.tls[CB_SERVICE_KV] == 0)
			continue;
		if (cb_config_endpoint(config, i, "external", CB_SERVICE_KV, tls, &host,
							   &port) != CB_OK)
			return false;
		any = true;
	}
	return any;
}

const char *
cb_config_choose_network(const CbConfig *config, const char *option,
						 const char *const *seed_hosts, const uint16_t *seed_ports,
						 size_t nseeds, bool tls)
{
	const char *network;

	if (option != NULL && strcmp(option, "auto") != 0)
	{
		for (size_t i = 0; i < config->nnodes; i++)
		{
			const CbAltAddress *alt = find_alternate(&config->nodes[i], option);

			if (alt != NULL)
				return alt->network;
		}
		return strcmp(option, "default") == 0 ? "default" : option;
	}
	for (size_t i = 0; i < nseeds; i++)
	{
		uint16_t	port = seed_ports[i] != 0 ? seed_ports[i] : tls ? 11207 : 11210;

		network = network_of_seed(config, seed_hosts[i], port, tls);
		if (network != NULL)
			return network;
	}
	for (size_t i = 0; i < nseeds; i++)
	{
		network = network_of_seed(config, seed_hosts[i], 0, tls);
		if (network != NULL)
			return network;
	}
	return external_is_complete(config, tls) ? "external" : "default";
}

CbResult
cb_config_endpoint(const CbConfig *config, size_t node, const char *network,
				   CbService service, bool tls, const char **host, uint16_t *port)
{
	const CbNode *entry;
	const CbPorts *ports;

	if (node >= config->nnodes)
		return CB_NOT_FOUND;
	entry = &config->nodes[node];
	*host = entry->host;
	ports = &entry->ports;
	if (strcmp(network, "default") != 0)
	{
		const CbAltAddress *alt = find_alternate(entry, network);

		if (alt == NULL)
			return CB_NOT_FOUND;
		*host = alt->host;
		ports = &alt->ports;
	}
	*port = tls ? ports->tls[service] : ports->plain[service];
	return *port == 0 ? CB_NOT_FOUND : CB_OK;
}
