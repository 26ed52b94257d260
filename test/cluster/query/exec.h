/*
 * exec.h: running a statement: what the operators share. Rows are pulled, one at a time; a value that an operator
 * gives is good until that operator is asked again.
 */
#ifndef QUERY_EXEC_H
#define QUERY_EXEC_H

#include "n1ql_ast.h"
#include "service.h"

typedef struct Exec Exec;
typedef struct SubRun SubRun;
typedef struct SelectRun SelectRun;
typedef struct FromOp FromOp;

/* ---------------------------------------------------------------- keyspaces (keyspace.c, scan.c) */

/* A collection as a statement sees it; it may be dropped while the statement runs. */
typedef struct Keyspace
{
	struct Keyspace *next;
	const N1From *from;				/* where the statement names it */
	char	   *bucket;
	char	   *scope;
	char	   *collection;
	char		uuid[33];			/* of the bucket */
	uint32_t	cid;
	char	   *path;				/* "default:bucket.scope.collection" */
	const struct SystemKeyspace *system;	/* NULL: documents */
	bool		consistent;			/* the statement has waited for what it asked to see */
} Keyspace;

/* The keyspace that a FROM term names (found before); and of a path: NULL with the error of the statement set. */
Keyspace   *keyspace_of(const Exec *x, const N1From *from);
Keyspace   *keyspace_open(Exec *x, const N1From *from);
Bucket	   *keyspace_bucket(const Exec *x, const Keyspace *k, Collection **c);	/* NULL: gone */

/* Every document of a keyspace; a document is good until the next call. */
typedef struct KeyspaceScan KeyspaceScan;
KeyspaceScan *documents_open(Exec *x, const Keyspace *k);
N1Value    *documents_next(KeyspaceScan *s, N1Arena *a);	/* NULL: end, or the statement has an error */
void		documents_close(KeyspaceScan *s);

/* One document, copied to the arena; NULL if there is none. */
N1Value    *keyspace_fetch(Exec *x, const Keyspace *k, const char *key, size_t len, N1Arena *a);

/* Waits, once, until what the scan consistency asks for is on disk; false if the statement was stopped. */
bool		scan_consistent(Exec *x, Keyspace *k);

/* ---------------------------------------------------------------- a statement (exec.c) */

/* The result of a subquery that does not depend on the row. */
typedef struct CachedRows
{
	struct CachedRows *next;
	const void *of;
	N1Value    *rows;
} CachedRows;

struct Exec
{
	QueryRequest *r;
	Cluster    *cluster;
	N1Eval		ev;
	N1Params	params;
	N1Arena    *keep;				/* as long as the statement */
	N1Arena    *scratch;
	Keyspace   *keyspaces;
	char	   *reason;				/* of the error: malloced JSON, or NULL */
	bool		empty_results;		/* the error comes with an empty list of results */
	CachedRows *cached;
	unsigned	ticks;
	int			depth;				/* of selects within selects */
};

/* Called for every row of every operator: true ends the statement. */
bool		exec_tick(Exec *x);
bool		exec_failed(const Exec *x);
bool		exec_fail(Exec *x, int code, int http, const char *fmt,...) __attribute__((format(printf, 4, 5)));

/* The value in this arena; what: part of the statement for the message of an error. NULL: error. */
N1Value    *exec_eval(Exec *x, N1Arena *a, const N1Expr *e, const N1Row *row, const char *what);
bool		exec_true(Exec *x, N1Arena *a, const N1Expr *e, const N1Row *row, const char *what, bool *truth);

/* A warning in addition to those of the evaluator. */
void		exec_warn(Exec *x, int code, const char *fmt,...) __attribute__((format(printf, 3, 4)));

/* The text of a value as Go prints it ("<nil>", "map[a:1]"), and the name of its type in Go. */
void		go_text(N1Buf *out, N1Value *v);
const char *go_type(N1Value *v);

/* A list of values that grows, in an arena. */
typedef struct ValueList
{
	N1Value   **v;
	size_t		n;
	size_t		cap;
} ValueList;

void		list_add(N1Arena *a, ValueList *l, N1Value *v);

/* Values of which each is there once; n values make an entry. Added entries are kept: copied to the arena. */
typedef struct ValueSet ValueSet;
ValueSet   *set_new(N1Arena *a, int n);
size_t		set_add(ValueSet *s, N1Value **v, bool *added);	/* the number of the entry */
bool		set_find(const ValueSet *s, N1Value **v, size_t *number);
N1Value   **set_entry(const ValueSet *s, size_t number);
size_t		set_size(const ValueSet *s);

/* ---------------------------------------------------------------- FROM (from.c, join.c, join_plan.c) */

struct FromOp
{
	const N1From *from;
	SubRun	   *sub;
	Exec	   *x;
	N1Arena    *arena;				/* of the row it stands at */
	N1Value   **slot;				/* where the value of its alias goes; NULL: a join has none */
	bool		(*open) (FromOp *op);	/* to the first row again; false: error */
	bool		(*next) (FromOp *op);	/* sets its names in the frame; false: end or error */
	void		(*close) (FromOp *op);

	FromOp	   *left;				/* drives */
	FromOp	   *right;
	Keyspace   *keyspace;
	KeyspaceScan *scan;
	N1Value   **list;				/* elements, keys */
	size_t		n_list;
	size_t		at;
	bool		is_open;
	SelectRun  *select;				/* of a subquery */
	N1Row		before;				/* what that sees */
	struct JoinState *join;
};

/* The operator for a FROM term; NULL: error. */
FromOp	   *from_build(SubRun *sub, const N1From *from);
void		from_free(FromOp *op);
N1Row		from_before(const FromOp *op);
FromOp	   *from_op_new(SubRun *sub, const N1From *from);
FromOp	   *join_build(SubRun *sub, const N1From *from);

#define UNNEST_META "unnest"		/* N1Meta.type of an element of UNNEST; its place is in cas, there is no id */

/* Keys of USE KEYS and ON KEYS: those that are text; the others give a warning if there is an operator. */
bool		from_keys(FromOp *op, N1Value *v, N1Arena *a, ValueList *keys);

/* join_plan.c: does an expression name one of the aliases below this term; does it name anything but those? */
bool		expr_names(const N1Expr *e, const N1From *below);
bool		expr_has_subquery(const N1Expr *e);
void		from_aliases(const N1From *from, void (*fn) (const N1From *leaf, void *arg), void *arg);

/* ---------------------------------------------------------------- SELECT (select.c, sub.c, group.c, window.c, order.c) */

/* A row kept by a sort, a group or a window; frame and slots are those of its sub-select. */
typedef struct KeptRow
{
	N1Value    *value;				/* projected */
	N1Value   **keys;				/* of ORDER BY */
	N1Value   **frame;
	N1Value   **slots;
	N1Name	   *names;				/* of the result, in order; NULL: by name */
	size_t		n_names;
	size_t		number;				/* in order of arrival */
} KeptRow;

typedef struct RowList
{
	KeptRow   **v;
	size_t		n;
	size_t		cap;
} RowList;

void		rows_add(N1Arena *a, RowList *l, KeptRow *r);

/* One SELECT ... FROM ... HAVING that is running. */
struct SubRun
{
	Exec	   *x;
	SelectRun  *run;
	const N1Sub *sub;
	N1Arena    *arena;				/* as long as it runs */
	N1Arena    *row_arena;			/* of the present row: LET, projection */
	N1Binding  *frame;				/* FROM, LET, GROUP BY, LETTING */
	int			n_frame;
	int			n_from;				/* of them from FROM and LET: before grouping */
	N1Row		row;
	FromOp	   *from;
	bool		started;
	bool		over;
	RowList		groups;				/* made by group.c */
	bool		grouped;
	RowList		windowed;			/* made by window.c */
	bool		has_windows;
	size_t		at;
	size_t		window_at;
	N1Name	   *order;				/* of the names of the result; NULL: by name */
	int			n_order;
	N1Binding  *aliases;			/* given by the projection of the present row */
	int			n_aliases;
	ValueSet   *seen;				/* DISTINCT */
};

/* open: outer is the row around the whole query. next: the projected value; its aliases are in sub->aliases. */
SubRun	   *sub_open(SelectRun *run, const N1Sub *sub);
bool		sub_next(SubRun *s, N1Value **value);
void		sub_close(SubRun *s);

bool		sub_filtered_next(SubRun *s);	/* FROM, LET, WHERE */
bool		sub_grouped_next(SubRun *s);	/* and GROUP BY, HAVING */
bool		group_build(SubRun *s);
bool		window_build(SubRun *s);
bool		sub_project(SubRun *s, N1Value **value);	/* project.c */
KeptRow    *sub_keep_row(SubRun *s, N1Arena *a, int n_slots);
void		sub_show_row(SubRun *s, const KeptRow *r);

struct SelectRun
{
	Exec	   *x;
	const N1Select *select;
	const N1Row *outer;				/* with WITH in front */
	N1Arena    *arena;				/* as long as the run */
	N1Arena    *work;
	N1Arena    *sort_arena;			/* the rows of ORDER BY */
	N1Value   **slots;				/* of aggregates and windows of the present row */
	struct SetSource *source;
	RowList		sorted;
	bool		is_sorted;
	size_t		at;
	bool		has_limit;
	int64_t		limit;
	int64_t		offset;
};

SelectRun  *select_open(Exec *x, const N1Select *s, const N1Row *outer);	/* NULL: error */
bool		select_next(SelectRun *s, N1Value **row);	/* false: end or error */
void		select_close(SelectRun *s);

/* The order of the names of the present row, for printing; NULL: by name. */
const N1Name *select_names(const SelectRun *s, size_t *n);

/* All rows of a subquery; NULL: error. */
N1Value    *select_rows(Exec *x, const N1Select *s, const N1Row *outer, N1Arena *a);

/* order.c */
typedef struct SortSpec
{
	bool		descending;
	bool		nulls_last;			/* where NULL and MISSING go */
} SortSpec;

bool		sort_specs(Exec *x, N1Arena *a, const N1Sort *order, int n, const N1Row *row, SortSpec **out);
int			sort_compare(const SortSpec *specs, int n, N1Value **a, N1Value **b);
bool		rows_sort(Exec *x, RowList *l, const SortSpec *specs, int n);

/* setop.c */
struct SetSource *source_open(SelectRun *run, const N1Query *q);
bool		source_next(struct SetSource *s, N1Value **row);
void		source_close(struct SetSource *s);
SubRun	   *source_sub(struct SetSource *s);	/* of a query that is one sub-select; else NULL */
const N1Sub *source_first(const N1Query *q);

/* aggregate.c */
typedef struct AggState AggState;
AggState   *agg_new(Exec *x, N1Arena *keep, const N1Expr *e);
bool		agg_row(AggState *s, const N1Row *row);	/* adds a row; false: error */
N1Value    *agg_result(AggState *s, N1Arena *a);

#endif
