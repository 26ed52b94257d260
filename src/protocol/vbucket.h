/*
 * vbucket.h
 *		Which vBucket a document key belongs to.
 */
#ifndef CB_VBUCKET_H
#define CB_VBUCKET_H

#include "base.h"

/*
 * vBucket of key (without collection prefix) among count vBuckets, count > 0:
 * bits 16-30 of the CRC-32, modulo count.
 */
extern uint16_t cb_vbucket_of(CbSpan key, uint32_t count);

#endif
