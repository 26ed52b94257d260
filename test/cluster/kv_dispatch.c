/*
 * kv_dispatch.c: a packet becomes a request: parts, checks in the server's order, privileges, bucket, collection,
 * vBucket, then the handler of its opcode.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snappy-c.h>

#include "core.h"

#define KNOWN_DATATYPES (DT_JSON | DT_SNAPPY | DT_XATTR)

static void
cut(Req *r, Conn *c, const uint8_t *p, size_t len)
{
	size_t		key_len;

	memset(r, 0, sizeof(*r));
	r->conn = c;
	r->node = c->node;
	r->start_us = monotonic_us();
	r->magic = p[0];
	r->opcode = p[1];
	r->datatype = p[5];
	r->vbid = get16(p + 6);
	memcpy(&r->opaque, p + 12, 4);
	r->cas = get64(p + 16);
	r->packet = p;
	r->packet_len = len;
	r->frames_len = p[0] == MAGIC_REQ_FLEX ? p[2] : 0;
	key_len = p[0] == MAGIC_REQ_FLEX ? p[3] : get16(p + 2);
	r->frames = p + KV_HEADER;
	r->ext = r->frames + r->frames_len;
	r->ext_len = p[4];
	r->key = r->raw_key = r->ext + r->ext_len;
	r->key_len = r->raw_key_len = key_len;
	r->val = r->wire_val = r->raw_key + key_len;
	r->val_len = r->wire_val_len = len - (size_t) (r->val - p);
}

/* ---------------------------------------------------------------- checks */

static bool
check_extras(Req *r)
{
	uint64_t	allowed = r->op->extras;
	char		text[64] = "";

	if (allowed == EXT_ANY || (r->ext_len < 64 && (allowed & EXT(r->ext_len))))
		return true;
	if (allowed == EXT(0))
		return refuse(r, "Request must not include extras");
	if ((allowed & (allowed - 1)) == 0)
		return refuse(r, "Request must include extras of length %d", __builtin_ctzll(allowed));
	for (uint64_t left = allowed; left != 0; left &= left - 1)
	{
		size_t		at = strlen(text);

		snprintf(text + at, sizeof(text) - at, "%s%d", at ? " or " : "", __builtin_ctzll(left));
	}
	return refuse(r, "Request extras must be of length %s", text);
}

static bool
check_parts(Req *r)
{
	uint32_t	rules = r->op->rules;

	if (r->datatype & ~KNOWN_DATATYPES)
		return refuse(r, "Request datatype invalid");
	if (!check_extras(r))
		return false;
	if ((rules & OP_KEY) && r->raw_key_len == 0)
		return refuse(r, "Request must include key");
	if ((rules & OP_NO_KEY) && r->raw_key_len > 0)
		return refuse(r, "Request must not include key");
	if ((rules & OP_VAL) && r->val_len == 0)
		return refuse(r, "Request must include value");
	if ((rules & OP_NO_VAL) && r->val_len > 0)
		return refuse(r, "Request must not include value");
	if (!(rules & OP_CAS) && r->cas != 0)
		return refuse(r, "Request CAS must not be set");
	if ((rules & OP_VB0) && r->vbid != 0)
		return refuse(r, "Request vbucket id must be 0");
	return true;
}

/* Replaces a compressed value by its text. */
static bool
inflate(Req *r)
{
	size_t		len;

	if (snappy_uncompressed_length((const char *) r->val, r->val_len, &len) != SNAPPY_OK)
		return refuse(r, "Failed to inflate payload");
	if (len > CB_MAX_PACKET)
		return refuse(r, "Inflated data is too big");
	r->inflated = xmalloc(len);
	if (snappy_uncompress((const char *) r->wire_val, r->wire_val_len, (char *) r->inflated, &len) != SNAPPY_OK)
		return refuse(r, "Failed to inflate payload");
	r->val = r->inflated;
	r->val_len = len;
	return true;
}

static bool
check_datatype(Req *r)
{
	uint32_t	rules = r->op->rules;
	uint8_t		dt = r->datatype;

	if (((dt & DT_JSON) && !(rules & OP_DT_JSON)) || ((dt & DT_SNAPPY) && !(rules & OP_DT_SNAPPY)) ||
		((dt & DT_XATTR) && !(rules & OP_DT_XATTR)))
		return refuse(r, "Request datatype invalid");
	if ((dt & DT_JSON) && !conn_has(r->conn, FEATURE_JSON))
		return refuse(r, "Datatype (json) not enabled for the connection");
	if ((dt & DT_SNAPPY) && !conn_has(r->conn, FEATURE_SNAPPY))
		return refuse(r, "Datatype (snappy) not enabled for the connection");
	if ((dt & DT_XATTR) && !conn_has(r->conn, FEATURE_XATTR))
		return refuse(r, "Datatype (xattr) not enabled for the connection");
	return !(dt & DT_SNAPPY) || !(rules & OP_INFLATE) || inflate(r);
}

static bool
check_privileges(Req *r)
{
	uint32_t	missing;

	r->privileges = user_privileges(r->user, r->bucket, r->collection) | r->extra_privileges;
	missing = r->op->privileges & ~r->privileges;
	if (missing == 0)
		return true;
	reply_access_denied(r, privilege_name(missing & -missing));
	return false;
}

static bool
check_place(Req *r)
{
	uint32_t	rules = r->op->rules;

	if (rules & OP_BUCKET)
	{
		r->bucket = r->conn->bucket;
		if (r->bucket == NULL)
		{
			reply_status(r, KV_NO_BUCKET);
			return false;
		}
		if (r->bucket->state[r->node->index] == BUCKET_WARMING)
		{
			reply_status(r, KV_ETMPFAIL);
			return false;
		}
		if (r->bucket->config_only || r->bucket->state[r->node->index] == BUCKET_CONFIG_ONLY)
		{
			reply_status(r, KV_ECONFIG_ONLY);
			return false;
		}
	}
	if (rules & OP_CKEY)
	{
		r->collection = collection_by_id(r->bucket, r->cid);
		if (r->collection == NULL)
		{
			reply_unknown_collection(r, KV_UNKNOWN_COLLECTION);
			return false;
		}
	}
	if (!check_privileges(r))
		return false;
	if (rules & OP_VB)
	{
		if (r->vbid >= r->bucket->num_vbuckets || r->bucket->vb[r->vbid].nodes[0] != r->node->index ||
			r->bucket->state[r->node->index] == BUCKET_EMPTY_MAP)
		{
			reply_not_my_vbucket(r);
			return false;
		}
		r->vb = &r->bucket->vb[r->vbid];
	}
	return true;
}

/* ---------------------------------------------------------------- dispatch */

static bool
early_fault(Req *r, const Fault *fault)
{
	switch (fault->kind)
	{
		case FAULT_STATUS:
			reply_status(r, fault->status);
			return true;
		case FAULT_CLOSE:
			conn_close(r->conn);
			return true;
		case FAULT_HANG:
			r->conn->hung = true;
			return true;
		case FAULT_SILENT:
			return true;
		default:
			r->has_fault = true;
			r->fault = *fault;
			return false;
	}
}

void
kv_dispatch(Conn *c, const uint8_t *packet, size_t len, Fault *fault)
{
	Req			r;

	cut(&r, c, packet, len);
	if (fault != NULL && early_fault(&r, fault))
		return;
	r.op = op_find(r.opcode);
	if (c->user == NULL && (r.op == NULL || !(r.op->rules & OP_PREAUTH)))
		reply_status(&r, KV_EACCESS);
	else if (r.op == NULL)
		reply_status(&r, KV_UNKNOWN_COMMAND);
	else if (r.op->handler == NULL)
		reply_status(&r, KV_NOT_SUPPORTED);
	else if (check_parts(&r) && check_datatype(&r) && kv_frames(&r) &&
			 (!(r.op->rules & OP_CKEY) || kv_collection_key(&r)) && (r.op->validate == NULL || r.op->validate(&r)) && check_place(&r))
		r.op->handler(&r);
	free(r.inflated);
}

/* May this packet overtake and be overtaken on an unordered connection? BinaryProtocol.md, feature 0x0e. */
bool
kv_reorderable(const Conn *c, const uint8_t *packet, size_t len)
{
	const OpSpec *op = op_find(packet[1]);
	size_t		at = KV_HEADER;
	size_t		end = KV_HEADER + packet[2];

	if (!conn_has(c, FEATURE_UNORDERED) || op == NULL || (op->rules & OP_NO_REORDER))
		return false;
	if (packet[0] != MAGIC_REQ_FLEX)
		return true;
	while (at < end && at < len)
	{
		unsigned	id = packet[at] >> 4;
		size_t		n = packet[at] & 15;

		if (id == FRAME_BARRIER)
			return false;
		at++;
		if (id == 15)
			at++;
		if (n == 15 && at < end)
			n += packet[at++];
		at += n;
	}
	return true;
}
