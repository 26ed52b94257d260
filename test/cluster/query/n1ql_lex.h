/*
 * Text of a statement into tokens, the way the server's scanner does it.
 */
#ifndef N1QL_LEX_H
#define N1QL_LEX_H

#include "n1ql.h"

typedef enum N1Token
{
	T_END, T_ERROR, T_IDENT, T_IDENT_ICASE, T_STR, T_INT, T_NUM, T_NAMED, T_POS, T_NEXT, T_HINTS,
	T_DOT, T_PLUS, T_MINUS, T_STAR, T_DIV_OP, T_MOD_OP, T_POW, T_DEQ, T_EQ, T_NE, T_LT, T_LE, T_GT, T_GE, T_CONCAT,
	T_LPAREN, T_RPAREN, T_LBRACE, T_RBRACE, T_COMMA, T_COLON, T_LBRACKET, T_RBRACKET, T_RBRACKET_ICASE, T_SEMI,
	T_RANDOM, T_NOT_A_TOKEN, T_UNKNOWN,
	T_NAMESPACE,				/* a name that is a namespace, before a colon */
	T_FIRST_WORD,
#define K(word) K_##word,
#include "n1ql_keywords.h"
#undef K
	T_COUNT
} N1Token;

typedef struct N1Lexeme
{
	N1Token		token;
	const char *text;			/* in the statement; empty at the end */
	size_t		len;
	int			line, col;		/* from 1; col counts code points */
	const char *s;				/* T_IDENT*, T_STR, T_NAMED: the name or text itself */
	size_t		n;
	int64_t		i;				/* T_INT, T_POS */
	double		d;				/* T_NUM */
	const char *complaint;		/* T_ERROR */
} N1Lexeme;

typedef struct N1Lex
{
	N1Arena    *arena;
	const char *text;
	const char *s;
	const char *end;
	int			line, col;		/* of s */
} N1Lex;

void		n1_lex_init(N1Lex *x, N1Arena *a, const char *text, size_t len);
N1Lexeme	n1_lex_next(N1Lex *x);

/* " - line 1, column 8, near 'SELECT ', at: @" for a lexeme, as behind "syntax error". */
void		n1_lex_context(const N1Lex *x, const N1Lexeme *t, N1Buf *out);

#endif
