/*
 * tls.c
 *		TLS streams and the context they share. OpenSSL's error queue is empty before every call, for it belongs to
 *		the whole process; its objects hang on the Sock and the TlsContext from the moment they exist (W3).
 */
#include "postgres.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"
#include "tls.h"
#include "tls_error.h"

/* One read from the kernel takes up to this much. */
#define READ_BUFFER		(64 * 1024)

/* Enough of a file's status to see that it is another one now. */
typedef struct FileMark
{
	dev_t		device;
	ino_t		inode;
	off_t		size;
	struct timespec modified;
	struct timespec changed;
} FileMark;

typedef enum TlsFile
{
	FILE_CA,
	FILE_CERT,
	FILE_KEY,
	NFILES
} TlsFile;

struct TlsContext
{
	bool		verify;
	bool		only_v1_3;
	char	   *files[NFILES];	/* NULL: none */
	char	   *ciphers;
	char	   *ciphersuites;
	FileMark	marks[NFILES];	/* when ctx was made */
	SSL_CTX    *ctx;			/* NULL: to be made */
};

typedef struct TlsStream
{
	SSL		   *ssl;
	char	   *host;
	bool		has_certificate;
	bool		certificate_sent;
	bool		more;			/* the last read stopped because the caller's buffer was full */
	ssize_t		ended;			/* SOCK_EOF or SOCK_ERROR: what every further read says */
	bool		bad_certificate;	/* failure has the reason */
	SockFailure failure;
} TlsStream;

/* ---- the context ---- */

static bool
copy_text(char **copy, const char *text)
{
	*copy = text != NULL ? strdup(text) : NULL;
	return text == NULL || *copy != NULL;
}

TlsContext *
tls_context_create(const TlsOptions *options)
{
	TlsContext *context = calloc(1, sizeof(TlsContext));

	if (context == NULL)
		return NULL;
	context->verify = options->verify;
	context->only_v1_3 = options->only_v1_3;
	if (copy_text(&context->files[FILE_CA], options->ca_file) &&
		copy_text(&context->files[FILE_CERT], options->cert_file) &&
		copy_text(&context->files[FILE_KEY], options->key_file) &&
		copy_text(&context->ciphers, options->ciphers) &&
		copy_text(&context->ciphersuites, options->ciphersuites))
		return context;
	tls_context_free(context);
	return NULL;
}

void
tls_context_free(TlsContext *context)
{
	if (context == NULL)
		return;
	SSL_CTX_free(context->ctx);
	for (int i = 0; i < NFILES; i++)
		free(context->files[i]);
	free(context->ciphers);
	free(context->ciphersuites);
	free(context);
}

static const char *const file_kinds[NFILES] = {"certificate authorities", "client certificate", "private key"};

static bool
file_failure(SockFailure *failure, TlsFile which, const char *path, int sqlstate, const char *why)
{
	tls_failure(failure, sqlstate, NULL, "could not use the file \"%s\" as %s: %s", path, file_kinds[which], why);
	failure->fatal = true;
	return false;
}

/* The reason for which OpenSSL could not use a file. */
static bool
file_error(SockFailure *failure, const TlsContext *context, TlsFile which)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = ERR_reason_error_string(code);

	if (ERR_GET_LIB(code) == ERR_LIB_SYS)
		why = strerror(ERR_GET_REASON(code));
	return file_failure(failure, which, context->files[which], ERRCODE_CONFIG_FILE_ERROR,
						why ? why : "it holds nothing of the kind");
}

/* As PostgreSQL has it for its own keys: nobody else may read it, but the group where root owns it. */
static const char *
key_file_problem(const struct stat *status)
{
	if (status->st_uid != geteuid() && status->st_uid != 0)
		return "it must be owned by the user that runs the database server, or by root";
	if ((status->st_uid == geteuid() && (status->st_mode & (S_IRWXG | S_IRWXO))) ||
		(status->st_uid == 0 && (status->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO))))
		return "others may read or change it; permissions must be 0600 or less, or 0640 or less if root owns it";
	return NULL;
}

/* What OpenSSL reads the system's authorities from, beside a folder that it looks into when it needs one. */
static const char *
system_ca_file(void)
{
	const char *path = getenv(X509_get_default_cert_file_env());

	return path != NULL ? path : X509_get_default_cert_file();
}

/* Looks at a file before OpenSSL opens it: a pipe, for one, would never let go of the backend. */
static bool
look_at_file(const TlsContext *context, TlsFile which, FileMark *mark, SockFailure *failure)
{
	const char *path = context->files[which];
	bool		wanted = path != NULL;
	const char *problem;
	struct stat status;

	memset(mark, 0, sizeof(*mark));
	if (which == FILE_CA && !wanted)
		path = system_ca_file();
	if (path == NULL)
		return true;
	if (stat(path, &status) != 0)
	{
		if (!wanted)
			return true;
		return file_failure(failure, which, path,
							errno == ENOENT ? ERRCODE_UNDEFINED_FILE : ERRCODE_CONFIG_FILE_ERROR, strerror(errno));
	}
	if (wanted && !S_ISREG(status.st_mode))
		return file_failure(failure, which, path, ERRCODE_CONFIG_FILE_ERROR, "it is not a regular file");
	if (which == FILE_KEY && (problem = key_file_problem(&status)) != NULL)
		return file_failure(failure, which, path, ERRCODE_CONFIG_FILE_ERROR, problem);
	mark->device = status.st_dev;
	mark->inode = status.st_ino;
	mark->size = status.st_size;
	mark->modified = status.st_mtim;
	mark->changed = status.st_ctim;
	return true;
}

/* OpenSSL would ask the terminal. arg tells that it wanted to. */
static int
cbconnNoPassphrase(char *buffer, int size, int writing, void *arg)
{
	*(bool *) arg = true;
	return -1;
}

/* OpenSSL calls it when the node asks for a client certificate. */
static int
cbconnCertificateWanted(SSL *ssl, void *arg)
{
	TlsStream  *stream = SSL_get_app_data(ssl);

	stream->certificate_sent = stream->has_certificate;
	return 1;
}

static int
cbconnVerifyCertificate(int ok, X509_STORE_CTX *chain)
{
	SSL		   *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	TlsStream  *stream = SSL_get_app_data(ssl);

	if (ok)
		return 1;
	tls_explain_certificate(&stream->failure, X509_STORE_CTX_get_error(chain),
							X509_STORE_CTX_get_error_depth(chain), X509_STORE_CTX_get_current_cert(chain),
							stream->host);
	stream->bad_certificate = true;
	return 0;
}

/* The client certificate and its key. */
static bool
load_certificate(const TlsContext *context, SSL_CTX *ctx, SockFailure *failure)
{
	bool		encrypted = false;
	int			loaded;

	SSL_CTX_set_default_passwd_cb(ctx, cbconnNoPassphrase);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, &encrypted);
	if (SSL_CTX_use_certificate_chain_file(ctx, context->files[FILE_CERT]) != 1)
		return file_error(failure, context, FILE_CERT);
	loaded = SSL_CTX_use_PrivateKey_file(ctx, context->files[FILE_KEY], SSL_FILETYPE_PEM);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	if (loaded == 1)
		return true;
	if (encrypted)
		return file_failure(failure, FILE_KEY, context->files[FILE_KEY], ERRCODE_CONFIG_FILE_ERROR,
							"it is encrypted, which is not supported");
	return file_error(failure, context, FILE_KEY);
}

static bool
load_files(const TlsContext *context, SSL_CTX *ctx, SockFailure *failure)
{
	if (!context->verify)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	else
	{
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, cbconnVerifyCertificate);
		if (context->files[FILE_CA] == NULL)
			(void) SSL_CTX_set_default_verify_paths(ctx);
		else if (SSL_CTX_load_verify_locations(ctx, context->files[FILE_CA], NULL) != 1)
			return file_error(failure, context, FILE_CA);
	}
	return context->files[FILE_CERT] == NULL || load_certificate(context, ctx, failure);
}

static bool
set_ciphers(const TlsContext *context, SSL_CTX *ctx, SockFailure *failure)
{
	const char *wrong = NULL;

	if (context->ciphers != NULL && SSL_CTX_set_cipher_list(ctx, context->ciphers) != 1)
		wrong = context->ciphers;
	else if (context->ciphersuites != NULL && SSL_CTX_set_ciphersuites(ctx, context->ciphersuites) != 1)
		wrong = context->ciphersuites;
	if (wrong == NULL)
		return true;
	tls_failure(failure, ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE, NULL, "no cipher is known by \"%s\"", wrong);
	failure->fatal = true;
	return false;
}

static void
set_protocol(const TlsContext *context, SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_min_proto_version(ctx, context->only_v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
}

static SSL_CTX *
make_ctx(const TlsContext *context, SockFailure *failure)
{
	SSL_CTX    *ctx;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL)
	{
		tls_failure(failure, ERRCODE_OUT_OF_MEMORY, NULL, "TLS could not be set up");
		return NULL;
	}
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					 SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	set_protocol(context, ctx);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_BUFFER);
	SSL_CTX_set_cert_cb(ctx, cbconnCertificateWanted, NULL);
	if (!set_ciphers(context, ctx, failure) || !load_files(context, ctx, failure))
	{
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	ERR_clear_error();
	return ctx;
}

/* Makes sure that the context is made of the files as they are now. */
static bool
make_current(TlsContext *context, SockFailure *failure)
{
	FileMark	marks[NFILES];

	for (int i = 0; i < NFILES; i++)
	{
		if (!look_at_file(context, i, &marks[i], failure))
			return false;
	}
	if (context->ctx != NULL && memcmp(marks, context->marks, sizeof(marks)) == 0)
		return true;
	SSL_CTX_free(context->ctx);
	context->ctx = make_ctx(context, failure);
	memcpy(context->marks, marks, sizeof(marks));
	return context->ctx != NULL;
}

/* ---- streams ---- */

/*
 * What a call of OpenSSL that gave ret means: SOCK_AGAIN, SOCK_EOF or SOCK_ERROR, for which the stream's failure is
 * set.
 */
static ssize_t
outcome(Sock *sock, int ret)
{
	TlsStream  *stream = sock->stream;
	int			saved = errno;
	int			error = SSL_get_error(stream->ssl, ret);
	unsigned long code = ERR_peek_error();

	ERR_clear_error();
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
	{
		sock->wants_write = error == SSL_ERROR_WANT_WRITE;
		return SOCK_AGAIN;
	}
	if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && saved == 0))
		return SOCK_EOF;
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
	if (error == SSL_ERROR_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return SOCK_EOF;
#endif
	if (error == SSL_ERROR_SYSCALL)
		tls_failure(&stream->failure, ERRCODE_CONNECTION_FAILURE, NULL, "%s", strerror(saved));
	else if (!stream->bad_certificate)
		tls_explain_error(&stream->failure, code);
	return SOCK_ERROR;
}

/* Reads all there is, for what OpenSSL has taken from the socket cannot be waited for. */
static ssize_t
tls_recv(Sock *sock, void *data, size_t len)
{
	TlsStream  *stream = sock->stream;
	size_t		total = 0;

	sock->wants_write = false;
	stream->more = false;
	while (stream->ended == 0 && total < len)
	{
		int			n;
		ssize_t		result;

		ERR_clear_error();
		errno = 0;
		n = SSL_read(stream->ssl, (char *) data + total, (int) Min(len - total, PG_INT32_MAX));
		if (n > 0)
		{
			total += n;
			continue;
		}
		result = outcome(sock, n);
		if (result == SOCK_AGAIN)
			return total > 0 ? (ssize_t) total : SOCK_AGAIN;
		stream->ended = result;
	}
	stream->more = stream->ended == 0;
	return total > 0 ? (ssize_t) total : stream->ended;
}

/* When a node has hung up, what it said before is the better reason. */
static void
look_for_alert(Sock *sock)
{
	TlsStream  *stream = sock->stream;
	SockFailure failure = stream->failure;
	char		byte;
	int			n;

	ERR_clear_error();
	errno = 0;
	n = SSL_peek(stream->ssl, &byte, 1);
	if (n > 0 || outcome(sock, n) != SOCK_ERROR)
		stream->failure = failure;
}

static ssize_t
tls_send(Sock *sock, const void *data, size_t len)
{
	TlsStream  *stream = sock->stream;
	ssize_t		result;
	int			n;

	ERR_clear_error();
	errno = 0;
	n = SSL_write(stream->ssl, data, (int) Min(len, PG_INT32_MAX));
	if (n > 0)
		return n;
	result = outcome(sock, n);
	if (result == SOCK_AGAIN)
	{
		sock->wants_write = false;
		return result;
	}
	if (result == SOCK_EOF)
		tls_failure(&stream->failure, ERRCODE_CONNECTION_FAILURE, NULL, "the node closed the connection");
	look_for_alert(sock);
	return SOCK_ERROR;
}

static bool
tls_pending(const Sock *sock)
{
	const TlsStream *stream = sock->stream;

	return stream->more || stream->ended != 0;
}

static void
tls_get_failure(const Sock *sock, SockFailure *failure)
{
	*failure = ((const TlsStream *) sock->stream)->failure;
}

static void
free_stream(TlsStream *stream)
{
	SSL_free(stream->ssl);
	free(stream->host);
	free(stream);
}

/* No word to the node: it might have to wait, and the owner may be another process. */
static void
tls_close(Sock *sock)
{
	free_stream(sock->stream);
	sock->stream = NULL;
	close(sock->fd);
	ReleaseExternalFD();
}

static const SockOps tls_ops = {tls_recv, tls_send, tls_pending, tls_get_failure, tls_close};

/* A malloc'd copy without %zone and final dot; NULL when out of memory. */
static char *
certificate_name(const char *host)
{
	size_t		len = strcspn(host, "%");

	return strndup(host, len > 1 && host[len - 1] == '.' ? len - 1 : len);
}

/* Says whom the certificate must be for: *address tells whether host is one. */
static bool
require_host(X509_VERIFY_PARAM *param, const char *host, bool *address)
{
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	*address = X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	return *address || X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

/* The same for a stream, which also asks for the certificate by name (SNI) where it is a name. */
static bool
name_peer(TlsStream *stream)
{
	bool		address;

	return require_host(SSL_get0_param(stream->ssl), stream->host, &address) &&
		(address || SSL_set_tlsext_host_name(stream->ssl, stream->host) == 1);
}

bool
tls_start(Sock *sock, TlsContext *context, const char *host, SockFailure *failure)
{
	TlsStream  *stream;

	if (!make_current(context, failure))
		return false;
	ERR_clear_error();
	stream = calloc(1, sizeof(TlsStream));
	if (stream != NULL)
	{
		stream->host = certificate_name(host);
		stream->ssl = SSL_new(context->ctx);
		stream->has_certificate = context->files[FILE_CERT] != NULL;
		if (stream->host != NULL && stream->ssl != NULL && SSL_set_fd(stream->ssl, sock->fd) == 1 && name_peer(stream))
		{
			SSL_set_app_data(stream->ssl, stream);
			SSL_set_connect_state(stream->ssl);
			sock->stream = stream;
			sock->ops = &tls_ops;
			return true;
		}
		free_stream(stream);
	}
	ERR_clear_error();
	tls_failure(failure, ERRCODE_OUT_OF_MEMORY, NULL, "out of memory");
	return false;
}

TlsProgress
tls_handshake(Sock *sock)
{
	TlsStream  *stream = sock->stream;
	ssize_t		result;
	int			ret;

	ERR_clear_error();
	errno = 0;
	ret = SSL_do_handshake(stream->ssl);
	if (ret == 1)
	{
		sock->wants_write = false;
		return TLS_DONE;
	}
	result = outcome(sock, ret);
	if (result == SOCK_AGAIN)
		return TLS_WAIT;
	if (result == SOCK_EOF || stream->failure.sqlstate == ERRCODE_CONNECTION_FAILURE)
	{
		char		why[128] = "the node closed the connection";

		if (result != SOCK_EOF)
			strlcpy(why, stream->failure.text, sizeof(why));
		tls_failure(&stream->failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
					"Perhaps the port is not one for TLS: the data service has port 11207 for TLS and port 11210 for "
					"plain text (couchbase://).", "%s", why);
	}
	return TLS_FAILED;
}

bool
tls_certificate_sent(const Sock *sock)
{
	return sock->ops == &tls_ops && ((const TlsStream *) sock->stream)->certificate_sent;
}

/* ---- streams of others ---- */

/* The client certificate that was read from the files. */
static bool
lend_certificate(SSL_CTX *from, SSL_CTX *to)
{
	STACK_OF(X509) *chain = NULL;

	return SSL_CTX_use_certificate(to, SSL_CTX_get0_certificate(from)) == 1 &&
		SSL_CTX_use_PrivateKey(to, SSL_CTX_get0_privatekey(from)) == 1 &&
		SSL_CTX_get0_chain_certs(from, &chain) == 1 &&
		(chain == NULL || SSL_CTX_set1_chain(to, chain) == 1);
}

bool
tls_lend(TlsContext *context, SSL_CTX *ctx, const char *host, SockFailure *failure)
{
	char	   *name;
	bool		address;
	bool		good;

	if (!make_current(context, failure))
		return false;
	ERR_clear_error();
	set_protocol(context, ctx);
	/* Its owner may close connections where nothing may be sent any more (W2). */
	SSL_CTX_set_quiet_shutdown(ctx, 1);
	if (!set_ciphers(context, ctx, failure))
		return false;
	name = certificate_name(host);
	SSL_CTX_set1_cert_store(ctx, SSL_CTX_get_cert_store(context->ctx));
	good = name != NULL &&
		(!context->verify || require_host(SSL_CTX_get0_param(ctx), name, &address)) &&
		(context->files[FILE_CERT] == NULL || lend_certificate(context->ctx, ctx));
	free(name);
	ERR_clear_error();
	if (!good)
		tls_failure(failure, ERRCODE_OUT_OF_MEMORY, NULL, "TLS could not be set up");
	return good;
}
