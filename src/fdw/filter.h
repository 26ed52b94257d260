/*
 * filter.h
 *		The option filter of a table: which documents of a collection are its rows.
 *
 *		filter = term *( "AND" term )
 *		term   = path "=" ( JSON string / integer / "true" / "false" )
 */
#ifndef CBCONN_FILTER_H
#define CBCONN_FILTER_H

#include "fdw.h"

#include "nodes/primnodes.h"

/* One field that must have this value. */
struct FdwFilter
{
	const char *path;			/* canonical, database encoding */
	const char *json;			/* the value's JSON text, UTF-8 */
};

/* Takes the option apart, in the current memory context; throws what is wrong with it. */
extern FdwFilter *filter_parse(const char *text, int *n);

typedef struct FilterMatch FilterMatch;

/* Ready to look at documents; NULL for a table without filter. */
extern FilterMatch *filter_match_create(const FdwTable *table, MemoryContext cxt);

/* Whether the document's body, which may be anything, is a row of the table. */
extern bool filter_match(FilterMatch *match, const ClusterDoc *doc);

/* The value as a constant, for statements. */
extern Const *filter_constant(const FdwFilter *filter);

#endif							/* CBCONN_FILTER_H */
