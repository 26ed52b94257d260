/*
 * fuzz_config.c
 *		Cluster configurations and collections manifests.
 */
#include "fuzz.h"

#include "config.h"

static void
use(const CbConfig *config)
{
	static const char *const seeds[] = {"127.0.0.1", "host"};
	static const uint16_t ports[] = {11210, 0};
	const char *network = cb_config_choose_network(config, "auto", seeds, ports, 2, false);
	const char *host;
	uint16_t	port;

	EXPECT(config->nnodes > 0);
	for (uint32_t vb = 0; vb < config->nvbuckets && vb < 70000; vb++)
	{
		for (unsigned replica = 0; replica <= config->nreplicas + 1; replica++)
		{
			int			node = cb_config_node_of(config, (uint16_t) vb, replica);

			EXPECT(node >= -1 && node < (int) config->nnodes);
		}
		EXPECT(cb_config_forward_node_of(config, (uint16_t) vb) < (int) config->nnodes);
	}
	for (size_t i = 0; i <= config->nnodes; i++)
	{
		if (cb_config_endpoint(config, i, network, CB_SERVICE_KV, i % 2, &host, &port) == CB_OK)
			EXPECT(host != NULL && host[0] != '\0' && port != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CbConfig   *config;
	CbManifest *manifest;
	CbError		err = {0};

	if (cb_config_parse(cb_span(data, size), "host", &config, &err) == CB_OK)
		use(config);
	else
		EXPECT(config == NULL && err.text[0] != '\0');
	cb_config_free(config);
	cb_manifest_parse(cb_span(data, size), &manifest, &err);
	cb_manifest_free(manifest);
	return 0;
}
