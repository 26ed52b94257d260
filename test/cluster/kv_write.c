/*
 * kv_write.c: what every write passes through: locks, CAS, pending durable writes, expiry, the answer with its
 * mutation token. Durability (BinaryProtocol.md, durability requirement frame): the document becomes visible when a
 * majority of the configured copies has it; other copies are the replicas of the map whose nodes are alive.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "disk.h"
#include "kv_value.h"

#define MAX_RELATIVE 2592000			/* 30 days: larger expiries are absolute */
#define DEFAULT_TIMEOUT_MS 10000

struct PendingWrite
{
	PendingWrite *next;
	VBucket    *vb;
	Doc		   *doc;
	Req		   *req;				/* NULL once its connection is gone */
	bool		at_timer_commit;	/* the replicas agree, only the disk is waited for */
	uint8_t		datatype;
	char	   *val;
	size_t		val_len;
	struct event *timer;
};

static PendingWrite *
pending_of(VBucket *vb, uint32_t cid, const void *key, size_t key_len)
{
	for (PendingWrite *p = vb->pending; p != NULL; p = p->next)
	{
		if (doc_compare_key(p->doc, cid, key, key_len) == 0)
			return p;
	}
	return NULL;
}

bool
kv_pending(const Req *r)
{
	return pending_of(r->vb, r->cid, r->key, r->key_len) != NULL;
}

uint16_t
kv_may_write(Req *r, const Doc *old, uint64_t cas)
{
	Lock	   *lock;

	if (kv_pending(r))
		return KV_SYNC_WRITE_IN_PROGRESS;
	lock = old != NULL ? store_lock_of(r->vb, r->cid, r->key, r->key_len) : NULL;
	if (lock != NULL)
		return cas == lock->cas ? KV_SUCCESS : KV_LOCKED;
	if (cas != 0 && old == NULL)
		return KV_KEY_ENOENT;
	return cas != 0 && cas != old->cas ? KV_KEY_EEXISTS : KV_SUCCESS;
}

uint32_t
kv_expiry(const Req *r, uint32_t wire, const Doc *old)
{
	uint32_t	now = cb_now(r->node->cluster);
	uint32_t	max = r->collection != NULL ? r->collection->max_ttl : 0;
	uint32_t	expiry = wire == 0 || wire > MAX_RELATIVE ? wire : now + wire;

	if (r->preserve_expiry && old != NULL)
		expiry = old->expiry;
	if (max != 0 && (expiry == 0 || expiry > now + max))
		expiry = now + max;
	return expiry;
}

/* ---------------------------------------------------------------- committing */

static void
answer(Req *r, const Doc *d, uint8_t datatype, const void *val, size_t val_len)
{
	uint8_t		token[16];
	Reply		rep = {.status = r->ok_status, .datatype = datatype, .cas = d->cas, .val = val, .val_len = val_len};

	if (r->op->rules & OP_QUIET)
		return;
	if (conn_has(r->conn, FEATURE_MUTATION_SEQNO))
	{
		put64(token, r->vb->uuid);
		put64(token + 8, d->seqno);
		rep.ext = token;
		rep.ext_len = sizeof(token);
	}
	reply_send(r, &rep);
}

static Doc *
commit(VBucket *vb, Doc *d)
{
	Lock	   *lock = store_lock_of(vb, d->cid, doc_key(d), d->key_len);

	if (lock != NULL)
		store_unlock(vb, lock);
	return store_put(vb, d, false);
}

/* ---------------------------------------------------------------- durability */

/* Copies that are configured, assigned to a node, and on a node that answers; the active one counts. */
static void
count_copies(const VBucket *vb, unsigned *configured, unsigned *assigned, unsigned *answering)
{
	const Bucket *b = vb->bucket;

	*configured = *assigned = *answering = 1;
	if (vb->topology != TOPOLOGY_MAP)
	{
		*configured = 2;
		*assigned = vb->topology == TOPOLOGY_SILENT ? 2 : 1;
		return;
	}
	*configured += b->num_replicas;
	for (unsigned i = 1; i <= b->num_replicas; i++)
	{
		const Node *n = vb->nodes[i] >= 0 ? b->cluster->nodes[vb->nodes[i]] : NULL;

		*assigned += n != NULL && !n->failed_over;
		*answering += n != NULL && !n->failed_over && !n->killed && !n->paused;
	}
}

static void
pending_unlink(PendingWrite *p)
{
	PendingWrite **at = &p->vb->pending;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	event_free(p->timer);
}

/* Ends a pending write: stored and answered, or forgotten and answered with the status. */
static void
pending_end(PendingWrite *p, uint16_t status)
{
	Req		   *r = p->req;
	Doc		   *d = p->doc;

	pending_unlink(p);
	if (status == KV_SUCCESS)
	{
		doc_ref(d);
		commit(p->vb, d);
	}
	if (r != NULL && status == KV_SUCCESS)
		answer(r, d, p->datatype, p->val, p->val_len);
	else if (r != NULL)
		reply_status(r, status);
	doc_unref(d);
	free(p->val);
	free(p);
	if (r != NULL)
		req_done(r);
}

static void
on_pending_timer(evutil_socket_t fd, short what, void *arg)
{
	PendingWrite *p = arg;

	(void) fd;
	(void) what;
	pending_end(p, p->at_timer_commit ? KV_SUCCESS : KV_SYNC_WRITE_AMBIGUOUS);
}

static void
on_pending_cancel(Req *r)
{
	PendingWrite *p = r->arg;

	p->req = NULL;
}

static void
arm(PendingWrite *p, unsigned ms)
{
	struct timeval tv = {(time_t) (ms / 1000), (suseconds_t) (ms % 1000) * 1000};

	evtimer_add(p->timer, &tv);
}

/* A commit that only waits for the disk takes one flush. */
static void
commit_after_flush(PendingWrite *p)
{
	p->at_timer_commit = true;
	arm(p, p->vb->bucket->cluster->flush_ms);
}

static void
durable(Req *r, Doc *d, uint8_t datatype, const void *val, size_t val_len)
{
	unsigned	configured;
	unsigned	assigned;
	unsigned	answering;
	unsigned	majority;
	PendingWrite *p;

	count_copies(r->vb, &configured, &assigned, &answering);
	majority = configured / 2 + 1;
	if (assigned < majority)
	{
		doc_unref(d);
		reply_status(r, KV_DURABILITY_IMPOSSIBLE);
		return;
	}
	if (answering >= majority && r->durability == 1)
	{
		commit(r->vb, d);
		answer(r, d, datatype, val, val_len);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	p->vb = r->vb;
	p->doc = d;
	p->datatype = datatype;
	p->val = xmalloc(val_len);
	if (val_len > 0)
		memcpy(p->val, val, val_len);
	p->val_len = val_len;
	p->timer = evtimer_new(r->node->cluster->base, on_pending_timer, p);
	p->next = r->vb->pending;
	r->vb->pending = p;
	p->req = req_keep(r, on_pending_cancel, p);
	if (answering >= majority)
		commit_after_flush(p);
	else
		arm(p, r->durability_ms ? r->durability_ms : DEFAULT_TIMEOUT_MS);
}

void
pending_recheck(Cluster *cl)
{
	for (Bucket *b = cl->buckets; b != NULL; b = b->next)
	{
		for (unsigned i = 0; i < b->num_vbuckets; i++)
		{
			unsigned	configured;
			unsigned	assigned;
			unsigned	answering;

			if (b->vb[i].pending == NULL)
				continue;
			count_copies(&b->vb[i], &configured, &assigned, &answering);
			for (PendingWrite *p = b->vb[i].pending; p != NULL; p = p->next)
			{
				if (answering >= configured / 2 + 1 && !p->at_timer_commit)
					commit_after_flush(p);
			}
		}
	}
}

/* The vBucket goes away; its connections are closed already. */
void
pending_free(VBucket *vb)
{
	while (vb->pending != NULL)
	{
		PendingWrite *p = vb->pending;

		pending_unlink(p);
		doc_unref(p->doc);
		free(p->val);
		free(p);
	}
}

void
kv_commit(Req *r, Doc *d, uint8_t datatype, const void *val, size_t val_len)
{
	if (r->has_durability)
	{
		durable(r, d, datatype, val, val_len);
		return;
	}
	commit(r->vb, d);
	answer(r, d, datatype, val, val_len);
}
