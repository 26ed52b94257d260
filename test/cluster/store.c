/*
 * store.c: document versions and the hash table of each vBucket. A version is one immutable block with counted
 * references, so that an answer can be written from it while a newer version has taken its place.
 */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "cbcluster.h"
#include "disk.h"

#define FIRST_HASH_SIZE 16

Doc *
doc_new(uint32_t cid, const void *key, size_t key_len, size_t value_len)
{
	Doc		   *d = xmalloc(offsetof(Doc, data) + key_len + value_len);

	memset(d, 0, offsetof(Doc, data));
	d->refs = 1;
	d->cid = cid;
	d->key_len = (uint8_t) key_len;
	d->value_len = (uint32_t) value_len;
	memcpy(doc_key(d), key, key_len);
	return d;
}

Doc *
doc_ref(Doc *d)
{
	d->refs++;
	return d;
}

void
doc_unref(Doc *d)
{
	if (--d->refs == 0)
		free(d);
}

int
doc_compare_key(const Doc *d, uint32_t cid, const void *key, size_t key_len)
{
	size_t		common = d->key_len < key_len ? d->key_len : key_len;
	int			order;

	if (d->cid != cid)
		return d->cid < cid ? -1 : 1;
	order = common ? memcmp(doc_key(d), key, common) : 0;
	if (order != 0)
		return order;
	return d->key_len < key_len ? -1 : d->key_len > key_len;
}

static bool
is_key(const Doc *d, uint32_t cid, const void *key, size_t key_len)
{
	return d->cid == cid && d->key_len == key_len && memcmp(doc_key(d), key, key_len) == 0;
}

/* FNV-1a over collection id and key; the tables are per vBucket, so no seed is needed. */
static size_t
hash_of(uint32_t cid, const void *key, size_t key_len)
{
	const uint8_t *p = key;
	uint64_t	h = UINT64_C(14695981039346656037) ^ cid;

	h *= UINT64_C(1099511628211);
	for (size_t i = 0; i < key_len; i++)
		h = (h ^ p[i]) * UINT64_C(1099511628211);
	return (size_t) (h ^ h >> 32);
}

static Doc **
slot_of(VBucket *vb, uint32_t cid, const void *key, size_t key_len)
{
	Doc		  **at;

	if (vb->hash_size == 0)
		return NULL;
	at = &vb->hash[hash_of(cid, key, key_len) & (vb->hash_size - 1)];
	while (*at != NULL && !is_key(*at, cid, key, key_len))
		at = &(*at)->hash_next;
	return at;
}

static void
grow(VBucket *vb)
{
	size_t		size = vb->hash_size ? vb->hash_size * 2 : FIRST_HASH_SIZE;
	Doc		  **hash = xcalloc(size, sizeof(Doc *));

	for (size_t i = 0; i < vb->hash_size; i++)
	{
		Doc		   *next;

		for (Doc *d = vb->hash[i]; d != NULL; d = next)
		{
			Doc		  **at = &hash[hash_of(d->cid, doc_key(d), d->key_len) & (size - 1)];

			next = d->hash_next;
			d->hash_next = *at;
			*at = d;
		}
	}
	free(vb->hash);
	vb->hash = hash;
	vb->hash_size = size;
}

/* Nanoseconds with the low 16 bits for a logical counter, as kv_engine's hybrid logical clock makes them. */
uint64_t
store_next_cas(VBucket *vb)
{
	uint64_t	now = (uint64_t) cb_now_ns(vb->bucket->cluster) & ~UINT64_C(0xffff);

	vb->max_cas = now > vb->max_cas ? now : vb->max_cas + 1;
	return vb->max_cas;
}

static void
count(VBucket *vb, uint32_t cid, int change)
{
	Collection *c = collection_by_id(vb->bucket, cid);

	vb->items += (size_t) change;
	if (c == NULL)
		return;
	c->items += (size_t) change;
	c->vb_items[vb->id] += (uint32_t) change;
}

Doc *
store_put(VBucket *vb, Doc *d, bool keep_cas)
{
	Doc		  **at;
	Doc		   *old;

	at = slot_of(vb, d->cid, doc_key(d), d->key_len);
	if ((at == NULL || *at == NULL) && vb->hash_used >= vb->hash_size)
	{
		grow(vb);
		at = slot_of(vb, d->cid, doc_key(d), d->key_len);
	}
	old = *at;
	if (!keep_cas)
		d->cas = store_next_cas(vb);
	d->seqno = ++vb->high_seqno;
	if (d->macros)
		xattr_expand_macros(d);
	d->revid = old != NULL ? old->revid + 1 : 1;
	d->mtime = cb_now(vb->bucket->cluster);
	d->hash_next = old != NULL ? old->hash_next : NULL;
	*at = d;
	if (d->expiry != 0 && !d->deleted && (vb->first_expiry == 0 || d->expiry < vb->first_expiry))
		vb->first_expiry = d->expiry;
	if (!d->deleted && (old == NULL || old->deleted))
		count(vb, d->cid, 1);
	else if (d->deleted && old != NULL && !old->deleted)
		count(vb, d->cid, -1);
	if (old != NULL)
		doc_unref(old);
	else
		vb->hash_used++;
	disk_queue(vb, d);
	return d;
}

/* The deletion that takes the place of d: flags and expiry stay, the value goes. */
static Doc *
expire(VBucket *vb, Doc *d)
{
	Doc		   *gone = doc_new(d->cid, doc_key(d), d->key_len, 0);

	gone->deleted = true;
	gone->flags = d->flags;
	gone->expiry = d->expiry;
	return store_put(vb, gone, false);
}

Doc *
store_find_any(VBucket *vb, uint32_t cid, const void *key, size_t key_len)
{
	Doc		  **at = slot_of(vb, cid, key, key_len);
	Doc		   *d = at != NULL ? *at : NULL;

	if (d != NULL && d->expiry != 0 && !d->deleted && doc_expired(d, cb_now(vb->bucket->cluster)))
		d = expire(vb, d);
	return d;
}

Doc *
store_find(VBucket *vb, uint32_t cid, const void *key, size_t key_len)
{
	Doc		   *d = store_find_any(vb, cid, key, key_len);

	return d != NULL && !d->deleted ? d : NULL;
}

/* Turns every expired document of a vBucket into its deletion. */
void
store_expire_all(VBucket *vb, uint32_t now)
{
	uint32_t	first = 0;

	if (vb->first_expiry == 0 || vb->first_expiry > now)
		return;
	for (size_t i = 0; i < vb->hash_size; i++)
	{
		for (Doc *d = vb->hash[i]; d != NULL; d = d->hash_next)
		{
			if (d->deleted || d->expiry == 0)
				continue;
			/* No growth is possible: the deletion takes the slot of its document. */
			if (doc_expired(d, now))
				d = expire(vb, d);
			else if (first == 0 || d->expiry < first)
				first = d->expiry;
		}
	}
	vb->first_expiry = first;
}

/* Forgets every document of a collection, deletions and locks included. */
void
store_purge(VBucket *vb, uint32_t cid)
{
	Lock	  **lock = &vb->locks;

	while (*lock != NULL)
	{
		if ((*lock)->doc->cid == cid)
			store_unlock(vb, *lock);
		else
			lock = &(*lock)->next;
	}
	for (size_t i = 0; i < vb->hash_size; i++)
	{
		Doc		  **at = &vb->hash[i];

		while (*at != NULL)
		{
			Doc		   *d = *at;

			if (d->cid != cid)
			{
				at = &d->hash_next;
				continue;
			}
			*at = d->hash_next;
			vb->hash_used--;
			if (!d->deleted)
				vb->items--;
			doc_unref(d);
		}
	}
	disk_purge(vb, cid);
}

void
store_free(VBucket *vb)
{
	while (vb->locks != NULL)
		store_unlock(vb, vb->locks);
	for (size_t i = 0; i < vb->hash_size; i++)
	{
		Doc		   *next;

		for (Doc *d = vb->hash[i]; d != NULL; d = next)
		{
			next = d->hash_next;
			doc_unref(d);
		}
	}
	free(vb->hash);
	vb->hash = NULL;
	vb->hash_size = vb->hash_used = 0;
	disk_free(vb);
}

/* ---------------------------------------------------------------- locks */

Lock *
store_lock_of(VBucket *vb, uint32_t cid, const void *key, size_t key_len)
{
	int64_t		now;
	Lock	   *next;

	if (vb->locks == NULL)
		return NULL;
	now = cb_now_ms(vb->bucket->cluster);
	for (Lock *l = vb->locks; l != NULL; l = next)
	{
		next = l->next;
		if (l->until_ms <= now)
			store_unlock(vb, l);
		else if (is_key(l->doc, cid, key, key_len))
			return l;
	}
	return NULL;
}

Lock *
store_lock(VBucket *vb, Doc *d, int64_t until_ms)
{
	Lock	   *l = xcalloc(1, sizeof(*l));

	l->doc = doc_ref(d);
	l->cas = store_next_cas(vb);
	l->until_ms = until_ms;
	l->next = vb->locks;
	vb->locks = l;
	return l;
}

void
store_unlock(VBucket *vb, Lock *l)
{
	Lock	  **at = &vb->locks;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	doc_unref(l->doc);
	free(l);
}

/* ---------------------------------------------------------------- without a connection */

/* The vBucket hash of every client: the upper half of CRC-32, 15 bits of it, modulo the number of vBuckets. */
uint16_t
store_vbucket_of(const Bucket *b, const void *key, size_t key_len)
{
	uint32_t	crc = (uint32_t) crc32(0, key, (unsigned) key_len);

	return (uint16_t) ((crc >> 16 & 0x7fff) % b->num_vbuckets);
}

uint16_t
store_load(Bucket *b, Collection *c, const void *key, size_t key_len, const void *value, size_t value_len)
{
	Doc		   *d;
	VBucket    *vb;

	if (key_len < 1 || key_len > (c->id == 0 ? CB_MAX_DEFAULT_KEY : CB_MAX_NAMED_KEY))
		return KV_EINVAL;
	if (value_len > CB_MAX_VALUE)
		return KV_E2BIG;
	vb = &b->vb[store_vbucket_of(b, key, key_len)];
	d = doc_new(c->id, key, key_len, value_len);
	memcpy(doc_value(d), value, value_len);
	d->datatype = json_datatype(value, value_len);
	d->flags = CB_LOAD_FLAGS;
	if (c->max_ttl != 0)
		d->expiry = cb_now(b->cluster) + c->max_ttl;
	store_put(vb, d, false);
	return KV_SUCCESS;
}

Doc *
store_find_in(Bucket *b, Collection *c, const void *key, size_t key_len)
{
	return store_find(&b->vb[store_vbucket_of(b, key, key_len)], c->id, key, key_len);
}
