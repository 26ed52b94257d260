/*
 * sock.h
 *		Non-blocking stream sockets, counted with AcquireExternalFD (W3). Nothing here waits or throws.
 */
#ifndef CBCONN_SOCK_H
#define CBCONN_SOCK_H

#include "postgres.h"

#include <sys/socket.h>

typedef struct Sock Sock;

/* What sock_recv and sock_send return besides a number of bytes. */
#define SOCK_AGAIN	0			/* wait first */
#define SOCK_EOF	(-1)		/* closed by the peer */
#define SOCK_ERROR	(-2)		/* errno says why */

/* How bytes pass: the place where an encrypted stream takes over from the plain one. */
typedef struct SockOps
{
	ssize_t		(*recv) (Sock *sock, void *data, size_t len);
	ssize_t		(*send) (Sock *sock, const void *data, size_t len);
	void		(*close) (Sock *sock);
} SockOps;

struct Sock
{
	pgsocket	fd;				/* PGINVALID_SOCKET: not open */
	uint64		serial;			/* for WaitItem */
	const SockOps *ops;
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

/* Closes without a word to the peer; harmless when not open. */
extern void sock_close(Sock *sock);

#endif							/* CBCONN_SOCK_H */
