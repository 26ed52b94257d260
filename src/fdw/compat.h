/*
 * compat.h
 *		Supported PostgreSQL releases, and what differs between them for src/fdw. Each shim names its release.
 */
#ifndef CBCONN_COMPAT_H
#define CBCONN_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "cbconn_fdw supports PostgreSQL 15 to 18"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"				/* 16 moved the varlena macros out of postgres.h */
#endif

#endif							/* CBCONN_COMPAT_H */
