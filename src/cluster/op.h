/*
 * op.h
 *		The engine below gets and scans: items that are sent as requests, sent again when a node says so, and
 *		whose answers wait in a queue of the operation until its owner takes them.
 */
#ifndef CBCONN_OP_H
#define CBCONN_OP_H

#include "handle.h"

/* Head of every item; operations put theirs behind it. */
typedef struct KvItem
{
	int			next;			/* in the list it is on */
	uint16		attempts;		/* failures so far */
	int64		retry_at;
	int64		give_up;		/* 0: has neither failed nor waited yet */
	int64		failed_at;		/* wait_now() when its node could first not be reached */
	int64		begun;			/* handle->waited when its turn came; 0: it has not yet */
	const char *step;			/* static: at which step it was held up last; NULL: it was not */
} KvItem;

typedef struct KvList
{
	int			head;
	int			tail;
} KvList;

/* An answer, or the news that there will be none. */
typedef struct KvAnswer
{
	int			item;
	bool		lost;			/* the connection broke: packet is not set */
	bool		sent;			/* lost: the request may have reached the node */
	bool		gave_up;		/* the item was given up: there is nothing else to it */
	bool		final;			/* no more answers to this request */
	KvConn	   *conn;			/* who answered; not to be followed when lost */
	int64		held_up;		/* microseconds that the backend had to wait for it, and */
	const char *step;			/* at which step, NULL: the operation itself */
	uint32		collection_id;	/* that the operation used when it was received */
	KvBlock    *block;
	CbPacket	packet;
} KvAnswer;

typedef struct KvOpClass
{
	const char *name;			/* for messages: what it does, such as "key look-up" */

	/* The node for an item; NULL: nobody at the moment, or never with these items: then it sets stopped. */
	KvConn	   *(*route) (KvOp *op, int item);

	/* Reserves a request and appends its packet. */
	void		(*send) (KvOp *op, int item, KvConn *conn);

	/* The item failed and will be sent again: start it over. May be NULL. */
	void		(*restart) (KvOp *op, int item);

	bool		optional;		/* a failure ends the item, not the operation */

	/* Sees statuses that would be tried again; true: it has seen to the item itself. May be NULL. */
	bool		(*refused) (KvOp *op, const KvAnswer *answer);

	/*
	 * Of writes, NULL for reads. A request that may have reached a node is not sent again. An item that comes to
	 * nothing is given up instead of throwing: this learns why, then kv_op_next returns an answer that says gave_up.
	 * unknown: it may have been applied nevertheless.
	 */
	void		(*gave_up) (KvOp *op, int item, const KvFailure *failure, bool unknown);

	/* The HELLO feature that the item needs and the node did not agree to; NULL: none is missing. May be NULL. */
	const char *(*lacks) (KvOp *op, int item, const KvConn *conn);
} KvOpClass;

struct KvOp
{
	dlist_node	node;			/* in handle->ops */
	ClusterHandle *handle;		/* NULL: the transaction it belonged to is over */
	KvCollection *collection;	/* NULL: needs none */
	const KvOpClass *cls;
	ClusterCounters *counters;
	ClusterCounters own_counters;	/* when the caller wants none */
	MemoryContext cxt;
	SubTransactionId subid;
	int64		timeout;		/* microseconds that a node may be silent, and an item be tried again */
	int64		since;			/* wait_now() of its last start */
	int64		held;			/* handle->waited when the collection's id was found missing; 0: it is not */
	int64		look_at;		/* handle->waited at which a node may have been silent for too long; 0: none owes */

	char	   *items;
	size_t		item_size;
	KvList		pending;		/* to be sent */
	KvList		waiting;		/* for a connection under way */
	KvList		delayed;		/* for their time */
	int64		next_retry;		/* of the delayed ones */
	int64		waiting_until;	/* when the first of the waiting ones gives up */
	uint64		seen_config;	/* config_changes when delayed was last looked through */
	uint64		seen_events;	/* conn_events when waiting was last looked through */
	int			sent;			/* requests under way */
	int			window;			/* most requests under way and answers queued */
	size_t		load;			/* bytes under way, as the class counts them, */
	size_t		max_load;		/* and how many let no more be sent */

	KvAnswer   *ring;
	int			ring_size;		/* power of two */
	int			ring_head;
	int			ring_count;
	KvAnswer	current;		/* last one taken: its block is held */

	bool		stopped;		/* by route: nothing is sent nor handed out until kv_op_reset */
	KvFailure	last;			/* last real cause of trouble (E2) */
	MemoryContextCallback on_reset;
	void		(*cleanup) (KvOp *op);	/* on every way out; no network, no throw. May be NULL */
};

/* Registers an operation; it ends with cxt at the latest. */
extern void kv_op_init(KvOp *op, ClusterHandle *handle, KvCollection *collection, const KvOpClass *cls,
					   size_t item_size, MemoryContext cxt, ClusterCounters *counters, int64 timeout);

/* Nothing of what was under way is wanted any more; ready for new items. */
extern void kv_op_reset(KvOp *op);

/* Ends it for good. Neither waits nor throws; may be called again. */
extern void kv_op_end(KvOp *op);

/* The transaction is over (or its part that owned op): from now on only kv_op_end makes sense. */
extern void kv_op_detach(KvOp *op);

static inline KvItem *
kv_op_item(KvOp *op, int item)
{
	return (KvItem *) (op->items + (size_t) item * op->item_size);
}

/* Puts an item in line to be sent. */
extern void kv_op_enqueue(KvOp *op, int item);

/* Sends what the window allows; never waits. */
extern void kv_op_push(KvOp *op);

/*
 * The next answer that is the operation's own business; waits for it, sends again what has to be. NULL: nothing is
 * under way, or the operation was stopped. Valid until the next call.
 */
extern KvAnswer *kv_op_next(KvOp *op);

/* The item failed for this reason: again later, or throw (or give up) when it cannot help or the time is over. */
extern void kv_op_retry(KvOp *op, int item, const KvFailure *failure, bool at_once);

/* There will be no answer: throws, or lets the owner know by an answer that says so. */
extern void kv_op_give_up(KvOp *op, int item, const KvFailure *failure);

/* Throws for an answer whose status the operation has no use for. */
extern void kv_op_fail(KvOp *op, const KvAnswer *answer) pg_attribute_noreturn();

/* Throws: the answer's body is not what the protocol says. */
extern void kv_op_malformed(KvOp *op, const KvAnswer *answer, const char *what) pg_attribute_noreturn();

/* Requests become nobody's, answers are thrown away. */
extern void kv_op_abandon(KvOp *op);

/* kv_conn.c hands over an answer, or the loss of one. */
extern void kv_op_deliver(KvOp *op, int item, KvConn *conn, KvBlock *block, const CbPacket *packet, bool final);
extern void kv_op_lost(KvOp *op, int item, KvConn *conn, bool sent);

/* ---- op_time.c ---- */

/* The item's turn has come. */
extern void kv_op_begin(KvOp *op, KvItem *it);

/* An answer was received: notes how long it was waited for. */
extern void kv_op_answered(KvOp *op, const KvConn *conn, KvAnswer *answer);

/* The answer is handed out: what comes next for the item is another step. */
extern void kv_op_finish(KvOp *op, const KvAnswer *answer);

/* Until when (wait_now) the item may be tried, if the whole of it may take so long. */
extern int64 kv_op_patience(const KvOp *op, const KvItem *it, int64 timeout);

/*
 * Closes the connections that owe answers to op, or only those that have owed one for too long; what stood in their
 * queues only has certainly not been applied. False: there are none.
 */
extern bool kv_op_close_silent(KvOp *op, const char *last, bool overdue);

/* Ends the wait for answers of nodes that are silent while others answer. */
extern void kv_op_check_overdue(KvOp *op);

#define KV_NO_ITEM	(-1)

#endif							/* CBCONN_OP_H */
