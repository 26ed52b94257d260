/*
 * path.h
 *		Paths into a JSON document: geo.lat, tags[0], `odd.name`.x
 *
 *		path  = first *( "." name / "[" digits "]" )
 *		first = name / "[" digits "]"
 *		name  = 1*( any character but . [ ] ` ) / "`" *( any but ` / "``" ) "`"
 *
 * Blanks are part of a name. Indexes count from 0; negative ones are refused.
 */
#ifndef CB_PATH_H
#define CB_PATH_H

#include "base.h"

#define CB_PATH_MAX_STEPS	31	/* what the data service accepts */
#define CB_PATH_MAX_INDEX	INT32_MAX

typedef struct CbPathStep
{
	char	   *name;			/* member name, decoded; NULL: array index */
	size_t		name_len;
	int32_t		index;
} CbPathStep;

/* No steps: the whole document. */
typedef struct CbPath
{
	CbPathStep *steps;
	size_t		nsteps;
} CbPath;

/*
 * Parse text (valid UTF-8, NUL-terminated) into *path, to be freed with
 * cb_path_free. CB_MALFORMED or CB_LIMIT fill err with what was expected and
 * the 1-based character position; *path is then empty.
 */
extern CbResult cb_path_parse(const char *text, CbPath *path, CbError *err);

/* Path of one member name taken literally (dots and brackets included). */
extern CbResult cb_path_from_name(const char *name, CbPath *path);
extern void cb_path_free(CbPath *path);

/* Append the canonical text; names are quoted only where needed. */
extern void cb_path_append(CbBuf *buf, const CbPath *path);

/*
 * Append the path in the syntax of a subdocument command. CB_UNSUPPORTED when
 * the data service could not find what the JSON walker finds (a name with
 * quotes, backslashes or control characters, which it compares undecoded; an empty name),
 * CB_LIMIT above 1024 bytes. Nothing is appended unless CB_OK.
 */
extern CbResult cb_path_append_subdoc(CbBuf *buf, const CbPath *path);

#endif
