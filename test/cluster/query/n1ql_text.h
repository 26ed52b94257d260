/*
 * UTF-8 and number text, inside the engine.
 */
#ifndef N1QL_TEXT_H
#define N1QL_TEXT_H

#include "n1ql.h"

/* The code point at s; *used bytes of it. A byte that is no UTF-8 gives U+FFFD and used 1, as Go decodes. n > 0. */
uint32_t	n1_utf8_get(const char *s, size_t n, int *used);

/* Writes a code point (one that is none: U+FFFD); gives its length, at most 4. */
size_t		n1_utf8_put(char *out, uint32_t c);
size_t		n1_utf8_len(const char *s, size_t n);	/* in code points */

/* The number of a JSON number text. */
N1Value    *n1_number_parse(N1Arena *a, const char *s, size_t n);

/* Shortest text that reads back as d; never with an exponent. */
void		n1_double_text(N1Buf *out, double d);

#endif
