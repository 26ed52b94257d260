/*
 * scan.h
 *		What the planner hands to the executor: the access path, the columns, and the conditions on the key.
 */
#ifndef CBCONN_SCAN_H
#define CBCONN_SCAN_H

#include "fdw.h"

/* Conditions on the key that an access path can use. Numbers stand in plans only, never on disk. */
typedef enum KeyOp
{
	KEY_EQ,						/* text: this key */
	KEY_ANY,					/* array of text: any of these keys */
	KEY_LT,						/* text: bounds in byte order */
	KEY_LE,
	KEY_GE,
	KEY_GT,
	KEY_PREFIX,					/* text: keys that begin with it */
	KEY_LIKE					/* text: LIKE pattern known at run time only; its literal prefix is the condition */
} KeyOp;

typedef enum ScanAccess
{
	SCAN_LOOKUP,				/* get the documents of named keys */
	SCAN_RANGE,					/* range scan of all vBuckets, perhaps between bounds */
	SCAN_QUERY					/* a statement for the query service */
} ScanAccess;

/* What stands in one place of a row from the query service. */
typedef enum QueryItem
{
	QUERY_ITEM_KEY,
	QUERY_ITEM_TYPE,			/* "json", else the document is none */
	QUERY_ITEM_CAS,
	QUERY_ITEM_EXPIRY,
	QUERY_ITEM_FLAGS,
	QUERY_ITEM_DOCUMENT,
	QUERY_ITEM_PATHS			/* all other places, one for each distinct path of the columns */
} QueryItem;

/*
 * ForeignScan.fdw_private: one element each, in this order (F1). The conditions' values are fdw_exprs, in the
 * order in which SCAN_PRIVATE_TERMS names them.
 */
typedef enum ScanPrivate
{
	SCAN_PRIVATE_ACCESS,		/* Integer: ScanAccess */
	SCAN_PRIVATE_COLUMNS,		/* IntList of attnums; 0 is the whole row */
	SCAN_PRIVATE_TERMS,			/* List of IntLists of KeyOp: terms of one list are ORed, the lists ANDed */
	SCAN_PRIVATE_FLAGS,			/* Integer: SCAN_FLAG_ORDERED ... */
	SCAN_PRIVATE_LIMIT,			/* Integer: rows the query wants from this scan; -1: unknown */

	/* SCAN_QUERY only; the values of its parameters are fdw_exprs */
	SCAN_PRIVATE_STATEMENT,		/* String */
	SCAN_PRIVATE_ITEMS,			/* IntList of QueryItem */
	SCAN_PRIVATE_ENCODES,		/* IntList: how parameter N becomes JSON, ShipEncode */
	SCAN_PRIVATE_REASON			/* String: why the query service was chosen */
} ScanPrivate;

#define SCAN_FLAG_ORDERED	0x01	/* ascending byte order of keys */
#define SCAN_FLAG_KEYS_ONLY	0x02	/* no column needs more than the key */
#define SCAN_FLAG_PATHS		0x04	/* fetch the columns' paths, not whole documents */
#define SCAN_FLAG_IDENTITY	0x08	/* rows carry CAS and flags in system columns, see modify_plan.c */

/* A scan is planned to fetch single paths only when they are few; see plan_wants_paths. */
#define SCAN_AUTO_MAX_PATHS		4
#define SCAN_AUTO_MIN_BYTES		2048

/* guc.c */
extern bool guc_enable_key_lookup;
extern bool guc_enable_key_range;
extern bool guc_enable_key_order;

#endif							/* CBCONN_SCAN_H */
