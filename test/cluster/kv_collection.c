/*
 * kv_collection.c: the collection prefix of keys, manifests, name look-ups, random keys (docs/Collections.md).
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "core.h"
#include "handlers.h"

#define MAX_KEY_PLAIN 250
#define MAX_KEY_PREFIXED 251
#define MAX_LEB 5
#define LAST_RESERVED_ID 7

/* Reads the unsigned LEB128 number in front; returns its length, 0 without a stop byte. */
static size_t
read_leb128(const uint8_t *p, size_t len, uint32_t *out)
{
	uint64_t	n = 0;

	for (size_t i = 0; i < len && i < MAX_LEB; i++)
	{
		n |= (uint64_t) (p[i] & 0x7f) << (7 * i);
		if (!(p[i] & 0x80))
		{
			*out = (uint32_t) n;
			return i + 1;
		}
	}
	return 0;
}

bool
kv_collection_key(Req *r)
{
	size_t		n;

	if (!conn_has(r->conn, FEATURE_COLLECTIONS))
	{
		if (r->raw_key_len > MAX_KEY_PLAIN)
			return refuse(r, "Key length exceeds %d", MAX_KEY_PLAIN);
		return true;
	}
	if (r->raw_key_len < 2)
		return refuse(r, "Key length must be >= 2");
	if (r->raw_key_len > MAX_KEY_PREFIXED)
		return refuse(r, "Key length exceeds %d", MAX_KEY_PREFIXED);
	n = read_leb128(r->raw_key, r->raw_key_len, &r->cid);
	if (n == 0)
		return refuse(r, "No stop-byte found");
	if (n > 1 && r->raw_key[n - 1] == 0)
		return refuse(r, "Key contains non-canonical leb128");
	if (r->cid >= 1 && r->cid <= LAST_RESERVED_ID)
		return refuse(r, "Invalid collection-id:%u", r->cid);
	r->key = r->raw_key + n;
	r->key_len = r->raw_key_len - n;
	if (r->key_len == 0)
		return refuse(r, "No logical key found");
	if (r->cid != 0 && r->key_len > CB_MAX_NAMED_KEY)
		return refuse(r, "Logical key exceeds %d", CB_MAX_NAMED_KEY);
	return true;
}

/* ---------------------------------------------------------------- manifest */

void
kv_get_manifest(Req *r)
{
	char	   *json = manifest_json(r->bucket);

	reply_body(r, KV_SUCCESS, DT_JSON, json, strlen(json));
	free(json);
}

void
kv_set_manifest(Req *r)
{
	Bucket	   *b = r->bucket;
	uint64_t	before = b->manifest_uid;
	uint16_t	status = manifest_set(b, (const char *) r->val, r->val_len);

	if (status == KV_EINVAL)
		refuse(r, "Collections::Manager::update manifest json invalid:%.*s: invalid arguments", (int) r->val_len,
			   (const char *) r->val);
	else if (status == KV_CANNOT_APPLY_MANIFEST)
		reply_error(r, status, "uid must be >= current-uid:%llx, new uid is older: cannot_apply_collections_manifest",
					(unsigned long long) before);
	else
		reply_status(r, status);
}

/* ---------------------------------------------------------------- names to ids */

static void
reply_id(Req *r, uint32_t id)
{
	uint8_t		ext[12];
	Reply		rep = {.status = KV_SUCCESS, .ext = ext, .ext_len = sizeof(ext)};

	put64(ext, r->bucket->manifest_uid);
	put32(ext + 8, id);
	reply_send(r, &rep);
}

/* The path stands in the value, or in the key (the older form). */
static const char *
path_of(const Req *r, size_t *len)
{
	*len = r->val_len > 0 ? r->val_len : r->raw_key_len;
	return (const char *) (r->val_len > 0 ? r->val : r->raw_key);
}

static bool
legal_part(const char *name, size_t len)
{
	return len == 0 || manifest_legal_name(name, len);
}

void
kv_collection_id(Req *r)
{
	size_t		len;
	const char *path = path_of(r, &len);
	const char *dot = len > 0 ? memchr(path, '.', len) : NULL;
	const char *name = dot != NULL ? dot + 1 : NULL;
	size_t		scope_len = dot != NULL ? (size_t) (dot - path) : 0;
	size_t		name_len = dot != NULL ? len - scope_len - 1 : 0;
	Scope	   *s;
	Collection *c;

	if (dot == NULL || !legal_part(path, scope_len) || !legal_part(name, name_len))
	{
		reply_status(r, KV_EINVAL);
		return;
	}
	s = scope_len > 0 ? scope_find(r->bucket, path, scope_len) : r->bucket->scopes;
	if (s == NULL)
	{
		reply_unknown_collection(r, KV_UNKNOWN_SCOPE);
		return;
	}
	c = name_len > 0 ? collection_find(s, name, name_len) : collection_find(s, "_default", 8);
	if (c == NULL || (user_privileges(r->conn->user, r->bucket, c) == 0))
		reply_unknown_collection(r, KV_UNKNOWN_COLLECTION);
	else
		reply_id(r, c->id);
}

void
kv_scope_id(Req *r)
{
	size_t		len;
	const char *path = path_of(r, &len);
	const char *dot = len > 0 ? memchr(path, '.', len) : NULL;
	Scope	   *s;

	if (dot != NULL)
		len = (size_t) (dot - path);
	if (!legal_part(path, len))
	{
		reply_status(r, KV_EINVAL);
		return;
	}
	s = len > 0 ? scope_find(r->bucket, path, len) : r->bucket->scopes;
	if (s == NULL)
		reply_unknown_collection(r, KV_UNKNOWN_SCOPE);
	else
		reply_id(r, s->id);
}

/* ---------------------------------------------------------------- GET_RANDOM_KEY */

static uint32_t
random_below(uint32_t n)
{
	uint32_t	x;

	if (RAND_bytes((unsigned char *) &x, sizeof(x)) != 1)
		abort();
	return x % n;
}

/* A persisted document of the collection in this vBucket, referenced, or NULL. */
static Doc *
random_doc(VBucket *vb, uint32_t cid)
{
	DiskView   *v = disk_view(vb);
	size_t		first = disk_lower_bound(v, cid, "", 0);
	size_t		end = cid == UINT32_MAX ? v->n : disk_lower_bound(v, cid + 1, "", 0);
	Doc		   *d = NULL;
	Doc		   *live = NULL;

	if (end > first)
	{
		d = v->docs[first + random_below((uint32_t) (end - first))];
		live = store_find(vb, cid, doc_key(d), d->key_len);
		if (live != NULL)
			doc_ref(live);
	}
	disk_view_unref(v);
	return live;
}

void
kv_random_key(Req *r)
{
	Bucket	   *b = r->bucket;
	uint32_t	cid = get32(r->ext);
	Doc		   *d = NULL;
	unsigned	start = random_below(b->num_vbuckets);
	uint8_t		flags[4];
	uint8_t		key[UINT8_MAX + MAX_LEB];
	size_t		n = 0;
	char	   *buf;
	Reply		rep = {.status = KV_SUCCESS, .ext = flags, .ext_len = sizeof(flags), .key = key};

	if (collection_by_id(b, cid) == NULL)
	{
		reply_unknown_collection(r, KV_EACCESS);
		return;
	}
	for (unsigned i = 0; i < b->num_vbuckets && d == NULL; i++)
	{
		VBucket    *vb = &b->vb[(start + i) % b->num_vbuckets];

		if (vb->nodes[0] == r->node->index)
			d = random_doc(vb, cid);
	}
	if (d == NULL)
	{
		reply_status(r, KV_KEY_ENOENT);
		return;
	}
	if (conn_has(r->conn, FEATURE_COLLECTIONS))
	{
		for (uint32_t left = cid; ; left >>= 7)
		{
			key[n++] = (uint8_t) ((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
			if (left <= 0x7f)
				break;
		}
	}
	memcpy(key + n, doc_key(d), d->key_len);
	rep.key_len = n + d->key_len;
	put32(flags, d->flags);
	rep.cas = d->cas;
	kv_present(r, d, &rep, &buf);
	reply_send(r, &rep);
	free(buf);
	doc_unref(d);
}
