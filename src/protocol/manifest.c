/*
 * manifest.c
 *		Parser of collections manifests: scopes and collections of a bucket.
 */
#include "config.h"

#include "config_internal.h"

#include <stdlib.h>
#include <string.h>

#define MANIFEST_MAX_COLLECTIONS 100000

static CbResult
malformed(CbError *err, const char *what)
{
	return cb_error_set(err, CB_MALFORMED, NULL, "collections manifest: %s", what);
}

static bool
get_uid(const json_t *object, uint64_t max, uint64_t *out)
{
	const char *text = json_string_value(json_object_get(object, "uid"));

	return text != NULL && cb_hex_parse(text, out) && *out <= max;
}

static CbResult
parse_collection(const json_t *entry, const char *scope, uint32_t scope_id,
				 CbManifestCollection *out, CbError *err)
{
	uint64_t	id;
	const json_t *ttl;
	CbResult	result;

	if (!json_is_object(entry) || !get_uid(entry, UINT32_MAX, &id))
		return malformed(err, "a collection has no proper uid");
	result = cb_config_text(entry, "name", &out->name, err);
	if (result != CB_OK)
		return result;
	if (out->name == NULL)
		return malformed(err, "a collection has no name");
	out->scope = cb_span_dup(cb_span_cstr(scope));
	if (out->scope == NULL)
		return cb_config_nomem(err);
	out->scope_id = scope_id;
	out->id = (uint32_t) id;
	ttl = json_object_get(entry, "maxTTL");
	if (ttl != NULL && !json_is_integer(ttl))
		return malformed(err, "maximum expiry of a collection is no integer");
	out->max_ttl = json_integer_value(ttl);
	return CB_OK;
}

static CbResult
parse_scope(const json_t *entry, CbManifest *manifest, CbError *err)
{
	const char *name = json_string_value(json_object_get(entry, "name"));
	const json_t *collections = json_object_get(entry, "collections");
	uint64_t	id;
	size_t		count = json_array_size(collections);
	CbManifestCollection *grown;

	if (name == NULL || !get_uid(entry, UINT32_MAX, &id))
		return malformed(err, "a scope has no name or no proper uid");
	if (collections != NULL && !json_is_array(collections))
		return malformed(err, "collections of a scope are no array");
	if (count == 0)
	{
		char	   *copy = cb_span_dup(cb_span_cstr(name));

		if (copy == NULL)
			return cb_config_nomem(err);
		manifest->empty_scopes[manifest->nempty_scopes++] = copy;
		return CB_OK;
	}
	if (count > MANIFEST_MAX_COLLECTIONS - manifest->ncollections)
		return cb_error_set(err, CB_LIMIT, NULL,
							"collections manifest: more than %d collections",
							MANIFEST_MAX_COLLECTIONS);
	grown = realloc(manifest->collections,
					(manifest->ncollections + count) * sizeof(*grown));
	if (grown == NULL)
		return cb_config_nomem(err);
	manifest->collections = grown;
	for (size_t i = 0; i < count; i++)
	{
		CbManifestCollection *out = &grown[manifest->ncollections];
		CbResult	result;

		*out = (CbManifestCollection) {0};
		manifest->ncollections++;
		result = parse_collection(json_array_get(collections, i), name, (uint32_t) id,
								  out, err);
		if (result != CB_OK)
			return result;
	}
	return CB_OK;
}

static CbResult
parse_manifest(const json_t *root, CbManifest *manifest, CbError *err)
{
	const json_t *scopes = json_object_get(root, "scopes");
	size_t		count = json_array_size(scopes);

	if (!get_uid(root, UINT64_MAX, &manifest->uid))
		return malformed(err, "no proper uid");
	if (!json_is_array(scopes))
		return malformed(err, "no list of scopes");
	if (count > MANIFEST_MAX_COLLECTIONS)
		return cb_error_set(err, CB_LIMIT, NULL, "collections manifest: too many scopes");
	manifest->empty_scopes = calloc(count + 1, sizeof(char *));
	if (manifest->empty_scopes == NULL)
		return cb_config_nomem(err);
	for (size_t i = 0; i < count; i++)
	{
		CbResult	result = parse_scope(json_array_get(scopes, i), manifest, err);

		if (result != CB_OK)
			return result;
	}
	return CB_OK;
}

CbResult
cb_manifest_parse(CbSpan text, CbManifest **out, CbError *err)
{
	json_t	   *root;
	CbManifest *manifest;
	CbResult	result;

	*out = NULL;
	root = text.len == 0 ? NULL :
		json_loadb((const char *) text.data, text.len, 0, NULL);
	if (!json_is_object(root))
	{
		json_decref(root);
		return malformed(err, "not a JSON object");
	}
	manifest = calloc(1, sizeof(*manifest));
	result = manifest == NULL ? cb_config_nomem(err) : parse_manifest(root, manifest, err);
	json_decref(root);
	if (result != CB_OK)
		cb_manifest_free(manifest);
	else
		*out = manifest;
	return result;
}

void
cb_manifest_free(CbManifest *manifest)
{
	if (manifest == NULL)
		return;
	for (size_t i = 0; i < manifest->ncollections; i++)
	{
		free(manifest->collections[i].scope);
		free(manifest->collections[i].name);
	}
	for (size_t i = 0; i < manifest->nempty_scopes; i++)
		free(manifest->empty_scopes[i]);
	free(manifest->collections);
	free(manifest->empty_scopes);
	free(manifest);
}
