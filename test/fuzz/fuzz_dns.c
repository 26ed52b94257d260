/*
 * fuzz_dns.c
 *		DNS answers, through c-ares into the callbacks of src/cluster/dns.c and dns_srv.c, over
 *		sockets that are not there: what was asked is answered with the input.
 *
 * First byte of the input: bit 0: SRV records, else addresses; bit 1: the answer has the
 * header and the question of what was asked in front, then as many records as the next byte
 * says, else the identifier only; bit 2: the answer is cut, so that it is asked for by TCP.
 */
#include "../../src/cluster/dns.c"
#include "../../src/cluster/dns_srv.c"

#include <strings.h>

#include "fuzz.h"

#define FIRST_FD	1000
#define MAX_FDS		64
#define MAX_QUESTION 300
#define MAX_QUESTIONS 8			/* of one socket that wait for their answers */

/* ---- what of the server the two files use ---- */

static int	reserved;

void
ReserveExternalFD(void)
{
	reserved++;
}

void
ReleaseExternalFD(void)
{
	reserved--;
}

uint64
wait_serial(void)
{
	return 0;
}

int64
wait_now(void)
{
	return 0;
}

int
pg_strcasecmp(const char *a, const char *b)
{
	return strcasecmp(a, b);
}

/* ---- sockets that answer ---- */

typedef struct Question
{
	uint8_t		bytes[MAX_QUESTION];
	size_t		size;
} Question;

typedef struct FakeSocket
{
	bool		tcp;
	Question	questions[MAX_QUESTIONS];
	int			nquestions;
	uint8_t		answer[70000];	/* being read */
	size_t		size;
	size_t		read;
} FakeSocket;

static const uint8_t *input;
static size_t input_size;
static uint8_t mode;
static FakeSocket sockets[MAX_FDS];
static int	nfds;

static ares_socket_t
fake_socket(int family, int type, int protocol, void *arg)
{
	(void) family;
	(void) protocol;
	(void) arg;
	if (nfds == MAX_FDS)
		return ARES_SOCKET_BAD;
	sockets[nfds].tcp = type == SOCK_STREAM;
	sockets[nfds].nquestions = 0;
	sockets[nfds].size = sockets[nfds].read = 0;
	return FIRST_FD + nfds++;
}

static int
fake_close(ares_socket_t fd, void *arg)
{
	(void) fd;
	(void) arg;
	return 0;
}

static int
fake_connect(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t len, void *arg)
{
	(void) fd;
	(void) address;
	(void) len;
	(void) arg;
	return 0;
}

/* The answer to the first question that waits. */
static void
compose(FakeSocket *sock)
{
	const Question *question = &sock->questions[0];
	uint8_t    *out = sock->answer + (sock->tcp ? 2 : 0);
	const uint8_t *from = input;
	size_t		size = 2;
	size_t		rest = input_size;

	memcpy(out, question->bytes, question->size);
	if ((mode & 2) && rest > 0)
	{
		/* Answered, recursion available, as many records as the input says; without the question's EDNS record. */
		out[2] = 0x81 | ((mode & 4) && !sock->tcp ? 0x02 : 0);
		out[3] = 0x80;
		out[7] = *from++;
		rest--;
		out[6] = out[8] = out[9] = out[10] = out[11] = 0;
		size = question->size - 11;
	}
	rest = Min(rest, sizeof(sock->answer) - 2 - size);
	memcpy(out + size, from, rest);
	size += rest;
	if (sock->tcp)
	{
		sock->answer[0] = (uint8_t) (size >> 8);
		sock->answer[1] = (uint8_t) size;
		size += 2;
	}
	sock->size = size;
	sock->read = 0;
	memmove(&sock->questions[0], &sock->questions[1], sizeof(Question) * (size_t) --sock->nquestions);
}

static ares_ssize_t
fake_send(ares_socket_t fd, const struct iovec *parts, int nparts, void *arg)
{
	FakeSocket *sock = &sockets[fd - FIRST_FD];
	Question   *question = &sock->questions[sock->nquestions];
	size_t		skip = sock->tcp ? 2 : 0;
	ares_ssize_t total = 0;

	(void) arg;
	if (sock->nquestions == MAX_QUESTIONS)
	{
		errno = EAGAIN;
		return -1;
	}
	question->size = 0;
	for (int p = 0; p < nparts; p++)
	{
		const uint8_t *bytes = parts[p].iov_base;

		for (size_t i = 0; i < parts[p].iov_len; i++)
		{
			if (skip > 0)
				skip--;
			else if (question->size < MAX_QUESTION)
				question->bytes[question->size++] = bytes[i];
		}
		total += (ares_ssize_t) parts[p].iov_len;
	}
	if (question->size > 12 + 11)
		sock->nquestions++;
	return total;
}

static ares_ssize_t
fake_receive(ares_socket_t fd, void *to, size_t size, int flags, struct sockaddr *from, ares_socklen_t *fromlen,
			 void *arg)
{
	FakeSocket *sock = &sockets[fd - FIRST_FD];
	size_t		n;

	(void) flags;
	(void) arg;
	if (sock->read == sock->size && sock->nquestions > 0)
		compose(sock);
	n = Min(sock->size - sock->read, size);
	if (n == 0)
	{
		errno = EAGAIN;
		return -1;
	}
	if (from != NULL && fromlen != NULL && *fromlen >= (ares_socklen_t) sizeof(struct sockaddr_in))
	{
		struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53)};

		server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		memcpy(from, &server, sizeof(server));
		*fromlen = sizeof(server);
	}
	memcpy(to, sock->answer + sock->read, n);
	/* What does not fit is lost of a datagram. */
	sock->read = sock->tcp ? sock->read + n : sock->size;
	return (ares_ssize_t) n;
}

static const struct ares_socket_functions functions = {
	fake_socket, fake_close, fake_connect, fake_receive, fake_send
};

/* ---- the target ---- */

static void
check(const DnsQuery *query)
{
	EXPECT(query->naddresses >= 0 && query->naddresses <= DNS_MAX_ADDRESSES);
	EXPECT(query->nhosts >= 0 && query->nhosts <= DNS_MAX_HOSTS);
	EXPECT(query->nsockets >= 0 && query->nsockets <= DNS_MAX_SOCKETS);
	for (int i = 0; i < query->naddresses; i++)
	{
		int			family = query->addresses[i].addr.ss_family;

		EXPECT((family == AF_INET && query->addresses[i].len == sizeof(struct sockaddr_in)) ||
			   (family == AF_INET6 && query->addresses[i].len == sizeof(struct sockaddr_in6)));
	}
	for (int i = 0; i < query->nhosts; i++)
	{
		CbSpan		name = cb_span_cstr(query->hosts[i].host);

		EXPECT(query->hosts[i].port != 0);
		EXPECT(cb_host_name_problem(name) == NULL || cb_is_ipv4(name));
		for (int j = 0; j < i; j++)
			EXPECT(query->hosts[i].port != query->hosts[j].port ||
				   strcasecmp(query->hosts[i].host, query->hosts[j].host) != 0);
	}
	if (query->done)
		EXPECT((dns_failure(query) == NULL) == (query->naddresses > 0 || query->nhosts > 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	DnsQuery   *query = dns_query_create(1000000, "127.0.0.1:53");
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	WaitItem	items[DNS_MAX_SOCKETS];

	EXPECT(query != NULL);
	mode = size > 0 ? data[0] : 0;
	input = size > 0 ? data + 1 : data;
	input_size = size > 0 ? size - 1 : 0;
	nfds = 0;
	ares_set_socket_functions(query->channel, &functions, NULL);
	query->srv = (mode & 1) != 0;
	if (query->srv)
		ares_query(query->channel, "_couchbase._tcp.db.test", ns_c_in, ns_t_srv, cbconnSrvAnswer, query);
	else
		ares_getaddrinfo(query->channel, "db.test", NULL, &hints, cbconnDnsAnswer, query);
	for (int round = 0; round < 8 && !dns_done(query); round++)
	{
		int			n = dns_wait_items(query, items);

		for (int i = 0; i < n; i++)
			items[i].ready = items[i].events;
		check(query);
		if (n > 0)
			dns_step(query, items, n);
	}
	check(query);
	dns_free(query);
	EXPECT(reserved == 0);
	return 0;
}
