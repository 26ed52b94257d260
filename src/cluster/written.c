/*
 * written.c
 *		What a transaction knows of its writes: how many, by subtransaction, and the newest in each vBucket. Couchbase
 *		applies writes at once; the end of a transaction can only tell what stays. The newest in each vBucket is kept
 *		for a while, so that the session's next transactions see it in scans.
 */
#include "postgres.h"

#include "handle.h"
#include "mutate.h"
#include "wait.h"

/* Microseconds for which later transactions wait for a write to be persisted. */
#define KEEP_TOKENS		(60 * INT64CONST(1000000))

/* ---- counting ---- */

static KvWritten *
find_level(ClusterHandle *handle, SubTransactionId subid)
{
	for (int i = handle->nwritten - 1; i >= 0; i--)
	{
		if (handle->written[i].subid == subid)
			return &handle->written[i];
	}
	return NULL;
}

void
written_begin(ClusterHandle *handle, SubTransactionId subid)
{
	KvWritten  *level = find_level(handle, subid);

	if (level != NULL)
		return;
	if (handle->nwritten == handle->written_capacity)
	{
		int			capacity = Max(handle->written_capacity * 2, 8);

		if (handle->written == NULL)
			handle->written = MemoryContextAlloc(handle->cxt, sizeof(KvWritten) * capacity);
		else
			handle->written = repalloc(handle->written, sizeof(KvWritten) * capacity);
		handle->written_capacity = capacity;
	}
	level = &handle->written[handle->nwritten++];
	memset(level, 0, sizeof(*level));
	level->subid = subid;
}

void
written_count(ClusterHandle *handle, SubTransactionId subid, int64 applied, int64 unknown)
{
	KvWritten  *level = find_level(handle, subid);

	Assert(level != NULL);
	level->count.applied += applied;
	level->count.unknown += unknown;
	handle->total.applied += applied;
	handle->total.unknown += unknown;
}

ClusterWritten
cluster_written(const ClusterHandle *handle)
{
	return handle->total;
}

static void
warn(const ClusterHandle *handle, ClusterWritten count)
{
	if (count.applied == 0 && count.unknown == 0)
		return;
	ereport(WARNING,
			(count.applied > 0
			 ? errmsg_plural("%lld write to bucket \"%s\" on server \"%s\" is not undone by the rollback",
							 "%lld writes to bucket \"%s\" on server \"%s\" are not undone by the rollback",
							 count.applied, (long long) count.applied, handle->bucket, handle->servername)
			 : errmsg("writes to bucket \"%s\" on server \"%s\" were under way at the rollback",
					  handle->bucket, handle->servername),
			 count.unknown > 0
			 ? errdetail_plural("The fate of %lld write is unknown.", "The fate of %lld writes is unknown.",
								count.unknown, (long long) count.unknown)
			 : errdetail("Couchbase applies writes at once.")));
}

/* ---- ends ---- */

void
written_end_sub(ClusterHandle *handle, SubTransactionId subid, SubTransactionId parent, bool abort)
{
	KvWritten  *level = find_level(handle, subid);
	KvWritten  *above = find_level(handle, parent);
	ClusterWritten count;

	if (level == NULL)
		return;
	count = level->count;
	if (!abort && above == NULL)
	{
		level->subid = parent;
		return;
	}
	if (!abort)
	{
		above->count.applied += count.applied;
		above->count.unknown += count.unknown;
	}
	*level = handle->written[--handle->nwritten];
	if (abort)
		warn(handle, count);
}

/* What was rolled back was written, too. */
static void
keep_tokens(ClusterHandle *handle)
{
	int64		until = wait_now() + KEEP_TOKENS;

	for (uint32 vb = 0; vb < handle->tokens_size; vb++)
	{
		if (handle->tokens[vb].until == KV_TOKEN_OWN)
			handle->tokens[vb].until = until;
	}
	handle->own_tokens = false;
}

void
written_end(ClusterHandle *handle, bool abort)
{
	ClusterWritten count = {0, 0};

	for (int i = 0; i < handle->nwritten; i++)
	{
		count.applied += handle->written[i].count.applied;
		count.unknown += handle->written[i].count.unknown;
	}
	handle->nwritten = 0;
	handle->total.applied = handle->total.unknown = 0;
	if (handle->own_tokens)
		keep_tokens(handle);
	if (abort)
		warn(handle, count);
}

void
written_refuse_prepare(const ClusterHandle *handle)
{
	if (handle->total.applied > 0 || handle->total.unknown > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot PREPARE a transaction that has written to bucket \"%s\" on server \"%s\"",
						handle->bucket, handle->servername),
				 errdetail("Couchbase applies writes at once.")));
}

/* ---- mutation tokens ---- */

static void
keep_token(ClusterHandle *handle, uint16 vbucket, const CbMutationToken *token, int64 until)
{
	KvToken    *known;

	if (handle->tokens_size != handle->config->nvbuckets)
	{
		if (handle->tokens != NULL)
			pfree(handle->tokens);
		handle->tokens = NULL;
		handle->tokens_size = 0;
		handle->tokens = MemoryContextAllocZero(handle->cxt, sizeof(KvToken) * handle->config->nvbuckets);
		handle->tokens_size = handle->config->nvbuckets;
	}
	if (vbucket >= handle->tokens_size || token->seqno == 0)
		return;
	known = &handle->tokens[vbucket];
	/* Another uuid: the vBucket was failed over in between, what comes last counts. */
	if (known->token.vbucket_uuid != token->vbucket_uuid || known->token.seqno < token->seqno)
	{
		known->token = *token;
		known->until = until;
		handle->own_tokens |= until == KV_TOKEN_OWN;
	}
}

void
written_token(ClusterHandle *handle, uint16 vbucket, const CbMutationToken *token)
{
	keep_token(handle, vbucket, token, KV_TOKEN_OWN);
}

static bool
counts(const KvToken *token)
{
	return token->token.seqno != 0 && (token->until == KV_TOKEN_OWN || token->until > wait_now());
}

bool
written_token_of(const ClusterHandle *handle, uint16 vbucket, CbMutationToken *token)
{
	if (vbucket >= handle->tokens_size || !counts(&handle->tokens[vbucket]))
		return false;
	*token = handle->tokens[vbucket].token;
	return true;
}

bool
written_forget(ClusterHandle *handle, uint16 vbucket)
{
	KvToken    *token = vbucket < handle->tokens_size ? &handle->tokens[vbucket] : NULL;

	if (token == NULL || token->token.seqno == 0 || token->until == KV_TOKEN_OWN)
		return false;
	token->token.seqno = 0;
	return true;
}

int
cluster_tokens(const ClusterHandle *handle, ClusterToken *tokens, int max)
{
	int			n = 0;

	for (uint32 vb = 0; vb < handle->tokens_size && (tokens == NULL || n < max); vb++)
	{
		const KvToken *token = &handle->tokens[vb];

		if (!counts(token))
			continue;
		if (tokens != NULL)
		{
			tokens[n].vbucket = (uint16) vb;
			tokens[n].earlier = token->until != KV_TOKEN_OWN;
			tokens[n].vbucket_uuid = token->token.vbucket_uuid;
			tokens[n].seqno = token->token.seqno;
		}
		n++;
	}
	return n;
}

void
cluster_add_tokens(ClusterHandle *handle, const ClusterToken *tokens, int ntokens)
{
	if (ntokens == 0)
		return;
	cluster_bootstrap(handle, NULL);
	for (int i = 0; i < ntokens; i++)
	{
		CbMutationToken token = {tokens[i].vbucket_uuid, tokens[i].seqno};

		keep_token(handle, tokens[i].vbucket, &token, tokens[i].earlier ? wait_now() + KEEP_TOKENS : KV_TOKEN_OWN);
	}
}
