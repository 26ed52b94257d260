/*
 * kv_secure.c
 *		TLS on a node connection before anything is said on it, and what to tell when one side speaks TLS and the other
 *		does not.
 */
#include "postgres.h"

#include "handle.h"

void
kv_secure_failure(const KvConn *conn, const SockFailure *reason, KvFailure *failure)
{
	kv_failure_set(failure, reason->sqlstate, reason->fatal, conn->step, "%s", reason->text);
	failure->hint = reason->hint;
}

const char *
kv_secure_hint(const KvConn *conn)
{
	/* The first answer: what is wrong with how the two talk to each other shows here. */
	if (conn->state != KV_CONN_HANDSHAKE || strcmp(conn->step, "HELLO") != 0)
		return NULL;
	if (conn->handle->tls == NULL)
		return "Perhaps the port is one for TLS: then use couchbases:// in the connection string.";
	if (tls_certificate_sent(&conn->sock))
		return "Perhaps the client certificate is for a user that does not exist in the cluster.";
	return NULL;
}

void
kv_secure_other_protocol(const KvConn *conn, const uint8 *bytes, size_t len, KvFailure *failure)
{
	static const char http[] = "HTTP/";

	/* An alert record of TLS 1.x. */
	if (conn->handle->tls == NULL && len >= 2 && bytes[0] == 0x15 && bytes[1] == 0x03)
	{
		strlcpy(failure->text, "the node answers in TLS", sizeof(failure->text));
		failure->hint = kv_secure_hint(conn);
	}
	else if (len > 0 && memcmp(bytes, http, Min(len, strlen(http))) == 0)
	{
		strlcpy(failure->text, "the node answers in HTTP", sizeof(failure->text));
		failure->hint = "Perhaps the port is that of the management or query service: "
			"name the data service's, or none.";
	}
}

void
kv_secure_start(KvConn *conn)
{
	SockFailure reason;
	KvFailure	failure;

	conn->state = KV_CONN_SECURING;
	conn->step = "TLS handshake";
	if (tls_start(&conn->sock, conn->handle->tls, conn->host, &reason))
		kv_secure_step(conn);
	else
	{
		kv_secure_failure(conn, &reason, &failure);
		kv_conn_fail_with(conn, &failure);
	}
}

void
kv_secure_step(KvConn *conn)
{
	SockFailure reason;
	KvFailure	failure;

	switch (tls_handshake(&conn->sock))
	{
		case TLS_WAIT:
			break;
		case TLS_DONE:
			conn->answered = true;
			kv_handshake_start(conn);
			break;
		case TLS_FAILED:
			sock_failure(&conn->sock, &reason);
			kv_secure_failure(conn, &reason, &failure);
			kv_conn_address_failed(conn, &failure);
			break;
	}
}
