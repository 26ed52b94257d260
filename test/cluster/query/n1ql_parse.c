/*
 * The parser's tokens, errors and interned names.
 */
#include "n1ql_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static N1Lexeme
lex(N1Parser *P)
{
	N1Lexeme	t = n1_lex_next(&P->lex);

	if (t.token == K_DEFAULT || t.token == K_USER || t.token == K_SEQUENCE || t.token == K_VECTOR)
	{
		t.s = t.text;
		t.n = t.len;
	}
	return t;
}

void
n1p_next(N1Parser *P)
{
	if (P->has_ahead)
		P->tok = P->ahead;
	else
		P->tok = lex(P);
	P->has_ahead = false;
}

const N1Lexeme *
n1p_peek(N1Parser *P)
{
	if (!P->has_ahead)
		P->ahead = lex(P);
	P->has_ahead = true;
	return &P->ahead;
}

bool
n1p_accept(N1Parser *P, N1Token token)
{
	if (P->tok.token != token)
		return false;
	n1p_next(P);
	return true;
}

void
n1p_expect(N1Parser *P, N1Token token)
{
	if (!n1p_accept(P, token))
		n1p_syntax(P);
}

bool
n1p_is_name(const N1Lexeme *t)
{
	return t->token == T_IDENT || t->token == K_DEFAULT || t->token == K_USER || t->token == K_SEQUENCE ||
		t->token == K_VECTOR;
}

const char *
n1p_name(N1Parser *P)
{
	const char *s;

	if (!n1p_is_name(&P->tok))
		n1p_syntax(P);
	s = n1p_intern(P, P->tok.s, P->tok.n);
	n1p_next(P);
	return s;
}

const char *
n1p_intern(N1Parser *P, const char *s, size_t n)
{
	unsigned	h = 5381;
	N1Intern   *i;

	for (size_t k = 0; k < n; k++)
		h = h * 33 ^ (unsigned char) s[k];
	h %= INTERN_BUCKETS;
	for (i = P->names[h]; i != NULL; i = i->next)
		if (i->len == n && memcmp(i->s, s, n) == 0)
			return i->s;
	i = n1_alloc(P->arena, sizeof(*i) + n + 1);
	i->len = n;
	memcpy(i->s, s, n);
	i->next = P->names[h];
	P->names[h] = i;
	return i->s;
}

static const char *
format(N1Parser *P, const char *fmt, va_list ap)
{
	va_list		again;
	int			n;
	char	   *s;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	s = n1_alloc(P->arena, (size_t) n + 1);
	vsnprintf(s, (size_t) n + 1, fmt, again);
	va_end(again);
	return s;
}

/* Ends the parse with all complaints so far as one error. */
static _Noreturn void
give_up(N1Parser *P)
{
	N1Buf		b;

	n1_buf_init(&b, P->arena);
	for (int i = 0; i < P->n_errors; i++)
	{
		if (i > 0)
			n1_buf_str(&b, " \n ");
		n1_buf_str(&b, P->errors[i]);
	}
	P->p->err = (N1Error) {.code = 3000,.msg = b.s,.http = 400};
	longjmp(P->stop, 1);
}

/* Adds a complaint with its place; a full stop at its end goes behind the place. */
static void
add_error(N1Parser *P, int line, int col, const char *s)
{
	N1Buf		b;
	size_t		n = strlen(s);
	bool		dot = n > 0 && s[n - 1] == '.';

	n1_buf_init(&b, P->arena);
	n1_buf_add(&b, s, n - (line > 0 && dot));
	if (line > 0)
		n1_buf_printf(&b, " (near line %d, column %d)%s", line, col, dot ? "." : "");
	if (P->n_errors < N1_MAX_ERRORS)
		P->errors[P->n_errors++] = b.s;
}

_Noreturn void
n1p_syntax(N1Parser *P)
{
	N1Buf		b;

	/* A dot before a star is no error by itself; the star is. */
	if (P->tok.token == T_DOT && n1p_peek(P)->token == T_STAR)
		n1p_next(P);
	n1_buf_init(&b, P->arena);
	n1_buf_str(&b, "syntax error");
	if (P->tok.complaint != NULL)
		n1_buf_printf(&b, ": %s", P->tok.complaint);
	n1_lex_context(&P->lex, &P->tok, &b);
	add_error(P, 0, 0, b.s);
	give_up(P);
}

_Noreturn void
n1p_fatal(N1Parser *P, int line, int col, const char *fmt, ...)
{
	va_list		ap;
	const char *s;

	va_start(ap, fmt);
	s = format(P, fmt, ap);
	va_end(ap);
	add_error(P, line, col, s);
	give_up(P);
}

_Noreturn void
n1p_fail(N1Parser *P, int code, int http, const char *fmt, ...)
{
	va_list		ap;

	va_start(ap, fmt);
	P->p->err = (N1Error) {.code = code,.msg = format(P, fmt, ap),.http = http};
	va_end(ap);
	longjmp(P->stop, 1);
}

void
n1p_complain(N1Parser *P, int line, int col, const char *fmt, ...)
{
	va_list		ap;
	const char *s;

	va_start(ap, fmt);
	s = format(P, fmt, ap);
	va_end(ap);
	add_error(P, line, col, s);
}

void
n1p_enter(N1Parser *P)
{
	if (++P->depth > N1_MAX_DEPTH)
		n1p_fatal(P, P->tok.line, P->tok.col, "Statement is nested too deeply");
}

void
n1p_leave(N1Parser *P)
{
	P->depth--;
}

void
n1p_push(N1Parser *P, N1List *l, void *p)
{
	/* Room is always a power of two. */
	if ((l->n & (l->n - 1)) == 0)
	{
		void	  **v = n1_alloc(P->arena, (size_t) (l->n ? l->n * 2 : 1) * sizeof(void *));

		if (l->n > 0)
			memcpy(v, l->v, (size_t) l->n * sizeof(void *));
		l->v = v;
	}
	l->v[l->n++] = p;
}

/* ---- statements ---- */

static N1Stmt *
statement(N1Parser *P, N1StmtKind kind)
{
	N1Stmt	   *s = n1_alloc(P->arena, sizeof(*s));

	s->kind = kind;
	s->readonly = kind == N1ST_SELECT || kind == N1ST_EXPLAIN || kind == N1ST_PREPARE || kind == N1ST_EXECUTE;
	return s;
}

static N1Stmt *parse_body(N1Parser *P);

/* The statement within EXPLAIN or PREPARE, with its text. */
static void
parse_inner(N1Parser *P, N1Stmt *s)
{
	const char *from = P->tok.text;

	s->inner = parse_body(P);
	s->readonly = s->inner->readonly;
	s->inner_text = n1_dup(P->arena, from, (size_t) (P->lex.end - from));
}

static N1Stmt *
parse_prepare(N1Parser *P)
{
	N1Stmt	   *s = statement(P, N1ST_PREPARE);

	n1p_next(P);
	s->force = n1p_accept(P, K_FORCE);
	if (n1p_is_name(&P->tok) || P->tok.token == T_STR)
	{
		s->name = n1p_intern(P, P->tok.s, P->tok.n);
		n1p_next(P);
		if (!n1p_accept(P, K_FROM) && !n1p_accept(P, K_AS))
			n1p_syntax(P);
	}
	parse_inner(P, s);
	return s;
}

static N1Stmt *
parse_execute(N1Parser *P)
{
	N1Stmt	   *s = statement(P, N1ST_EXECUTE);

	n1p_next(P);
	if (!n1p_is_name(&P->tok) && P->tok.token != T_STR)
		n1p_syntax(P);
	s->name = n1p_intern(P, P->tok.s, P->tok.n);
	n1p_next(P);
	if (n1p_accept(P, K_USING))
	{
		if (P->tok.token != T_LBRACE && P->tok.token != T_LBRACKET)
			n1p_syntax(P);
		s->using_ = n1p_expr(P);
	}
	return s;
}

/*
 * The rest of a statement that is only known by its kind and target: balanced brackets up to the end or a semicolon.
 */
static void
skip_rest(N1Parser *P)
{
	int			level = 0;

	while (P->tok.token != T_END && !(P->tok.token == T_SEMI && level == 0))
	{
		N1Token		t = P->tok.token;

		if (t == T_ERROR || t == T_UNKNOWN || t == T_NOT_A_TOKEN)
			n1p_syntax(P);
		level += (t == T_LPAREN || t == T_LBRACE || t == T_LBRACKET);
		level -= (t == T_RPAREN || t == T_RBRACE || t == T_RBRACKET);
		if (level < 0)
			n1p_syntax(P);
		n1p_next(P);
	}
	if (level > 0)
		n1p_syntax(P);
}

static N1Stmt *
parse_create(N1Parser *P)
{
	N1Stmt	   *s;

	n1p_next(P);
	if (n1p_accept(P, K_PRIMARY))
		s = statement(P, N1ST_CREATE_PRIMARY);
	else
		s = statement(P, N1ST_CREATE_INDEX);
	n1p_expect(P, K_INDEX);
	if (P->tok.token == K_IF)
	{
		n1p_next(P);
		n1p_expect(P, K_NOT);
		n1p_expect(P, K_EXISTS);
		s->if_not_exists = true;
	}
	if (s->kind == N1ST_CREATE_INDEX || n1p_is_name(&P->tok))
		s->name = n1p_name(P);
	n1p_expect(P, K_ON);
	s->target = n1p_keyspace(P);
	if (s->kind == N1ST_CREATE_INDEX && P->tok.token != T_LPAREN)
		n1p_syntax(P);
	skip_rest(P);
	return s;
}

static N1Stmt *
parse_drop(N1Parser *P)
{
	N1Stmt	   *s = statement(P, N1ST_DROP_INDEX);

	n1p_next(P);
	n1p_accept(P, K_PRIMARY);
	n1p_expect(P, K_INDEX);
	if (P->tok.token == K_IF)
	{
		n1p_next(P);
		n1p_expect(P, K_EXISTS);
		s->if_exists = true;
	}
	if (n1p_is_name(&P->tok))
		s->name = n1p_name(P);
	n1p_expect(P, K_ON);
	s->target = n1p_keyspace(P);
	skip_rest(P);
	return s;
}

static N1Stmt *
parse_write(N1Parser *P, N1StmtKind kind)
{
	N1Stmt	   *s = statement(P, kind);

	n1p_next(P);
	if (kind == N1ST_INSERT || kind == N1ST_UPSERT || kind == N1ST_MERGE)
		n1p_expect(P, K_INTO);
	else if (kind == N1ST_DELETE)
		n1p_expect(P, K_FROM);
	else if (kind == N1ST_BUILD_INDEX)
	{
		n1p_expect(P, K_INDEX);
		n1p_expect(P, K_ON);
	}
	s->target = n1p_keyspace(P);
	skip_rest(P);
	return s;
}

static N1Stmt *
parse_query(N1Parser *P)
{
	N1Stmt	   *s = statement(P, N1ST_SELECT);
	N1Expr	   *e;

	if (n1p_begins_select(P))
	{
		s->select = n1p_select(P);
		return s;
	}
	/* Only a query in parentheses before a set operation is a statement; other expressions are none. */
	e = n1p_expr(P);
	if (e->kind == N1E_SUBQUERY && n1p_is_set_op(P->tok.token))
	{
		s->select = n1p_select_rest(P, e->select);
		return s;
	}
	if (P->tok.token != T_END)
		n1p_syntax(P);
	if (P->n_errors > 0)
		give_up(P);
	n1p_fail(P, 3083, 500, "Invalid input.");
}

static N1Stmt *
parse_body(N1Parser *P)
{
	N1Stmt	   *s;

	switch ((int) P->tok.token)
	{
		case K_EXPLAIN:
			s = statement(P, N1ST_EXPLAIN);
			n1p_next(P);
			parse_inner(P, s);
			s->readonly = true;
			return s;
		case K_PREPARE:
			return parse_prepare(P);
		case K_EXECUTE:
			return parse_execute(P);
		case K_CREATE:
			return parse_create(P);
		case K_DROP:
			return parse_drop(P);
		case K_BUILD:
			return parse_write(P, N1ST_BUILD_INDEX);
		case K_INSERT:
			return parse_write(P, N1ST_INSERT);
		case K_UPSERT:
			return parse_write(P, N1ST_UPSERT);
		case K_UPDATE:
			return parse_write(P, N1ST_UPDATE);
		case K_DELETE:
			return parse_write(P, N1ST_DELETE);
		case K_MERGE:
			return parse_write(P, N1ST_MERGE);
		default:
			return parse_query(P);
	}
}

N1Stmt *
n1_parse(N1Parse *p, const char *text, size_t len)
{
	N1Parser   *P = n1_alloc(p->arena, sizeof(*P));
	N1Stmt	   *s;

	P->p = p;
	P->arena = p->arena;
	p->err.code = 0;
	n1_lex_init(&P->lex, p->arena, n1_dup(p->arena, text, len), len);
	if (setjmp(P->stop) != 0)
		return NULL;
	n1p_next(P);
	s = parse_body(P);
	while (n1p_accept(P, T_SEMI))
		;
	if (P->tok.token != T_END)
		n1p_syntax(P);
	if (P->n_errors > 0)
		give_up(P);
	n1p_resolve(P, s);
	s->n_pos = P->n_pos;
	return s;
}

/* ---- paths in strings ---- */

/* Makes the bare names of a path fields of the constant. */
static void
root_path(N1Parser *P, N1Expr **ep, N1Value *v)
{
	N1Expr	   *e = *ep,
			   *field;

	if (e->kind == N1E_IDENT)
	{
		field = n1p_node(P, N1E_FIELD, e, n1p_const(P, v, 0, 0), NULL, NULL);
		field->name = e->name;
		field->icase = e->icase;
		*ep = field;
		return;
	}
	for (int i = 0; i < e->n_args; i++)
		if (e->args[i] != NULL)
			root_path(P, &e->args[i], v);
}

N1Expr *
n1_parse_path(N1Parse *p, const char *text, size_t len, N1Value *v)
{
	N1Parser   *P = n1_alloc(p->arena, sizeof(*P));
	N1Expr	   *e;

	P->p = p;
	P->arena = p->arena;
	p->err.code = 0;
	n1_lex_init(&P->lex, p->arena, n1_dup(p->arena, text, len), len);
	if (setjmp(P->stop) != 0)
		return NULL;
	n1p_next(P);
	e = n1p_path(P);
	if (P->tok.token != T_END || P->n_errors > 0)
		n1p_syntax(P);
	root_path(P, &e, v);
	return e;
}
