/*
 * kv_doc.c: operations on one document: get, store, delete, append, touch (BinaryProtocol.md).
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "handlers.h"
#include "kv_value.h"

#define LOCKED_CAS UINT64_MAX			/* what a get shows while a document is locked */

/* ---------------------------------------------------------------- get */

/* Answers with flags, value and the given CAS; with the key for the K forms. */
void
kv_reply_doc(Req *r, Doc *d, uint64_t cas)
{
	uint8_t		flags[4];
	char	   *buf;
	Reply		rep = {.status = KV_SUCCESS, .cas = cas, .ext = flags, .ext_len = sizeof(flags)};

	put32(flags, d->flags);
	if (r->opcode == 0x0c || r->opcode == 0x0d)
	{
		rep.key = r->raw_key;
		rep.key_len = r->raw_key_len;
	}
	kv_present(r, d, &rep, &buf);
	reply_send(r, &rep);
	free(buf);
}

static void
reply_miss(Req *r)
{
	if (!(r->op->rules & OP_QUIET))
		reply_status(r, KV_KEY_ENOENT);
}

void
kv_get(Req *r)
{
	Doc		   *d = store_find(r->vb, r->cid, r->key, r->key_len);

	if (d == NULL)
		reply_miss(r);
	else
		kv_reply_doc(r, d, store_lock_of(r->vb, r->cid, r->key, r->key_len) != NULL ? LOCKED_CAS : d->cas);
}

void
kv_get_replica(Req *r)
{
	Bucket	   *b = r->bucket;
	Doc		   *d;
	bool		here = false;

	for (int i = 1; r->vbid < b->num_vbuckets && i <= CB_MAX_REPLICAS; i++)
		here = here || b->vb[r->vbid].nodes[i] == r->node->index;
	if (!here)
	{
		reply_not_my_vbucket(r);
		return;
	}
	d = store_find(&b->vb[r->vbid], r->cid, r->key, r->key_len);
	if (d == NULL)
		reply_status(r, KV_KEY_ENOENT);
	else
		kv_reply_doc(r, d, d->cas);
}

/* ---------------------------------------------------------------- set, add, replace */

static bool
is_add(const Req *r)
{
	return r->opcode == 0x02 || r->opcode == 0x12;
}

static bool
is_replace(const Req *r)
{
	return r->opcode == 0x03 || r->opcode == 0x13;
}

/* A value sent compressed stays so if that makes it smaller (compression mode passive). */
static Doc *
version_of_request(const Req *r, const Doc *old)
{
	Doc		   *d;

	if (r->inflated == NULL || r->wire_val_len >= r->val_len || (old != NULL && (old->datatype & DT_XATTR)))
		return kv_new_version(r, old, r->val, r->val_len);
	d = doc_new(r->cid, r->key, r->key_len, r->wire_val_len);
	memcpy(doc_value(d), r->wire_val, r->wire_val_len);
	d->datatype = DT_SNAPPY | json_datatype(r->val, r->val_len);
	return d;
}

void
kv_set(Req *r)
{
	Doc		   *old = store_find(r->vb, r->cid, r->key, r->key_len);
	uint16_t	status;
	Doc		   *d;

	if (r->val_len > CB_MAX_VALUE)
		status = KV_E2BIG;
	else if (is_add(r) && old != NULL && !kv_pending(r))
		status = KV_KEY_EEXISTS;
	else if (is_replace(r) && old == NULL && !kv_pending(r))
		status = KV_KEY_ENOENT;
	else
		status = kv_may_write(r, old, r->cas);
	if (status != KV_SUCCESS)
	{
		reply_status(r, status);
		return;
	}
	d = version_of_request(r, old);
	d->flags = get32(r->ext);
	d->expiry = kv_expiry(r, get32(r->ext + 4), old);
	kv_commit(r, d, DT_RAW, NULL, 0);
}

void
kv_delete(Req *r)
{
	Doc		   *old = store_find(r->vb, r->cid, r->key, r->key_len);
	uint16_t	status = old != NULL ? kv_may_write(r, old, r->cas) : KV_KEY_ENOENT;

	if (status != KV_SUCCESS)
		reply_status(r, status);
	else
		kv_commit(r, kv_tombstone(old), DT_RAW, NULL, 0);
}

/* ---------------------------------------------------------------- append, prepend */

void
kv_append(Req *r)
{
	Doc		   *old = store_find(r->vb, r->cid, r->key, r->key_len);
	bool		prepend = r->opcode == 0x0f || r->opcode == 0x1a;
	uint16_t	status = old != NULL ? kv_may_write(r, old, r->cas) : KV_NOT_STORED;
	const char *val;
	size_t		len;
	size_t		body;
	char	   *buf;
	char	   *joined;
	Doc		   *d;

	if (status != KV_SUCCESS)
	{
		reply_status(r, status);
		return;
	}
	if (!doc_inflated(old, &val, &len, &buf))
		abort();
	body = xattr_body_offset(val, len, old->datatype);
	val += body;
	len -= body;
	if (len + r->val_len > CB_MAX_VALUE)
	{
		free(buf);
		reply_status(r, KV_E2BIG);
		return;
	}
	joined = xmalloc(len + r->val_len);
	memcpy(joined + (prepend ? r->val_len : 0), val, len);
	if (r->val_len > 0)
		memcpy(joined + (prepend ? 0 : len), r->val, r->val_len);
	d = kv_new_version(r, old, joined, len + r->val_len);
	d->flags = old->flags;
	d->expiry = old->expiry;
	free(joined);
	free(buf);
	kv_commit(r, d, DT_RAW, NULL, 0);
}

/* ---------------------------------------------------------------- touch, get and touch */

void
kv_touch(Req *r)
{
	Doc		   *d = store_find(r->vb, r->cid, r->key, r->key_len);
	uint32_t	expiry = kv_expiry(r, get32(r->ext), NULL);
	uint16_t	status = kv_pending(r) ? KV_SYNC_WRITE_IN_PROGRESS : d == NULL ? KV_KEY_ENOENT : kv_may_write(r, d, 0);

	if (status == KV_KEY_ENOENT)
	{
		reply_miss(r);
		return;
	}
	if (status != KV_SUCCESS)
	{
		reply_status(r, status);
		return;
	}
	if (expiry != d->expiry)
		d = store_put(r->vb, kv_with_expiry(d, expiry), false);
	if (r->opcode == 0x1c)
	{
		Reply		rep = {.status = KV_SUCCESS, .cas = d->cas};

		reply_send(r, &rep);
	}
	else
		kv_reply_doc(r, d, d->cas);
}
