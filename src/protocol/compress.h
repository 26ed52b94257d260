/*
 * compress.h
 *		Snappy (raw block format), the compression of documents and configs.
 */
#ifndef CB_COMPRESS_H
#define CB_COMPRESS_H

#include "base.h"

/*
 * Replace out's contents by the inflated data. CB_LIMIT when it would exceed
 * limit bytes (checked before allocating), CB_MALFORMED, CB_NOMEM.
 */
extern CbResult cb_snappy_inflate(CbSpan data, size_t limit, CbBuf *out);

/* Whether data is sound and inflates to at most limit bytes. */
extern bool cb_snappy_ok(CbSpan data, size_t limit);

/*
 * Replace out's contents by the compressed data. CB_UNSUPPORTED when data is
 * shorter than min_size or the result is not below max_ratio times the
 * original: send it as it is.
 */
extern CbResult cb_snappy_deflate(CbSpan data, size_t min_size,
								  double max_ratio, CbBuf *out);

#endif
