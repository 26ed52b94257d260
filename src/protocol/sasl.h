/*
 * sasl.h
 *		Client side of SASL: PLAIN and SCRAM-SHA1/256/512 (RFC 5802, 7677) with
 *		the server's signature checked. No channel binding: the server has none.
 */
#ifndef CB_SASL_H
#define CB_SASL_H

#include "base.h"

typedef enum CbSaslMech
{
	CB_SASL_NONE = 0,
	CB_SASL_PLAIN,
	CB_SASL_SCRAM_SHA1,
	CB_SASL_SCRAM_SHA256,
	CB_SASL_SCRAM_SHA512
} CbSaslMech;

/* Name on the wire, such as "SCRAM-SHA512". */
extern const char *cb_sasl_name(CbSaslMech mech);

/* By name, letter case ignored; CB_SASL_NONE if unknown. */
extern CbSaslMech cb_sasl_by_name(CbSpan name);

/*
 * Pick a mechanism. server_list: the server's blank-separated names, or empty
 * when not known (then the best allowed one is assumed). force (may be NULL or
 * empty): names separated by blanks or commas, only these are allowed, PLAIN in
 * clear too. Over TLS PLAIN is preferred (one round trip, LDAP users), in clear
 * the strongest SCRAM. CB_AUTH with both lists in err when nothing fits,
 * CB_INVALID for an unknown name in force.
 */
extern CbResult cb_sasl_choose(CbSpan server_list, const char *force, bool tls,
							   CbSaslMech *mech, CbError *err);

/* Whether force (as above) contains only known names; CB_INVALID fills err. */
extern CbResult cb_sasl_check_force(const char *force, CbError *err);

/* Append the PLAIN message. CB_INVALID for a NUL inside user or password. */
extern CbResult cb_sasl_plain(CbBuf *out, CbSpan user, CbSpan password);

/*
 * Salted password of the last exchange, kept by the caller (for one user and
 * password) so that the next connection need not derive it again. Zero-
 * initialised is empty. Secret: wipe with cb_scram_cache_clear.
 */
typedef struct CbScramCache
{
	CbSaslMech	mech;
	uint32_t	iterations;
	uint8_t		salt[64];
	size_t		salt_len;
	uint8_t		salted[64];
} CbScramCache;

extern void cb_scram_cache_clear(CbScramCache *cache);

/* A more costly derivation than this is refused: it cannot be interrupted. */
#define CB_SCRAM_MAX_ITERATIONS	1000000

typedef struct CbScram CbScram;

/*
 * Start an exchange. nonce: printable ASCII without blanks and commas, at least
 * 8 characters (take 18 random bytes as base64). user and password are copied;
 * cache may be NULL and must outlive the exchange. CB_INVALID for control
 * characters in user.
 */
extern CbResult cb_scram_create(CbSaslMech mech, CbSpan user, CbSpan password,
								CbSpan nonce, CbScramCache *cache,
								CbScram **scram);

/* Client-first message, payload of SASL_AUTH. */
extern CbResult cb_scram_first(CbScram *scram, CbBuf *out);

/*
 * Server-first message (value of the AUTH_CONTINUE answer) in, client-final
 * message (payload of SASL_STEP) out. CB_MALFORMED or CB_LIMIT fill err.
 */
extern CbResult cb_scram_final(CbScram *scram, CbSpan server_first, CbBuf *out,
							   CbError *err);

/*
 * Server-final message (value of the successful SASL_STEP answer). Only CB_OK
 * here means that the server knows the password; CB_AUTH otherwise. A success
 * before this message must be refused by the caller.
 */
extern CbResult cb_scram_verify(CbScram *scram, CbSpan server_final, CbError *err);

extern void cb_scram_free(CbScram *scram);

#endif
