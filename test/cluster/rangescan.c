/*
 * rangescan.c: the scans of a vBucket, continue and cancel (kv_engine
 * docs/range_scans/range_scan_continue.md, _cancel.md). A continue is a stream of answers of a
 * little over 8 KiB; when the output grows faster than the client reads, the request is kept and
 * goes on as the output drains.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "rangescan.h"

#define CHUNK 8192						/* an answer is sent once it holds so much */
#define BACKLOG (512 * 1024)			/* output at which a stream waits */
#define LIFETIME_SECONDS 180
#define MAX_SCANS 419					/* per node: what the data service was seen to allow */

struct Scan
{
	Scan	   *next;
	VBucket    *vb;
	Node	   *node;
	uint8_t		uuid[16];
	uint32_t	cid;
	DiskView   *view;
	size_t		at;					/* next document */
	size_t		end;
	bool		key_only;
	bool		sampling;
	double		probability;
	Mt19937		random;
	struct event *lifetime;

	/* the continue under way */
	bool		running;
	Req		   *kept;				/* its request while it waits for room */
	uint64_t	items_left;
	uint64_t	bytes_left;
	int64_t		deadline_us;		/* 0: none */
};

static unsigned open_scans[CB_MAX_NODES];
static Text chunk;						/* the answer being filled */

unsigned
scans_open(const Node *n)
{
	return open_scans[n->index];
}

static void
scan_free(Scan *s)
{
	Scan	  **at = (Scan **) &s->vb->scans;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	open_scans[s->node->index]--;
	event_free(s->lifetime);
	disk_view_unref(s->view);
	free(s);
}

/* Ends a scan from outside; a continue that waits for room is answered with this status. */
static void
scan_end(Scan *s, uint16_t status)
{
	Req		   *r = s->kept;
	Conn	   *c;
	bool		alive;

	scan_free(s);
	if (r == NULL)
		return;
	c = r->conn;
	r->on_cancel = NULL;
	conn_hold(c);
	reply_status(r, status);
	alive = !c->dead;
	if (alive)
		req_done(r);
	conn_release(c);
	if (alive)
		conn_process(c);
}

static void
on_lifetime_over(evutil_socket_t fd, short what, void *arg)
{
	(void) fd;
	(void) what;
	scan_end(arg, KV_RANGE_SCAN_CANCELLED);
}

Scan *
scan_open(VBucket *vb, const ScanSpec *spec, DiskView *view, size_t at, size_t end)
{
	Node	   *n = vb->bucket->cluster->nodes[vb->nodes[0]];
	struct timeval lifetime = {LIFETIME_SECONDS, 0};
	char		uuid[33];
	Scan	   *s;

	if (open_scans[n->index] >= MAX_SCANS)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->vb = vb;
	s->node = n;
	s->cid = spec->cid;
	s->view = view;
	s->at = at;
	s->end = end;
	s->key_only = spec->key_only;
	if (spec->sampling && end - at > spec->samples)
	{
		s->sampling = true;
		s->probability = (double) spec->samples / (double) (end - at);
		mt19937_seed(&s->random, spec->seed);
	}
	random_hex(uuid, 32);
	for (int i = 0; i < 16; i++)
	{
		char		byte[3] = {uuid[2 * i], uuid[2 * i + 1], '\0'};

		s->uuid[i] = (uint8_t) strtoul(byte, NULL, 16);
	}
	s->lifetime = evtimer_new(n->cluster->base, on_lifetime_over, s);
	evtimer_add(s->lifetime, &lifetime);
	s->next = vb->scans;
	vb->scans = s;
	open_scans[n->index]++;
	return s;
}

const uint8_t *
scan_uuid(const Scan *s)
{
	return s->uuid;
}

bool
scan_allowed(Req *r, uint32_t cid)
{
	r->collection = collection_by_id(r->bucket, cid);
	if (r->collection == NULL)
	{
		reply_unknown_collection(r, KV_UNKNOWN_COLLECTION);
		return false;
	}
	if (((user_privileges(r->user, r->bucket, r->collection) | r->extra_privileges) & PRIV_RANGE_SCAN) != 0)
		return true;
	reply_access_denied(r, privilege_name(PRIV_RANGE_SCAN));
	return false;
}

static Scan *
scan_find(VBucket *vb, const uint8_t *uuid)
{
	Scan	   *s = vb->scans;

	while (s != NULL && memcmp(s->uuid, uuid, sizeof(s->uuid)) != 0)
		s = s->next;
	return s;
}

void
kv_scan_vbucket_gone(VBucket *vb)
{
	while (vb->scans != NULL)
		scan_end(vb->scans, KV_NOT_MY_VBUCKET);
}

/* ---------------------------------------------------------------- records */

static void
add_length(size_t n)
{
	uint8_t		b[5];
	size_t		used = 0;

	for (; n >= 0x80; n >>= 7)
		b[used++] = (uint8_t) (n | 0x80);
	b[used++] = (uint8_t) n;
	text_add(&chunk, b, used);
}

/*
 * Key alone, or flags (4), expiry (4), seqno (8), CAS (8), datatype (1), key, value; each of the
 * two with its length.
 */
static void
add_record(const Scan *s, const Req *r, Doc *d)
{
	Reply		rep = {.datatype = d->datatype, .val = doc_value(d), .val_len = d->value_len};
	char	   *inflated = NULL;
	uint8_t		meta[25];

	if (!s->key_only)
	{
		if ((d->datatype & ~DT_JSON) != 0)
			kv_present(r, d, &rep, &inflated);
		put32(meta, d->flags);
		put32(meta + 4, d->expiry);
		put64(meta + 8, d->seqno);
		put64(meta + 16, d->cas);
		meta[24] = rep.datatype;
		text_add(&chunk, meta, sizeof(meta));
	}
	add_length(d->key_len);
	text_add(&chunk, doc_key(d), d->key_len);
	if (!s->key_only)
	{
		add_length(rep.val_len);
		text_add(&chunk, rep.val, rep.val_len);
		free(inflated);
	}
}

static void
send_chunk(const Scan *s, Req *r, uint16_t status)
{
	uint8_t		ext[4];
	Reply		rep = {.status = status, .ext = ext, .ext_len = sizeof(ext), .val = chunk.s, .val_len = chunk.len};

	put32(ext, s->key_only ? 0 : 1);
	reply_send(r, &rep);
}

/*
 * Fills one answer. Returns its status: 0 if there is more to send at once, else the last of this
 * continue.
 */
static uint16_t
fill_chunk(Scan *s, const Req *r)
{
	chunk.len = 0;
	while (s->at < s->end)
	{
		Doc		   *d = s->view->docs[s->at];
		size_t		before = chunk.len;

		if (s->items_left == 0 || s->bytes_left == 0)
			return KV_RANGE_SCAN_MORE;
		if (s->at + 8 < s->end)
			__builtin_prefetch(s->view->docs[s->at + 8]);
		s->at++;
		if (s->sampling && !mt19937_bernoulli(&s->random, s->probability))
			continue;
		add_record(s, r, d);
		s->items_left--;
		s->bytes_left -= chunk.len - before < s->bytes_left ? chunk.len - before : s->bytes_left;
		if (s->at == s->end && s->items_left == 0)
			return KV_RANGE_SCAN_MORE;
		if (chunk.len >= CHUNK && s->at < s->end && s->items_left > 0)
			return 0;
	}
	return KV_RANGE_SCAN_COMPLETE;
}

/* ---------------------------------------------------------------- continue */

static void
on_cancelled(Req *r)
{
	scan_free(r->arg);
}

static void on_drained(Req *r);

/*
 * One answer of a continue. Returns its status, or -1 when scan and request are gone, or the
 * connection is.
 */
static int
step(Scan *s, Req *r)
{
	Conn	   *c = r->conn;
	bool		kept = r->kept;
	uint16_t	status;

	if (collection_by_id(s->vb->bucket, s->cid) == NULL)
	{
		scan_free(s);
		r->on_cancel = NULL;
		reply_unknown_collection(r, KV_UNKNOWN_COLLECTION);
		if (kept && !c->dead)
			req_done(r);
		return -1;
	}
	status = fill_chunk(s, r);
	if (status == 0 && s->deadline_us != 0 && monotonic_us() >= s->deadline_us)
		status = KV_RANGE_SCAN_MORE;
	send_chunk(s, r, status);
	if (!c->dead)
		return status;
	if (!kept)
		scan_free(s);			/* else on_cancelled() did */
	return -1;
}

/* Streams until the continue ends or the output is full. */
static void
stream(Scan *s, Req *r)
{
	Conn	   *c = r->conn;
	int			status;

	conn_hold(c);
	s->kept = NULL;
	do
		status = step(s, r);
	while (status == 0 && conn_backlog(c) < BACKLOG);
	if (status == 0)
	{
		s->kept = r->kept ? r : req_keep(r, on_cancelled, s);
		req_on_drain(s->kept, on_drained);
	}
	else if (status > 0)
	{
		s->running = false;
		if (status == KV_RANGE_SCAN_COMPLETE)
			scan_free(s);
		if (r->kept)
			req_done(r);
	}
	conn_release(c);
}

static void
on_drained(Req *r)
{
	stream(r->arg, r);
}

static bool
check_uuid_extras(Req *r, size_t len)
{
	if (r->ext_len == len)
		return true;
	reply_error(r, KV_EINVAL, "Request must include extras of length %zu", len);
	return false;
}

bool
kv_scan_continue_validate(Req *r)
{
	return check_uuid_extras(r, 28);
}

bool
kv_scan_cancel_validate(Req *r)
{
	return check_uuid_extras(r, 16);
}

/*
 * Extras: uuid (16), item limit (4), time limit in ms (4), byte limit (4, which counts in units of
 * 4 GiB). 0: no limit.
 */
void
kv_scan_continue(Req *r)
{
	Scan	   *s = scan_find(r->vb, r->ext);
	uint32_t	items = get32(r->ext + 16);
	uint32_t	ms = get32(r->ext + 20);
	uint32_t	bytes = get32(r->ext + 24);

	if (s == NULL)
	{
		reply_body(r, KV_KEY_ENOENT, DT_RAW, NULL, 0);
		return;
	}
	if (collection_by_id(r->bucket, s->cid) != NULL && !scan_allowed(r, s->cid))
		return;
	if (s->running)
	{
		conn_close(r->conn);	/* as the data service was seen to do when another connection is at it */
		return;
	}
	s->running = true;
	s->items_left = items != 0 ? items : UINT64_MAX;
	s->bytes_left = bytes != 0 ? (uint64_t) bytes << 32 : UINT64_MAX;
	s->deadline_us = ms != 0 ? monotonic_us() + (int64_t) ms * 1000 : 0;
	stream(s, r);
}

void
kv_scan_cancel(Req *r)
{
	Scan	   *s = scan_find(r->vb, r->ext);

	if (s == NULL)
	{
		reply_body(r, KV_KEY_ENOENT, DT_RAW, NULL, 0);
		return;
	}
	if (collection_by_id(r->bucket, s->cid) != NULL && !scan_allowed(r, s->cid))
		return;
	scan_end(s, KV_KEY_ENOENT);
	reply_body(r, KV_SUCCESS, DT_RAW, NULL, 0);
}
