/*
 * kv_meta.c: what is known about a document or a vBucket: GET_META, OBSERVE, sequence numbers, the failover log
 * (BinaryProtocol.md; ep_engine's docs for the observe family).
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "handlers.h"
#include "kv_value.h"

#define OBSERVE_FOUND 0x00
#define OBSERVE_PERSISTED 0x01
#define OBSERVE_MISSING 0x80
#define OBSERVE_DELETED 0x81
#define STATE_ACTIVE 1
#define STATE_REPLICA 2
#define STATE_DEAD 4
#define PERSISTENCE_TIMEOUT_MS 30000

/* ---------------------------------------------------------------- GET_META */

bool
kv_get_meta_validate(Req *r)
{
	return r->ext_len == 0 || r->ext[0] <= 2 || refuse(r, "Request extras invalid");
}

void
kv_get_meta(Req *r)
{
	Doc		   *d = store_find_any(r->vb, r->cid, r->key, r->key_len);
	uint8_t		ext[21];
	Reply		rep = {.status = KV_SUCCESS, .ext = ext, .ext_len = 20};

	if (d == NULL)
	{
		if (!(r->op->rules & OP_QUIET))
			reply_status(r, KV_KEY_ENOENT);
		return;
	}
	put32(ext, d->deleted);
	put32(ext + 4, d->flags);
	put32(ext + 8, d->expiry);
	put64(ext + 12, d->revid);
	ext[20] = d->datatype;
	if (r->ext_len == 1 && r->ext[0] == 2)
		rep.ext_len = 21;
	rep.cas = store_lock_of(r->vb, r->cid, r->key, r->key_len) != NULL ? UINT64_MAX : d->cas;
	reply_send(r, &rep);
}

/* ---------------------------------------------------------------- OBSERVE */

/* The record of one key: as asked, then state and CAS. False after answering: the vBucket is not here, or no key. */
static bool
observe_key(Req *r, const uint8_t *record, size_t key_len, struct evbuffer *out)
{
	uint16_t	vbid = get16(record);
	VBucket    *vb = vbid < r->bucket->num_vbuckets ? &r->bucket->vb[vbid] : NULL;
	Req			key = *r;
	uint8_t		tail[9] = {OBSERVE_MISSING};
	Doc		   *d;

	if (vb == NULL || vb->nodes[0] != r->node->index)
	{
		reply_not_my_vbucket(r);
		return false;
	}
	key.raw_key = key.key = record + 4;
	key.raw_key_len = key.key_len = key_len;
	if (!kv_collection_key(&key))
		return false;
	d = store_find_any(vb, key.cid, key.key, key.key_len);
	if (d != NULL)
	{
		tail[0] = d->deleted ? OBSERVE_DELETED : d->seqno <= vb->persisted_seqno ? OBSERVE_PERSISTED : OBSERVE_FOUND;
		put64(tail + 1, d->cas);
	}
	evbuffer_add(out, record, 4 + key_len);
	evbuffer_add(out, tail, sizeof(tail));
	return true;
}

void
kv_observe(Req *r)
{
	struct evbuffer *out = evbuffer_new();
	size_t		at = 0;

	while (at < r->val_len)
	{
		size_t		left = r->val_len - at;
		size_t		key_len = left >= 4 ? get16(r->val + at + 2) : 0;

		if (key_len == 0 || key_len > left - 4)
		{
			refuse(r, "Requires vbid and keylen.");
			evbuffer_free(out);
			return;
		}
		if (!observe_key(r, r->val + at, key_len, out))
		{
			evbuffer_free(out);
			return;
		}
		at += 4 + key_len;
	}
	at = evbuffer_get_length(out);
	reply_body(r, KV_SUCCESS, DT_RAW, evbuffer_pullup(out, -1), at);
	evbuffer_free(out);
}

bool
kv_observe_seqno_validate(Req *r)
{
	return r->val_len == 8 || refuse(r, "Request value must be of length 8");
}

void
kv_observe_seqno(Req *r)
{
	VBucket    *vb = r->vb;
	uint64_t	uuid = get64(r->val);
	bool		old = uuid == vb->old_uuid && uuid != 0;
	uint8_t		out[43];

	if (uuid != vb->uuid && !old)
	{
		reply_status(r, KV_KEY_ENOENT);
		return;
	}
	out[0] = old;				/* format 1: a failover happened since */
	put16(out + 1, vb->id);
	put64(out + 3, vb->uuid);
	put64(out + 11, vb->persisted_seqno);
	put64(out + 19, vb->high_seqno);
	put64(out + 27, vb->old_uuid);
	put64(out + 35, vb->old_seqno);
	reply_body(r, KV_SUCCESS, DT_RAW, out, old ? 43 : 27);
}

/* ---------------------------------------------------------------- sequence numbers */

bool
kv_all_seqnos_validate(Req *r)
{
	if (r->ext_len >= 4 && (get32(r->ext) < STATE_ACTIVE || get32(r->ext) > STATE_DEAD))
		return refuse(r, "Request vbucket state invalid");
	return true;
}

static int
state_here(const Req *r, const VBucket *vb)
{
	if (vb->nodes[0] == r->node->index)
		return STATE_ACTIVE;
	for (int i = 1; i <= CB_MAX_REPLICAS; i++)
	{
		if (vb->nodes[i] == r->node->index)
			return STATE_REPLICA;
	}
	return 0;
}

static uint64_t
collection_seqno(const VBucket *vb, uint32_t cid)
{
	uint64_t	high = 0;

	for (size_t i = 0; i < vb->hash_size; i++)
	{
		for (const Doc *d = vb->hash[i]; d != NULL; d = d->hash_next)
		{
			if (d->cid == cid && d->seqno > high)
				high = d->seqno;
		}
	}
	return high;
}

void
kv_all_seqnos(Req *r)
{
	Bucket	   *b = r->bucket;
	uint8_t    *out;
	size_t		n = 0;
	uint32_t	wanted = r->ext_len >= 4 ? get32(r->ext) : 0;
	uint32_t	cid = r->ext_len == 8 ? get32(r->ext + 4) : 0;

	if (r->ext_len == 8 && collection_by_id(b, cid) == NULL)
	{
		reply_unknown_collection(r, KV_UNKNOWN_COLLECTION);
		return;
	}
	out = xmalloc(10 * (size_t) b->num_vbuckets);
	for (unsigned i = 0; i < b->num_vbuckets; i++)
	{
		VBucket    *vb = &b->vb[i];
		int			state = state_here(r, vb);

		if (state == 0 || (wanted != 0 && (uint32_t) state != wanted))
			continue;
		put16(out + n, vb->id);
		put64(out + n + 2, r->ext_len == 8 ? collection_seqno(vb, cid) : vb->high_seqno);
		n += 10;
	}
	reply_body(r, KV_SUCCESS, DT_RAW, out, n);
	free(out);
}

static void
on_persisted(void *arg, uint16_t status)
{
	Req		   *r = arg;

	r->arg = NULL;
	reply_status(r, status);
	req_done(r);
}

static void
on_persistence_cancel(Req *r)
{
	if (r->arg != NULL)
		disk_wait_cancel(r->arg);
}

void
kv_seqno_persistence(Req *r)
{
	uint64_t	seqno = get64(r->ext);
	VBucket    *vb = r->vb;
	Req		   *k;

	if (seqno <= vb->persisted_seqno)
	{
		reply_status(r, KV_SUCCESS);
		return;
	}
	k = req_keep(r, on_persistence_cancel, NULL);
	k->arg = disk_wait(vb, seqno, PERSISTENCE_TIMEOUT_MS, on_persisted, k);
}

/* ---------------------------------------------------------------- vBucket state and history */

void
kv_failover_log(Req *r)
{
	uint8_t		out[32];

	put64(out, r->vb->uuid);
	put64(out + 8, r->vb->old_uuid != 0 ? r->vb->old_seqno : 0);
	put64(out + 16, r->vb->old_uuid);
	put64(out + 24, 0);
	reply_body(r, KV_SUCCESS, DT_RAW, out, r->vb->old_uuid != 0 ? 32 : 16);
}

void
kv_get_vbucket(Req *r)
{
	uint8_t		state[4];

	put32(state, STATE_ACTIVE);
	reply_body(r, KV_SUCCESS, DT_RAW, state, sizeof(state));
}
