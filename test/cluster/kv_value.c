/*
 * kv_value.c: the value of a stored document: inflating it, its xattr section, what a plain GET shows of it.
 */
#include <stdlib.h>
#include <string.h>

#include <snappy-c.h>

#include "kv_value.h"

bool
doc_inflated(const Doc *d, const char **val, size_t *len, char **buf)
{
	*buf = NULL;
	*val = doc_value(d);
	*len = d->value_len;
	if (!(d->datatype & DT_SNAPPY))
		return true;
	if (snappy_uncompressed_length(doc_value(d), d->value_len, len) != SNAPPY_OK || *len > CB_MAX_PACKET)
		return false;
	*buf = xmalloc(*len);
	if (snappy_uncompress(doc_value(d), d->value_len, *buf, len) != SNAPPY_OK)
	{
		free(*buf);
		*buf = NULL;
		return false;
	}
	*val = *buf;
	return true;
}

/* docs/SubDocument.md, xattr encoding: the total length (4 bytes), then length, key, 0, value, 0 of each. */
size_t
xattr_body_offset(const char *val, size_t len, uint8_t datatype)
{
	size_t		total;

	if (!(datatype & DT_XATTR))
		return 0;
	if (len < 4)
		return len;
	total = get32(val);
	return total > len - 4 ? len : total + 4;
}

/* Copies the system xattrs (keys that begin with "_") of a section to out, which has room for all; their length. */
size_t
xattr_system_only(const char *section, size_t len, char *out)
{
	size_t		n = 4;

	for (size_t at = 4; at + 4 < len;)
	{
		size_t		entry = 4 + get32(section + at);

		if (entry > len - at)
			break;
		if (section[at + 4] == '_')
		{
			memcpy(out + n, section + at, entry);
			n += entry;
		}
		at += entry;
	}
	if (n == 4)
		return 0;
	put32(out, (uint32_t) (n - 4));
	return n;
}

void
kv_present(const Req *r, Doc *d, Reply *rep, char **buf)
{
	const char *val;
	size_t		len;
	size_t		body;

	*buf = NULL;
	if (!(d->datatype & DT_XATTR) && (!(d->datatype & DT_SNAPPY) || conn_has(r->conn, FEATURE_SNAPPY)))
	{
		rep->datatype = d->datatype;
		rep->val = doc_value(d);
		rep->val_len = d->value_len;
		rep->doc = d;
		return;
	}
	if (!doc_inflated(d, &val, &len, buf))
		abort();				/* it was inflated once before it was stored */
	body = xattr_body_offset(val, len, d->datatype);
	rep->datatype = d->datatype & DT_JSON;
	rep->val = val + body;
	rep->val_len = len - body;
	rep->doc = *buf == NULL ? d : NULL;
}

/*
 * A new version of the document of this request: the xattrs of old (may be NULL), then the body. Flags and expiry
 * are the caller's to set.
 */
Doc *
kv_new_version(const Req *r, const Doc *old, const void *body, size_t body_len)
{
	const char *val = NULL;
	size_t		len = 0;
	size_t		xattrs = 0;
	char	   *buf = NULL;
	Doc		   *d;

	if (old != NULL && (old->datatype & DT_XATTR))
	{
		if (!doc_inflated(old, &val, &len, &buf))
			abort();
		xattrs = xattr_body_offset(val, len, old->datatype);
	}
	d = doc_new(r->cid, r->key, r->key_len, xattrs + body_len);
	if (xattrs > 0)
	{
		memcpy(doc_value(d), val, xattrs);
		d->datatype |= DT_XATTR;
	}
	if (body_len > 0)
		memcpy(doc_value(d) + xattrs, body, body_len);
	d->datatype |= json_datatype(body, body_len);
	free(buf);
	return d;
}

/* The version that differs from d by its expiry alone. */
Doc *
kv_with_expiry(const Doc *d, uint32_t expiry)
{
	Doc		   *n = doc_new(d->cid, doc_key(d), d->key_len, d->value_len);

	memcpy(doc_value(n), doc_value(d), d->value_len);
	n->datatype = d->datatype;
	n->flags = d->flags;
	n->expiry = expiry;
	return n;
}

/* The deletion of d: system xattrs, flags and expiry stay. */
Doc *
kv_tombstone(const Doc *d)
{
	const char *val;
	size_t		len;
	size_t		section;
	size_t		kept = 0;
	char	   *buf = NULL;
	char	   *system = NULL;
	Doc		   *n;

	if (d->datatype & DT_XATTR)
	{
		if (!doc_inflated(d, &val, &len, &buf))
			abort();
		section = xattr_body_offset(val, len, d->datatype);
		system = xmalloc(section);
		kept = xattr_system_only(val, section, system);
	}
	n = doc_new(d->cid, doc_key(d), d->key_len, kept);
	if (kept > 0)
	{
		memcpy(doc_value(n), system, kept);
		n->datatype = DT_XATTR;
	}
	n->deleted = true;
	n->flags = d->flags;
	n->expiry = d->expiry;
	free(system);
	free(buf);
	return n;
}
