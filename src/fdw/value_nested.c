/*
 * value_nested.c
 *		Arrays from JSON arrays, composite types from JSON objects.
 */
#include "value.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "../compat.h"

/* ---- arrays ---- */

/* Elements found so far, and the shape that the first arrays of each level gave. */
typedef struct ArrayBuild
{
	ValueState *state;
	const ValueType *type;
	int			ndim;
	int			dims[MAXDIM];	/* -1: not known yet */
	Datum	   *values;
	bool	   *nulls;
	int			count;
	int			room;
} ArrayBuild;

/* Whether an element of this type may itself be written as a JSON array. */
static bool
array_element_is_flat(const ValueType *element)
{
	if (element->kind == VALUE_DOMAIN)
		return array_element_is_flat(element->base);
	return element->kind == VALUE_JSON || element->kind == VALUE_JSONB || element->kind == VALUE_ARRAY;
}

void
value_array_create(ValueState *state, ValueType *type, Oid element, FdwTimeFormat format)
{
	ValueArray *array = palloc0(sizeof(ValueArray));

	get_typlenbyvalalign(element, &array->typlen, &array->typbyval, &array->typalign);
	array->element = value_type_create(state, element, type->typmod, format);
	array->flat = array_element_is_flat(array->element);
	type->array = array;
}

/* Number of dimensions, by the first element of each level; more than MAXDIM gives MAXDIM + 1. */
static int
array_depth(const ValueType *type, const CbJsonValue *json)
{
	CbJsonValue value = *json;
	CbJsonIter	iter;
	int			ndim = 1;

	while (!type->array->flat && ndim <= MAXDIM)
	{
		if (cb_json_iter_init(&iter, &value) != CB_OK || cb_json_iter_next(&iter, NULL, &value) != CB_OK ||
			value.type != CB_JSON_ARRAY)
			break;
		ndim++;
	}
	return ndim;
}

static bool
array_add(ArrayBuild *build, const CbJsonValue *json)
{
	if (build->count == build->room)
	{
		build->room = build->room == 0 ? 16 : build->room * 2;
		build->values = build->values ? repalloc(build->values, build->room * sizeof(Datum)) :
			palloc(build->room * sizeof(Datum));
		build->nulls = build->nulls ? repalloc(build->nulls, build->room * sizeof(bool)) :
			palloc(build->room * sizeof(bool));
	}
	if (!value_decode(build->state, build->type->array->element, json, &build->values[build->count],
					  &build->nulls[build->count]))
		return false;
	build->count++;
	return true;
}

static bool
array_level(ArrayBuild *build, const CbJsonValue *json, int level)
{
	CbJsonIter	iter;
	CbJsonValue value;
	int			n = 0;

	if (json->type != CB_JSON_ARRAY || cb_json_iter_init(&iter, json) != CB_OK)
		return value_ragged(build->state, build->type);
	while (cb_json_iter_next(&iter, NULL, &value) == CB_OK)
	{
		bool		leaf = level == build->ndim - 1;

		if (leaf && value.type == CB_JSON_ARRAY && !build->type->array->flat)
			return value_ragged(build->state, build->type);
		if (leaf ? !array_add(build, &value) : !array_level(build, &value, level + 1))
			return false;
		n++;
	}
	if (iter.bad)
		elog(ERROR, "checked JSON array is malformed");
	if (build->dims[level] < 0)
		build->dims[level] = n;
	return build->dims[level] == n || value_ragged(build->state, build->type);
}

bool
value_array(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum)
{
	ArrayBuild	build = {state, type};
	const ValueArray *array = type->array;
	int			lower[MAXDIM];

	if (json->type != CB_JSON_ARRAY)
		return value_wrong_type(state, type, json);
	build.ndim = array_depth(type, json);
	if (build.ndim > MAXDIM)
		return value_ragged(state, type);
	for (int i = 0; i < MAXDIM; i++)
	{
		build.dims[i] = -1;
		lower[i] = 1;
	}
	if (!array_level(&build, json, 0))
		return false;

	if (build.count == 0)
		*datum = PointerGetDatum(construct_empty_array(array->element->type));
	else
		*datum = PointerGetDatum(construct_md_array(build.values, build.nulls, build.ndim, build.dims, lower,
													array->element->type, array->typlen, array->typbyval,
													array->typalign));
	return true;
}

/* ---- composite types ---- */

static void
composite_free_names(void *arg)
{
	cb_pathset_free(arg);
}

/* Compiles the attributes' names; the set is freed with the decoder. */
static CbPathSet *
composite_names(ValueState *state, const char **names, int n)
{
	CbPath	   *paths = palloc0(sizeof(CbPath) * Max(n, 1));
	const CbPath **pointers = palloc(sizeof(CbPath *) * Max(n, 1));
	MemoryContextCallback *callback = MemoryContextAlloc(state->cxt, sizeof(MemoryContextCallback));
	CbPathSet  *set = NULL;
	CbResult	result = CB_OK;

	for (int i = 0; i < n; i++)
	{
		pointers[i] = &paths[i];
		if (result == CB_OK)
			result = cb_path_from_name(names[i], &paths[i]);
	}
	if (result == CB_OK)
		result = cb_pathset_create(pointers, n, &set);
	for (int i = 0; i < n; i++)
		cb_path_free(&paths[i]);
	if (result != CB_OK)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));

	callback->func = composite_free_names;
	callback->arg = set;
	MemoryContextRegisterResetCallback(state->cxt, callback);
	return set;
}

void
value_composite_create(ValueState *state, ValueType *type, FdwTimeFormat format)
{
	ValueComposite *composite = palloc0(sizeof(ValueComposite));
	TupleDesc	tupdesc = lookup_rowtype_tupdesc_copy(type->type, type->typmod);
	const char **names = palloc(sizeof(char *) * Max(tupdesc->natts, 1));
	int			n = 0;

	composite->tupdesc = tupdesc;
	composite->attributes = palloc0(sizeof(ValueType *) * Max(tupdesc->natts, 1));
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(tupdesc, i);

		if (attr->attisdropped)
			continue;
		composite->attributes[i] = value_type_create(state, attr->atttypid, attr->atttypmod, format);
		names[n++] = pg_server_to_any(NameStr(attr->attname), strlen(NameStr(attr->attname)), PG_UTF8);
	}
	composite->names = composite_names(state, names, n);
	composite->found = palloc0(sizeof(CbJsonValue) * Max(n, 1));
	type->composite = composite;
}

bool
value_composite(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum)
{
	ValueComposite *composite = type->composite;
	int			natts = composite->tupdesc->natts;
	Datum	   *values;
	bool	   *nulls;
	int			n = 0;

	if (json->type != CB_JSON_OBJECT)
		return value_wrong_type(state, type, json);
	if (cb_json_walk(composite->names, cb_span(json->data, json->len), CB_WALK_STOP_EARLY, composite->found,
					 NULL) != CB_OK)
		elog(ERROR, "checked JSON object is malformed");

	values = palloc(sizeof(Datum) * Max(natts, 1));
	nulls = palloc(sizeof(bool) * Max(natts, 1));
	for (int i = 0; i < natts; i++)
	{
		nulls[i] = composite->attributes[i] == NULL;
		values[i] = (Datum) 0;
		if (!nulls[i] && !value_decode(state, composite->attributes[i], &composite->found[n++], &values[i], &nulls[i]))
			return false;
	}
	*datum = HeapTupleGetDatum(heap_form_tuple(composite->tupdesc, values, nulls));
	return true;
}
