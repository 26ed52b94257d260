/*
 * service.c
 *		Whether a cluster has a query service, and which version: remembered for a minute per server and user, also when
 *		nothing answered.
 */
#include "plan_query.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "../cluster/query.h"

#define SERVICE_LIFETIME_MS	60000

typedef struct ServiceKey
{
	Oid			serverid;
	Oid			userid;
} ServiceKey;

typedef struct ServiceEntry
{
	ServiceKey	key;			/* hash key */
	TimestampTz asked_at;
	int			version;
} ServiceEntry;

typedef struct ServiceQuestion
{
	const FdwTable *table;
	Oid			userid;
	int			version;
} ServiceQuestion;

static HTAB *service_cache = NULL;

static ServiceEntry *
service_entry(const ServiceKey *key, bool *found)
{
	if (service_cache == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(ServiceKey);
		ctl.entrysize = sizeof(ServiceEntry);
		service_cache = hash_create("cbconn_fdw query services", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	return hash_search(service_cache, key, HASH_ENTER, found);
}

static void
service_ask(void *arg)
{
	ServiceQuestion *question = arg;
	KvCollection *collection;

	question->version = query_service_version(table_connect(question->table, question->userid, &collection));
}

int
service_version(const FdwTable *table, Oid userid)
{
	ServiceKey	key = {table->serverid, OidIsValid(userid) ? userid : GetUserId()};
	ServiceQuestion question = {table, userid, 0};
	bool		found;
	ServiceEntry *entry = service_entry(&key, &found);
	char	   *reason;

	if (found && !TimestampDifferenceExceeds(entry->asked_at, GetCurrentTimestamp(), SERVICE_LIFETIME_MS))
		return entry->version;
	entry->asked_at = GetCurrentTimestamp();
	entry->version = 0;
	if (count_has_failed(table, userid) || IsInParallelMode())	/* no subtransactions there */
		return 0;
	reason = cluster_try(service_ask, &question);
	if (reason != NULL)
		ereport(DEBUG1,
				(errmsg_internal("server \"%s\" has no query service to plan with: %s", table->servername, reason)));
	entry = service_entry(&key, &found);
	entry->asked_at = GetCurrentTimestamp();
	entry->version = reason == NULL ? question.version : 0;
	return entry->version;
}
