/*
 * plan.h
 *		What the planner's files share: facts about one foreign table in one query, conditions on its key, costs.
 */
#ifndef CBCONN_PLAN_H
#define CBCONN_PLAN_H

#include "scan.h"

#include "nodes/pathnodes.h"

/* One usable comparison of the key with something known before the scan starts. */
typedef struct KeyTerm
{
	KeyOp		op;
	Expr	   *value;
} KeyTerm;

/* A restriction or join clause that limits the keys. */
typedef struct KeyClause
{
	RestrictInfo *rinfo;
	List	   *terms;			/* KeyTerm pointers, ORed */
	bool		names_keys;		/* every term is KEY_EQ or KEY_ANY; else there is one term, a bound or prefix */
	bool		exact;			/* the access path returns just the rows for which the clause is true (F2) */
} KeyClause;

/* Keys that another table of a join has, collected before the scan starts. */
typedef struct KeyList
{
	RestrictInfo *rinfo;		/* the join clause */
	double		count;			/* estimate */
	PlannerInfo *subroot;		/* the subquery that collects them, */
	Path	   *path;			/* and how */
} KeyList;

/* RelOptInfo.fdw_private */
typedef struct FdwRelInfo
{
	FdwTable   *table;
	Oid			userid;			/* whose user mapping counts */
	double		doc_bytes;		/* average size of a document; 0: unknown */
	double		vbuckets;
	List	   *lookup_clauses; /* KeyClauses among baserestrictinfo that name keys */
	List	   *range_clauses;	/* and those that bound them */
	List	   *key_lists;		/* KeyLists */

	/* plan_query.c */
	bool		query_possible; /* the query service can give all columns that are wanted */
	bool		query_must;		/* and the table's option wants no other */
	int			query_version;	/* of the service; what is not known is taken for the newest */
	List	   *query_clauses;	/* RestrictInfos that can be sent */
	bool		query_exact;	/* all restrictions can, and mean the same there */
} FdwRelInfo;

/* ---- plan.c ---- */

/* Errors: rows of Couchbase have no system column but tableoid. */
extern void plan_refuse_system_column(const FdwTable *table, AttrNumber attno) pg_attribute_noreturn();

/* Attnums of the columns that the query or a local condition looks at; identity: those of UPDATE and DELETE, too. */
extern List *plan_columns(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table, List *local, bool *identity);

/* ---- keycond.c ---- */

/* The clause as a condition on the key, or NULL. The RestrictInfo may be a join clause. */
extern KeyClause *keycond_match(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table, RestrictInfo *rinfo);

/* Whether this is the table's key column, perhaps relabelled. */
extern bool keycond_is_key(Node *node, Index relid, AttrNumber key_attno);

/* Whether keys are text that a condition can use at all (a key column exists). */
extern bool keycond_possible(const FdwTable *table);

/* ---- plan_keylist.c ---- */

/* KeyLists for the join clauses of a table that the query updates or deletes from. */
extern List *keylist_find(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table, List *clauses);

/* Makes the list's subquery part of the plan; returns a condition of the form key = ANY (param). */
extern Expr *keylist_condition(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table, const KeyList *keys);

/* ---- collate.c ---- */

/* Whether text compares by its bytes in UTF-8 under this collation. */
extern bool collate_is_bytewise(Oid collation);

/* Whether text is equal under this collation only if its bytes are. */
extern bool collate_is_deterministic(Oid collation);

/* ---- count.c ---- */

/*
 * Number of documents and of vBuckets, asked of the cluster at most once a minute per table and user. False, and
 * both untouched, when the cluster cannot tell now: planning never fails for that.
 */
extern bool count_estimate(const FdwTable *table, Oid userid, double *documents, double *vbuckets);

/* Whether the cluster was asked within the last minute and could not be reached. */
extern bool count_has_failed(const FdwTable *table, Oid userid);

/* ---- cost.c ---- */

typedef struct CostEstimate
{
	double		rows;
	Cost		startup;
	Cost		total;
} CostEstimate;

/* How many keys these clauses name together. */
extern double cost_key_count(PlannerInfo *root, List *lookup_clauses);

/* Look-up of the keys that lookup_clauses name; rows is what the other conditions leave. */
extern void cost_lookup(PlannerInfo *root, RelOptInfo *rel, List *lookup_clauses, double rows, CostEstimate *cost);

/* Look-up of a list of keys. */
extern void cost_key_list(PlannerInfo *root, RelOptInfo *rel, const KeyList *keys, CostEstimate *cost);

/* Scan of the documents within range_clauses; participants > 1 shares the work of an unordered scan. */
extern void cost_range(PlannerInfo *root, RelOptInfo *rel, List *range_clauses, double rows, bool ordered,
					   int workers, CostEstimate *cost);

/*
 * Scan through the query service that yields selected rows of which rows remain; sorted: the service sorts them. Of
 * indexes nothing is known: half of what a range scan costs is taken for what the service needs to find the rows.
 */
extern void cost_query(PlannerInfo *root, RelOptInfo *rel, double selected, double rows, bool sorted,
					   CostEstimate *cost);

/* Documents such a scan reads. */
extern double cost_range_documents(PlannerInfo *root, RelOptInfo *rel, List *range_clauses);

/* ---- pathkey.c ---- */

/* List of pathkey lists, one for each order that a scan in ascending key order has and the query can use. */
extern List *pathkey_orders(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table);

#endif							/* CBCONN_PLAN_H */
