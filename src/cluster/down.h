/*
 * down.h
 *		Nodes that could not be reached, remembered for a moment: by all backends when the library is preloaded, else by
 *		the handles of this one.
 *
 * While a node is marked nobody is patient with it: an operation that needs it fails as soon as the other nodes have
 * said that the cluster still counts on it. A node that swallows connections, so that trying takes time, is not even
 * tried, but by one backend when the mark runs out; and once more by the next statement of the backend that set it.
 */
#ifndef CBCONN_DOWN_H
#define CBCONN_DOWN_H

#include "handle.h"
#include "storage/lwlock.h"

/* While libraries are preloaded: size of the shared table; makes it, or finds it, under AddinShmemInitLock. */
extern Size down_shmem_size(void);
extern void down_shmem_startup(LWLock *lock);

/* An attempt to connect has failed and took so many microseconds: marks the node if it was costly. */
extern void down_tried(const KvConn *conn, int64 took);

/*
 * An operation has given up on the node: marks it, if it could not be reached. True when an attempt to connect has been
 * under way for so long that the node is known to be silent.
 */
extern bool down_given_up(KvConn *conn);

/* It can be reached. */
extern void down_clear(const KvConn *conn);

typedef enum DownState
{
	DOWN_NOT,
	DOWN_REFUSES,				/* trying costs nothing, patience would */
	DOWN_SILENT					/* trying costs time */
} DownState;

extern DownState down_state(const KvConn *conn);

/* Whether it is not to be tried now. Then the connection's failure says why, as if it had been tried. */
extern bool down_blocks(KvConn *conn);

#endif							/* CBCONN_DOWN_H */
