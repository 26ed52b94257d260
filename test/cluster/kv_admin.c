/*
 * kv_admin.c: administration over the data port that this server knows of and does not do, and the opening of a DCP
 * connection. Streams do not exist here: a stream request is answered "not supported".
 */
#include <string.h>

#include "core.h"
#include "handlers.h"

#define DCP_KNOWN_FLAGS 0x1ff
#define CTRL_TOKEN 0xdeadbeef

void
kv_unit_tests_only(Req *r)
{
	reply_error(r, KV_NOT_SUPPORTED, "Only available for unit tests");
}

/* Commands whose effect is nothing here: refreshing the password file, verbosity of a log. */
void
kv_accept(Req *r)
{
	reply_status(r, KV_SUCCESS);
}

void
kv_ctrl_token(Req *r)
{
	Reply		rep = {.status = KV_SUCCESS, .cas = CTRL_TOKEN};

	reply_send(r, &rep);
}

void
kv_set_param(Req *r)
{
	refuse(r, "Unknown config param %.*s", (int) r->raw_key_len, (const char *) r->raw_key);
}

/* Buckets are created over HTTP; here there is no bucket type to choose. */
void
kv_create_bucket(Req *r)
{
	refuse(r, "Unknown bucket type");
}

void
kv_delete_bucket(Req *r)
{
	Bucket	   *b = bucket_find(r->node->cluster, (const char *) r->raw_key, r->raw_key_len);

	reply_status(r, b == NULL ? KV_EINVAL : KV_NOT_SUPPORTED);
}

void
kv_ioctl(Req *r)
{
	reply_status(r, KV_EINVAL);
}

bool
kv_dcp_open_validate(Req *r)
{
	if (conn_has(r->conn, FEATURE_UNORDERED))
	{
		reply_error(r, KV_NOT_SUPPORTED, "DCP on connections with unordered execution is not supported");
		return false;
	}
	if (get32(r->ext + 4) & ~DCP_KNOWN_FLAGS)
		return refuse(r, "Request contains invalid flags");
	return true;
}

void
kv_dcp_open(Req *r)
{
	r->conn->dcp = true;
	reply_status(r, KV_SUCCESS);
}

bool
kv_dcp_validate(Req *r)
{
	return r->conn->dcp || refuse(r, "The command can only be sent on a DCP connection");
}

void
kv_dcp_stream(Req *r)
{
	reply_status(r, KV_NOT_SUPPORTED);
}
