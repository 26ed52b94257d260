/*
 * connstr.c
 *		Parser of connection strings.
 *
 * The string is split first and decoded afterwards, so that an encoded
 * delimiter is never taken for one.
 */
#include "connstr.h"

#include "address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BUCKET_MAX_LENGTH	100
#define ZONE_MAX_LENGTH		15		/* as Linux names network interfaces */
#define PORT_KV				11210
#define PORT_KV_TLS			11207
#define PORT_MGMT			8091
#define PORT_MGMT_TLS		18091

static CbResult
nomem(CbError *err)
{
	return cb_error_set(err, CB_NOMEM, NULL, "out of memory");
}

/* Length for "%.*s" of a part that a message quotes. */
static int
shown(CbSpan part)
{
	CbSpan		cut = {part.data, part.len > 100 ? 100 : part.len};

	return (int) cb_utf8_valid_prefix(cut);
}

static CbSpan
trim(CbSpan span)
{
	while (span.len > 0 && (span.data[0] == ' ' || span.data[0] == '\t'))
	{
		span.data++;
		span.len--;
	}
	while (span.len > 0 && (span.data[span.len - 1] == ' ' || span.data[span.len - 1] == '\t'))
		span.len--;
	return span;
}

static size_t
find(CbSpan span, const char *chars)
{
	size_t		i = 0;

	while (i < span.len && strchr(chars, span.data[i]) == NULL)
		i++;
	return i;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Percent-decode part into a malloc'd string. what: the part's name for messages,
 * which do not repeat its contents.
 */
static CbResult
decode(CbSpan part, const char *what, char **out, CbError *err)
{
	char	   *text = malloc(part.len + 1);
	size_t		n = 0;

	if (text == NULL)
		return nomem(err);
	for (size_t i = 0; i < part.len; i++)
	{
		int			c = part.data[i];

		if (c == '%')
		{
			int			high = i + 2 < part.len ? hex_digit(part.data[i + 1]) : -1;
			int			low = i + 2 < part.len ? hex_digit(part.data[i + 2]) : -1;

			if (high < 0 || low < 0)
			{
				free(text);
				return cb_error_set(err, CB_MALFORMED, "Write %25 for a percent sign.",
									"invalid percent escape in %s of connection string: "
									"expected two hexadecimal digits after \"%%\"", what);
			}
			c = high << 4 | low;
			i += 2;
		}
		if (c == 0)
		{
			free(text);
			return cb_error_set(err, CB_MALFORMED, NULL,
								"NUL character in %s of connection string", what);
		}
		text[n++] = (char) c;
	}
	text[n] = '\0';
	if (cb_utf8_valid_prefix(cb_span(text, n)) != n)
	{
		free(text);
		return cb_error_set(err, CB_MALFORMED, NULL,
							"%s of connection string is not valid UTF-8", what);
	}
	*out = text;
	return CB_OK;
}

/* ---- hosts ---- */

static CbResult
parse_port(CbSpan text, CbSpan item, uint16_t *port, CbError *err)
{
	unsigned	value = 0;
	bool		ok = text.len >= 1 && text.len <= 5;

	for (size_t i = 0; ok && i < text.len; i++)
	{
		ok = text.data[i] >= '0' && text.data[i] <= '9';
		value = value * 10 + (unsigned) (text.data[i] - '0');
	}
	if (!ok || value == 0 || value > UINT16_MAX)
		return cb_error_set(err, CB_MALFORMED, NULL,
							"invalid port \"%.*s\" in \"%.*s\": expected a number from 1 to 65535",
							shown(text), text.data, shown(item), item.data);
	*port = (uint16_t) value;
	return CB_OK;
}

static CbResult
parse_proto(CbSpan text, CbSpan item, bool tls, CbHostProto *proto, CbError *err)
{
	static const struct
	{
		const char *name;
		CbHostProto proto;
		CbHostProto proto_tls;
	}			names[] = {
		{"kv", CB_PROTO_KV, CB_PROTO_KV_TLS},
		{"mcd", CB_PROTO_KV, CB_PROTO_KV_TLS},
		{"cccp", CB_PROTO_KV, CB_PROTO_KV_TLS},
		{"gcccp", CB_PROTO_KV, CB_PROTO_KV_TLS},
		{"mcds", CB_PROTO_KV_TLS, CB_PROTO_KV_TLS},
		{"manager", CB_PROTO_HTTP, CB_PROTO_HTTPS},
		{"http", CB_PROTO_HTTP, CB_PROTO_HTTP},
		{"https", CB_PROTO_HTTPS, CB_PROTO_HTTPS},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strlen(names[i].name) == text.len &&
			strncasecmp(names[i].name, (const char *) text.data, text.len) == 0)
		{
			*proto = tls ? names[i].proto_tls : names[i].proto;
			if (tls && *proto == CB_PROTO_HTTP)
				return cb_error_set(err, CB_MALFORMED, "Write https.",
									"protocol \"http\" in \"%.*s\" contradicts the scheme couchbases",
									shown(item), item.data);
			return CB_OK;
		}
	}
	return cb_error_set(err, CB_MALFORMED, NULL,
						"unknown protocol \"%.*s\" in \"%.*s\": expected kv, mcd, cccp, gcccp, "
						"mcds, http, https or manager",
						shown(text), text.data, shown(item), item.data);
}

static bool
is_zone(const char *zone)
{
	size_t		len = strlen(zone);

	for (size_t i = 0; i < len; i++)
	{
		if (zone[i] <= ' ' || zone[i] > '~' || zone[i] == '/')
			return false;
	}
	return len <= ZONE_MAX_LENGTH;
}

/* "[" ipv6 [ "%25" zone ] "]" at the start of item; *rest follows it. */
static CbResult
parse_bracketed(CbSpan item, CbConnHost *host, CbSpan *rest, CbError *err)
{
	size_t		close = find(item, "]");
	CbSpan		address;
	CbSpan		zone;
	size_t		percent;

	if (close == item.len)
		return cb_error_set(err, CB_MALFORMED, NULL,
							"missing \"]\" after IPv6 address in \"%.*s\"",
							shown(item), item.data);
	address = cb_span(item.data + 1, close - 1);
	*rest = cb_span(item.data + close + 1, item.len - close - 1);
	percent = find(address, "%");
	zone = cb_span(address.data + percent, address.len - percent);
	address.len = percent;
	if (!cb_is_ipv6(address))
		return cb_error_set(err, CB_MALFORMED, NULL,
							"expected an IPv6 address between the brackets of \"%.*s\"",
							shown(item), item.data);
	if (zone.len > 0)
	{
		if (zone.len < 4 || memcmp(zone.data, "%25", 3) != 0)
			return cb_error_set(err, CB_MALFORMED, NULL,
								"invalid zone in \"%.*s\": expected %%25 and a zone name",
								shown(item), item.data);
		zone.data += 3;
		zone.len -= 3;
		if (decode(zone, "IPv6 zone", &host->zone, err) != CB_OK)
			return err == NULL ? CB_MALFORMED : err->result;
		if (!is_zone(host->zone))
			return cb_error_set(err, CB_MALFORMED, NULL,
								"invalid zone in \"%.*s\": expected the name of a network interface",
								shown(item), item.data);
	}
	host->kind = CB_HOST_IPV6;
	host->host = cb_span_dup(address);
	return host->host == NULL ? nomem(err) : CB_OK;
}

static CbResult
parse_plain_host(CbSpan item, CbConnHost *host, CbSpan *rest, CbError *err)
{
	size_t		len = find(item, ":=");
	CbSpan		name = {item.data, len};
	const char *problem;

	*rest = cb_span(item.data + len, item.len - len);
	if (len == 0)
		return cb_error_set(err, CB_MALFORMED, NULL,
							"missing host name before \"%.*s\"", shown(item), item.data);
	if (cb_is_ipv4(name))
		host->kind = CB_HOST_IPV4;
	else if ((problem = cb_host_name_problem(name)) != NULL)
		return cb_error_set(err, CB_MALFORMED, NULL, "host name \"%.*s\" %s",
							shown(name), name.data, problem);
	host->host = cb_span_dup(name);
	return host->host == NULL ? nomem(err) : CB_OK;
}

/* Refuse management ports where the data service is meant. */
static CbResult
check_port(const CbConnStr *connstr, CbConnHost *host, CbSpan item, CbError *err)
{
	bool		management = host->port == PORT_MGMT || host->port == PORT_MGMT_TLS;

	if (host->proto != CB_PROTO_DEFAULT)
		return CB_OK;
	if (host->port == PORT_MGMT && (!connstr->has_scheme || connstr->scheme == CB_SCHEME_HTTP))
	{
		host->port = 0;
		return CB_OK;
	}
	if (management)
		return cb_error_set(err, CB_MALFORMED,
							host->port == PORT_MGMT_TLS && !connstr->tls ?
							"Leave the port out, and use the scheme couchbases for TLS." :
							"Leave the port out.",
							"port %u in \"%.*s\" is for management, not for data",
							(unsigned) host->port, shown(item), item.data);
	if (connstr->scheme == CB_SCHEME_HTTP && host->port != 0)
		host->proto = CB_PROTO_HTTP;
	return CB_OK;
}

static CbResult
parse_item(const CbConnStr *connstr, CbSpan item, CbConnHost *host, CbError *err)
{
	CbSpan		rest = CB_SPAN_EMPTY;
	CbResult	result;
	size_t		colons = 0;

	for (size_t i = 0; i < item.len; i++)
		colons += item.data[i] == ':';
	if (item.data[0] != '[' && colons > 1)
		return cb_error_set(err, CB_MALFORMED, "Write an IPv6 address as [::1] or [::1]:11210.",
							"too many colons in \"%.*s\": an IPv6 address goes between brackets",
							shown(item), item.data);
	if (item.data[0] == '[')
		result = parse_bracketed(item, host, &rest, err);
	else
		result = parse_plain_host(item, host, &rest, err);
	if (result != CB_OK || rest.len == 0)
		return result == CB_OK ? check_port(connstr, host, item, err) : result;
	if (rest.data[0] == '=')
		return cb_error_set(err, CB_MALFORMED, NULL,
							"protocol without a port in \"%.*s\": expected host:port=protocol",
							shown(item), item.data);
	if (rest.data[0] != ':')
		return cb_error_set(err, CB_MALFORMED, NULL,
							"unexpected \"%.*s\" after the address in \"%.*s\": expected \":\" and a port",
							shown(rest), rest.data, shown(item), item.data);
	rest.data++;
	rest.len--;
	colons = find(rest, "=");
	result = parse_port(cb_span(rest.data, colons), item, &host->port, err);
	if (result == CB_OK && colons < rest.len)
		result = parse_proto(cb_span(rest.data + colons + 1, rest.len - colons - 1), item,
							 connstr->tls, &host->proto, err);
	return result == CB_OK ? check_port(connstr, host, item, err) : result;
}

static CbResult
parse_hosts(CbSpan hosts, CbConnStr *connstr, CbError *err)
{
	while (hosts.len > 0)
	{
		size_t		len = find(hosts, ",;");
		CbSpan		item = trim(cb_span(hosts.data, len));
		CbConnHost *grown;
		CbResult	result;

		hosts.data += len < hosts.len ? len + 1 : len;
		hosts.len -= len < hosts.len ? len + 1 : len;
		if (item.len == 0)
			continue;
		if (connstr->nhosts == CB_CONNSTR_MAX_HOSTS)
			return cb_error_set(err, CB_LIMIT, NULL,
								"connection string names more than %d hosts",
								CB_CONNSTR_MAX_HOSTS);
		grown = realloc(connstr->hosts, (connstr->nhosts + 1) * sizeof(*grown));
		if (grown == NULL)
			return nomem(err);
		connstr->hosts = grown;
		grown[connstr->nhosts] = (CbConnHost) {0};
		result = parse_item(connstr, item, &grown[connstr->nhosts++], err);
		if (result != CB_OK)
			return result;
	}
	if (connstr->nhosts == 0)
		return cb_error_set(err, CB_MALFORMED,
							"Write connection strings like couchbase://host1,host2/bucket.",
							"connection string names no host");
	return CB_OK;
}

/* ---- scheme, bucket, options ---- */

/* Position of "://", or text.len. */
static size_t
find_scheme_end(CbSpan text)
{
	for (size_t i = 0; i + 2 < text.len; i++)
	{
		if (memcmp(text.data + i, "://", 3) == 0)
			return i;
	}
	return text.len;
}

static CbResult
parse_scheme(CbSpan *text, CbConnStr *connstr, CbError *err)
{
	static const char *const names[] = {"couchbase", "couchbases", "http", NULL};
	size_t		len = find_scheme_end(*text);
	CbSpan		scheme = {text->data, len};
	const char *closest;
	char		hint[80] = "";

	if (len == text->len || find(scheme, ",;/[") < len)
		return CB_OK;
	connstr->has_scheme = true;
	for (int i = 0; names[i] != NULL; i++)
	{
		if (strlen(names[i]) == len &&
			strncasecmp(names[i], (const char *) scheme.data, len) == 0)
		{
			connstr->scheme = (CbScheme) i;
			connstr->tls = connstr->scheme == CB_SCHEME_COUCHBASES;
			text->data += len + 3;
			text->len -= len + 3;
			return CB_OK;
		}
	}
	closest = cb_closest_name(scheme, names);
	if (cb_span_equal_cstr(scheme, "https"))
		closest = "couchbases";
	if (len > 7 && memcmp(scheme.data + len - 7, "+dnssrv", 7) == 0)
		snprintf(hint, sizeof(hint), "Ask for an SRV look-up by the option dnssrv=on.");
	else if (closest != NULL)
		snprintf(hint, sizeof(hint), "Perhaps you meant \"%s\".", closest);
	return cb_error_set(err, CB_MALFORMED, hint,
						"unknown scheme \"%.*s\" in connection string: expected couchbase, "
						"couchbases or http", shown(scheme), scheme.data);
}

static bool
is_pchar(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c != 0 && strchr("-._~%!$&'()*+,;=:", c) != NULL);
}

static CbResult
parse_bucket(CbSpan bucket, CbConnStr *connstr, CbError *err)
{
	CbResult	result;

	if (bucket.len == 0)
		return CB_OK;
	for (size_t i = 0; i < bucket.len; i++)
	{
		if (bucket.data[i] == '/')
			return cb_error_set(err, CB_MALFORMED,
								"A bucket name is one path element; write %2F for a slash in it.",
								"unexpected \"/\" in bucket name \"%.*s\" of connection string",
								shown(bucket), bucket.data);
		if (!is_pchar(bucket.data[i]))
			return cb_error_set(err, CB_MALFORMED,
								"Write other characters than letters, digits and -._~ percent-encoded.",
								"illegal character in bucket name \"%.*s\" of connection string",
								shown(bucket), bucket.data);
	}
	result = decode(bucket, "bucket name", &connstr->bucket, err);
	if (result == CB_OK && strlen(connstr->bucket) > BUCKET_MAX_LENGTH)
		return cb_error_set(err, CB_LIMIT, NULL,
							"bucket name of connection string is longer than %d bytes",
							BUCKET_MAX_LENGTH);
	return result;
}

static bool
is_option_name(CbSpan name)
{
	for (size_t i = 0; i < name.len; i++)
	{
		uint8_t		c = name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-'))
			return false;
	}
	return name.len > 0;
}

static CbResult
parse_option(CbSpan segment, CbConnStr *connstr, CbError *err)
{
	size_t		len = find(segment, "=");
	CbSpan		name = {segment.data, len};
	CbConnOption *grown;
	char		what[80];

	if (!is_option_name(name))
		return cb_error_set(err, CB_MALFORMED,
							"Names of options have letters, digits, \"_\", \".\" and \"-\".",
							len == 0 ? "missing option name before \"=\" in connection string%.*s" :
							"invalid option name \"%.*s\" in connection string",
							len == 0 ? 0 : shown(name), name.data);
	if (len == segment.len)
		return cb_error_set(err, CB_MALFORMED, NULL,
							"missing \"=\" after option \"%.*s\" of connection string",
							shown(name), name.data);
	grown = realloc(connstr->options, (connstr->noptions + 1) * sizeof(*grown));
	if (grown == NULL)
		return nomem(err);
	connstr->options = grown;
	grown = &grown[connstr->noptions++];
	*grown = (CbConnOption) {0};
	grown->name = cb_span_dup(name);
	if (grown->name == NULL)
		return nomem(err);
	snprintf(what, sizeof(what), "option \"%.50s\"", grown->name);
	return decode(cb_span(segment.data + len + 1, segment.len - len - 1), what,
				  &grown->value, err);
}

static CbResult
parse_options(CbSpan options, CbConnStr *connstr, CbError *err)
{
	while (options.len > 0)
	{
		size_t		len = find(options, "&");
		CbSpan		segment = {options.data, len};
		CbResult	result;

		options.data += len < options.len ? len + 1 : len;
		options.len -= len < options.len ? len + 1 : len;
		if (segment.len == 0)
			continue;
		result = parse_option(segment, connstr, err);
		if (result != CB_OK)
			return result;
	}
	return CB_OK;
}

static CbResult
parse_all(CbSpan text, CbConnStr *connstr, CbError *err)
{
	size_t		question;
	size_t		slash;
	CbSpan		options = CB_SPAN_EMPTY;
	CbSpan		bucket = CB_SPAN_EMPTY;
	CbResult	result;

	if (find(text, "#") < text.len)
		return cb_error_set(err, CB_MALFORMED, "Write %23 for \"#\" in a value.",
							"unexpected \"#\": a connection string has no fragment");
	question = find(text, "?");
	if (question < text.len)
		options = cb_span(text.data + question + 1, text.len - question - 1);
	text.len = question;
	result = parse_scheme(&text, connstr, err);
	if (result != CB_OK)
		return result;
	if (find_scheme_end(text) < text.len)
		return cb_error_set(err, CB_MALFORMED, "The scheme is written once, before the first host.",
							"unexpected \"://\" among the hosts of connection string");
	/* Before anything is quoted: what stands there may be a password. */
	if (find(text, "@") < text.len)
		return cb_error_set(err, CB_MALFORMED,
							"Set user name and password in the user mapping.",
							"connection string must not contain a user name or password before a host");
	slash = find(text, "/");
	if (slash < text.len)
		bucket = cb_span(text.data + slash + 1, text.len - slash - 1);
	result = parse_hosts(cb_span(text.data, slash), connstr, err);
	if (result == CB_OK)
		result = parse_bucket(bucket, connstr, err);
	if (result == CB_OK)
		result = parse_options(options, connstr, err);
	return result;
}

CbResult
cb_connstr_parse(const char *text, CbConnStr **out, CbError *err)
{
	CbSpan		span = cb_span_cstr(text);
	CbConnStr  *connstr;
	CbResult	result;

	*out = NULL;
	if (span.len > CB_CONNSTR_MAX_LENGTH)
		return cb_error_set(err, CB_LIMIT, NULL,
							"connection string is longer than %d bytes",
							CB_CONNSTR_MAX_LENGTH);
	connstr = calloc(1, sizeof(*connstr));
	if (connstr == NULL)
		return nomem(err);
	result = parse_all(span, connstr, err);
	if (result != CB_OK)
		cb_connstr_free(connstr);
	else
		*out = connstr;
	return result;
}

void
cb_connstr_free(CbConnStr *connstr)
{
	if (connstr == NULL)
		return;
	for (size_t i = 0; i < connstr->nhosts; i++)
	{
		free(connstr->hosts[i].host);
		free(connstr->hosts[i].zone);
	}
	free(connstr->hosts);
	free(connstr->bucket);
	for (size_t i = 0; i < connstr->noptions; i++)
	{
		free(connstr->options[i].name);
		if (connstr->options[i].value != NULL)
			cb_wipe(connstr->options[i].value, strlen(connstr->options[i].value));
		free(connstr->options[i].value);
	}
	free(connstr->options);
	free(connstr);
}

uint16_t
cb_connstr_default_port(bool tls)
{
	return tls ? PORT_KV_TLS : PORT_KV;
}

bool
cb_connstr_srv_candidate(const CbConnStr *connstr)
{
	const CbConnHost *host = connstr->hosts;

	return connstr->nhosts == 1 && connstr->has_scheme &&
		connstr->scheme != CB_SCHEME_HTTP && host->kind == CB_HOST_NAME &&
		host->port == 0 && host->proto == CB_PROTO_DEFAULT &&
		strcasecmp(host->host, "localhost") != 0;
}
