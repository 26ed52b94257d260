/*
 * run.h: what a statement does, by its kind.
 */
#ifndef QUERY_RUN_H
#define QUERY_RUN_H

#include "catalog.h"

/* run.c */
void		run_text(Exec *x, const char *text, size_t len);
void		run_select(Exec *x, const N1Select *q);
void		run_refuse(Exec *x);	/* the error of the statement is the answer */
void		run_report(Exec *x);
void		run_one_row(Exec *x, const char *signature, const char *text, size_t len);	/* text NULL: no row */

/* check.c: keyspaces, rights, constant limits; false: error. */
bool		check_select(Exec *x, const N1Select *q);
bool		check_right(Exec *x, const Keyspace *k, uint32_t privilege);

/* statement.c */
void		run_statement(Exec *x, const N1Stmt *st);
void		run_prepared(Exec *x, const char *name);
void		signature_text(N1Buf *out, const N1Select *q);

/* explain.c */
void		explain_text(Exec *x, N1Buf *out, const N1Select *q, const char *text);

#endif
