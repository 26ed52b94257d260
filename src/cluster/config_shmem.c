/*
 * config_shmem.c
 *		The shared-memory area of kept configurations: a fixed number of slots under one lock, which is held for the
 *		copying of one configuration.
 */
#include "postgres.h"

#include "config_shmem.h"
#include "down.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"

#define TRANCHE			"cbconn_fdw"
#define MAX_SLOT_SIZE	(128 * 1024)

typedef struct ConfigSlot
{
	ConfigKey	key;
	CbVersion	version;
	char		bucket_uuid[64];
	char		cluster_uuid[64];
	pg_atomic_uint64 used;		/* when it was last looked at, counted in looks; 0: empty slot */
	uint32		len;
	char		data[FLEXIBLE_ARRAY_MEMBER];
} ConfigSlot;

typedef struct ConfigArea
{
	LWLock	   *lock;
	pg_atomic_uint64 looks;
	pg_atomic_uint64 changes;
	int			nslots;
} ConfigArea;

static int	area_kilobytes = 2048;
static ConfigArea *area = NULL;
static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static Size
slot_size(void)
{
	return Min((Size) area_kilobytes * 1024, MAX_SLOT_SIZE);
}

static int
number_of_slots(void)
{
	return area_kilobytes == 0 ? 0 : (int) ((Size) area_kilobytes * 1024 / slot_size());
}

static Size
area_size(void)
{
	return add_size(MAXALIGN(sizeof(ConfigArea)), mul_size(number_of_slots(), slot_size()));
}

static ConfigSlot *
slot_at(int index)
{
	return (ConfigSlot *) ((char *) area + MAXALIGN(sizeof(ConfigArea)) + (Size) index * slot_size());
}

size_t
config_shmem_slot_size(void)
{
	return slot_size() - offsetof(ConfigSlot, data);
}

/* ---- set-up ---- */

static void
cbconnShmemRequest(void)
{
	if (previous_request_hook != NULL)
		previous_request_hook();
	RequestAddinShmemSpace(add_size(area_size(), down_shmem_size()));
	RequestNamedLWLockTranche(TRANCHE, 2);
}

/* Runs in the postmaster, and in every child where children are started afresh instead of forked. */
static void
cbconnShmemStartup(void)
{
	bool		found;

	if (previous_startup_hook != NULL)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	area = ShmemInitStruct("cbconn_fdw configurations", area_size(), &found);
	if (!found)
	{
		area->lock = &GetNamedLWLockTranche(TRANCHE)->lock;
		area->nslots = number_of_slots();
		pg_atomic_init_u64(&area->looks, 0);
		pg_atomic_init_u64(&area->changes, 0);
		for (int i = 0; i < area->nslots; i++)
			pg_atomic_init_u64(&slot_at(i)->used, 0);
	}
	down_shmem_startup(&GetNamedLWLockTranche(TRANCHE)[1].lock);
	LWLockRelease(AddinShmemInitLock);
}

void
config_shmem_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	DefineCustomIntVariable("cbconn_fdw.shared_config_size",
							"Sets the shared memory for Couchbase cluster configurations.",
							"Each configuration takes 128 kB, or all of it if it is less. Zero turns sharing off.",
							&area_kilobytes, 2048, 0, 1024 * 1024, PGC_POSTMASTER, GUC_UNIT_KB, NULL, NULL, NULL);
	if (number_of_slots() == 0)
		return;
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = cbconnShmemRequest;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = cbconnShmemStartup;
}

/* ---- use ---- */

uint64
config_shmem_changes(void)
{
	return area != NULL ? pg_atomic_read_u64(&area->changes) : 0;
}

/* Under the lock. */
static ConfigSlot *
find(const ConfigKey *key)
{
	for (int i = 0; i < area->nslots; i++)
	{
		ConfigSlot *slot = slot_at(i);

		if (pg_atomic_read_u64(&slot->used) != 0 && memcmp(&slot->key, key, sizeof(*key)) == 0)
			return slot;
	}
	return NULL;
}

static ConfigSlot *
least_recently_used(void)
{
	ConfigSlot *best = slot_at(0);

	for (int i = 1; i < area->nslots; i++)
	{
		if (pg_atomic_read_u64(&slot_at(i)->used) < pg_atomic_read_u64(&best->used))
			best = slot_at(i);
	}
	return best;
}

static void
mark_used(ConfigSlot *slot)
{
	pg_atomic_write_u64(&slot->used, pg_atomic_add_fetch_u64(&area->looks, 1));
}

char *
config_shmem_get(const ConfigKey *key, size_t *len)
{
	ConfigSlot *slot;
	char	   *copy;

	if (area == NULL)
		return NULL;
	copy = palloc(slot_size());
	LWLockAcquire(area->lock, LW_SHARED);
	slot = find(key);
	if (slot != NULL)
	{
		mark_used(slot);
		*len = slot->len;
		memcpy(copy, slot->data, slot->len);
	}
	LWLockRelease(area->lock);
	if (slot != NULL)
		return copy;
	pfree(copy);
	return NULL;
}

static bool
is_newer(const ConfigSlot *slot, const CbConfigFile *file)
{
	return !cb_span_equal_cstr(file->bucket_uuid, slot->bucket_uuid) ||
		!cb_span_equal_cstr(file->cluster_uuid, slot->cluster_uuid) ||
		file->version.epoch > slot->version.epoch ||
		(file->version.epoch == slot->version.epoch && file->version.rev > slot->version.rev);
}

static void
copy_span(char *to, CbSpan span)
{
	if (span.len > 0)
		memcpy(to, span.data, span.len);
	to[span.len] = '\0';
}

static void
fill(ConfigSlot *slot, const ConfigKey *key, const CbConfigFile *file, CbSpan image)
{
	slot->key = *key;
	slot->version = file->version;
	copy_span(slot->bucket_uuid, file->bucket_uuid);
	copy_span(slot->cluster_uuid, file->cluster_uuid);
	slot->len = image.len;
	memcpy(slot->data, image.data, image.len);
	mark_used(slot);
}

bool
config_shmem_put(const ConfigKey *key, const CbConfigFile *file, CbSpan image)
{
	ConfigSlot *slot;

	if (area == NULL)
		return true;
	if (image.len > config_shmem_slot_size() || file->bucket_uuid.len >= sizeof(slot->bucket_uuid) ||
		file->cluster_uuid.len >= sizeof(slot->cluster_uuid))
		return false;
	LWLockAcquire(area->lock, LW_EXCLUSIVE);
	slot = find(key);
	if (slot == NULL || is_newer(slot, file))
	{
		if (slot == NULL)
			slot = least_recently_used();
		fill(slot, key, file, image);
		pg_atomic_fetch_add_u64(&area->changes, 1);
	}
	LWLockRelease(area->lock);
	return true;
}
