/*
 * kv_stat.c: STAT for the groups that clients look at: none, "vbucket", "vbucket-details", "vbucket-seqno", "uuid",
 * "collections", "collections-byid <hexadecimal id>". One packet per number, then one without a key. Any other group
 * does not exist here.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "handlers.h"

bool
kv_stat_validate(Req *r)
{
	if (r->val_len > 0 && r->datatype != DT_JSON)
		return refuse(r, "Datatype must be JSON");
	return true;
}

static void __attribute__((format(printf, 3, 4)))
stat_line(Req *r, const char *key, const char *fmt,...)
{
	char		text[256];
	va_list		args;
	Reply		rep = {.status = KV_SUCCESS, .key = key, .key_len = strlen(key), .val = text};

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	rep.val_len = strlen(text);
	reply_send(r, &rep);
}

static void
stat_general(Req *r)
{
	Bucket	   *b = r->bucket;
	size_t		items = 0;
	unsigned	active = 0;

	for (unsigned i = 0; i < b->num_vbuckets; i++)
	{
		if (b->vb[i].nodes[0] == r->node->index)
		{
			items += b->vb[i].items;
			active++;
		}
	}
	stat_line(r, "version", "%s", r->node->cluster->version);
	stat_line(r, "time", "%u", cb_now(r->node->cluster));
	stat_line(r, "curr_items", "%zu", items);
	stat_line(r, "vb_active_num", "%u", active);
	stat_line(r, "ep_max_item_size", "%d", CB_MAX_VALUE);
}

static void
stat_vbuckets(Req *r, bool details, bool seqno)
{
	Bucket	   *b = r->bucket;
	char		key[64];

	for (unsigned i = 0; i < b->num_vbuckets; i++)
	{
		VBucket    *vb = &b->vb[i];

		if (vb->nodes[0] != r->node->index)
			continue;
		if (!seqno)
		{
			snprintf(key, sizeof(key), "vb_%u", i);
			stat_line(r, key, "active");
		}
		if (!details)
			continue;
		snprintf(key, sizeof(key), "vb_%u:high_seqno", i);
		stat_line(r, key, "%llu", (unsigned long long) vb->high_seqno);
		snprintf(key, sizeof(key), "vb_%u:last_persisted_seqno", i);
		stat_line(r, key, "%llu", (unsigned long long) vb->persisted_seqno);
		snprintf(key, sizeof(key), "vb_%u:uuid", i);
		stat_line(r, key, "%llu", (unsigned long long) vb->uuid);
		snprintf(key, sizeof(key), "vb_%u:num_items", i);
		stat_line(r, key, "%zu", vb->items);
	}
}

/* Live documents of a collection in the active vBuckets of this node. */
static size_t
items_here(const Req *r, const Collection *c)
{
	size_t		n = 0;

	for (unsigned i = 0; i < r->bucket->num_vbuckets; i++)
	{
		if (r->bucket->vb[i].nodes[0] == r->node->index)
			n += c->vb_items[i];
	}
	return n;
}

/* only: the one collection whose numbers are wanted, or NULL. */
static void
stat_collections(Req *r, const Collection *only)
{
	Bucket	   *b = r->bucket;
	char		key[64];

	if (only == NULL)
		stat_line(r, "manifest_uid", "0x%llx", (unsigned long long) b->manifest_uid);
	for (Scope *s = b->scopes; s != NULL; s = s->next)
	{
		for (Collection *c = s->collections; c != NULL; c = c->next)
		{
			if (only != NULL && c != only)
				continue;
			snprintf(key, sizeof(key), "0x%x:0x%x:name", s->id, c->id);
			stat_line(r, key, "%s", c->name);
			snprintf(key, sizeof(key), "0x%x:0x%x:scope_name", s->id, c->id);
			stat_line(r, key, "%s", s->name);
			snprintf(key, sizeof(key), "0x%x:0x%x:items", s->id, c->id);
			stat_line(r, key, "%zu", items_here(r, c));
		}
	}
}

static bool
group_is(const Req *r, const char *name)
{
	return r->raw_key_len == strlen(name) && memcmp(r->raw_key, name, r->raw_key_len) == 0;
}

static bool
group_begins(const Req *r, const char *prefix)
{
	return r->raw_key_len > strlen(prefix) && memcmp(r->raw_key, prefix, strlen(prefix)) == 0;
}

/* N, 0xN or 0XN, hexadecimal (kv_engine engines/ep/docs/stats.org, "Scope and Collection stats"). */
static Collection *
collection_by_stat_id(const Req *r)
{
	const size_t skip = strlen("collections-byid ");
	char		text[16];
	char	   *end;
	size_t		len = r->raw_key_len - skip;
	unsigned long id;

	if (len >= sizeof(text))
		return NULL;
	memcpy(text, (const char *) r->raw_key + skip, len);
	text[len] = '\0';
	id = strtoul(text, &end, 16);
	return *end == '\0' && id <= UINT32_MAX ? collection_by_id(r->bucket, (uint32_t) id) : NULL;
}

void
kv_stat(Req *r)
{
	if (r->raw_key_len == 0)
		stat_general(r);
	else if (group_is(r, "vbucket"))
		stat_vbuckets(r, false, false);
	else if (group_is(r, "vbucket-details"))
		stat_vbuckets(r, true, false);
	else if (group_is(r, "vbucket-seqno"))
		stat_vbuckets(r, true, true);
	else if (group_is(r, "uuid"))
		stat_line(r, "uuid", "%s", r->bucket->uuid);
	else if (group_is(r, "collections"))
		stat_collections(r, NULL);
	else if (group_begins(r, "collections-byid "))
	{
		Collection *c = collection_by_stat_id(r);

		if (c == NULL)
		{
			reply_unknown_collection(r, KV_UNKNOWN_COLLECTION);
			return;
		}
		stat_collections(r, c);
	}
	else
	{
		reply_status(r, KV_KEY_ENOENT);
		return;
	}
	reply_status(r, KV_SUCCESS);
}
