/*
 * key_set.h
 *		A set of document keys.
 */
#ifndef CBCONN_KEY_SET_H
#define CBCONN_KEY_SET_H

#include "postgres.h"

typedef struct KeySet KeySet;

/* Lives in a memory context of its own below parent. */
extern KeySet *key_set_create(MemoryContext parent);

/* Copies the key, at most 255 bytes; true when it is new. */
extern bool key_set_add(KeySet *set, const char *key, size_t len);

extern int64 key_set_size(const KeySet *set);

extern void key_set_destroy(KeySet *set);

#endif							/* CBCONN_KEY_SET_H */
