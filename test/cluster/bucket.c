/*
 * bucket.c: buckets and their vBucket maps.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "core.h"

#define MAX_BUCKET_NAME 100

/* Couchbase's rule: letters, digits and "-_.%", at most 100 bytes, no leading dot. */
static bool
good_name(const char *name)
{
	size_t		n = strlen(name);

	if (n == 0 || n > MAX_BUCKET_NAME || name[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (!isalnum((unsigned char) name[i]) && strchr("-_.%", name[i]) == NULL)
			return false;
	}
	return true;
}

static uint64_t
new_vb_uuid(void)
{
	char		hex[13];

	random_hex(hex, 12);
	return strtoull(hex, NULL, 16) | 1;
}

/* Where the map of a new bucket puts a vBucket; replica 0 is the active. */
static int
home_of(const Bucket *b, unsigned id, int replica)
{
	unsigned	active = id * b->num_homes / b->num_vbuckets;

	return replica <= (int) b->num_replicas && replica < (int) b->num_homes ?
		b->homes[(active + (unsigned) replica) % b->num_homes] : CB_NO_NODE;
}

static void
init_vbucket(Bucket *b, unsigned id)
{
	VBucket    *vb = &b->vb[id];

	vb->bucket = b;
	vb->id = (uint16_t) id;
	vb->uuid = new_vb_uuid();
	for (int r = 0; r <= CB_MAX_REPLICAS; r++)
		vb->nodes[r] = (int16_t) home_of(b, id, r);
}

Bucket *
bucket_create(Cluster *cl, const char *name, unsigned num_vbuckets, unsigned num_replicas)
{
	Bucket	   *b;
	Bucket	  **at = &cl->buckets;

	if (!good_name(name) || num_replicas > CB_MAX_REPLICAS || num_vbuckets == 0 || num_vbuckets > 1024 ||
		bucket_find(cl, name, strlen(name)) != NULL)
		return NULL;
	b = xcalloc(1, sizeof(*b));
	b->cluster = cl;
	b->name = xstrdup(name);
	random_hex(b->uuid, 32);
	b->num_vbuckets = num_vbuckets;
	b->num_replicas = num_replicas;
	for (int i = 0; i < cl->num_nodes; i++)
		if (!cl->nodes[i]->joining && !cl->nodes[i]->no_data && !cl->nodes[i]->failed_over)
			b->homes[b->num_homes++] = (int16_t) i;
	b->vb = xcalloc(num_vbuckets, sizeof(VBucket));
	for (unsigned i = 0; i < num_vbuckets; i++)
		init_vbucket(b, i);
	manifest_init(b);
	while (*at != NULL)
		at = &(*at)->next;
	*at = b;
	cluster_config_changed(cl, b);
	return b;
}

/* A bucket that only has a configuration: what SET_CLUSTER_CONFIG for an unknown bucket makes. */
Bucket *
bucket_create_config_only(Cluster *cl, const char *name)
{
	Bucket	   *b = bucket_create(cl, name, 64, 0);

	if (b != NULL)
		b->config_only = true;
	return b;
}

Bucket *
bucket_find(Cluster *cl, const char *name, size_t name_len)
{
	for (Bucket *b = cl->buckets; b != NULL; b = b->next)
	{
		if (strlen(b->name) == name_len && memcmp(b->name, name, name_len) == 0)
			return b;
	}
	return NULL;
}

static void
bucket_free(Bucket *b)
{
	for (unsigned i = 0; i < b->num_vbuckets; i++)
	{
		kv_scan_vbucket_gone(&b->vb[i]);
		pending_free(&b->vb[i]);
		store_free(&b->vb[i]);
	}
	free(b->vb);
	manifest_free(b);
	config_forget(b->config_cache);
	for (int i = 0; i < CB_MAX_NODES; i++)
		free(b->frozen[i].text);
	rebalance_stop(b);
	free(b->set_config);
	free(b->name);
	free(b);
}

void
bucket_drop(Bucket *b)
{
	Cluster    *cl = b->cluster;
	Bucket	  **at = &cl->buckets;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	for (int i = 0; i < cl->num_nodes; i++)
		conn_close_matching(cl->nodes[i], b, NULL);
	bucket_free(b);
	cluster_config_changed(cl, NULL);
}

void
bucket_set_node(Bucket *b, unsigned vb, unsigned replica, int node)
{
	VBucket    *v;

	if (vb >= b->num_vbuckets || replica > CB_MAX_REPLICAS)
		return;
	v = &b->vb[vb];
	if (replica == 0 && v->nodes[0] != node)
	{
		kv_scan_vbucket_gone(v);
		v->old_uuid = v->uuid;
		v->old_seqno = v->high_seqno;
		v->uuid = new_vb_uuid();
	}
	v->nodes[replica] = (int16_t) node;
}

void
bucket_restore_map(Bucket *b)
{
	for (unsigned i = 0; i < b->num_vbuckets; i++)
	{
		for (int r = 0; r <= CB_MAX_REPLICAS; r++)
			bucket_set_node(b, i, (unsigned) r, home_of(b, i, r));
	}
}

void
bucket_clear_vbucket(VBucket *vb)
{
	for (Scope *s = vb->bucket->scopes; s != NULL; s = s->next)
	{
		for (Collection *c = s->collections; c != NULL; c = c->next)
		{
			c->items -= c->vb_items[vb->id];
			c->vb_items[vb->id] = 0;
		}
	}
	vb->items = 0;
	store_free(vb);
	vb->high_seqno = vb->persisted_seqno = 0;
}

void
bucket_give_config(Bucket *b, char *text, int64_t epoch, int64_t rev)
{
	free(b->set_config);
	b->set_config = text;
	b->set_epoch = epoch;
	b->set_rev = rev;
	cluster_tell(b->cluster, b);
}

void
bucket_set_topology(Bucket *b, unsigned vb, Topology t)
{
	if (vb < b->num_vbuckets)
		b->vb[vb].topology = t;
}
