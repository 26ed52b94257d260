/*
 * disk.c: what counts as persisted. A flush a few milliseconds after a write moves the versions from "dirty" to
 * "flushed" and advances persisted_seqno; the sorted view that range scans read is merged when somebody asks for it
 * (or when the flushed versions outgrow it). kv_engine docs/range_scans: a scan reads from disk only.
 */
#include <stdlib.h>
#include <string.h>

#include "disk.h"

#define PAGER_SECONDS 600		/* as Couchbase Server by default */
#define MERGE_AT_LEAST 1024

struct PersistWait
{
	PersistWait *next;
	VBucket    *vb;
	uint64_t	seqno;
	PersistFn	fn;
	void	   *arg;
	uint16_t	status;
	struct event *timer;
};

/* ---------------------------------------------------------------- flusher */

static void
push(Doc ***array, size_t *used, size_t *size, Doc *d)
{
	if (*used == *size)
	{
		*size = *size ? *size * 2 : 8;
		*array = xrealloc(*array, *size * sizeof(Doc *));
	}
	(*array)[(*used)++] = d;
}

static void
arm_flusher(VBucket *vb)
{
	Cluster    *cl = vb->bucket->cluster;
	struct timeval tv = {0, (suseconds_t) (cl->flush_ms % 1000) * 1000};

	tv.tv_sec = cl->flush_ms / 1000;
	if (vb->in_flush_list)
		return;
	vb->in_flush_list = true;
	vb->flush_next = cl->flush_list;
	if (cl->flush_list == NULL)
		evtimer_add(cl->flush_timer, &tv);
	cl->flush_list = vb;
}

void
disk_queue(VBucket *vb, Doc *d)
{
	push(&vb->dirty, &vb->dirty_used, &vb->dirty_size, doc_ref(d));
	arm_flusher(vb);
}

static void
wait_over(PersistWait *w, uint16_t status)
{
	w->status = status;
	event_del(w->timer);
	event_active(w->timer, EV_TIMEOUT, 0);
}

static void merge(VBucket *vb);

static void
flush(VBucket *vb)
{
	for (size_t i = 0; i < vb->dirty_used; i++)
		push(&vb->flushed, &vb->flushed_used, &vb->flushed_size, vb->dirty[i]);
	vb->dirty_used = 0;
	if (vb->dirty_size > MERGE_AT_LEAST)
	{
		free(vb->dirty);
		vb->dirty = NULL;
		vb->dirty_size = 0;
	}
	vb->persisted_seqno = vb->high_seqno;
	if (vb->flushed_used > MERGE_AT_LEAST && (vb->view == NULL || vb->flushed_used > vb->view->n / 4))
		merge(vb);
	for (PersistWait *w = vb->waits; w != NULL; w = w->next)
	{
		if (w->seqno <= vb->persisted_seqno && w->status == KV_ETMPFAIL)
			wait_over(w, KV_SUCCESS);
	}
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void) fd;
	(void) what;
	disk_flush(arg);
}

/* Everything written so far is on disk. */
void
disk_flush(Cluster *cl)
{
	VBucket    *vb = cl->flush_list;

	cl->flush_list = NULL;
	while (vb != NULL)
	{
		VBucket    *next = vb->flush_next;

		vb->in_flush_list = false;
		flush(vb);
		vb = next;
	}
}

static void
on_pager(evutil_socket_t fd, short what, void *arg)
{
	Cluster    *cl = arg;
	uint32_t	now = cb_now(cl);

	(void) fd;
	(void) what;
	for (Bucket *b = cl->buckets; b != NULL; b = b->next)
	{
		for (unsigned i = 0; b->vb != NULL && i < b->num_vbuckets; i++)
			store_expire_all(&b->vb[i], now);
	}
}

void
disk_start(Cluster *cl)
{
	struct timeval tv = {PAGER_SECONDS, 0};

	cl->flush_timer = evtimer_new(cl->base, on_flush, cl);
	cl->pager_timer = event_new(cl->base, -1, EV_PERSIST, on_pager, cl);
	evtimer_add(cl->pager_timer, &tv);
}

void
disk_stop(Cluster *cl)
{
	event_free(cl->flush_timer);
	event_free(cl->pager_timer);
}

/* ---------------------------------------------------------------- the sorted view */

static int
compare_versions(const void *a, const void *b)
{
	const Doc  *x = *(Doc *const *) a;
	const Doc  *y = *(Doc *const *) b;
	int			order = doc_compare_key(x, y->cid, doc_key(y), y->key_len);

	if (order != 0)
		return order;
	return x->seqno < y->seqno ? -1 : x->seqno > y->seqno;
}

static DiskView *
view_new(size_t room)
{
	DiskView   *v = xmalloc(sizeof(DiskView) + room * sizeof(Doc *));

	v->refs = 1;
	v->n = 0;
	return v;
}

/* Sorts the flushed versions and leaves the newest of each key; returns their number. */
static size_t
newest_flushed(VBucket *vb)
{
	size_t		n = 0;

	qsort(vb->flushed, vb->flushed_used, sizeof(Doc *), compare_versions);
	for (size_t i = 0; i < vb->flushed_used; i++)
	{
		Doc		   *d = vb->flushed[i];

		if (n > 0 && doc_compare_key(vb->flushed[n - 1], d->cid, doc_key(d), d->key_len) == 0)
			doc_unref(vb->flushed[--n]);
		vb->flushed[n++] = d;
	}
	return n;
}

/* Makes a new view of the old one and the flushed versions, whose references pass to it. */
static void
merge(VBucket *vb)
{
	DiskView   *old = vb->view;
	size_t		fresh = vb->flushed_used ? newest_flushed(vb) : 0;
	size_t		old_n = old != NULL ? old->n : 0;
	DiskView   *v = view_new(old_n + fresh);
	bool		own = old != NULL && old->refs == 1;	/* then its references pass on, too */
	size_t		i = 0;
	size_t		j = 0;

	while (i < old_n || j < fresh)
	{
		Doc		   *o = i < old_n ? old->docs[i] : NULL;
		Doc		   *f = j < fresh ? vb->flushed[j] : NULL;
		int			order = o == NULL ? 1 : f == NULL ? -1 : doc_compare_key(o, f->cid, doc_key(f), f->key_len);

		if (order <= 0)
			i++;
		if (order < 0)
		{
			v->docs[v->n++] = own ? o : doc_ref(o);
			continue;
		}
		if (order == 0 && own)
			doc_unref(o);
		j++;
		if (f->deleted)
			doc_unref(f);
		else
			v->docs[v->n++] = f;
	}
	free(vb->flushed);
	vb->flushed = NULL;
	vb->flushed_used = vb->flushed_size = 0;
	if (own)
		free(old);
	else if (old != NULL)
		disk_view_unref(old);
	vb->view = v;
}

DiskView *
disk_view(VBucket *vb)
{
	if (vb->view == NULL || vb->flushed_used > 0)
		merge(vb);
	vb->view->seqno = vb->persisted_seqno;
	vb->view->refs++;
	return vb->view;
}

void
disk_view_unref(DiskView *v)
{
	if (--v->refs > 0)
		return;
	for (size_t i = 0; i < v->n; i++)
		doc_unref(v->docs[i]);
	free(v);
}

size_t
disk_lower_bound(const DiskView *v, uint32_t cid, const void *key, size_t key_len)
{
	size_t		low = 0;
	size_t		high = v->n;

	while (low < high)
	{
		size_t		mid = low + (high - low) / 2;

		if (doc_compare_key(v->docs[mid], cid, key, key_len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void
drop_collection(Doc **docs, size_t *used, uint32_t cid)
{
	size_t		n = 0;

	for (size_t i = 0; i < *used; i++)
	{
		if (docs[i]->cid == cid)
			doc_unref(docs[i]);
		else
			docs[n++] = docs[i];
	}
	*used = n;
}

void
disk_purge(VBucket *vb, uint32_t cid)
{
	DiskView   *old = vb->view;
	DiskView   *v;

	drop_collection(vb->dirty, &vb->dirty_used, cid);
	drop_collection(vb->flushed, &vb->flushed_used, cid);
	if (old == NULL)
		return;
	v = view_new(old->n);
	for (size_t i = 0; i < old->n; i++)
	{
		if (old->docs[i]->cid != cid)
			v->docs[v->n++] = doc_ref(old->docs[i]);
	}
	disk_view_unref(old);
	vb->view = v;
}

/* ---------------------------------------------------------------- waiting for the disk */

static void
wait_free(PersistWait *w)
{
	PersistWait **at = &w->vb->waits;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	event_free(w->timer);
	free(w);
}

static void
on_wait_over(evutil_socket_t fd, short what, void *arg)
{
	PersistWait *w = arg;
	PersistFn	fn = w->fn;
	void	   *fn_arg = w->arg;
	uint16_t	status = w->status;

	(void) fd;
	(void) what;
	wait_free(w);
	fn(fn_arg, status);
}

PersistWait *
disk_wait(VBucket *vb, uint64_t seqno, unsigned timeout_ms, PersistFn fn, void *arg)
{
	PersistWait *w = xcalloc(1, sizeof(*w));
	struct timeval tv = {(time_t) (timeout_ms / 1000), (suseconds_t) (timeout_ms % 1000) * 1000};

	w->vb = vb;
	w->seqno = seqno;
	w->fn = fn;
	w->arg = arg;
	w->status = KV_ETMPFAIL;
	w->timer = evtimer_new(vb->bucket->cluster->base, on_wait_over, w);
	w->next = vb->waits;
	vb->waits = w;
	if (seqno <= vb->persisted_seqno)
		wait_over(w, KV_SUCCESS);
	else
		evtimer_add(w->timer, &tv);
	return w;
}

void
disk_wait_cancel(PersistWait *w)
{
	wait_free(w);
}

void
disk_free(VBucket *vb)
{
	VBucket   **at = &vb->bucket->cluster->flush_list;

	while (vb->waits != NULL)
		wait_free(vb->waits);
	if (vb->in_flush_list)
	{
		while (*at != vb)
			at = &(*at)->flush_next;
		*at = vb->flush_next;
		vb->in_flush_list = false;
	}
	for (size_t i = 0; i < vb->dirty_used; i++)
		doc_unref(vb->dirty[i]);
	for (size_t i = 0; i < vb->flushed_used; i++)
		doc_unref(vb->flushed[i]);
	free(vb->dirty);
	free(vb->flushed);
	if (vb->view != NULL)
		disk_view_unref(vb->view);
	vb->dirty = vb->flushed = NULL;
	vb->dirty_used = vb->flushed_used = vb->dirty_size = vb->flushed_size = 0;
	vb->view = NULL;
}
