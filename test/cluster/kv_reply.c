/*
 * kv_reply.c: answers on the wire: header, server duration, datatype, error bodies, by-reference values, and what
 * fault switches do to an answer.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core.h"

#define COPY_BELOW 256					/* values shorter than this are copied: cheaper than a reference */

int64_t
monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* BinaryProtocol.md, "Server Recv-Send duration": (2 us) ^ (1 / 1.74), saturating. */
uint16_t
encode_duration(int64_t us)
{
	double		e = pow((double) us * 2, 1.0 / 1.74);

	return e > 65535 ? 65535 : (uint16_t) lround(e);
}

static void
release_doc(const void *data, size_t len, void *arg)
{
	(void) data;
	(void) len;
	doc_unref(arg);
}

/* Datatype bits that this connection understands. */
static uint8_t
allowed_datatype(const Conn *c, uint8_t datatype)
{
	if (!conn_has(c, FEATURE_JSON))
		datatype &= (uint8_t) ~DT_JSON;
	if (!conn_has(c, FEATURE_SNAPPY))
		datatype &= (uint8_t) ~DT_SNAPPY;
	if (!conn_has(c, FEATURE_XATTR))
		datatype &= (uint8_t) ~DT_XATTR;
	return datatype;
}

/* Header, framing extras, extras and key of an answer; returns its length. */
static size_t
put_head(const Req *r, const Reply *rep, uint8_t *head)
{
	const Conn *c = r->conn;
	bool		flex = conn_has(c, FEATURE_TRACING);
	size_t		at = KV_HEADER;
	size_t		frames = flex ? 3 : 0;

	memset(head, 0, KV_HEADER);
	head[0] = flex ? MAGIC_RES_FLEX : MAGIC_RES;
	head[1] = r->opcode;
	if (flex)
	{
		head[2] = (uint8_t) frames;
		head[3] = (uint8_t) rep->key_len;
		head[at] = 0x02;		/* id 0, two bytes */
		put16(head + at + 1, encode_duration(monotonic_us() - r->start_us));
		at += frames;
	}
	else
		put16(head + 2, (uint16_t) rep->key_len);
	head[4] = (uint8_t) rep->ext_len;
	head[5] = allowed_datatype(c, rep->datatype);
	put16(head + 6, rep->status);
	put32(head + 8, (uint32_t) (frames + rep->ext_len + rep->key_len + rep->val_len));
	memcpy(head + 12, &r->opaque, 4);
	put64(head + 16, rep->cas);
	if (rep->ext_len > 0)
		memcpy(head + at, rep->ext, rep->ext_len);
	at += rep->ext_len;
	if (rep->key_len > 0)
		memcpy(head + at, rep->key, rep->key_len);
	return at + rep->key_len;
}

/* Spoils an answer as the fault of its request wants; false if nothing is left to send. */
static bool
apply_fault(Req *r, struct evbuffer *packet)
{
	const Fault *f = &r->fault;
	size_t		len = evbuffer_get_length(packet);
	uint8_t    *bytes;

	if (f->kind == FAULT_CLOSE_AFTER)
	{
		r->conn->closing = true;
		return false;
	}
	if (f->kind == FAULT_HANG_AFTER)
		r->conn->hung = true;
	if (f->kind == FAULT_TRUNCATE)
	{
		struct evbuffer *cut = evbuffer_new();

		evbuffer_remove_buffer(packet, cut, f->offset < len ? f->offset : len);
		evbuffer_add_buffer(r->conn->out, cut);
		evbuffer_free(cut);
		r->conn->closing = true;
		return false;
	}
	if (f->kind == FAULT_CORRUPT && f->offset < len)
	{
		bytes = xmalloc(len);
		evbuffer_remove(packet, bytes, len);
		bytes[f->offset] = (uint8_t) ~bytes[f->offset];
		evbuffer_add(packet, bytes, len);
		free(bytes);
	}
	return true;
}

void
reply_send(Req *r, const Reply *rep)
{
	Conn	   *c = r->conn;
	struct evbuffer *out;
	uint8_t		head[KV_HEADER + 3 + UINT8_MAX + UINT8_MAX];
	size_t		head_len;

	if (c->dead || c->closing)
		return;
	if (r->has_fault && r->fault.kind == FAULT_STATUS_AFTER && rep->status == KV_SUCCESS)
	{
		Reply		other = {.status = r->fault.status};

		r->has_fault = false;
		reply_send(r, &other);
		return;
	}
	out = r->has_fault ? evbuffer_new() : c->out;
	head_len = put_head(r, rep, head);
	evbuffer_add(out, head, head_len);
	if (rep->val_len > 0 && (rep->doc == NULL || rep->val_len < COPY_BELOW))
		evbuffer_add(out, rep->val, rep->val_len);
	else if (rep->val_len > 0)
		evbuffer_add_reference(out, rep->val, rep->val_len, release_doc, doc_ref(rep->doc));
	if (out == c->out)
		return;
	if (apply_fault(r, out))
		evbuffer_add_buffer(c->out, out);
	evbuffer_free(out);
}

void
reply_body(Req *r, uint16_t status, uint8_t datatype, const void *val, size_t len)
{
	Reply		rep = {.status = status, .datatype = datatype, .val = val, .val_len = len};

	reply_send(r, &rep);
}

void
reply_status(Req *r, uint16_t status)
{
	Reply		rep = {.status = status};

	if (status == KV_NOT_MY_VBUCKET)
		reply_not_my_vbucket(r);
	else if (status == KV_UNKNOWN_COLLECTION || status == KV_UNKNOWN_SCOPE)
		reply_unknown_collection(r, status);
	else
		reply_send(r, &rep);
}

/* ---------------------------------------------------------------- error bodies */

/* A JSON string of the text; bytes that are not printable ASCII become '?'. malloced. */
static char *
quoted(const char *text)
{
	char	   *out = xmalloc(2 * strlen(text) + 3);
	char	   *p = out;

	*p++ = '"';
	for (; *text != '\0'; text++)
	{
		if (*text == '"' || *text == '\\')
			*p++ = '\\';
		*p++ = (unsigned char) *text < 0x20 || (unsigned char) *text > 0x7e ? '?' : *text;
	}
	*p++ = '"';
	*p = '\0';
	return out;
}

static void
reply_context(Req *r, uint16_t status, const char *text)
{
	char	   *json = quoted(text);
	char	   *body = xasprintf("{\"error\":{\"context\":%s}}", json);

	reply_body(r, status, DT_JSON, body, strlen(body));
	free(body);
	free(json);
}

void
reply_error(Req *r, uint16_t status, const char *fmt,...)
{
	char	   *text = NULL;
	va_list		args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	reply_context(r, status, text);
	free(text);
}

bool
refuse(Req *r, const char *fmt,...)
{
	char	   *text = NULL;
	va_list		args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	reply_context(r, KV_EINVAL, text);
	free(text);
	return false;
}

void
reply_unknown_collection(Req *r, uint16_t status)
{
	Bucket	   *b = r->bucket != NULL ? r->bucket : r->conn->bucket;
	char	   *body = xasprintf("{\"error\":{\"context\":\"Unknown scope or collection in operation\"},"
								 "\"manifest_uid\":\"%llx\"}",
								 b != NULL ? (unsigned long long) b->manifest_uid : 0ULL);

	reply_body(r, status, DT_JSON, body, strlen(body));
	free(body);
}

void
reply_access_denied(Req *r, const char *privilege)
{
	char		ref[37];
	char	   *body;

	random_uuid(ref);
	body = xasprintf("{\"error\":{\"context\":\"Authorization failure: can't execute %s operation without the %s "
					 "privilege\",\"ref\":\"%s\"}}",
					 r->op->name, privilege, ref);
	reply_body(r, KV_EACCESS, DT_JSON, body, strlen(body));
	free(body);
}
