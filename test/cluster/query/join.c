/*
 * join.c: JOIN, NEST and UNNEST.
 */
#include <stdlib.h>
#include <string.h>

#include "join.h"

/* ---------------------------------------------------------------- the inner side */

static void
show_inner(JoinState *j, const InnerRow *r)
{
	for (int i = 0; i < j->n_slots; i++)
		*j->slots[i] = r != NULL ? r->v[i] : &n1_missing;
}

static void
add_inner_row(JoinState *j, InnerRow *r)
{
	if (j->n_rows == j->cap_rows)
	{
		InnerRow  **more;

		j->cap_rows = j->cap_rows == 0 ? 64 : 2 * j->cap_rows;
		more = n1_alloc(j->kept, j->cap_rows * sizeof(*more));
		if (j->n_rows > 0)
			memcpy(more, j->rows, j->n_rows * sizeof(*more));
		j->rows = more;
	}
	j->rows[j->n_rows++] = r;
}

static void
build_buckets(JoinState *j)
{
	j->num_buckets = 2 * j->n_rows + 1;
	j->buckets = n1_alloc(j->kept, j->num_buckets * sizeof(*j->buckets));
	for (size_t i = j->n_rows; i-- > 0;)
	{
		InnerRow  **bucket = &j->buckets[j->rows[i]->hash % j->num_buckets];

		j->rows[i]->chain = *bucket;
		*bucket = j->rows[i];
	}
}

/* Keeps every row of the inner side; of those that are hashed, only the ones that can have a partner. */
static bool
build_inner(FromOp *op)
{
	JoinState  *j = op->join;

	n1_arena_clear(j->kept);
	j->n_rows = j->cap_rows = 0;
	if (!j->inner->open(j->inner))
		return false;
	while (j->inner->next(j->inner))
	{
		InnerRow   *r;
		uint64_t	hash = 0;

		if (j->mode == JOIN_HASH)
		{
			N1Value    *v = exec_eval(op->x, j->inner->arena, j->inner_side, &op->sub->row, "hash join condition");

			if (v == NULL)
				return false;
			if (v->type == N1_MISSING || v->type == N1_NULL)
				continue;
			hash = join_hash(v);
		}
		r = n1_alloc(j->kept, sizeof(*r) + (size_t) j->n_slots * sizeof(r->v[0]));
		r->hash = hash;
		for (int i = 0; i < j->n_slots; i++)
			r->v[i] = n1_copy(j->kept, *j->slots[i]);
		add_inner_row(j, r);
	}
	if (j->mode == JOIN_HASH)
		build_buckets(j);
	j->built = true;
	return !exec_failed(op->x);
}

/* ---------------------------------------------------------------- candidates for a row of the driver */

static bool
start_lookup(FromOp *op)
{
	JoinState  *j = op->join;
	N1Value    *v = exec_eval(op->x, op->arena, j->outer_side, &op->sub->row, "join condition");

	if (v == NULL)
		return false;
	j->keys = (ValueList) {0};
	if (j->mode == JOIN_LOOKUP && v->type != N1_STRING && v->type != N1_ARRAY)
		return true;
	j->had_keys = v->type == N1_STRING || v->type == N1_ARRAY;
	return !j->had_keys || from_keys(j->mode == JOIN_KEYS ? op : NULL, v, op->arena, &j->keys);
}

static bool
start_candidates(FromOp *op)
{
	JoinState  *j = op->join;
	N1Value    *v;

	j->at = 0;
	j->candidate = NULL;
	if (j->mode == JOIN_LOOKUP || j->mode == JOIN_KEYS)
		return start_lookup(op);
	if (j->mode == JOIN_LOOP)
		return !j->reopen || j->inner->open(j->inner);
	v = exec_eval(op->x, op->arena, j->outer_side, &op->sub->row, "hash join condition");
	if (v == NULL)
		return false;
	if (v->type != N1_MISSING && v->type != N1_NULL && j->n_rows > 0)
	{
		j->wanted = join_hash(v);
		j->candidate = j->buckets[j->wanted % j->num_buckets];
	}
	return true;
}

static bool
next_document(FromOp *op)
{
	JoinState  *j = op->join;

	while (j->at < j->keys.n)
	{
		const N1Value *key = j->keys.v[j->at++];
		N1Value    *doc = keyspace_fetch(op->x, j->inner->keyspace, key->u.str.s, key->u.str.n, op->arena);

		if (doc != NULL)
		{
			*j->inner->slot = doc;
			return true;
		}
		if (exec_failed(op->x))
			return false;
	}
	return false;
}

/* Puts the next candidate into the frame; false: no more, or an error. */
static bool
next_candidate(FromOp *op)
{
	JoinState  *j = op->join;

	if (j->mode == JOIN_LOOKUP || j->mode == JOIN_KEYS)
		return next_document(op);
	if (j->reopen)
		return j->inner->next(j->inner);
	if (j->mode == JOIN_LOOP)
	{
		if (j->at == j->n_rows)
			return false;
		show_inner(j, j->rows[j->at++]);
		return true;
	}
	while (j->candidate != NULL && j->candidate->hash != j->wanted)
		j->candidate = j->candidate->chain;
	if (j->candidate == NULL)
		return false;
	show_inner(j, j->candidate);
	j->candidate = j->candidate->chain;
	return true;
}

/* The condition without the equality by which a document was looked up: that takes a list of keys, too. */
static bool
check_on(FromOp *op, const N1Expr *on, bool *truth)
{
	if (on == NULL || on == op->join->looked_up)
		return true;
	if (on->kind != N1E_AND || op->join->looked_up == NULL)
		return exec_true(op->x, op->arena, on, &op->sub->row, "join condition", truth);
	for (int i = 0; i < on->n_args && *truth; i++)
		if (!check_on(op, on->args[i], truth))
			return false;
	return true;
}

/* The next candidate that fulfils the condition. */
static bool
next_partner(FromOp *op)
{
	JoinState  *j = op->join;

	while (next_candidate(op))
	{
		N1Mark		mark = n1_arena_mark(op->arena);
		bool		truth = true;

		if (exec_tick(op->x) || !check_on(op, j->on, &truth))
			return false;
		if (truth)
			return true;
		if (j->mode != JOIN_LOOKUP && j->mode != JOIN_KEYS)
			n1_arena_reset(op->arena, mark);
	}
	return false;
}

/* ---------------------------------------------------------------- JOIN and NEST */

static bool
next_driver(FromOp *op)
{
	JoinState  *j = op->join;

	show_inner(j, NULL);
	n1_arena_clear(op->arena);
	j->has_driver = j->driver->next(j->driver);
	if (!j->has_driver)
		return false;
	j->matched = false;
	j->nested = (ValueList) {0};
	return start_candidates(op);
}

static bool
next_join(FromOp *op)
{
	JoinState  *j = op->join;

	while (!exec_tick(op->x))
	{
		if (!j->has_driver && !next_driver(op))
			return false;
		if (next_partner(op))
		{
			j->matched = true;
			return true;
		}
		if (exec_failed(op->x))
			return false;
		j->has_driver = false;
		show_inner(j, NULL);
		if (j->outer && !j->matched)
			return true;
	}
	return false;
}

static bool
next_nest(FromOp *op)
{
	JoinState  *j = op->join;

	while (!exec_tick(op->x))
	{
		if (!next_driver(op))
			return false;
		while (next_partner(op))
			list_add(op->arena, &j->nested,
					 j->reopen ? n1_copy(op->arena, *j->inner->slot) : *j->inner->slot);
		if (exec_failed(op->x))
			return false;
		show_inner(j, NULL);
		if (j->nested.n == 0 && !j->outer)
			continue;
		if (j->nested.n > 0 || j->mode != JOIN_KEYS || j->had_keys)
			*j->inner->slot = n1_array(op->arena, j->nested.v, j->nested.n);
		return true;
	}
	return false;
}

static bool
open_join(FromOp *op)
{
	JoinState  *j = op->join;
	bool		keeps = (j->mode == JOIN_LOOP && !j->reopen) || j->mode == JOIN_HASH;

	j->has_driver = false;
	if (keeps && (!j->built || op->from->correlated) && !build_inner(op))
		return false;
	show_inner(j, NULL);
	return j->driver->open(j->driver);
}

static void
close_join(FromOp *op)
{
	n1_arena_free(op->join->kept);
	op->join->kept = NULL;
}

/* ---------------------------------------------------------------- UNNEST */

static bool
open_unnest(FromOp *op)
{
	op->n_list = op->at = 0;
	return op->left->open(op->left);
}

/* The elements of the next row of the driver; *lonely: it has none and stays. */
static bool
next_array(FromOp *op, bool *lonely)
{
	N1Row		row = from_before(op);
	N1Value    *v;

	*op->slot = &n1_missing;
	n1_arena_clear(op->arena);
	op->n_list = op->at = 0;
	if (!op->left->next(op->left))
		return false;
	v = exec_eval(op->x, op->arena, op->from->expr, &row, "UNNEST path");
	if (v == NULL)
		return false;
	if (v->type == N1_ARRAY)
	{
		n1_unpack(v);
		op->list = v->u.arr.v;
		op->n_list = v->u.arr.n;
	}
	*lonely = op->n_list == 0 && op->from->outer;
	return true;
}

/* The element with what UNNEST_POSITION() gives: a META of its own kind. */
static N1Value *
with_position(N1Arena *a, N1Value *element, size_t at)
{
	N1Value    *v = n1_alloc(a, sizeof(*v));
	N1Meta	   *meta = n1_alloc(a, sizeof(*meta));

	*v = *element;
	meta->type = UNNEST_META;
	meta->cas = at;
	v->meta = meta;
	return v;
}

static bool
next_unnest(FromOp *op)
{
	while (!exec_tick(op->x))
	{
		bool		lonely = false;

		if (op->at < op->n_list)
		{
			*op->slot = with_position(op->arena, op->list[op->at], op->at);
			op->at++;
			return true;
		}
		if (!next_array(op, &lonely))
			return false;
		if (lonely)
			return true;
	}
	return false;
}

static FromOp *
build_unnest(SubRun *sub, const N1From *from)
{
	FromOp	   *op = from_op_new(sub, from);

	op->left = from_build(sub, from->left);
	op->open = open_unnest;
	op->next = next_unnest;
	return op;
}

/* ---------------------------------------------------------------- building */

typedef struct SlotList
{
	SubRun	   *sub;
	JoinState  *j;
} SlotList;

static void
count_slot(const N1From *leaf, void *arg)
{
	SlotList   *l = arg;

	(void) leaf;
	l->j->n_slots++;
}

static void
add_slot(const N1From *leaf, void *arg)
{
	SlotList   *l = arg;

	for (int i = 0; i < l->sub->n_from; i++)
		if (l->sub->frame[i].name == leaf->alias)
			l->j->slots[l->j->n_slots++] = &l->sub->frame[i].value;
}

static void
collect_slots(SubRun *sub, JoinState *j)
{
	SlotList	l = {sub, j};

	from_aliases(j->inner->from, count_slot, &l);
	j->slots = n1_alloc(sub->arena, (size_t) j->n_slots * sizeof(*j->slots));
	j->n_slots = 0;
	from_aliases(j->inner->from, add_slot, &l);
}

FromOp *
join_build(SubRun *sub, const N1From *from)
{
	FromOp	   *op;
	JoinState  *j;
	bool		by_keys = from->kind == N1FR_JOIN_KEYS || from->kind == N1FR_NEST_KEYS;

	if (from->kind == N1FR_UNNEST)
		return build_unnest(sub, from);
	op = from_op_new(sub, from);
	j = op->join = n1_alloc(sub->arena, sizeof(*j));
	op->left = from_build(sub, from->left);
	op->right = from_build(sub, from->right);
	j->driver = from->right_outer ? op->right : op->left;
	j->inner = from->right_outer ? op->left : op->right;
	j->nest = from->kind == N1FR_NEST || from->kind == N1FR_NEST_KEYS;
	j->outer = from->outer || from->right_outer;
	j->reopen = from->correlated || from->lateral;
	j->kept = n1_arena_new();
	collect_slots(sub, j);
	if (by_keys)
	{
		j->mode = JOIN_KEYS;
		j->outer_side = from->on;
	}
	else
	{
		j->on = from->on;
		join_plan(j, from->on);
	}
	op->open = open_join;
	op->next = j->nest ? next_nest : next_join;
	op->close = close_join;
	return op;
}
