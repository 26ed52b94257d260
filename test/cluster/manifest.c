/*
 * manifest.c: scopes and collections of a bucket (kv_engine docs/Collections.md).
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core.h"
#include "disk.h"

#define FIRST_ID 8						/* 0 is the default, 1-7 are reserved */
#define MAX_NAME 251

static Scope *
add_scope(Bucket *b, const char *name, size_t len, uint32_t id)
{
	Scope	   *s = xcalloc(1, sizeof(*s));
	Scope	  **at = &b->scopes;

	s->name = xstrndup(name, len);
	s->id = id;
	while (*at != NULL)
		at = &(*at)->next;
	*at = s;
	return s;
}

static Collection *
add_collection(Bucket *b, Scope *s, const char *name, size_t len, uint32_t id, uint32_t max_ttl)
{
	Collection *c = xcalloc(1, sizeof(*c));
	Collection **at = &s->collections;

	c->scope = s;
	c->name = xstrndup(name, len);
	c->id = id;
	c->max_ttl = max_ttl;
	c->vb_items = xcalloc(b->num_vbuckets, sizeof(uint32_t));
	while (*at != NULL)
		at = &(*at)->next;
	*at = c;
	return c;
}

static void
free_collection(Collection *c)
{
	free(c->vb_items);
	free(c->name);
	free(c);
}

static void
free_scope(Scope *s)
{
	while (s->collections != NULL)
	{
		Collection *next = s->collections->next;

		free_collection(s->collections);
		s->collections = next;
	}
	free(s->name);
	free(s);
}

void
manifest_init(Bucket *b)
{
	add_collection(b, add_scope(b, "_default", 8, 0), "_default", 8, 0, 0);
	b->next_scope_id = b->next_collection_id = FIRST_ID;
}

void
manifest_free(Bucket *b)
{
	while (b->scopes != NULL)
	{
		Scope	   *next = b->scopes->next;

		free_scope(b->scopes);
		b->scopes = next;
	}
}

Scope *
scope_find(Bucket *b, const char *name, size_t len)
{
	for (Scope *s = b->scopes; s != NULL; s = s->next)
	{
		if (strlen(s->name) == len && memcmp(s->name, name, len) == 0)
			return s;
	}
	return NULL;
}

Collection *
collection_find(Scope *s, const char *name, size_t len)
{
	for (Collection *c = s->collections; c != NULL; c = c->next)
	{
		if (strlen(c->name) == len && memcmp(c->name, name, len) == 0)
			return c;
	}
	return NULL;
}

Collection *
collection_by_id(Bucket *b, uint32_t cid)
{
	if (b->last_collection != NULL && b->last_collection->id == cid)
		return b->last_collection;
	for (Scope *s = b->scopes; s != NULL; s = s->next)
	{
		for (Collection *c = s->collections; c != NULL; c = c->next)
		{
			if (c->id == cid)
			{
				b->last_collection = c;
				return c;
			}
		}
	}
	return NULL;
}

/* Legal characters of a name; whether it may be created is more than that. */
bool
manifest_legal_name(const char *name, size_t len)
{
	if (len == 0 || len > MAX_NAME || name[0] == '$')
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (!isalnum((unsigned char) name[i]) && strchr("_-%", name[i]) == NULL)
			return false;
	}
	return true;
}

/* Names that begin with _ are the system's, those with % are reserved. */
static bool
may_create(const char *name)
{
	return manifest_legal_name(name, strlen(name)) && name[0] != '_' && name[0] != '%';
}

static void
changed(Bucket *b)
{
	b->manifest_uid++;
	cluster_config_changed(b->cluster, b);
}

uint16_t
scope_create(Bucket *b, const char *name, Scope **out)
{
	Scope	   *s;

	if (!may_create(name))
		return KV_EINVAL;
	if (scope_find(b, name, strlen(name)) != NULL)
		return KV_KEY_EEXISTS;
	s = add_scope(b, name, strlen(name), b->next_scope_id++);
	if (out != NULL)
		*out = s;
	changed(b);
	return KV_SUCCESS;
}

static void
purge(Bucket *b, uint32_t cid)
{
	b->last_collection = NULL;
	for (unsigned i = 0; i < b->num_vbuckets; i++)
		store_purge(&b->vb[i], cid);
}

static void
remove_collection(Bucket *b, Scope *s, Collection *c)
{
	Collection **at = &s->collections;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	purge(b, c->id);
	free_collection(c);
}

static void
remove_scope(Bucket *b, Scope *s)
{
	Scope	  **at = &b->scopes;

	while (s->collections != NULL)
		remove_collection(b, s, s->collections);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	free_scope(s);
}

uint16_t
scope_drop(Bucket *b, const char *name)
{
	Scope	   *s = scope_find(b, name, strlen(name));

	if (s == NULL)
		return KV_UNKNOWN_SCOPE;
	if (s->id == 0)
		return KV_EINVAL;
	remove_scope(b, s);
	changed(b);
	return KV_SUCCESS;
}

uint16_t
collection_create(Bucket *b, const char *scope, const char *name, uint32_t max_ttl, Collection **out)
{
	Scope	   *s = scope_find(b, scope, strlen(scope));
	Collection *c;

	if (s == NULL)
		return KV_UNKNOWN_SCOPE;
	if (!may_create(name))
		return KV_EINVAL;
	if (collection_find(s, name, strlen(name)) != NULL)
		return KV_KEY_EEXISTS;
	c = add_collection(b, s, name, strlen(name), b->next_collection_id++, max_ttl);
	if (out != NULL)
		*out = c;
	changed(b);
	return KV_SUCCESS;
}

uint16_t
collection_drop(Bucket *b, const char *scope, const char *name)
{
	Scope	   *s = scope_find(b, scope, strlen(scope));
	Collection *c = s != NULL ? collection_find(s, name, strlen(name)) : NULL;

	if (s == NULL)
		return KV_UNKNOWN_SCOPE;
	if (c == NULL)
		return KV_UNKNOWN_COLLECTION;
	remove_collection(b, s, c);
	changed(b);
	return KV_SUCCESS;
}

/* ---------------------------------------------------------------- JSON */

static json_t *
hex_id(uint64_t n)
{
	char	   *text = xasprintf("%llx", (unsigned long long) n);
	json_t	   *j = json_string(text);

	free(text);
	return j;
}

char *
manifest_json(const Bucket *b)
{
	json_t	   *top = json_object();
	json_t	   *scopes = json_array();
	char	   *text;

	for (const Scope *s = b->scopes; s != NULL; s = s->next)
	{
		json_t	   *scope = json_object();
		json_t	   *collections = json_array();

		for (const Collection *c = s->collections; c != NULL; c = c->next)
		{
			json_t	   *collection = json_object();

			json_object_set_new(collection, "name", json_string(c->name));
			json_object_set_new(collection, "uid", hex_id(c->id));
			if (c->max_ttl != 0)
				json_object_set_new(collection, "maxTTL", json_integer(c->max_ttl));
			json_array_append_new(collections, collection);
		}
		json_object_set_new(scope, "name", json_string(s->name));
		json_object_set_new(scope, "uid", hex_id(s->id));
		json_object_set_new(scope, "collections", collections);
		json_array_append_new(scopes, scope);
	}
	json_object_set_new(top, "uid", hex_id(b->manifest_uid));
	json_object_set_new(top, "scopes", scopes);
	text = json_dumps(top, JSON_COMPACT);
	json_decref(top);
	return text;
}

/* Reads "uid" of a scope, collection or manifest. */
static bool
get_uid(json_t *j, uint64_t *out)
{
	const char *text = json_string_value(json_object_get(j, "uid"));
	char	   *end;

	if (text == NULL || !isxdigit((unsigned char) text[0]))
		return false;
	*out = strtoull(text, &end, 16);
	return *end == '\0';
}

static bool
get_named(json_t *j, uint64_t *uid, const char **name)
{
	*name = json_string_value(json_object_get(j, "name"));
	return *name != NULL && manifest_legal_name(*name, strlen(*name)) && get_uid(j, uid) && *uid <= INT32_MAX &&
		(*uid == 0) == (strcmp(*name, "_default") == 0);
}

static bool
good_manifest(json_t *top, uint64_t *uid)
{
	json_t	   *scopes = json_object_get(top, "scopes");
	json_t	   *scope;
	json_t	   *collection;
	size_t		i;
	size_t		j;
	bool		has_default = false;

	if (!get_uid(top, uid) || !json_is_array(scopes))
		return false;
	json_array_foreach(scopes, i, scope)
	{
		uint64_t	id;
		const char *name;
		json_t	   *collections = json_object_get(scope, "collections");

		if (!get_named(scope, &id, &name) || !json_is_array(collections))
			return false;
		has_default = has_default || id == 0;
		json_array_foreach(collections, j, collection)
		{
			json_t	   *ttl = json_object_get(collection, "maxTTL");

			if (!get_named(collection, &id, &name) ||
				(ttl != NULL && (!json_is_integer(ttl) || json_integer_value(ttl) < 0)))
				return false;
		}
	}
	return has_default;
}

static json_t *
member_with_uid(json_t *list, uint32_t id)
{
	json_t	   *j;
	size_t		i;
	uint64_t	uid;

	json_array_foreach(list, i, j)
	{
		if (get_uid(j, &uid) && uid == id)
			return j;
	}
	return NULL;
}

static void
drop_missing(Bucket *b, json_t *scopes)
{
	Scope	   *next_scope;
	Collection *next;

	for (Scope *s = b->scopes; s != NULL; s = next_scope)
	{
		json_t	   *scope = member_with_uid(scopes, s->id);

		next_scope = s->next;
		if (scope == NULL)
		{
			remove_scope(b, s);
			continue;
		}
		for (Collection *c = s->collections; c != NULL; c = next)
		{
			next = c->next;
			if (member_with_uid(json_object_get(scope, "collections"), c->id) == NULL)
				remove_collection(b, s, c);
		}
	}
}

static void
add_missing(Bucket *b, json_t *scopes)
{
	json_t	   *scope;
	json_t	   *collection;
	size_t		i;
	size_t		j;
	uint64_t	id;
	const char *name;

	json_array_foreach(scopes, i, scope)
	{
		Scope	   *s;

		get_named(scope, &id, &name);
		s = scope_find(b, name, strlen(name));
		if (s == NULL)
			s = add_scope(b, name, strlen(name), (uint32_t) id);
		if (id >= b->next_scope_id)
			b->next_scope_id = (uint32_t) id + 1;
		json_array_foreach(json_object_get(scope, "collections"), j, collection)
		{
			uint32_t	ttl = (uint32_t) json_integer_value(json_object_get(collection, "maxTTL"));
			Collection *c;

			get_named(collection, &id, &name);
			c = collection_find(s, name, strlen(name));
			if (c == NULL)
				add_collection(b, s, name, strlen(name), (uint32_t) id, ttl);
			else
				c->max_ttl = ttl;
			if (id >= b->next_collection_id)
				b->next_collection_id = (uint32_t) id + 1;
		}
	}
}

uint16_t
manifest_set(Bucket *b, const char *json, size_t len)
{
	json_t	   *top = json_loadb(json, len, 0, NULL);
	uint64_t	uid;

	if (top == NULL || !good_manifest(top, &uid))
	{
		json_decref(top);
		return KV_EINVAL;
	}
	if (uid < b->manifest_uid)
	{
		json_decref(top);
		return KV_CANNOT_APPLY_MANIFEST;
	}
	drop_missing(b, json_object_get(top, "scopes"));
	add_missing(b, json_object_get(top, "scopes"));
	json_decref(top);
	b->manifest_uid = uid;
	cluster_config_changed(b->cluster, b);
	return KV_SUCCESS;
}
