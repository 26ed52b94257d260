/*
 * connstr.h
 *		Connection strings: couchbase://host1:port,host2/bucket?option=value
 *
 *	connstr = [ scheme "://" ] hosts [ "/" [ bucket ] ] [ "?" options ]
 *	scheme  = "couchbase" / "couchbases" / "http"	; letter case ignored
 *	hosts   = item *( ("," / ";") item )	; blanks trimmed, empty items skipped
 *	item    = host [ ":" port [ "=" proto ] ]
 *	host    = name / ipv4 / "[" ipv6 [ "%25" zone ] "]"
 *	port    = 1 to 65535
 *	proto   = mcd / kv / cccp / gcccp / mcds / http / manager / https	; any case
 *	bucket  = 1 to 100 bytes, percent-encoded
 *	options = *( [ key "=" value ] "&" )	; percent-encoded, "+" literal
 *
 * No scheme means couchbase, except that host:8091 and http:// (with port 8091 or none)
 * name a management port and mean KV on the default port.
 */
#ifndef CB_CONNSTR_H
#define CB_CONNSTR_H

#include "base.h"

typedef enum CbScheme
{
	CB_SCHEME_COUCHBASE = 0,	/* also: none given */
	CB_SCHEME_COUCHBASES,
	CB_SCHEME_HTTP
} CbScheme;

typedef enum CbHostProto
{
	CB_PROTO_DEFAULT = 0,		/* KV, over TLS if the string says TLS */
	CB_PROTO_KV,				/* "kv" and the like; with couchbases: KV_TLS */
	CB_PROTO_KV_TLS,
	CB_PROTO_HTTP,				/* management, plain */
	CB_PROTO_HTTPS				/* management, TLS */
} CbHostProto;

typedef enum CbHostKind
{
	CB_HOST_NAME = 0,
	CB_HOST_IPV4,
	CB_HOST_IPV6
} CbHostKind;

typedef struct CbConnHost
{
	char	   *host;			/* as written, no brackets, zone cut off */
	char	   *zone;			/* of an IPv6 address, or NULL */
	CbHostKind	kind;
	CbHostProto proto;
	uint16_t	port;			/* 0: none given */
} CbConnHost;

typedef struct CbConnOption
{
	char	   *name;			/* as written */
	char	   *value;			/* percent-decoded; no NUL inside */
} CbConnOption;

typedef struct CbConnStr
{
	CbScheme	scheme;
	bool		has_scheme;
	bool		tls;			/* from the scheme; ssl=on adds it in CbSettings */
	CbConnHost *hosts;
	size_t		nhosts;
	char	   *bucket;			/* NULL: none */
	CbConnOption *options;		/* in order, names not checked here */
	size_t		noptions;
} CbConnStr;

#define CB_CONNSTR_MAX_HOSTS	1024
#define CB_CONNSTR_MAX_LENGTH	65536

/*
 * Parse text. *connstr is freed with cb_connstr_free. On CB_MALFORMED or
 * CB_LIMIT err names the offending part and what was expected; values of
 * options are never repeated in it (they may be passwords).
 */
extern CbResult cb_connstr_parse(const char *text, CbConnStr **connstr, CbError *err);
extern void cb_connstr_free(CbConnStr *connstr);

/* Port of a host that has none: 11210, or 11207 with TLS. */
extern uint16_t cb_connstr_default_port(bool tls);

/*
 * Whether the string's only host may stand for an SRV record: one DNS name but
 * localhost, no port, no proto, scheme couchbase or couchbases written out.
 */
extern bool cb_connstr_srv_candidate(const CbConnStr *connstr);

#endif
