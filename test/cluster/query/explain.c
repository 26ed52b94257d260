/*
 * explain.c: plans.
 */
#include "run.h"

void
explain_text(Exec *x, N1Buf *out, const N1Select *q, const char *text)
{
	(void) x;
	(void) q;
	(void) text;
	n1_buf_str(out, "null");
}
