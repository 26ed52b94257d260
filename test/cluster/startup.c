/*
 * startup.c: the start-up file (--config): JSON, every member optional, an unknown one an error. USING.md
 * lists the members.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "manage.h"
#include "tls.h"

/* Where in the file a value stands, for messages: a chain of names, innermost last. */
typedef struct Place
{
	const struct Place *outer;
	const char *name;
} Place;

static void
print_place(const Place *p, char *out, size_t room)
{
	size_t		used;

	if (p->outer != NULL)
		print_place(p->outer, out, room);
	used = strlen(out);
	snprintf(out + used, room - used, "%s%s", used > 0 ? " / " : "", p->name);
}

static bool wrong(const Place *p, const char *fmt,...) __attribute__((format(printf, 2, 3)));

/* Prints the place and what is wrong there; always false. */
static bool
wrong(const Place *p, const char *fmt,...)
{
	char		place[512] = "";
	char		text[512];
	va_list		ap;

	print_place(p, place, sizeof(place));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cb_log("%s: %s", place, text);
	return false;
}

/* Checks that value is an object with no member outside of the NULL-terminated list. */
static bool
check_object(const Place *p, json_t *value, const char *const *names)
{
	const char *name;
	json_t	   *member;

	if (!json_is_object(value))
		return wrong(p, "an object is expected");
	json_object_foreach(value, name, member)
	{
		const char *const *n = names;

		while (*n != NULL && strcmp(*n, name) != 0)
			n++;
		if (*n == NULL)
			return wrong(p, "there is no member \"%s\"", name);
	}
	return true;
}

/* Reads a whole number of min..max into *out, which keeps its value if the member is missing. */
static bool
get_number(const Place *p, json_t *object, const char *name, json_int_t min, json_int_t max, json_int_t *out)
{
	json_t	   *value = json_object_get(object, name);
	Place		here = {p, name};

	if (value == NULL)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
		return wrong(&here, "a whole number of %lld to %lld is expected", (long long) min, (long long) max);
	*out = json_integer_value(value);
	return true;
}

/* The same for a text; *out is borrowed. */
static bool
get_text(const Place *p, json_t *object, const char *name, bool required, const char **out)
{
	json_t	   *value = json_object_get(object, name);
	Place		here = {p, name};

	if (value == NULL && !required)
		return true;
	if (!json_is_string(value))
		return wrong(&here, "a text is expected");
	*out = json_string_value(value);
	return true;
}

/* ---------------------------------------------------------------- before the cluster exists */

/* Settings of the command line stay. */
static bool
read_tls(const Place *p, json_t *tls, TlsSettings *out)
{
	static const char *const names[] = {"cert", "key", "client_ca", "client_auth", "min_version", NULL};
	Place		here = {p, "tls"};
	TlsSettings s = {0};

	if (tls == NULL)
		return true;
	if (!check_object(&here, tls, names) ||
		!get_text(&here, tls, "cert", true, &s.cert) || !get_text(&here, tls, "key", true, &s.key) ||
		!get_text(&here, tls, "client_ca", false, &s.client_ca) ||
		!get_text(&here, tls, "client_auth", false, &s.client_auth) ||
		!get_text(&here, tls, "min_version", false, &s.min_version))
		return false;
	if (s.client_auth != NULL && !tls_client_auth_by_name(s.client_auth))
		return wrong(&here, "\"client_auth\" is \"disabled\", \"enabled\" or \"mandatory\"");
	if (s.min_version != NULL && !tls_version_by_name(s.min_version))
		return wrong(&here, "\"min_version\" is \"1.2\" or \"1.3\"");
	out->cert = out->cert != NULL ? out->cert : s.cert;
	out->key = out->key != NULL ? out->key : s.key;
	out->client_ca = out->client_ca != NULL ? out->client_ca : s.client_ca;
	out->client_auth = out->client_auth != NULL ? out->client_auth : s.client_auth;
	out->min_version = out->min_version != NULL ? out->min_version : s.min_version;
	return true;
}

static bool
read_head(const Options *o, Startup *s)
{
	static const char *const names[] = {
		"bind", "nodes", "control_port", "flush_ms", "scram_iterations", "slow_client_ms", "buckets", "users", "tls", NULL
	};
	Place		file = {NULL, o->config_file};
	const char *bind = NULL;
	json_t	   *nodes;
	json_int_t	count = s->num_nodes;

	if (!check_object(&file, s->root, names))
		return false;
	if (!get_text(&file, s->root, "bind", false, &bind))
		return false;
	if (bind != NULL && !options_loopback(bind))
		return wrong(&file, "\"bind\" is refused: only 127.0.0.1 and ::1 are ever bound, not \"%s\"", bind);
	s->bind = o->bind != NULL ? o->bind : bind;
	nodes = json_object_get(s->root, "nodes");
	if (json_is_array(nodes))
		count = (json_int_t) json_array_size(nodes);
	else if (!get_number(&file, s->root, "nodes", 1, CB_MAX_NODES, &count))
		return false;
	if (count < 1 || count > CB_MAX_NODES)
		return wrong(&file, "1 to %d nodes are possible", CB_MAX_NODES);
	s->num_nodes = o->num_nodes > 0 ? o->num_nodes : (int) count;
	return read_tls(&file, json_object_get(s->root, "tls"), &s->tls);
}

bool
startup_read(const Options *o, Startup *s)
{
	json_error_t error;

	memset(s, 0, sizeof(*s));
	s->num_nodes = o->num_nodes > 0 ? o->num_nodes : 2;
	s->bind = o->bind;
	s->tls = o->tls;
	s->external = o->external;
	if (o->config_file == NULL)
		return true;
	s->root = json_load_file(o->config_file, JSON_REJECT_DUPLICATES, &error);
	if (s->root == NULL)
	{
		cb_log("%s:%d: %s", o->config_file, error.line, error.text);
		return false;
	}
	return read_head(o, s);
}

/* ---------------------------------------------------------------- nodes */

/* {NETWORK: {"hostname": HOST, "ports": {SERVICE: PORT} or "own"}}; without "ports" there is no such member either. */
static bool
apply_alternates(const Place *p, json_t *networks, Node *n)
{
	static const char *const names[] = {"hostname", "ports", NULL};
	Place		list = {p, "alternates"};
	const char *network;
	json_t	   *entry;

	if (networks != NULL && !json_is_object(networks))
		return wrong(&list, "an object of networks is expected");
	json_object_foreach(networks, network, entry)
	{
		Place		here = {&list, network};
		const char *hostname = NULL;
		json_t	   *ports = json_object_get(entry, "ports");
		char	   *text = json_is_object(ports) ? json_dumps(ports, JSON_COMPACT) : NULL;

		if (!check_object(&here, entry, names) || !get_text(&here, entry, "hostname", true, &hostname))
			return false;
		if (ports != NULL && text == NULL && (!json_is_string(ports) || strcmp(json_string_value(ports), "own") != 0))
			return wrong(&here, "\"ports\" is an object of ports or \"own\"");
		node_set_alternate(n, network, hostname, ports != NULL, text);
		free(text);
	}
	return true;
}

static bool
apply_nodes(const Place *p, json_t *nodes, Cluster *cl)
{
	static const char *const names[] = {
		"kv_port", "kvs_port", "management_port", "management_tls_port", "query_port", "query_tls_port", "data", "query",
		"hostname", "alternates", NULL
	};
	Place		here = {p, "nodes"};

	if (!json_is_array(nodes))
		return true;
	for (int i = 0; i < cl->num_nodes && (size_t) i < json_array_size(nodes); i++)
	{
		json_t	   *node = json_array_get(nodes, (size_t) i);
		json_int_t	kv = 0;
		json_int_t	kvs = 0;
		json_int_t	management = 0;
		json_int_t	management_tls = 0;
		json_int_t	query = 0;
		json_int_t	query_tls = 0;
		const char *hostname = NULL;

		if (!check_object(&here, node, names) ||
			!get_number(&here, node, "kv_port", 0, 65535, &kv) ||
			!get_number(&here, node, "kvs_port", 0, 65535, &kvs) ||
			!get_number(&here, node, "management_port", 0, 65535, &management) ||
			!get_number(&here, node, "management_tls_port", 0, 65535, &management_tls) ||
			!get_number(&here, node, "query_port", 0, 65535, &query) ||
			!get_number(&here, node, "query_tls_port", 0, 65535, &query_tls) ||
			!get_text(&here, node, "hostname", false, &hostname) ||
			!apply_alternates(&here, json_object_get(node, "alternates"), cl->nodes[i]))
			return false;
		node_set_hostname(cl->nodes[i], hostname);
		cl->nodes[i]->no_data = json_is_false(json_object_get(node, "data"));
		cl->nodes[i]->no_query |= json_is_false(json_object_get(node, "query"));
		if (cl->nodes[i]->tls != NULL)
		{
			cl->nodes[i]->kvs_port = (uint16_t) kvs;
			cl->nodes[i]->mgmt_tls_port = (uint16_t) management_tls;
			cl->nodes[i]->query_tls_port = (uint16_t) (cl->nodes[i]->no_query ? 0 : query_tls);
		}
		cl->nodes[i]->kv_port = (uint16_t) kv;
		cl->nodes[i]->mgmt_port = (uint16_t) management;
		cl->nodes[i]->query_port = (uint16_t) (cl->nodes[i]->no_query ? 0 : query);
	}
	return true;
}

/* ---------------------------------------------------------------- buckets */

static bool
apply_collections(const Place *p, json_t *collections, Bucket *b, const char *scope)
{
	static const char *const names[] = {"max_expiry", NULL};
	const char *name;
	json_t	   *value;

	if (!json_is_object(collections))
		return wrong(p, "an object of collections is expected");
	json_object_foreach(collections, name, value)
	{
		Place		here = {p, name};
		json_int_t	max_ttl = 0;
		Scope	   *s = scope_find(b, scope, strlen(scope));

		if (!check_object(&here, value, names) ||
			!get_number(&here, value, "max_expiry", 0, INT32_MAX, &max_ttl))
			return false;
		if (collection_find(s, name, strlen(name)) != NULL)
			continue;
		if (collection_create(b, scope, name, (uint32_t) max_ttl, NULL) != KV_SUCCESS)
			return wrong(&here, "the collection cannot be created: the name is not allowed");
	}
	return true;
}

static bool
apply_scopes(const Place *p, json_t *scopes, Bucket *b)
{
	static const char *const names[] = {"collections", NULL};
	Place		list = {p, "scopes"};
	const char *name;
	json_t	   *value;

	if (scopes == NULL)
		return true;
	if (!json_is_object(scopes))
		return wrong(&list, "an object of scopes is expected");
	json_object_foreach(scopes, name, value)
	{
		Place		here = {&list, name};
		json_t	   *collections = json_object_get(value, "collections");

		if (!check_object(&here, value, names))
			return false;
		if (scope_find(b, name, strlen(name)) == NULL && scope_create(b, name, NULL) != KV_SUCCESS)
			return wrong(&here, "the scope cannot be created: the name is not allowed");
		if (collections != NULL && !apply_collections(&here, collections, b, name))
			return false;
	}
	return true;
}

static bool
apply_topology(const Place *p, json_t *entry, Bucket *b, unsigned vb)
{
	const char *text = "map";

	if (!get_text(p, entry, "topology", false, &text))
		return false;
	if (strcmp(text, "map") == 0)
		bucket_set_topology(b, vb, TOPOLOGY_MAP);
	else if (strcmp(text, "unassigned") == 0)
		bucket_set_topology(b, vb, TOPOLOGY_UNASSIGNED);
	else if (strcmp(text, "silent") == 0)
		bucket_set_topology(b, vb, TOPOLOGY_SILENT);
	else
		return wrong(p, "\"topology\" is \"map\", \"unassigned\" or \"silent\"");
	return true;
}

/* {"vbucket": N, "to": M, "active": NODE, "replicas": [NODE, ...], "topology": ...}: departures from the even map. */
static bool
apply_vbuckets(const Place *p, json_t *entry, Bucket *b)
{
	static const char *const names[] = {"vbucket", "to", "active", "replicas", "topology", NULL};
	json_int_t	last = (json_int_t) b->num_vbuckets - 1;
	json_int_t	last_node = b->cluster->num_nodes - 1;
	json_int_t	first = 0;
	json_int_t	to = -1;
	json_int_t	active = -1;
	json_t	   *replicas = json_object_get(entry, "replicas");

	if (!check_object(p, entry, names) ||
		!get_number(p, entry, "vbucket", 0, last, &first) ||
		!get_number(p, entry, "to", first, last, &to) ||
		!get_number(p, entry, "active", 0, last_node, &active))
		return false;
	if (replicas != NULL && (!json_is_array(replicas) || json_array_size(replicas) > CB_MAX_REPLICAS))
		return wrong(p, "\"replicas\" is a list of at most %d nodes", CB_MAX_REPLICAS);
	for (json_int_t vb = first; vb <= (to < 0 ? first : to); vb++)
	{
		if (active >= 0)
			bucket_set_node(b, (unsigned) vb, 0, (int) active);
		for (unsigned r = 1; replicas != NULL && r <= CB_MAX_REPLICAS; r++)
		{
			json_t	   *node = json_array_get(replicas, r - 1);
			json_int_t	index = node != NULL ? json_integer_value(node) : CB_NO_NODE;

			if (node != NULL && (!json_is_integer(node) || index < CB_NO_NODE || index > last_node))
				return wrong(p, "\"replicas\" names a node that does not exist");
			bucket_set_node(b, (unsigned) vb, r, (int) index);
		}
		if (!apply_topology(p, entry, b, (unsigned) vb))
			return false;
	}
	return true;
}

static bool
apply_bucket(const Place *p, json_t *bucket, Cluster *cl)
{
	static const char *const names[] = {
		"name", "vbuckets", "replicas", "ram_quota_mb", "flush_enabled", "scopes", "map", "type", NULL
	};
	const char *name = NULL;
	json_int_t	vbuckets = CB_DEFAULT_VBUCKETS;
	json_int_t	replicas = 0;
	json_int_t	quota = 100;
	const char *type = "membase";
	json_t	   *map = json_object_get(bucket, "map");
	json_t	   *entry;
	size_t		i;
	Bucket	   *b;

	if (!check_object(p, bucket, names) || !get_text(p, bucket, "name", true, &name))
		return false;

	Place		here = {p, name};
	Place		map_place = {&here, "map"};

	if (!get_number(&here, bucket, "vbuckets", 1, CB_DEFAULT_VBUCKETS, &vbuckets) ||
		!get_number(&here, bucket, "replicas", 0, CB_MAX_REPLICAS, &replicas) ||
		!get_number(&here, bucket, "ram_quota_mb", 100, 1 << 20, &quota) ||
		!get_text(&here, bucket, "type", false, &type))
		return false;
	if (strcmp(type, "membase") != 0 && strcmp(type, "memcached") != 0)
		return wrong(&here, "\"type\" is \"membase\" or \"memcached\"");
	if (vbuckets != 64 && vbuckets != 128 && vbuckets != 1024)
		return wrong(&here, "a bucket has 64, 128 or 1024 vBuckets");
	b = bucket_create(cl, name, (unsigned) vbuckets, (unsigned) replicas);
	if (b == NULL)
		return wrong(&here, "the bucket cannot be created: the name is taken or not allowed");
	b->memcached = strcmp(type, "memcached") == 0;
	bucket_settings(b)->ram_quota_mb = (unsigned) quota;
	bucket_settings(b)->flush_enabled = json_is_true(json_object_get(bucket, "flush_enabled"));
	if (!apply_scopes(&here, json_object_get(bucket, "scopes"), b))
		return false;
	if (map != NULL && !json_is_array(map))
		return wrong(&map_place, "a list is expected");
	json_array_foreach(map, i, entry)
	{
		if (!apply_vbuckets(&map_place, entry, b))
			return false;
	}
	return true;
}

/* ---------------------------------------------------------------- users */

/* {"bucket": NAME, "scope": NAME, "collection": NAME, "privileges": [NAME, ...]}: less than any role gives. */
static bool
apply_grant(const Place *p, json_t *grant, User *u)
{
	static const char *const names[] = {"bucket", "scope", "collection", "privileges", NULL};
	const char *bucket = NULL;
	const char *scope = NULL;
	const char *collection = NULL;
	json_t	   *list = json_object_get(grant, "privileges");
	json_t	   *item;
	size_t		i;
	uint32_t	privileges = 0;

	if (!check_object(p, grant, names) || !get_text(p, grant, "bucket", true, &bucket) ||
		!get_text(p, grant, "scope", false, &scope) || !get_text(p, grant, "collection", false, &collection))
		return false;
	if (!json_is_array(list))
		return wrong(p, "\"privileges\" is a list of texts");
	json_array_foreach(list, i, item)
	{
		uint32_t	one = json_is_string(item) ?
			privilege_by_name(json_string_value(item), json_string_length(item)) : 0;

		if (one == 0)
			return wrong(p, "\"privileges\" names one that does not exist");
		privileges |= one;
	}
	user_grant(u, bucket, scope, collection, privileges);
	return true;
}

static bool
apply_user(const Place *p, json_t *user, Cluster *cl)
{
	static const char *const names[] = {"name", "password", "roles", "grants", NULL};
	const char *name = NULL;
	const char *password = NULL;
	json_t	   *roles = json_object_get(user, "roles");
	json_t	   *grants = json_object_get(user, "grants");
	json_t	   *item;
	size_t		i;
	char	   *list = xstrdup("");
	char	   *bad;
	User	   *u;

	if (!check_object(p, user, names) || !get_text(p, user, "name", true, &name) ||
		!get_text(p, user, "password", true, &password))
		return false;

	Place		here = {p, name};

	if ((roles != NULL && !json_is_array(roles)) || (grants != NULL && !json_is_array(grants)))
		return wrong(&here, "\"roles\" and \"grants\" are lists");
	json_array_foreach(roles, i, item)
	{
		const char *role = json_is_string(item) ? json_string_value(item) : "?";
		char	   *longer = xasprintf("%s%s%s", list, i > 0 ? "," : "", role);

		free(list);
		list = longer;
	}
	bad = roles_check(list);
	if (bad != NULL)
		return wrong(&here, "there is no role \"%s\"", bad);
	u = user_create(cl, name, password);
	roles_set(u, list, NULL);
	free(list);
	json_array_foreach(grants, i, item)
	{
		if (!apply_grant(&here, item, u))
			return false;
	}
	return true;
}

/* ---------------------------------------------------------------- all of it */

/* --external: nodes whose names in the cluster lead nowhere, reachable by that address only. */
static void
apply_external(const char *host, Cluster *cl)
{
	for (int i = 0; host != NULL && i < cl->num_nodes; i++)
	{
		char	   *name = xasprintf("node-%d.cbcluster.invalid", i);

		node_set_hostname(cl->nodes[i], name);
		node_set_alternate(cl->nodes[i], "external", host, true, NULL);
		free(name);
	}
}

static bool
apply_defaults(Cluster *cl)
{
	roles_set(user_create(cl, "Administrator", "password"), "admin", NULL);
	if (bucket_create(cl, "default", CB_DEFAULT_VBUCKETS, 0) == NULL)
	{
		cb_log("cannot create bucket \"default\"");
		return false;
	}
	return true;
}

static bool
apply_list(const Place *p, json_t *root, const char *name, Cluster *cl,
		   bool (*apply) (const Place *p, json_t *item, Cluster *cl))
{
	json_t	   *list = json_object_get(root, name);
	json_t	   *item;
	size_t		i;
	Place		here = {p, name};

	if (list != NULL && !json_is_array(list))
		return wrong(&here, "a list is expected");
	json_array_foreach(list, i, item)
	{
		if (!apply(&here, item, cl))
			return false;
	}
	return true;
}

/* Every node gets the settings if there are any. */
static bool
apply_tls(const TlsSettings *s, Cluster *cl)
{
	char		error[512];

	if (s->cert == NULL && s->key == NULL && s->client_ca == NULL && s->client_auth == NULL && s->min_version == NULL)
		return true;
	for (int i = 0; i < cl->num_nodes; i++)
	{
		if (!tls_configure(cl->nodes[i], s, error, sizeof(error)))
		{
			cb_log("%s", error);
			return false;
		}
	}
	return true;
}

bool
startup_apply(const Startup *s, Cluster *cl)
{
	Place		file = {NULL, "start-up file"};
	json_int_t	control = 0;
	json_int_t	flush_ms = cl->flush_ms;
	json_int_t	iterations = cl->scram_iterations;
	json_int_t	slow_client = cl->slow_client_ms;

	if (s->bind != NULL)
	{
		cl->host = s->bind;
		cl->url_host = strchr(s->bind, ':') != NULL ? "[::1]" : s->bind;
	}
	if (!apply_tls(&s->tls, cl))
		return false;
	apply_external(s->external, cl);
	if (s->root == NULL)
		return apply_defaults(cl);
	if (!get_number(&file, s->root, "control_port", 0, 65535, &control) ||
		!get_number(&file, s->root, "flush_ms", 1, 3600000, &flush_ms) ||
		!get_number(&file, s->root, "scram_iterations", 10, 1000000, &iterations) ||
		!get_number(&file, s->root, "slow_client_ms", 1, 3600000, &slow_client))
		return false;
	cl->control_port = (uint16_t) control;
	cl->flush_ms = (unsigned) flush_ms;
	cl->scram_iterations = (unsigned) iterations;
	cl->slow_client_ms = (unsigned) slow_client;
	return apply_nodes(&file, json_object_get(s->root, "nodes"), cl) &&
		apply_list(&file, s->root, "buckets", cl, apply_bucket) &&
		apply_list(&file, s->root, "users", cl, apply_user);
}
