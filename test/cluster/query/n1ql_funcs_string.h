/*
 * String functions that n1ql_funcs_string.c lists and n1ql_funcs_build.c has.
 */
#ifndef N1QL_FUNCS_STRING_H
#define N1QL_FUNCS_STRING_H

#include "n1ql.h"

/* The place chars code points behind s, at most n bytes. */
const char *n1_utf8_skip(const char *s, size_t n, size_t chars);

N1Value    *n1_f_concat(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_concat2(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_lpad(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_rpad(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_mb_lpad(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_mb_rpad(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_mask(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_repeat(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_replace(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_reverse(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_split(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_suffixes(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_urlencode(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_urldecode(N1Eval *ev, N1Value **args, int n);

#endif
