/*
 * main.c: starts the test cluster: command line, start-up file, documents, ports, ready file; ends on
 * SIGTERM and SIGINT.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "manage.h"

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void) fd;
	(void) what;
	event_base_loopbreak(arg);
}

/* Asks the kernel for SIGTERM when the parent ends; the parent may have ended before that. */
static void
follow_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		cb_log("cannot watch the parent process: %s", strerror(errno));
	if (getppid() != parent)
		exit(0);
}

/* A list of "host:port"; a port of 0 is left out. */
static json_t *
addresses(const Cluster *cl, const uint16_t *ports, int n)
{
	json_t	   *list = json_array();

	for (int i = 0; i < n; i++)
		if (ports[i] != 0)
			json_array_append_new(list, json_sprintf("%s:%u", cl->url_host, ports[i]));
	return list;
}

static json_t *
ready_json(const Cluster *cl)
{
	uint16_t	kv[CB_MAX_NODES];
	uint16_t	kvs[CB_MAX_NODES];
	uint16_t	management[CB_MAX_NODES];
	uint16_t	management_tls[CB_MAX_NODES];
	uint16_t	query[CB_MAX_NODES];
	uint16_t	query_tls[CB_MAX_NODES];
	char	   *string = xstrdup("couchbase://");
	bool		first = true;
	json_t	   *json;

	for (int i = 0; i < cl->num_nodes; i++)
	{
		char	   *longer;

		if (!cl->nodes[i]->no_data)
		{
			longer = xasprintf("%s%s%s:%u", string, first ? "" : ",", cl->url_host, cl->nodes[i]->kv_port);
			free(string);
			string = longer;
			first = false;
		}
		kv[i] = cl->nodes[i]->kv_port;
		kvs[i] = cl->nodes[i]->kvs_port;
		management[i] = cl->nodes[i]->mgmt_port;
		management_tls[i] = cl->nodes[i]->mgmt_tls_port;
		query[i] = cl->nodes[i]->query_port;
		query_tls[i] = cl->nodes[i]->query_tls_port;
	}
	json = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "connection_string", string,
					 "kv", addresses(cl, kv, cl->num_nodes), "kvs", addresses(cl, kvs, cl->num_nodes),
					 "management", addresses(cl, management, cl->num_nodes),
					 "management_tls", addresses(cl, management_tls, cl->num_nodes),
					 "query", addresses(cl, query, cl->num_nodes), "query_tls", addresses(cl, query_tls, cl->num_nodes),
					 "control", addresses(cl, &cl->control_port, 1));
	free(string);
	return json;
}

/* Writes the ready file under another name and renames it, so that nobody reads half of it. */
static bool
write_ready_file(const Cluster *cl, const char *file)
{
	char	   *temporary = xasprintf("%s.%ld", file, (long) getpid());
	json_t	   *json = ready_json(cl);
	bool		ok;

	ok = json_dump_file(json, temporary, 0) == 0 && rename(temporary, file) == 0;
	if (!ok)
	{
		cb_log("cannot write \"%s\": %s", file, strerror(errno));
		unlink(temporary);
	}
	json_decref(json);
	free(temporary);
	return ok;
}

static bool
set_up(const Options *o, const Startup *startup, Cluster *cl)
{
	cl->no_query = o->no_query;
	if (!startup_apply(startup, cl))
		return false;
	for (const Source *s = o->sources; s != NULL; s = s->next)
		if (!source_load(cl, s))
			return false;
	return http_start(cl) && cluster_start_kv(cl) && control_start(cl) &&
		(o->ready_file == NULL || write_ready_file(cl, o->ready_file));
}

int
main(int argc, char **argv)
{
	pid_t		parent = getppid();
	Options		o;
	Startup		startup;
	struct event_base *base;
	struct event *term;
	struct event *intr;
	Cluster    *cl;
	int			status = 1;

	/* Answers come and go by the megabyte: keep their memory instead of giving it back and faulting it in again. */
	mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024);
	mallopt(M_TOP_PAD, 64 * 1024 * 1024);

	options_parse(argc, argv, &o);
	if (o.die_with_parent)
		follow_parent(parent);
	signal(SIGPIPE, SIG_IGN);
	if (!startup_read(&o, &startup))
		return 1;
	base = event_base_new();
	term = evsignal_new(base, SIGTERM, on_signal, base);
	intr = evsignal_new(base, SIGINT, on_signal, base);
	cl = cluster_new(base, startup.num_nodes);
	if (set_up(&o, &startup, cl))
	{
		event_add(term, NULL);
		event_add(intr, NULL);
		event_base_dispatch(base);
		status = cl->exit_code;
		if (o.ready_file != NULL)
			unlink(o.ready_file);
	}
	control_stop(cl);
	http_stop(cl);
	query_catalog_free(cl);
	cluster_free(cl);
	event_free(term);
	event_free(intr);
	event_base_free(base);
	json_decref(startup.root);
	options_free(&o);
	return status;
}
