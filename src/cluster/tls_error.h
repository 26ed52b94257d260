/*
 * tls_error.h
 *		Between tls.c and tls_error.c.
 */
#ifndef CBCONN_TLS_ERROR_H
#define CBCONN_TLS_ERROR_H

#include "postgres.h"

#include <openssl/x509.h>

#include "sock.h"

/* What is wrong with a certificate: error is X509_V_ERR_..., depth 0 the node's own. */
extern void tls_explain_certificate(SockFailure *failure, int error, int depth, X509 *cert, const char *host);

/* What an error of OpenSSL's queue means. */
extern void tls_explain_error(SockFailure *failure, unsigned long code);

extern void tls_failure(SockFailure *failure, int sqlstate, const char *hint, const char *format,...)
			__attribute__((format(printf, 4, 5)));

#endif							/* CBCONN_TLS_ERROR_H */
