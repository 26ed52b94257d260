/*
 * kv_io.c: what goes over the wire of a connection of the data port, in clear or by TLS, and the faults of the wire.
 * TLS works on memory here: bytes of the socket go in on one side, bytes for the socket come out on the other.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "core.h"
#include "tls.h"

#define RAW_SIZE (32 * 1024)			/* with what TLS keeps of an unfinished record, less than READ_SIZE / 2 */
#define RECORD_SIZE (16 * 1024)
#define WRITE_SIZE (1024 * 1024)
#define WIRE_HIGH (128 * 1024)			/* no more is encrypted ahead of the socket */

void
io_open(Conn *c, bool tls)
{
	const WireFault *fault = node_match_wire_fault(c->node);

	if (fault != NULL)
	{
		c->has_wire_fault = true;
		c->wire_fault = *fault;
	}
	if (!tls)
		return;
	c->ssl = SSL_new(c->node->tls);
	SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(c->ssl);
	c->wire = evbuffer_new();
}

void
io_close(Conn *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	if (c->wire != NULL)
		evbuffer_free(c->wire);
	c->wire = NULL;
}

size_t
io_pending(const Conn *c)
{
	if (c->muted)
		return 0;
	return evbuffer_get_length(c->out) + (c->wire != NULL ? evbuffer_get_length(c->wire) : 0);
}

/* ---------------------------------------------------------------- output */

/* Takes what TLS has made for the socket. */
static void
collect(Conn *c)
{
	BIO		   *made = SSL_get_wbio(c->ssl);
	char	   *bytes;
	long		len = BIO_get_mem_data(made, &bytes);

	if (len > 0)
		evbuffer_add(c->wire, bytes, (size_t) len);
	(void) BIO_reset(made);
}

static void
encrypt(Conn *c)
{
	while (c->secured && evbuffer_get_length(c->out) > 0 && evbuffer_get_length(c->wire) < WIRE_HIGH)
	{
		size_t		len = evbuffer_get_contiguous_space(c->out);
		size_t		written;

		if (len > RECORD_SIZE)
			len = RECORD_SIZE;
		ERR_clear_error();
		if (SSL_write_ex(c->ssl, evbuffer_pullup(c->out, (ev_ssize_t) len), len, &written) != 1)
			break;
		evbuffer_drain(c->out, written);
		collect(c);
	}
}

/*
 * Bytes that may be sent before the fault of the connection happens, or what happens: 0 and *alive tells whether the
 * connection goes on.
 */
static size_t
wire_limit(Conn *c, struct evbuffer *wire, bool *alive)
{
	struct linger reset = {1, 0};
	uint8_t		byte;

	*alive = true;
	if (!c->has_wire_fault)
		return SIZE_MAX;
	if (c->wire_sent < c->wire_fault.after)
		return c->wire_fault.after - c->wire_sent;
	c->has_wire_fault = false;
	switch (c->wire_fault.kind)
	{
		case WIRE_RESET:
			setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			*alive = false;
			return 0;
		case WIRE_CLOSE:
			*alive = false;
			return 0;
		case WIRE_STALL:
			c->muted = true;
			return 0;
		case WIRE_CORRUPT:
			evbuffer_remove(wire, &byte, 1);
			byte = (uint8_t) ~byte;
			evbuffer_prepend(wire, &byte, 1);
			break;
	}
	return SIZE_MAX;
}

bool
io_flush(Conn *c)
{
	for (;;)
	{
		struct evbuffer *wire = c->ssl != NULL ? c->wire : c->out;
		size_t		limit;
		bool		alive;
		int			n;

		if (c->ssl != NULL)
			encrypt(c);
		if (c->muted || evbuffer_get_length(wire) == 0)
			return true;
		limit = wire_limit(c, wire, &alive);
		if (limit == 0)
			return alive;
		n = evbuffer_write_atmost(wire, c->fd, limit > WRITE_SIZE ? WRITE_SIZE : (ev_ssize_t) limit);
		if (n > 0)
		{
			c->wire_sent += (unsigned) n;
			c->spoke_last = true;
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (n <= 0 && !(n < 0 && errno == EINTR))
			return false;
	}
}

void
io_rekey(Conn *c)
{
	if (c->ssl == NULL || !c->secured)
		return;
	ERR_clear_error();
	if (SSL_version(c->ssl) == TLS1_3_VERSION)
		SSL_key_update(c->ssl, SSL_KEY_UPDATE_REQUESTED);
	else
		SSL_renegotiate(c->ssl);
	SSL_do_handshake(c->ssl);
	collect(c);
}

void
io_goodbye(Conn *c)
{
	if (c->ssl == NULL || !c->secured)
		return;
	ERR_clear_error();
	SSL_shutdown(c->ssl);
	collect(c);
	io_flush(c);
}

/* ---------------------------------------------------------------- input */

/* Answers no TLS with a reset, as the real server does; what is wrong in TLS has its alert in the output. */
static ssize_t
handshake_failed(Conn *c)
{
	struct linger reset = {1, 0};

	collect(c);
	if (evbuffer_get_length(c->wire) == 0)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	else
		io_flush(c);
	return -1;
}

/* Goes on with the handshake: 1 when it is over, 0 when more must come, -1 when it failed. */
static int
handshake(Conn *c)
{
	bool		shown;
	int			done = SSL_do_handshake(c->ssl);

	if (done != 1)
	{
		if (SSL_get_error(c->ssl, done) != SSL_ERROR_WANT_READ)
			return (int) handshake_failed(c);
		collect(c);
		return io_flush(c) ? 0 : -1;
	}
	collect(c);
	if (!io_flush(c))
		return -1;
	c->secured = true;
	if (SSL_version(c->ssl) == TLS1_3_VERSION)
		c->spoke_last = false;	/* session tickets: nobody waits for them */
	c->user = tls_user(c->node->cluster, c->ssl, &shown);
	c->by_certificate = c->user != NULL;
	return shown && c->user == NULL ? -1 : 1;
}

/* Decrypts what has come; bytes, 0 for none, -1 for the end of the connection, which comes after the bytes before it. */
static ssize_t
decrypt(Conn *c, uint8_t *buf, size_t room)
{
	size_t		got = 0;
	size_t		n;
	int			error = SSL_ERROR_NONE;

	while (got < room && error == SSL_ERROR_NONE)
	{
		if (SSL_read_ex(c->ssl, buf + got, room - got, &n) == 1)
			got += n;
		else
			error = SSL_get_error(c->ssl, 0);
	}
	collect(c);
	c->ended = !io_flush(c) || (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ);
	if (c->ended && got > 0)
		event_active(c->ev_read, EV_READ, 0);
	return c->ended && got == 0 ? -1 : (ssize_t) got;
}

ssize_t
io_recv(Conn *c, uint8_t *buf, size_t room)
{
	uint8_t		raw[RAW_SIZE];
	ssize_t		n;
	int			done = 1;

	if (c->ended)
		return -1;
	n = recv(c->fd, c->ssl != NULL ? raw : buf, c->ssl != NULL ? sizeof(raw) : room, 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	c->node->flights += c->spoke_last || c->bytes_received == 0;
	c->spoke_last = false;
	c->bytes_received += (size_t) n;
	if (c->ssl == NULL)
		return n;
	BIO_write(SSL_get_rbio(c->ssl), raw, (int) n);
	ERR_clear_error();
	if (!c->secured)
		done = handshake(c);
	return done == 1 ? decrypt(c, buf, room) : done;
}
