/*
 * Functions that tell of the server.
 */
#include "n1ql.h"

#include "service.h"

static N1Value *
f_version(N1Eval *ev, N1Value **args, int n)
{
	(void) args;
	(void) n;
	return n1_string0(ev->arena, QUERY_VERSION);
}

static N1Value *
f_ds_version(N1Eval *ev, N1Value **args, int n)
{
	(void) args;
	(void) n;
	return n1_string0(ev->arena, CB_SERVER_VERSION);
}

static const N1Func funcs[] = {
	{"ds_version", 0, 0, f_ds_version, N1F_VOLATILE},
	{"version", 0, 0, f_version, N1F_VOLATILE},
};

const N1FuncTable n1_funcs_server = {funcs, sizeof(funcs) / sizeof(funcs[0])};
