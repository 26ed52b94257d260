/*
 * rebalance.c: an even map over the nodes that are in the cluster and up, at once or one vBucket after the other; adding
 * and removing nodes.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "disk.h"
#include "tls.h"

#define COPIES (1 + CB_MAX_REPLICAS)

struct Rebalance
{
	Bucket	   *bucket;
	struct event *timer;
	struct timeval step;
	unsigned	next;				/* vBucket to look at */
	int16_t		target[];			/* [num_vbuckets * COPIES] */
};

int
rebalance_target(const Bucket *b, unsigned vb, unsigned copy)
{
	return b->rebalance->target[vb * COPIES + copy];
}

void
rebalance_stop(Bucket *b)
{
	if (b->rebalance == NULL)
		return;
	event_free(b->rebalance->timer);
	free(b->rebalance);
	b->rebalance = NULL;
}

/* Puts a vBucket where it belongs; false if it was there already. */
static bool
place(Rebalance *r, unsigned vb)
{
	bool		moved = false;

	for (unsigned copy = 0; copy < COPIES; copy++)
	{
		int			node = r->target[vb * COPIES + copy];

		if (r->bucket->vb[vb].nodes[copy] != node)
		{
			bucket_set_node(r->bucket, vb, copy, node);
			moved = true;
		}
	}
	return moved;
}

static void
on_step(evutil_socket_t fd, short what, void *arg)
{
	Rebalance  *r = arg;
	Bucket	   *b = r->bucket;

	(void) fd;
	(void) what;
	while (r->next < b->num_vbuckets && !place(r, r->next++))
		;
	if (r->next < b->num_vbuckets)
		evtimer_add(r->timer, &r->step);
	else
		rebalance_stop(b);
	cluster_config_changed(b->cluster, b);
	pending_recheck(b->cluster);
}

bool
rebalance_start(Bucket *b, int without, unsigned step_ms)
{
	Cluster    *cl = b->cluster;
	Rebalance  *r = xcalloc(1, sizeof(*r) + b->num_vbuckets * COPIES * sizeof(r->target[0]));
	int			up[CB_MAX_NODES];
	unsigned	n = 0;

	for (int i = 0; i < cl->num_nodes; i++)
	{
		if (!cl->nodes[i]->failed_over && !cl->nodes[i]->killed && !cl->nodes[i]->no_data && i != without)
			up[n++] = i;
	}
	if (n == 0)
	{
		free(r);
		return false;
	}
	for (unsigned i = 0; i < n; i++)
		cl->nodes[up[i]]->joining = false;
	for (unsigned v = 0; v < b->num_vbuckets; v++)
	{
		unsigned	home = v * n / b->num_vbuckets;

		for (unsigned copy = 0; copy < COPIES; copy++)
			r->target[v * COPIES + copy] =
				(int16_t) (copy <= b->num_replicas && copy < n ? up[(home + copy) % n] : CB_NO_NODE);
	}
	rebalance_stop(b);
	b->rebalance = r;
	r->bucket = b;
	r->step = (struct timeval) {(time_t) (step_ms / 1000), (suseconds_t) (step_ms % 1000) * 1000};
	r->timer = evtimer_new(cl->base, on_step, r);
	if (step_ms > 0)
		evtimer_add(r->timer, &r->step);
	else
	{
		while (r->next < b->num_vbuckets)
			place(r, r->next++);
		rebalance_stop(b);
	}
	cluster_config_changed(cl, b);
	pending_recheck(cl);
	return true;
}

/* ---------------------------------------------------------------- nodes come and go */

Node *
cluster_add_node(Cluster *cl)
{
	char		error[256];
	Node	   *n;

	if (cl->num_nodes == CB_MAX_NODES)
		return NULL;
	n = cluster_make_node(cl);
	n->joining = true;
	if (cl->nodes[0]->tls != NULL && !tls_configure(n, &cl->nodes[0]->tls_settings, error, sizeof(error)))
		cb_log("node %d has no TLS ports: %s", n->index, error);
	if (!http_node_open(n) || !node_start_kv(n))
	{
		http_node_close(n);
		cl->num_nodes--;
		node_free(n);
		return NULL;
	}
	cluster_config_changed(cl, NULL);
	return n;
}

bool
cluster_remove_node(Node *n)
{
	Cluster    *cl = n->cluster;
	int			others = 0;

	for (int i = 0; i < cl->num_nodes; i++)
		others += cl->nodes[i] != n && !cl->nodes[i]->failed_over;
	if (others == 0)
		return false;
	for (Bucket *b = cl->buckets; b != NULL; b = b->next)
	{
		if (!b->config_only && !rebalance_start(b, n->index, 0))
			return false;
	}
	n->failed_over = true;
	node_kill(n, false);
	cluster_config_changed(cl, NULL);
	return true;
}
