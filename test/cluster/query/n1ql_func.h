/*
 * Helpers that the function libraries share.
 */
#ifndef N1QL_FUNC_H
#define N1QL_FUNC_H

#include "n1ql.h"
#include "n1ql_text.h"

#define N1_MANY 32767			/* as many arguments as the server allows */

/* Upper and lower case of a code point, by the simple mapping of Unicode; what kind of character it is. */
uint32_t	n1_lower(uint32_t c);
uint32_t	n1_upper(uint32_t c);
bool		n1_is_letter(uint32_t c);
bool		n1_is_digit(uint32_t c);
bool		n1_is_space(uint32_t c);
bool		n1_is_mark(uint32_t c);	/* combines with the character before it */

/* A field of an options object; NULL unless it has the type. */
N1Value    *n1_option(N1Eval *ev, N1Value *options, const char *name, N1Type type);
bool		n1_option_true(N1Eval *ev, N1Value *options, const char *name, bool otherwise);

/* The text of the value as a string of the engine. */
N1Value    *n1_buf_string(N1Arena *a, const N1Buf *b);

/* A number that is whole, as an int; false when it is not (NaN and infinities are not). */
bool		n1_whole(const N1Value *v, int64_t *out);

/* x to the power of y, to the last digit as the server computes it. */
double		n1_pow(double x, double y);

#endif
