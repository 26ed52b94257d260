/*
 * compat.h
 *		What differs between the PostgreSQL releases this extension builds with.
 */
#ifndef CBCONN_COMPAT_H
#define CBCONN_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "cbconn_fdw builds with PostgreSQL 15 to 18"
#endif

#if PG_VERSION_NUM >= 160000	/* took the varlena macros out of postgres.h */
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif
#include "catalog/pg_foreign_server.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

/* 18: functions that do not return are marked in front, by another word. */
#ifndef pg_attribute_noreturn
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

/* 17: wait events of extensions have names. cache: a static variable of the caller, zero at first. */
static inline uint32
compat_wait_event(uint32 *cache, const char *name)
{
#if PG_VERSION_NUM >= 170000
	if (*cache == 0)
		*cache = WaitEventExtensionNew(name);
	return *cache;
#else
	(void) cache;
	(void) name;
	return PG_WAIT_EXTENSION;
#endif
}

/* 17: wait event sets belong to a resource owner (none: until freed), before to a memory context. */
static inline WaitEventSet *
compat_wait_event_set(int nevents)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, nevents);
#else
	return CreateWaitEventSet(TopMemoryContext, nevents);
#endif
}

/* Throws unless the current user may use the foreign server. 16: one function checks objects of all kinds. */
static inline void
compat_check_server_usage(Oid serverid, const char *servername)
{
#if PG_VERSION_NUM >= 160000
	AclResult	result = object_aclcheck(ForeignServerRelationId, serverid, GetUserId(), ACL_USAGE);
#else
	AclResult	result = pg_foreign_server_aclcheck(serverid, GetUserId(), ACL_USAGE);
#endif

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FOREIGN_SERVER, servername);
}

#endif							/* CBCONN_COMPAT_H */
