/*
 * address.h
 *		Spelling of host names and IP addresses.
 */
#ifndef CB_ADDRESS_H
#define CB_ADDRESS_H

#include "base.h"

/* Dotted quad of four decimal numbers without leading zeros. */
extern bool cb_is_ipv4(CbSpan text);

/* RFC 4291 text form, without brackets and zone. */
extern bool cb_is_ipv6(CbSpan text);

/* Comma-separated addresses, each IPV4, IPV4:PORT, IPV6, or [IPV6]:PORT; not empty. */
extern bool cb_is_address_list(CbSpan text);

/*
 * NULL if text can be a DNS host name (a final dot is allowed), else what is wrong with
 * it: static text that continues "host name "x" ...".
 */
extern const char *cb_host_name_problem(CbSpan text);

#endif
