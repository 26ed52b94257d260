/*
 * kv_lock.c: GET_LOCKED and UNLOCK_KEY (BinaryProtocol.md).
 */
#include "core.h"
#include "disk.h"
#include "handlers.h"
#include "kv_value.h"

#define DEFAULT_SECONDS 15
#define MAX_SECONDS 30					/* more means the default */

void
kv_lock(Req *r)
{
	Doc		   *d = store_find(r->vb, r->cid, r->key, r->key_len);
	uint32_t	seconds = r->ext_len == 4 ? get32(r->ext) : 0;
	uint16_t	status = kv_pending(r) ? KV_SYNC_WRITE_IN_PROGRESS : d == NULL ? KV_KEY_ENOENT : kv_may_write(r, d, 0);
	Lock	   *lock;

	if (status != KV_SUCCESS)
	{
		reply_status(r, status);
		return;
	}
	if (seconds == 0 || seconds > MAX_SECONDS)
		seconds = DEFAULT_SECONDS;
	lock = store_lock(r->vb, d, cb_now_ms(r->node->cluster) + (int64_t) seconds * 1000);
	kv_reply_doc(r, d, lock->cas);
}

bool
kv_unlock_validate(Req *r)
{
	return r->cas != 0 || refuse(r, "Request CAS must be set");
}

void
kv_unlock(Req *r)
{
	Doc		   *d = store_find(r->vb, r->cid, r->key, r->key_len);
	Lock	   *lock = store_lock_of(r->vb, r->cid, r->key, r->key_len);

	if (d == NULL)
		reply_status(r, KV_KEY_ENOENT);
	else if (lock == NULL)
		reply_status(r, KV_NOT_LOCKED);
	else if (lock->cas != r->cas)
		reply_status(r, KV_LOCKED);
	else
	{
		store_unlock(r->vb, lock);
		reply_status(r, KV_SUCCESS);
	}
}
