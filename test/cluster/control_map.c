/*
 * control_map.c: switches of buckets: where vBuckets are, what configurations say, warm-up, a bucket that comes anew.
 */
#include <stdlib.h>
#include <string.h>

#include "control.h"

static bool
run_move(Call *c)
{
	Bucket	   *b;
	long long	vb = 0;
	long long	to = 0;
	VBucket    *v;

	if (!call_bucket(c, &b) || !call_number(c, "vbucket", true, 0, b->num_vbuckets - 1, &vb) ||
		!call_number(c, "to", true, CB_NO_NODE, c->cluster->num_nodes - 1, &to))
		return false;
	if (to >= 0 && (c->cluster->nodes[to]->failed_over || c->cluster->nodes[to]->no_data))
		return call_refuse(c, "node %lld serves no data", to);
	if (to >= 0)
		c->cluster->nodes[to]->joining = false;
	v = &b->vb[vb];
	for (unsigned r = 1; to >= 0 && r <= CB_MAX_REPLICAS; r++)
		if (v->nodes[r] == to)
			bucket_set_node(b, (unsigned) vb, r, v->nodes[0]);
	bucket_set_node(b, (unsigned) vb, 0, (int) to);
	cluster_config_changed(c->cluster, b);
	return true;
}

static bool
run_rebalance(Call *c)
{
	long long	without = -1;
	long long	step_ms = 0;
	Bucket	   *b;

	if (!call_bucket(c, &b) || !call_number(c, "without", false, 0, c->cluster->num_nodes - 1, &without) ||
		!call_number(c, "step_ms", false, 0, MAX_DELAY_MS, &step_ms))
		return false;
	return rebalance_start(b, (int) without, (unsigned) step_ms) || call_refuse(c, "no node is left");
}

static bool
run_topology(Call *c)
{
	static const char *const kinds[] = {"map", "unassigned", "silent", NULL};
	unsigned	kind;
	long long	vb = 0;
	Bucket	   *b;

	if (!call_bucket(c, &b) || !call_number(c, "vbucket", true, 0, b->num_vbuckets - 1, &vb) ||
		!call_choice(c, "kind", kinds, &kind))
		return false;
	bucket_set_topology(b, (unsigned) vb, (Topology) kind);
	return true;
}

static bool
run_revision(Call *c)
{
	Cluster    *cl = c->cluster;
	long long	epoch = cl->epoch;
	long long	rev = 0;

	if (!call_number(c, "epoch", false, 1, INT64_MAX, &epoch) || !call_number(c, "rev", false, 1, INT64_MAX, &rev))
		return false;
	cl->epoch = epoch;
	if (rev > 0)
	{
		cl->rev = (uint64_t) rev - 1;
		for (Bucket *b = cl->buckets; b != NULL; b = b->next)
			b->rev = 0;
	}
	cluster_config_changed(cl, NULL);
	return true;
}

/* ---------------------------------------------------------------- configurations */

static bool
run_freeze(Call *c)
{
	node_freeze(c->node, true);
	return true;
}

static bool
run_thaw(Call *c)
{
	node_freeze(c->node, false);
	return true;
}

/* The body of the request becomes the configuration as it is, valid or not; an empty one ends that. */
static bool
run_config(Call *c)
{
	size_t		len = evbuffer_get_length(c->body);
	long long	epoch = c->cluster->epoch;
	long long	rev;
	char	   *text;
	Bucket	   *b;

	if (!call_bucket(c, &b))
		return false;
	rev = (long long) c->cluster->rev + 1;
	if (!call_number(c, "epoch", false, 1, INT64_MAX, &epoch) || !call_number(c, "rev", false, 1, INT64_MAX, &rev))
		return false;
	if (len == 0)
	{
		cluster_config_changed(c->cluster, b);
		return true;
	}
	text = xmalloc(len + 1);
	evbuffer_copyout(c->body, text, len);
	text[len] = '\0';
	if (strlen(text) != len)
	{
		free(text);
		return call_refuse(c, "the configuration contains a zero byte");
	}
	bucket_give_config(b, text, epoch, rev);
	return true;
}

static bool
run_warmup(Call *c)
{
	static const char *const states[] = {"ready", "empty-map", "warming", "config-only", NULL};	/* BucketState */
	unsigned	state;
	Bucket	   *b;

	if (!call_bucket(c, &b) || !call_choice(c, "state", states, &state))
		return false;
	b->state[c->node->index] = (uint8_t) state;
	cluster_config_changed(c->cluster, b);
	return true;
}

/* ---------------------------------------------------------------- buckets that come and go */

static bool
run_drop_bucket(Call *c)
{
	Bucket	   *b;

	if (!call_bucket(c, &b))
		return false;
	http_end_streams(c->cluster, b);
	bucket_settings_forget(b);
	bucket_drop(b);
	return true;
}

/* The scopes and collections of a bucket as JSON: {SCOPE: {COLLECTION: MAX-EXPIRY}}. */
static json_t *
collections_of(const Bucket *b)
{
	json_t	   *scopes = json_object();

	for (const Scope *s = b->scopes; s != NULL; s = s->next)
	{
		json_t	   *list = json_object();

		for (const Collection *col = s->collections; col != NULL; col = col->next)
			json_object_set_new(list, col->name, json_integer(col->max_ttl));
		json_object_set_new(scopes, s->name, list);
	}
	return scopes;
}

static void
create_collections(Bucket *b, json_t *scopes)
{
	const char *scope;
	const char *collection;
	json_t	   *list;
	json_t	   *max_ttl;

	json_object_foreach(scopes, scope, list)
	{
		scope_create(b, scope, NULL);
		json_object_foreach(list, collection, max_ttl)
			collection_create(b, scope, collection, (uint32_t) json_integer_value(max_ttl), NULL);
	}
}

static bool
run_recreate(Call *c)
{
	Bucket	   *b;
	long long	vbuckets;
	long long	replicas;
	bool		keep = true;
	json_t	   *scopes;
	char	   *name;

	if (!call_bucket(c, &b))
		return false;
	vbuckets = b->num_vbuckets;
	replicas = b->num_replicas;
	if (!call_number(c, "vbuckets", false, 1, CB_DEFAULT_VBUCKETS, &vbuckets) ||
		!call_number(c, "replicas", false, 0, CB_MAX_REPLICAS, &replicas) || !call_flag(c, "collections", &keep))
		return false;
	scopes = keep ? collections_of(b) : json_object();
	name = xstrdup(b->name);
	run_drop_bucket(c);
	b = bucket_create(c->cluster, name, (unsigned) vbuckets, (unsigned) replicas);
	free(name);
	create_collections(b, scopes);
	json_decref(scopes);
	json_object_set_new(c->answer, "uuid", json_string(b->uuid));
	return true;
}

/* ---------------------------------------------------------------- the table */

const Row	control_map_rows[] = {
	{"move", false, "bucket vbucket to", run_move,
	"another node (-1: none) becomes active for a vBucket; new revision"},
	{"rebalance", false, "bucket without step_ms", run_rebalance,
	"spread vBuckets over the nodes that are up; step_ms: one after the other, each a new revision"},
	{"topology", false, "bucket vbucket kind", run_topology,
	"what durability sees of the replicas: kind=map|unassigned|silent"},
	{"revision", false, "epoch rev", run_revision,
	"new configuration revision without a change, of that epoch and number (lower ones too)"},
	{"freeze", true, "", run_freeze, "the node goes on giving the configurations it has now"},
	{"thaw", true, "", run_thaw, "and no longer"},
	{"config", false, "bucket epoch rev", run_config,
	"the body becomes the bucket's configuration, as it is, until the next revision; empty: ends that"},
	{"warmup", true, "bucket state", run_warmup, "state=ready|empty-map|warming|config-only on that node"},
	{"drop-bucket", false, "bucket", run_drop_bucket, "the bucket is gone"},
	{"recreate", false, "bucket vbuckets replicas collections", run_recreate,
	"drop it and create it anew, empty, with another uuid; collections=0: with the default one only"},
	{0}
};
