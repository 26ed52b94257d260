/*
 * prefix.c
 *		The literal beginning of LIKE patterns, found while planning or at run time.
 */
#include "prefix.h"

bool
prefix_of_like(const char *pattern, size_t len, StringInfo prefix, size_t *rest)
{
	size_t		i;

	for (i = 0; i < len && pattern[i] != '%' && pattern[i] != '_'; i++)
	{
		if (pattern[i] == '\\' && ++i == len)
			return false;
		appendStringInfoCharMacro(prefix, pattern[i]);
	}
	*rest = i;
	return true;
}
