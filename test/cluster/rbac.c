/*
 * rbac.c: users, passwords and what they may do (kv_engine docs/rbac.md names the privileges).
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "core.h"

static const struct
{
	uint32_t	bit;
	const char *name;
}			privileges[] = {
	{PRIV_READ, "Read"},
	{PRIV_INSERT, "Insert"},
	{PRIV_DELETE, "Delete"},
	{PRIV_UPSERT, "Upsert"},
	{PRIV_SIMPLE_STATS, "SimpleStats"},
	{PRIV_META_READ, "MetaRead"},
	{PRIV_META_WRITE, "MetaWrite"},
	{PRIV_RANGE_SCAN, "RangeScan"},
	{PRIV_SYS_XATTR_READ, "SystemXattrRead"},
	{PRIV_SYS_XATTR_WRITE, "SystemXattrWrite"},
	{PRIV_DCP, "DcpProducer"},
	{PRIV_NODE_ADMIN, "NodeSupervisor"},
	{PRIV_STATS, "Stats"},
};

#define NUM_PRIVILEGES (sizeof(privileges) / sizeof(privileges[0]))

/* The name of one privilege bit, for error texts. */
const char *
privilege_name(uint32_t one)
{
	for (size_t i = 0; i < NUM_PRIVILEGES; i++)
	{
		if (privileges[i].bit == one)
			return privileges[i].name;
	}
	return "unknown";
}

/* 0 if there is none of that name. */
uint32_t
privilege_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < NUM_PRIVILEGES; i++)
	{
		if (strlen(privileges[i].name) == len && memcmp(privileges[i].name, name, len) == 0)
			return privileges[i].bit;
	}
	return 0;
}

User *
user_find(Cluster *cl, const char *name, size_t len)
{
	for (User *u = cl->users; u != NULL; u = u->next)
	{
		if (strlen(u->name) == len && memcmp(u->name, name, len) == 0)
			return u;
	}
	return NULL;
}

User *
user_create(Cluster *cl, const char *name, const char *password)
{
	User	   *u = user_find(cl, name, strlen(name));

	if (u != NULL)
	{
		free(u->password);
		sasl_user_free(u);
	}
	else
	{
		User	  **at = &cl->users;

		u = xcalloc(1, sizeof(*u));
		u->name = xstrdup(name);
		while (*at != NULL)
			at = &(*at)->next;
		*at = u;
	}
	u->password = xstrdup(password);
	return u;
}

void
user_grant(User *u, const char *bucket, const char *scope, const char *collection, uint32_t privileges_granted)
{
	Grant	   *g = xcalloc(1, sizeof(*g));

	g->bucket = xstrdup(bucket);
	g->scope = scope != NULL ? xstrdup(scope) : NULL;
	g->collection = collection != NULL ? xstrdup(collection) : NULL;
	g->privileges = privileges_granted;
	g->next = u->grants;
	u->grants = g;
}

static void
user_free(User *u)
{
	while (u->grants != NULL)
	{
		Grant	   *next = u->grants->next;

		free(u->grants->bucket);
		free(u->grants->scope);
		free(u->grants->collection);
		free(u->grants);
		u->grants = next;
	}
	sasl_user_free(u);
	free(u->name);
	free(u->password);
	free(u);
}

void
user_drop(Cluster *cl, User *u)
{
	User	  **at = &cl->users;

	for (int i = 0; i < cl->num_nodes; i++)
		conn_close_matching(cl->nodes[i], NULL, u);
	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
	user_free(u);
}

void
users_free(Cluster *cl)
{
	while (cl->users != NULL)
	{
		User	   *next = cl->users->next;

		user_free(cl->users);
		cl->users = next;
	}
}

bool
user_check_password(const User *u, const char *password, size_t len)
{
	return strlen(u->password) == len && CRYPTO_memcmp(u->password, password, len) == 0;
}

uint32_t
user_privileges(const User *u, const Bucket *b, const Collection *c)
{
	uint32_t	found = 0;

	if (u == NULL)
		return 0;
	for (const Grant *g = u->grants; g != NULL; g = g->next)
	{
		bool		everywhere = strcmp(g->bucket, "*") == 0;

		if (b == NULL ? !everywhere : !everywhere && strcmp(g->bucket, b->name) != 0)
			continue;
		if (c != NULL && g->scope != NULL && strcmp(g->scope, c->scope->name) != 0)
			continue;
		if (c != NULL && g->collection != NULL && strcmp(g->collection, c->name) != 0)
			continue;
		found |= g->privileges;
	}
	return found;
}
