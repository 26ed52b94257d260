/*
 * When two values are one in a set; values taken apart to the last.
 */
#ifndef N1QL_IDENTITY_H
#define N1QL_IDENTITY_H

#include "n1ql.h"

bool		n1_identical(N1Value *x, N1Value *y);
uint64_t	n1_identity_hash(N1Value *v);

/* The value then prints in the server's form. */
void		n1_unpack_all(N1Value *v);

#endif
