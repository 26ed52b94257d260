/*
 * keycond.c
 *		Recognises restriction and join clauses that limit the keys of the documents.
 *
 * What is used, and why it finds exactly the rows for which PostgreSQL's clause is true (F2):
 *	- text = text, = ANY(array), ORs of these: under a deterministic collation equal text is equal bytes. Keys that
 *	  are NULL or no UTF-8 text cannot be equal to any.
 *	- <, <=, >=, >: under collations that compare bytes (collate.c); ~<~ and its kin always do.
 *	- ^@, starts_with(), LIKE: text begins with a prefix when its bytes do, under any deterministic collation. Of a LIKE
 *	  pattern the literal beginning is used; the clause is checked again unless only % follows.
 *	- ROW(key, ...) < ROW(...): the first column only, bound included, checked again.
 * Everything else stays with PostgreSQL.
 */
#include "plan.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "../compat.h"
#include "prefix.h"

/* A clause under inspection. */
typedef struct KeyMatch
{
	PlannerInfo *root;
	Index		relid;
	AttrNumber	key_attno;
	List	   *terms;
	bool		exact;
} KeyMatch;

bool
keycond_possible(const FdwTable *table)
{
	return table->key_attno > 0;
}

bool
keycond_is_key(Node *node, Index relid, AttrNumber key_attno)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node != NULL && IsA(node, Var) &&
		((Var *) node)->varno == relid &&
		((Var *) node)->varattno == key_attno &&
		((Var *) node)->varlevelsup == 0;
}

/* Whether the expression has one value for a whole scan. */
static bool
keycond_is_value(KeyMatch *match, Node *node)
{
	return !bms_is_member(match->relid, pull_varnos(match->root, node)) && !contain_volatile_functions(node);
}

/* Finds the key on one side and a value on the other; swapped tells that the key is on the right. */
static bool
keycond_sides(KeyMatch *match, Node *left, Node *right, Node **value, bool *swapped)
{
	*swapped = !keycond_is_key(left, match->relid, match->key_attno);
	if (*swapped && !keycond_is_key(right, match->relid, match->key_attno))
		return false;
	*value = *swapped ? left : right;
	return keycond_is_value(match, *value);
}

static void
keycond_add(KeyMatch *match, KeyOp op, Node *value)
{
	KeyTerm    *term = palloc(sizeof(KeyTerm));

	term->op = op;
	term->value = (Expr *) value;
	match->terms = lappend(match->terms, term);
}

/* Keys reach us converted from UTF-8, which need not keep order, nor prefixes. */
static bool
keycond_bytes_kept(void)
{
	int			encoding = GetDatabaseEncoding();

	return encoding == PG_UTF8 || encoding == PG_SQL_ASCII;
}

static bool
keycond_match_like(KeyMatch *match, Node *pattern)
{
	StringInfoData prefix;
	char	   *like;
	size_t		rest;
	Const	   *constant;
	bool		exact_key;

	if (!IsA(pattern, Const))
	{
		keycond_add(match, KEY_LIKE, pattern);
		match->exact = false;
		return true;
	}
	if (((Const *) pattern)->constisnull)
		return false;

	like = TextDatumGetCString(((Const *) pattern)->constvalue);
	initStringInfo(&prefix);
	if (!prefix_of_like(like, strlen(like), &prefix, &rest))
		return false;
	exact_key = like[rest] == '\0';
	if (prefix.len == 0 && !exact_key)
		return false;
	constant = makeConst(TEXTOID, -1, ((Const *) pattern)->constcollid, -1,
						 PointerGetDatum(cstring_to_text_with_len(prefix.data, prefix.len)), false, false);
	keycond_add(match, exact_key ? KEY_EQ : KEY_PREFIX, (Node *) constant);
	if (like[rest + strspn(like + rest, "%")] != '\0')
		match->exact = false;
	return true;
}

/* A comparison as a bound; swapped: the key is on its right. */
static bool
keycond_bound_op(Oid funcid, bool swapped, KeyOp *op)
{
	switch (funcid)
	{
		case F_TEXT_LT:
		case F_TEXT_PATTERN_LT:
			*op = swapped ? KEY_GT : KEY_LT;
			return true;
		case F_TEXT_LE:
		case F_TEXT_PATTERN_LE:
			*op = swapped ? KEY_GE : KEY_LE;
			return true;
		case F_TEXT_GE:
		case F_TEXT_PATTERN_GE:
			*op = swapped ? KEY_LE : KEY_GE;
			return true;
		case F_TEXT_GT:
		case F_TEXT_PATTERN_GT:
			*op = swapped ? KEY_LT : KEY_GT;
			return true;
		default:
			return false;
	}
}

static bool
keycond_bound_collation(Oid funcid, Oid collation)
{
	switch (funcid)
	{
		case F_TEXT_PATTERN_LT:
		case F_TEXT_PATTERN_LE:
		case F_TEXT_PATTERN_GE:
		case F_TEXT_PATTERN_GT:
			return keycond_bytes_kept();
		default:
			return collate_is_bytewise(collation);
	}
}

static Node *
keycond_name_as_text(Node *name)
{
	return (Node *) makeFuncExpr(F_TEXT_NAME, TEXTOID, list_make1(name), DEFAULT_COLLATION_OID, InvalidOid,
								 COERCE_EXPLICIT_CALL);
}

static bool
keycond_match_op(KeyMatch *match, OpExpr *clause)
{
	Oid			funcid = get_opcode(clause->opno);
	Node	   *value;
	bool		swapped;
	KeyOp		op;

	if (list_length(clause->args) != 2 ||
		!keycond_sides(match, linitial(clause->args), lsecond(clause->args), &value, &swapped))
		return false;

	if (keycond_bound_op(funcid, swapped, &op))
	{
		if (!keycond_bound_collation(funcid, clause->inputcollid))
			return false;
		keycond_add(match, op, value);
		return true;
	}
	if (!collate_is_deterministic(clause->inputcollid))
		return false;
	switch (funcid)
	{
		case F_TEXTEQ:
			keycond_add(match, KEY_EQ, value);
			return true;
		case F_TEXTEQNAME:
		case F_NAMEEQTEXT:
			keycond_add(match, KEY_EQ, keycond_name_as_text(value));
			return true;
		case F_STARTS_WITH:
			if (swapped || !keycond_bytes_kept())
				return false;
			keycond_add(match, KEY_PREFIX, value);
			return true;
		case F_TEXTLIKE:
			return !swapped && keycond_bytes_kept() && keycond_match_like(match, value);
		default:
			return false;
	}
}

static bool
keycond_match_function(KeyMatch *match, FuncExpr *clause)
{
	if (clause->funcid != F_STARTS_WITH || !keycond_bytes_kept() || !collate_is_deterministic(clause->inputcollid) ||
		!keycond_is_key(linitial(clause->args), match->relid, match->key_attno) ||
		!keycond_is_value(match, lsecond(clause->args)))
		return false;
	keycond_add(match, KEY_PREFIX, lsecond(clause->args));
	return true;
}

static bool
keycond_match_array(KeyMatch *match, ScalarArrayOpExpr *clause)
{
	if (!clause->useOr || get_opcode(clause->opno) != F_TEXTEQ || !collate_is_deterministic(clause->inputcollid) ||
		!keycond_is_key(linitial(clause->args), match->relid, match->key_attno) ||
		!keycond_is_value(match, lsecond(clause->args)))
		return false;
	keycond_add(match, KEY_ANY, lsecond(clause->args));
	return true;
}

static bool
keycond_match_row(KeyMatch *match, RowCompareExpr *clause)
{
	Oid			funcid = get_opcode(linitial_oid(clause->opnos));
	Node	   *value;
	bool		swapped;
	KeyOp		op;

	if (!keycond_sides(match, linitial(clause->largs), linitial(clause->rargs), &value, &swapped) ||
		!keycond_bound_op(funcid, swapped, &op) ||
		!keycond_bound_collation(funcid, linitial_oid(clause->inputcollids)))
		return false;
	keycond_add(match, op == KEY_LT || op == KEY_LE ? KEY_LE : KEY_GE, value);
	match->exact = false;
	return true;
}

static bool
keycond_match_node(KeyMatch *match, Node *clause)
{
	switch (nodeTag(clause))
	{
		case T_OpExpr:
			return keycond_match_op(match, (OpExpr *) clause);
		case T_FuncExpr:
			return keycond_match_function(match, (FuncExpr *) clause);
		case T_ScalarArrayOpExpr:
			return keycond_match_array(match, (ScalarArrayOpExpr *) clause);
		case T_RowCompareExpr:
			return keycond_match_row(match, (RowCompareExpr *) clause);
		default:
			return false;
	}
}

static bool
keycond_names_keys(List *terms)
{
	ListCell   *lc;

	foreach(lc, terms)
	{
		KeyOp		op = ((KeyTerm *) lfirst(lc))->op;

		if (op != KEY_EQ && op != KEY_ANY)
			return false;
	}
	return true;
}

/* An OR limits the keys when every arm names some; one arm that does not spoils it. */
static bool
keycond_match_or(KeyMatch *match, BoolExpr *clause)
{
	ListCell   *lc;

	foreach(lc, clause->args)
	{
		if (!keycond_match_node(match, lfirst(lc)))
			return false;
	}
	return keycond_names_keys(match->terms);
}

KeyClause *
keycond_match(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table, RestrictInfo *rinfo)
{
	KeyMatch	match = {root, rel->relid, table->key_attno, NIL, true};
	Node	   *clause = (Node *) rinfo->clause;
	KeyClause  *result;

	if (!keycond_possible(table) || rinfo->pseudoconstant || !restriction_is_securely_promotable(rinfo, rel))
		return NULL;
	if (!(is_orclause(clause) ? keycond_match_or(&match, (BoolExpr *) clause) : keycond_match_node(&match, clause)))
		return NULL;

	result = palloc(sizeof(KeyClause));
	result->rinfo = rinfo;
	result->terms = match.terms;
	result->names_keys = keycond_names_keys(match.terms);
	/* a key that has no form in the database's encoding cannot be told from one that has */
	result->exact = match.exact && keycond_bytes_kept();
	return result->names_keys ? (guc_enable_key_lookup ? result : NULL) : (guc_enable_key_range ? result : NULL);
}
