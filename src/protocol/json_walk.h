/*
 * json_walk.h
 *		One pass over a document's text that checks it and finds the values of
 *		a compiled set of paths, as raw spans into the text. No tree is built.
 *
 * Accepted is RFC 8259 in UTF-8, nothing more: no byte order mark, no NUL, no
 * trailing bytes but blanks, at most CB_JSON_MAX_DEPTH levels. Where members of
 * one name repeat, a path has the first value that it leads to, as in the data
 * service's own look-ups. Member names with escapes compare decoded.
 */
#ifndef CB_JSON_WALK_H
#define CB_JSON_WALK_H

#include "base.h"
#include "path.h"

#define CB_JSON_MAX_DEPTH	256

typedef enum CbJsonType
{
	CB_JSON_MISSING = 0,
	CB_JSON_NULL,
	CB_JSON_FALSE,
	CB_JSON_TRUE,
	CB_JSON_NUMBER,
	CB_JSON_STRING,
	CB_JSON_ARRAY,
	CB_JSON_OBJECT
} CbJsonType;

/* A value in a document's text; blanks around it excluded, quotes included. */
typedef struct CbJsonValue
{
	const uint8_t *data;
	size_t		len;
	CbJsonType	type;
	bool		escaped;		/* a string that holds a backslash */
} CbJsonValue;

/* Where and why a text is not JSON. what: static text, lower case. */
typedef struct CbJsonError
{
	CbResult	result;			/* CB_MALFORMED, CB_BAD_UTF8 or CB_LIMIT */
	size_t		offset;			/* byte offset of the first offending byte */
	const char *what;
} CbJsonError;

/* Compiled paths, immutable, usable for any number of documents. */
typedef struct CbPathSet CbPathSet;

/*
 * Compile npaths paths (each may have no steps: the whole document; repeats
 * are fine), at most 4096. *set is freed with cb_pathset_free. CB_OK, CB_LIMIT or CB_NOMEM.
 */
extern CbResult cb_pathset_create(const CbPath *const *paths, size_t npaths,
								  CbPathSet **set);
extern void cb_pathset_free(CbPathSet *set);
extern size_t cb_pathset_size(const CbPathSet *set);

/* Flags of cb_json_walk */
#define CB_WALK_STOP_EARLY	0x01	/* stop once every path has a value: the rest
									 * is then not checked */

/*
 * Fill values[0 .. size-1], in the order of the paths (CB_JSON_MISSING where
 * there is nothing), with spans into text. On failure values are all missing,
 * err (may be NULL) says where. set may be NULL: only check.
 */
extern CbResult cb_json_walk(const CbPathSet *set, CbSpan text, unsigned flags,
							 CbJsonValue *values, CbJsonError *err);

/* Check that text is one JSON value and describe it (for values from elsewhere). */
extern CbResult cb_json_value(CbSpan text, CbJsonValue *value, CbJsonError *err);

#endif
