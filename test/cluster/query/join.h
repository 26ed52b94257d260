/*
 * join.h: the state of a join, shared by join.c and join_plan.c.
 */
#ifndef QUERY_JOIN_H
#define QUERY_JOIN_H

#include "exec.h"

typedef enum JoinMode
{
	JOIN_LOOP,						/* tries every row of the inner side */
	JOIN_HASH,						/* those with the same hash of one side of an equality */
	JOIN_LOOKUP,					/* the one document whose key an equality tells */
	JOIN_KEYS						/* ON KEYS */
} JoinMode;

/* A row of the inner side, kept. */
typedef struct InnerRow
{
	struct InnerRow *chain;
	uint64_t	hash;
	N1Value    *v[];				/* by slot of the inner side */
} InnerRow;

typedef struct JoinState
{
	JoinMode	mode;
	bool		nest;
	bool		outer;				/* a row of the driver without a partner stays */
	bool		reopen;				/* the inner side depends on the row of the driver */
	FromOp	   *driver;
	FromOp	   *inner;
	const N1Expr *on;
	const N1Expr *inner_side;
	const N1Expr *outer_side;
	const N1Expr *looked_up;		/* the equality that gave the keys */
	N1Value  ***slots;				/* of the inner side, in the frame */
	int			n_slots;
	N1Arena    *kept;				/* the inner rows */
	InnerRow  **rows;
	size_t		n_rows;
	size_t		cap_rows;
	InnerRow  **buckets;
	size_t		num_buckets;
	bool		built;

	/* at the present row of the driver */
	bool		has_driver;
	bool		matched;
	bool		had_keys;
	size_t		at;
	InnerRow   *candidate;
	uint64_t	wanted;
	ValueList	keys;
	ValueList	nested;
} JoinState;

void		join_plan(JoinState *j, const N1Expr *on);
uint64_t	join_hash(const N1Value *v);

#endif
