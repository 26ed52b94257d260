/*
 * config_cache.c
 *		Starting from a kept configuration, and keeping new ones.
 *
 * Nothing kept is trusted: a file must be private to the server's user, whole, and of these hosts and this bucket; and
 * whatever it says, the first node contacted sends its own configuration before it gets any request.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cryptohash.h"
#include "common/pg_prng.h"
#include "common/sha2.h"
#include "config_cache.h"
#include "config_shmem.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "port.h"
#include "storage/fd.h"
#include "../protocol/vbucket.h"

/* How long the nodes of a kept configuration are given before others are asked too. */
#define HEAD_START		500000
/* Nodes asked at a time when it does not matter which: with more, a crowd of sessions would drown a cluster. */
#define MAX_ASKED		3

/* Age in seconds from which a file does not count any more: its addresses may be somebody else's by then. */
#define MAX_AGE			(30 * 24 * 3600)
/* Nodes agree on a revision long before it is this old, in seconds: one that they do not know then is made up. */
#define SETTLED_AGE		60
/* How far in the future, in seconds, a file may have been written: clocks are set now and then. */
#define CLOCK_SLACK		60

struct ConfigCache
{
	ConfigKey	key;
	char	   *path;			/* NULL: no file */
	bool		read_only;
	bool		rejected;		/* the file's text was found to be of no use: any other is better */
	bool		complained;		/* trouble is logged once a handle */
	uint64		seen_changes;	/* of shared memory */
};

/* ---- key and file name ---- */

/* Whatever decides which configuration the nodes give and which of its addresses are taken. */
static void
hash_connection(const ClusterHandle *handle, char *hex)
{
	const CbSettings *settings = handle->settings;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%d %d %s\n%s\n", settings->tls, settings->dnssrv,
					 settings->network ? settings->network : "", settings->dns_servers ? settings->dns_servers : "");
	for (size_t i = 0; i < handle->connstr->nhosts; i++)
	{
		const CbConnHost *host = &handle->connstr->hosts[i];

		appendStringInfo(&text, "%s%%%s %u %d\n", host->host, host->zone ? host->zone : "", host->port, host->proto);
	}
	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (uint8 *) text.data, text.len) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a SHA-256 hash");
	pg_cryptohash_free(context);
	pfree(text.data);
	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

void
config_cache_init(ClusterHandle *handle)
{
	const CbSettings *settings = handle->settings;
	const char *path = settings->config_cache ? settings->config_cache : settings->config_cache_ro;
	MemoryContext old = MemoryContextSwitchTo(handle->cxt);
	struct ConfigCache *cache = palloc0(sizeof(*cache));

	cache->key.database = MyDatabaseId;
	cache->key.server = handle->serverid;
	hash_connection(handle, cache->key.connection);
	strlcpy(cache->key.bucket, handle->bucket, sizeof(cache->key.bucket));
	cache->read_only = settings->config_cache == NULL;
	/* Options are checked for this; a name must not lead out of the folder whatever happens. */
	if (strchr(handle->bucket, '/') != NULL || handle->bucket[0] == '.')
		elog(ERROR, "bucket name \"%s\" cannot be part of a file name", handle->bucket);
	if (path != NULL && path[0] != '\0' && path[strlen(path) - 1] == '/')
		cache->path = psprintf("%s%s-%.16s", path, handle->bucket, cache->key.connection);
	else if (path != NULL)
		cache->path = pstrdup(path);
	handle->cache = cache;
	MemoryContextSwitchTo(old);
}

/* ---- files ---- */

/* What stands under the name of the file. */
typedef struct Found
{
	char	   *data;			/* palloc'd; NULL: nothing readable */
	size_t		len;
	CbConfigFile file;			/* borrows from data; filled if usable */
	bool		usable;
	bool		replaceable;	/* nothing, or something of ours */
	char		why[200];		/* not usable: the reason, empty if there simply is no file */
} Found;

static void
complain(ClusterHandle *handle, const char *what, const char *why, const char *hint)
{
	struct ConfigCache *cache = handle->cache;

	ereport(cache->complained ? DEBUG1 : LOG,
			(errmsg("configuration cache \"%s\" %s: %s", cache->path, what, why),
			 hint != NULL ? errhint("%s", hint) : 0));
	cache->complained = true;
}

/* Nothing but a regular file of the right owner that nobody else may write to. */
static bool
check_file(const struct ConfigCache *cache, int fd, off_t *size, Found *found)
{
	struct stat st;
	const char *why = NULL;

	if (fstat(fd, &st) != 0)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "it is not a regular file";
	else if (st.st_uid != geteuid() && !(cache->read_only && st.st_uid == 0))
		why = "it belongs to another user";
	else if (st.st_size > CB_CONFIG_FILE_MAX)
		why = "it is too long";
	if (why != NULL)
	{
		strlcpy(found->why, why, sizeof(found->why));
		return false;
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		strlcpy(found->why, "others may write to it", sizeof(found->why));
	*size = st.st_size;
	return true;
}

static void
read_file(const struct ConfigCache *cache, Found *found)
{
	off_t		size;
	int			fd = OpenTransientFile(cache->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | PG_BINARY);

	memset(found, 0, sizeof(*found));
	if (fd < 0)
	{
		found->replaceable = errno == ENOENT;
		if (errno != ENOENT)
			strlcpy(found->why, errno == ELOOP ? "it is a symbolic link" : strerror(errno), sizeof(found->why));
		return;
	}
	if (check_file(cache, fd, &size, found))
	{
		ssize_t		n = 1;

		found->data = palloc(size + 1);
		while (found->len < size && (n = read(fd, found->data + found->len, size - found->len)) > 0)
			found->len += n;
		if (n < 0)
			strlcpy(found->why, strerror(errno), sizeof(found->why));
	}
	CloseTransientFile(fd);
}

/* In seconds. */
static int64
age_of(const CbConfigFile *file)
{
	return (int64) time(NULL) - file->written;
}

/* Reads and judges what is there now, up to but not including the configuration's text. */
static void
examine(const struct ConfigCache *cache, Found *found)
{
	CbError		error;
	CbSpan		data;

	read_file(cache, found);
	if (found->data == NULL)
		return;
	data = cb_span(found->data, found->len);
	found->replaceable = cb_config_file_is_ours(data);
	if (found->why[0] != '\0')
		return;
	if (cb_config_file_read(data, &found->file, &error) != CB_OK)
		strlcpy(found->why, error.text, sizeof(found->why));
	else if (!cb_span_equal_cstr(found->file.bucket, cache->key.bucket))
	{
		strlcpy(found->why, "it is of another bucket", sizeof(found->why));
		found->replaceable = false;
	}
	else if (!cb_span_equal_cstr(found->file.server, cache->key.connection))
		strlcpy(found->why, "it was written for other hosts or another network", sizeof(found->why));
	else if (age_of(&found->file) > MAX_AGE)
		strlcpy(found->why, "it is too old", sizeof(found->why));
	else if (age_of(&found->file) < -CLOCK_SLACK)
		strlcpy(found->why, "it was written in the future", sizeof(found->why));
	else
		found->usable = true;
}

static void
discard(Found *found)
{
	if (found->data != NULL)
		pfree(found->data);
}

/* Writes beside the file and renames, so that readers see the old or the new one, whole. */
static void
replace_file(ClusterHandle *handle, CbSpan image)
{
	const char *path = handle->cache->path;
	uint64		random = 0;
	char	   *temporary;
	int			fd;
	bool		written;

	(void) pg_strong_random(&random, sizeof(random));
	temporary = psprintf("%s.%016llx.tmp", path, (unsigned long long) random);
	fd = OpenTransientFilePerm(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | PG_BINARY, S_IRUSR | S_IWUSR);
	if (fd < 0)
	{
		complain(handle, "cannot be written", strerror(errno), NULL);
		pfree(temporary);
		return;
	}
	errno = 0;
	written = write(fd, image.data, image.len) == (ssize_t) image.len;
	if (!written && errno == 0)
		errno = ENOSPC;
	if (CloseTransientFile(fd) != 0)
		written = false;
	if (!written || rename(temporary, path) != 0)
	{
		complain(handle, "cannot be written", strerror(errno), NULL);
		(void) unlink(temporary);
	}
	pfree(temporary);
}

/* Whether what a node says now is to take the place of what is there. A node may lag behind, but not for long. */
static bool
is_better(const CbConfigFile *file, const Found *found)
{
	int			order;

	if (!found->usable || !cb_span_equal(file->bucket_uuid, found->file.bucket_uuid) ||
		!cb_span_equal(file->cluster_uuid, found->file.cluster_uuid))
		return true;
	order = cb_version_compare(file->version, found->file.version);
	return order > 0 || (order < 0 && age_of(&found->file) > SETTLED_AGE);
}

static void
store_file(ClusterHandle *handle, const CbConfigFile *file, CbSpan image)
{
	Found		found;

	examine(handle->cache, &found);
	if (!found.replaceable)
		complain(handle, "is left alone", found.why,
				 found.usable || found.file.bucket.len == 0 ? NULL
				 : "Give a folder, with a slash at its end, to have a file for each bucket.");
	else if (handle->cache->rejected || is_better(file, &found))
		replace_file(handle, image);
	handle->cache->rejected = false;
	discard(&found);
}

/* ---- taking over ---- */

/* Parses the text of a kept configuration and checks that it is what its header says. NULL with the reason. */
static CbConfig *
parse_kept(const ClusterHandle *handle, const CbConfigFile *file, CbError *error)
{
	char	   *host = pnstrdup((const char *) file->host.data, file->host.len);
	CbConfig   *config = NULL;

	if (cb_config_parse(file->text, host, &config, error) == CB_OK &&
		(config->bucket == NULL || strcmp(config->bucket, handle->bucket) != 0 ||
		 cb_version_compare(config->version, file->version) != 0 ||
		 !cb_span_equal(cb_span_cstr(config->uuid), file->bucket_uuid) ||
		 !cb_span_equal(cb_span_cstr(config->cluster_uuid), file->cluster_uuid) ||
		 !config->vbucket_locator || config->nvbuckets == 0))
	{
		cb_config_free(config);
		config = NULL;
		(void) cb_error_set(error, CB_MALFORMED, NULL, "its text is not what its header says");
	}
	pfree(host);
	return config;
}

static bool
start_from(ClusterHandle *handle, const CbConfigFile *file, const char *place, CbError *error)
{
	CbConfig   *config = parse_kept(handle, file, error);

	if (config == NULL)
		return false;
	topology_start_from(handle, config, file->network, file->text);
	ereport(DEBUG1,
			(errmsg_internal("starting from the configuration of bucket \"%s\" kept in %s, epoch %lld, revision %lld",
							 handle->bucket, place, (long long) file->version.epoch, (long long) file->version.rev)));
	return true;
}

static bool
load_shared(ClusterHandle *handle)
{
	CbConfigFile file;
	CbError		error;
	size_t		len;
	char	   *image = config_shmem_get(&handle->cache->key, &len);
	bool		ok;

	if (image == NULL)
		return false;
	ok = cb_config_file_read(cb_span(image, len), &file, &error) == CB_OK &&
		start_from(handle, &file, "shared memory", &error);
	if (!ok)
		ereport(LOG, (errmsg("configuration in shared memory is ignored: %s", error.text)));
	pfree(image);
	return ok;
}

static bool
load_file(ClusterHandle *handle)
{
	Found		found;
	CbError		error;
	bool		ok;

	if (handle->cache->path == NULL)
		return false;
	examine(handle->cache, &found);
	ok = found.usable && start_from(handle, &found.file, "a file", &error);
	handle->cache->rejected = !ok && found.usable;
	if (handle->cache->rejected)
		complain(handle, "is ignored", cluster_printable_cstr(error.text), NULL);
	else if (found.why[0] != '\0')
		complain(handle, "is ignored", found.why, NULL);
	discard(&found);
	return ok;
}

/* ---- starting ---- */

static void
want_node(KvConn *conn)
{
	if (conn == NULL)
		return;
	/* The user asks now: an earlier failure is no reason not to try. */
	if (conn->state == KV_CONN_CLOSED)
		conn->retry_after = 0;
	(void) kv_conn_want(conn);
}

/* The nodes that have the keys; without keys, some. */
static void
want_nodes(ClusterHandle *handle, int nkeys, const KvKey *keys)
{
	size_t		nnodes = handle->config->nnodes;
	size_t		first = pg_prng_uint64_range(&pg_global_prng_state, 0, Max(nnodes, 1) - 1);
	int			some = 0;

	for (int i = 0; i < nkeys; i++)
	{
		CbSpan		key = cb_span(keys[i].data, keys[i].len);
		KvConn	   *conn = topology_conn(handle, cb_vbucket_of(key, handle->config->nvbuckets));

		if (conn == NULL || conn->state == KV_CONN_CLOSED)
			want_node(conn);
	}
	for (size_t i = 0; nkeys == 0 && i < nnodes && some < MAX_ASKED; i++)
	{
		KvConn	   *conn = handle->node_conns[(first + i) % nnodes];

		if (conn == NULL)
			continue;
		want_node(conn);
		some += conn->state != KV_CONN_CLOSED;
	}
}

/* Whether anybody may still confirm the config. Those that have answered something are slow at worst: they get time. */
static bool
under_way(const ClusterHandle *handle, bool answered)
{
	for (int i = 0; i < handle->nconns; i++)
	{
		const KvConn *conn = handle->conns[i];

		if (conn->state != KV_CONN_CLOSED && conn->state != KV_CONN_READY && (!answered || conn->answered))
			return true;
	}
	return false;
}

static void
wait_for_word(ClusterHandle *handle, int64 deadline, ClusterCounters *counters)
{
	int64		until = Min(deadline, wait_now() + HEAD_START);

	while (handle->provisional && under_way(handle, false) && wait_now() < until)
		handle_wait(handle, until, false, counters);
	while (handle->provisional && under_way(handle, true) && wait_now() < deadline)
		handle_wait(handle, deadline, false, counters);
}

bool
config_cache_start(ClusterHandle *handle, int nkeys, const KvKey *keys, int64 deadline, ClusterCounters *counters)
{
	if (!handle->provisional && !load_shared(handle) && !load_file(handle))
		return false;
	want_nodes(handle, nkeys, keys);
	wait_for_word(handle, deadline, counters);
	if (handle->provisional && nkeys > 0)
	{
		want_nodes(handle, 0, NULL);
		wait_for_word(handle, deadline, counters);
	}
	if (!handle->provisional)
	{
		seeds_in_reserve(handle);
		return true;
	}
	ereport(DEBUG1,
			(errmsg_internal("no node has confirmed the kept configuration of bucket \"%s\"", handle->bucket)));
	topology_drop(handle);
	return false;
}

/* ---- keeping ---- */

void
config_cache_store(ClusterHandle *handle, const char *host, CbSpan text)
{
	struct ConfigCache *cache = handle->cache;
	const CbConfig *config = handle->config;
	CbConfigFile file = {0};
	CbBuf		image = {0};

	file.server = cb_span_cstr(cache->key.connection);
	file.bucket = cb_span_cstr(cache->key.bucket);
	file.bucket_uuid = cb_span_cstr(config->uuid);
	file.cluster_uuid = cb_span_cstr(config->cluster_uuid);
	file.host = cb_span_cstr(host);
	file.network = cb_span_cstr(handle->network);
	file.version = config->version;
	file.written = time(NULL);
	file.text = text;
	if (cb_config_file_write(&file, &image) != CB_OK)
	{
		cb_buf_free(&image);
		return;
	}
	PG_TRY();
	{
		if (!config_shmem_put(&cache->key, &file, cb_buf_span(&image)))
			ereport(DEBUG1,
					(errmsg_internal("configuration of bucket \"%s\" takes %zu bytes, shared memory has %zu for one",
									 handle->bucket, image.len, config_shmem_slot_size())));
		if (cache->path != NULL && !cache->read_only)
			store_file(handle, &file, cb_buf_span(&image));
	}
	PG_FINALLY();
	{
		cb_buf_free(&image);
	}
	PG_END_TRY();
}

bool
config_cache_catch_up(ClusterHandle *handle)
{
	struct ConfigCache *cache = handle->cache;
	uint64		changes = config_shmem_changes();
	CbConfig   *config = NULL;
	CbConfigFile file;
	CbError		error;
	size_t		len;
	char	   *image;

	if (changes == cache->seen_changes || handle->config == NULL || handle->provisional ||
		handle->config_doubted)
		return false;
	cache->seen_changes = changes;
	image = config_shmem_get(&cache->key, &len);
	if (image == NULL)
		return false;
	if (cb_config_file_read(cb_span(image, len), &file, &error) == CB_OK &&
		cb_version_compare(file.version, handle->config->version) > 0)
		config = parse_kept(handle, &file, &error);
	if (config != NULL && !topology_follow(handle, config, file.text))
	{
		cb_config_free(config);
		config = NULL;
	}
	pfree(image);
	return config != NULL;
}
