/*
 * cluster.c: the cluster as a whole: its nodes, its revisions, fail-over.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core.h"
#include "disk.h"

#define DEFAULT_FLUSH_MS 2
#define DEFAULT_SCRAM_ITERATIONS 4000
#define DEFAULT_SLOW_CLIENT_MS 75000	/* as the server */

Cluster *
cluster_new(struct event_base *base, int num_nodes)
{
	Cluster    *cl;

	if (num_nodes < 1 || num_nodes > CB_MAX_NODES)
		return NULL;
	cl = xcalloc(1, sizeof(*cl));
	cl->base = base;
	cl->host = cl->url_host = "127.0.0.1";
	cl->epoch = 1;
	cl->flush_ms = DEFAULT_FLUSH_MS;
	cl->scram_iterations = DEFAULT_SCRAM_ITERATIONS;
	cl->slow_client_ms = DEFAULT_SLOW_CLIENT_MS;
	cl->version = "7.6.5-cbcluster";
	random_hex(cl->uuid, 32);
	for (int i = 0; i < num_nodes; i++)
		cluster_make_node(cl);
	disk_start(cl);
	return cl;
}

Node *
cluster_make_node(Cluster *cl)
{
	Node	   *n = xcalloc(1, sizeof(*n));

	n->cluster = cl;
	n->index = cl->num_nodes;
	random_hex(n->uuid, 32);
	cl->nodes[cl->num_nodes++] = n;
	return n;
}

/* As many connections as the system lets this process have. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max)
	{
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			cb_log("the number of connections stays limited");
	}
}

bool
cluster_start_kv(Cluster *cl)
{
	raise_descriptor_limit();
	disk_flush(cl);				/* what was loaded is sorted before anybody waits for it */
	for (int i = 0; i < cl->num_nodes; i++)
	{
		if (!node_start_kv(cl->nodes[i]))
			return false;
	}
	cluster_config_changed(cl, NULL);
	return true;
}

void
cluster_free(Cluster *cl)
{
	for (int i = 0; i < cl->num_nodes; i++)
		node_drop_connections(cl->nodes[i]);
	while (cl->buckets != NULL)
		bucket_drop(cl->buckets);
	for (int i = 0; i < cl->num_nodes; i++)
		node_free(cl->nodes[i]);
	users_free(cl);
	config_forget(cl->config_cache);
	while (cl->listeners != NULL)
		cluster_off_config(cl, cl->listeners->fn, cl->listeners->arg);
	disk_stop(cl);
	free(cl);
}

/* ---------------------------------------------------------------- revisions */

static void
new_revision(Bucket *b, uint64_t rev)
{
	b->rev = rev;
	free(b->set_config);
	b->set_config = NULL;
	config_forget(b->config_cache);
}

void
cluster_config_changed(Cluster *cl, Bucket *only)
{
	for (Bucket *b = cl->buckets; b != NULL; b = b->next)
	{
		uint64_t	rev = b->set_config != NULL ? (uint64_t) b->set_rev : b->rev;

		if (rev > cl->rev)
			cl->rev = rev;
	}
	cl->rev++;
	config_forget(cl->config_cache);
	for (Bucket *b = cl->buckets; b != NULL; b = b->next)
	{
		if ((only == NULL || b == only) && !b->config_only)
			new_revision(b, cl->rev);
	}
	cluster_tell(cl, only);
}

void
cluster_tell(Cluster *cl, Bucket *only)
{
	for (int i = 0; i < cl->num_nodes; i++)
		kv_notify_config(cl->nodes[i], only);
	for (ConfigListener *l = cl->listeners, *next; l != NULL; l = next)
	{
		next = l->next;
		l->fn(l->arg, only);
	}
}

void
cluster_on_config(Cluster *cl, ConfigFn fn, void *arg)
{
	ConfigListener *l = xcalloc(1, sizeof(*l));

	l->fn = fn;
	l->arg = arg;
	l->next = cl->listeners;
	cl->listeners = l;
}

void
cluster_off_config(Cluster *cl, ConfigFn fn, void *arg)
{
	ConfigListener **at = &cl->listeners;

	while (*at != NULL && ((*at)->fn != fn || (*at)->arg != arg))
		at = &(*at)->next;
	if (*at != NULL)
	{
		ConfigListener *l = *at;

		*at = l->next;
		free(l);
	}
}

/* ---------------------------------------------------------------- fail-over */

static bool
serves(const Cluster *cl, int node)
{
	return node >= 0 && node < cl->num_nodes && !cl->nodes[node]->failed_over && !cl->nodes[node]->no_data &&
		!cl->nodes[node]->joining;
}

/* The next node that is still there, or CB_NO_NODE. */
static int
successor(const Cluster *cl, int node)
{
	for (int i = 1; i < cl->num_nodes; i++)
	{
		int			other = (node + i) % cl->num_nodes;

		if (serves(cl, other) && !cl->nodes[other]->killed)
			return other;
	}
	return CB_NO_NODE;
}

static void
promote(VBucket *vb, int lost)
{
	Bucket	   *b = vb->bucket;
	int			heir = CB_NO_NODE;

	for (int r = 1; r <= CB_MAX_REPLICAS; r++)
	{
		if (heir == CB_NO_NODE && vb->nodes[0] == lost && serves(b->cluster, vb->nodes[r]))
		{
			heir = vb->nodes[r];
			vb->nodes[r] = CB_NO_NODE;
		}
		else if (vb->nodes[r] == lost)
			vb->nodes[r] = CB_NO_NODE;
	}
	if (vb->nodes[0] != lost)
		return;
	if (heir == CB_NO_NODE)
	{
		/* No replica: the data are lost, another node starts with an empty vBucket. */
		heir = successor(b->cluster, lost);
		if (heir != CB_NO_NODE)
			bucket_clear_vbucket(vb);
	}
	bucket_set_node(b, vb->id, 0, heir);
}

void
cluster_failover(Node *n)
{
	Cluster    *cl = n->cluster;

	if (n->failed_over || successor(cl, n->index) == CB_NO_NODE)
		return;
	n->failed_over = true;
	for (Bucket *b = cl->buckets; b != NULL; b = b->next)
	{
		rebalance_stop(b);
		for (unsigned i = 0; i < b->num_vbuckets; i++)
			promote(&b->vb[i], n->index);
	}
	cluster_config_changed(cl, NULL);
}
