/*
 * http_users.c: users over HTTP (couchbase/ns_server, menelaus_web_rbac.erl).
 */
#include <stdlib.h>
#include <string.h>

#include "manage.h"

#define MIN_PASSWORD 6
#define USER_SEGMENT 4				/* settings/rbac/users/local/USER */

static void
get_whoami(HttpReq *h)
{
	if (h->user == NULL)
		http_json(h, 200, json_pack("{s:s, s:s, s:[]}", "id", "", "domain", "anonymous", "roles"));
	else
		http_json(h, 200, roles_user_json(h->user));
}

static void
get_users(HttpReq *h)
{
	json_t	   *list = json_array();

	for (const User *u = h->cluster->users; u != NULL; u = u->next)
		json_array_append_new(list, roles_user_json(u));
	http_json(h, 200, list);
}

static User *
path_user(HttpReq *h)
{
	const char *name = h->segment[USER_SEGMENT];

	return user_find(h->cluster, name, strlen(name));
}

static void
get_user(HttpReq *h)
{
	User	   *u = path_user(h);

	if (u == NULL)
		http_json(h, 404, json_string("Unknown user."));
	else
		http_json(h, 200, roles_user_json(u));
}

static void
put_user(HttpReq *h)
{
	struct evkeyvalq form;
	const char *password;
	const char *roles;
	User	   *u = path_user(h);
	char	   *bad;

	if (!http_form(h, &form))
		return;
	password = evhttp_find_header(&form, "password");
	roles = evhttp_find_header(&form, "roles");
	bad = roles_check(roles != NULL ? roles : "");
	if (bad != NULL)
		http_field_error(h, 400, "roles", "Cannot assign roles to user because the following roles are unknown, "
						 "malformed or role parameters are undefined: [%s]", bad);
	else if (password == NULL && u == NULL)
		http_field_error(h, 400, "password", "Password is required for new user.");
	else if (password != NULL && strlen(password) < MIN_PASSWORD)
		http_field_error(h, 400, "password", "The password must be at least %d characters long.", MIN_PASSWORD);
	else
	{
		if (password != NULL)
			u = user_create(h->cluster, h->segment[USER_SEGMENT], password);
		roles_set(u, roles != NULL ? roles : "", evhttp_find_header(&form, "name"));
		http_json(h, 200, json_string(""));
	}
	free(bad);
	evhttp_clear_headers(&form);
}

static void
delete_user(HttpReq *h)
{
	User	   *u = path_user(h);

	if (u == NULL)
	{
		http_json(h, 404, json_string("User was not found."));
		return;
	}
	roles_forget(u);
	user_drop(h->cluster, u);
	http_json(h, 200, json_string(""));
}

#define USERS_READ RIGHT_ADMIN, "cluster.admin.security!read"
#define USERS_WRITE RIGHT_ADMIN, "cluster.admin.security!write"

const HttpRoute http_user_routes[] = {
	{EVHTTP_REQ_GET, "whoami", RIGHT_NONE, "", get_whoami},
	{EVHTTP_REQ_GET, "settings/rbac/users", USERS_READ, get_users},
	{EVHTTP_REQ_GET, "settings/rbac/users/local", USERS_READ, get_users},
	{EVHTTP_REQ_GET, "settings/rbac/users/local/*", USERS_READ, get_user},
	{EVHTTP_REQ_PUT, "settings/rbac/users/local/*", USERS_WRITE, put_user},
	{EVHTTP_REQ_DELETE, "settings/rbac/users/local/*", USERS_WRITE, delete_user},
	{0, NULL, 0, NULL, NULL}
};
