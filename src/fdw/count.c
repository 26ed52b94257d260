/*
 * count.c
 *		How many documents a collection holds, for plans of tables that were never analysed.
 *
 * Asked of the cluster once, then remembered for a minute per table and user, also when the cluster did not answer:
 * planning neither fails nor waits again because of it. The reason is logged at level DEBUG1; the scan itself
 * will report it as an error.
 */
#include "plan.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "../compat.h"

#define COUNT_LIFETIME_MS	60000

typedef struct CountKey
{
	Oid			relid;
	Oid			userid;
} CountKey;

typedef struct CountEntry
{
	CountKey	key;			/* hash key */
	TimestampTz asked_at;
	bool		known;
	bool		failed;			/* the cluster could not be asked */
	double		documents;
	double		vbuckets;
} CountEntry;

static HTAB *count_cache = NULL;

static CountEntry *
count_entry(const FdwTable *table, Oid userid, bool *found)
{
	CountKey	key = {table->relid, OidIsValid(userid) ? userid : GetUserId()};

	if (count_cache == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(CountKey);
		ctl.entrysize = sizeof(CountEntry);
		count_cache = hash_create("cbconn_fdw document counts", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	return hash_search(count_cache, &key, HASH_ENTER, found);
}

/* What is asked, and the answer. */
typedef struct CountQuestion
{
	const FdwTable *table;
	Oid			userid;
	double		documents;		/* negative: no node tells the user */
	double		vbuckets;
} CountQuestion;

static void
count_ask(void *arg)
{
	CountQuestion *question = arg;
	KvCollection *collection;
	ClusterHandle *handle = table_connect(question->table, question->userid, &collection);

	question->documents = cluster_item_count(handle, collection);
	question->vbuckets = cluster_vbucket_count(handle);
}

static bool
count_try(CountQuestion *question, bool *failed)
{
	const FdwTable *table = question->table;
	char	   *reason = cluster_try(count_ask, question);

	*failed = reason != NULL;
	if (reason == NULL)
		return question->documents >= 0;
	ereport(DEBUG1,
			(errmsg_internal("could not count the documents of %s.%s.%s: %s", table->bucket, table->scope,
							 table->collection, reason)));
	pfree(reason);
	return false;
}

bool
count_estimate(const FdwTable *table, Oid userid, double *documents, double *vbuckets)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		found;
	CountEntry *entry = count_entry(table, userid, &found);

	if (!found || TimestampDifferenceExceeds(entry->asked_at, now, COUNT_LIFETIME_MS))
	{
		CountQuestion question = {table, userid};
		bool		known;
		bool		failed;

		/* no subtransactions in parallel mode */
		if (IsInParallelMode())
		{
			if (!found)
				hash_search(count_cache, &entry->key, HASH_REMOVE, NULL);
			return false;
		}
		entry->asked_at = now;
		entry->known = false;
		entry->failed = false;
		known = count_try(&question, &failed);
		entry = count_entry(table, userid, &found);
		entry->asked_at = GetCurrentTimestamp();
		entry->known = known;
		entry->failed = failed;
		entry->documents = question.documents;
		entry->vbuckets = question.vbuckets;
	}
	if (!entry->known)
		return false;
	*documents = entry->documents;
	*vbuckets = entry->vbuckets;
	return true;
}

bool
count_has_failed(const FdwTable *table, Oid userid)
{
	CountKey	key = {table->relid, OidIsValid(userid) ? userid : GetUserId()};
	CountEntry *entry = count_cache != NULL ? hash_search(count_cache, &key, HASH_FIND, NULL) : NULL;

	return entry != NULL && entry->failed &&
		!TimestampDifferenceExceeds(entry->asked_at, GetCurrentTimestamp(), COUNT_LIFETIME_MS);
}
