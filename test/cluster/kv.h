/*
 * kv.h: connections of the data port, requests, answers, and what handlers call.
 */
#ifndef KV_H
#define KV_H

#include <event2/buffer.h>
#include <event2/event.h>

#include "cluster.h"

/* ------------------------------------------------------- connections and requests (kv_conn.c, kv_dispatch.c) */

/* One bit per HELLO feature. */
#define FEATURE(f) (UINT64_C(1) << (f))
#define conn_has(c, f) (((c)->features & FEATURE(f)) != 0)

struct Conn
{
	Conn	   *next;				/* in node->conns */
	Conn	  **prev;
	Node	   *node;
	int			fd;
	struct event *ev_read;
	struct event *ev_write;
	struct event *ev_delay;
	uint8_t    *in;					/* received, not worked on: in[in_pos .. in_used) */
	size_t		in_pos;
	size_t		in_used;
	size_t		in_size;
	struct evbuffer *out;
	struct ssl_st *ssl;				/* NULL: in clear */
	struct evbuffer *wire;			/* with TLS: encrypted, for the socket */
	bool		by_certificate;		/* user is whom the client certificate names: no SASL */
	bool		muted;				/* nothing more is sent */
	bool		hung;				/* nothing more is answered */
	bool		has_wire_fault;
	WireFault	wire_fault;
	uint64_t	wire_sent;			/* bytes given to the socket */
	bool		secured;			/* the first TLS handshake is over */
	bool		ended;				/* TLS is over: nothing more can be read */
	bool		spoke_last;			/* nothing has come since something was sent */
	uint64_t	bytes_received;
	uint64_t	features;
	User	   *user;				/* NULL: not authenticated */
	Bucket	   *bucket;				/* selected, or NULL */
	void	   *sasl;				/* exchange under way */
	char		agent[251];			/* of HELLO, terminated */
	char		peer[64];
	bool		closing;			/* close once the output is written */
	bool		dead;				/* freed as soon as nothing uses it (busy == 0) */
	bool		dcp;				/* opened as a DCP producer */
	bool		stalled;			/* output too long: reads on when it has drained */
	unsigned	busy;				/* depth of calls that use the connection */
	unsigned	kept;				/* requests not yet answered */
	unsigned	kept_ordered;		/* those that nothing may overtake */
	Req		   *kept_list;
	Req		   *draining;			/* kept requests that wait for room in the output */
	int64_t		seen_epoch;			/* configuration last sent, for de-duplication */
	int64_t		seen_rev;
	Bucket	   *seen_bucket;
	size_t		delay_bytes;		/* input that has already waited for the node's delay */
	bool		fault_passed;		/* the next request has already waited for its FAULT_DELAY */
};

typedef struct OpSpec OpSpec;
typedef void (*ReqFn) (Req *r);

/*
 * One request. The pointers lie in the input buffer until the handler returns, unless req_keep() copied it.
 * key is the logical key: without the collection prefix; raw_key is as it came.
 */
struct Req
{
	Conn	   *conn;
	Node	   *node;
	Bucket	   *bucket;				/* NULL when the operation needs none */
	VBucket    *vb;					/* NULL when the operation has no vBucket check */
	Collection *collection;			/* NULL when the operation has no collection key */
	const OpSpec *op;
	uint8_t		magic;
	uint8_t		opcode;
	uint8_t		datatype;
	uint16_t	vbid;
	uint32_t	opaque;				/* as on the wire, copied verbatim */
	uint64_t	cas;
	const uint8_t *packet;
	size_t		packet_len;
	const uint8_t *frames, *ext, *raw_key, *key, *val;
	size_t		frames_len, ext_len, raw_key_len, key_len, val_len;
	uint32_t	cid;
	int64_t		start_us;
	const uint8_t *wire_val;			/* the value as it came, compressed or not */
	size_t		wire_val_len;
	uint8_t    *inflated;			/* value inflated for OP_INFLATE, freed with the request */

	/* framing extras */
	bool		preserve_expiry;
	bool		has_durability;
	uint8_t		durability;			/* 1..3 */
	uint16_t	durability_ms;		/* 0: default */
	User	   *user;				/* whose privileges count: the connection's or the impersonated one */
	uint32_t	extra_privileges;	/* of a privilege frame */
	uint32_t	privileges;			/* of user on the bucket and collection, extra ones included */
	uint16_t	ok_status;			/* status of the answer of a successful kv_commit(): 0 unless the handler sets it */

	bool		has_fault;
	Fault		fault;				/* applies to the answer */

	/* kept requests only */
	bool		kept;
	bool		ordered;			/* nothing may overtake it */
	Req		   *kept_next;
	Req		  **kept_prev;
	Req		   *drain_next;
	ReqFn		on_drain;
	ReqFn		on_cancel;			/* the connection goes away: release arg, do not answer */
	void	   *arg;				/* the handler's own */
};

/* What is checked before a handler runs, in the server's order; see kv_dispatch.c. */
enum
{
	OP_KEY = 1 << 0,				/* key required */
	OP_NO_KEY = 1 << 1,				/* key must be empty; neither: any */
	OP_VAL = 1 << 2,				/* value required */
	OP_NO_VAL = 1 << 3,
	OP_CAS = 1 << 4,				/* CAS may be other than 0 */
	OP_DT_JSON = 1 << 5,			/* datatype bits that may be set */
	OP_DT_SNAPPY = 1 << 6,
	OP_DT_XATTR = 1 << 7,
	OP_PREAUTH = 1 << 8,			/* allowed before authentication */
	OP_BUCKET = 1 << 9,				/* needs a selected bucket */
	OP_VB = 1 << 10,				/* vBucket must be active here: r->vb is set, else 07 */
	OP_CKEY = 1 << 11,				/* key carries a collection prefix: r->cid, r->collection, r->key are set */
	OP_VB0 = 1 << 12,				/* vBucket field must be 0 */
	OP_DURABLE = 1 << 13,			/* durability frame allowed */
	OP_PRESERVE = 1 << 14,			/* preserve-expiry frame allowed */
	OP_QUIET = 1 << 15,				/* no answer on success (writes) or on a miss (reads): the handler's business */
	OP_NO_REORDER = 1 << 16,		/* never overtakes or is overtaken on an unordered connection */
	OP_INFLATE = 1 << 17			/* the value reaches the handler inflated */
};

#define EXT(n) (UINT64_C(1) << (n))	/* extras of n bytes are legal (n < 64) */
#define EXT_ANY UINT64_MAX

struct OpSpec
{
	uint8_t		opcode;
	const char *name;
	uint32_t	rules;				/* OP_* */
	uint64_t	extras;				/* EXT(n) | ... */
	uint32_t	privileges;			/* all of these are needed on the collection (or bucket) */
	ReqFn		handler;

	/* After the general checks, before vBucket and collection: answers and returns false to refuse. */
	bool		(*validate) (Req *r);
};

const OpSpec *op_find(uint8_t opcode);	/* NULL: unknown. The table stands in kv_optable.c: add your rows there. */

/* ---- answers: each completes a request that is not kept; a kept one ends with req_done() */

/* Bare status, or with the standard text of that status if it has one. Answers 07 with the config. */
void		reply_status(Req *r, uint16_t status);

/* Status with {"error":{"context":"..."}}. */
void		reply_error(Req *r, uint16_t status, const char *fmt,...) __attribute__((format(printf, 3, 4)));

/* Status with this body, verbatim. */
void		reply_body(Req *r, uint16_t status, uint8_t datatype, const void *val, size_t len);

/* Everything. Server duration is added when negotiated; datatype bits that were not negotiated are taken out. */
typedef struct Reply
{
	uint16_t	status;
	uint8_t		datatype;
	uint64_t	cas;
	const void *ext;
	size_t		ext_len;
	const void *key;
	size_t		key_len;
	const void *val;				/* copied */
	size_t		val_len;
	Doc		   *doc;				/* if set: val lies inside this document and is sent by reference, not copied */
} Reply;
void		reply_send(Req *r, const Reply *rep);

/* Unknown scope/collection with the manifest uid in the body. */
void		reply_unknown_collection(Req *r, uint16_t status);

/* Closes the connection without an answer; later requests of the same read are not worked on. */
void		conn_close(Conn *c);

/* ---- requests that are answered later */

/*
 * Copies the request to the heap so that it outlives the handler, which then returns without answering.
 * on_cancel is called (once, instead of anything else) when the connection dies first; the Req is freed after it.
 */
Req		   *req_keep(Req *r, ReqFn on_cancel, void *arg);

/* Ends a kept request after its answers: frees it and lets the connection go on. */
void		req_done(Req *r);

/* Bytes not yet written to the socket, and a call (from the loop) once few are left: back-pressure for streams. */
size_t		conn_backlog(const Conn *c);
void		req_on_drain(Req *r, ReqFn fn);

/* ---------------------------------------------------------------- writing documents (kv_write.c) */

/*
 * May this document be written now with this CAS? 0, KV_LOCKED, KV_SYNC_WRITE_IN_PROGRESS, KV_KEY_EEXISTS (other CAS),
 * KV_KEY_ENOENT (CAS given, no document). old is the live version or NULL.
 */
uint16_t	kv_may_write(Req *r, const Doc *old, uint64_t cas);

/*
 * Expiry as a request gives it (relative, absolute, 0) made absolute, limited by the collection's maximum;
 * with preserve_expiry and old the one of old.
 */
uint32_t	kv_expiry(const Req *r, uint32_t wire, const Doc *old);

/*
 * Stores d (ownership taken) and answers: status 0, its CAS, the mutation token if negotiated, this value. With a
 * durability frame the document is visible and the answer sent when the replicas have it, or the answer says why not.
 * A tombstone (d->deleted) deletes. Quiet opcodes (OP_QUIET) get no answer. Removes any lock.
 */
void		kv_commit(Req *r, Doc *d, uint8_t datatype, const void *val, size_t val_len);

/*
 * The value of a stored document, inflated if needed: *buf is malloced when that was necessary (else NULL) and
 * must be freed. Xattr section still in front if DT_XATTR.
 */
bool		doc_inflated(const Doc *d, const char **val, size_t *len, char **buf);

/* Where the body starts behind the xattr section of an inflated value (0 without DT_XATTR); len if malformed. */
size_t		xattr_body_offset(const char *val, size_t len, uint8_t datatype);

/*
 * GET of a plain connection: the value without xattrs and with the datatype bits and compression this connection
 * understands. Fills datatype, val, val_len, doc of rep; *buf must be freed after reply_send().
 */
void		kv_present(const Req *r, Doc *d, Reply *rep, char **buf);

/* ---------------------------------------------------------------- handlers of other files, for the table */

void		kv_subdoc(Req *r);			/* c5..d1 except the multi ones: kv_subdoc*.c */
bool		kv_subdoc_validate(Req *r);
void		kv_subdoc_multi(Req *r);	/* d0, d1 */
bool		kv_subdoc_multi_validate(Req *r);
unsigned	scans_open(const Node *n);		/* range scans that nobody has ended */
void		kv_scan_create(Req *r);		/* da, db, dc: kv_rangescan*.c */
bool		kv_scan_create_validate(Req *r);
void		kv_scan_continue(Req *r);
bool		kv_scan_continue_validate(Req *r);
void		kv_scan_cancel(Req *r);
bool		kv_scan_cancel_validate(Req *r);
void		kv_scan_vbucket_gone(VBucket *vb);	/* the vBucket moved or its bucket is dropped: its scans end */
void		xattr_expand_macros(Doc *d);	/* xattr.c: the placeholders of CAS and seqno become their values */

#endif
