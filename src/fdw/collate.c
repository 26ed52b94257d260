/*
 * collate.c
 *		Which collations compare text as Couchbase compares keys: byte by byte, in UTF-8.
 */
#include "plan.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_database.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
#include "utils/syscache.h"

#include "../compat.h"

static bool
collate_is_c(Oid collation)
{
#if PG_VERSION_NUM >= 180000	/* lc_collate_is_c() is gone */
	return pg_newlocale_from_collation(collation)->collate_is_c;
#else
	return lc_collate_is_c(collation);
#endif
}

/*
 * The C library's own C.UTF-8: code points in ascending order, which in UTF-8 is the order of the bytes. glibc
 * defines it so since 2.35; elsewhere the name promises nothing.
 */
static bool
collate_is_codepoint_name(const char *locale)
{
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 35)
	return pg_strcasecmp(locale, "C.UTF-8") == 0 || pg_strcasecmp(locale, "C.utf8") == 0;
#endif
#endif
	return false;
}

static bool
collate_database_is_codepoint(void)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	Datum		locale;
	bool		isnull;
	bool		result = false;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	locale = SysCacheGetAttr(DATABASEOID, tuple, Anum_pg_database_datcollate, &isnull);
	if (!isnull && ((Form_pg_database) GETSTRUCT(tuple))->datlocprovider == COLLPROVIDER_LIBC)
		result = collate_is_codepoint_name(TextDatumGetCString(locale));
	ReleaseSysCache(tuple);
	return result;
}

static bool
collate_is_codepoint(Oid collation)
{
	HeapTuple	tuple;
	Form_pg_collation form;
	Datum		locale;
	bool		isnull;
	bool		result = false;

	if (collation == DEFAULT_COLLATION_OID)
		return collate_database_is_codepoint();
	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	locale = SysCacheGetAttr(COLLOID, tuple, Anum_pg_collation_collcollate, &isnull);
	if (!isnull && form->collprovider == COLLPROVIDER_LIBC && form->collisdeterministic)
		result = collate_is_codepoint_name(TextDatumGetCString(locale));
	ReleaseSysCache(tuple);
	return result;
}

bool
collate_is_bytewise(Oid collation)
{
	int			encoding = GetDatabaseEncoding();

	/* the bytes of another encoding may order otherwise than those of UTF-8 */
	if (!OidIsValid(collation) || (encoding != PG_UTF8 && encoding != PG_SQL_ASCII))
		return false;
	return collate_is_c(collation) || (encoding == PG_UTF8 && collate_is_codepoint(collation));
}

bool
collate_is_deterministic(Oid collation)
{
	return OidIsValid(collation) && get_collation_isdeterministic(collation);
}
