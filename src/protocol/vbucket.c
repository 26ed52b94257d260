/*
 * vbucket.c
 *		CRC-32 hash of document keys to vBuckets.
 */
#include "vbucket.h"

#include <zlib.h>

uint16_t
cb_vbucket_of(CbSpan key, uint32_t count)
{
	uLong		crc = crc32_z(0, key.data, key.len);

	/* crc32_z returns its initial value, 0, for a NULL buffer: right for no bytes. */
	return (uint16_t) (((crc >> 16) & 0x7fff) % (count == 0 ? 1 : count));
}
