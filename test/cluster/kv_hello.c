/*
 * kv_hello.c: HELLO, the error map, NOOP, VERSION, QUIT (BinaryProtocol.md, ErrorMap.md).
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "errmap.h"
#include "handlers.h"

#define MAX_AGENT 250
#define LAST_FEATURE 0x21

/* Features this server knows: TLS, the invalid number 09 and unit usage are never switched on. */
static bool
known_feature(uint16_t f)
{
	return f >= FEATURE_TCP_NODELAY && f <= LAST_FEATURE && f != 0x09 && f != FEATURE_UNIT_USAGE;
}

bool
kv_hello_validate(Req *r)
{
	uint64_t	wanted = 0;

	if (r->raw_key_len > MAX_AGENT)
		return refuse(r, "Key length exceeds %d", MAX_AGENT);
	if (r->val_len % 2 != 0)
		return refuse(r, "Request value must be of even length");
	for (size_t i = 0; i < r->val_len; i += 2)
	{
		uint16_t	f = get16(r->val + i);

		if (known_feature(f))
			wanted |= FEATURE(f);
	}
	if ((wanted & FEATURE(FEATURE_TCP_NODELAY)) && (wanted & FEATURE(FEATURE_TCP_DELAY)))
		return refuse(r, "TCPNODELAY cannot co-exist with TCPDELAY");
	if ((wanted & (FEATURE(FEATURE_CONFIG_NOTIFICATION) | FEATURE(FEATURE_CONFIG_NOTIFICATION_BRIEF))) &&
		!(wanted & FEATURE(FEATURE_DUPLEX)))
		return refuse(r, "ClustermapChangeNotification needs Duplex");
	if ((wanted & FEATURE(FEATURE_VATTR)) && !(wanted & FEATURE(FEATURE_XATTR)))
		return refuse(r, "VAttr needs XAttr");
	return true;
}

void
kv_hello(Req *r)
{
	Conn	   *c = r->conn;
	uint8_t		answer[2 * (LAST_FEATURE + 1)];
	size_t		n = 0;
	uint64_t	features = 0;

	for (size_t i = 0; i < r->val_len; i += 2)
	{
		if (known_feature(get16(r->val + i)))
			features |= FEATURE(get16(r->val + i));
	}
	features &= ~r->node->withheld;
	if (features & FEATURE(FEATURE_CONFIG_NOTIFICATION_BRIEF))
		features &= ~FEATURE(FEATURE_CONFIG_NOTIFICATION);
	for (uint16_t f = 0; f <= LAST_FEATURE; f++)
	{
		if (features & FEATURE(f))
		{
			put16(answer + n, f);
			n += 2;
		}
	}
	c->features = features;
	memcpy(c->agent, r->raw_key, r->raw_key_len);
	c->agent[r->raw_key_len] = '\0';
	reply_body(r, KV_SUCCESS, DT_RAW, answer, n);
}

void
kv_noop(Req *r)
{
	reply_status(r, KV_SUCCESS);
}

void
kv_version(Req *r)
{
	const char *version = r->node->cluster->version;

	reply_body(r, KV_SUCCESS, DT_RAW, version, strlen(version));
}

void
kv_quit(Req *r)
{
	if (!(r->op->rules & OP_QUIET))
		reply_status(r, KV_SUCCESS);
	r->conn->closing = true;
}

bool
kv_error_map_validate(Req *r)
{
	return r->val_len == 2 || refuse(r, "Request value must be of length 2");
}

void
kv_error_map(Req *r)
{
	uint16_t	version = get16(r->val);
	char	   *json;

	if (version == 0)
	{
		reply_status(r, KV_KEY_ENOENT);
		return;
	}
	json = error_map_json(version == 1 ? 1 : 2);
	reply_body(r, KV_SUCCESS, DT_JSON, json, strlen(json));
	free(json);
}
