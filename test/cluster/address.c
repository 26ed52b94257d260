/*
 * address.c: what a node is called in configurations: nothing (clients use the address they came by), a name, and
 * names in other networks.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

static void
alternate_free(Alternate *a)
{
	free(a->network);
	free(a->hostname);
	free(a->ports);
	free(a);
}

void
node_set_hostname(Node *n, const char *hostname)
{
	free(n->hostname);
	n->hostname = hostname != NULL && *hostname != '\0' ? xstrdup(hostname) : NULL;
}

void
node_set_alternate(Node *n, const char *network, const char *hostname, bool with_ports, const char *ports)
{
	Alternate **at = &n->alternates;
	Alternate  *a;

	while (*at != NULL && strcmp((*at)->network, network) != 0)
		at = &(*at)->next;
	if (*at != NULL)
	{
		a = *at;
		*at = a->next;
		alternate_free(a);
	}
	if (hostname == NULL || *hostname == '\0')
		return;
	a = xcalloc(1, sizeof(*a));
	a->network = xstrdup(network);
	a->hostname = xstrdup(hostname);
	a->with_ports = with_ports;
	a->ports = ports != NULL ? xstrdup(ports) : NULL;
	a->next = *at;
	*at = a;
}

void
node_forget_addresses(Node *n)
{
	node_set_hostname(n, NULL);
	while (n->alternates != NULL)
		node_set_alternate(n, n->alternates->network, NULL, false, NULL);
}
