/*
 * tls.h: TLS settings of a node and the context that its TLS ports use. OpenSSL appears in the files that include this.
 */
#ifndef TLS_H
#define TLS_H

#include <openssl/ssl.h>

#include "cbcluster.h"

/*
 * Changes those settings that are not NULL and, if all files can be read and fit, uses them for the node's next
 * connections; those that exist keep what they began with. On failure nothing changes and error says why.
 */
bool		tls_configure(Node *n, const TlsSettings *change, char *error, size_t error_size);
void		tls_forget(Node *n);

bool		tls_client_auth_by_name(const char *name);	/* "disabled", "enabled", "mandatory" */
bool		tls_version_by_name(const char *name);	/* "1.2", "1.3" */

/*
 * Whom a client certificate names by its common name. *shown tells whether there was one at all; NULL without, or if
 * there is no such user.
 */
User	   *tls_user(Cluster *cl, SSL *ssl, bool *shown);

#endif
