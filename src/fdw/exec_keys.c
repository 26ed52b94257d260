/*
 * exec_keys.c
 *		Evaluates the conditions on the key when a scan starts: to a list of keys, or to bounds.
 */
#include "exec.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "../compat.h"
#include "prefix.h"

/* Longest key that a bound can hold. */
#define KEYS_BOUND_MAX	250

typedef struct KeyList
{
	int			n;
	int			size;
	KvKey	   *keys;
} KeyList;

/* Bytewise order, the shorter first: how the data service sorts keys. */
static int
keys_compare_bytes(const char *a, size_t alen, const char *b, size_t blen)
{
	int			result = memcmp(a, b, Min(alen, blen));

	return result != 0 ? result : alen < blen ? -1 : alen > blen;
}

static int
keys_compare(const void *a, const void *b)
{
	const KvKey *left = a;
	const KvKey *right = b;

	return keys_compare_bytes(left->data, left->len, right->data, right->len);
}

/* The value's bytes in the database's encoding, without copying where that is possible. */
static KvKey
keys_text(Datum value)
{
	text	   *packed = DatumGetTextPP(value);
	KvKey		key = {VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)};

	return key;
}

/* Adds a key unless no document can have it: empty, too long, or no UTF-8. */
static void
keys_add(FdwScanState *state, KeyList *list, Datum value)
{
	KvKey		key = keys_text(value);

	if (GetDatabaseEncoding() != PG_UTF8)
	{
		char	   *converted = pg_server_to_any(key.data, key.len, PG_UTF8);

		if (converted != key.data)
			key.len = strlen(converted);
		key.data = converted;
		if (pg_encoding_verifymbstr(PG_UTF8, key.data, key.len) != key.len)
			return;
	}
	if (key.len == 0 || key.len > kv_key_max(state->collection))
		return;
	if (list->n == list->size)
	{
		list->size = Max(list->size * 2, 4);
		list->keys = list->keys ? repalloc_huge(list->keys, list->size * sizeof(KvKey)) :
			palloc(list->size * sizeof(KvKey));
	}
	list->keys[list->n++] = key;
}

static void
keys_add_array(FdwScanState *state, KeyList *list, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			keys_add(state, list, elements[i]);
	}
}

/* Sorts and removes duplicates. */
static void
keys_normalize(KeyList *list)
{
	int			kept = 0;

	if (list->n < 2)
		return;
	qsort(list->keys, list->n, sizeof(KvKey), keys_compare);
	for (int i = 1; i < list->n; i++)
	{
		if (keys_compare(&list->keys[kept], &list->keys[i]) != 0)
			list->keys[++kept] = list->keys[i];
	}
	list->n = kept + 1;
}

/* Keeps in list what is in other too; both are normalized. */
static void
keys_intersect(KeyList *list, const KeyList *other)
{
	int			kept = 0;

	for (int i = 0, j = 0; i < list->n && j < other->n;)
	{
		int			order = keys_compare(&list->keys[i], &other->keys[j]);

		if (order == 0)
			list->keys[kept++] = list->keys[i];
		i += order <= 0;
		j += order >= 0;
	}
	list->n = kept;
}

static void
keys_evaluate_group(FdwScanState *state, ExprContext *econtext, const ScanGroup *group, KeyList *list)
{
	for (int i = 0; i < group->nterms; i++)
	{
		bool		isnull;
		Datum		value = ExecEvalExpr(group->terms[i].value, econtext, &isnull);

		if (isnull)
			continue;
		if (group->terms[i].op == KEY_ANY)
			keys_add_array(state, list, value);
		else
			keys_add(state, list, value);
	}
	keys_normalize(list);
}

int
keys_evaluate(FdwScanState *state, ExprContext *econtext, KvKey **keys)
{
	KeyList		result = {0};

	keys_evaluate_group(state, econtext, &state->groups[0], &result);
	for (int i = 1; i < state->ngroups && result.n > 0; i++)
	{
		KeyList		other = {0};

		keys_evaluate_group(state, econtext, &state->groups[i], &other);
		keys_intersect(&result, &other);
	}
	*keys = result.keys;
	return result.n;
}

/* ---- bounds ---- */

/* Replaces the start if the new one lies higher; the end if it lies lower (upper is true). */
static void
keys_tighten(KvBound *bound, bool upper, const char *data, size_t len, bool inclusive)
{
	int			order = bound->unbounded ? 1 : keys_compare_bytes(data, len, bound->data, bound->len);

	if (!bound->unbounded && upper)
		order = -order;
	if (order > 0)
	{
		bound->unbounded = false;
		bound->data = data;
		bound->len = len;
		bound->inclusive = inclusive;
	}
	else if (order == 0)
		bound->inclusive = bound->inclusive && inclusive;
}

/* Keys with a prefix: from it, to before the next string that does not begin with it. */
static void
keys_tighten_prefix(KvBound *start, KvBound *end, const char *data, size_t len)
{
	char	   *next;

	if (len == 0)
		return;
	keys_tighten(start, false, data, len, true);
	while (len > 0 && (unsigned char) data[len - 1] == 0xff)
		len--;
	if (len == 0)
		return;
	next = pnstrdup(data, len);
	next[len - 1]++;
	keys_tighten(end, true, next, len, false);
}

static void
keys_tighten_like(KvBound *start, KvBound *end, const char *pattern, size_t len)
{
	StringInfoData prefix;
	size_t		rest;

	initStringInfo(&prefix);
	if (prefix_of_like(pattern, len, &prefix, &rest) && rest == len)
	{
		keys_tighten(start, false, prefix.data, prefix.len, true);
		keys_tighten(end, true, prefix.data, prefix.len, true);
	}
	else
		keys_tighten_prefix(start, end, prefix.data, prefix.len);
}

static void
keys_tighten_term(KvBound *start, KvBound *end, KeyOp op, KvKey value)
{
	switch (op)
	{
		case KEY_LT:
		case KEY_LE:
			keys_tighten(end, true, value.data, value.len, op == KEY_LE);
			break;
		case KEY_GT:
		case KEY_GE:
			keys_tighten(start, false, value.data, value.len, op == KEY_GE);
			break;
		case KEY_PREFIX:
			keys_tighten_prefix(start, end, value.data, value.len);
			break;
		case KEY_LIKE:
			keys_tighten_like(start, end, value.data, value.len);
			break;
		case KEY_EQ:
		case KEY_ANY:
			elog(ERROR, "condition %d does not bound keys", op);
	}
}

/*
 * A bound longer than any key: its first bytes do as well. No key lies between the two, except that the shortened
 * one itself is less than the long one.
 */
static void
keys_shorten(KvBound *bound, bool upper)
{
	if (!bound->unbounded && bound->len > KEYS_BOUND_MAX)
	{
		bound->len = KEYS_BOUND_MAX;
		bound->inclusive = upper;
	}
}

bool
keys_evaluate_bounds(FdwScanState *state, ExprContext *econtext, KvBound *start, KvBound *end)
{
	int			order;

	*start = *end = (KvBound) {.unbounded = true};
	for (int i = 0; i < state->ngroups; i++)
	{
		ScanTerm   *term = &state->groups[i].terms[0];
		bool		isnull;
		Datum		value = ExecEvalExpr(term->value, econtext, &isnull);

		if (isnull)
			return false;
		keys_tighten_term(start, end, term->op, keys_text(value));
	}
	keys_shorten(start, false);
	keys_shorten(end, true);

	/* every key is longer than the empty string */
	if (!start->unbounded && start->len == 0)
		start->unbounded = true;
	if (!end->unbounded && end->len == 0)
		return false;
	if (start->unbounded || end->unbounded)
		return true;
	order = keys_compare_bytes(start->data, start->len, end->data, end->len);
	return order < 0 || (order == 0 && start->inclusive && end->inclusive);
}
