/*
 * kv_config.c: selecting a bucket and everything about cluster configurations on the data port (BinaryProtocol.md:
 * SELECT_BUCKET, GET_CLUSTER_CONFIG, SET_CLUSTER_CONFIG, server commands; status NOT_MY_VBUCKET).
 */
#include <stdlib.h>
#include <string.h>

#include <snappy-c.h>

#include "core.h"
#include "handlers.h"

#define NO_BUCKET_NAME "@no bucket@"

void
kv_select_bucket(Req *r)
{
	Conn	   *c = r->conn;
	const char *name = (const char *) r->raw_key;
	Bucket	   *b = bucket_find(r->node->cluster, name, r->raw_key_len);
	bool		sees_all = user_privileges(c->user, NULL, NULL) != 0;

	if (r->raw_key_len == strlen(NO_BUCKET_NAME) && memcmp(name, NO_BUCKET_NAME, r->raw_key_len) == 0)
		c->bucket = NULL;
	else if (b == NULL || user_privileges(c->user, b, NULL) == 0)
	{
		reply_status(r, sees_all ? KV_KEY_ENOENT : KV_EACCESS);
		return;
	}
	else
		c->bucket = b;
	reply_status(r, KV_SUCCESS);
}

void
kv_list_buckets(Req *r)
{
	struct evbuffer *list = evbuffer_new();
	size_t		len;

	for (Bucket *b = r->node->cluster->buckets; b != NULL; b = b->next)
	{
		if (user_privileges(r->conn->user, b, NULL) != 0)
			evbuffer_add_printf(list, "%s%s", evbuffer_get_length(list) ? " " : "", b->name);
	}
	len = evbuffer_get_length(list);
	reply_body(r, KV_SUCCESS, DT_RAW, evbuffer_pullup(list, -1), len);
	evbuffer_free(list);
}

/* ---------------------------------------------------------------- configurations in answers */

static void
remember(Conn *c, Bucket *b)
{
	c->seen_bucket = b;
	c->seen_epoch = config_epoch(c->node, b);
	c->seen_rev = config_rev(c->node, b);
}

/* Answers with the configuration, compressed if the connection takes everything compressed. */
static void
reply_config(Req *r, uint16_t status, Bucket *b)
{
	size_t		len;
	char	   *json = config_json(r->node, b, false, &len);
	size_t		packed_len = snappy_max_compressed_length(len);
	char	   *packed;

	remember(r->conn, b);
	if (!conn_has(r->conn, FEATURE_SNAPPY) || !conn_has(r->conn, FEATURE_SNAPPY_EVERYWHERE))
	{
		reply_body(r, status, DT_JSON, json, len);
		free(json);
		return;
	}
	packed = xmalloc(packed_len);
	if (snappy_compress(json, len, packed, &packed_len) != SNAPPY_OK)
		abort();
	reply_body(r, status, DT_JSON | DT_SNAPPY, packed, packed_len);
	free(packed);
	free(json);
}

void
reply_not_my_vbucket(Req *r)
{
	Conn	   *c = r->conn;
	Bucket	   *b = c->bucket;

	if (conn_has(c, FEATURE_DEDUPE_NMVB) && c->seen_bucket == b && c->seen_epoch == config_epoch(r->node, b) &&
		c->seen_rev == config_rev(r->node, b))
		reply_body(r, KV_NOT_MY_VBUCKET, DT_RAW, NULL, 0);
	else
		reply_config(r, KV_NOT_MY_VBUCKET, b);
}

bool
kv_get_config_validate(Req *r)
{
	if (r->ext_len == 0)
		return true;
	if (r->node->withheld & FEATURE(FEATURE_CONFIG_VERSION))
		return refuse(r, "Request must not include extras");
	if (r->ext_len != 16)
		return refuse(r, "Request must include extras of length 16");
	if (get64(r->ext) == 0 || (int64_t) get64(r->ext + 8) < 1)
		return refuse(r, "Revision number must not be less than 1");
	return true;
}

void
kv_get_config(Req *r)
{
	Bucket	   *b = r->conn->bucket;

	if (r->ext_len == 16)
	{
		int64_t		epoch = (int64_t) get64(r->ext);
		int64_t		rev = (int64_t) get64(r->ext + 8);

		if (epoch > config_epoch(r->node, b) || (epoch == config_epoch(r->node, b) && rev >= config_rev(r->node, b)))
		{
			reply_status(r, KV_SUCCESS);
			return;
		}
	}
	reply_config(r, KV_SUCCESS, b);
}

void
kv_set_config(Req *r)
{
	Cluster    *cl = r->node->cluster;
	char	   *name;
	Bucket	   *b;

	if ((int64_t) get64(r->ext + 8) < 1)
	{
		refuse(r, "Revision number must not be less than 1");
		return;
	}
	name = xstrndup((const char *) r->raw_key, r->raw_key_len);
	b = bucket_find(cl, name, strlen(name));
	if (b == NULL)
		b = bucket_create_config_only(cl, name);
	free(name);
	if (b == NULL || memchr(r->val, '\0', r->val_len) != NULL)
	{
		reply_status(r, KV_EINVAL);
		return;
	}
	reply_status(r, KV_SUCCESS);
	bucket_give_config(b, xstrndup((const char *) r->val, r->val_len), (int64_t) get64(r->ext),
					   (int64_t) get64(r->ext + 8));
}

/* ---------------------------------------------------------------- notifications */

static void
notify(Conn *c, Bucket *b)
{
	bool		brief = conn_has(c, FEATURE_CONFIG_NOTIFICATION_BRIEF);
	uint8_t		head[KV_HEADER + 16] = {MAGIC_SERVER_REQ, 0x01};
	const char *name = b != NULL ? b->name : "";
	size_t		name_len = strlen(name);
	size_t		len = 0;
	char	   *json = brief ? NULL : config_json(c->node, b, false, &len);

	put16(head + 2, (uint16_t) name_len);
	head[4] = 16;
	head[5] = brief ? DT_RAW : DT_JSON;
	put32(head + 8, (uint32_t) (16 + name_len + len));
	put64(head + KV_HEADER, (uint64_t) config_epoch(c->node, b));
	put64(head + KV_HEADER + 8, (uint64_t) config_rev(c->node, b));
	evbuffer_add(c->out, head, sizeof(head));
	evbuffer_add(c->out, name, name_len);
	if (!brief)
	{
		evbuffer_add(c->out, json, len);
		free(json);
		remember(c, b);
	}
	event_add(c->ev_write, NULL);
}

/* Tells the connections that asked for it; only those with this bucket selected, unless it is NULL. */
void
kv_notify_config(Node *n, Bucket *b)
{
	for (Conn *c = n->frozen ? NULL : n->conns; c != NULL; c = c->next)
	{
		if (c->user == NULL || n->paused || (b != NULL && c->bucket != b) || !conn_has(c, FEATURE_DUPLEX))
			continue;
		if (conn_has(c, FEATURE_CONFIG_NOTIFICATION) || conn_has(c, FEATURE_CONFIG_NOTIFICATION_BRIEF))
			notify(c, c->bucket);
	}
}
