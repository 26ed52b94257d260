/*
 * kv_packet.h
 *		Packets of the binary protocol: one request writer, one reader for
 *		responses and server requests (kv_engine docs/BinaryProtocol.md).
 */
#ifndef CB_KV_PACKET_H
#define CB_KV_PACKET_H

#include "base.h"
#include "kv_const.h"

#define CB_KV_HEADER_SIZE		24
/* Largest document plus room for xattrs and protocol overhead, as the server. */
#define CB_KV_DEFAULT_LIMIT		(30 * 1024 * 1024)
#define CB_KV_MAX_VALUE			(20 * 1024 * 1024)	/* one document, inflated */
#define CB_KV_MAX_KEY			250 /* default collection */
#define CB_KV_MAX_COLLECTION_KEY 246	/* named collection */

/* A received packet; the spans point into the reader's input. */
typedef struct CbPacket
{
	uint8_t		magic;
	uint8_t		opcode;
	uint8_t		datatype;
	bool		server_request; /* magic 0x82, 0x83: not an answer */
	uint16_t	status;			/* of an answer */
	uint32_t	opaque;
	uint64_t	cas;
	CbSpan		frames;			/* framing extras, undecoded */
	CbSpan		extras;
	CbSpan		key;
	CbSpan		value;
	size_t		size;			/* bytes of input that the packet takes */
	bool		has_duration;
	uint32_t	duration_us;	/* time in the server, from the framing extras */
} CbPacket;

/*
 * Read one packet from the start of input. CB_NEED_MORE sets *need to the
 * total bytes that input must have before another try can succeed (24 until the
 * header is there; then exactly the packet). CB_MALFORMED: this is not
 * the protocol; CB_LIMIT: header plus body exceed limit. After these two the
 * connection is of no use. *need may be NULL.
 */
extern CbResult cb_packet_read(CbSpan input, size_t limit, CbPacket *packet,
							   size_t *need);

/*
 * Body of the packet as plain bytes: value itself, or inflated into scratch
 * when the datatype has the Snappy bit. Datatype bits are left alone.
 */
extern CbResult cb_packet_value(const CbPacket *packet, size_t limit,
								CbBuf *scratch, CbSpan *value);

typedef enum CbDurability
{
	CB_DURABILITY_NONE = 0,
	CB_DURABILITY_MAJORITY = 1,
	CB_DURABILITY_MAJORITY_PERSIST_ACTIVE = 2,
	CB_DURABILITY_PERSIST_MAJORITY = 3
} CbDurability;

/* A request to write; zero is a valid default for everything but opcode. */
typedef struct CbRequest
{
	uint8_t		opcode;
	uint8_t		datatype;
	uint16_t	vbucket;
	uint32_t	opaque;
	uint64_t	cas;
	bool		has_collection; /* prefix the key with collection_id */
	uint32_t	collection_id;
	CbSpan		extras;
	CbSpan		key;
	CbSpan		value;
	/* framing extras */
	CbDurability durability;
	uint16_t	durability_timeout_ms;	/* 0: the server's default */
	bool		preserve_expiry;
} CbRequest;

/*
 * Append the request's bytes. CB_INVALID when the server would not understand
 * it: key or extras too long, reserved collection id, unknown durability,
 * packet over 30 MiB. Nothing is appended unless CB_OK.
 */
extern CbResult cb_request_append(CbBuf *buf, const CbRequest *request);

/* Unsigned LEB128 of 32 bits, at most five bytes; returns the length. */
extern size_t cb_leb128_write(uint32_t value, uint8_t out[5]);

/* Read one from the start of input; *used bytes. Non-canonical: CB_MALFORMED. */
extern CbResult cb_leb128_read(CbSpan input, uint32_t *value, size_t *used);

#endif
