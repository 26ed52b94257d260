/*
 * rangescan_create.c: reads what a range-scan create asks for, waits until the snapshot it requires
 * is on disk, opens the scan (kv_engine docs/range_scans/range_scan_create.md). A member of the
 * wrong type closes the connection, as the data service's worker fails on it; so does base64 that
 * is none.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "rangescan.h"

#define MAX_NAME 50
#define MAX_BOUND 250

typedef enum Verdict
{
	GOOD,
	ANSWERED,						/* refused with an answer */
	BROKEN							/* the connection is to be closed */
} Verdict;

static void
spec_free(ScanSpec *spec)
{
	text_free(&spec->start);
	text_free(&spec->end);
}

/* ---------------------------------------------------------------- members of the request */

static Verdict
get_bool(Span object, const char *name, bool *out)
{
	JsonType	type;
	Span		value;

	if (!json_member(object, name, &value, &type))
		return GOOD;
	if (type != JSON_TRUE && type != JSON_FALSE)
		return BROKEN;
	*out = type == JSON_TRUE;
	return GOOD;
}

/* A number without sign, point or exponent. */
static Verdict
get_unsigned(Span object, const char *name, bool required, uint64_t *out)
{
	char		text[24];
	JsonType	type;
	Span		value;

	if (!json_member(object, name, &value, &type))
		return required ? BROKEN : GOOD;
	if (type != JSON_NUMBER || value.len >= sizeof(text))
		return BROKEN;
	for (size_t i = 0; i < value.len; i++)
		if (value.at[i] < '0' || value.at[i] > '9')
			return BROKEN;
	memcpy(text, value.at, value.len);
	text[value.len] = '\0';
	errno = 0;
	*out = strtoull(text, NULL, 10);
	return errno == 0 ? GOOD : BROKEN;
}

/* Text of a string member; *found tells whether it is there. */
static Verdict
get_text(Span object, const char *name, bool *found, Text *out)
{
	JsonType	type;
	Span		value;

	*found = json_member(object, name, &value, &type);
	if (!*found)
		return GOOD;
	return type == JSON_STRING && json_string_text(value, out) ? GOOD : BROKEN;
}

static Verdict
get_object(Span object, const char *name, bool *found, Span *out)
{
	JsonType	type;

	*found = json_member(object, name, out, &type);
	return !*found || type == JSON_OBJECT ? GOOD : BROKEN;
}

/* ---------------------------------------------------------------- bounds */

static Verdict
wrong_type(Req *r, const char *name, Span value)
{
	reply_error(r, KV_EINVAL, "wrong type for key:%s, %.*s", name, (int) (value.len < 256 ? value.len : 256),
				value.at);
	return ANSWERED;
}

/* A bound under one of two names, still in base64; refuses both or none, and what is no string. */
static Verdict
get_bound(Req *r, Span range, const char *name, const char *excl_name, bool *exclusive, Text *encoded)
{
	JsonType	type;
	Span		value;
	Span		excl;
	bool		plain = json_member(range, name, &value, &type);

	if (plain && type != JSON_STRING)
		return wrong_type(r, name, value);
	*exclusive = json_member(range, excl_name, &excl, &type);
	if (*exclusive && type != JSON_STRING)
		return wrong_type(r, excl_name, excl);
	if (plain && *exclusive)
		reply_error(r, KV_EINVAL, "range included both %s and %s", name, excl_name);
	else if (!plain && !*exclusive)
		reply_error(r, KV_EINVAL, "range did not include %s or %s", name, excl_name);
	else
		return json_string_text(plain ? value : excl, encoded) ? GOOD : BROKEN;
	return ANSWERED;
}

static Verdict
read_range(Req *r, Span range, ScanSpec *spec)
{
	Text		start = {0};
	Text		end = {0};
	Verdict		v = get_bound(r, range, "start", "excl_start", &spec->excl_start, &start);

	if (v == GOOD)
		v = get_bound(r, range, "end", "excl_end", &spec->excl_end, &end);
	if (v == GOOD &&
		(!text_unbase64(start.s, start.len, &spec->start) || !text_unbase64(end.s, end.len, &spec->end)))
		v = BROKEN;
	if (v == GOOD && (spec->start.len > MAX_BOUND || spec->end.len > MAX_BOUND))
	{
		reply_error(r, KV_EINVAL, "invalid key size in range start:%zu, end:%zu", spec->start.len, spec->end.len);
		v = ANSWERED;
	}
	text_free(&start);
	text_free(&end);
	return v;
}

/* ---------------------------------------------------------------- the rest of the request */

static Verdict
read_snapshot(Span object, ScanSpec *spec)
{
	Text		uuid = {0};
	uint64_t	timeout = 0;
	bool		found;
	char	   *end;
	Verdict		v = get_text(object, "vb_uuid", &found, &uuid);

	if (v == GOOD && !found)
		v = BROKEN;
	if (v == GOOD)
		v = get_unsigned(object, "seqno", true, &spec->seqno);
	if (v == GOOD)
		v = get_bool(object, "seqno_exists", &spec->seqno_exists);
	if (v == GOOD)
		v = get_unsigned(object, "timeout_ms", false, &timeout);
	if (v == GOOD)
	{
		errno = 0;
		spec->vb_uuid = strtoull(uuid.s, &end, 10);
		if (errno != 0 || end == uuid.s || end != uuid.s + uuid.len)
			v = BROKEN;
	}
	spec->timeout_ms = (uint32_t) timeout;
	spec->has_snapshot = true;
	text_free(&uuid);
	return v;
}

static Verdict
read_sampling(Span object, ScanSpec *spec)
{
	uint64_t	seed = 0;
	Verdict		v = get_unsigned(object, "samples", true, &spec->samples);

	if (v == GOOD)
		v = get_unsigned(object, "seed", false, &seed);
	spec->seed = (uint32_t) seed;
	spec->sampling = true;
	return v;
}

static Verdict
read_name(Req *r, Span object)
{
	Text		name = {0};
	bool		found;
	Verdict		v = get_text(object, "name", &found, &name);

	if (v == GOOD && name.len > MAX_NAME)
	{
		reply_error(r, KV_EINVAL, "name exceeds 50 bytes");
		v = ANSWERED;
	}
	text_free(&name);
	return v;
}

static Verdict
read_collection(Req *r, Span object, ScanSpec *spec)
{
	Text		id = {0};
	bool		found;
	Verdict		v = get_text(object, "collection", &found, &id);

	if (v == GOOD && found)
	{
		if (id.len == 0 || id.len > 8 || strspn(id.s, "0123456789abcdefABCDEF") != id.len)
		{
			reply_error(r, KV_EINVAL, "Invalid formatting of the collection field");
			v = ANSWERED;
		}
		else
			spec->cid = (uint32_t) strtoul(id.s, NULL, 16);
	}
	text_free(&id);
	return v;
}

static Verdict
read_spec(Req *r, ScanSpec *spec)
{
	Span		all = {(const char *) r->val, r->val_len};
	bool		has_range = false;
	bool		has_sampling = false;
	bool		has_snapshot = false;
	Span		range;
	Span		sampling;
	Span		snapshot;
	Verdict		v = get_object(all, "range", &has_range, &range);

	if (v == GOOD)
		v = get_object(all, "sampling", &has_sampling, &sampling);
	if (v == GOOD)
		v = get_object(all, "snapshot_requirements", &has_snapshot, &snapshot);
	if (v == GOOD && has_range && has_sampling)
	{
		reply_body(r, KV_EINVAL, DT_RAW, NULL, 0);
		v = ANSWERED;
	}
	spec->to_end = !has_range;
	if (v == GOOD && has_range)
		v = read_range(r, range, spec);
	if (v == GOOD && has_snapshot)
		v = read_snapshot(snapshot, spec);
	if (v == GOOD && has_sampling)
		v = read_sampling(sampling, spec);
	if (v == GOOD)
		v = read_name(r, all);
	if (v == GOOD)
		v = get_bool(all, "key_only", &spec->key_only);
	return v == GOOD ? read_collection(r, all, spec) : v;
}

/* ---------------------------------------------------------------- opening */

/* The texts of these refusals name the scan by a uuid it does not get. */
static void
refuse_scan(Req *r, uint16_t status, const char *what, const char *why)
{
	char		uuid[37];

	random_uuid(uuid);
	reply_error(r, status, "RangeScan vb:%u %s %s: %s", r->vbid, uuid, what, why);
}

/* Is a version with this sequence number still what its key has on disk? */
static bool
seqno_stored(const VBucket *vb, const DiskView *view, uint64_t seqno)
{
	for (size_t i = 0; i < view->n; i++)
		if (view->docs[i]->seqno == seqno)
			return true;
	for (size_t i = 0; i < vb->hash_size; i++)
		for (const Doc *d = vb->hash[i]; d != NULL; d = d->hash_next)
			if (d->seqno == seqno)
				return true;
	return false;
}

/* The first document at a key, or behind it. */
static size_t
find_bound(const DiskView *view, uint32_t cid, const Text *key, bool behind)
{
	size_t		i = disk_lower_bound(view, cid, key->s, key->len);

	if (behind && i < view->n && doc_compare_key(view->docs[i], cid, key->s, key->len) == 0)
		i++;
	return i;
}

static void
find_range(const DiskView *view, const ScanSpec *spec, size_t *at, size_t *end)
{
	*at = find_bound(view, spec->cid, &spec->start, spec->excl_start);
	if (spec->to_end)
	{
		*end = spec->cid == UINT32_MAX ? view->n : disk_lower_bound(view, spec->cid + 1, NULL, 0);
		return;
	}
	*end = find_bound(view, spec->cid, &spec->end, !spec->excl_end);
}

/* Everything is on disk that has to be: opens the scan and answers. */
static void
open_scan(Req *r, const ScanSpec *spec)
{
	DiskView   *view = disk_view(r->vb);
	Scan	   *s = NULL;
	char	   *what = NULL;
	size_t		at;
	size_t		end;

	find_range(view, spec, &at, &end);
	if (spec->has_snapshot && spec->seqno_exists && !seqno_stored(r->vb, view, spec->seqno))
	{
		what = xasprintf("createScan snapshotReqs not met seqno:%" PRIu64 " not stored", spec->seqno);
		refuse_scan(r, KV_NOT_STORED, what, "not stored");
	}
	else if (at >= end && spec->sampling)
	{
		what = xasprintf("createScan cannot sample empty cid:0x%" PRIx32 ", items:0, samples:%" PRIu64, spec->cid,
						 spec->samples);
		refuse_scan(r, KV_KEY_ENOENT, what, "no such key");
	}
	else if (at >= end)
		refuse_scan(r, KV_KEY_ENOENT, "tryAndScanOneKey no keys in range", "no such key");
	else
	{
		s = scan_open(r->vb, spec, view, at, end);
		if (s == NULL)
			reply_body(r, KV_EBUSY, DT_RAW, NULL, 0);
		else
			reply_body(r, KV_SUCCESS, DT_RAW, scan_uuid(s), 16);
	}
	if (s == NULL)
		disk_view_unref(view);
	free(what);
}

/* ---------------------------------------------------------------- waiting for the snapshot */

typedef struct Waiting
{
	Req		   *r;
	PersistWait *wait;
	ScanSpec	spec;
} Waiting;

static void
waiting_free(Waiting *w)
{
	spec_free(&w->spec);
	free(w);
}

static void
on_persisted(void *arg, uint16_t status)
{
	Waiting    *w = arg;
	Req		   *r = w->r;
	Conn	   *c = r->conn;
	bool		alive;

	r->on_cancel = NULL;
	conn_hold(c);
	if (status != 0)
		reply_body(r, status, DT_RAW, NULL, 0);
	else if (collection_by_id(r->bucket, w->spec.cid) == NULL)
		reply_unknown_collection(r, KV_UNKNOWN_COLLECTION);
	else if (r->vb->nodes[0] != r->node->index)
		reply_status(r, KV_NOT_MY_VBUCKET);
	else
		open_scan(r, &w->spec);
	waiting_free(w);
	alive = !c->dead;
	if (alive)
		req_done(r);
	conn_release(c);
	if (alive)
		conn_process(c);
}

static void
on_cancelled(Req *r)
{
	Waiting    *w = r->arg;

	disk_wait_cancel(w->wait);
	waiting_free(w);
}

/* True if the snapshot is there; else answers, or keeps the request (and takes over the spec). */
static bool
snapshot_ready(Req *r, ScanSpec *spec)
{
	Waiting    *w;

	if (!spec->has_snapshot)
		return true;
	if (spec->vb_uuid != r->vb->uuid)
	{
		reply_body(r, KV_VBUUID_NOT_EQUAL, DT_RAW, NULL, 0);
		return false;
	}
	if (spec->seqno <= r->vb->persisted_seqno)
		return true;
	if (spec->timeout_ms == 0)
	{
		reply_body(r, KV_ETMPFAIL, DT_RAW, NULL, 0);
		return false;
	}
	w = xcalloc(1, sizeof(*w));
	w->spec = *spec;
	memset(spec, 0, sizeof(*spec));
	w->r = req_keep(r, on_cancelled, w);
	w->wait = disk_wait(r->vb, w->spec.seqno, w->spec.timeout_ms, on_persisted, w);
	return false;
}

bool
kv_scan_create_validate(Req *r)
{
	if ((r->datatype & DT_JSON) != 0)
		return true;
	reply_error(r, KV_EINVAL, "Datatype must be JSON");
	return false;
}

void
kv_scan_create(Req *r)
{
	ScanSpec	spec = {0};
	Text		why = {0};
	Verdict		v;

	if (!json_complain((const char *) r->val, r->val_len, &why))
	{
		reply_error(r, KV_EINVAL, "Failed nlohmann::json::parse %s", why.s);
		text_free(&why);
		return;
	}
	v = read_spec(r, &spec);
	if (v == BROKEN)
		conn_close(r->conn);
	else if (v == GOOD && scan_allowed(r, spec.cid) && snapshot_ready(r, &spec))
		open_scan(r, &spec);
	spec_free(&spec);
}
