/*
 * dns.c
 *		A and AAAA look-ups through c-ares, /etc/hosts included. The system's resolver functions are never called:
 *		they cannot be interrupted.
 *
 * Everything inside c-ares' callbacks is plain C that cannot fail: an error thrown from there would leave its
 * channel half way.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>

#include "dns_query.h"
#include "port/pg_bswap.h"
#include "storage/fd.h"

/* Answers up to this size come over UDP; it fits into every network's packets. */
#define EDNS_SIZE	1232

static void
set_port(SockAddress *address, uint16 port)
{
	if (address->addr.ss_family == AF_INET6)
		((struct sockaddr_in6 *) &address->addr)->sin6_port = pg_hton16(port);
	else
		((struct sockaddr_in *) &address->addr)->sin_port = pg_hton16(port);
}

bool
dns_numeric(const char *host, uint16 port, SockAddress *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) &address->addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) &address->addr;
	char		text[INET6_ADDRSTRLEN];
	const char *zone = strchr(host, '%');
	size_t		len = zone ? (size_t) (zone - host) : strlen(host);

	memset(address, 0, sizeof(*address));
	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';

	if (zone == NULL && inet_pton(AF_INET, text, &v4->sin_addr) == 1)
	{
		v4->sin_family = AF_INET;
		address->len = sizeof(*v4);
	}
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
	{
		v6->sin6_family = AF_INET6;
		address->len = sizeof(*v6);
		if (zone != NULL)
			v6->sin6_scope_id = if_nametoindex(zone + 1);
	}
	else
		return false;
	set_port(address, port);
	return true;
}

/* c-ares tells which sockets it has and what it wants of them; neither: it is about to close it. */
static void
cbconnDnsSocketState(void *arg, ares_socket_t fd, int readable, int writable)
{
	DnsQuery   *query = arg;
	uint32		events = (readable ? WL_SOCKET_READABLE : 0) | (writable ? WL_SOCKET_WRITEABLE : 0);
	int			i;

	for (i = 0; i < query->nsockets; i++)
	{
		if (query->sockets[i].fd == fd)
			break;
	}
	if (i == query->nsockets)
	{
		/* One more than the array holds still makes progress by its time-out. */
		if (events == 0 || i == DNS_MAX_SOCKETS)
			return;
		ReserveExternalFD();
		query->sockets[i].fd = fd;
		query->sockets[i].serial = wait_serial();
		query->nsockets++;
	}
	query->sockets[i].events = events;
	if (events == 0)
	{
		ReleaseExternalFD();
		query->sockets[i] = query->sockets[--query->nsockets];
	}
}

static void
cbconnDnsAnswer(void *arg, int status, int timeouts, struct ares_addrinfo *answer)
{
	DnsQuery   *query = arg;

	query->done = true;
	query->status = status;
	if (answer == NULL)
		return;
	for (struct ares_addrinfo_node *node = answer->nodes; node != NULL; node = node->ai_next)
	{
		SockAddress *address = &query->addresses[query->naddresses];

		if (query->naddresses == DNS_MAX_ADDRESSES)
			break;
		if ((node->ai_family != AF_INET && node->ai_family != AF_INET6) ||
			node->ai_addrlen > sizeof(address->addr))
			continue;
		memset(address, 0, sizeof(*address));
		memcpy(&address->addr, node->ai_addr, node->ai_addrlen);
		address->len = node->ai_addrlen;
		set_port(address, query->port);
		query->naddresses++;
	}
	ares_freeaddrinfo(answer);
}

DnsQuery *
dns_query_create(int64 timeout, const char *servers)
{
	DnsQuery   *query = calloc(1, sizeof(DnsQuery));
	struct ares_options options;

	if (query == NULL)
		return NULL;
	memset(&options, 0, sizeof(options));
	options.flags = ARES_FLAG_EDNS;
	options.ednspsz = EDNS_SIZE;
	options.sock_state_cb = cbconnDnsSocketState;
	options.sock_state_cb_data = query;
	options.timeout = (int) Max(timeout / 1000, 100);
	options.tries = 3;
	if (ares_init_options(&query->channel, &options,
						  ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS |
						  ARES_OPT_EDNSPSZ) != ARES_SUCCESS)
	{
		free(query);
		return NULL;
	}
	if (servers != NULL && ares_set_servers_ports_csv(query->channel, servers) != ARES_SUCCESS)
	{
		dns_free(query);
		return NULL;
	}
	return query;
}

DnsQuery *
dns_start(const char *host, uint16 port, int family, int64 timeout, const char *servers)
{
	DnsQuery   *query = dns_query_create(timeout, servers);
	struct ares_addrinfo_hints hints;

	if (query == NULL)
		return NULL;
	query->port = port;
	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family;
	hints.ai_socktype = SOCK_STREAM;
	ares_getaddrinfo(query->channel, host, NULL, &hints, cbconnDnsAnswer, query);
	return query;
}

bool
dns_done(const DnsQuery *query)
{
	return query->done;
}

const char *
dns_failure(const DnsQuery *query)
{
	if (query->naddresses > 0 || query->nhosts > 0)
		return NULL;
	if (query->status == ARES_SUCCESS)
		return query->srv ? "no record offers the service" : "the name has no address";
	/* c-ares says that it could not reach them, even if they answered that they failed or refuse. */
	if (query->status == ARES_ECONNREFUSED)
		return "no name server could be reached or would answer";
	return ares_strerror(query->status);
}

int
dns_addresses(const DnsQuery *query, SockAddress *addresses, int max)
{
	int			n = Min(max, query->naddresses);

	memcpy(addresses, query->addresses, sizeof(SockAddress) * n);
	return n;
}

int
dns_wait_items(const DnsQuery *query, WaitItem *items)
{
	for (int i = 0; i < query->nsockets; i++)
	{
		items[i].fd = query->sockets[i].fd;
		items[i].events = query->sockets[i].events;
		items[i].serial = query->sockets[i].serial;
		items[i].ready = 0;
	}
	return query->nsockets;
}

int64
dns_deadline(const DnsQuery *query)
{
	struct timeval tv;

	if (query->done || ares_timeout(query->channel, NULL, &tv) == NULL)
		return WAIT_FOREVER;
	return wait_now() + (int64) tv.tv_sec * 1000000 + tv.tv_usec;
}

void
dns_step(DnsQuery *query, const WaitItem *items, int nitems)
{
	bool		any = false;

	for (int i = 0; i < nitems && !query->done; i++)
	{
		if (items[i].ready == 0)
			continue;
		any = true;
		ares_process_fd(query->channel,
						items[i].ready & WL_SOCKET_READABLE ? items[i].fd : ARES_SOCKET_BAD,
						items[i].ready & WL_SOCKET_WRITEABLE ? items[i].fd : ARES_SOCKET_BAD);
	}
	if (!any && !query->done)
		ares_process_fd(query->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void
dns_free(DnsQuery *query)
{
	if (query == NULL)
		return;
	/* Calls back for what is still open: the query must live until then. */
	ares_destroy(query->channel);
	while (query->nsockets > 0)
	{
		query->nsockets--;
		ReleaseExternalFD();
	}
	for (int i = 0; i < query->nhosts; i++)
		free(query->hosts[i].host);
	free(query->hosts);
	free(query);
}
