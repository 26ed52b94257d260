/*
 * down.c
 *		The table of nodes that could not be reached. A mark is of one server, so that nobody but its own users, who
 *		cannot change how long they wait, can make a node look dead to others.
 */
#include "postgres.h"

#include "access/xact.h"
#include "down.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"

#define NMARKS			64

/* Trying that costs more than this is left to one backend at a time, */
#define COSTLY			250000
/* for as long as it took, within these bounds. */
#define MIN_REST		500000
#define MAX_REST		2000000
/* Failures that lie further apart are not in a row. */
#define FORGET			60000000
/* For how long nobody is patient with a node that refuses at once; each one who tries it finds out for himself. */
#define REFUSED_LIFETIME 30000000

typedef struct DownKey
{
	Oid			database;
	Oid			server;
	char		node[280];		/* host:port; all bytes count */
} DownKey;

typedef struct DownMark
{
	DownKey		key;
	int64		since;			/* wait_now(), which all processes of the machine share */
	int64		until;			/* 0: place not in use */
	bool		costly;
	int			times;			/* in a row that trying was costly */
	int			pid;			/* who has tried last, */
	TimestampTz statement;		/* in which statement */
	int			sqlstate;
	char		step[32];
	char		text[384];
} DownMark;

typedef struct DownTable
{
	pg_atomic_uint32 count;		/* places in use */
	DownMark	marks[NMARKS];
} DownTable;

static DownTable *shared = NULL;
static LWLock *shared_lock = NULL;
static DownTable own;			/* without shared memory; zero is empty */

Size
down_shmem_size(void)
{
	return MAXALIGN(sizeof(DownTable));
}

void
down_shmem_startup(LWLock *lock)
{
	bool		found;

	shared = ShmemInitStruct("cbconn_fdw nodes that are down", down_shmem_size(), &found);
	shared_lock = lock;
	if (!found)
	{
		memset(shared, 0, sizeof(*shared));
		pg_atomic_init_u32(&shared->count, 0);
	}
}

static DownTable *
acquire(LWLockMode mode)
{
	if (shared == NULL)
		return &own;
	LWLockAcquire(shared_lock, mode);
	return shared;
}

static void
release(void)
{
	if (shared != NULL)
		LWLockRelease(shared_lock);
}

static bool
any_marks(void)
{
	return pg_atomic_read_u32(shared != NULL ? &shared->count : &own.count) > 0;
}

static void
fill_key(const KvConn *conn, DownKey *key)
{
	memset(key, 0, sizeof(*key));
	key->database = MyDatabaseId;
	key->server = conn->handle->serverid;
	strlcpy(key->node, conn->name, sizeof(key->node));
}

static DownMark *
find(DownTable *table, const DownKey *key)
{
	for (int i = 0; i < NMARKS; i++)
	{
		if (table->marks[i].until != 0 && memcmp(&table->marks[i].key, key, sizeof(*key)) == 0)
			return &table->marks[i];
	}
	return NULL;
}

/* A place for another mark: a free one, else that of the mark which ends first. */
static DownMark *
place(DownTable *table)
{
	DownMark   *best = &table->marks[0];

	for (int i = 1; i < NMARKS; i++)
	{
		if (table->marks[i].until < best->until)
			best = &table->marks[i];
	}
	if (best->until == 0)
		pg_atomic_fetch_add_u32(&table->count, 1);
	return best;
}

/*
 * Whether the network, or the absence of whoever should listen, is to blame for a connection that failed. A node that
 * has said something is there, however slow: others should not give it up for that.
 */
static bool
is_unreachable(const KvConn *conn)
{
	return !conn->answered && conn->failure.sqlstate == ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION;
}

static void
set_mark(const KvConn *conn, bool costly, int64 lifetime)
{
	int64		now = wait_now();
	DownTable  *table;
	DownMark   *mark;
	DownKey		key;

	fill_key(conn, &key);
	table = acquire(LW_EXCLUSIVE);
	mark = find(table, &key);
	if (mark == NULL)
	{
		mark = place(table);
		mark->times = 0;
	}
	mark->times = costly && now - mark->since < FORGET ? mark->times + 1 : 1;
	mark->pid = MyProcPid;
	mark->statement = GetCurrentStatementStartTimestamp();
	mark->key = key;
	mark->since = now;
	mark->until = now + lifetime;
	mark->costly = costly;
	mark->sqlstate = conn->failure.sqlstate;
	strlcpy(mark->step, conn->failure.step, sizeof(mark->step));
	strlcpy(mark->text, conn->failure.text, sizeof(mark->text));
	release();
}

void
down_tried(const KvConn *conn, int64 took)
{
	/* It is there, whatever it said: nobody needs to keep away from it. */
	if (conn->answered)
		down_clear(conn);
	else if (took >= COSTLY && is_unreachable(conn))
		set_mark(conn, true, Min(Max(took, MIN_REST), MAX_REST));
}

bool
down_given_up(KvConn *conn)
{
	if (conn->state == KV_CONN_READY)
		return false;
	if (conn->state != KV_CONN_CLOSED && !conn->answered && wait_now() - conn->started >= COSTLY)
	{
		kv_failure_set(&conn->failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, conn->step,
					   "no answer in time");
		down_tried(conn, wait_now() - conn->started);
		return true;
	}
	if (is_unreachable(conn) && down_state(conn) == DOWN_NOT)
		set_mark(conn, false, REFUSED_LIFETIME);
	return false;
}

void
down_clear(const KvConn *conn)
{
	DownTable  *table;
	DownMark   *mark;
	DownKey		key;

	if (!any_marks())
		return;
	fill_key(conn, &key);
	table = acquire(LW_EXCLUSIVE);
	mark = find(table, &key);
	if (mark != NULL)
	{
		mark->until = 0;
		pg_atomic_fetch_sub_u32(&table->count, 1);
	}
	release();
}

DownState
down_state(const KvConn *conn)
{
	DownState	state = DOWN_NOT;
	DownMark   *mark;
	DownKey		key;

	if (!any_marks())
		return state;
	fill_key(conn, &key);
	mark = find(acquire(LW_SHARED), &key);
	if (mark != NULL && wait_now() < mark->until)
		state = mark->costly ? DOWN_SILENT : DOWN_REFUSES;
	release();
	return state;
}

/* Whoever has met the node once may have met it at a bad moment: the next statement tries again. */
static bool
may_try_again(const DownMark *mark)
{
	return mark->times == 1 && mark->pid == MyProcPid && mark->statement != GetCurrentStatementStartTimestamp();
}

bool
down_blocks(KvConn *conn)
{
	int64		now = wait_now();
	DownMark   *mark;
	DownKey		key;
	bool		blocked = false;

	if (!any_marks())
		return false;
	fill_key(conn, &key);
	mark = find(acquire(LW_EXCLUSIVE), &key);
	if (mark != NULL && mark->costly)
	{
		blocked = now < mark->until && !may_try_again(mark);
		/* This backend finds out, the others wait for what it finds. */
		if (!blocked)
			mark->until = now + conn->handle->settings->node_timeout;
		else
		{
			strlcpy(conn->down_step, mark->step, sizeof(conn->down_step));
			kv_failure_set(&conn->failure, mark->sqlstate, false, conn->down_step,
						   "%.300s (%.1f s ago, not tried since)", mark->text, (now - mark->since) / 1e6);
			strlcpy(conn->failure.node, conn->name, sizeof(conn->failure.node));
		}
	}
	release();
	return blocked;
}
