/*
 * http_scopes.c: scopes and collections over HTTP (couchbase/ns_server, menelaus_web_collections.erl, collections.erl).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage.h"

#define MAX_NAME 251

/* Path segments: pools/default/buckets/BUCKET/scopes/SCOPE/collections/COLLECTION */
#define SCOPE_SEGMENT 5
#define COLLECTION_SEGMENT 7

static json_t *
hex_json(uint64_t uid)
{
	char		text[24];

	snprintf(text, sizeof(text), "%llx", (unsigned long long) uid);
	return json_string(text);
}

static void
get_manifest(HttpReq *h)
{
	json_t	   *scopes = json_array();

	for (const Scope *s = h->bucket->scopes; s != NULL; s = s->next)
	{
		json_t	   *collections = json_array();

		for (const Collection *c = s->collections; c != NULL; c = c->next)
			json_array_append_new(collections,
								  json_pack("{s:s, s:o, s:I, s:b}", "name", c->name, "uid", hex_json(c->id),
											"maxTTL", (json_int_t) c->max_ttl, "history", false));
		json_array_append_new(scopes, json_pack("{s:s, s:o, s:o}", "name", s->name, "uid", hex_json(s->id),
												"collections", collections));
	}
	http_json(h, 200, json_pack("{s:o, s:o}", "uid", hex_json(h->bucket->manifest_uid), "scopes", scopes));
}

/* The manifest has changed: the caller gets its new uid. */
static void
reply_changed(HttpReq *h)
{
	http_json(h, 200, json_pack("{s:o}", "uid", hex_json(h->bucket->manifest_uid)));
}

static void
reply_no_scope(HttpReq *h, const char *scope)
{
	http_field_error(h, 404, "_", "Scope with name \"%s\" is not found", scope);
}

/* Answers 400 unless name is one that a scope or collection may have. */
static bool
check_name(HttpReq *h, const char *name)
{
	if (name == NULL)
		http_field_error(h, 400, "name", "The value must be supplied");
	else if (*name == '\0' || strlen(name) > MAX_NAME)
		http_field_error(h, 400, "name", "Length must be in range from 1 to %d", MAX_NAME);
	else if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_%-")] != '\0')
		http_field_error(h, 400, "name", "Can only contain characters A-Z, a-z, 0-9 and the following symbols _ - %%");
	else if (*name == '_' || *name == '%')
		http_field_error(h, 400, "name", "First character must not be _ or %%");
	else
		return true;
	return false;
}

/* Reads maxTTL of the form into *ttl (-1 and 0: none), which keeps its value without one; false after answering 400. */
static bool
read_max_ttl(HttpReq *h, const struct evkeyvalq *form, uint32_t *ttl)
{
	const char *text = evhttp_find_header(form, "maxTTL");
	char	   *end;
	long		value;

	if (text == NULL)
		return true;
	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || value < -1 || value > INT32_MAX)
	{
		http_field_error(h, 400, "maxTTL", "The value must be in range from -1 to %d", INT32_MAX);
		return false;
	}
	*ttl = value > 0 ? (uint32_t) value : 0;
	return true;
}

/* Couchstore buckets keep no history. */
static bool
check_history(HttpReq *h, const struct evkeyvalq *form)
{
	const char *text = evhttp_find_header(form, "history");

	if (text == NULL || strcmp(text, "true") != 0)
		return true;
	http_text(h, 400, "text/plain", "Not allowed on this type of bucket", 34);
	return false;
}

static void
create_scope(HttpReq *h)
{
	struct evkeyvalq form;
	const char *name;

	if (!http_form(h, &form))
		return;
	name = evhttp_find_header(&form, "name");
	if (check_name(h, name))
	{
		if (scope_find(h->bucket, name, strlen(name)) != NULL)
			http_field_error(h, 400, "_", "Scope with name \"%s\" already exists", name);
		else if (scope_create(h->bucket, name, NULL) != KV_SUCCESS)
			http_field_error(h, 400, "_", "Scope \"%s\" cannot be created", name);
		else
			reply_changed(h);
	}
	evhttp_clear_headers(&form);
}

static void
drop_scope(HttpReq *h)
{
	const char *name = h->segment[SCOPE_SEGMENT];

	if (strcmp(name, "_default") == 0)
		http_field_error(h, 400, "_", "Deleting _default scope is not allowed");
	else if (scope_drop(h->bucket, name) != KV_SUCCESS)
		reply_no_scope(h, name);
	else
		reply_changed(h);
}

static void
create_collection(HttpReq *h)
{
	const char *scope = h->segment[SCOPE_SEGMENT];
	Scope	   *s = scope_find(h->bucket, scope, strlen(scope));
	struct evkeyvalq form;
	const char *name;
	uint32_t	ttl = 0;

	if (!http_form(h, &form))
		return;
	name = evhttp_find_header(&form, "name");
	if (check_name(h, name) && read_max_ttl(h, &form, &ttl) && check_history(h, &form))
	{
		if (s == NULL)
			reply_no_scope(h, scope);
		else if (collection_find(s, name, strlen(name)) != NULL)
			http_field_error(h, 400, "_", "Collection with name \"%s\" in scope \"%s\" already exists", name, scope);
		else if (collection_create(h->bucket, scope, name, ttl, NULL) != KV_SUCCESS)
			http_field_error(h, 400, "_", "Collection \"%s\" cannot be created", name);
		else
			reply_changed(h);
	}
	evhttp_clear_headers(&form);
}

/* Finds the collection of the path; NULL after answering 404. */
static Collection *
path_collection(HttpReq *h)
{
	const char *scope = h->segment[SCOPE_SEGMENT];
	const char *name = h->segment[COLLECTION_SEGMENT];
	Scope	   *s = scope_find(h->bucket, scope, strlen(scope));
	Collection *c = s != NULL ? collection_find(s, name, strlen(name)) : NULL;

	if (s == NULL)
		reply_no_scope(h, scope);
	else if (c == NULL)
		http_field_error(h, 404, "_", "Collection with name \"%s\" in scope \"%s\" is not found", name, scope);
	return c;
}

static void
drop_collection(HttpReq *h)
{
	Collection *c = path_collection(h);

	if (c == NULL)
		return;
	if (collection_drop(h->bucket, h->segment[SCOPE_SEGMENT], h->segment[COLLECTION_SEGMENT]) != KV_SUCCESS)
		http_field_error(h, 400, "_", "Collection \"%s\" cannot be dropped", h->segment[COLLECTION_SEGMENT]);
	else
		reply_changed(h);
}

static void
change_collection(HttpReq *h)
{
	Collection *c = path_collection(h);
	struct evkeyvalq form;

	if (c == NULL || !http_form(h, &form))
		return;
	if (read_max_ttl(h, &form, &c->max_ttl) && check_history(h, &form))
	{
		h->bucket->manifest_uid++;
		cluster_config_changed(h->cluster, h->bucket);
		reply_changed(h);
	}
	evhttp_clear_headers(&form);
}

#define COLLECTIONS_WRITE RIGHT_BUCKET_ADMIN, "cluster.bucket[%s].collections!write"

const HttpRoute http_scope_routes[] = {
	{EVHTTP_REQ_GET, "pools/default/buckets/{bucket}/scopes", RIGHT_BUCKET_READ,
	"cluster.collection[%s:.:.].collections!read", get_manifest},
	{EVHTTP_REQ_POST, "pools/default/buckets/{bucket}/scopes", COLLECTIONS_WRITE, create_scope},
	{EVHTTP_REQ_DELETE, "pools/default/buckets/{bucket}/scopes/*", COLLECTIONS_WRITE, drop_scope},
	{EVHTTP_REQ_POST, "pools/default/buckets/{bucket}/scopes/*/collections", COLLECTIONS_WRITE, create_collection},
	{EVHTTP_REQ_PATCH, "pools/default/buckets/{bucket}/scopes/*/collections/*", COLLECTIONS_WRITE, change_collection},
	{EVHTTP_REQ_DELETE, "pools/default/buckets/{bucket}/scopes/*/collections/*", COLLECTIONS_WRITE, drop_collection},
	{0, NULL, 0, NULL, NULL}
};
