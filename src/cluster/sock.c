/*
 * sock.c
 *		Plain TCP streams.
 */
#include "postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "sock.h"
#include "storage/fd.h"
#include "wait.h"

/* Seconds between keepalive probes, and how many stay unanswered before the peer counts as gone. */
#define KEEPALIVE_INTERVAL	10
#define KEEPALIVE_PROBES	3

static ssize_t
plain_recv(Sock *sock, void *data, size_t len)
{
	ssize_t		n = recv(sock->fd, data, len, 0);

	if (n > 0)
		return n;
	if (n == 0)
		return SOCK_EOF;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? SOCK_AGAIN : SOCK_ERROR;
}

static ssize_t
plain_send(Sock *sock, const void *data, size_t len)
{
	ssize_t		n = send(sock->fd, data, len, MSG_NOSIGNAL);

	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? SOCK_AGAIN : SOCK_ERROR;
}

static bool
plain_pending(const Sock *sock)
{
	return false;
}

static void
plain_failure(const Sock *sock, SockFailure *failure)
{
	failure->sqlstate = ERRCODE_CONNECTION_FAILURE;
	failure->fatal = false;
	failure->hint = NULL;
	strlcpy(failure->text, strerror(errno), sizeof(failure->text));
}

static void
plain_close(Sock *sock)
{
	close(sock->fd);
	ReleaseExternalFD();
}

static const SockOps plain_ops = {plain_recv, plain_send, plain_pending, plain_failure, plain_close};

void
sock_init(Sock *sock)
{
	sock->fd = PGINVALID_SOCKET;
	sock->serial = 0;
	sock->ops = &plain_ops;
	sock->stream = NULL;
	sock->wants_write = false;
}

/* Failures to set an option leave the system's default, which works too. */
static void
set_options(int fd, const SockOptions *options)
{
	int			on = 1;
	int			interval = KEEPALIVE_INTERVAL;
	int			probes = KEEPALIVE_PROBES;

	if (options->nodelay)
		(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!options->keepalive)
		return;
	(void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
#ifdef TCP_KEEPIDLE
	(void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &options->keepalive_idle, sizeof(int));
	(void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(int));
	(void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(int));
#endif
}

int
sock_connect(Sock *sock, const SockAddress *address, const SockOptions *options)
{
	int			fd;
	int			saved;

	Assert(sock->fd == PGINVALID_SOCKET);
	if (!AcquireExternalFD())
		return errno;
	fd = socket(address->addr.ss_family, SOCK_STREAM, 0);
	if (fd < 0)
	{
		saved = errno;
		ReleaseExternalFD();
		return saved;
	}
	sock->ops = &plain_ops;
	sock->wants_write = false;
	sock->fd = fd;
	sock->serial = wait_serial();

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
	{
		set_options(fd, options);
		if (connect(fd, (const struct sockaddr *) &address->addr, address->len) == 0 ||
			errno == EINPROGRESS || errno == EINTR)
			return 0;
	}
	saved = errno;
	sock_close(sock);
	return saved;
}

int
sock_connected(Sock *sock)
{
	int			error = 0;
	socklen_t	len = sizeof(error);

	if (getsockopt(sock->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

ssize_t
sock_recv(Sock *sock, void *data, size_t len)
{
	return sock->ops->recv(sock, data, len);
}

ssize_t
sock_send(Sock *sock, const void *data, size_t len)
{
	return sock->ops->send(sock, data, len);
}

bool
sock_pending(const Sock *sock)
{
	return sock->ops->pending(sock);
}

bool
sock_is_dead(const Sock *sock)
{
	char		byte;
	ssize_t		n = recv(sock->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void
sock_failure(const Sock *sock, SockFailure *failure)
{
	sock->ops->failure(sock, failure);
}

void
sock_close(Sock *sock)
{
	if (sock->fd == PGINVALID_SOCKET)
		return;
	sock->ops->close(sock);
	sock->fd = PGINVALID_SOCKET;
}
