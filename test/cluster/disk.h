/*
 * disk.h: what the store and the flusher know of each other, and store internals that other core files use.
 */
#ifndef DISK_H
#define DISK_H

#include "cbcluster.h"

/* store.c */
void		store_expire_all(VBucket *vb, uint32_t now);
void		store_purge(VBucket *vb, uint32_t cid);
void		store_free(VBucket *vb);
Lock	   *store_lock(VBucket *vb, Doc *d, int64_t until_ms);
void		store_unlock(VBucket *vb, Lock *l);

/* disk.c */
void		disk_start(Cluster *cl);
void		disk_stop(Cluster *cl);
void		disk_flush(Cluster *cl);
void		disk_queue(VBucket *vb, Doc *d);
void		disk_purge(VBucket *vb, uint32_t cid);
void		disk_free(VBucket *vb);

/* kv_write.c */
void		pending_recheck(Cluster *cl);	/* a node stopped or came back: durable writes may now complete */
void		pending_free(VBucket *vb);

#endif
