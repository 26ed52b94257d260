/*
 * json_scan.h
 *		Checking scanner of JSON text under the walker and the value functions.
 */
#ifndef CB_JSON_SCAN_H
#define CB_JSON_SCAN_H

#include "json_walk.h"

typedef struct CbJsonScan
{
	const uint8_t *start;
	const uint8_t *end;
	CbJsonError error;			/* set when a function returned NULL */
} CbJsonScan;

/* Record an error at p and return NULL. */
extern const uint8_t *cb_scan_fail(CbJsonScan *scan, const uint8_t *p, CbResult result,
								   const char *what);

/*
 * p is just past the opening quote; returns the place past the closing one, or NULL.
 * *escaped becomes true when there is a backslash, else stays.
 */
extern const uint8_t *cb_scan_string(CbJsonScan *scan, const uint8_t *p, bool *escaped);

/*
 * p is at the first byte of a value (no blank); returns the place past it, or NULL.
 * depth: levels of containers around it. escaped: see above, for a string.
 */
extern const uint8_t *cb_scan_value(CbJsonScan *scan, const uint8_t *p, int depth,
									bool *escaped);

/* Type that a value's first byte announces; CB_JSON_MISSING for none. */
extern CbJsonType cb_scan_type(uint8_t c);

static inline const uint8_t *
cb_scan_blanks(const uint8_t *p, const uint8_t *end)
{
	/* Most of the time there is none. */
	while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

#endif
