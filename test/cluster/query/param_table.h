/*
 * param_table.h: what params.c (reading) and param_table.c (the parameters) share.
 */
#ifndef QUERY_PARAM_TABLE_H
#define QUERY_PARAM_TABLE_H

#include "params.h"

/* A value as given: JSON (json.text set), or text of a form. */
typedef struct Given
{
	bool		get;
	BodyValue	json;
	const char *text;
	size_t		len;
} Given;

/* Checks a value and keeps what matters; false with p->error set. */
typedef bool (*ParamFn) (QueryParams *p, const char *name, const Given *g);

typedef struct Param
{
	const char *name;
	bool		initial;			/* looked at before the others */
	ParamFn		fn;
} Param;

/* In any case of its letters; NULL if there is none of that name. */
const Param *param_find(const char *name);

#endif
