/*
 * json_walk.c
 *		Finds the values of a set of paths in one pass over a document.
 *
 * The paths are compiled into a tree of steps. Where the document and the tree
 * part, the scanner skips the value, checking it.
 */
#include "json_walk.h"

#include "json_scan.h"
#include "json_value.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PATHS	4096

/* A step of the tree; children of objects by name, of arrays by index. */
typedef struct Node
{
	const char *name;			/* NULL: index; points into CbPathSet.names */
	uint32_t	name_len;
	int32_t		index;
	uint32_t	first_child;	/* 0: none (0 is the root) */
	uint32_t	next;			/* sibling, 0: last */
	uint32_t	slot_lo;		/* slots of the node and all below it */
	uint32_t	slot_hi;
	uint32_t	slot_own;		/* of these, slot_lo .. slot_own - 1 end here */
} Node;

struct CbPathSet
{
	Node	   *nodes;
	size_t		nnodes;
	char	   *names;
	uint32_t   *slots;			/* path numbers in the order of the tree */
	size_t		npaths;
};

/* ---- compiling ---- */

static bool
same_step(const Node *node, const CbPathStep *step)
{
	if ((node->name == NULL) != (step->name == NULL))
		return false;
	if (node->name == NULL)
		return node->index == step->index;
	return node->name_len == step->name_len &&
		memcmp(node->name, step->name, step->name_len) == 0;
}

static uint32_t
find_child(const CbPathSet *set, uint32_t parent, const CbPathStep *step)
{
	uint32_t	child = set->nodes[parent].first_child;

	while (child != 0 && !same_step(&set->nodes[child], step))
		child = set->nodes[child].next;
	return child;
}

/* Child of parent for step, made if it is not there. Arrays: in order of the index. */
static uint32_t
add_child(CbPathSet *set, uint32_t parent, const CbPathStep *step, char **names)
{
	uint32_t	child = find_child(set, parent, step);
	uint32_t   *link = &set->nodes[parent].first_child;
	Node	   *node;

	if (child != 0)
		return child;
	child = (uint32_t) set->nnodes++;
	node = &set->nodes[child];
	*node = (Node) {.index = step->index};
	if (step->name != NULL)
	{
		if (step->name_len > 0)
			memcpy(*names, step->name, step->name_len);
		node->name = *names;
		node->name_len = (uint32_t) step->name_len;
		*names += step->name_len + 1;
	}
	while (*link != 0 && (step->name != NULL || set->nodes[*link].name != NULL ||
						  set->nodes[*link].index < step->index))
		link = &set->nodes[*link].next;
	node->next = *link;
	*link = child;
	return child;
}

/* Number the slots depth first; ends[i] is the node where path i ends. */
static void
number_slots(CbPathSet *set, uint32_t node, const uint32_t *ends, uint32_t *next)
{
	set->nodes[node].slot_lo = *next;
	for (size_t i = 0; i < set->npaths; i++)
	{
		if (ends[i] == node)
			set->slots[(*next)++] = (uint32_t) i;
	}
	set->nodes[node].slot_own = *next;
	/* At most CB_PATH_MAX_STEPS levels. */
	for (uint32_t child = set->nodes[node].first_child; child != 0;
		 child = set->nodes[child].next)
		number_slots(set, child, ends, next);
	set->nodes[node].slot_hi = *next;
}

CbResult
cb_pathset_create(const CbPath *const *paths, size_t npaths, CbPathSet **out)
{
	CbPathSet  *set;
	size_t		steps = 1;
	size_t		text = 1;
	uint32_t   *ends;
	uint32_t	next = 0;
	char	   *names;

	*out = NULL;
	if (npaths > MAX_PATHS)
		return CB_LIMIT;
	for (size_t i = 0; i < npaths; i++)
	{
		steps += paths[i]->nsteps;
		for (size_t j = 0; j < paths[i]->nsteps; j++)
			text += paths[i]->steps[j].name_len + 1;
	}
	if (steps > UINT32_MAX)
		return CB_LIMIT;
	set = calloc(1, sizeof(*set));
	ends = calloc(npaths + 1, sizeof(*ends));
	if (set != NULL)
	{
		set->nodes = calloc(steps, sizeof(Node));
		set->names = calloc(text, 1);
		set->slots = calloc(npaths + 1, sizeof(*set->slots));
	}
	if (set == NULL || ends == NULL || set->nodes == NULL || set->names == NULL ||
		set->slots == NULL)
	{
		cb_pathset_free(set);
		free(ends);
		return CB_NOMEM;
	}
	set->npaths = npaths;
	set->nnodes = 1;
	names = set->names;
	for (size_t i = 0; i < npaths; i++)
	{
		for (size_t j = 0; j < paths[i]->nsteps; j++)
			ends[i] = add_child(set, ends[i], &paths[i]->steps[j], &names);
	}
	number_slots(set, 0, ends, &next);
	free(ends);
	*out = set;
	return CB_OK;
}

void
cb_pathset_free(CbPathSet *set)
{
	if (set == NULL)
		return;
	free(set->nodes);
	free(set->names);
	free(set->slots);
	free(set);
}

size_t
cb_pathset_size(const CbPathSet *set)
{
	return set->npaths;
}

/* ---- walking ---- */

typedef struct Walk
{
	CbJsonScan	scan;
	const CbPathSet *set;
	CbJsonValue *values;
	size_t		missing;		/* values not found yet */
	bool		stop_early;
	bool		stopped;		/* everything is found: unwind */
} Walk;

static const uint8_t *walk_value(Walk *walk, const Node *node, const uint8_t *p, int depth);

static void
found(Walk *walk, const Node *node, const uint8_t *start, const uint8_t *end, bool escaped)
{
	CbJsonValue value = {start, (size_t) (end - start), cb_scan_type(*start), escaped};

	/* An earlier member of the same name counts. */
	if (walk->values[walk->set->slots[node->slot_lo]].type != CB_JSON_MISSING)
		return;
	for (uint32_t i = node->slot_lo; i < node->slot_own; i++)
		walk->values[walk->set->slots[i]] = value;
	walk->missing -= node->slot_own - node->slot_lo;
	walk->stopped = walk->stop_early && walk->missing == 0;
}

/* Whether a member's name (with quotes) is that of node. */
static inline bool
is_named(const Node *node, const uint8_t *name, size_t len, bool escaped)
{
	CbJsonValue text = {name, len, CB_JSON_STRING, true};

	if (node->name == NULL)
		return false;
	if (!escaped)
		return node->name_len == len - 2 && memcmp(node->name, name + 1, len - 2) == 0;
	return cb_json_string_equal(&text, cb_span(node->name, node->name_len));
}

/*
 * Child of node that a member's name leads to, or NULL. The search begins at *hint, the
 * child after the last one found: documents of a kind have their members in one order.
 */
static const Node *
match_name(const Walk *walk, const Node *node, uint32_t *hint, const uint8_t *name,
		   size_t len, bool escaped)
{
	const Node *nodes = walk->set->nodes;
	uint32_t	start = *hint != 0 ? *hint : node->first_child;
	uint32_t	i = start;

	do
	{
		if (is_named(&nodes[i], name, len, escaped))
		{
			*hint = nodes[i].next;
			return &nodes[i];
		}
		i = nodes[i].next != 0 ? nodes[i].next : node->first_child;
	} while (i != start);
	return NULL;
}

/* Value of a member or element that child (or NULL: nobody) wants. */
static const uint8_t *
walk_or_skip(Walk *walk, const Node *child, const uint8_t *p, int depth)
{
	bool		escaped = false;

	if (p == walk->scan.end)
		return cb_scan_fail(&walk->scan, p, CB_MALFORMED, "expected a value");
	if (child == NULL)
		return cb_scan_value(&walk->scan, p, depth, &escaped);
	return walk_value(walk, child, p, depth);
}

/* p is past the opening brace. */
static const uint8_t *
walk_object(Walk *walk, const Node *node, const uint8_t *p, int depth)
{
	CbJsonScan *scan = &walk->scan;
	const uint8_t *end = scan->end;
	uint32_t	hint = 0;

	p = cb_scan_blanks(p, end);
	if (p < end && *p == '}')
		return p + 1;
	for (;;)
	{
		const uint8_t *name = p;
		const Node *child;
		bool		escaped = false;

		if (p == end || *p != '"')
			return cb_scan_fail(scan, p, CB_MALFORMED, "expected a member name");
		p = cb_scan_string(scan, p + 1, &escaped);
		if (p == NULL)
			return NULL;
		child = match_name(walk, node, &hint, name, (size_t) (p - name), escaped);
		p = cb_scan_blanks(p, end);
		if (p == end || *p != ':')
			return cb_scan_fail(scan, p, CB_MALFORMED, "expected \":\"");
		p = walk_or_skip(walk, child, cb_scan_blanks(p + 1, end), depth);
		if (p == NULL || walk->stopped)
			return p;
		p = cb_scan_blanks(p, end);
		if (p < end && *p == '}')
			return p + 1;
		if (p == end || *p != ',')
			return cb_scan_fail(scan, p, CB_MALFORMED, "expected \",\" or \"}\"");
		p = cb_scan_blanks(p + 1, end);
	}
}

/* p is past the opening bracket. */
static const uint8_t *
walk_array(Walk *walk, const Node *node, const uint8_t *p, int depth)
{
	CbJsonScan *scan = &walk->scan;
	const uint8_t *end = scan->end;
	const Node *nodes = walk->set->nodes;
	uint32_t	wanted = node->first_child;

	p = cb_scan_blanks(p, end);
	if (p < end && *p == ']')
		return p + 1;
	for (int64_t index = 0;; index++)
	{
		const Node *child = NULL;

		while (wanted != 0 && (nodes[wanted].name != NULL || nodes[wanted].index < index))
			wanted = nodes[wanted].next;
		if (wanted != 0 && nodes[wanted].index == index)
			child = &nodes[wanted];
		p = walk_or_skip(walk, child, p, depth);
		if (p == NULL || walk->stopped)
			return p;
		p = cb_scan_blanks(p, end);
		if (p < end && *p == ']')
			return p + 1;
		if (p == end || *p != ',')
			return cb_scan_fail(scan, p, CB_MALFORMED, "expected \",\" or \"]\"");
		p = cb_scan_blanks(p + 1, end);
	}
}

/* p is at a value that node is about; returns the place past it. */
static const uint8_t *
walk_value(Walk *walk, const Node *node, const uint8_t *p, int depth)
{
	const uint8_t *start = p;
	bool		escaped = false;

	if (node->first_child != 0 && (*p == '{' || *p == '['))
	{
		if (depth >= CB_JSON_MAX_DEPTH)
			return cb_scan_fail(&walk->scan, p, CB_LIMIT, "too many levels");
		p = *p == '{' ? walk_object(walk, node, p + 1, depth + 1) :
			walk_array(walk, node, p + 1, depth + 1);
	}
	else
		p = cb_scan_value(&walk->scan, p, depth, &escaped);
	if (p != NULL && !walk->stopped && node->slot_own > node->slot_lo)
		found(walk, node, start, p, escaped);
	return p;
}

/* Blanks, one value, blanks; NULL after a failure. */
static const uint8_t *
walk_text(Walk *walk, CbJsonValue *whole)
{
	CbJsonScan *scan = &walk->scan;
	const uint8_t *start = cb_scan_blanks(scan->start, scan->end);
	const uint8_t *p;

	if (start == scan->end)
		return cb_scan_fail(scan, start, CB_MALFORMED, "no value");
	if (walk->set != NULL)
		p = walk_value(walk, &walk->set->nodes[0], start, 0);
	else
	{
		bool		escaped = false;

		p = cb_scan_value(scan, start, 0, &escaped);
		if (p != NULL)
			*whole = (CbJsonValue) {start, (size_t) (p - start), cb_scan_type(*start), escaped};
	}
	if (p == NULL || walk->stopped)
		return p;
	p = cb_scan_blanks(p, scan->end);
	if (p != scan->end)
		return cb_scan_fail(scan, p, CB_MALFORMED, "more text after the value");
	return p;
}

static CbResult
run(Walk *walk, CbSpan text, CbJsonValue *whole, CbJsonError *err)
{
	static const uint8_t nothing;

	walk->scan.start = text.data == NULL ? &nothing : text.data;
	walk->scan.end = walk->scan.start + text.len;
	if (walk_text(walk, whole) != NULL)
		return CB_OK;
	if (err != NULL)
		*err = walk->scan.error;
	return walk->scan.error.result;
}

CbResult
cb_json_walk(const CbPathSet *set, CbSpan text, unsigned flags, CbJsonValue *values,
			 CbJsonError *err)
{
	Walk		walk = {
		.set = set,
		.values = values,
		.stop_early = (flags & CB_WALK_STOP_EARLY) != 0
	};
	CbJsonValue whole;
	CbResult	result;

	if (set != NULL)
	{
		walk.missing = set->npaths;
		for (size_t i = 0; i < set->npaths; i++)
			values[i] = (CbJsonValue) {0};
	}
	result = run(&walk, text, &whole, err);
	if (result != CB_OK && set != NULL)
	{
		for (size_t i = 0; i < set->npaths; i++)
			values[i] = (CbJsonValue) {0};
	}
	return result;
}

CbResult
cb_json_value(CbSpan text, CbJsonValue *value, CbJsonError *err)
{
	Walk		walk = {0};
	CbResult	result;

	*value = (CbJsonValue) {0};
	result = run(&walk, text, value, err);
	if (result != CB_OK)
		*value = (CbJsonValue) {0};
	return result;
}
