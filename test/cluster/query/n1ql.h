/*
 * The SQL++ engine of the test cluster: values, memory, errors, evaluation. What a statement looks like once parsed
 * stands in n1ql_ast.h. Nothing here knows of sockets, and nothing is shared with src/.
 */
#ifndef N1QL_H
#define N1QL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- memory ---- */

/*
 * An arena gives memory that is freed all at once. n1_alloc never fails: the process ends when there is no memory.
 * n1_arena_reset frees everything allocated since n1_arena_mark; what lives longer must come from another arena.
 */
typedef struct N1Arena N1Arena;
typedef struct N1Mark
{
	void	   *block;
	size_t		used;
} N1Mark;

N1Arena    *n1_arena_new(void);
void		n1_arena_free(N1Arena *a);
void	   *n1_alloc(N1Arena *a, size_t size);	/* zeroed, aligned for any type */
char	   *n1_dup(N1Arena *a, const char *s, size_t n);	/* a copy with a NUL behind */
N1Mark		n1_arena_mark(N1Arena *a);
void		n1_arena_reset(N1Arena *a, N1Mark mark);
void		n1_arena_clear(N1Arena *a);
size_t		n1_arena_size(const N1Arena *a);	/* bytes in use */

/* Text that grows; lives in an arena. Always followed by a NUL. */
typedef struct N1Buf
{
	N1Arena    *arena;
	char	   *s;
	size_t		n;
	size_t		cap;
} N1Buf;

void		n1_buf_init(N1Buf *b, N1Arena *a);
void		n1_buf_add(N1Buf *b, const char *s, size_t n);
void		n1_buf_str(N1Buf *b, const char *s);
void		n1_buf_char(N1Buf *b, char c);
void		n1_buf_printf(N1Buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- values ---- */

typedef enum N1Type
{
	N1_MISSING, N1_NULL, N1_BOOL, N1_NUMBER, N1_STRING, N1_ARRAY, N1_OBJECT, N1_BINARY
} N1Type;

typedef struct N1Value N1Value;
typedef struct N1Meta N1Meta;

typedef struct N1Pair
{
	const char *name;
	size_t		len;
	N1Value    *value;
} N1Pair;

/*
 * A value. Never changed once made, with one exception: an array or object that came from stored text keeps the text
 * in raw until something needs all of it (n1_unpack), and prints those bytes until then.
 * An object holds its pairs sorted by name (byte order), each name once, none MISSING.
 */
struct N1Value
{
	uint8_t		type;			/* N1Type */
	bool		is_int;			/* a number that is an int64 */
	bool		b;
	const char *raw;			/* not unpacked: its text; the union is unset then */
	size_t		raw_len;
	N1Arena    *home;			/* with raw: where the parts are put */
	const N1Meta *meta;			/* a document of a keyspace: what META() gives */
	union
	{
		int64_t		i;
		double		d;
		struct { const char *s; size_t n; } str;	/* also BINARY */
		struct { N1Value **v; size_t n; } arr;
		struct { N1Pair *p; size_t n; } obj;
	} u;
};

/* META() of a document. */
struct N1Meta
{
	const char *id;
	size_t		id_len;
	const char *keyspace;		/* "default:bucket.scope.collection", or NULL */
	uint64_t	cas;
	uint32_t	flags;
	uint32_t	expiration;
	const char *type;			/* "json" or "base64" */
};

extern N1Value n1_missing, n1_null, n1_true, n1_false;

static inline N1Value *
n1_bool(bool b)
{
	return b ? &n1_true : &n1_false;
}

N1Value    *n1_int(N1Arena *a, int64_t i);
N1Value    *n1_double(N1Arena *a, double d);	/* an int when d is integral and fits, as results of functions are */
N1Value    *n1_float(N1Arena *a, double d);	/* stays a float, as results of arithmetic on floats do */
N1Value    *n1_string(N1Arena *a, const char *s, size_t n);	/* keeps the pointer */
N1Value    *n1_string0(N1Arena *a, const char *s);
N1Value    *n1_array(N1Arena *a, N1Value **v, size_t n);	/* keeps the pointer; MISSING may be in it */
N1Value    *n1_object(N1Arena *a, N1Pair *p, size_t n);	/* sorts p in place; of equal names the last one wins */

/* Takes the value apart when it is still text. Every reader of u.arr or u.obj calls it first. */
void		n1_unpack(N1Value *v);

/* Field and element of any value; MISSING of those that have none. n1_field does not unpack a stored object. */
N1Value    *n1_field(N1Arena *a, N1Value *v, const char *name, size_t len);
N1Value    *n1_index(N1Arena *a, N1Value *v, int64_t at);

/* The pair of that name of an unpacked object, or NULL. */
N1Pair	   *n1_pair_find(const N1Value *v, const char *name, size_t len);

/* n1_field and n1_index of a value that is still text. */
N1Value    *n1_raw_field(N1Arena *a, N1Value *v, const char *name, size_t len);
N1Value    *n1_raw_index(N1Arena *a, N1Value *v, int64_t at);

/* A copy of everything into another arena (rows kept by a sort, a group ...). Keeps raw text and meta. */
N1Value    *n1_copy(N1Arena *a, const N1Value *v);

bool		n1_truth(N1Value *v);
double		n1_num(const N1Value *v);	/* of a number */
bool		n1_as_int(const N1Value *v, int64_t *out);	/* a number that is integral and fits int64 */
const char *n1_type_name(N1Type t);

/*
 * Order of all values (sorting, MIN, MAX, DISTINCT): <0, 0, >0. n1_equals and n1_compare are the operators = and <:
 * they give NULL or MISSING where a part of the operands is. n1_same: equal for DISTINCT, GROUP BY and sets (NULL is
 * NULL, 1 is 1.0).
 */
int			n1_collate(N1Value *x, N1Value *y);
N1Value    *n1_equals(N1Value *x, N1Value *y);
N1Value    *n1_compare(N1Arena *a, N1Value *x, N1Value *y);	/* number -1, 0, 1, or NULL, or MISSING */
bool		n1_same(N1Value *x, N1Value *y);
uint64_t	n1_hash(N1Value *v);	/* equal for values that are n1_same */

/* ---- JSON ---- */

#define N1_MAX_DEPTH 1000		/* nesting of a value or of an expression */

/*
 * A document from its text: an array or object stays text until it is needed. Text that is not JSON gives BINARY.
 * Keeps the pointer. n1_json_checked skips the check, for text that once passed.
 */
N1Value    *n1_json(N1Arena *a, const char *s, size_t n);
N1Value    *n1_json_checked(N1Arena *a, const char *s, size_t n);
bool		n1_json_valid(const char *s, size_t n);

/* The server's text of a value. A row whose fields are in the order of the projection: n1_json_write_order. */
void		n1_json_write(N1Buf *out, N1Value *v);
void		n1_json_write_string(N1Buf *out, const char *s, size_t n);
void		n1_number_text(N1Buf *out, const N1Value *v);

/* The fields in the given order, those not named behind, by name. Names that the object lacks are left out. */
typedef struct N1Name
{
	const char *s;
	size_t		n;
} N1Name;
void		n1_json_write_order(N1Buf *out, N1Value *v, const N1Name *names, size_t n);

/* ---- errors ---- */

typedef struct N1Error
{
	int			code;			/* 0: none */
	const char *msg;			/* in the arena of who raised it */
	int			http;			/* status when nothing was sent yet */
	bool		retry;
} N1Error;

/* ---- names of a row ---- */

/*
 * A row is a chain of scopes, innermost first: the binding variables of ANY or LET, the aliases of FROM, the row of
 * the query around. Names are interned by the parser (n1_intern): equal names have equal pointers.
 */
typedef struct N1Binding
{
	const char *name;
	N1Value    *value;
} N1Binding;

typedef struct N1Row
{
	const struct N1Row *outer;
	N1Binding  *b;
	int			n;
} N1Row;

N1Value    *n1_lookup(const N1Row *row, const char *name);	/* NULL: no such name in scope */

/* ---- evaluation ---- */

struct N1Expr;
struct N1Select;
typedef struct N1Eval N1Eval;

/* What the engine asks of whoever keeps documents. */
typedef struct N1Scan N1Scan;
typedef struct N1Store
{
	void	   *cx;

	/*
	 * Opens a keyspace by its path ("default", bucket, scope, collection; a path of one part has the parts of the
	 * query context in front). Returns a handle, or NULL with *err set.
	 */
	void	   *(*keyspace) (void *cx, const N1Name *parts, int n, N1Arena *a, N1Error *err);

	/* All documents in key order. next gives false at the end or with *err set; doc lives until the next call. */
	N1Scan	   *(*scan_open) (void *cx, void *keyspace, N1Error *err);
	bool		(*scan_next) (N1Scan *s, N1Arena *a, N1Value **doc, N1Error *err);
	void		(*scan_close) (N1Scan *s);

	/* One document by key: its value with meta, or NULL when there is none. */
	N1Value    *(*fetch) (void *cx, void *keyspace, const char *key, size_t len, N1Arena *a, N1Error *err);
	int64_t		(*count) (void *cx, void *keyspace, N1Error *err);
} N1Store;

typedef struct N1Params
{
	N1Pair	   *named;			/* names without $ */
	size_t		n_named;
	N1Value   **pos;
	size_t		n_pos;
} N1Params;

typedef struct N1Warning
{
	struct N1Warning *next;
	int			code;
	const char *msg;
} N1Warning;

/*
 * State of one running statement. arena is where results of the present row go; its owner (the pipeline) resets it
 * between rows. keep lives as long as the request.
 */
struct N1Eval
{
	N1Arena    *arena;
	N1Arena    *keep;
	const N1Store *store;
	const N1Params *params;
	N1Error		err;
	N1Warning  *warnings;		/* in the order they came */
	N1Warning **last_warning;	/* where the next one goes; NULL: at warnings */
	int			n_warnings;
	int			quiet;			/* above 0: warnings are not kept */
	int			depth;
	int64_t		now_us;			/* NOW_*(): microseconds since 1970 */

	/* Values of the aggregates and window functions of the present row, by N1Expr.slot. */
	N1Value   **slots;
	int			n_slots;

	/* A subquery inside an expression: its rows as an array. Given by the pipeline; NULL with ev->err set. */
	N1Value    *(*subquery) (N1Eval *ev, const struct N1Expr *e, const N1Row *row);
	bool		(*exists) (N1Eval *ev, const struct N1Expr *e, const N1Row *row, bool *found);
	void	   *pipeline;

	struct N1InTable *in_tables;	/* of the evaluator */

	/* Asked now and then in long loops: true ends the statement with ev->err set (time is up, cancelled). */
	bool		(*interrupted) (N1Eval *ev);
	void	   *request;
};

/* The value of an expression for a row; NULL with ev->err set. */
N1Value    *n1_eval(N1Eval *ev, const struct N1Expr *e, const N1Row *row);

/*
 * Sets ev->err (the first one stays) and returns NULL. Code N1_EVAL_ERROR is for what goes wrong inside an expression:
 * msg is then the cause, maybe empty, and the pipeline makes of it "Error evaluating projection - cause: ...".
 */
#define N1_EVAL_ERROR 5010
N1Value    *n1_fail(N1Eval *ev, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Adds a warning, also one that is there already. n1_warn_once does not. */
#define N1_MAX_WARNINGS 100000
void		n1_warn(N1Eval *ev, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void		n1_warn_once(N1Eval *ev, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- functions ---- */

/*
 * A function gets its arguments evaluated, MISSING and NULL included. What it returns is NULL only with ev->err set.
 * Tables are sorted by name (lower case); n1_funcs_*.c each hold one, n1ql_func.c searches them.
 */
typedef N1Value *(*N1FuncCall) (N1Eval *ev, N1Value **args, int n);

typedef struct N1Func
{
	const char *name;
	int			min_args;
	int			max_args;		/* -1: any number */
	N1FuncCall	call;
	unsigned	flags;			/* N1F_... */
} N1Func;

#define N1F_AGGREGATE	0x01	/* computed by the pipeline; call is NULL */
#define N1F_WINDOW		0x02	/* only with OVER */
#define N1F_VOLATILE	0x04	/* RANDOM(), UUID(), CLOCK_...: never folded */
#define N1F_NULLS		0x10	/* allows RESPECT NULLS and IGNORE NULLS */
#define N1F_LAZY		0x08	/* n1_eval knows it: does not evaluate all arguments (IFMISSING, META, ...) */

typedef struct N1FuncTable
{
	const N1Func *f;
	size_t		n;
} N1FuncTable;

extern const N1FuncTable n1_funcs_string, n1_funcs_convert, n1_funcs_type, n1_funcs_cond, n1_funcs_object;
extern const N1FuncTable n1_funcs_regexp, n1_funcs_misc;
extern const N1FuncTable n1_funcs_date, n1_funcs_math, n1_funcs_bit, n1_funcs_array, n1_funcs_aggregate, n1_funcs_server;

const N1Func *n1_func_find(const char *name, size_t len);	/* any case; NULL: unknown */

/*
 * For long loops: true when the statement has to end, ev->err being set then.
 */
bool		n1_stopped(N1Eval *ev);

/* MISSING if any argument is MISSING, else NULL if one is NULL, else no value: the usual beginning of a function. */
N1Value    *n1_absent(N1Value **args, int n);

#endif
