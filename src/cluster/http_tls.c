/*
 * http_tls.c
 *		TLS of HTTP connections: libcurl runs it, the rules are those of every other connection.
 */
#include "postgres.h"

#include <openssl/ssl.h>

#include "http_internal.h"
#include "tls_error.h"

/* OpenSSL calls it for every certificate of the chain; what it finds wrong is kept with the node. */
static int
cbconnHttpVerify(int ok, X509_STORE_CTX *chain)
{
	SSL		   *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	HttpPeer   *peer = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (ok)
		return 1;
	tls_explain_certificate(&peer->tls_failure, X509_STORE_CTX_get_error(chain),
							X509_STORE_CTX_get_error_depth(chain), X509_STORE_CTX_get_current_cert(chain),
							peer->host);
	peer->tls_failed = true;
	return 0;
}

/* libcurl calls it for every new connection. */
static CURLcode
cbconnHttpContext(CURL *easy, void *ctx, void *arg)
{
	HttpPeer   *peer = arg;
	ClusterHandle *handle = peer->client->handle;

	peer->tls_failed = !tls_lend(handle->tls, ctx, peer->host, &peer->tls_failure);
	if (peer->tls_failed)
		return CURLE_ABORTED_BY_CALLBACK;
	SSL_CTX_set_app_data((SSL_CTX *) ctx, peer);
	if (handle->settings->tls_verify == CB_TLS_VERIFY_NONE)
		SSL_CTX_set_verify((SSL_CTX *) ctx, SSL_VERIFY_NONE, NULL);
	else
		SSL_CTX_set_verify((SSL_CTX *) ctx, SSL_VERIFY_PEER, cbconnHttpVerify);
	return CURLE_OK;
}

bool
http_tls_options(HttpTransfer *transfer)
{
	CURL	   *easy = transfer->easy;
	const CbSettings *settings = transfer->client->handle->settings;
	long		verify = settings->tls_verify != CB_TLS_VERIFY_NONE;

	transfer->peer->tls_failed = false;
	/* The context has the authorities; libcurl would read its own defaults first. */
	return curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify) == CURLE_OK &&
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L) == CURLE_OK &&
		curl_easy_setopt(easy, CURLOPT_SSLVERSION,
						 settings->tls_disable_v1_2 ? (long) CURL_SSLVERSION_TLSv1_3
						 : (long) CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
		curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L) == CURLE_OK &&
		/* A resumed session would not look at the certificate again. */
		curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer->peer) == CURLE_OK &&
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, cbconnHttpContext) == CURLE_OK;
}
