/*
 * kv_value.h: making new versions of documents.
 */
#ifndef KV_VALUE_H
#define KV_VALUE_H

#include "cbcluster.h"

size_t		xattr_system_only(const char *section, size_t len, char *out);
Doc		   *kv_new_version(const Req *r, const Doc *old, const void *body, size_t body_len);
Doc		   *kv_with_expiry(const Doc *d, uint32_t expiry);
Doc		   *kv_tombstone(const Doc *d);

/* kv_write.c: a durable write of this document is under way. */
bool		kv_pending(const Req *r);

#endif
