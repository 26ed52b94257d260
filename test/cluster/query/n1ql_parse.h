/*
 * Inside of the parser: state, errors and what its files call of each other.
 */
#ifndef N1QL_PARSE_H
#define N1QL_PARSE_H

#include "n1ql_ast.h"
#include "n1ql_lex.h"

#include <setjmp.h>

#define N1_MAX_ERRORS 16

typedef struct N1Intern
{
	struct N1Intern *next;
	size_t		len;
	char		s[];
} N1Intern;

#define INTERN_BUCKETS 64

typedef struct N1Parser
{
	N1Parse    *p;
	N1Arena    *arena;
	N1Lex		lex;
	N1Lexeme	tok;			/* the one to be read next */
	N1Lexeme	ahead;			/* the one behind it, if has_ahead */
	bool		has_ahead;
	const char *errors[N1_MAX_ERRORS];	/* complaints that did not end the parse */
	int			n_errors;
	int			depth;
	int			n_pos;			/* last parameter given to a ? */
	N1Intern   *names[INTERN_BUCKETS];
	jmp_buf		stop;
} N1Parser;

/* ---- tokens ---- */

void		n1p_next(N1Parser *P);
const N1Lexeme *n1p_peek(N1Parser *P);
bool		n1p_accept(N1Parser *P, N1Token token);
void		n1p_expect(N1Parser *P, N1Token token);

/* A token that may be a name, by itself or taken as one (a syntax error if there is none). */
bool		n1p_is_name(const N1Lexeme *t);
const char *n1p_name(N1Parser *P);
const char *n1p_intern(N1Parser *P, const char *s, size_t n);

/* ---- errors: a syntax error at the present token; any other one that ends the parse; one that does not ---- */

_Noreturn void n1p_syntax(N1Parser *P);
_Noreturn void n1p_fatal(N1Parser *P, int line, int col, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
_Noreturn void n1p_fail(N1Parser *P, int code, int http, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void		n1p_complain(N1Parser *P, int line, int col, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Called around everything that nests; n1p_enter ends the parse when it is too deep. */
void		n1p_enter(N1Parser *P);
void		n1p_leave(N1Parser *P);

/* ---- expressions ---- */

N1Expr	   *n1p_expr(N1Parser *P);
N1Expr	   *n1p_b_expr(N1Parser *P);	/* no comparison, no logic: an end of BETWEEN */
N1Expr	   *n1p_operand(N1Parser *P);	/* of a sign */
N1Expr	   *n1p_path(N1Parser *P);	/* something and the path into it */
N1Expr	   *n1p_function(N1Parser *P, const N1Lexeme *name);	/* the name was read, the parenthesis comes next */
N1Expr	   *n1p_paren(N1Parser *P);	/* an expression or a query in parentheses */
N1Expr	   *n1p_object(N1Parser *P);
N1Expr	   *n1p_param(N1Parser *P);
N1Expr	  **n1p_exprs(N1Parser *P, int *n);	/* one or more, by commas */
N1Expr	   *n1p_case(N1Parser *P);
N1Expr	   *n1p_quantified(N1Parser *P);	/* ANY, SOME, EVERY */
N1Expr	   *n1p_comprehension(N1Parser *P);	/* ARRAY, FIRST, OBJECT ... FOR */

/* A node with up to three operands (the first NULL ends them) at the place of an expression, or at none. */
N1Expr	   *n1p_node(N1Parser *P, N1ExprKind kind, const N1Expr *where, N1Expr *x, N1Expr *y, N1Expr *z);
N1Expr	   *n1p_node_n(N1Parser *P, N1ExprKind kind, N1Expr **args, int n, int line, int col);
N1Expr	   *n1p_const(N1Parser *P, N1Value *v, int line, int col);
void		n1p_measure(N1Parser *P, N1Expr *e);	/* computes depth and constant */

/* The name that a projection gives an expression by itself, or NULL. */
const char *n1p_implied(const N1Expr *e);

/* ---- lists that grow ---- */

typedef struct N1List
{
	void	  **v;
	int			n;
} N1List;
void		n1p_push(N1Parser *P, N1List *l, void *p);

/* ---- queries ---- */

N1Select   *n1p_select(N1Parser *P);
N1Select   *n1p_select_rest(N1Parser *P, N1Select *first);	/* first: a query in parentheses already read */
bool		n1p_begins_select(N1Parser *P);
N1From	   *n1p_from_terms(N1Parser *P);
N1From	   *n1p_keyspace(N1Parser *P);	/* the target of a write */
const char *n1p_opt_alias(N1Parser *P, int *line, int *col);
N1Bind	   *n1p_bindings(N1Parser *P, int *n);
N1Sort	   *n1p_order_by(N1Parser *P, int *n);
N1Window   *n1p_window_spec(N1Parser *P);
bool		n1p_is_set_op(N1Token t);

/* Names, aggregates and the like of a whole statement, once it is read. */
void		n1p_resolve(N1Parser *P, N1Stmt *s);

#endif
