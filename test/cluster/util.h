/*
 * util.h: names of the shared structures, limits, small helpers.
 */
#ifndef UTIL_H
#define UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CB_MAX_NODES 256
#define CB_MAX_REPLICAS 3
#define CB_NO_NODE (-1)
#define CB_MAX_VALUE (20 * 1024 * 1024)        /* largest document value */
#define CB_MAX_DEFAULT_KEY 250				/* bytes of a key in the default collection */
#define CB_MAX_NAMED_KEY 246				/* and in any other */
#define CB_LOAD_FLAGS 0x02000006			/* common flags "JSON" and the legacy value, as SDKs write them */
#define CB_MAX_PACKET (30 * 1024 * 1024)       /* header and body; more closes the connection */

typedef struct Cluster Cluster;
typedef struct Node Node;
typedef struct Bucket Bucket;
typedef struct VBucket VBucket;
typedef struct Scope Scope;
typedef struct Collection Collection;
typedef struct Doc Doc;
typedef struct DiskView DiskView;
typedef struct User User;
typedef struct Conn Conn;
typedef struct Req Req;
typedef struct Fault Fault;
typedef struct PersistWait PersistWait;
typedef struct Lock Lock;
typedef struct PendingWrite PendingWrite;
typedef struct Rebalance Rebalance;

/* ---------------------------------------------------------------- util.c */

void	   *xmalloc(size_t n);			/* these end the program when memory is out */
void	   *xcalloc(size_t n, size_t size);
void	   *xrealloc(void *p, size_t n);
char	   *xstrdup(const char *s);
char	   *xstrndup(const char *s, size_t n);
char	   *xasprintf(const char *fmt,...) __attribute__((format(printf, 1, 2)));
void		random_hex(char *out, size_t digits);	/* terminated */
void		random_uuid(char out[37]);	/* 8-4-4-4-12, terminated */
void		cb_log(const char *fmt,...) __attribute__((format(printf, 1, 2)));	/* a line on stderr */

/* Big-endian fields. */
static inline uint16_t
get16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t) (b[0] << 8 | b[1]);
}

static inline uint32_t
get32(const void *p)
{
	return (uint32_t) get16(p) << 16 | get16((const uint8_t *) p + 2);
}

static inline uint64_t
get64(const void *p)
{
	return (uint64_t) get32(p) << 32 | get32((const uint8_t *) p + 4);
}

static inline void
put16(void *p, uint16_t v)
{
	uint8_t    *b = p;

	b[0] = (uint8_t) (v >> 8);
	b[1] = (uint8_t) v;
}

static inline void
put32(void *p, uint32_t v)
{
	put16(p, (uint16_t) (v >> 16));
	put16((uint8_t *) p + 2, (uint16_t) v);
}

static inline void
put64(void *p, uint64_t v)
{
	put32(p, (uint32_t) (v >> 32));
	put32((uint8_t *) p + 4, (uint32_t) v);
}

#endif
