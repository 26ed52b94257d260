/*
 * http_transfer.c
 *		One HTTP request and its answer, as far as its reader has room for it.
 *
 * libcurl calls back while it works: those functions neither throw nor allocate in memory contexts.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include "http_internal.h"
#include "miscadmin.h"
#include "storage/fd.h"

/* Seconds after which an idle connection is not used again: the services close theirs after five. */
#define IDLE_SECONDS	4L
/* Bytes that libcurl reads at a time. */
#define READ_SIZE		(128L * 1024)

StaticAssertDecl(sizeof(((HttpTransfer *) 0)->error) >= CURL_ERROR_SIZE, "room for what libcurl says");

/* ---- called by libcurl ---- */

static size_t
cbconnHttpBody(char *data, size_t size, size_t n, void *arg)
{
	HttpTransfer *transfer = arg;

	if (transfer->in.len >= HTTP_BUFFER_SIZE)
	{
		transfer->paused_since = wait_now();
		return CURL_WRITEFUNC_PAUSE;
	}
	cb_buf_append(&transfer->in, data, size * n);
	if (transfer->in.oom)
		return 0;
	transfer->received += size * n;
	return size * n;
}

static int
cbconnHttpConnected(void *arg, char *ip, char *own_ip, int port, int own_port)
{
	HttpTransfer *transfer = arg;

	transfer->state = HTTP_SENT;
	transfer->connected = wait_now();
	return CURL_PREREQFUNC_OK;
}

static curl_socket_t
cbconnHttpOpen(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	HttpTransfer *transfer = arg;
	int			fd;

	transfer->connects++;
	if (!AcquireExternalFD())
		return CURL_SOCKET_BAD;
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd < 0)
	{
		ReleaseExternalFD();
		return CURL_SOCKET_BAD;
	}
	return fd;
}

static int
cbconnHttpClose(void *arg, curl_socket_t fd)
{
	int			result = close(fd);

	ReleaseExternalFD();
	return result;
}

/* ---- what libcurl is told ---- */

/* A chain of options, the first failure of which counts. */
#define SET(option, value)	(curl_easy_setopt(easy, option, value) == CURLE_OK)

static bool
set_address(HttpTransfer *transfer, const char *path)
{
	CURL	   *easy = transfer->easy;
	const HttpPeer *peer = transfer->peer;
	bool		tls = transfer->client->handle->tls != NULL;
	bool		v6 = strchr(peer->host, ':') != NULL;
	CbBuf		url = {0};
	bool		good;

	cb_buf_append_format(&url, v6 ? "%s://[%s]:%u%s" : "%s://%s:%u%s", tls ? "https" : "http", peer->host, peer->port,
						 path);
	cb_buf_append_u8(&url, '\0');
	good = !url.oom && SET(CURLOPT_URL, (const char *) url.data) &&
		SET(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http") &&
		SET(CURLOPT_FOLLOWLOCATION, 0L) &&
		/* An empty text: no proxy, whatever the environment says. */
		SET(CURLOPT_PROXY, "") && SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	cb_buf_free(&url);
	return good;
}

static bool
set_sockets(HttpTransfer *transfer)
{
	CURL	   *easy = transfer->easy;
	const CbSettings *settings = transfer->client->handle->settings;

	return SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_OPENSOCKETFUNCTION, cbconnHttpOpen) &&
		SET(CURLOPT_OPENSOCKETDATA, transfer) && SET(CURLOPT_CLOSESOCKETFUNCTION, cbconnHttpClose) &&
		SET(CURLOPT_TCP_NODELAY, settings->tcp_nodelay ? 1L : 0L) &&
		SET(CURLOPT_TCP_KEEPALIVE, settings->tcp_keepalive ? 1L : 0L) &&
		SET(CURLOPT_TCP_KEEPIDLE, (long) Min(Max(settings->tcp_keepalive_interval / 1000000, 1), 32767)) &&
		SET(CURLOPT_TCP_KEEPINTVL, 10L) && SET(CURLOPT_MAXAGE_CONN, IDLE_SECONDS) &&
		SET(CURLOPT_BUFFERSIZE, READ_SIZE);
}

static bool
add_header(HttpTransfer *transfer, const char *header)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, header);

	if (longer != NULL)
		transfer->headers = longer;
	return longer != NULL;
}

/* As in HELLO. */
static bool
set_agent(HttpTransfer *transfer)
{
	CURL	   *easy = transfer->easy;
	const char *more = transfer->client->handle->settings->client_string;
	CbBuf		agent = {0};
	bool		good;

	cb_buf_append_format(&agent, "cbconn_fdw/1.0 (PostgreSQL %s%s%s)", PG_VERSION, more ? "; " : "", more ? more : "");
	cb_buf_append_u8(&agent, '\0');
	for (size_t i = 0; i + 1 < agent.len; i++)
	{
		if (agent.data[i] < ' ' || agent.data[i] >= 0x7f)
			agent.data[i] = '?';
	}
	good = !agent.oom && SET(CURLOPT_USERAGENT, (const char *) agent.data);
	cb_buf_free(&agent);
	return good;
}

static bool
set_request(HttpTransfer *transfer, const HttpRequest *request)
{
	CURL	   *easy = transfer->easy;
	bool		good = add_header(transfer, "Accept: application/json") && add_header(transfer, "Expect:") &&
		SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) && SET(CURLOPT_HTTP09_ALLOWED, 0L) &&
		set_agent(transfer);

	if (request->body.len > 0)
	{
		cb_buf_append_span(&transfer->body, request->body);
		good = good && !transfer->body.oom && add_header(transfer, "Content-Type: application/json") &&
			SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDS, transfer->body.data) &&
			SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) transfer->body.len);
	}
	else if (strcmp(request->method, "GET") != 0)
		good = good && SET(CURLOPT_CUSTOMREQUEST, request->method);
	/* libcurl sends a request again by itself when a connection turns out to have been closed: not over a new one. */
	return good && SET(CURLOPT_FRESH_CONNECT, request->once ? 1L : 0L) && SET(CURLOPT_HTTPHEADER, transfer->headers);
}

/* Sent with the request, that is after the node's certificate was verified; in clear where there is no TLS. */
static bool
set_credentials(HttpTransfer *transfer)
{
	CURL	   *easy = transfer->easy;
	const ClusterHandle *handle = transfer->client->handle;

	if (handle->username == NULL || (handle->has_certificate && !handle->settings->credentials_with_cert))
		return true;
	return SET(CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC) && SET(CURLOPT_USERNAME, handle->username) &&
		SET(CURLOPT_PASSWORD, handle->password);
}

static bool
set_callbacks(HttpTransfer *transfer)
{
	CURL	   *easy = transfer->easy;

	return SET(CURLOPT_PRIVATE, transfer) && SET(CURLOPT_ERRORBUFFER, transfer->error) &&
		SET(CURLOPT_WRITEFUNCTION, cbconnHttpBody) && SET(CURLOPT_WRITEDATA, transfer) &&
		SET(CURLOPT_PREREQFUNCTION, cbconnHttpConnected) && SET(CURLOPT_PREREQDATA, transfer);
}

HttpTransfer *
http_transfer_make(HttpClient *client, HttpPeer *peer, const HttpRequest *request)
{
	HttpTransfer *transfer = calloc(1, sizeof(HttpTransfer));

	if (transfer != NULL)
	{
		transfer->client = client;
		transfer->peer = peer;
		transfer->started = wait_now();
		transfer->easy = curl_easy_init();
		dlist_push_tail(&client->transfers, &transfer->node);
		if (transfer->easy != NULL && set_address(transfer, request->path) && set_sockets(transfer) &&
			set_request(transfer, request) && set_credentials(transfer) && set_callbacks(transfer) &&
			(client->handle->tls == NULL || http_tls_options(transfer)))
			return transfer;
		http_transfer_free(transfer);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory")));
}

/* ---- the way of a request ---- */

/* "host:port:address,address": where libcurl looks before it would ask anybody. */
static bool
set_addresses(HttpTransfer *transfer)
{
	CURL	   *easy = transfer->easy;
	const HttpPeer *peer = transfer->peer;
	CbBuf		entry = {0};
	bool		good;

	if (peer->numeric)
		return true;
	cb_buf_append_format(&entry, "%s:%u:", peer->host, peer->port);
	for (int i = 0; i < peer->naddresses; i++)
	{
		char		text[INET6_ADDRSTRLEN] = "";
		const struct sockaddr_storage *addr = &peer->addresses[i].addr;
		bool		v6 = addr->ss_family == AF_INET6;

		(void) inet_ntop(addr->ss_family, v6 ? (const void *) &((const struct sockaddr_in6 *) addr)->sin6_addr
						 : (const void *) &((const struct sockaddr_in *) addr)->sin_addr, text, sizeof(text));
		cb_buf_append_format(&entry, v6 ? "%s[%s]" : "%s%s", i > 0 ? "," : "", text);
	}
	cb_buf_append_u8(&entry, '\0');
	if (!entry.oom)
		transfer->resolve = curl_slist_append(NULL, (const char *) entry.data);
	good = transfer->resolve != NULL && SET(CURLOPT_RESOLVE, transfer->resolve);
	cb_buf_free(&entry);
	return good;
}

void
http_transfer_resolved(HttpTransfer *transfer)
{
	CURL	   *easy = transfer->easy;
	const HttpPeer *peer = transfer->peer;
	int64		timeout = transfer->client->handle->settings->connect_timeout;

	if (!set_addresses(transfer) ||
		!SET(CURLOPT_CONNECTTIMEOUT_MS, (long) Max(timeout * Max(peer->naddresses, 1) / 1000, 1)) ||
		curl_multi_add_handle(transfer->client->multi, easy) != CURLM_OK)
	{
		http_transfer_fail(transfer, ERRCODE_OUT_OF_MEMORY, false, "HTTP request", "out of memory");
		return;
	}
	transfer->in_multi = true;
	transfer->state = HTTP_CONNECTING;
}

void
http_transfer_fail(HttpTransfer *transfer, int sqlstate, bool fatal, const char *step, const char *format,...)
{
	char		text[sizeof(transfer->failure.text)];
	va_list		args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kv_failure_set(&transfer->failure, sqlstate, fatal, step, "%s", text);
	strlcpy(transfer->failure.node, transfer->peer->name, sizeof(transfer->failure.node));
	transfer->state = HTTP_FAILED;
}

/* Nothing was sent yet. */
static void
connecting_failed(HttpTransfer *transfer, CURLcode code)
{
	const HttpPeer *peer = transfer->peer;
	int			sqlstate = ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION;
	curl_off_t	tcp_us = 0;
	long		os_error = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_CONNECT_TIME_T, &tcp_us);
	curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_error);
	if (peer->tls_failed)
	{
		http_transfer_fail(transfer, peer->tls_failure.sqlstate, peer->tls_failure.fatal, "TLS handshake", "%s",
						   peer->tls_failure.text);
		transfer->failure.hint = peer->tls_failure.hint;
	}
	else if (transfer->client->handle->tls != NULL && (tcp_us > 0 || code == CURLE_SSL_CONNECT_ERROR))
	{
		http_transfer_fail(transfer, sqlstate, false, "TLS handshake", "%s",
						   code == CURLE_OPERATION_TIMEDOUT ? "no answer in time"
						   : transfer->error[0] != '\0' ? transfer->error : "the handshake failed");
		transfer->failure.hint = "Perhaps the port is not one for TLS, or the node does not accept the certificate.";
	}
	else
		http_transfer_fail(transfer, sqlstate, false, "TCP connect", "%s",
						   code == CURLE_OPERATION_TIMEDOUT ? "no answer in time"
						   : os_error != 0 ? strerror((int) os_error) : curl_easy_strerror(code));
}

static const char *
what_broke(CURLcode code, const char *error)
{
	switch (code)
	{
		case CURLE_GOT_NOTHING:
			return "the node closed the connection without an answer";
		case CURLE_PARTIAL_FILE:
			return "the connection was closed in the middle of the answer";
		case CURLE_UNSUPPORTED_PROTOCOL:
		case CURLE_WEIRD_SERVER_REPLY:
			return "the answer is not HTTP";
		case CURLE_OUT_OF_MEMORY:
		case CURLE_WRITE_ERROR:
			return "out of memory";
		default:
			return error[0] != '\0' ? error : curl_easy_strerror(code);
	}
}

void
http_transfer_finished(HttpTransfer *transfer, CURLcode code)
{
	long		status = 0;
	char	   *type = NULL;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
	transfer->status = (int) status;
	strlcpy(transfer->content_type, type ? type : "", sizeof(transfer->content_type));
	transfer->ended = wait_now();
	if (code == CURLE_OK)
		transfer->state = HTTP_DONE;
	else if (transfer->state == HTTP_CONNECTING)
		connecting_failed(transfer, code);
	else
		http_transfer_fail(transfer, transfer->in.oom || code == CURLE_OUT_OF_MEMORY ? ERRCODE_OUT_OF_MEMORY
						   : ERRCODE_CONNECTION_FAILURE,
						   code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY, "HTTP request",
						   "%s", what_broke(code, transfer->error));
	/* Addresses that lead nowhere are looked up anew. */
	if (transfer->state == HTTP_FAILED)
		transfer->peer->resolved = 0;
}

bool
http_transfer_resume(HttpTransfer *transfer)
{
	int64		before = transfer->received;

	if (transfer->paused_since == 0 || transfer->in.len > 0)
		return false;
	transfer->paused_since = 0;
	(void) curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
	return transfer->received > before;
}

void
http_take(HttpTransfer *transfer, CbBuf *buf)
{
	CbBuf		empty = *buf;

	*buf = transfer->in;
	transfer->in = empty;
	cb_buf_reset(&transfer->in);
}

void
http_transfer_free(HttpTransfer *transfer)
{
	dlist_delete(&transfer->node);
	if (transfer->in_multi)
		curl_multi_remove_handle(transfer->client->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->resolve);
	cb_buf_free_secret(&transfer->body);
	cb_buf_free(&transfer->in);
	free(transfer);
}

void
http_end(HttpTransfer *transfer)
{
	if (transfer != NULL && transfer->client->pid == MyProcPid)
		http_transfer_free(transfer);
}
