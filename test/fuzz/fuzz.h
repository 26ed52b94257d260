/*
 * fuzz.h
 *		What the fuzz targets share: the entry point and a check that stops the
 *		run at a broken promise.
 */
#ifndef CB_FUZZ_H
#define CB_FUZZ_H

#include "base.h"

#include <stdlib.h>
#include <string.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition) \
	do { if (!(condition)) abort(); } while (0)

/* malloc'd NUL-terminated copy of the input. */
static inline char *
fuzz_text(const uint8_t *data, size_t size)
{
	char	   *text = cb_span_dup(cb_span(data, size));

	EXPECT(text != NULL);
	return text;
}

#endif
