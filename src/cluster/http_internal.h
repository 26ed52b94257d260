/*
 * http_internal.h
 *		What http.c, http_transfer.c and http_tls.c share.
 */
#ifndef CBCONN_HTTP_INTERNAL_H
#define CBCONN_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "http.h"

/* A node's service; lives as long as the client, as its connections may outlive requests. */
typedef struct HttpPeer
{
	struct HttpPeer *next;
	HttpClient *client;
	char	   *host;			/* without a final dot */
	char	   *name;			/* host:port */
	uint16		port;
	bool		numeric;
	SockAddress addresses[DNS_MAX_ADDRESSES];
	int			naddresses;
	int64		resolved;		/* wait_now(); 0: not yet */
	DnsQuery   *dns;			/* look-up under way, or NULL */
	int64		dns_deadline;
	int			first_item;		/* its place among the items of the wait under way */
	int			nitems;
	bool		tls_failed;		/* tls_failure has the reason */
	SockFailure tls_failure;
} HttpPeer;

/* A socket that libcurl wants to be told of. */
typedef struct HttpSocket
{
	curl_socket_t fd;
	uint64		serial;
	uint32		events;
} HttpSocket;

struct HttpClient
{
	ClusterHandle *handle;
	int			pid;			/* process that made it (P1) */
	CURLM	   *multi;
	int			own_fds;		/* counted for the multi handle itself */
	HttpPeer   *peers;
	dlist_head	transfers;
	HttpSocket *sockets;		/* malloc'd: libcurl's callbacks must not throw */
	int			nsockets;
	int			sockets_capacity;
	bool		lost_socket;	/* out of memory in a callback */
	int64		timer;			/* wait_now() when libcurl wants to be called; WAIT_FOREVER: not */
	WaitSet    *waitset;
	WaitItem   *items;
	int			items_capacity;
};

/* http_transfer.c: a transfer that has not begun; throws when out of memory */
extern HttpTransfer *http_transfer_make(HttpClient *client, HttpPeer *peer, const HttpRequest *request);
/* The peer's addresses are known, or will not be */
extern void http_transfer_resolved(HttpTransfer *transfer);
/* What libcurl says at the end. */
extern void http_transfer_finished(HttpTransfer *transfer, CURLcode code);
extern void http_transfer_fail(HttpTransfer *transfer, int sqlstate, bool fatal, const char *step, const char *format,
							   ...) __attribute__((format(printf, 5, 6)));
/* Lets a paused transfer go on when there is room again; true: more has come in thereby. */
extern bool http_transfer_resume(HttpTransfer *transfer);
extern void http_transfer_free(HttpTransfer *transfer);

/* http_tls.c: sets up TLS by the handle's rules */
extern bool http_tls_options(HttpTransfer *transfer);

#endif							/* CBCONN_HTTP_INTERNAL_H */
