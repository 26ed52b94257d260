/*
 * Durations as "1h2m3.5s".
 */
#ifndef N1QL_FUNCS_DURATION_H
#define N1QL_FUNCS_DURATION_H

#include "n1ql.h"

N1Value    *n1_f_duration_to_str(N1Eval *ev, N1Value **args, int n);
N1Value    *n1_f_str_to_duration(N1Eval *ev, N1Value **args, int n);

#endif
