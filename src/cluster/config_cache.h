/*
 * config_cache.h
 *		Configurations kept beyond a backend: in a file (config_cache, config_cache_ro) and in shared memory. What comes
 *		from there is provisional until a node has confirmed it.
 */
#ifndef CBCONN_CONFIG_CACHE_H
#define CBCONN_CONFIG_CACHE_H

#include "handle.h"

/* Works out key and file name. Throws for options that contradict each other. */
extern void config_cache_init(ClusterHandle *handle);

/*
 * Starts from a kept configuration, if there is one: connects to the nodes that have the keys (without: to all), which
 * confirm or correct it while they shake hands. False when the hosts of the connection string have to be asked. Waits.
 */
extern bool config_cache_start(ClusterHandle *handle, int nkeys, const KvKey *keys, int64 deadline,
							   ClusterCounters *counters);

/* Keeps what a node has said. Never throws but for memory; trouble with files goes to the log. */
extern void config_cache_store(ClusterHandle *handle, const char *host, CbSpan text);

/* Takes over what another backend has learnt about the same bucket, if it is newer. Never waits. */
extern bool config_cache_catch_up(ClusterHandle *handle);

#endif							/* CBCONN_CONFIG_CACHE_H */
