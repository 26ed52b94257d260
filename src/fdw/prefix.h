/*
 * prefix.h
 *		The literal beginning of LIKE patterns.
 */
#ifndef CBCONN_PREFIX_H
#define CBCONN_PREFIX_H

#include "postgres.h"

#include "lib/stringinfo.h"

/*
 * Appends the text up to the first wildcard of a LIKE pattern, escapes resolved, to prefix; *rest is the pattern
 * from there on. False for a pattern that ends within an escape, which LIKE itself refuses.
 */
extern bool prefix_of_like(const char *pattern, size_t len, StringInfo prefix, size_t *rest);

#endif							/* CBCONN_PREFIX_H */
