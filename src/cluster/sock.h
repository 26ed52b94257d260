/*
 * sock.h
 *		Non-blocking stream sockets, plain or with another stream on top (tls.h), counted with AcquireExternalFD (W3).
 *		Nothing here waits or throws.
 */
#ifndef CBCONN_SOCK_H
#define CBCONN_SOCK_H

#include "postgres.h"

#include <sys/socket.h>

typedef struct Sock Sock;

/* What sock_recv and sock_send return besides a number of bytes. */
#define SOCK_AGAIN	0			/* wait first */
#define SOCK_EOF	(-1)		/* closed by the peer */
#define SOCK_ERROR	(-2)		/* sock_failure says why */

/* Why a socket does not work. */
typedef struct SockFailure
{
	int			sqlstate;
	bool		fatal;			/* no other node can mend it */
	const char *hint;			/* static, or NULL */
	char		text[320];		/* as in KvFailure */
} SockFailure;

/* How bytes pass: the place where an encrypted stream takes over from the plain one. */
typedef struct SockOps
{
	ssize_t		(*recv) (Sock *sock, void *data, size_t len);
	ssize_t		(*send) (Sock *sock, const void *data, size_t len);
	bool		(*pending) (const Sock *sock);
	void		(*failure) (const Sock *sock, SockFailure *failure);
	void		(*close) (Sock *sock);
} SockOps;

struct Sock
{
	pgsocket	fd;				/* PGINVALID_SOCKET: not open */
	uint64		serial;			/* for WaitItem */
	const SockOps *ops;
	void	   *stream;			/* of ops */
	bool		wants_write;	/* reading goes on when the socket is writable */
};

typedef struct SockAddress
{
	struct sockaddr_storage addr;
	socklen_t	len;
} SockAddress;

typedef struct SockOptions
{
	bool		nodelay;
	bool		keepalive;
	int			keepalive_idle; /* seconds */
} SockOptions;

extern void sock_init(Sock *sock);

/* Starts to connect. 0: under way, wait until writable; else an errno. */
extern int	sock_connect(Sock *sock, const SockAddress *address, const SockOptions *options);

/* After the socket became writable: 0 when connected, else an errno. */
extern int	sock_connected(Sock *sock);

extern ssize_t sock_recv(Sock *sock, void *data, size_t len);
extern ssize_t sock_send(Sock *sock, const void *data, size_t len);

/* Whether a read may give something that waiting for the socket would not tell. */
extern bool sock_pending(const Sock *sock);

/* Whether the peer has closed an open socket, or it broke, as far as the system knows; never waits. */
extern bool sock_is_dead(const Sock *sock);

/* The reason for the last SOCK_ERROR, before anything else is called. */
extern void sock_failure(const Sock *sock, SockFailure *failure);

/* Closes without a word to the peer; harmless when not open. */
extern void sock_close(Sock *sock);

#endif							/* CBCONN_SOCK_H */
