/*
 * kv_frames.c: framing extras of requests (BinaryProtocol.md, "Request header with flexible framing extras").
 */
#include <string.h>

#include "core.h"

#define MAX_LEVEL 3

static bool
frame_durability(Req *r, const uint8_t *val, size_t len)
{
	if (!(r->op->rules & OP_DURABLE))
	{
		/* Measured: touching commands say "not supported", the rest "invalid". */
		reply_status(r, r->opcode == 0x1c || r->opcode == 0x1d || r->opcode == 0x1e ? KV_NOT_SUPPORTED : KV_EINVAL);
		return false;
	}
	if (len != 1 && len != 3)
		return refuse(r, "Invalid encoding in FrameExtras");
	if (val[0] < 1 || val[0] > MAX_LEVEL)
	{
		reply_status(r, KV_DURABILITY_INVALID_LEVEL);
		return false;
	}
	r->has_durability = true;
	r->durability = val[0];
	r->durability_ms = 0;
	if (len == 3)
	{
		r->durability_ms = get16(val + 1);
		if (r->durability_ms == 0 || r->durability_ms == UINT16_MAX)
		{
			reply_status(r, KV_DURABILITY_INVALID_LEVEL);
			return false;
		}
	}
	return true;
}

/* Impersonation: the privileges become those of another user; needs the right to do that. */
static bool
frame_impersonate(Req *r, const uint8_t *val, size_t len)
{
	Conn	   *c = r->conn;
	User	   *u;

	if (len == 0)
		return refuse(r, "Invalid encoding in FrameExtras");
	if (!(user_privileges(c->user, NULL, NULL) & PRIV_NODE_ADMIN))
	{
		reply_access_denied(r, "Impersonate");
		return false;
	}
	if (val[0] == '^')
	{
		reply_status(r, KV_NOT_SUPPORTED);
		return false;
	}
	u = user_find(c->node->cluster, (const char *) val, len);
	if (u == NULL)
	{
		reply_status(r, KV_EACCESS);
		return false;
	}
	r->user = u;
	return true;
}

static bool
one_frame(Req *r, unsigned id, const uint8_t *val, size_t len)
{
	switch (id)
	{
		case FRAME_BARRIER:
			if (len != 0)
				return refuse(r, "Invalid encoding in FrameExtras");
			return true;
		case FRAME_DURABILITY:
			return frame_durability(r, val, len);
		case FRAME_IMPERSONATE:
			return frame_impersonate(r, val, len);
		case FRAME_PRESERVE_EXPIRY:
			if (len != 0)
				return refuse(r, "Invalid encoding in FrameExtras");
			if (!(r->op->rules & OP_PRESERVE))
			{
				reply_error(r, KV_NOT_SUPPORTED, "This command does not support PreserveTtl");
				return false;
			}
			r->preserve_expiry = true;
			return true;
		case FRAME_EXTRA_PRIVILEGE:
			r->extra_privileges |= privilege_by_name((const char *) val, len);
			return true;
		default:
			reply_status(r, 0x80);
			return false;
	}
}

/* Walks the framing extras; answers and returns false to refuse the request. */
bool
kv_frames(Req *r)
{
	size_t		at = 0;

	r->user = r->conn->user;
	while (at < r->frames_len)
	{
		unsigned	id = r->frames[at] >> 4;
		size_t		len = r->frames[at] & 15;

		at++;
		if (id == 15)
		{
			if (at >= r->frames_len)
				return refuse(r, "Invalid encoding in FrameExtras");
			id += r->frames[at++];
		}
		if (len == 15)
		{
			if (at >= r->frames_len)
				return refuse(r, "Invalid encoding in FrameExtras");
			len += r->frames[at++];
		}
		if (len > r->frames_len - at)
			return refuse(r, "Invalid encoding in FrameExtras");
		if (!one_frame(r, id, r->frames + at, len))
			return false;
		at += len;
	}
	return true;
}
