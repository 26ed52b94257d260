/*
 * A parsed SQL++ statement. Made by n1_parse, then only read: any number of executions may share it.
 */
#ifndef N1QL_AST_H
#define N1QL_AST_H

#include "n1ql.h"

typedef enum N1ExprKind
{
	N1E_CONST,					/* value */
	N1E_IDENT,					/* name; icase */
	N1E_SELF,					/* the whole row as one object; only in SELECT * */
	N1E_PARAM,					/* named: name; positional: index from 1 */
	N1E_FIELD,					/* args[0].name, or args[0].[args[1]] when name is NULL; icase */
	N1E_ELEMENT,				/* args[0][args[1]] */
	N1E_SLICE,					/* args[0][args[1]:args[2]]; either bound may be NULL */
	N1E_ARRAY_STAR,				/* args[0][*] */
	N1E_ADD, N1E_SUB, N1E_MUL, N1E_DIV, N1E_MOD, N1E_POW, N1E_NEG,
	N1E_CONCAT,
	N1E_AND, N1E_OR, N1E_NOT,
	N1E_EQ, N1E_LT, N1E_LE,		/* > and >= have their operands swapped; <> is NOT over EQ */
	N1E_BETWEEN,				/* args: value, low, high */
	N1E_LIKE,					/* args: value, pattern, escape */
	N1E_IN, N1E_WITHIN,
	N1E_IS_NULL, N1E_IS_MISSING, N1E_IS_VALUED,
	N1E_IS_NOT_NULL, N1E_IS_NOT_MISSING, N1E_IS_NOT_VALUED,
	N1E_IS_DISTINCT, N1E_IS_NOT_DISTINCT,
	N1E_EXISTS,
	N1E_CASE,					/* args: value (NULL: searched), when, then, when, then ..., else (may be NULL) */
	N1E_ARRAY,					/* constructor */
	N1E_OBJECT,					/* args: name, value, name, value ... */
	N1E_FUNC,					/* func, args; aggregates and windows too */
	N1E_ANY, N1E_EVERY, N1E_ANY_EVERY,	/* binds, cond */
	N1E_COLL_ARRAY, N1E_COLL_FIRST, N1E_COLL_OBJECT,	/* binds, args: value (OBJECT: name, value), cond (WHEN) */
	N1E_SUBQUERY				/* select */
} N1ExprKind;

typedef struct N1Expr N1Expr;
typedef struct N1Select N1Select;
typedef struct N1From N1From;

typedef struct N1Bind			/* x IN expr, x WITHIN expr, n:x IN expr; LET name = expr; WITH name AS (expr) */
{
	const char *name_var;		/* the n of n:x, or NULL */
	const char *var;
	N1Expr	   *expr;
	bool		within;
	int			line, col;
} N1Bind;

typedef enum N1FrameUnit { N1W_NONE, N1W_ROWS, N1W_RANGE, N1W_GROUPS } N1FrameUnit;
typedef enum N1FrameBound
{
	N1B_UNBOUNDED_PRECEDING, N1B_PRECEDING, N1B_CURRENT_ROW, N1B_FOLLOWING, N1B_UNBOUNDED_FOLLOWING
} N1FrameBound;
typedef enum N1Exclude { N1X_NO_OTHERS, N1X_CURRENT_ROW, N1X_GROUP, N1X_TIES } N1Exclude;

typedef struct N1Sort
{
	N1Expr	   *expr;
	N1Expr	   *dir;			/* NULL: ascending; else gives "asc" or "desc" (a constant, a parameter, a name) */
	N1Expr	   *nulls;			/* NULL: by the direction; else gives "first" or "last" */
} N1Sort;

typedef struct N1Window			/* OVER (...) */
{
	const char *base;			/* a named window it builds on, or NULL; resolved: NULL */
	N1Expr	  **partition;
	int			n_partition;
	N1Sort	   *order;
	int			n_order;
	N1FrameUnit unit;
	N1FrameBound from, to;
	N1Expr	   *from_expr, *to_expr;
	N1Exclude	exclude;
	int			line, col;
} N1Window;

struct N1Expr
{
	uint8_t		kind;			/* N1ExprKind */
	bool		icase;
	bool		parens;			/* stood in parentheses */
	bool		distinct;		/* aggregate: DISTINCT */
	bool		star;			/* COUNT(*): no args */
	bool		constant;		/* no names, no parameters, no subquery, nothing volatile */
	bool		ignore_nulls;	/* window: IGNORE NULLS */
	bool		from_last;		/* window: FROM LAST */
	bool		hashed;			/* N1E_IN: the server looks a long list up by the text of its values */
	bool		lookup;			/* N1E_SUBQUERY: refers to names around it */
	int			line, col;		/* as the server reports them */
	int			depth;			/* height of the tree */
	N1Expr	  **args;
	int			n_args;
	const char *name;			/* interned */
	int			index;			/* N1E_PARAM positional */
	int			slot;			/* aggregate or window function: its place in N1Eval.slots; -1 otherwise */
	N1Value    *value;			/* N1E_CONST */
	const N1Func *func;
	N1Expr	   *filter;			/* aggregate: FILTER (WHERE ...) */
	N1Window   *window;			/* OVER, or NULL */
	N1Bind	   *binds;
	int			n_binds;
	N1Expr	   *cond;			/* SATISFIES or WHEN; may be NULL */
	N1Select   *select;
};

/* ---- FROM ---- */

typedef enum N1FromKind
{
	N1FR_KEYSPACE,				/* path, keys */
	N1FR_EXPR,					/* expr */
	N1FR_SUBQUERY,				/* select */
	N1FR_JOIN,					/* left, right, on; outer; swapped for RIGHT */
	N1FR_NEST,
	N1FR_JOIN_KEYS,				/* left, right (a keyspace), on: ON KEYS expr */
	N1FR_NEST_KEYS,
	N1FR_UNNEST					/* left, expr, alias */
} N1FromKind;

struct N1From
{
	N1FromKind	kind;
	const char *alias;			/* interned; given or implied */
	bool		given;			/* the alias stands in the statement */
	int			line, col;
	N1Name	   *path;
	int			n_path;
	N1Expr	   *keys;			/* USE KEYS */
	N1Expr	   *expr;
	N1Select   *select;
	N1From	   *left, *right;
	N1Expr	   *on;				/* NULL: comma */
	bool		outer;			/* LEFT: keeps rows of left without a partner */
	bool		right_outer;	/* RIGHT: keeps rows of right without a partner */
	bool		lateral;
	bool		correlated;		/* right side refers to the left one */
};

/* ---- SELECT ---- */

typedef struct N1Term			/* of a projection */
{
	N1Expr	   *expr;			/* N1E_SELF with star: SELECT * */
	bool		star;			/* expr.* */
	const char *alias;			/* given or implied ("$1" ...); NULL with star or RAW */
	bool		implicit;		/* alias was implied */
	int			line, col;		/* of the alias, or of the expression */
} N1Term;

typedef struct N1Sub			/* SELECT ... FROM ... WHERE ... GROUP BY ... HAVING */
{
	bool		distinct;
	bool		raw;			/* terms has one entry */
	N1Term	   *terms;
	int			n_terms;
	N1Expr	  **exclude;
	int			n_exclude;
	N1From	   *from;			/* NULL: one row without names */
	N1Bind	   *let;
	int			n_let;
	N1Expr	   *where;
	bool		grouped;		/* GROUP BY, LETTING or an aggregate */
	N1Term	   *group;			/* expr, alias (NULL: none) */
	int			n_group;
	const char *group_as;
	N1Bind	   *letting;
	int			n_letting;
	N1Expr	   *having;
	N1Expr	  **aggs;			/* the aggregates without OVER, each once; aggs[i]->slot tells the slot */
	int			n_aggs;
	N1Expr	  **windows;		/* the functions with OVER, each once */
	int			n_windows;
	N1Window  **named;			/* WINDOW name AS (...) */
	const char **named_names;
	int			n_named;
	const char **names;			/* aliases of FROM, GROUP AS and LETTING that SELECT * gives, in order */
	int			n_names;
} N1Sub;

typedef enum N1SetOp
{
	N1S_SELECT,					/* sub */
	N1S_PAREN,					/* select: a whole query in parentheses */
	N1S_UNION, N1S_UNION_ALL, N1S_INTERSECT, N1S_INTERSECT_ALL, N1S_EXCEPT, N1S_EXCEPT_ALL
} N1SetOp;

typedef struct N1Query			/* tree of set operations */
{
	N1SetOp		op;
	N1Sub	   *sub;
	N1Select   *select;
	struct N1Query *left, *right;
} N1Query;

struct N1Select
{
	N1Bind	   *with;
	int			n_with;
	bool		recursive;
	N1Query    *query;
	N1Sort	   *order;
	int			n_order;
	N1Expr	   *limit;
	N1Expr	   *offset;
	int			n_slots;		/* of N1Eval.slots that the query needs (each N1Select counts its own) */
	bool		correlated;		/* refers to names of the query around it */
	int			line, col;
};

/* ---- statements ---- */

typedef enum N1StmtKind
{
	N1ST_SELECT,
	N1ST_EXPLAIN,				/* inner */
	N1ST_PREPARE,				/* name (NULL: none given), inner, force */
	N1ST_EXECUTE,				/* name, using */
	N1ST_CREATE_INDEX, N1ST_CREATE_PRIMARY, N1ST_DROP_INDEX, N1ST_BUILD_INDEX,	/* name, target */
	N1ST_INSERT, N1ST_UPSERT, N1ST_UPDATE, N1ST_DELETE, N1ST_MERGE	/* parsed as far as target */
} N1StmtKind;

typedef struct N1Stmt
{
	N1StmtKind	kind;
	bool		readonly;		/* changes nothing */
	N1Select   *select;
	struct N1Stmt *inner;
	const char *inner_text;		/* PREPARE, EXPLAIN: text of inner */
	const char *name;
	N1Expr	   *using_;			/* EXECUTE ... USING */
	bool		force;
	bool		if_exists, if_not_exists;
	N1From	   *target;
	int			n_pos;			/* highest positional parameter */
} N1Stmt;

typedef struct N1Parse			/* what a parser needs to know, and what it found out */
{
	N1Arena    *arena;			/* the statement lives here */
	const char *query_context;	/* "default:bucket.scope", or NULL */
	N1Error		err;
} N1Parse;

/* The statement, with names resolved; NULL with p->err set. */
N1Stmt	   *n1_parse(N1Parse *p, const char *text, size_t len);

/* An expression whose bare names are fields of v; NULL with p->err set. */
N1Expr	   *n1_parse_path(N1Parse *p, const char *text, size_t len, N1Value *v);

/* The text of an expression as the server writes it in messages. */
void		n1_expr_text(N1Buf *out, const N1Expr *e);
bool		n1_expr_same(const N1Expr *x, const N1Expr *y);

#endif
