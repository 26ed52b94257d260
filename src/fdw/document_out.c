/*
 * document_out.c
 *		Changes of paths in the text of a document: a tree that is taken apart only along the paths.
 */
#include "document_out.h"

#include "utils/json.h"

#include "../protocol/json_value.h"

/* Most missing elements that one path may add to an array. */
#define ARRAY_GAP_MAX	10000

typedef struct Node Node;

typedef struct Child
{
	CbJsonValue name;			/* of objects' members: as the text spells it, quotes included */
	Node	   *node;
} Child;

struct Node
{
	CbJsonValue raw;			/* not taken apart: the text as it was */
	bool		open;			/* taken apart: an object or array of these children */
	bool		object;
	int			n;
	int			room;
	Child	   *children;
};

/* ---- nodes ---- */

static Node *
node_raw(CbJsonValue raw)
{
	Node	   *node = palloc0(sizeof(Node));

	node->raw = raw;
	return node;
}

static Node *
node_null(void)
{
	return node_raw((CbJsonValue) {(const uint8_t *) "null", 4, CB_JSON_NULL, false});
}

static void
node_add(Node *node, CbJsonValue name, Node *child)
{
	if (node->n == node->room)
	{
		node->room = Max(8, node->room * 2);
		node->children = node->children ? repalloc_huge(node->children, node->room * sizeof(Child)) :
			palloc(node->room * sizeof(Child));
	}
	node->children[node->n].name = name;
	node->children[node->n++].node = child;
}

/* Makes it an object or array: of its own children, or an empty one out of null. */
static void
node_open(Node *node, bool object, const DocumentChange *change)
{
	CbJsonType	wanted = object ? CB_JSON_OBJECT : CB_JSON_ARRAY;
	CbJsonIter	iter;
	CbJsonValue name = {0};
	CbJsonValue value;

	if (node->open ? node->object != object : node->raw.type != wanted && node->raw.type != CB_JSON_NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("cannot write path \"%s\"", change->text),
				 errdetail("The path needs an %s on its way; the type of what the document has there is %s.",
						   object ? "object" : "array", !node->open ? cb_json_type_name(node->raw.type) :
						   node->object ? "object" : "array")));
	if (node->open)
		return;
	node->open = true;
	node->object = object;
	if (node->raw.type == CB_JSON_NULL)
		return;
	if (cb_json_iter_init(&iter, &node->raw) != CB_OK)
		elog(ERROR, "checked JSON value is malformed");
	while (cb_json_iter_next(&iter, &name, &value) == CB_OK)
		node_add(node, name, node_raw(value));
	if (iter.bad)
		elog(ERROR, "checked JSON value is malformed");
}

static CbJsonValue
node_name(const CbPathStep *step)
{
	StringInfoData text;

	initStringInfo(&text);
	escape_json(&text, step->name);
	return (CbJsonValue) {(const uint8_t *) text.data, text.len, CB_JSON_STRING, true};
}

/* Index of the child that a step leads to, or -1. The node is open. */
static int
node_find(const Node *node, const CbPathStep *step, int from)
{
	CbSpan		name = cb_span(step->name, step->name_len);

	if (!node->object)
		return step->index < node->n ? step->index : -1;
	for (int i = from; i < node->n; i++)
	{
		if (cb_json_string_equal(&node->children[i].name, name))
			return i;
	}
	return -1;
}

/* The child that a step leads to, made where it is missing. */
static Node *
node_child(Node *node, const CbPathStep *step, const DocumentChange *change)
{
	int			i = node_find(node, step, 0);
	Node	   *child;

	if (i >= 0)
		return node->children[i].node;
	if (!node->object && step->index - node->n > ARRAY_GAP_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot write path \"%s\"", change->text),
				 errdetail("The array has %d elements, and at most %d missing ones are filled with null.", node->n,
						   ARRAY_GAP_MAX)));
	while (!node->object && node->n < step->index)
		node_add(node, (CbJsonValue) {0}, node_null());
	child = node_null();
	node_add(node, node->object ? node_name(step) : (CbJsonValue) {0}, child);
	return child;
}

/* ---- changes ---- */

static void
change_set(Node *node, const DocumentChange *change)
{
	CbJsonValue value;
	CbJsonError err = {0};

	for (size_t i = 0; i < change->path->nsteps; i++)
	{
		const CbPathStep *step = &change->path->steps[i];

		node_open(node, step->name != NULL, change);
		node = node_child(node, step, change);
	}
	if (cb_json_value(cb_span(change->value, change->len), &value, &err) != CB_OK)
		elog(ERROR, "value for path \"%s\" is no JSON", change->text);
	memset(node, 0, sizeof(Node));
	node->raw = value;
}

/* A member goes, with all that repeat its name; an element of an array becomes null. */
static void
change_remove(Node *node, const DocumentChange *change)
{
	const CbPath *path = change->path;
	const CbPathStep *last = &path->steps[path->nsteps - 1];
	int			i;

	for (size_t s = 0; s < path->nsteps; s++)
	{
		const CbPathStep *step = &path->steps[s];
		CbJsonType	type = node->open ? (node->object ? CB_JSON_OBJECT : CB_JSON_ARRAY) : node->raw.type;

		if (type != (step->name != NULL ? CB_JSON_OBJECT : CB_JSON_ARRAY))
			return;
		node_open(node, step->name != NULL, change);
		if (step == last)
			break;
		i = node_find(node, step, 0);
		if (i < 0)
			return;
		node = node->children[i].node;
	}

	i = node_find(node, last, 0);
	if (!node->object && i >= 0)
		node->children[i].node = node_null();
	while (node->object && i >= 0)
	{
		memmove(&node->children[i], &node->children[i + 1], sizeof(Child) * (node->n - i - 1));
		node->n--;
		i = node_find(node, last, i);
	}
}

static void
node_append(const Node *node, StringInfo out)
{
	if (!node->open)
	{
		appendBinaryStringInfo(out, (const char *) node->raw.data, node->raw.len);
		return;
	}
	appendStringInfoChar(out, node->object ? '{' : '[');
	for (int i = 0; i < node->n; i++)
	{
		const Child *child = &node->children[i];

		if (i > 0)
			appendStringInfoChar(out, ',');
		if (node->object)
		{
			appendBinaryStringInfo(out, (const char *) child->name.data, child->name.len);
			appendStringInfoChar(out, ':');
		}
		node_append(child->node, out);
	}
	appendStringInfoChar(out, node->object ? '}' : ']');
}

void
document_change(const char *base, size_t len, const DocumentChange *changes, int nchanges, StringInfo out)
{
	CbJsonValue value;
	CbJsonError err = {0};
	Node	   *root = node_null();
	bool		array;

	if (len > 0)
	{
		if (cb_json_value(cb_span(base, len), &value, &err) != CB_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_JSON_TEXT),
					 errmsg("fields cannot be written into a document that is not JSON"),
					 errdetail("At byte offset %zu: %s.", err.offset, err.what ? err.what : "malformed")));
		root = node_raw(value);
	}
	for (int i = 0; i < nchanges; i++)
	{
		if (changes[i].value != NULL)
			change_set(root, &changes[i]);
		else
			change_remove(root, &changes[i]);
	}
	if (len == 0 && !root->open)
	{
		array = nchanges > 0 && changes[0].path->steps[0].name == NULL;
		node_open(root, !array, NULL);
	}
	node_append(root, out);
}
