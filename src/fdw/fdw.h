/*
 * fdw.h
 *		What the files of src/fdw share: the mapping of a foreign table and the decoder of its rows.
 */
#ifndef CBCONN_FDW_H
#define CBCONN_FDW_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "nodes/bitmapset.h"
#include "../cluster/cluster.h"
#include "../cluster/mutate.h"
#include "../cluster/query.h"
#include "../protocol/path.h"

/* How a table may be reached (option access). */
typedef enum FdwAccess
{
	FDW_ACCESS_AUTO,
	FDW_ACCESS_KV,
	FDW_ACCESS_QUERY
} FdwAccess;

/* What to do with a JSON value of the wrong type (option on_type_error). */
typedef enum FdwTypeError
{
	FDW_TYPE_ERROR_ERROR,
	FDW_TYPE_ERROR_NULL
} FdwTypeError;

/* Whether key look-ups may fetch single paths instead of whole documents (option lookup). */
typedef enum FdwLookup
{
	FDW_LOOKUP_AUTO,			/* by what few paths of a large document save */
	FDW_LOOKUP_ON,
	FDW_LOOKUP_OFF
} FdwLookup;

/* How date and time columns are stored (option format). */
typedef enum FdwTimeFormat
{
	FDW_TIME_ISO8601,
	FDW_TIME_EPOCH_S,
	FDW_TIME_EPOCH_MS
} FdwTimeFormat;

/* What INSERT and COPY do about the key (option insert_mode). */
typedef enum FdwInsertMode
{
	FDW_INSERT_INSERT,			/* must not exist */
	FDW_INSERT_UPSERT,
	FDW_INSERT_REPLACE			/* must exist */
} FdwInsertMode;

typedef enum FdwColumnKind
{
	FDW_COLUMN_NONE,			/* dropped: always NULL */
	FDW_COLUMN_KEY,
	FDW_COLUMN_DOCUMENT,
	FDW_COLUMN_META,
	FDW_COLUMN_PATH				/* default: the top-level field of the column's name */
} FdwColumnKind;

typedef enum FdwMeta
{
	FDW_META_CAS,				/* bigint (the 64 bits as they are) or numeric (unsigned) */
	FDW_META_EXPIRY,			/* timestamptz, interval; NULL: none */
	FDW_META_FLAGS,
	FDW_META_SEQNO,
	FDW_META_VBUCKET,
	FDW_META_DATATYPE			/* text: json, raw; with ",xattr" */
} FdwMeta;

typedef struct FdwColumn
{
	FdwColumnKind kind;
	FdwMeta		meta;
	const char *path;			/* FDW_COLUMN_PATH: canonical text of the path, for messages and EXPLAIN */
	FdwTimeFormat format;
	FdwTypeError on_type_error;
	bool		store_nulls;	/* option null_as: NULL is written as JSON null, not by leaving the field out */
} FdwColumn;

typedef struct FdwFilter FdwFilter; /* filter.h */

/* A foreign table's mapping, read once per plan or execution by table_load. */
typedef struct FdwTable
{
	Oid			relid;
	const char *relname;
	Oid			serverid;
	const char *servername;
	const char *bucket;
	const char *scope;			/* never NULL */
	const char *collection;		/* never NULL */
	FdwAccess	access;
	QueryConsistency consistency;
	FdwLookup	lookup;
	double		startup_cost;	/* option fdw_startup_cost */
	double		tuple_cost;		/* option fdw_tuple_cost */
	int			nfilters;
	FdwFilter  *filters;		/* option filter: ANDed */
	bool		updatable;		/* never with a filter */
	bool		truncatable;
	FdwInsertMode insert_mode;
	KvDurability durability;
	int			batch_size;		/* most documents written before the first outcome is awaited */
	AttrNumber	key_attno;		/* 0: no key column */
	int			natts;
	FdwColumn  *columns;		/* natts, by attnum - 1 */
} FdwTable;

/* ---- table.c ---- */

/*
 * The mapping of a foreign table, read-only, valid until the current memory context is reset (it is cached in
 * the backend and counted there; an ALTER leaves copies in use as they were). Errors with FDW SQLSTATEs when the
 * table cannot work.
 */
extern FdwTable *table_load(Oid relid);

/* The target for this table as this user sees it (checkAsUser, or the current user when InvalidOid). */
extern void table_target(const FdwTable *table, Oid userid, ClusterTarget *target);

/* The target for a server as the current user sees it, without a bucket, in the current memory context. */
extern void table_server_target(ForeignServer *server, ClusterTarget *target);

/* ---- functions_diag.c ---- */

/*
 * What the current user would connect to by an SQL function's first argument, a server's name, and the one that names a
 * bucket (NULL: the server's). Throws without USAGE on the server.
 */
extern void function_target(FunctionCallInfo fcinfo, int bucket_argument, ClusterTarget *target);

/* cluster_open and cluster_collection for a table in one step (the server's own table_open is another thing). */
extern ClusterHandle *table_connect(const FdwTable *table, Oid userid, KvCollection **collection);

/* ---- row.c: documents to tuples ---- */

typedef struct RowDecoder RowDecoder;

/* What the wanted columns need from the cluster layer. */
typedef struct RowNeeds
{
	bool		body;			/* any path or document column */
	bool		meta;			/* expiry or seqno */
	bool		whole;			/* document column: only the whole body will do */
	bool		lookup_ok;		/* a subdocument look-up finds the same: no document column, at most
								 * KV_FETCH_MAX_PATHS paths, all expressible */
	int			npaths;			/* distinct paths of the wanted columns */
	const char **paths;			/* in the syntax of subdocument commands, UTF-8; NULL unless lookup_ok */
	const char **texts;			/* the same for people, as the options have them */
} RowNeeds;

/*
 * Decoder for these columns (members: attnum; a whole-row reference means all), in cxt. Long-lived part of a scan:
 * type input functions are looked up here, once.
 */
extern RowDecoder *row_decoder_create(const FdwTable *table, TupleDesc tupdesc, const Bitmapset *attnums,
									  MemoryContext cxt);

extern const RowNeeds *row_decoder_needs(const RowDecoder *decoder);

/*
 * Tells the decoder that documents come as look-up results in order of needs->texts (ClusterDoc.values)
 * instead of whole bodies. Default: whole bodies.
 */
extern void row_decoder_use_lookup(RowDecoder *decoder, bool lookup);

/*
 * Fills values/isnull (natts long; columns not wanted are NULL). By-reference results are in the current memory
 * context, which the caller resets per tuple, or point into doc. Errors name key, path and type (on_type_error),
 * and refuse invalid UTF-8, NUL characters and text that is not JSON.
 */
extern void row_decode(RowDecoder *decoder, const ClusterDoc *doc, Datum *values, bool *isnull);

/* One path column's value as if a document had this JSON value there; len 0: nothing. */
extern void row_decode_value(RowDecoder *decoder, const ClusterDoc *doc, AttrNumber attnum, const char *json,
							 size_t len, Datum *value, bool *isnull);

/* The path in the syntax of subdocument commands, palloc'd; NULL when these might not find what the walker finds. */
extern char *row_subdoc_path(const CbPath *path);

/* ---- wrapper.c: the FdwRoutine's callbacks, by file ---- */

/* plan.c */
extern void cbconnGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel, Oid relid);
extern void cbconnGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel, Oid relid);
extern ForeignScan *cbconnGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel, Oid relid, ForeignPath *best_path,
										 List *tlist, List *scan_clauses, Plan *outer_plan);
extern RowMarkType cbconnGetForeignRowMarkType(RangeTblEntry *rte, LockClauseStrength strength);

/* guc.c: called by _PG_init */
extern void guc_init(void);

/* exec.c */
extern void cbconnBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *cbconnIterateForeignScan(ForeignScanState *node);
extern void cbconnReScanForeignScan(ForeignScanState *node);
extern void cbconnEndForeignScan(ForeignScanState *node);
extern void cbconnShutdownForeignScan(ForeignScanState *node);

/* parallel.c */
extern bool cbconnIsForeignScanParallelSafe(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte);
extern Size cbconnEstimateDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt);
extern void cbconnInitializeDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt, void *coordinate);
extern void cbconnReInitializeDSMForeignScan(ForeignScanState *node, ParallelContext *pcxt, void *coordinate);
extern void cbconnInitializeWorkerForeignScan(ForeignScanState *node, shm_toc *toc, void *coordinate);

/* explain.c */
extern void cbconnExplainForeignScan(ForeignScanState *node, struct ExplainState *es);

/* analyze.c */
extern bool cbconnAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *totalpages);

/* modify_plan.c */
extern void cbconnAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *target_rte,
										  Relation target_relation);
extern List *cbconnPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index resultRelation, int subplan_index);
extern int	cbconnIsForeignRelUpdatable(Relation rel);

/* modify.c */
extern void cbconnBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private,
									 int subplan_index, int eflags);
extern TupleTableSlot *cbconnExecForeignInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
											   TupleTableSlot *planSlot);
extern TupleTableSlot *cbconnExecForeignUpdate(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
											   TupleTableSlot *planSlot);
extern TupleTableSlot *cbconnExecForeignDelete(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
											   TupleTableSlot *planSlot);
extern void cbconnEndForeignModify(EState *estate, ResultRelInfo *rinfo);

/* modify_batch.c */
extern int	cbconnGetForeignModifyBatchSize(ResultRelInfo *rinfo);
extern TupleTableSlot **cbconnExecForeignBatchInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot **slots,
													 TupleTableSlot **planSlots, int *numSlots);
extern void cbconnBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo);
extern void cbconnEndForeignInsert(EState *estate, ResultRelInfo *rinfo);

/* truncate.c */
extern void cbconnExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs);

/* explain.c */
extern void cbconnExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private,
									   int subplan_index, struct ExplainState *es);

#endif							/* CBCONN_FDW_H */
