/*
 * dns_srv.c
 *		SRV look-ups through c-ares (RFC 2782), which repeats truncated answers over TCP. Priorities and weights do
 *		not count: every host is a way into the cluster.
 */
#include "postgres.h"

#include <arpa/nameser.h>

#include "dns_query.h"
#include "../protocol/address.h"

static bool
is_known(const DnsQuery *query, const char *host, uint16 port)
{
	for (int i = 0; i < query->nhosts; i++)
	{
		if (query->hosts[i].port == port && pg_strcasecmp(query->hosts[i].host, host) == 0)
			return true;
	}
	return false;
}

/* Takes a record over if it names a host; target "." says that the service is not offered. False: out of memory. */
static bool
add_host(DnsQuery *query, const struct ares_srv_reply *record)
{
	size_t		len = strlen(record->host);
	CbSpan		name;
	char	   *host;

	if (len > 0 && record->host[len - 1] == '.')
		len--;
	name = cb_span(record->host, len);
	if (record->port == 0 || (cb_host_name_problem(name) != NULL && !cb_is_ipv4(name)))
		return true;
	host = strndup(record->host, len);
	if (host == NULL)
		return false;
	if (is_known(query, host, record->port))
	{
		free(host);
		return true;
	}
	query->hosts[query->nhosts].host = host;
	query->hosts[query->nhosts].port = record->port;
	query->nhosts++;
	return true;
}

static void
cbconnSrvAnswer(void *arg, int status, int timeouts, unsigned char *answer, int len)
{
	DnsQuery   *query = arg;
	struct ares_srv_reply *records = NULL;
	int			count = 0;

	query->done = true;
	if (status == ARES_SUCCESS)
		status = ares_parse_srv_reply(answer, len, &records);
	for (struct ares_srv_reply *record = records; record != NULL && count < DNS_MAX_HOSTS; record = record->next)
		count++;
	if (count > 0)
	{
		query->hosts = calloc(count, sizeof(DnsHost));
		if (query->hosts == NULL)
			status = ARES_ENOMEM;
	}
	for (struct ares_srv_reply *record = records; status == ARES_SUCCESS && count > 0; record = record->next, count--)
	{
		if (!add_host(query, record))
			status = ARES_ENOMEM;
	}
	query->status = status;
	ares_free_data(records);
}

DnsQuery *
dns_srv_start(const char *name, bool search, int64 timeout, const char *servers)
{
	DnsQuery   *query = dns_query_create(timeout, servers);

	if (query == NULL)
		return NULL;
	query->srv = true;
	(search ? ares_search : ares_query) (query->channel, name, ns_c_in, ns_t_srv, cbconnSrvAnswer, query);
	return query;
}

bool
dns_srv_none(const DnsQuery *query)
{
	return query->done && query->nhosts == 0 &&
		(query->status == ARES_SUCCESS || query->status == ARES_ENOTFOUND || query->status == ARES_ENODATA);
}

int
dns_srv_hosts(const DnsQuery *query, const DnsHost **hosts)
{
	*hosts = query->hosts;
	return query->nhosts;
}
