/*
 * config.h
 *		Cluster configuration: nodes, their services and the vBucket map.
 */
#ifndef CB_CONFIG_H
#define CB_CONFIG_H

#include "kv_ops.h"

typedef enum CbService
{
	CB_SERVICE_KV = 0,
	CB_SERVICE_MGMT,
	CB_SERVICE_QUERY,
	CB_SERVICE_ANALYTICS,
	CB_SERVICE_SEARCH,
	CB_SERVICE_VIEWS,
	CB_NSERVICES
} CbService;

/* Ports by service; 0: the node does not offer it. */
typedef struct CbPorts
{
	uint16_t	plain[CB_NSERVICES];
	uint16_t	tls[CB_NSERVICES];
} CbPorts;

/* Addresses of a node under another network name. */
typedef struct CbAltAddress
{
	char	   *network;		/* "external" ... */
	char	   *host;
	CbPorts		ports;			/* the internal ones where the config has none */
} CbAltAddress;

typedef struct CbNode
{
	char	   *host;			/* no brackets; $HOST and absence replaced */
	CbPorts		ports;
	bool		this_node;
	bool		serves_bucket;	/* owns KV for this bucket (listed in nodes) */
	char	   *server_group;	/* NULL: none */
	char	   *uuid;			/* NULL: unknown */
	CbAltAddress *alternates;
	size_t		nalternates;
} CbNode;

#define CB_CONFIG_MAX_NODES		4096
#define CB_CONFIG_MAX_VBUCKETS	65536
#define CB_CONFIG_MAX_REPLICAS	15

typedef struct CbConfig
{
	CbVersion	version;		/* epoch 0, rev 0 where absent */
	char	   *bucket;			/* NULL: configuration without a bucket */
	char	   *uuid;			/* of the bucket, NULL: unknown */
	char	   *cluster_name;	/* NULL: unknown */
	char	   *cluster_uuid;
	bool		vbucket_locator;	/* nodeLocator is "vbucket" */
	bool		has_manifest_uid;
	uint64_t	manifest_uid;	/* of the collections manifest */
	bool		collections;	/* bucket capabilities that matter */
	bool		durable_write;
	bool		range_scan;
	bool		preserve_expiry;
	CbNode	   *nodes;			/* map indexes count through these */
	size_t		nnodes;
	uint32_t	nvbuckets;		/* 0: no map (yet) */
	uint32_t	nreplicas;
	int16_t    *map;			/* nvbuckets rows of 1 + nreplicas node indexes,
								 * active first, -1: nobody */
	int16_t    *forward_map;	/* NULL, or the same shape: during rebalance */
} CbConfig;

/*
 * Parse the JSON text of a terse bucket or cluster configuration (inflated).
 * host: where it came from, for nodes without a name; no brackets. *config is freed
 * with cb_config_free. CB_MALFORMED or CB_LIMIT fill err. A config without a
 * map, or with an empty one, is CB_OK with nvbuckets 0.
 */
extern CbResult cb_config_parse(CbSpan text, const char *host, CbConfig **config,
								CbError *err);
extern void cb_config_free(CbConfig *config);

/* <0, 0, >0 as a is older than, the same as, newer than b. */
extern int	cb_version_compare(CbVersion a, CbVersion b);

/* Index of the node that holds vbucket (replica 0: active), or -1. */
extern int	cb_config_node_of(const CbConfig *config, uint16_t vbucket,
							  unsigned replica);

/* The same by the forward map; -1 when there is none. */
extern int	cb_config_forward_node_of(const CbConfig *config, uint16_t vbucket);

/*
 * Network to use: option is "auto", "default" or a name (NULL: auto). seed_hosts
 * and seed_ports: what the connection string named (port 0: the default one),
 * tls: which ports to compare. Returns "default", option, or a name inside config.
 * auto: the network, default first, under which a seed's host and KV or
 * management port are listed; else the one under which its host is; else
 * "external" if every node of the bucket has KV there; else default.
 */
extern const char *cb_config_choose_network(const CbConfig *config,
											const char *option,
											const char *const *seed_hosts,
											const uint16_t *seed_ports,
											size_t nseeds, bool tls);

/*
 * Host and port of a node's service on network. CB_NOT_FOUND when the node
 * does not offer it there (nodes without that network are unreachable on it).
 */
extern CbResult cb_config_endpoint(const CbConfig *config, size_t node,
								   const char *network, CbService service,
								   bool tls, const char **host, uint16_t *port);

/* ---- collections manifest (GET_MANIFEST) ---- */

typedef struct CbManifestCollection
{
	char	   *scope;
	char	   *name;
	uint32_t	scope_id;
	uint32_t	id;
	int64_t		max_ttl;		/* seconds; 0: none, -1: never expires */
} CbManifestCollection;

typedef struct CbManifest
{
	uint64_t	uid;
	CbManifestCollection *collections;
	size_t		ncollections;
	char	  **empty_scopes;	/* scopes without collections */
	size_t		nempty_scopes;
} CbManifest;

extern CbResult cb_manifest_parse(CbSpan text, CbManifest **manifest, CbError *err);
extern void cb_manifest_free(CbManifest *manifest);

#endif
