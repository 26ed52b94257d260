/*
 * tls.c: certificates and the other TLS settings of a node; who a client certificate is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls.h"

/* Session tickets belong to this program, so that a client with a certificate can resume too. */
static const unsigned char session_id_context[] = "cbcluster";

static const struct
{
	const char *name;
	int			verify;
}			client_auth_modes[] = {
	{"disabled", SSL_VERIFY_NONE},
	{"enabled", SSL_VERIFY_PEER},
	{"mandatory", SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT},
};

static const struct
{
	const char *name;
	int			version;
}			versions[] = {
	{"1.2", TLS1_2_VERSION},
	{"1.3", TLS1_3_VERSION},
};

/* The verify mode of a client-auth mode, or -1. */
static int
verify_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(client_auth_modes) / sizeof(client_auth_modes[0]); i++)
	{
		if (strcmp(client_auth_modes[i].name, name) == 0)
			return client_auth_modes[i].verify;
	}
	return -1;
}

/* The protocol number of a version, or -1. */
static int
version_number(const char *name)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
	{
		if (strcmp(versions[i].name, name) == 0)
			return versions[i].version;
	}
	return -1;
}

bool
tls_client_auth_by_name(const char *name)
{
	return verify_mode(name) >= 0;
}

bool
tls_version_by_name(const char *name)
{
	return version_number(name) >= 0;
}

/* ---------------------------------------------------------------- contexts */

/* Says what failed and why; always NULL, and ctx is freed. */
static SSL_CTX *
give_up(SSL_CTX *ctx, char *error, size_t error_size, const char *what, const char *file)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	snprintf(error, error_size, "%s \"%s\" cannot be used: %s", what, file, reason != NULL ? reason : "unknown reason");
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

static SSL_CTX *
make_context(const TlsSettings *s, char *error, size_t error_size)
{
	SSL_CTX    *ctx = SSL_CTX_new(TLS_server_method());

	ERR_clear_error();
	if (ctx == NULL)
		abort();
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_id_context(ctx, session_id_context, sizeof(session_id_context) - 1);
	SSL_CTX_set_min_proto_version(ctx, version_number(s->min_version));
	SSL_CTX_set_verify(ctx, verify_mode(s->client_auth), NULL);
	if (SSL_CTX_use_certificate_chain_file(ctx, s->cert) != 1)
		return give_up(ctx, error, error_size, "certificate", s->cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, s->key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return give_up(ctx, error, error_size, "key", s->key);
	if (s->client_ca != NULL)
	{
		STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(s->client_ca);

		if (names == NULL || SSL_CTX_load_verify_locations(ctx, s->client_ca, NULL) != 1)
		{
			sk_X509_NAME_pop_free(names, X509_NAME_free);
			return give_up(ctx, error, error_size, "authority of clients", s->client_ca);
		}
		SSL_CTX_set_client_CA_list(ctx, names);
	}
	return ctx;
}

static const char *
changed(const char *change, const char *old, const char *initial)
{
	return change != NULL ? change : old != NULL ? old : initial;
}

/* Replaces a setting by a copy. */
static void
set(const char **setting, const char *value)
{
	char	   *copy = value != NULL ? xstrdup(value) : NULL;

	free((char *) *setting);
	*setting = copy;
}

bool
tls_configure(Node *n, const TlsSettings *change, char *error, size_t error_size)
{
	TlsSettings *old = &n->tls_settings;
	TlsSettings s = {
		.cert = changed(change->cert, old->cert, NULL),
		.key = changed(change->key, old->key, NULL),
		.client_ca = changed(change->client_ca, old->client_ca, NULL),
		.client_auth = changed(change->client_auth, old->client_auth, "disabled"),
		.min_version = changed(change->min_version, old->min_version, "1.2"),
	};
	SSL_CTX    *ctx;

	if (s.cert == NULL || s.key == NULL)
	{
		snprintf(error, error_size, "TLS needs a certificate and its key");
		return false;
	}
	if (s.client_ca == NULL && strcmp(s.client_auth, "disabled") != 0)
	{
		snprintf(error, error_size, "client certificates need an authority of clients");
		return false;
	}
	ctx = make_context(&s, error, error_size);
	if (ctx == NULL)
		return false;
	SSL_CTX_free(n->tls);
	n->tls = ctx;
	set(&old->cert, s.cert);
	set(&old->key, s.key);
	set(&old->client_ca, s.client_ca);
	set(&old->client_auth, s.client_auth);
	set(&old->min_version, s.min_version);
	return true;
}

void
tls_forget(Node *n)
{
	SSL_CTX_free(n->tls);
	n->tls = NULL;
	set(&n->tls_settings.cert, NULL);
	set(&n->tls_settings.key, NULL);
	set(&n->tls_settings.client_ca, NULL);
	set(&n->tls_settings.client_auth, NULL);
	set(&n->tls_settings.min_version, NULL);
}

/* ---------------------------------------------------------------- client certificates */

User *
tls_user(Cluster *cl, SSL *ssl, bool *shown)
{
	X509	   *certificate = SSL_get1_peer_certificate(ssl);
	char		name[256];
	int			len;

	*shown = certificate != NULL;
	if (certificate == NULL)
		return NULL;
	len = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
	X509_free(certificate);
	return len > 0 ? user_find(cl, name, strlen(name)) : NULL;
}
