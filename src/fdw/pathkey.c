/*
 * pathkey.c
 *		Sort orders that a scan in ascending order of the keys has.
 *
 * Keys come in the order of their bytes: the order of text_ops under collations that compare bytes, and that of
 * text_pattern_ops always. A key is unique and never null, so further sort columns of the same table add nothing
 * and NULLS FIRST or LAST does not matter.
 */
#include "plan.h"

#include "catalog/pg_opfamily_d.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

#include "compat.h"

/* The key column as the class compares it; NULL when the class does not hold it. */
static bool
pathkey_has_key(EquivalenceClass *ec, RelOptInfo *rel, Var *key)
{
	return !ec->ec_has_volatile && find_ec_member_matching_expr(ec, (Expr *) key, rel->relids) != NULL;
}

static bool
pathkey_is_bytewise(EquivalenceClass *ec, Oid opfamily)
{
	if (opfamily == TEXT_PATTERN_BTREE_FAM_OID)
		return GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII;
	return opfamily == TEXT_BTREE_FAM_OID && collate_is_bytewise(ec->ec_collation);
}

/* Whether the class holds an expression of this table's columns only. */
static bool
pathkey_is_of_table(EquivalenceClass *ec, RelOptInfo *rel)
{
	ListCell   *lc;

	if (ec->ec_has_volatile)
		return false;
	foreach(lc, ec->ec_members)
	{
		EquivalenceMember *member = lfirst(lc);

		if (!bms_is_empty(member->em_relids) && bms_is_subset(member->em_relids, rel->relids))
			return true;
	}
	return false;
}

/* Whether the query's own sort order begins with the key, ascending, and goes on with columns of the same table. */
static bool
pathkey_query_order(PlannerInfo *root, RelOptInfo *rel, Var *key)
{
	PathKey    *first;
	ListCell   *lc;

	if (root->query_pathkeys == NIL)
		return false;
	first = linitial(root->query_pathkeys);
	if (!compat_pathkey_is_ascending(first) || !pathkey_has_key(first->pk_eclass, rel, key) ||
		!pathkey_is_bytewise(first->pk_eclass, first->pk_opfamily))
		return false;
	for_each_from(lc, root->query_pathkeys, 1)
	{
		if (!pathkey_is_of_table(((PathKey *) lfirst(lc))->pk_eclass, rel))
			return false;
	}
	return true;
}

List *
pathkey_orders(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table)
{
	List	   *orders = NIL;
	Var		   *key;
	Oid			type;
	int32		typmod;
	Oid			collation;
	ListCell   *lc;

	if (!guc_enable_key_order || !keycond_possible(table))
		return NIL;
	get_atttypetypmodcoll(table->relid, table->key_attno, &type, &typmod, &collation);
	key = makeVar(rel->relid, table->key_attno, type, typmod, collation, 0);

	if (pathkey_query_order(root, rel, key))
		orders = lappend(orders, root->query_pathkeys);
	foreach(lc, root->eq_classes)
	{
		EquivalenceClass *ec = lfirst(lc);
		ListCell   *family;

		if (ec->ec_has_const || !pathkey_has_key(ec, rel, key))
			continue;
		foreach(family, ec->ec_opfamilies)
		{
			List	   *order;

			if (!pathkey_is_bytewise(ec, lfirst_oid(family)))
				continue;
			order = list_make1(compat_ascending_pathkey(root, ec, lfirst_oid(family), false));
			order = truncate_useless_pathkeys(root, rel, order);
			if (order != NIL)
				orders = lappend(orders, order);
		}
	}
	return orders;
}
