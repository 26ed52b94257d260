/*
 * kv_handshake.c
 *		From a fresh TCP connection to one that takes requests: HELLO, error map, SASL, bucket, cluster config, and
 *		the ids of the collections wanted, written ahead as far as the mechanism allows: one round trip with PLAIN,
 *		two with SCRAM.
 */
#include "postgres.h"

#include "down.h"
#include "port.h"

/* What is asked for in HELLO. No notifications: nobody would read them while the backend is idle. */
static const uint16 wanted_features[] = {
	CB_FEATURE_TCP_NODELAY,
	CB_FEATURE_MUTATION_SEQNO,
	CB_FEATURE_XATTR,
	CB_FEATURE_XERROR,
	CB_FEATURE_SELECT_BUCKET,
	CB_FEATURE_JSON,
	CB_FEATURE_TRACING,
	CB_FEATURE_ALT_REQUEST,
	CB_FEATURE_SYNC_REPLICATION,
	CB_FEATURE_COLLECTIONS,
	CB_FEATURE_PRESERVE_TTL,
	CB_FEATURE_VATTR,
	CB_FEATURE_GET_CONFIG_WITH_VERSION,
	CB_FEATURE_DEDUPE_NMVB,
	CB_FEATURE_UNORDERED_EXECUTION,
	CB_FEATURE_SNAPPY
};

static uint32
begin_request(KvConn *conn, uint8 opcode)
{
	if (conn->nexpected == lengthof(conn->expected))
		elog(ERROR, "too many requests in a handshake");
	conn->expected[conn->nexpected++] = opcode;
	return kv_conn_request(conn, NULL, 0, opcode, KV_REPLY_HANDSHAKE);
}

static bool
wants_feature(const CbSettings *settings, uint16 feature)
{
	switch (feature)
	{
		case CB_FEATURE_SNAPPY:
			return settings->compression != CB_COMPRESSION_OFF;
		case CB_FEATURE_UNORDERED_EXECUTION:
			return settings->unordered_execution;
		case CB_FEATURE_MUTATION_SEQNO:
			return settings->mutation_tokens;
		case CB_FEATURE_SYNC_REPLICATION:
			return settings->durable_write;
		default:
			return true;
	}
}

static void
send_hello(KvConn *conn)
{
	const CbSettings *settings = conn->handle->settings;
	uint16		features[lengthof(wanted_features)];
	size_t		nfeatures = 0;
	CbBuf		name = {0};
	CbBuf		agent = {0};
	uint64		ids[2] = {0, 0};
	uint32		opaque = begin_request(conn, CB_OP_HELLO);
	CbResult	result;

	for (int i = 0; i < lengthof(wanted_features); i++)
	{
		if (wants_feature(settings, wanted_features[i]))
			features[nfeatures++] = wanted_features[i];
	}
	(void) pg_strong_random(ids, sizeof(ids));
	cb_buf_append_format(&name, "cbconn_fdw/1.0 (PostgreSQL %s%s%s)", PG_VERSION,
						 settings->client_string ? "; " : "",
						 settings->client_string ? settings->client_string : "");
	cb_kv_agent(&agent, cb_buf_span(&name), ids[0], ids[1]);
	result = cb_buf_result(&agent);
	if (result == CB_OK)
		result = cb_kv_hello(&conn->out, opaque, cb_buf_span(&agent), features, nfeatures);
	cb_buf_free(&name);
	cb_buf_free(&agent);
	kv_conn_requested(conn, opaque, result);
}

/*
 * The version to name in a request for the config, so that the node need not send what is known; NULL: none. Before the
 * answer to HELLO what counts is what the node asked before has agreed to. A provisional config may be of another
 * cluster, in which its version means nothing: only the whole text tells. So may one that does not know this node.
 */
static const CbVersion *
known_version(const KvConn *conn)
{
	const ClusterHandle *handle = conn->handle;
	bool		understood = conn->greeted ? cb_has_feature(conn->features, CB_FEATURE_GET_CONFIG_WITH_VERSION)
		: handle->versions_understood;

	if (!understood || handle->config == NULL || handle->provisional || handle->config_doubted || conn->retired ||
		handle->config->version.epoch <= 0 || handle->config->version.rev <= 0)
		return NULL;
	return &handle->config->version;
}

static void
send_get_config(KvConn *conn, const CbVersion *known)
{
	uint32		opaque = begin_request(conn, CB_OP_GET_CLUSTER_CONFIG);

	conn->version_named = known != NULL;
	kv_conn_requested(conn, opaque, cb_kv_get_cluster_config(&conn->out, opaque, known));
}

/* Bucket, config and collection ids: what follows authentication. */
static void
send_rest(KvConn *conn)
{
	uint32		opaque = begin_request(conn, CB_OP_SELECT_BUCKET);

	kv_conn_requested(conn, opaque, cb_kv_select_bucket(&conn->out, opaque, cb_span_cstr(conn->handle->bucket)));
	send_get_config(conn, known_version(conn));
	collection_ask_all(conn);
}

static bool
start_scram(KvConn *conn)
{
	ClusterHandle *handle = conn->handle;
	uint8		random[24];
	CbBuf		nonce = {0};
	CbBuf		first = {0};
	CbResult	result;
	uint32		opaque;

	if (!pg_strong_random(random, sizeof(random)))
	{
		kv_conn_fail(conn, ERRCODE_INTERNAL_ERROR, true, "no random numbers for the nonce");
		return false;
	}
	cb_buf_append_base64(&nonce, cb_span(random, sizeof(random)));
	result = cb_buf_result(&nonce);
	cb_scram_free(conn->scram);
	conn->scram = NULL;
	if (result == CB_OK)
		result = cb_scram_create(conn->mech, cb_span_cstr(handle->username), cb_span_cstr(handle->password),
								 cb_buf_span(&nonce), &handle->scram, &conn->scram);
	if (result == CB_OK)
		result = cb_scram_first(conn->scram, &first);
	if (result == CB_OK)
		result = cb_buf_result(&first);
	if (result == CB_OK)
	{
		opaque = begin_request(conn, CB_OP_SASL_AUTH);
		result = cb_kv_sasl_auth(&conn->out, opaque, cb_sasl_name(conn->mech), cb_buf_span(&first));
		kv_conn_requested(conn, opaque, result);
	}
	cb_buf_free(&nonce);
	cb_buf_free(&first);
	if (result != CB_OK)
		kv_conn_fail(conn, ERRCODE_INVALID_PASSWORD, true,
					 result == CB_NOMEM ? "out of memory" : "user name or password holds control characters");
	return result == CB_OK;
}

static bool
send_plain(KvConn *conn)
{
	ClusterHandle *handle = conn->handle;
	CbBuf		message = {0};
	uint32		opaque;
	CbResult	result;

	result = cb_sasl_plain(&message, cb_span_cstr(handle->username), cb_span_cstr(handle->password));
	if (result == CB_OK)
		result = cb_buf_result(&message);
	if (result == CB_OK)
	{
		opaque = begin_request(conn, CB_OP_SASL_AUTH);
		result = cb_kv_sasl_auth(&conn->out, opaque, cb_sasl_name(conn->mech), cb_buf_span(&message));
		kv_conn_requested(conn, opaque, result);
	}
	cb_buf_free_secret(&message);
	if (result != CB_OK)
		kv_conn_fail(conn, ERRCODE_OUT_OF_MEMORY, false, "out of memory");
	return result == CB_OK;
}

/* Starts to authenticate by conn->mech; false when the connection failed over it. */
static bool
send_auth(KvConn *conn)
{
	return conn->mech == CB_SASL_PLAIN ? send_plain(conn) : start_scram(conn);
}

/* A client certificate that the node asked for says who this is; without one, or besides it, a password does. */
static bool
wants_password(const KvConn *conn)
{
	const ClusterHandle *handle = conn->handle;

	return handle->username != NULL &&
		(!tls_certificate_sent(&conn->sock) || handle->settings->credentials_with_cert);
}

/* Whether the node has proved to be the one that is meant, so that it may see the password, and wants to. */
static bool
may_see_password(const KvConn *conn)
{
	return !conn->no_plain && conn->handle->tls != NULL && conn->handle->settings->tls_verify != CB_TLS_VERIFY_NONE;
}

/* The mechanism to authenticate by, from what is known of the server's; false when the connection failed over it. */
static bool
choose_mechanism(KvConn *conn, CbSaslMech *mech)
{
	CbError		error;

	if (cb_sasl_choose(cb_buf_span(&conn->mechs), conn->handle->settings->sasl_mech_force, may_see_password(conn), mech,
					   &error) == CB_OK)
		return true;
	kv_conn_fail(conn, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, true, "%s", error.text);
	return false;
}

void
kv_handshake_start(KvConn *conn)
{
	ClusterHandle *handle = conn->handle;
	uint32		opaque;

	conn->state = KV_CONN_HANDSHAKE;
	conn->step = "HELLO";
	send_hello(conn);
	if (handle->settings->error_map && handle->error_map.len == 0)
	{
		opaque = begin_request(conn, CB_OP_GET_ERROR_MAP);
		kv_conn_requested(conn, opaque, cb_kv_get_error_map(&conn->out, opaque, 2));
	}
	if (!wants_password(conn))
		send_rest(conn);
	else
	{
		if (!choose_mechanism(conn, &conn->mech))
			return;
		opaque = begin_request(conn, CB_OP_SASL_LIST);
		kv_conn_requested(conn, opaque, cb_kv_sasl_list(&conn->out, opaque));
		if (!send_auth(conn))
			return;
		if (conn->mech == CB_SASL_PLAIN)
			send_rest(conn);
	}
	kv_conn_flush(conn);
}

/* An answer that ends the attempt: its status and body become the cause. */
static void
fail_by_answer(KvConn *conn, int sqlstate, bool fatal, const CbPacket *packet)
{
	KvFailure	failure;

	kv_failure_status(&failure, conn, conn->step, packet);
	kv_conn_fail(conn, sqlstate != 0 ? sqlstate : failure.sqlstate, fatal, "%s", failure.text);
}

static void
take_hello(KvConn *conn, const CbPacket *packet)
{
	if (packet->status != CB_STATUS_SUCCESS)
		fail_by_answer(conn, 0, false, packet);
	else if (cb_kv_hello_result(packet->value, &conn->features) != CB_OK)
		kv_conn_fail(conn, ERRCODE_PROTOCOL_VIOLATION, false, "an answer to HELLO that is no list of features");
	else
	{
		conn->greeted = true;
		conn->handle->versions_understood = cb_has_feature(conn->features, CB_FEATURE_GET_CONFIG_WITH_VERSION);
		conn->step = wants_password(conn) ? "SASL authentication" : "bucket selection";
	}
}

static void
take_error_map(KvConn *conn, const CbPacket *packet)
{
	CbBuf	   *map = &conn->handle->error_map;

	if (packet->status != CB_STATUS_SUCCESS || map->len > 0)
		return;
	cb_buf_append_span(map, packet->value);
	if (cb_buf_result(map) != CB_OK)
		cb_buf_free(map);
}

/* The node takes no PLAIN: connects anew and begins with what it takes. */
static void
start_again_without_plain(KvConn *conn)
{
	conn->no_plain = true;
	kv_conn_close(conn);
	conn->retry_after = 0;
	(void) kv_conn_want(conn);
}

/* Only some statuses say that the password is wrong; with others, it may be right in a moment or for another node. */
static void
fail_authentication(KvConn *conn, const CbPacket *packet)
{
	bool		wrong = packet->status == CB_STATUS_AUTH_ERROR || packet->status == CB_STATUS_AUTH_STALE ||
		packet->status == CB_STATUS_EINVAL || packet->status == CB_STATUS_EACCESS;

	fail_by_answer(conn, wrong ? ERRCODE_INVALID_PASSWORD : 0, wrong, packet);
}

/* Refused: perhaps only because the mechanism guessed is not one of the server's. */
static void
auth_refused(KvConn *conn, const CbPacket *packet)
{
	CbSaslMech	mech;

	if (!conn->mech_retried && conn->mechs.len > 0)
	{
		if (!choose_mechanism(conn, &mech))
			return;
		if (mech != conn->mech && conn->mech == CB_SASL_PLAIN)
		{
			/* What was sent ahead will be refused now. */
			start_again_without_plain(conn);
			return;
		}
		if (mech != conn->mech)
		{
			conn->mech_retried = true;
			conn->mech = mech;
			if (send_auth(conn) && mech == CB_SASL_PLAIN)
				send_rest(conn);
			return;
		}
	}
	fail_authentication(conn, packet);
}

static void
take_auth(KvConn *conn, const CbPacket *packet)
{
	CbBuf		final = {0};
	CbError		error;
	CbResult	result;
	uint32		opaque;

	if (packet->status == CB_STATUS_NOT_SUPPORTED && tls_certificate_sent(&conn->sock))
	{
		/* The certificate has done it already. */
		conn->authenticated = true;
		conn->step = "bucket selection";
		if (conn->mech != CB_SASL_PLAIN)
			send_rest(conn);
		return;
	}
	if (conn->mech == CB_SASL_PLAIN && packet->status == CB_STATUS_SUCCESS)
	{
		conn->authenticated = true;
		conn->step = "bucket selection";
		return;
	}
	if (packet->status == CB_STATUS_SUCCESS)
	{
		kv_conn_fail(conn, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, true,
					 "the node accepted the user without proving that it knows the password");
		return;
	}
	if (packet->status != CB_STATUS_AUTH_CONTINUE || conn->mech == CB_SASL_PLAIN || conn->scram == NULL)
	{
		auth_refused(conn, packet);
		return;
	}
	result = cb_scram_final(conn->scram, packet->value, &final, &error);
	if (result != CB_OK)
	{
		cb_buf_free_secret(&final);
		kv_conn_fail(conn, result == CB_NOMEM ? ERRCODE_OUT_OF_MEMORY : ERRCODE_PROTOCOL_VIOLATION, false,
					 "%s", error.text);
		return;
	}
	opaque = begin_request(conn, CB_OP_SASL_STEP);
	result = cb_kv_sasl_step(&conn->out, opaque, cb_sasl_name(conn->mech), cb_buf_span(&final));
	cb_buf_free_secret(&final);
	kv_conn_requested(conn, opaque, result);
	send_rest(conn);
}

static void
take_step(KvConn *conn, const CbPacket *packet)
{
	CbError		error;

	if (packet->status != CB_STATUS_SUCCESS)
		fail_authentication(conn, packet);
	else if (conn->scram == NULL || cb_scram_verify(conn->scram, packet->value, &error) != CB_OK)
		kv_conn_fail(conn, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, true, "%s",
					 conn->scram == NULL ? "an answer out of turn" : error.text);
	else
	{
		conn->authenticated = true;
		conn->step = "bucket selection";
		cb_scram_free(conn->scram);
		conn->scram = NULL;
	}
}

static void
take_bucket(KvConn *conn, const CbPacket *packet)
{
	switch (packet->status)
	{
		case CB_STATUS_SUCCESS:
			conn->step = "cluster config";
			break;
		case CB_STATUS_KEY_ENOENT:
			/* Another node may have it already: a bucket is not made everywhere at once. */
			kv_conn_fail(conn, ERRCODE_UNDEFINED_DATABASE, false, "the node has no such bucket");
			break;
		case CB_STATUS_EACCESS:
			if (conn->handle->username == NULL && conn->handle->has_certificate && !tls_certificate_sent(&conn->sock))
				kv_conn_fail(conn, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, true,
							 "the node did not ask for the client certificate, and the user mapping has no user name");
			else if (conn->handle->username == NULL && !conn->handle->has_certificate)
				kv_conn_fail(conn, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, true,
							 "the node wants a user name and password, and the user mapping has none");
			else
				fail_by_answer(conn, ERRCODE_INSUFFICIENT_PRIVILEGE, true, packet);
			break;
		default:
			fail_by_answer(conn, 0, false, packet);
			break;
	}
}

static void
take_config(KvConn *conn, const CbPacket *packet)
{
	ClusterHandle *handle = conn->handle;
	KvFailure	failure;

	/* Asked before it was known that the node is older than the others. */
	if (packet->status == CB_STATUS_EINVAL && conn->version_named &&
		!cb_has_feature(conn->features, CB_FEATURE_GET_CONFIG_WITH_VERSION))
	{
		send_get_config(conn, NULL);
		return;
	}
	if (packet->status != CB_STATUS_SUCCESS)
	{
		fail_by_answer(conn, packet->status == CB_STATUS_KEY_ENOENT ? ERRCODE_CANNOT_CONNECT_NOW : 0, false, packet);
		return;
	}
	handle->last_config_check = wait_now();
	if (packet->value.len > 0 && !topology_apply(handle, conn, packet, &failure))
	{
		kv_conn_fail_with(conn, &failure);
		return;
	}
	if (handle->config == NULL || handle->provisional)
	{
		kv_conn_fail(conn, ERRCODE_CANNOT_CONNECT_NOW, false, "the node has no cluster configuration yet");
		return;
	}
	conn->state = KV_CONN_READY;
	conn->step = "operation";
	conn->failures = 0;
	down_clear(conn);
	conn->failure.sqlstate = 0;
	conn->connects++;
	conn->connected_at = conn->last_used_at;
	handle->conn_events++;
	if (handle->counters != NULL)
		handle->counters->connects++;
}

void
kv_handshake_answer(KvConn *conn, const CbPacket *packet)
{
	/* Without unordered execution a node answers in order: what one answer says can be relied on in the next. */
	if (conn->nexpected == 0 || conn->expected[0] != packet->opcode)
	{
		kv_conn_fail(conn, ERRCODE_PROTOCOL_VIOLATION, false, "an answer out of turn");
		return;
	}
	memmove(conn->expected, conn->expected + 1, --conn->nexpected);

	switch (packet->opcode)
	{
		case CB_OP_HELLO:
			take_hello(conn, packet);
			break;
		case CB_OP_GET_ERROR_MAP:
			take_error_map(conn, packet);
			break;
		case CB_OP_SASL_LIST:
			if (packet->status == CB_STATUS_SUCCESS)
				cb_buf_append_span(&conn->mechs, packet->value);
			break;
		case CB_OP_SASL_AUTH:
			take_auth(conn, packet);
			break;
		case CB_OP_SASL_STEP:
			take_step(conn, packet);
			break;
		case CB_OP_SELECT_BUCKET:
			take_bucket(conn, packet);
			break;
		case CB_OP_GET_CLUSTER_CONFIG:
			take_config(conn, packet);
			break;
	}
	if (conn->state == KV_CONN_HANDSHAKE)
		kv_conn_flush(conn);
}
