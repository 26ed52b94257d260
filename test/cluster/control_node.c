/*
 * control_node.c: switches of nodes: up, down, paused, refusing, coming and going; TLS settings; names.
 */
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "tls.h"

static bool
run_kill(Call *c)
{
	bool		failover = false;

	if (!call_flag(c, "failover", &failover))
		return false;
	node_kill(c->node, failover);
	return true;
}

static bool
run_revive(Call *c)
{
	return node_revive(c->node) || call_refuse(c, "the ports of node %d cannot be opened again", c->node->index);
}

static bool
run_pause(Call *c)
{
	node_pause(c->node, true);
	return true;
}

static bool
run_resume(Call *c)
{
	node_pause(c->node, false);
	return true;
}

static bool
run_failover(Call *c)
{
	cluster_failover(c->node);
	return c->node->failed_over || call_refuse(c, "node %d cannot be failed over: no other is left", c->node->index);
}

static bool
run_drop(Call *c)
{
	node_drop_connections(c->node);
	return true;
}

static bool
run_refuse(Call *c)
{
	node_refuse(c->node, true);
	return true;
}

static bool
run_accept(Call *c)
{
	node_refuse(c->node, false);
	return !c->node->refusing || call_refuse(c, "the ports of node %d cannot be opened again", c->node->index);
}

static bool
run_add(Call *c)
{
	Node	   *n = cluster_add_node(c->cluster);

	if (n == NULL)
		return call_refuse(c, "no node can be added");
	json_object_set_new(c->answer, "node", json_integer(n->index));
	json_object_set_new(c->answer, "kv", json_sprintf("%s:%u", c->cluster->url_host, n->kv_port));
	json_object_set_new(c->answer, "kvs", n->kvs_port == 0 ? json_null() :
						json_sprintf("%s:%u", c->cluster->url_host, n->kvs_port));
	return true;
}

static bool
run_remove(Call *c)
{
	if (c->node->failed_over)
		return call_refuse(c, "node %d is not in the cluster", c->node->index);
	return cluster_remove_node(c->node) || call_refuse(c, "node %d is the last", c->node->index);
}

static bool
run_rekey(Call *c)
{
	if (c->node->tls == NULL)
		return call_refuse(c, "the cluster was started without TLS");
	node_rekey(c->node);
	return true;
}

static bool
run_delay(Call *c)
{
	long long	ms;

	if (!call_number(c, "ms", true, 0, MAX_DELAY_MS, &ms))
		return false;
	c->node->delay_ms = (unsigned) ms;
	return true;
}

static bool
run_withhold(Call *c)
{
	long long	feature;

	if (!call_number(c, "feature", true, 0, 63, &feature))
		return false;
	c->node->withheld = feature == 0 ? 0 : c->node->withheld | UINT64_C(1) << feature;
	return true;
}

/* ---------------------------------------------------------------- TLS */

static bool
run_certificate(Call *c)
{
	TlsSettings change = {
		.cert = evhttp_find_header(c->args, "cert"),
		.key = evhttp_find_header(c->args, "key"),
		.client_ca = evhttp_find_header(c->args, "client_ca"),
		.client_auth = evhttp_find_header(c->args, "client_auth"),
		.min_version = evhttp_find_header(c->args, "min_version"),
	};
	char		error[sizeof(c->error)];

	if (c->node->tls == NULL)
		return call_refuse(c, "the cluster was started without TLS");
	if (change.cert == NULL && change.key == NULL && change.client_ca == NULL && change.client_auth == NULL &&
		change.min_version == NULL)
		return call_refuse(c, "nothing to change is given");
	if (change.client_auth != NULL && !tls_client_auth_by_name(change.client_auth))
		return call_refuse(c, "client_auth is one of disabled, enabled, mandatory");
	if (change.min_version != NULL && !tls_version_by_name(change.min_version))
		return call_refuse(c, "min_version is 1.2 or 1.3");
	return tls_configure(c->node, &change, error, sizeof(error)) || call_refuse(c, "%s", error);
}

/* ---------------------------------------------------------------- what nodes are called */

static bool
run_hostname(Call *c)
{
	const char *name = call_text(c, "name");

	if (name == NULL)
		return call_refuse(c, "name=HOST is missing; an empty one takes the name away");
	node_set_hostname(c->node, name);
	cluster_config_changed(c->cluster, NULL);
	return true;
}

static bool
run_alternate(Call *c)
{
	const char *network = call_text(c, "network");
	const char *hostname = call_text(c, "hostname");
	const char *ports = call_text(c, "ports");
	json_t	   *list = NULL;

	if (hostname == NULL)
		return call_refuse(c, "hostname=HOST is missing; an empty one takes the address away");
	if (ports != NULL && strcmp(ports, "own") != 0 && strcmp(ports, "none") != 0)
	{
		list = json_loads(ports, 0, NULL);
		if (!json_is_object(list))
		{
			json_decref(list);
			return call_refuse(c, "ports is own, none or a JSON object");
		}
		json_decref(list);
	}
	else
		list = NULL;
	node_set_alternate(c->node, network != NULL ? network : "external", hostname,
					   ports == NULL || strcmp(ports, "none") != 0, list != NULL ? ports : NULL);
	cluster_config_changed(c->cluster, NULL);
	return true;
}

/* ---------------------------------------------------------------- the table */

const Row	control_node_rows[] = {
	{"kill", true, "failover", run_kill, "close the node's ports and connections; failover=1: others take over"},
	{"revive", true, "", run_revive, "open the same ports again; takes its vBuckets back after a fail-over"},
	{"pause", true, "", run_pause, "accept connections and answer nothing"},
	{"resume", true, "", run_resume, "go on, with what was asked in the meantime"},
	{"refuse", true, "", run_refuse, "close the ports, keep the connections"},
	{"accept", true, "", run_accept, "open them again"},
	{"failover", true, "", run_failover, "replicas take over, the node leaves the configuration"},
	{"add", false, "", run_add, "a node joins, without vBuckets before a rebalance; the answer has its addresses"},
	{"remove", true, "", run_remove, "its vBuckets go to the others, it leaves the configuration, its ports close"},
	{"drop", true, "", run_drop, "close all data connections once"},
	{"rekey", true, "", run_rekey, "TLS 1.3: new keys for both sides; TLS 1.2: ask clients for a new handshake"},
	{"delay", true, "ms", run_delay, "every data request waits so long; 0 ends it"},
	{"withhold", true, "feature", run_withhold,
	"does not know that feature of HELLO, like an older server; 0: knows all again"},
	{"certificate", true, "cert key client_ca client_auth min_version", run_certificate,
	"TLS settings of new connections; files are read at once"},
	{"hostname", true, "name", run_hostname, "what configurations call the node; empty: nothing"},
	{"alternate", true, "network hostname ports", run_alternate,
	"its address in a network (external); ports=own|none|JSON object; empty hostname: takes it away"},
	{0}
};
