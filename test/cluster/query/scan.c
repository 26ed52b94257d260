/*
 * scan.c: documents for statements: a scan sees what is on disk, as the sequential scan of the server does; a fetch
 * sees what is there now.
 */
#include <stdlib.h>
#include <string.h>

#include "catalog.h"

#define WAIT_US 1000				/* between two looks whether writes are on disk */

struct KeyspaceScan
{
	Exec	   *x;
	const Keyspace *k;
	unsigned	vb;
	DiskView   *view;
	size_t		at;
	Doc		   *doc;				/* given last */
	ValueList	rows;				/* of a system keyspace */
};

/* ---------------------------------------------------------------- documents as values */

/* The value of a document, with META; its bytes are the document's unless it had to be inflated. */
static N1Value *
document_value(Exec *x, const Keyspace *k, Doc *d, N1Arena *a)
{
	const char *text;
	size_t		len;
	size_t		skip;
	char	   *buf;
	N1Meta	   *meta = n1_alloc(a, sizeof(*meta));
	N1Value    *v;
	bool		json = (d->datatype & DT_JSON) != 0;

	(void) x;
	if (!doc_inflated(d, &text, &len, &buf))
		return NULL;
	skip = xattr_body_offset(text, len, d->datatype);
	if (buf != NULL)
	{
		text = n1_dup(a, text, len);
		free(buf);
	}
	v = json ? n1_json_checked(a, text + skip, len - skip) : n1_json(a, text + skip, len - skip);
	if (v->type != N1_ARRAY && v->type != N1_OBJECT)
	{
		N1Value    *own = n1_alloc(a, sizeof(*own));

		*own = *v;
		v = own;
	}
	meta->id = doc_key(d);
	meta->id_len = d->key_len;
	meta->keyspace = k->path;
	meta->cas = d->cas;
	meta->flags = d->flags;
	meta->expiration = d->expiry;
	meta->type = json ? "json" : "base64";
	v->meta = meta;
	return v;
}

N1Value *
keyspace_fetch(Exec *x, const Keyspace *k, const char *key, size_t len, N1Arena *a)
{
	Collection *c;
	Bucket	   *b = keyspace_bucket(x, k, &c);
	Doc		   *d = b != NULL && len > 0 && len <= CB_MAX_DEFAULT_KEY ? store_find_in(b, c, key, len) : NULL;
	N1Value    *v;

	if (d == NULL)
		return NULL;
	v = document_value(x, k, d, a);
	return v != NULL ? n1_copy(a, v) : NULL;
}

/* ---------------------------------------------------------------- scans */

KeyspaceScan *
documents_open(Exec *x, const Keyspace *k)
{
	KeyspaceScan *s = xcalloc(1, sizeof(*s));

	s->x = x;
	s->k = k;
	if (k->system != NULL)
		k->system->rows(x, &s->rows, x->keep);
	return s;
}

void
documents_close(KeyspaceScan *s)
{
	if (s->view != NULL)
		disk_view_unref(s->view);
	if (s->doc != NULL)
		doc_unref(s->doc);
	free(s);
}

/* The next key that is on disk; NULL at the end. */
static const Doc *
next_on_disk(KeyspaceScan *s, Bucket *b)
{
	for (;;)
	{
		if (s->view == NULL)
		{
			if (s->vb == b->num_vbuckets)
				return NULL;
			s->view = disk_view(&b->vb[s->vb]);
			s->at = disk_lower_bound(s->view, s->k->cid, "", 0);
		}
		if (s->at < s->view->n && s->view->docs[s->at]->cid == s->k->cid)
			return s->view->docs[s->at++];
		disk_view_unref(s->view);
		s->view = NULL;
		s->vb++;
	}
}

N1Value *
documents_next(KeyspaceScan *s, N1Arena *a)
{
	Collection *c;
	Bucket	   *b;
	const Doc  *d;

	if (s->k->system != NULL)
		return s->at < s->rows.n ? s->rows.v[s->at++] : NULL;
	b = keyspace_bucket(s->x, s->k, &c);
	while (b != NULL && (d = next_on_disk(s, b)) != NULL)
	{
		Doc		   *now = store_find(&b->vb[s->vb], s->k->cid, doc_key(d), d->key_len);
		N1Value    *v;

		if (now == NULL)
		{
			if (exec_tick(s->x))
				return NULL;
			b = keyspace_bucket(s->x, s->k, &c);
			continue;
		}
		if (s->doc != NULL)
			doc_unref(s->doc);
		s->doc = doc_ref(now);
		v = document_value(s->x, s->k, s->doc, a);
		if (v != NULL)
			return v;
	}
	return NULL;
}

/* ---------------------------------------------------------------- consistency */

/* A vector is given for a bucket, under any of its names. */
static bool
point_is_for(const ScanPoint *p, const Keyspace *k)
{
	const char *name = p->keyspace;
	size_t		len;

	if (name == NULL)
		return true;
	if (strncmp(name, "default:", 8) == 0)
		name += 8;
	len = strlen(k->bucket);
	if (*name == '`')
		name++;
	return strncmp(name, k->bucket, len) == 0 && (name[len] == '\0' || name[len] == '`' || name[len] == '.');
}

static bool
is_on_disk(Exec *x, const Keyspace *k, const uint64_t *wanted)
{
	Collection *c;
	Bucket	   *b = keyspace_bucket(x, k, &c);

	if (b == NULL)
		return true;
	for (unsigned i = 0; i < b->num_vbuckets; i++)
		if (b->vb[i].persisted_seqno < wanted[i] && b->vb[i].persisted_seqno < b->vb[i].high_seqno)
			return false;
	return true;
}

bool
scan_consistent(Exec *x, Keyspace *k)
{
	const QueryParams *p = &x->r->params;
	Collection *c;
	Bucket	   *b;
	uint64_t   *wanted;

	if (k->consistent || k->system != NULL || p->consistency <= SCAN_NOT_BOUNDED)
		return true;
	k->consistent = true;
	b = keyspace_bucket(x, k, &c);
	if (b == NULL)
		return true;
	wanted = n1_alloc(x->keep, b->num_vbuckets * sizeof(*wanted));
	for (unsigned i = 0; i < b->num_vbuckets; i++)
		wanted[i] = p->consistency == SCAN_AT_PLUS ? 0 : b->vb[i].high_seqno;
	for (const ScanPoint *at = p->points; at != NULL && p->consistency == SCAN_AT_PLUS; at = at->next)
		if (point_is_for(at, k) && at->vbucket < b->num_vbuckets)
			wanted[at->vbucket] = at->seqno;
	while (!is_on_disk(x, k, wanted))
	{
		query_pause(x->r, WAIT_US);
		if (query_stopped(x->r))
			return false;
	}
	return true;
}
