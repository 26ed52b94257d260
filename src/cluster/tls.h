/*
 * tls.h
 *		TLS over the sockets of sock.h, by OpenSSL. Nothing here waits or throws; nothing is set up before the first
 *		tls_start (P1).
 */
#ifndef CBCONN_TLS_H
#define CBCONN_TLS_H

#include "postgres.h"

#include "sock.h"

typedef struct TlsOptions
{
	bool		verify;			/* chain and host name */
	bool		only_v1_3;		/* else 1.2 too, never less */
	const char *ca_file;		/* authorities to trust; NULL: the system's */
	const char *cert_file;		/* client certificate with its chain, or NULL */
	const char *key_file;		/* its key */
	const char *ciphers;		/* of TLS 1.2, in OpenSSL's notation; NULL: its default */
	const char *ciphersuites;	/* of TLS 1.3 */
} TlsOptions;

/* What the connections of one owner have in common; files are read again when they have changed on disk. */
typedef struct TlsContext TlsContext;

/* The texts are copied. NULL when out of memory. */
extern TlsContext *tls_context_create(const TlsOptions *options);
extern void tls_context_free(TlsContext *context);

/*
 * Puts TLS on a connected socket. host, a name or an address (with %zone), is what the certificate must be for. False
 * with the reason when files cannot be used, which no other node can mend; the socket is as it was then.
 */
extern bool tls_start(Sock *sock, TlsContext *context, const char *host, SockFailure *failure);

typedef enum TlsProgress
{
	TLS_WAIT,					/* for the socket: readable, or writable when wants_write is set */
	TLS_DONE,					/* verified, as far as the options say */
	TLS_FAILED					/* sock_failure says why */
} TlsProgress;

extern TlsProgress tls_handshake(Sock *sock);

/* Whether the node asked for a client certificate and got one. False for sockets without TLS. */
extern bool tls_certificate_sent(const Sock *sock);

struct ssl_ctx_st;				/* OpenSSL's SSL_CTX */

/*
 * For a stream that a library runs (libcurl): has its SSL_CTX follow the same rules, for a node of that name. False
 * with the reason, as tls_start. Whoever calls it sets SSL_CTX_set_verify by the same option.
 */
extern bool tls_lend(TlsContext *context, struct ssl_ctx_st *ctx, const char *host, SockFailure *failure);

#endif							/* CBCONN_TLS_H */
