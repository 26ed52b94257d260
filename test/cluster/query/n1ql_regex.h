/*
 * Regular expressions in the syntax of RE2, matched in time linear in the text.
 */
#ifndef N1QL_REGEX_H
#define N1QL_REGEX_H

#include "n1ql.h"

typedef struct N1Regex N1Regex;

/* NULL with *wrong set to what is wrong, as the server says it behind "error parsing regexp: ". */
N1Regex    *n1_regex(N1Arena *a, const char *s, size_t n, const char **wrong);

/*
 * The leftmost match that begins at or behind from; of those the one that the alternatives prefer. False when there is
 * none. scratch is where the matcher works.
 */
bool		n1_regex_find(const N1Regex *re, N1Arena *scratch, const char *s, size_t n, size_t from, size_t *start,
						  size_t *end);

#endif
