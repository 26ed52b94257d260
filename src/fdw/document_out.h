/*
 * document_out.h
 *		Changes of paths in the text of a document.
 */
#ifndef CBCONN_DOCUMENT_OUT_H
#define CBCONN_DOCUMENT_OUT_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "../protocol/path.h"

typedef struct DocumentChange
{
	const CbPath *path;
	const char *text;			/* the path for messages */
	const char *subdoc;			/* the path for subdocument commands; NULL: it has no such form */
	const char *value;			/* one JSON value; NULL: removes the field */
	size_t		len;
} DocumentChange;

/*
 * Appends the document with the changes made, in their order. An empty base is no document yet: the first path tells
 * whether an object or an array. What no path goes through stays byte for byte. Missing parents are made, a parent that
 * is null becomes an object or array, missing array elements in between become null; removing an array element
 * makes it null, so that the others keep their places. Throws when a parent is a scalar or of the other kind, and
 * when the base is no JSON. Works in the current memory context.
 */
extern void document_change(const char *base, size_t len, const DocumentChange *changes, int nchanges, StringInfo out);

#endif							/* CBCONN_DOCUMENT_OUT_H */
