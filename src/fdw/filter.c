/*
 * filter.c
 *		The option filter of a table. The data service knows no conditions, so its documents are looked at here; the
 *		query service is sent the same condition.
 */
#include "filter.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"

#include "../protocol/json_value.h"

/* Integers beyond this are not told apart by all services. */
#define FILTER_INTEGER_MAX	(((int64) 1 << 53) - 1)

struct FilterMatch
{
	int			n;
	CbJsonValue *wanted;
	int64	   *integers;		/* of wanted, where it is a number */
	char	  **strings;		/* of wanted, where it is a string: UTF-8 */
	CbPathSet  *set;
	CbJsonValue *found;
	MemoryContextCallback callback;
};

static void filter_refuse(const char *text, const char *what) pg_attribute_noreturn();

static void
filter_refuse(const char *text, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
			 errmsg("invalid value for option \"%s\": %s", "filter", text),
			 errdetail("%s", what),
			 errhint("Write it as path = value, where value is a JSON string, an integer, true or false; "
					 "several are joined by AND.")));
}

static const char *
filter_skip_blanks(const char *p)
{
	return p + strspn(p, " \t\n\r");
}

/* Takes the path up to the equals sign; p is left behind that. */
static const char *
filter_take_path(const char *text, const char **p)
{
	const char *start = *p;
	const char *end = start;
	bool		quoted = false;
	CbPath		path;
	CbError		err = {0};
	CbBuf		buf = {0};
	char	   *result;

	for (; *end != '\0' && (quoted || *end != '='); end++)
		quoted ^= *end == '`';
	if (*end == '\0')
		filter_refuse(text, "An equals sign is missing.");
	*p = end + 1;
	while (end > start && strchr(" \t\n\r", end[-1]) != NULL)
		end--;
	result = pnstrdup(start, end - start);
	if (cb_path_parse(pg_server_to_any(result, strlen(result), PG_UTF8), &path, &err) != CB_OK)
		filter_refuse(text, psprintf("The path is wrong: %s.", err.text));
	cb_path_append(&buf, &path);
	cb_path_free(&path);
	if (cb_buf_result(&buf) != CB_OK)
	{
		cb_buf_free(&buf);
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	}
	result = pnstrdup((const char *) buf.data, buf.len);
	cb_buf_free(&buf);
	return pg_any_to_server(result, strlen(result), PG_UTF8);
}

static bool
filter_value_allowed(const CbJsonValue *value)
{
	CbJsonNumber number;
	CbBuf		buf = {0};
	bool		ok;

	switch (value->type)
	{
		case CB_JSON_TRUE:
		case CB_JSON_FALSE:
			return true;
		case CB_JSON_NUMBER:
			return cb_json_number(value, &number) == CB_OK && number.integral && number.fits_int64 &&
				number.int64 >= -FILTER_INTEGER_MAX && number.int64 <= FILTER_INTEGER_MAX;
		case CB_JSON_STRING:
			ok = cb_json_string_append(value, &buf) == CB_OK && cb_buf_result(&buf) == CB_OK;
			cb_buf_free(&buf);
			return ok;
		default:
			return false;
	}
}

static const char *
filter_take_value(const char *text, const char **p)
{
	const char *start = *p;
	const char *end = start;
	const char *json;
	CbJsonValue value;

	if (*end == '"')
	{
		for (end++; *end != '\0' && *end != '"'; end++)
			end += *end == '\\' && end[1] != '\0';
		end += *end == '"';
	}
	else
		end += strcspn(end, " \t\n\r");
	*p = end;
	json = pnstrdup(start, end - start);
	json = pg_server_to_any(json, strlen(json), PG_UTF8);
	if (cb_json_value(cb_span_cstr(json), &value, NULL) != CB_OK || !filter_value_allowed(&value))
		filter_refuse(text, "A value is none of those that a filter can have.");
	return json;
}

FdwFilter *
filter_parse(const char *text, int *n)
{
	FdwFilter  *filters = NULL;
	const char *p = text;

	for (*n = 0;; (*n)++)
	{
		filters = filters == NULL ? palloc(sizeof(FdwFilter)) : repalloc(filters, sizeof(FdwFilter) * (*n + 1));
		p = filter_skip_blanks(p);
		filters[*n].path = filter_take_path(text, &p);
		p = filter_skip_blanks(p);
		filters[*n].json = filter_take_value(text, &p);
		p = filter_skip_blanks(p);
		if (*p == '\0')
			break;
		if (pg_strncasecmp(p, "and", 3) != 0 || p[3] == '\0' || strchr(" \t\n\r`", p[3]) == NULL)
			filter_refuse(text, "Only AND may follow a value.");
		p += 3;
	}
	(*n)++;
	return filters;
}

/* ---- documents ---- */

static void
filter_match_release(void *arg)
{
	cb_pathset_free(((FilterMatch *) arg)->set);
}

/* A string value decoded; UTF-8. */
static char *
filter_string(const CbJsonValue *value)
{
	CbBuf		buf = {0};
	char	   *result;

	if (cb_json_string_append(value, &buf) != CB_OK || cb_buf_result(&buf) != CB_OK)
	{
		cb_buf_free(&buf);
		elog(ERROR, "filter holds a string that is none");
	}
	result = pnstrdup((const char *) buf.data, buf.len);
	cb_buf_free(&buf);
	return result;
}

static void
filter_match_paths(FilterMatch *match, const FdwTable *table)
{
	CbPath	   *paths = palloc0(sizeof(CbPath) * match->n);
	const CbPath **pointers = palloc(sizeof(CbPath *) * match->n);
	CbResult	result = CB_OK;

	for (int i = 0; i < match->n && result == CB_OK; i++)
	{
		const char *path = table->filters[i].path;

		pointers[i] = &paths[i];
		result = cb_path_parse(pg_server_to_any(path, strlen(path), PG_UTF8), &paths[i], NULL);
	}
	if (result == CB_OK)
		result = cb_pathset_create(pointers, match->n, &match->set);
	for (int i = 0; i < match->n; i++)
		cb_path_free(&paths[i]);
	if (result != CB_OK)
		elog(ERROR, "could not compile filter: %s", cb_result_name(result));
}

FilterMatch *
filter_match_create(const FdwTable *table, MemoryContext cxt)
{
	MemoryContext old;
	FilterMatch *match;

	if (table->nfilters == 0)
		return NULL;
	old = MemoryContextSwitchTo(cxt);
	match = palloc0(sizeof(FilterMatch));
	match->n = table->nfilters;
	match->wanted = palloc0(sizeof(CbJsonValue) * match->n);
	match->integers = palloc0(sizeof(int64) * match->n);
	match->strings = palloc0(sizeof(char *) * match->n);
	match->found = palloc0(sizeof(CbJsonValue) * match->n);
	for (int i = 0; i < match->n; i++)
	{
		CbJsonNumber number;

		/* the mapping stays as it is while we use it, so the text does */
		if (cb_json_value(cb_span_cstr(table->filters[i].json), &match->wanted[i], NULL) != CB_OK)
			elog(ERROR, "filter holds a value that is none");
		if (match->wanted[i].type == CB_JSON_NUMBER && cb_json_number(&match->wanted[i], &number) == CB_OK)
			match->integers[i] = number.int64;
		if (match->wanted[i].type == CB_JSON_STRING)
			match->strings[i] = filter_string(&match->wanted[i]);
	}
	filter_match_paths(match, table);
	match->callback.func = filter_match_release;
	match->callback.arg = match;
	MemoryContextRegisterResetCallback(cxt, &match->callback);
	MemoryContextSwitchTo(old);
	return match;
}

bool
filter_match(FilterMatch *match, const ClusterDoc *doc)
{
	if (cb_json_walk(match->set, cb_span(doc->value, doc->len), CB_WALK_STOP_EARLY, match->found, NULL) != CB_OK)
		return false;
	for (int i = 0; i < match->n; i++)
	{
		const CbJsonValue *found = &match->found[i];
		CbJsonNumber number;

		if (found->type != match->wanted[i].type)
			return false;
		if (found->type == CB_JSON_STRING && !cb_json_string_equal(found, cb_span_cstr(match->strings[i])))
			return false;
		if (found->type == CB_JSON_NUMBER &&
			(cb_json_number(found, &number) != CB_OK || !number.fits_int64 || number.int64 != match->integers[i]))
			return false;
	}
	return true;
}

/* ---- statements ---- */

Const *
filter_constant(const FdwFilter *filter)
{
	CbJsonValue value;
	CbJsonNumber number;
	char	   *string;

	if (cb_json_value(cb_span_cstr(filter->json), &value, NULL) != CB_OK)
		elog(ERROR, "filter holds a value that is none");
	if (value.type == CB_JSON_STRING)
	{
		string = filter_string(&value);
		string = pg_any_to_server(string, strlen(string), PG_UTF8);
		return makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, CStringGetTextDatum(string), false, false);
	}
	if (value.type == CB_JSON_NUMBER)
	{
		if (cb_json_number(&value, &number) != CB_OK)
			elog(ERROR, "filter holds a value that is none");
		return makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(number.int64), false, FLOAT8PASSBYVAL);
	}
	return makeConst(BOOLOID, -1, InvalidOid, 1, BoolGetDatum(value.type == CB_JSON_TRUE), false, true);
}
