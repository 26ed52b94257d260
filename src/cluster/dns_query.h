/*
 * dns_query.h
 *		A query under way, between dns.c and dns_srv.c.
 */
#ifndef CBCONN_DNS_QUERY_H
#define CBCONN_DNS_QUERY_H

#include "postgres.h"

/* The calls that c-ares 1.18 has; 1.28 and later have others beside them. */
#define CARES_NO_DEPRECATED
#include <ares.h>

#include "dns.h"

typedef struct DnsSocket
{
	pgsocket	fd;
	uint32		events;
	uint64		serial;
} DnsSocket;

struct DnsQuery
{
	ares_channel channel;
	uint16		port;
	bool		srv;			/* of SRV records, else of addresses */
	bool		done;
	int			status;			/* of c-ares, once done */
	int			naddresses;
	SockAddress addresses[DNS_MAX_ADDRESSES];
	int			nhosts;
	DnsHost    *hosts;
	int			nsockets;
	DnsSocket	sockets[DNS_MAX_SOCKETS];
};

/* A query that asks nothing yet; NULL as for dns_start. */
extern DnsQuery *dns_query_create(int64 timeout, const char *servers);

#endif							/* CBCONN_DNS_QUERY_H */
