/*
 * roles.c: Couchbase's roles as lists of privileges (couchbase/ns_server, menelaus_roles.erl; kv_engine docs/rbac.md).
 */
#include <stdlib.h>
#include <string.h>

#include "manage.h"

/* What a role may be narrowed to: nothing, a bucket, or a bucket, scope or collection. */
typedef enum RoleScope
{
	ROLE_CLUSTER,
	ROLE_BUCKET,
	ROLE_COLLECTION
} RoleScope;

typedef struct RoleSpec
{
	const char *name;
	RoleScope	scope;
	uint32_t	privileges;
} RoleSpec;

static const RoleSpec specs[] = {
	{"admin", ROLE_CLUSTER, PRIV_ALL},
	{"bucket_admin", ROLE_BUCKET, PRIV_NODE_ADMIN | PRIV_STATS | PRIV_SIMPLE_STATS},
	{"bucket_full_access", ROLE_BUCKET, ROLE_WRITER | PRIV_META_WRITE | PRIV_DCP | PRIV_STATS},
	{"data_reader", ROLE_COLLECTION, PRIV_READ | PRIV_RANGE_SCAN | PRIV_META_READ},
	{"data_writer", ROLE_COLLECTION, PRIV_INSERT | PRIV_UPSERT | PRIV_DELETE},
	{"query_select", ROLE_COLLECTION, PRIV_QUERY_SELECT},
	{"query_insert", ROLE_COLLECTION, PRIV_QUERY_INSERT},
	{"query_update", ROLE_COLLECTION, PRIV_QUERY_UPDATE},
	{"query_delete", ROLE_COLLECTION, PRIV_QUERY_DELETE},
	{"query_manage_index", ROLE_COLLECTION, PRIV_QUERY_MANAGE_INDEX},
	{"query_use_sequential_scans", ROLE_COLLECTION, PRIV_QUERY_SEQUENTIAL_SCAN},
	{"query_system_catalog", ROLE_CLUSTER, PRIV_QUERY_SYSTEM_CATALOG},
	{"data_monitoring", ROLE_COLLECTION, PRIV_SIMPLE_STATS | PRIV_META_READ},
};

/* One role of a list; the parts are NULL where the role is not narrowed. */
typedef struct Role
{
	const RoleSpec *spec;
	char	   *bucket;
	char	   *scope;
	char	   *collection;
} Role;

typedef struct RoleInfo
{
	struct RoleInfo *next;
	const User *user;
	char	   *list;
	char	   *display_name;
} RoleInfo;

static RoleInfo *infos;

static void
role_free(Role *r)
{
	free(r->bucket);
	free(r->scope);
	free(r->collection);
	memset(r, 0, sizeof(*r));
}

/* "*" and a missing part both mean all; NULL stands for that below the bucket. */
static char *
role_part(char **rest, bool keep_star)
{
	char	   *part = *rest != NULL ? strsep(rest, ":") : NULL;

	if (part == NULL || (!keep_star && strcmp(part, "*") == 0))
		return NULL;
	return xstrdup(part);
}

/* Parses "name" or "name[bucket:scope:collection]"; false if there is no such role or it is narrowed wrongly. */
static bool
role_parse(const char *text, Role *out)
{
	size_t		name_len = strcspn(text, "[");
	size_t		len = strlen(text);
	char	   *inner = NULL;
	char	   *rest;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		if (strlen(specs[i].name) == name_len && memcmp(specs[i].name, text, name_len) == 0)
			out->spec = &specs[i];
	if (out->spec == NULL)
		return false;
	if ((text[name_len] == '[') != (out->spec->scope != ROLE_CLUSTER))
		return false;
	if (out->spec->scope == ROLE_CLUSTER)
	{
		out->bucket = xstrdup("*");
		return true;
	}
	if (text[len - 1] != ']')
		return false;
	inner = rest = xstrndup(text + name_len + 1, len - name_len - 2);
	out->bucket = role_part(&rest, true);
	out->scope = role_part(&rest, false);
	out->collection = role_part(&rest, false);
	len = strlen(out->bucket);
	free(inner);
	if (len == 0 || rest != NULL || (out->scope != NULL && out->spec->scope != ROLE_COLLECTION) ||
		(out->scope == NULL && out->collection != NULL))
	{
		role_free(out);
		return false;
	}
	return true;
}

/* Calls fn for every role of a list; stops at the first that cannot be parsed and returns its malloced text. */
static char *
each_role(const char *list, void (*fn) (const Role *r, void *arg), void *arg)
{
	char	   *copy = xstrdup(list);
	char	   *rest = copy;
	char	   *item;
	char	   *bad = NULL;

	while (bad == NULL && rest != NULL && *list != '\0')
	{
		Role		r;

		item = strsep(&rest, ",");
		if (!role_parse(item, &r))
		{
			bad = xstrdup(item);
			break;
		}
		if (fn != NULL)
			fn(&r, arg);
		role_free(&r);
	}
	free(copy);
	return bad;
}

char *
roles_check(const char *list)
{
	return each_role(list, NULL, NULL);
}

static RoleInfo *
info_find(const User *u)
{
	RoleInfo   *i;

	for (i = infos; i != NULL && i->user != u; i = i->next)
		;
	return i;
}

static void
grant_role(const Role *r, void *arg)
{
	user_grant(arg, r->bucket, r->scope, r->collection, r->spec->privileges);
}

void
roles_set(User *u, const char *list, const char *display_name)
{
	RoleInfo   *info = info_find(u);
	Grant	   *g;

	while ((g = u->grants) != NULL)
	{
		u->grants = g->next;
		free(g->bucket);
		free(g->scope);
		free(g->collection);
		free(g);
	}
	free(each_role(list, grant_role, u));
	if (info == NULL)
	{
		info = xcalloc(1, sizeof(*info));
		info->user = u;
		info->next = infos;
		infos = info;
	}
	free(info->list);
	free(info->display_name);
	info->list = xstrdup(list);
	info->display_name = display_name != NULL ? xstrdup(display_name) : NULL;
}

void
roles_forget(const User *u)
{
	for (RoleInfo **p = &infos; *p != NULL; p = &(*p)->next)
	{
		RoleInfo   *info = *p;

		if (info->user == u)
		{
			*p = info->next;
			free(info->list);
			free(info->display_name);
			free(info);
			return;
		}
	}
}

static void
add_role_json(const Role *r, void *arg)
{
	json_t	   *role = json_pack("{s:s}", "role", r->spec->name);

	if (r->spec->scope != ROLE_CLUSTER)
		json_object_set_new(role, "bucket_name", json_string(r->bucket));
	if (r->spec->scope == ROLE_COLLECTION)
	{
		json_object_set_new(role, "scope_name", json_string(r->scope != NULL ? r->scope : "*"));
		json_object_set_new(role, "collection_name", json_string(r->collection != NULL ? r->collection : "*"));
	}
	json_object_set_new(role, "origins", json_pack("[{s:s}]", "type", "user"));
	json_array_append_new(arg, role);
}

json_t *
roles_user_json(const User *u)
{
	const RoleInfo *info = info_find(u);
	json_t	   *roles = json_array();
	json_t	   *json;

	if (info != NULL)
		free(each_role(info->list, add_role_json, roles));
	json = json_pack("{s:s, s:s, s:o}", "id", u->name, "domain", "local", "roles", roles);
	if (info != NULL && info->display_name != NULL)
		json_object_set_new(json, "name", json_string(info->display_name));
	return json;
}
