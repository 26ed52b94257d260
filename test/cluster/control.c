/*
 * control.c: the control port: fault switches over HTTP, one table row each. USING.md shows how to use it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "manage.h"
#include "tls.h"

#define MAX_DELAY_MS 3600000

/* One call: its arguments, the node it is about (rows that take one), what it answers. */
typedef struct Call
{
	Cluster    *cluster;
	Node	   *node;
	const struct evkeyvalq *args;
	json_t	   *answer;				/* object; members that a row adds */
	char		error[256];
} Call;

typedef bool (*CallFn) (Call *c);

typedef struct Row
{
	const char *name;
	bool		takes_node;			/* needs node=N or node=all, and runs once for each */
	const char *args;				/* what it understands besides node, in words for the list of switches */
	CallFn		run;
	const char *what;
} Row;

static struct evhttp *server;

/* ---------------------------------------------------------------- arguments */

static bool refuse(Call *c, const char *fmt,...) __attribute__((format(printf, 2, 3)));

/* Notes why the call cannot be done; always false. */
static bool
refuse(Call *c, const char *fmt,...)
{
	va_list		ap;

	va_start(ap, fmt);
	vsnprintf(c->error, sizeof(c->error), fmt, ap);
	va_end(ap);
	http_plain_text(c->error);
	return false;
}

/* A number of min..max (decimal or 0x); *out keeps its value if the argument is missing and not required. */
static bool
number_arg(Call *c, const char *name, bool required, long long min, long long max, long long *out)
{
	const char *text = evhttp_find_header(c->args, name);
	char	   *end;
	long long	value;

	if (text == NULL)
		return required ? refuse(c, "%s=NUMBER is missing", name) : true;
	errno = 0;
	value = strtoll(text, &end, 0);
	if (end == text || *end != '\0' || errno != 0 || value < min || value > max)
		return refuse(c, "%s=%s is not a number of %lld to %lld", name, text, min, max);
	*out = value;
	return true;
}

static bool
flag_arg(Call *c, const char *name, bool *out)
{
	long long	value = 0;

	if (!number_arg(c, name, false, 0, 1, &value))
		return false;
	*out = value != 0;
	return true;
}

static bool
bucket_arg(Call *c, Bucket **out)
{
	const char *name = evhttp_find_header(c->args, "bucket");

	if (name == NULL)
		return refuse(c, "bucket=NAME is missing");
	*out = bucket_find(c->cluster, name, strlen(name));
	return *out != NULL || refuse(c, "there is no bucket \"%s\"", name);
}

/* ---------------------------------------------------------------- nodes */

static bool
run_kill(Call *c)
{
	bool		failover = false;

	if (!flag_arg(c, "failover", &failover))
		return false;
	node_kill(c->node, failover);
	return true;
}

static bool
run_revive(Call *c)
{
	return node_revive(c->node) || refuse(c, "the ports of node %d cannot be opened again", c->node->index);
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
	return c->node->failed_over || refuse(c, "node %d cannot be failed over: no other is left", c->node->index);
}

static bool
run_drop(Call *c)
{
	node_drop_connections(c->node);
	return true;
}

static bool
run_delay(Call *c)
{
	long long	ms;

	if (!number_arg(c, "ms", true, 0, MAX_DELAY_MS, &ms))
		return false;
	c->node->delay_ms = (unsigned) ms;
	return true;
}

/* ---------------------------------------------------------------- faults of single requests */

static const struct
{
	const char *name;
	FaultKind	kind;
}			fault_kinds[] = {
	{"status", FAULT_STATUS},
	{"status-after", FAULT_STATUS_AFTER},
	{"close", FAULT_CLOSE},
	{"close-after", FAULT_CLOSE_AFTER},
	{"silent", FAULT_SILENT},
	{"corrupt", FAULT_CORRUPT},
	{"truncate", FAULT_TRUNCATE},
	{"delay", FAULT_DELAY},
};

/* Fills a fault from opcode, count, skip, status, offset and ms. */
static bool
fault_args(Call *c, Fault *f)
{
	long long	opcode = -1;
	long long	count = 1;
	long long	skip = 0;
	long long	status = f->status;
	long long	offset = 0;
	long long	ms = 0;
	bool		needs_status = (f->kind == FAULT_STATUS || f->kind == FAULT_STATUS_AFTER) && f->status == 0;

	if (!number_arg(c, "opcode", false, -1, 255, &opcode) ||
		!number_arg(c, "count", false, -1, INT32_MAX, &count) ||
		!number_arg(c, "skip", false, 0, INT32_MAX, &skip) ||
		!number_arg(c, "status", needs_status, 1, 0xffff, &status) ||
		!number_arg(c, "offset", f->kind == FAULT_CORRUPT || f->kind == FAULT_TRUNCATE, 0, CB_MAX_PACKET, &offset) ||
		!number_arg(c, "ms", f->kind == FAULT_DELAY, 0, MAX_DELAY_MS, &ms))
		return false;
	f->opcode = (int) opcode;
	f->remaining = (int) count;
	f->skip = (unsigned) skip;
	f->status = (uint16_t) status;
	f->offset = (unsigned) offset;
	f->delay_ms = (unsigned) ms;
	return true;
}

static bool
run_fault(Call *c)
{
	const char *kind = evhttp_find_header(c->args, "kind");
	Fault		f = {.kind = FAULT_STATUS};

	for (size_t i = 0; kind != NULL && i < sizeof(fault_kinds) / sizeof(fault_kinds[0]); i++)
	{
		if (strcmp(fault_kinds[i].name, kind) == 0)
		{
			f.kind = fault_kinds[i].kind;
			if (!fault_args(c, &f))
				return false;
			node_add_fault(c->node, &f);
			return true;
		}
	}
	return kind == NULL ? refuse(c, "kind=KIND is missing") : refuse(c, "there is no fault of kind \"%s\"", kind);
}

static bool
run_tmpfail(Call *c)
{
	Fault		f = {.kind = FAULT_STATUS, .status = KV_ETMPFAIL};

	if (!fault_args(c, &f))
		return false;
	node_add_fault(c->node, &f);
	return true;
}

static bool
run_clear(Call *c)
{
	node_clear_faults(c->node);
	c->node->delay_ms = 0;
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
		return refuse(c, "the cluster was started without TLS");
	if (change.cert == NULL && change.key == NULL && change.client_ca == NULL && change.client_auth == NULL &&
		change.min_version == NULL)
		return refuse(c, "nothing to change is given");
	if (change.client_auth != NULL && !tls_client_auth_by_name(change.client_auth))
		return refuse(c, "client_auth is one of disabled, enabled, mandatory");
	if (change.min_version != NULL && !tls_version_by_name(change.min_version))
		return refuse(c, "min_version is 1.2 or 1.3");
	return tls_configure(c->node, &change, error, sizeof(error)) || refuse(c, "%s", error);
}

/* ---------------------------------------------------------------- the map */

static bool
run_move(Call *c)
{
	Bucket	   *b;
	long long	vb = 0;
	long long	to = 0;
	VBucket    *v;

	if (!bucket_arg(c, &b) || !number_arg(c, "vbucket", true, 0, b->num_vbuckets - 1, &vb) ||
		!number_arg(c, "to", true, 0, c->cluster->num_nodes - 1, &to))
		return false;
	v = &b->vb[vb];
	for (unsigned r = 1; r <= CB_MAX_REPLICAS; r++)
		if (v->nodes[r] == to)
			bucket_set_node(b, (unsigned) vb, r, v->nodes[0]);
	bucket_set_node(b, (unsigned) vb, 0, (int) to);
	cluster_config_changed(c->cluster, b);
	return true;
}

/* Spreads the vBuckets of a bucket evenly over the nodes that are in the cluster and up; without=N leaves one out. */
static bool
run_rebalance(Call *c)
{
	int			up[CB_MAX_NODES];
	int			n = 0;
	long long	without = -1;
	Bucket	   *b;

	if (!bucket_arg(c, &b) || !number_arg(c, "without", false, 0, c->cluster->num_nodes - 1, &without))
		return false;
	for (int i = 0; i < c->cluster->num_nodes; i++)
		if (!c->cluster->nodes[i]->failed_over && !c->cluster->nodes[i]->killed && i != without)
			up[n++] = i;
	if (n == 0)
		return refuse(c, "no node is left");
	for (unsigned v = 0; v < b->num_vbuckets; v++)
	{
		unsigned	home = v * (unsigned) n / b->num_vbuckets;

		for (unsigned r = 0; r <= b->num_replicas; r++)
			bucket_set_node(b, v, r, r < (unsigned) n ? up[(home + r) % (unsigned) n] : CB_NO_NODE);
	}
	cluster_config_changed(c->cluster, b);
	return true;
}

static bool
run_topology(Call *c)
{
	static const char *const names[] = {"map", "unassigned", "silent"};
	const char *kind = evhttp_find_header(c->args, "kind");
	long long	vb = 0;
	Bucket	   *b;

	if (!bucket_arg(c, &b) || !number_arg(c, "vbucket", true, 0, b->num_vbuckets - 1, &vb))
		return false;
	for (unsigned i = 0; kind != NULL && i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strcmp(names[i], kind) == 0)
		{
			bucket_set_topology(b, (unsigned) vb, (Topology) i);
			return true;
		}
	}
	return refuse(c, "kind is one of map, unassigned, silent");
}

static bool
run_revision(Call *c)
{
	long long	epoch = c->cluster->epoch;

	if (!number_arg(c, "epoch", false, epoch, INT32_MAX, &epoch))
		return false;
	c->cluster->epoch = epoch;
	cluster_config_changed(c->cluster, NULL);
	return true;
}

/* ---------------------------------------------------------------- time, persistence, end */

static bool
run_clock(Call *c)
{
	long long	ms;

	if (!number_arg(c, "ms", true, 0, INT64_MAX / 4, &ms))
		return false;
	c->cluster->time_shift_ms += ms;
	return true;
}

static bool
run_quit(Call *c)
{
	struct timeval soon = {0, 20000};

	event_base_loopexit(c->cluster->base, &soon);
	return true;
}

static json_t *
node_status(const Node *n)
{
	json_t	   *faults = json_array();

	for (const Fault *f = n->faults; f != NULL; f = f->next)
		json_array_append_new(faults, json_pack("{s:s, s:i, s:i, s:i}", "kind", fault_kinds[f->kind].name,
												"opcode", f->opcode, "status", f->status, "remaining", f->remaining));
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:b, s:b, s:b, s:i, s:I, s:o}", "node", n->index,
					 "kv_port", n->kv_port, "kvs_port", n->kvs_port,
					 "management_port", n->mgmt_port, "management_tls_port", n->mgmt_tls_port,
					 "killed", n->killed, "paused", n->paused, "failed_over", n->failed_over,
					 "delay_ms", (int) n->delay_ms, "requests", (json_int_t) n->requests, "faults", faults);
}

static json_t *
bucket_status(const Bucket *b)
{
	json_t	   *active = json_array();
	size_t		items = 0;
	int			counts[CB_MAX_NODES] = {0};

	for (unsigned v = 0; v < b->num_vbuckets; v++)
	{
		items += b->vb[v].items;
		if (b->vb[v].nodes[0] >= 0)
			counts[b->vb[v].nodes[0]]++;
	}
	for (int i = 0; i < b->cluster->num_nodes; i++)
		json_array_append_new(active, json_integer(counts[i]));
	return json_pack("{s:s, s:I, s:I, s:i, s:i, s:o}", "bucket", b->name, "revision", (json_int_t) b->rev,
					 "items", (json_int_t) items, "vbuckets", (int) b->num_vbuckets, "replicas", (int) b->num_replicas,
					 "active_vbuckets", active);
}

static bool
run_status(Call *c)
{
	json_t	   *nodes = json_array();
	json_t	   *buckets = json_array();

	for (int i = 0; i < c->cluster->num_nodes; i++)
		json_array_append_new(nodes, node_status(c->cluster->nodes[i]));
	for (const Bucket *b = c->cluster->buckets; b != NULL; b = b->next)
		json_array_append_new(buckets, bucket_status(b));
	json_object_set_new(c->answer, "epoch", json_integer(c->cluster->epoch));
	json_object_set_new(c->answer, "revision", json_integer((json_int_t) c->cluster->rev));
	json_object_set_new(c->answer, "nodes", nodes);
	json_object_set_new(c->answer, "buckets", buckets);
	return true;
}

/* ---------------------------------------------------------------- the table */

static const Row rows[] = {
	{"status", false, "", run_status, "what is up, down, paused, and which faults are armed"},
	{"kill", true, "failover", run_kill, "close the node's ports and connections; failover=1: others take over"},
	{"revive", true, "", run_revive, "open the same ports again; takes its vBuckets back after a fail-over"},
	{"pause", true, "", run_pause, "accept connections and answer nothing"},
	{"resume", true, "", run_resume, "go on, with what was asked in the meantime"},
	{"failover", true, "", run_failover, "replicas take over, the node leaves the configuration"},
	{"drop", true, "", run_drop, "close all data connections once"},
	{"delay", true, "ms", run_delay, "every data request waits so long; 0 ends it"},
	{"fault", true, "kind opcode count skip status offset ms", run_fault,
	"kind=status|status-after|close|close-after|silent|corrupt|truncate|delay for the next count requests (-1: all)"},
	{"tmpfail", true, "opcode count skip", run_tmpfail, "the next count requests are answered with status 86"},
	{"clear", true, "", run_clear, "no more faults and delays"},
	{"certificate", true, "cert key client_ca client_auth min_version", run_certificate,
	"TLS settings of new connections; files are read at once"},
	{"move", false, "bucket vbucket to", run_move, "another node becomes active for a vBucket; new revision"},
	{"rebalance", false, "bucket without", run_rebalance, "spread vBuckets over the nodes that are up; new revision"},
	{"topology", false, "bucket vbucket kind", run_topology,
	"what durability sees of the replicas: kind=map|unassigned|silent"},
	{"revision", false, "epoch", run_revision, "new configuration revision without a change; epoch=N: of that epoch"},
	{"clock", false, "ms", run_clock, "advance the server's clock, e.g. past an expiry"},
	{"quit", false, "", run_quit, "end the test cluster"},
};

/* Refuses arguments that the row does not understand. */
static bool
check_args(Call *c, const Row *row)
{
	const struct evkeyval *arg;

	TAILQ_FOREACH(arg, c->args, next)
	{
		const char *p = row->args;
		size_t		len = strlen(arg->key);
		bool		known = row->takes_node && strcmp(arg->key, "node") == 0;

		while (!known && *p != '\0')
		{
			size_t		word = strcspn(p, " ");

			known = word == len && memcmp(p, arg->key, len) == 0;
			p += word + (p[word] == ' ');
		}
		if (!known)
			return refuse(c, "%s does not take \"%s\"", row->name, arg->key);
	}
	return true;
}

/* Runs a row for the node or nodes named. */
static bool
run_row(Call *c, const Row *row)
{
	const char *which = evhttp_find_header(c->args, "node");
	long long	index = 0;

	if (!check_args(c, row))
		return false;
	if (!row->takes_node)
		return row->run(c);
	if (which != NULL && strcmp(which, "all") == 0)
	{
		for (int i = 0; i < c->cluster->num_nodes; i++)
		{
			c->node = c->cluster->nodes[i];
			if (!row->run(c))
				return false;
		}
		return true;
	}
	if (!number_arg(c, "node", true, 0, c->cluster->num_nodes - 1, &index))
		return false;
	c->node = c->cluster->nodes[index];
	return row->run(c);
}

static json_t *
list_rows(void)
{
	json_t	   *list = json_array();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_array_append_new(list, json_pack("{s:s+, s:s+, s:s}", "path", "/", rows[i].name,
											  "arguments", rows[i].takes_node ? "node " : "", rows[i].args,
											  "does", rows[i].what));
	return list;
}

static void
answer(struct evhttp_request *req, int code, json_t *json)
{
	char	   *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	struct evbuffer *out = evbuffer_new();

	json_decref(json);
	evbuffer_add_printf(out, "%s\n", text);
	free(text);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "application/json");
	evhttp_send_reply(req, code, code == 200 ? "OK" : "Bad Request", out);
	evbuffer_free(out);
}

static void
on_call(struct evhttp_request *req, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : "";
	const char *query = uri != NULL ? evhttp_uri_get_query(uri) : NULL;
	struct evkeyvalq args;
	Call		c = {.cluster = arg, .args = &args};
	const Row  *row = NULL;
	bool		done;

	for (size_t i = 0; *path == '/' && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(path + 1, rows[i].name) == 0)
			row = &rows[i];
	if (row == NULL && strcmp(path, "/") == 0)
	{
		answer(req, 200, list_rows());
		return;
	}
	if (evhttp_parse_query_str(query != NULL ? query : "", &args) != 0)
	{
		answer(req, 400, json_pack("{s:s}", "error", "the query string is malformed"));
		return;
	}
	c.answer = json_pack("{s:b}", "ok", true);
	done = row != NULL ? run_row(&c, row) : refuse(&c, "there is no switch \"%.100s\"; GET / lists them", path);
	if (done)
		answer(req, 200, json_incref(c.answer));
	else
		answer(req, 400, json_pack("{s:s}", "error", c.error));
	json_decref(c.answer);
	evhttp_clear_headers(&args);
}

bool
control_start(Cluster *cl)
{
	struct evhttp_bound_socket *bound;

	server = evhttp_new(cl->base);
	evhttp_set_allowed_methods(server, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_gencb(server, on_call, cl);
	bound = evhttp_bind_socket_with_handle(server, cl->host, cl->control_port);
	if (bound == NULL)
	{
		cb_log("cannot listen on %s:%u (control)", cl->url_host, cl->control_port);
		return false;
	}
	cl->control_port = http_bound_port(bound);
	return true;
}

void
control_stop(Cluster *cl)
{
	(void) cl;
	if (server != NULL)
		evhttp_free(server);
	server = NULL;
}
