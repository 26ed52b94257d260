/*
 * Mathematics as the server's language computes it, to the last digit.
 */
#ifndef N1QL_GO_MATH_H
#define N1QL_GO_MATH_H

double		go_log(double x);
double		go_exp(double x);
double		go_log10(double x);

#endif
