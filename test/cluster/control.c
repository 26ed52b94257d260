/*
 * control.c: the control port: switches over HTTP, one table row each. USING.md shows how to use it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "control.h"

static struct evhttp *server;

/* ---------------------------------------------------------------- arguments */

bool
call_refuse(Call *c, const char *fmt,...)
{
	va_list		ap;

	va_start(ap, fmt);
	vsnprintf(c->error, sizeof(c->error), fmt, ap);
	va_end(ap);
	http_plain_text(c->error);
	return false;
}

const char *
call_text(Call *c, const char *name)
{
	return evhttp_find_header(c->args, name);
}

bool
call_number(Call *c, const char *name, bool required, long long min, long long max, long long *out)
{
	const char *text = evhttp_find_header(c->args, name);
	char	   *end;
	long long	value;

	if (text == NULL)
		return required ? call_refuse(c, "%s=NUMBER is missing", name) : true;
	errno = 0;
	value = strtoll(text, &end, 0);
	if (end == text || *end != '\0' || errno != 0 || value < min || value > max)
		return call_refuse(c, "%s=%s is not a number of %lld to %lld", name, text, min, max);
	*out = value;
	return true;
}

bool
call_flag(Call *c, const char *name, bool *out)
{
	long long	value = *out;

	if (!call_number(c, name, false, 0, 1, &value))
		return false;
	*out = value != 0;
	return true;
}

bool
call_bucket(Call *c, Bucket **out)
{
	const char *name = evhttp_find_header(c->args, "bucket");

	if (name == NULL)
		return call_refuse(c, "bucket=NAME is missing");
	*out = bucket_find(c->cluster, name, strlen(name));
	return *out != NULL || call_refuse(c, "there is no bucket \"%s\"", name);
}

bool
call_choice(Call *c, const char *name, const char *const *list, unsigned *out)
{
	const char *value = call_text(c, name);
	char		names[200] = "";

	for (unsigned i = 0; list[i] != NULL; i++)
	{
		size_t		used = strlen(names);

		if (value != NULL && strcmp(list[i], value) == 0)
		{
			*out = i;
			return true;
		}
		snprintf(names + used, sizeof(names) - used, "%s%s", used > 0 ? ", " : "", list[i]);
	}
	return call_refuse(c, "%s is one of %s", name, names);
}

/* ---------------------------------------------------------------- time, persistence, end */

static bool
run_clock(Call *c)
{
	long long	ms;

	if (!call_number(c, "ms", true, 0, INT64_MAX / 4, &ms))
		return false;
	c->cluster->time_shift_ms += ms;
	return true;
}

static bool
run_password(Call *c)
{
	const char *name = call_text(c, "user");
	const char *password = call_text(c, "password");

	if (name == NULL || user_find(c->cluster, name, strlen(name)) == NULL)
		return call_refuse(c, "user=NAME is missing or nobody's");
	if (password == NULL)
		return call_refuse(c, "password=TEXT is missing");
	user_create(c->cluster, name, password);
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
	unsigned	connections = 0;

	for (const Conn *c = n->conns; c != NULL; c = c->next)
		connections++;
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:i, s:i, s:i, s:I, s:I, s:I, s:o}",
					 "node", n->index,
					 "kv_port", n->kv_port, "kvs_port", n->kvs_port,
					 "management_port", n->mgmt_port, "management_tls_port", n->mgmt_tls_port,
					 "killed", n->killed, "paused", n->paused, "failed_over", n->failed_over,
					 "refusing", n->refusing, "joining", n->joining, "frozen", n->frozen,
					 "delay_ms", (int) n->delay_ms, "connections", (int) connections,
					 "scans", (int) scans_open(n),
					 "accepted", (json_int_t) n->accepted, "flights", (json_int_t) n->flights,
					 "requests", (json_int_t) n->requests,
					 "faults", control_faults_json(n));
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
	return json_pack("{s:s, s:s, s:I, s:I, s:i, s:i, s:b, s:o}", "bucket", b->name, "uuid", b->uuid, "revision", (json_int_t) b->rev,
					 "items", (json_int_t) items, "vbuckets", (int) b->num_vbuckets, "replicas", (int) b->num_replicas,
					 "rebalancing", b->rebalance != NULL, "active_vbuckets", active);
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

/* ---------------------------------------------------------------- the tables */

static const Row common_rows[] = {
	{"status", false, "", run_status, "what is up, down, paused, and which faults are armed"},
	{"clock", false, "ms", run_clock, "advance the server's clock, e.g. past an expiry"},
	{"password", false, "user password", run_password, "change a password; connections stay"},
	{"quit", false, "", run_quit, "end the test cluster"},
	{0}
};

static const Row *const tables[] = {common_rows, control_node_rows, control_fault_rows, control_map_rows};

#define NUM_TABLES (sizeof(tables) / sizeof(tables[0]))

static const Row *
find_row(const char *name)
{
	for (size_t t = 0; t < NUM_TABLES; t++)
	{
		for (const Row *row = tables[t]; row->name != NULL; row++)
		{
			if (strcmp(row->name, name) == 0)
				return row;
		}
	}
	return NULL;
}

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
			return call_refuse(c, "%s does not take \"%s\"", row->name, arg->key);
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
	if (!call_number(c, "node", true, 0, c->cluster->num_nodes - 1, &index))
		return false;
	c->node = c->cluster->nodes[index];
	return row->run(c);
}

static json_t *
list_rows(void)
{
	json_t	   *list = json_array();

	for (size_t t = 0; t < NUM_TABLES; t++)
	{
		for (const Row *row = tables[t]; row->name != NULL; row++)
			json_array_append_new(list, json_pack("{s:s+, s:s+, s:s}", "path", "/", row->name,
												  "arguments", row->takes_node ? "node " : "", row->args,
												  "does", row->what));
	}
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
	Call		c = {.cluster = arg, .args = &args, .body = evhttp_request_get_input_buffer(req)};
	const Row  *row = NULL;
	bool		done;

	if (*path == '/')
		row = find_row(path + 1);
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
	done = row != NULL ? run_row(&c, row) : call_refuse(&c, "there is no switch \"%.100s\"; GET / lists them", path);
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
