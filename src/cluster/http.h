/*
 * http.h
 *		Requests to the HTTP services of a cluster's nodes: libcurl's multi interface under the one wait (W1), with
 *		addresses that c-ares found. Nothing is set up before the first request (P1); all goes with the handle (W3).
 */
#ifndef CBCONN_HTTP_H
#define CBCONN_HTTP_H

#include "handle.h"

typedef struct HttpClient HttpClient;

/* Received bytes that nobody takes stop the transfer from here on: the peer has to wait then. */
#define HTTP_BUFFER_SIZE	(1024 * 1024)

typedef enum HttpState
{
	HTTP_RESOLVING,
	HTTP_CONNECTING,			/* nothing of the request has been sent */
	HTTP_SENT,					/* some of it has, or all; answers may come */
	HTTP_DONE,					/* the answer is complete */
	HTTP_FAILED					/* see failure */
} HttpState;

typedef struct HttpRequest
{
	const char *method;			/* static */
	const char *host;			/* no brackets */
	uint16		port;
	const char *path;			/* with its query, ready for the wire */
	CbSpan		body;			/* copied; JSON */
	bool		once;			/* over a connection of its own: certainly sent once at most */
} HttpRequest;

/* A request and what comes of it. */
typedef struct HttpTransfer
{
	dlist_node	node;
	HttpClient *client;
	struct HttpPeer *peer;
	HttpState	state;
	int			status;			/* of HTTP; 0: no answer yet */
	char		content_type[64];
	int64		received;		/* bytes of the body so far */
	int			connects;		/* connections begun */
	int64		started;		/* wait_now() */
	int64		connected;		/* when the request began to be sent */
	int64		ended;			/* when the answer was complete; 0: not yet */
	int64		paused_since;	/* 0: it is not */
	KvFailure	failure;

	/* http_transfer.c's */
	void	   *easy;			/* CURL */
	void	   *headers;		/* curl_slist */
	void	   *resolve;
	bool		in_multi;
	CbBuf		body;
	CbBuf		in;				/* received and not taken */
	char		error[256];		/* CURL_ERROR_SIZE */
} HttpTransfer;

/* Begins; never waits. Belongs to the handle until http_end. */
extern HttpTransfer *http_start(ClusterHandle *handle, const HttpRequest *request);

/* Swaps what was received for an empty buffer, whose memory will be used for what comes next. */
extern void http_take(HttpTransfer *transfer, CbBuf *buf);

/* Waits until anything happens to a request of this handle, or the deadline. */
extern void http_wait(ClusterHandle *handle, int64 deadline);

/* Gives up what is under way by closing its connection. Neither waits nor throws. */
extern void http_end(HttpTransfer *transfer);

/* Frees the handle's client with all its requests. Neither waits nor throws. */
extern void http_client_free(HttpClient *client);

/* host:port of the node. */
extern const char *http_node(const HttpTransfer *transfer);

#endif							/* CBCONN_HTTP_H */
