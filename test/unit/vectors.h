/*
 * vectors.h
 *		Conversations recorded from a real data service, test/vectors/kv.
 */
#ifndef CB_VECTORS_H
#define CB_VECTORS_H

#include "base.h"

#include <jansson.h>

typedef struct Exchange
{
	const char *file;			/* "auth" */
	const char *scenario;
	int			step;
	const char *note;
	const char *role;			/* "" if absent */
	bool		stream;			/* mode */
	bool		closed;
	CbSpan		request;		/* may hold several packets, or none */
	CbSpan	   *responses;
	size_t		nresponses;
	const json_t *json;			/* the whole line */
} Exchange;

/* All exchanges in order; ends the process if they cannot be read. */
extern const Exchange *vectors_all(size_t *count);
extern void vectors_free(void);

/* Fields of a recorded request, split by the header's lengths. */
typedef struct RawRequest
{
	uint8_t		magic;
	uint8_t		opcode;
	uint8_t		datatype;
	uint16_t	vbucket;
	uint32_t	opaque;
	uint64_t	cas;
	CbSpan		frames;
	CbSpan		extras;
	CbSpan		key;
	CbSpan		value;
	CbSpan		whole;
} RawRequest;

/* Take one request off rest; false when what is left is none. */
extern bool vectors_next_request(CbSpan *rest, RawRequest *request);

/* Response to a request by opaque and opcode; len 0 if there is none. */
extern CbSpan vectors_response_to(const Exchange *exchange, const RawRequest *request);

#endif
