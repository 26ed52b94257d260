/*
 * Functions of bits: numbers that are integers of 64 bits. Positions count from 1.
 */
#include "n1ql.h"

/* MISSING, or NULL if something is no integer, else no value. */
static N1Value *
integers(N1Value **args, int n, int64_t *out)
{
	bool		null = false;

	for (int i = 0; i < n; i++)
	{
		if (args[i]->type == N1_MISSING)
			return args[i];
		if (args[i]->type != N1_NUMBER || !n1_as_int(args[i], &out[i]))
			null = true;
	}
	return null ? &n1_null : NULL;
}

typedef enum BitOp { BIT_AND, BIT_OR, BIT_XOR } BitOp;

static N1Value *
fold(N1Eval *ev, N1Value **args, int n, BitOp op)
{
	int64_t    *v = n1_alloc(ev->arena, (size_t) n * sizeof(*v));
	N1Value    *bad = integers(args, n, v);
	int64_t		r;

	if (bad != NULL)
		return bad;
	r = v[0];
	for (int i = 1; i < n; i++)
		r = op == BIT_AND ? r & v[i] : op == BIT_OR ? r | v[i] : r ^ v[i];
	return n1_int(ev->arena, r);
}

static N1Value *
fn_and(N1Eval *ev, N1Value **args, int n)
{
	return fold(ev, args, n, BIT_AND);
}

static N1Value *
fn_or(N1Eval *ev, N1Value **args, int n)
{
	return fold(ev, args, n, BIT_OR);
}

static N1Value *
fn_xor(N1Eval *ev, N1Value **args, int n)
{
	return fold(ev, args, n, BIT_XOR);
}

static N1Value *
fn_not(N1Eval *ev, N1Value **args, int n)
{
	int64_t		v;
	N1Value    *bad = integers(args, n, &v);

	return bad != NULL ? bad : n1_int(ev->arena, ~v);
}

static uint64_t
rotate(uint64_t x, int64_t by)
{
	unsigned	s = (unsigned) (by & 63);

	return s == 0 ? x : x << s | x >> (64 - s);
}

/* To the left, to the right (without the sign) if by is negative. */
static uint64_t
shift(uint64_t x, int64_t by)
{
	if (by >= 64 || by <= -64)
		return 0;
	return by < 0 ? x >> -by : x << by;
}

/* The flag behind two arguments; false and *bad set if it is no boolean. */
static bool
flag(N1Value **args, int n, bool *out, N1Value **bad)
{
	*out = false;
	if (n < 3)
		return true;
	if (args[2]->type == N1_BOOL)
	{
		*out = args[2]->b;
		return true;
	}
	*bad = args[2]->type == N1_MISSING ? &n1_missing : &n1_null;
	return false;
}

static N1Value *
fn_shift(N1Eval *ev, N1Value **args, int n)
{
	int64_t		v[2];
	N1Value    *bad = integers(args, 2, v);
	N1Value    *bad_flag = NULL;
	bool		around;

	if (!flag(args, n, &around, &bad_flag) && (bad == NULL || bad_flag->type == N1_MISSING))
		bad = bad_flag;
	if (bad != NULL)
		return bad;
	return n1_int(ev->arena, (int64_t) (around ? rotate((uint64_t) v[0], v[1]) : shift((uint64_t) v[0], v[1])));
}

/* The bits at a position or a list of positions; false if one is not from 1 to 64. */
static bool
positions(N1Value *v, uint64_t *bits)
{
	int64_t		at;

	*bits = 0;
	if (v->type == N1_NUMBER)
	{
		if (!n1_as_int(v, &at) || at < 1 || at > 64)
			return false;
		*bits = UINT64_C(1) << (at - 1);
		return true;
	}
	n1_unpack(v);
	for (size_t i = 0; i < v->u.arr.n; i++)
	{
		if (v->u.arr.v[i]->type != N1_NUMBER || !n1_as_int(v->u.arr.v[i], &at) || at < 1 || at > 64)
			return false;
		*bits |= UINT64_C(1) << (at - 1);
	}
	return true;
}

/* An integer and positions, or what the function gives when they are none. */
static N1Value *
number_and_bits(N1Value **args, int64_t *number, uint64_t *bits)
{
	if (args[0]->type == N1_MISSING || args[1]->type == N1_MISSING)
		return &n1_missing;
	if (args[0]->type != N1_NUMBER || (args[1]->type != N1_NUMBER && args[1]->type != N1_ARRAY) ||
		!n1_as_int(args[0], number) || !positions(args[1], bits))
		return &n1_null;
	return NULL;
}

static N1Value *
fn_set(N1Eval *ev, N1Value **args, int n)
{
	int64_t		number;
	uint64_t	bits;
	N1Value    *bad = number_and_bits(args, &number, &bits);

	(void) n;
	return bad != NULL ? bad : n1_int(ev->arena, (int64_t) ((uint64_t) number | bits));
}

static N1Value *
fn_clear(N1Eval *ev, N1Value **args, int n)
{
	int64_t		number;
	uint64_t	bits;
	N1Value    *bad = number_and_bits(args, &number, &bits);

	(void) n;
	return bad != NULL ? bad : n1_int(ev->arena, (int64_t) ((uint64_t) number & ~bits));
}

static N1Value *
fn_test(N1Eval *ev, N1Value **args, int n)
{
	int64_t		number;
	uint64_t	bits;
	N1Value    *bad = number_and_bits(args, &number, &bits);
	N1Value    *bad_flag = NULL;
	bool		all;

	(void) ev;
	if (!flag(args, n, &all, &bad_flag) && (bad == NULL || bad_flag->type == N1_MISSING))
		bad = bad_flag;
	if (bad != NULL)
		return bad;
	return n1_bool(all ? ((uint64_t) number & bits) == bits : ((uint64_t) number & bits) != 0);
}

static const N1Func funcs[] = {
	{"bitand", 2, -1, fn_and, 0},
	{"bitclear", 2, 2, fn_clear, 0},
	{"bitnot", 1, 1, fn_not, 0},
	{"bitor", 2, -1, fn_or, 0},
	{"bitset", 2, 2, fn_set, 0},
	{"bitshift", 2, 3, fn_shift, 0},
	{"bittest", 2, 3, fn_test, 0},
	{"bitxor", 2, -1, fn_xor, 0},
	{"isbitset", 2, 3, fn_test, 0},
};

const N1FuncTable n1_funcs_bit = {funcs, sizeof(funcs) / sizeof(funcs[0])};
