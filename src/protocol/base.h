/*
 * base.h
 *		Shared types of the protocol layer: status codes, byte spans, a growable
 *		buffer and the error text handed to users.
 *
 * Nothing here throws, waits or keeps global state; memory is malloc/free.
 */
#ifndef CB_BASE_H
#define CB_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Result of every fallible function of this layer. */
typedef enum CbResult
{
	CB_OK = 0,
	CB_NEED_MORE,				/* input ends before the item does */
	CB_END,						/* iteration is over */
	CB_NOT_FOUND,				/* asked-for item is not there */
	CB_MALFORMED,				/* input breaks its grammar or format */
	CB_LIMIT,					/* input or output exceeds a limit */
	CB_INVALID,					/* the caller's arguments cannot be expressed */
	CB_UNSUPPORTED,				/* well-formed, but not something we do */
	CB_AUTH,					/* the peer failed or refused authentication */
	CB_BAD_UTF8,				/* text is not valid UTF-8 */
	CB_NUL_CHAR,				/* text holds U+0000, which SQL text cannot */
	CB_LONE_SURROGATE,			/* \ud800-\udfff without its partner */
	CB_NOMEM					/* out of memory */
} CbResult;

/* Borrowed bytes; never NUL-terminated, data may be NULL when len is 0. */
typedef struct CbSpan
{
	const uint8_t *data;
	size_t		len;
} CbSpan;

/*
 * Growable byte buffer. Zero-initialised is valid and empty. After a failed
 * allocation oom stays set, contents stay as they were and appends do nothing,
 * so a sequence of appends needs one check at its end.
 */
typedef struct CbBuf
{
	uint8_t    *data;
	size_t		len;
	size_t		cap;
	bool		oom;
} CbBuf;

/*
 * Why something was refused, in words for a user. text: lower case, no full
 * stop, valid UTF-8 if the input was; hint: a full sentence or empty. Both are
 * cut at a character boundary. Never holds a secret.
 */
typedef struct CbError
{
	CbResult	result;
	char		text[512];
	char		hint[256];
} CbError;

#define CB_SPAN_EMPTY ((CbSpan) {NULL, 0})

/* Short English name of a result, for logs and tests. */
extern const char *cb_result_name(CbResult result);

/* Span over a NUL-terminated string (NULL gives an empty span). */
extern CbSpan cb_span_cstr(const char *text);
extern CbSpan cb_span(const void *data, size_t len);
extern bool cb_span_equal(CbSpan a, CbSpan b);
extern bool cb_span_equal_cstr(CbSpan a, const char *text);

/* Overwrite a secret; not optimised away. */
extern void cb_wipe(void *data, size_t len);

/* malloc'd NUL-terminated copy; NULL when out of memory. */
extern char *cb_span_dup(CbSpan span);

/* Make room for extra more bytes; false (and oom) on failure or overflow. */
extern bool cb_buf_reserve(CbBuf *buf, size_t extra);
extern void cb_buf_append(CbBuf *buf, const void *data, size_t len);
extern void cb_buf_append_span(CbBuf *buf, CbSpan span);
extern void cb_buf_append_cstr(CbBuf *buf, const char *text);
extern void cb_buf_append_u8(CbBuf *buf, uint8_t value);
/* Big-endian, as everything in the binary protocol. */
extern void cb_buf_append_u16(CbBuf *buf, uint16_t value);
extern void cb_buf_append_u32(CbBuf *buf, uint32_t value);
extern void cb_buf_append_u64(CbBuf *buf, uint64_t value);
extern void cb_buf_append_format(CbBuf *buf, const char *format, ...)
			__attribute__((format(printf, 2, 3)));
/* Standard base64 with padding (RFC 4648 section 4). */
extern void cb_buf_append_base64(CbBuf *buf, CbSpan data);
/* JSON string literal with quotes; bytes must be valid UTF-8. */
extern void cb_buf_append_json(CbBuf *buf, CbSpan text);
/* Drop the first n bytes. */
extern void cb_buf_consume(CbBuf *buf, size_t n);
extern CbSpan cb_buf_span(const CbBuf *buf);
/* CB_OK, or CB_NOMEM if any append failed. */
extern CbResult cb_buf_result(const CbBuf *buf);
/* Forget the contents, keep the memory; clears oom. */
extern void cb_buf_reset(CbBuf *buf);
extern void cb_buf_free(CbBuf *buf);
/* As cb_buf_free, after overwriting the contents (secrets). */
extern void cb_buf_free_secret(CbBuf *buf);

/* Strict base64 decode (padding required); CB_MALFORMED otherwise. */
extern CbResult cb_base64_decode(CbSpan text, CbBuf *out);

/* Hexadecimal number without prefix, 1 to 16 digits: how the server writes uids. */
extern bool cb_hex_parse(const char *text, uint64_t *value);

extern uint16_t cb_get_u16(const uint8_t *p);
extern uint32_t cb_get_u32(const uint8_t *p);
extern uint64_t cb_get_u64(const uint8_t *p);

/* Set err (may be NULL) and return result. hint may be NULL. */
extern CbResult cb_error_set(CbError *err, CbResult result, const char *hint,
							 const char *format, ...)
			__attribute__((format(printf, 4, 5)));

/* Length of the valid UTF-8 sequence at p whose first byte is above 0x7f; 0: none. */
extern size_t cb_utf8_sequence(const uint8_t *p, size_t left);

/* Length of the valid UTF-8 prefix of span (== span.len when all is valid). */
extern size_t cb_utf8_valid_prefix(CbSpan span);

/*
 * Closest of names (NULL-terminated list) to word, or NULL when none is close
 * enough to be a plausible typing error. Case-insensitive Levenshtein.
 */
extern const char *cb_closest_name(CbSpan word, const char *const *names);

#endif
