/*
 * ship.h
 *		SQL++ for PostgreSQL expressions: what may be sent, as which text, how exactly it says the same.
 *
 * What can be written is shippable: the walker that decides and the deparser are the same functions, called once while
 * sizes are estimated and once for the plan. They hold for columns of several relations: r<N> names relation N of the
 * range table.
 */
#ifndef CBCONN_SHIP_H
#define CBCONN_SHIP_H

#include "plan.h"

#include "nodes/primnodes.h"

/* How a text compares with the expression. The lesser of two is that of both together. */
typedef enum ShipClass
{
	SHIP_NEVER,
	SHIP_SUPERSET,				/* TRUE for all rows for which the expression is, perhaps for others: check again */
	SHIP_EXACT					/* TRUE for just those; as a value: equal, and NULL or MISSING for NULL */
} ShipClass;

/* What a value is to the query service. */
typedef enum ShipKind
{
	SHIP_NONE,
	SHIP_TEXT,
	SHIP_BOOL,
	SHIP_INT,
	SHIP_FLOAT,
	SHIP_NUMERIC,
	SHIP_EPOCH,					/* date, timestamp, timestamptz; stored as a number */
	SHIP_ISO,					/* the same, stored as text */
	SHIP_UUID,
	SHIP_ENUM,
	SHIP_PADDED,				/* varchar(n): trailing blanks may be cut when it is read */
	SHIP_JSON,
	SHIP_JSON_TEXT,				/* ->> and #>>: any JSON value as text */
	SHIP_JSON_NUMBER,			/* that cast to a number */
	SHIP_ARRAY
} ShipKind;

/* How a parameter's value becomes JSON; all give null for NULL. */
typedef enum ShipEncode
{
	SHIP_AS_VALUE,				/* as the type's own JSON form */
	SHIP_AS_FLOAT,				/* a double; infinities and NaN as values that sort as they do */
	SHIP_AS_FLOAT_BELOW,		/* of a number: the double before the nearest one */
	SHIP_AS_FLOAT_ABOVE,		/* ... after it */
	SHIP_AS_SUCCESSOR,			/* of a prefix: the least text after all that begin with it; [] if there is none */
	SHIP_AS_BLANK_SUCCESSOR,	/* the least text after it with any number of blanks behind */
	SHIP_AS_ELEMENTS,			/* of an array: its elements that are not NULL */
	SHIP_AS_ELEMENTS_ALL,		/* ... null if one of them is */
	SHIP_AS_FLOATS,				/* the same two for doubles */
	SHIP_AS_FLOATS_ALL,
	SHIP_AS_UUID,				/* 32 hexadecimal digits */
	SHIP_AS_EPOCH_S_FIRST,		/* of a time: the least number of seconds or milliseconds that reads as it or later */
	SHIP_AS_EPOCH_S_LAST,		/* ... the greatest that reads as it or earlier */
	SHIP_AS_EPOCH_MS_FIRST,
	SHIP_AS_EPOCH_MS_LAST,
	SHIP_AS_DAY_BEFORE,			/* of a time: yyyy-mm-dd two days before; "" if that has no form of ten characters */
	SHIP_AS_DAY_AFTER			/* ... two days after; [] */
} ShipEncode;

/* $p<N> of a statement: N is its place in Ship.params, from 1. */
typedef struct ShipParam
{
	Expr	   *expr;			/* holds no column of the relations */
	ShipEncode	encode;
} ShipParam;

/* A text being made. */
typedef struct Ship
{
	PlannerInfo *root;
	Relids		relids;			/* relations whose columns may appear */
	int			available;		/* version of the query service: 70600 is 7.6.0 */
	List	   *params;			/* ShipParam pointers */
	Node	   *case_value;		/* what CASE x WHEN compares */
	int			guards;			/* AND, OR, CASE, COALESCE around it that may keep an expression from being computed */
} Ship;

/* A mapped column, or a path into one. */
typedef struct ShipColumn
{
	ShipKind	kind;
	Oid			type;			/* beneath domains */
	const char *path;			/* as it is stored */
	bool		present;		/* never NULL: the key */
	bool		soft;			/* on_type_error null */
	bool		loose;			/* name: what is text may still not be a value */
	bool		inside;			/* a path into a json column: null there is a value */
	FdwTimeFormat format;
	int64		min;			/* INT */
	int64		max;
} ShipColumn;

/* A value as text. One of column and param may be set. */
typedef struct ShipValue
{
	ShipKind	kind;
	ShipClass	class;
	const char *text;			/* NULL for a column that has no exact form, and for a param not written yet */
	ShipColumn *column;
	Expr	   *param;			/* known before the scan starts */
} ShipValue;

/* ---- ship_table.c ---- */

typedef enum ShipRule
{
	SHIP_RULE_COMPARE,			/* text is the operator */
	SHIP_RULE_VALUE,			/* text is a template: %1 ... are the arguments */
	SHIP_RULE_CONDITION			/* a function writes it */
} ShipRule;

typedef struct ShipEntry ShipEntry;
typedef const char *(*ShipWriter) (Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated,
								   ShipClass *class);

struct ShipEntry
{
	Oid			function;		/* operators are found by theirs */
	ShipRule	rule;
	ShipKind	kind;			/* COMPARE: of both sides; VALUE: of the result */
	const char *text;
	const char *args;			/* VALUE: one letter each, see ship_table.c */
	ShipClass	class;
	int			version;		/* of the query service, at least */
	const bool *enabled;		/* switch of its group */
	ShipWriter	writer;
};

/* The entry of a function if it may be used at all: known, switched on, and the service new enough. */
extern const ShipEntry *ship_find(const Ship *ship, Oid function);

/* ---- ship_condition.c ---- */

extern void ship_init(Ship *ship, PlannerInfo *root, Relids relids, int available);

/*
 * The condition, or its negation, as SQL++ that is TRUE as class says; NULL for SHIP_NEVER. Parameters of texts that
 * are given up are taken back.
 */
extern const char *ship_condition(Ship *ship, Node *node, bool negated, ShipClass *class);

/* The parts of a condition joined by AND or OR, in parentheses. */
extern const char *ship_join(List *texts, const char *word);

/* ---- ship_value.c ---- */

/* Describes a value; false when it cannot be sent. */
extern bool ship_value(Ship *ship, Node *node, ShipValue *value);

/* Its text, with a parameter for what is known before; NULL when it has no exact form, or may be NaN or infinite. */
extern const char *ship_value_text(Ship *ship, ShipValue *value);

/* A new parameter: its name with the $. */
extern const char *ship_param(Ship *ship, Expr *expr, ShipEncode encode);

/* Whether the expression has one value for a whole scan, and may be computed before it even if no row would need it. */
extern bool ship_is_param(const Ship *ship, Node *node);

/* The template with %1 ... replaced. */
extern const char *ship_template(const char *text, List *args);

/* Which kind values of a type are when they are not columns. */
extern ShipKind ship_kind_of_type(Oid type);

/* Text comparisons: whether this collation tells apart what bytes tell apart, and orders as they do. */
extern bool ship_text_equal(Oid collation);
extern bool ship_text_order(Oid collation);

/* ---- ship_column.c ---- */

extern bool ship_column(Ship *ship, Var *var, ShipColumn *column);
extern const char *ship_alias(int relid);
extern const char *ship_quote(const char *name);

/* A path of a document: `r1`.`a`[0]; NULL when it cannot be read. */
extern const char *ship_path(int relid, const char *text);

/* TRUE when the column is not NULL, NULL; and its value, NULL without one. class as for conditions. */
extern const char *ship_column_present(const ShipColumn *column, ShipClass *class);
extern const char *ship_column_absent(const ShipColumn *column, ShipClass *class);
extern const char *ship_column_value(const ShipColumn *column);

/* ---- ship_compare.c ---- */

extern const char *ship_compare(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated,
								ShipClass *class);

/* ---- ship_text.c ---- */

extern const char *ship_like(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated,
							 ShipClass *class);
extern const char *ship_starts_with(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated,
									ShipClass *class);

/* ---- ship_array.c ---- */

extern const char *ship_scalar_array(Ship *ship, ScalarArrayOpExpr *clause, bool negated, ShipClass *class);
extern const char *ship_array_operator(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated,
									   ShipClass *class);

/* ---- ship_json.c ---- */

/* -> and its kin down to a column, as a path; false when it is none that can be sent. */
extern bool ship_json_path(Ship *ship, Node *node, ShipColumn *column);
extern const char *ship_json_contains(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated,
									  ShipClass *class);
extern const char *ship_json_exists(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated,
									ShipClass *class);

/* ---- ship_param.c: at run time ---- */

/* The value as JSON text in the current memory context. */
extern char *ship_encode(ShipEncode encode, Oid type, Datum value, bool isnull);

/* ---- guc.c ---- */

extern bool guc_enable_query;
extern bool guc_enable_condition_pushdown;
extern bool guc_enable_text_pushdown;
extern bool guc_enable_math_pushdown;
extern bool guc_enable_time_pushdown;
extern bool guc_enable_json_pushdown;
extern bool guc_enable_array_pushdown;
extern bool guc_enable_case_pushdown;
extern bool guc_enable_sort_pushdown;
extern bool guc_enable_limit_pushdown;
extern bool guc_enable_parameter_pushdown;
extern int	guc_scan_consistency;	/* QueryConsistency; -1: as the options say */

#endif							/* CBCONN_SHIP_H */
