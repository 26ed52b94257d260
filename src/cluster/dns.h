/*
 * dns.h
 *		Addresses of a host name, and the hosts of an SRV record, by c-ares, without blocking. Nothing here waits or
 *		throws.
 */
#ifndef CBCONN_DNS_H
#define CBCONN_DNS_H

#include "postgres.h"

#include "sock.h"
#include "wait.h"

/* More SRV records of one name than these are not used. */
#define DNS_MAX_HOSTS		1024
/* More addresses of one name than these are not tried. */
#define DNS_MAX_ADDRESSES	16
/* Sockets that one query has open at a time, at most. */
#define DNS_MAX_SOCKETS		16

typedef struct DnsQuery DnsQuery;

/*
 * The address that host spells out (with %zone for IPv6), without any look-up; false when it is a name.
 */
extern bool dns_numeric(const char *host, uint16 port, SockAddress *address);

/*
 * Starts a look-up. family: AF_UNSPEC, AF_INET or AF_INET6; timeout in microseconds bounds one try of one server;
 * servers: a list as in the option dns_servers, NULL: the system's. The query may be over at once. NULL when out of
 * memory or when the resolver cannot be set up.
 */
extern DnsQuery *dns_start(const char *host, uint16 port, int family, int64 timeout, const char *servers);

/* The same for the SRV records of a name such as _couchbase._tcp.example.com; search: in the system's domains too. */
extern DnsQuery *dns_srv_start(const char *name, bool search, int64 timeout, const char *servers);

/* Whether the answer is final that there are no such records, or none that offers the service. */
extern bool dns_srv_none(const DnsQuery *query);

/* The hosts found, without duplicates; owned by the query. */
typedef struct DnsHost
{
	char	   *host;			/* no final dot */
	uint16		port;
} DnsHost;

extern int	dns_srv_hosts(const DnsQuery *query, const DnsHost **hosts);

extern bool dns_done(const DnsQuery *query);

/* Static text why nothing was found, or NULL. */
extern const char *dns_failure(const DnsQuery *query);

/* Copies the addresses found in order of preference; returns how many. */
extern int	dns_addresses(const DnsQuery *query, SockAddress *addresses, int max);

/* Sockets to wait for, at most DNS_MAX_SOCKETS; and the time (wait_now) when dns_step wants to be called anyway. */
extern int	dns_wait_items(const DnsQuery *query, WaitItem *items);
extern int64 dns_deadline(const DnsQuery *query);

/* Goes on after a wait: items as dns_wait_items gave them, or none. */
extern void dns_step(DnsQuery *query, const WaitItem *items, int nitems);

extern void dns_free(DnsQuery *query);

#endif							/* CBCONN_DNS_H */
