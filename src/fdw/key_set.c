/*
 * key_set.c
 *		A set of document keys: a hash table of entries that point to keys packed into blocks, about 40 bytes a key.
 */
#include "key_set.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#define KEY_SET_BLOCK	8192

typedef struct KeySetKey
{
	const char *data;
	uint8		len;
} KeySetKey;

typedef struct KeySetEntry
{
	KeySetKey	key;
	char		status;			/* simplehash's */
	uint32		hash;
} KeySetEntry;

#define SH_PREFIX		keys
#define SH_ELEMENT_TYPE	KeySetEntry
#define SH_KEY_TYPE		KeySetKey
#define SH_KEY			key
#define SH_HASH_KEY(table, key)	hash_bytes((const unsigned char *) (key).data, (key).len)
#define SH_EQUAL(table, a, b)	((a).len == (b).len && memcmp((a).data, (b).data, (a).len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry)	((entry)->hash)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct KeySet
{
	MemoryContext cxt;
	keys_hash  *table;
	char	   *block;
	size_t		room;			/* bytes left in it */
};

KeySet *
key_set_create(MemoryContext parent)
{
	MemoryContext cxt = AllocSetContextCreate(parent, "cbconn_fdw keys", ALLOCSET_DEFAULT_SIZES);
	KeySet	   *set = MemoryContextAllocZero(cxt, sizeof(KeySet));

	set->cxt = cxt;
	set->table = keys_create(cxt, 256, NULL);
	return set;
}

static const char *
key_set_copy(KeySet *set, const char *key, size_t len)
{
	char	   *copy;

	if (set->room < len)
	{
		set->room = 0;
		set->block = MemoryContextAlloc(set->cxt, KEY_SET_BLOCK);
		set->room = KEY_SET_BLOCK;
	}
	copy = set->block;
	memcpy(copy, key, len);
	set->block += len;
	set->room -= len;
	return copy;
}

bool
key_set_add(KeySet *set, const char *key, size_t len)
{
	KeySetKey	search = {key, (uint8) len};
	KeySetEntry *entry;
	bool		found;

	if (len > PG_UINT8_MAX)
		elog(ERROR, "key of %zu bytes", len);
	entry = keys_lookup(set->table, search);
	if (entry != NULL)
		return false;
	search.data = key_set_copy(set, key, len);
	(void) keys_insert(set->table, search, &found);
	return true;
}

int64
key_set_size(const KeySet *set)
{
	return (int64) set->table->members;
}

void
key_set_destroy(KeySet *set)
{
	MemoryContextDelete(set->cxt);
}
