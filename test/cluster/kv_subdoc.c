/*
 * kv_subdoc.c: the subdocument commands: fetches the document, lets the specs work on it, stores
 * what a mutation made of it, and answers (kv_engine docs/SubDocument.md).
 */
#include <stdlib.h>
#include <string.h>

#include "subdoc.h"

static bool
refuse(SubdocRun *run, uint16_t status)
{
	reply_body(run->r, status, DT_RAW, NULL, 0);
	return false;
}

/* ---------------------------------------------------------------- fetching */

/*
 * The root of a document that is to be created: what the first path needs; none if only xattrs of a
 * deletion are made.
 */
static void
start_new(SubdocRun *run)
{
	Text		root = {0};

	run->deleted = (run->doc_flags & DOC_CREATE_AS_DELETED) != 0;
	run->facts.body = run->body = (Span) {"", 0};
	if (run->deleted)
		return;
	for (unsigned i = 0; i < run->n && root.s == NULL; i++)
	{
		const Spec *s = &run->spec[i];
		bool		array;

		if (s->rule->scope != SCOPE_JSON)
			continue;
		array = s->path.len > 0 ? s->path.at[0] == '[' :
			s->rule->code == EDIT_PUSH_LAST || s->rule->code == EDIT_PUSH_FIRST || s->rule->code == EDIT_ADD_UNIQUE;
		text_puts(&root, array ? "[]" : "{}");
	}
	if (root.s == NULL)
		return;
	run->body_text = root;
	run->body = run->facts.body = (Span) {root.s, root.len};
	run->body_json = true;
}

/* Takes xattrs and body out of the stored version. */
static bool
open_document(SubdocRun *run)
{
	Doc		   *d = run->old;
	const char *val;
	size_t		len;
	size_t		body;

	if (!doc_inflated(d, &val, &len, &run->inflated))
		return refuse(run, KV_EINTERNAL);
	body = xattr_body_offset(val, len, d->datatype);
	text_free(&run->xattrs);
	if (!xattr_to_json(val, body, &run->xattrs))
		return refuse(run, KV_EINTERNAL);
	run->body = (Span) {val + body, len - body};
	run->body_json = (d->datatype & DT_JSON) != 0;
	run->cas = d->cas;
	run->deleted = d->deleted;
	run->facts.doc = d;
	run->facts.body = run->body;
	run->facts.xattrs = (Span) {run->xattrs.s, run->xattrs.len};
	return true;
}

/* Locks and CAS of a document that is there. */
static bool
check_access(SubdocRun *run)
{
	Req		   *r = run->r;
	Doc		   *d = run->old;
	uint16_t	st = 0;

	if (!run->mutates && store_lock_of(r->vb, r->cid, r->key, r->key_len) != NULL)
		st = KV_LOCKED;
	else if (run->mutates)
		st = kv_may_write(r, d->deleted ? NULL : d, d->deleted ? 0 : r->cas);
	if (st == 0 && (!run->mutates || d->deleted) && r->cas != 0 && r->cas != d->cas)
		st = KV_KEY_EEXISTS;
	return st == 0 || refuse(run, st);
}

/* Look-ups may go to a replica: r->vb is set, or 07 answered. Mutations come with it. */
static bool
find_vbucket(SubdocRun *run)
{
	Req		   *r = run->r;
	VBucket    *vb = r->vbid < r->bucket->num_vbuckets ? &r->bucket->vb[r->vbid] : NULL;
	bool		replica = (run->doc_flags & DOC_REPLICA) != 0;

	if (r->vb != NULL)
		return true;
	for (int i = 0; vb != NULL && i <= CB_MAX_REPLICAS; i++)
		if (vb->nodes[i] == r->node->index && (i > 0) == replica)
		{
			r->vb = vb;
			return true;
		}
	reply_status(r, KV_NOT_MY_VBUCKET);
	return false;
}

/* Finds the document, or makes ready to create it; false when an answer was given instead. */
static bool
fetch(SubdocRun *run)
{
	Req		   *r = run->r;
	bool		deleted_too = (run->doc_flags & DOC_ACCESS_DELETED) != 0;
	Doc		   *d = deleted_too ? store_find_any(r->vb, r->cid, r->key, r->key_len) :
		store_find(r->vb, r->cid, r->key, r->key_len);
	uint16_t	st;

	run->facts.r = r;
	run->facts.system_xattrs = (r->privileges & PRIV_SYS_XATTR_READ) != 0;
	text_puts(&run->xattrs, "{}");
	if (d != NULL)
	{
		run->old = doc_ref(d);
		if (run->mutates && (run->doc_flags & DOC_ADD) != 0)
			return refuse(run, KV_KEY_EEXISTS);
		if (!check_access(run) || !open_document(run))
			return false;
		run->revive = (run->doc_flags & DOC_REVIVE) != 0;
		if (run->revive && !run->deleted)
			return refuse(run, KV_SUBDOC_CAN_ONLY_REVIVE_DELETED);
		return true;
	}
	if (!run->mutates || (run->doc_flags & (DOC_ADD | DOC_MKDOC)) == 0)
		return refuse(run, KV_KEY_ENOENT);
	st = kv_may_write(r, NULL, 0);
	if (st != 0)
		return refuse(run, st);
	start_new(run);
	return true;
}

/* ---------------------------------------------------------------- storing */

/* The xattr section of the new version; false after an answer or the end of the connection. */
static bool
make_xattrs(SubdocRun *run, Text *section)
{
	Span		object = {run->xattrs.s, run->xattrs.len};

	if (xattr_from_json(object, run->delete_doc, section))
		return true;
	conn_close(run->r->conn);	/* the data service's worker fails on xattrs that are no JSON */
	return false;
}

static void
make_values(const SubdocRun *run, Text *out)
{
	for (unsigned i = 0; i < run->n; i++)
	{
		const Spec *s = &run->spec[i];
		char		header[7] = {(char) i};

		if (!s->rule->returns || s->result.len == 0)
			continue;
		put32(header + 3, (uint32_t) s->result.len);
		text_add(out, header, sizeof(header));
		text_add(out, s->result.at, s->result.len);
	}
}

static void
commit(SubdocRun *run, const Text *section)
{
	Req		   *r = run->r;
	Doc		   *d = doc_new(r->cid, r->key, r->key_len, section->len + run->body.len);
	Text		values = {0};

	if (section->len > 0)
		memcpy(doc_value(d), section->s, section->len);
	if (run->body.len > 0)
		memcpy(doc_value(d) + section->len, run->body.at, run->body.len);
	d->datatype = section->len > 0 ? DT_XATTR : DT_RAW;
	if (run->body_json && run->body.len > 0)
		d->datatype |= DT_JSON;
	d->flags = run->old != NULL ? run->old->flags : 0;
	d->deleted = run->delete_doc || (run->deleted && !run->revive);
	d->expiry = kv_expiry(r, run->expiry, run->old);
	d->macros = run->macros;
	if (run->deleted && !run->revive)
		r->ok_status = KV_SUBDOC_SUCCESS_DELETED;
	if (run->multi)
	{
		make_values(run, &values);
		kv_commit(r, d, DT_RAW, values.s, values.len);
	}
	else
	{
		const Spec *s = &run->spec[0];

		kv_commit(r, d, s->rule->returns ? DT_JSON : DT_RAW, s->result.at, s->result.len);
	}
	text_free(&values);
}

static void
store(SubdocRun *run)
{
	Text		section = {0};

	if (run->deleted && !run->revive && run->body.len > 0)
		reply_error(run->r, KV_SUBDOC_DELETED_CANT_HAVE_VALUE, "A deleted document can't have a value");
	else if (make_xattrs(run, &section))
	{
		if (section.len + run->body.len > CB_MAX_VALUE)
			refuse(run, KV_E2BIG);
		else
			commit(run, &section);
	}
	text_free(&section);
}

/* ---------------------------------------------------------------- answering */

static void
answer_lookup(SubdocRun *run)
{
	Spec	   *s = &run->spec[0];
	Reply		rep = {0};

	if (run->status != 0)
	{
		refuse(run, run->status);
		return;
	}
	rep.status = run->deleted ? KV_SUBDOC_SUCCESS_DELETED : 0;
	rep.cas = run->cas;
	if (s->rule->returns)
	{
		rep.datatype = (s->flags & PATH_BINARY) != 0 ? DT_RAW : DT_JSON;
		rep.val = s->result.at;
		rep.val_len = s->result.len;
		if (run->inflated == NULL && (s->flags & PATH_XATTR) == 0 && s->owned.s == NULL)
			rep.doc = run->old;
	}
	reply_send(run->r, &rep);
}

/* Each spec: status (2), length (4), value. */
static void
answer_multi_lookup(SubdocRun *run)
{
	Text		out = {0};
	Reply		rep = {0};

	for (unsigned i = 0; i < run->n; i++)
	{
		const Spec *s = &run->spec[i];
		size_t		len = s->rule->returns ? s->result.len : 0;
		char		header[6];

		put16(header, s->status);
		put32(header + 2, (uint32_t) len);
		text_add(&out, header, sizeof(header));
		text_add(&out, s->result.at, len);
	}
	rep.status = run->status;
	if (run->deleted)
		rep.status = run->status == 0 ? KV_SUBDOC_SUCCESS_DELETED : KV_SUBDOC_MULTI_FAILURE_DELETED;
	rep.cas = run->cas;
	rep.val = out.s;
	rep.val_len = out.len;
	reply_send(run->r, &rep);
	text_free(&out);
}

/* The first spec that failed: index (1), status (2). */
static void
answer_failed_mutation(SubdocRun *run)
{
	char		value[3] = {0};

	if (!run->multi)
	{
		refuse(run, run->status);
		return;
	}
	for (unsigned i = 0; i < run->n; i++)
		if (run->spec[i].status != 0)
		{
			value[0] = (char) i;
			put16(value + 1, run->spec[i].status);
			break;
		}
	reply_body(run->r, run->status, DT_RAW, value, sizeof(value));
}

void
subdoc_run(SubdocRun *run)
{
	run->mutates = run->spec[0].rule->mutates;
	if (find_vbucket(run) && fetch(run))
	{
		subdoc_execute(run);
		if (run->mutates && run->status == 0)
			store(run);
		else if (run->mutates)
			answer_failed_mutation(run);
		else if (run->multi)
			answer_multi_lookup(run);
		else
			answer_lookup(run);
	}
	for (unsigned i = 0; i < run->n; i++)
		text_free(&run->spec[i].owned);
	text_free(&run->body_text);
	text_free(&run->xattrs);
	free(run->inflated);
	if (run->old != NULL)
		doc_unref(run->old);
}

void
kv_subdoc(Req *r)
{
	SubdocRun	run = {.r = r};

	run.n = subdoc_parse_single(r, run.spec, &run.doc_flags, &run.expiry);
	subdoc_run(&run);
}

void
kv_subdoc_multi(Req *r)
{
	SubdocRun	run = {.r = r, .multi = true};

	run.n = subdoc_parse_multi(r, run.spec, &run.doc_flags, &run.expiry);
	subdoc_run(&run);
}
