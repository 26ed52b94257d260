/*
 * modify.h
 *		The state of INSERT, UPDATE, DELETE and COPY on a foreign table, shared by the files that write.
 */
#ifndef CBCONN_MODIFY_H
#define CBCONN_MODIFY_H

#include "document_out.h"
#include "key_set.h"
#include "value.h"

#include "nodes/execnodes.h"

/* Elements of what PlanForeignModify returns (F1). */
typedef enum ModifyPrivate
{
	MODIFY_PRIVATE_ASSIGNED,	/* IntList of attnums that UPDATE assigns, generated columns included */
	MODIFY_PRIVATE_JOINED		/* Boolean: UPDATE or DELETE may come to one row several times */
} ModifyPrivate;

/* Names of the columns that identify a row; see modify_plan.c. */
#define MODIFY_CAS_HIGH		"cbconn_cas_high"
#define MODIFY_CAS_LOW		"cbconn_cas_low"
#define MODIFY_FLAGS		"cbconn_flags"
#define MODIFY_WHOLE_ROW	"wholerow"

/* The key's junk column of a table, palloc'd: tables whose keys differ in type cannot share one. */
extern char *modify_key_name(Form_pg_attribute attr);

/*
 * exec_ahead.c: scans of the collection that the statement writes into take all their rows before they pass one on.
 * True when one of them will be asked again for other rows, so that nothing should be written before the end.
 */
extern bool ahead_mark(ModifyTableState *mtstate, const FdwTable *table);

/* A column as it is written. */
typedef struct ModifyColumn
{
	AttrNumber	attnum;
	const char *name;
	const FdwColumn *column;
	ValueType  *type;			/* all but metadata */
	bool		needs_settings; /* for value_encode */
	bool		alone;			/* PATH: no other column reads its field, what is in it or around it */
	CbPath		path;			/* PATH */
	const char *subdoc;			/* PATH: NULL when it has no form for subdocument commands */
} ModifyColumn;

/*
 * One mutation under way that somebody waits for, or that may have to be made again as a change of the whole document.
 * KvMutation.tag points to it.
 */
typedef struct ModifyItem
{
	struct ModifyItem *next;	/* on the list of those to be read */
	size_t		size;			/* owned: bytes */
	bool		owned;			/* by the queue, which frees it when its outcome is known */
	bool		whole;			/* the document has to be read and replaced, with changes made */
	bool		settled;
	KvOutcome	outcome;
	uint64		cas;			/* outcome APPLIED: from here on */
	uint16		vbucket;
	bool		has_seqno;
	uint64		seqno;

	KvMutation	mutation;		/* what was sent; of subdocument changes also: */
	int			nchanges;
	DocumentChange *changes;
	bool		flags_given;	/* mutation.flags is wanted, not what the document has */
	uint32		old_flags;

	const char *body;			/* the whole document, where it was written as such */
	size_t		body_len;
} ModifyItem;

/* Keys that an error tells of. */
typedef struct ModifyKeys
{
	int64		n;
	StringInfoData text;		/* quoted, separated by commas; all but the last ones of very many */
	int			named;			/* bytes of it that the client is told */
} ModifyKeys;

/* ResultRelInfo.ri_FdwState */
typedef struct FdwModifyState
{
	const FdwTable *table;
	Relation	rel;
	Oid			userid;
	CmdType		operation;
	bool		do_nothing;		/* ON CONFLICT DO NOTHING */
	bool		hold;			/* nothing is written before all rows are there */
	bool		routed;			/* rows come from tuple routing or COPY */
	Bitmapset  *assigned;		/* attnums that UPDATE assigns */
	bool		by_trigger;		/* a BEFORE trigger may assign others */
	bool		opened;			/* the members below that depend on the first row */
	bool		deferred;		/* outcomes may be awaited later */
	bool		refresh;		/* the row is needed as it is stored */

	MemoryContext cxt;
	MemoryContext row_cxt;		/* reset with each row or batch */
	ValueState	values;
	int			ncolumns;
	ModifyColumn *columns;		/* by depth of their paths */
	bool		needs_settings;
	RowDecoder *decoder;		/* all columns; NULL unless refresh */
	AttrNumber	document_attno; /* 0: no such column */
	AttrNumber	expiry_attno;	/* one of them, if there are several */
	AttrNumber	flags_attno;

	AttrNumber	key_junk;		/* columns of the plan's rows */
	AttrNumber	cas_high_junk;
	AttrNumber	cas_low_junk;
	AttrNumber	flags_junk;
	AttrNumber	whole_junk;

	ClusterHandle *handle;
	KvCollection *collection;
	KvMutate   *mutate;
	KvFetch    *fetch;			/* of documents to be changed as a whole */
	bool		started;		/* kv_mutate_start since the queue was empty */
	ModifyItem *unread;			/* changes of whole documents that are still to be read */
	int			nunread;
	size_t		unread_bytes;
	KeySet	   *seen;			/* keys written: by this statement if it is joined, else those under way */
	bool		joined;
	ClusterCounters counters;
	ClusterCounters fetch_counters;

	/* outcomes of the statement */
	int64		applied;
	struct ModifyFailure *failure;	/* the one to be reported; NULL: none */
	ModifyKeys	failed;
	ModifyKeys	unknown;

	const ModifyColumn *current;	/* for messages */
	const char *current_key;	/* escaped */
} FdwModifyState;

/* ---- modify.c ---- */

/* State for a result relation; columns are compiled, nothing is sent. */
extern FdwModifyState *modify_create(ResultRelInfo *rinfo, CmdType operation, Oid userid);

/* Connects, decides what may wait: with the first row, when the executor has set up all there is. */
extern void modify_open(FdwModifyState *state, ResultRelInfo *rinfo);

/* Makes the mutation of a row. What is wrong with a row is thrown when the fates of those before it are known. */
extern void modify_make_item(FdwModifyState *state, ResultRelInfo *rinfo, TupleTableSlot *slot,
							 TupleTableSlot *planSlot, EState *estate, ModifyItem *item);

/* Whether one path leads to what the other leads to, or into it. */
extern bool modify_paths_overlap(const CbPath *a, const CbPath *b);

/* Whose user mapping counts. */
extern Oid	modify_userid(ResultRelInfo *rinfo, EState *estate);

/* ---- modify_row.c: rows to mutations; results live in the current memory context ---- */

extern void modify_insert_item(FdwModifyState *state, TupleTableSlot *slot, ModifyItem *item);
extern void modify_update_item(FdwModifyState *state, TupleTableSlot *slot, TupleTableSlot *planslot,
							   ModifyItem *item);
extern void modify_delete_item(FdwModifyState *state, TupleTableSlot *planslot, ModifyItem *item);

/* error_context_stack callback; arg: the state */
extern void modify_error_context(void *arg);

/* The row as it is stored now. */
extern void modify_refresh_inserted(FdwModifyState *state, TupleTableSlot *slot, const ModifyItem *item);
extern void modify_refresh_updated(FdwModifyState *state, TupleTableSlot *slot, const ModifyItem *item);

/* The old row that UPDATE and DELETE carry along, as values. */
extern void modify_old_row(FdwModifyState *state, TupleTableSlot *planslot, Datum *values, bool *isnull);

/* ---- modify_queue.c ---- */

/*
 * Sends a mutation. Deferred: its outcome is seen to later, and errors are raised by a later call. Otherwise the
 * outcome is in item, which is the caller's; errors are raised but for KV_EXISTS under ON CONFLICT DO NOTHING.
 */
extern void modify_send(FdwModifyState *state, ModifyItem *item);

/* The same without waiting, for the caller's batch; modify_finish follows. */
extern void modify_add(FdwModifyState *state, ModifyItem *item);

/* Waits for all outcomes and raises what went wrong. */
extern void modify_finish(FdwModifyState *state);

/* False: this statement has written the key before, a row of a join came twice. */
extern bool modify_first_time(FdwModifyState *state, const KvMutation *mutation);

/* Reads the document and makes item a change of it as a whole; throws 40001 when it is not as the scan saw it. */
extern void modify_read_whole(FdwModifyState *state, ModifyItem *item);

/*
 * For PG_CATCH: awaits the outcomes of what is under way before the error goes on its way, so that the count of what
 * stays is exact. Not after a cancel. May throw.
 */
extern void modify_drain(FdwModifyState *state);

#endif							/* CBCONN_MODIFY_H */
