/*
 * Functions of dates.
 */
#include "n1ql.h"

const N1FuncTable n1_funcs_date = {NULL, 0};
