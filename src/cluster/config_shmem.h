/*
 * config_shmem.h
 *		Configurations in shared memory, when the library is preloaded: what one backend learns, all use.
 */
#ifndef CBCONN_CONFIG_SHMEM_H
#define CBCONN_CONFIG_SHMEM_H

#include "postgres.h"

#include "../protocol/config_file.h"

/* Whose configuration it is. All bytes count: there is no padding, and it must be zeroed before it is filled. */
typedef struct ConfigKey
{
	Oid			database;
	Oid			server;
	char		connection[68]; /* hash of what of the connection string decides about the configuration */
	char		bucket[128];
} ConfigKey;

/* From _PG_init while libraries are preloaded: asks for memory and a lock, nothing else (P1). */
extern void config_shmem_init(void);

/* Goes up with every configuration stored; 0 without shared memory. */
extern uint64 config_shmem_changes(void);

/* The configuration kept for the key as cb_config_file_write made it, palloc'd; NULL: none. */
extern char *config_shmem_get(const ConfigKey *key, size_t *len);

/*
 * Keeps a configuration unless a newer one of the same bucket is there. The least recently used one makes room. False
 * when it does not fit into a slot.
 */
extern bool config_shmem_put(const ConfigKey *key, const CbConfigFile *file, CbSpan image);

/* Size of the slot for one configuration. */
extern size_t config_shmem_slot_size(void);

#endif							/* CBCONN_CONFIG_SHMEM_H */
