/*
 * kv_session.c
 *		Requests about the connection, the bucket and its collections, and what
 *		error answers say.
 */
#include "kv_ops.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGENT_NAME_MAX	200
#define AGENT_MAX		250
#define BUCKET_NAME_MAX	100
#define COLLECTION_NAME_MAX 251

void
cb_kv_agent(CbBuf *out, CbSpan name, uint64_t client_id, uint64_t connection_id)
{
	CbBuf		quoted = {0};
	size_t		len = name.len < AGENT_NAME_MAX ? name.len : AGENT_NAME_MAX;

	/* Escapes can stretch the name past what the server accepts. */
	do
	{
		CbSpan		part = cb_span(name.data, len);

		part.len = cb_utf8_valid_prefix(part);
		cb_buf_reset(&quoted);
		cb_buf_append_json(&quoted, part);
		len = part.len == 0 ? 0 : part.len - 1;
	} while (quoted.len > AGENT_NAME_MAX + 2);
	cb_buf_append_cstr(out, "{\"a\":");
	cb_buf_append_span(out, cb_buf_span(&quoted));
	cb_buf_append_format(out, ",\"i\":\"%016llx/%016llx\"}",
						 (unsigned long long) client_id,
						 (unsigned long long) connection_id);
	out->oom |= quoted.oom;
	cb_buf_free(&quoted);
}

static bool
lists(const uint16_t *features, size_t nfeatures, uint16_t feature)
{
	for (size_t i = 0; i < nfeatures; i++)
	{
		if (features[i] == feature)
			return true;
	}
	return false;
}

/* Combinations that the server refuses as a whole. */
static bool
features_agree(const uint16_t *features, size_t n)
{
	if (lists(features, n, CB_FEATURE_TCP_NODELAY) && lists(features, n, CB_FEATURE_TCP_DELAY))
		return false;
	if (lists(features, n, CB_FEATURE_VATTR) && !lists(features, n, CB_FEATURE_XATTR))
		return false;
	return lists(features, n, CB_FEATURE_DUPLEX) ||
		!(lists(features, n, CB_FEATURE_CLUSTERMAP_PUSH) ||
		  lists(features, n, CB_FEATURE_CLUSTERMAP_PUSH_BRIEF));
}

CbResult
cb_kv_hello(CbBuf *buf, uint32_t opaque, CbSpan agent,
			const uint16_t *features, size_t nfeatures)
{
	CbBuf		list = {0};
	CbRequest	request = {.opcode = CB_OP_HELLO, .opaque = opaque, .key = agent};
	CbResult	result;

	if (agent.len > AGENT_MAX || !features_agree(features, nfeatures))
		return CB_INVALID;
	for (size_t i = 0; i < nfeatures; i++)
		cb_buf_append_u16(&list, features[i]);
	request.value = cb_buf_span(&list);
	result = list.oom ? CB_NOMEM : cb_request_append(buf, &request);
	cb_buf_free(&list);
	return result;
}

CbResult
cb_kv_hello_result(CbSpan value, CbFeatures *features)
{
	*features = 0;
	if (value.len % 2 != 0)
		return CB_MALFORMED;
	for (size_t i = 0; i < value.len; i += 2)
	{
		uint16_t	feature = cb_get_u16(value.data + i);

		if (feature <= CB_FEATURE_MAX)
			*features |= CB_FEATURE_BIT(feature);
	}
	return CB_OK;
}

CbResult
cb_kv_sasl_list(CbBuf *buf, uint32_t opaque)
{
	return cb_request_append(buf, &(CbRequest) {
		.opcode = CB_OP_SASL_LIST, .opaque = opaque
	});
}

static CbResult
sasl_message(CbBuf *buf, uint8_t opcode, uint32_t opaque, const char *mechanism,
			 CbSpan payload)
{
	return cb_request_append(buf, &(CbRequest) {
		.opcode = opcode, .opaque = opaque,
			.key = cb_span_cstr(mechanism), .value = payload
	});
}

CbResult
cb_kv_sasl_auth(CbBuf *buf, uint32_t opaque, const char *mechanism, CbSpan payload)
{
	/* The server takes no empty first message, and no body above 1000 bytes. */
	if (payload.len == 0 || mechanism[0] == '\0' || payload.len + strlen(mechanism) > 1000)
		return CB_INVALID;
	return sasl_message(buf, CB_OP_SASL_AUTH, opaque, mechanism, payload);
}

CbResult
cb_kv_sasl_step(CbBuf *buf, uint32_t opaque, const char *mechanism, CbSpan payload)
{
	if (payload.len + strlen(mechanism) > 1000)
		return CB_INVALID;
	return sasl_message(buf, CB_OP_SASL_STEP, opaque, mechanism, payload);
}

CbResult
cb_kv_select_bucket(CbBuf *buf, uint32_t opaque, CbSpan bucket)
{
	if (bucket.len == 0 || bucket.len > BUCKET_NAME_MAX)
		return CB_INVALID;
	return cb_request_append(buf, &(CbRequest) {
		.opcode = CB_OP_SELECT_BUCKET, .opaque = opaque, .key = bucket
	});
}

CbResult
cb_kv_get_error_map(CbBuf *buf, uint32_t opaque, uint16_t version)
{
	uint8_t		value[2] = {(uint8_t) (version >> 8), (uint8_t) version};

	if (version == 0)
		return CB_INVALID;
	return cb_request_append(buf, &(CbRequest) {
		.opcode = CB_OP_GET_ERROR_MAP, .opaque = opaque, .value = cb_span(value, 2)
	});
}

CbResult
cb_kv_get_cluster_config(CbBuf *buf, uint32_t opaque, const CbVersion *known)
{
	CbBuf		extras = {0};
	CbRequest	request = {.opcode = CB_OP_GET_CLUSTER_CONFIG, .opaque = opaque};
	CbResult	result;

	if (known != NULL)
	{
		if (known->epoch == 0 || known->rev <= 0)
			return CB_INVALID;
		cb_buf_append_u64(&extras, (uint64_t) known->epoch);
		cb_buf_append_u64(&extras, (uint64_t) known->rev);
	}
	request.extras = cb_buf_span(&extras);
	result = extras.oom ? CB_NOMEM : cb_request_append(buf, &request);
	cb_buf_free(&extras);
	return result;
}

CbResult
cb_kv_noop(CbBuf *buf, uint32_t opaque)
{
	return cb_request_append(buf, &(CbRequest) {
		.opcode = CB_OP_NOOP, .opaque = opaque
	});
}

CbResult
cb_kv_version(CbBuf *buf, uint32_t opaque)
{
	return cb_request_append(buf, &(CbRequest) {
		.opcode = CB_OP_VERSION, .opaque = opaque
	});
}

CbResult
cb_kv_stat(CbBuf *buf, uint32_t opaque, CbSpan group)
{
	return cb_request_append(buf, &(CbRequest) {
		.opcode = CB_OP_STAT, .opaque = opaque, .key = group
	});
}

CbResult
cb_kv_get_manifest(CbBuf *buf, uint32_t opaque)
{
	return cb_request_append(buf, &(CbRequest) {
		.opcode = CB_OP_GET_MANIFEST, .opaque = opaque
	});
}

bool
cb_kv_collection_name_ok(CbSpan name)
{
	if (name.len == 0 || name.len > COLLECTION_NAME_MAX || name.data[0] == '%')
		return false;
	for (size_t i = 0; i < name.len; i++)
	{
		uint8_t		c = name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '%'))
			return false;
	}
	return true;
}

CbResult
cb_kv_get_collection_id(CbBuf *buf, uint32_t opaque, CbSpan scope, CbSpan collection)
{
	CbBuf		path = {0};
	CbRequest	request = {.opcode = CB_OP_GET_COLLECTION_ID, .opaque = opaque};
	CbResult	result;

	if (!cb_kv_collection_name_ok(scope) || !cb_kv_collection_name_ok(collection))
		return CB_INVALID;
	cb_buf_append_span(&path, scope);
	cb_buf_append_u8(&path, '.');
	cb_buf_append_span(&path, collection);
	request.value = cb_buf_span(&path);
	result = path.oom ? CB_NOMEM : cb_request_append(buf, &request);
	cb_buf_free(&path);
	return result;
}

CbResult
cb_kv_collection_id_result(CbSpan extras, uint64_t *manifest_uid,
						   uint32_t *collection_id)
{
	if (extras.len != 12)
		return CB_MALFORMED;
	*manifest_uid = cb_get_u64(extras.data);
	*collection_id = cb_get_u32(extras.data + 8);
	return CB_OK;
}

CbResult
cb_kv_get_all_vb_seqnos(CbBuf *buf, uint32_t opaque, const uint32_t *collection_id)
{
	uint8_t		extras[8] = {0, 0, 0, 1};	/* 1: active ones */
	CbRequest	request = {.opcode = CB_OP_GET_ALL_VB_SEQNOS, .opaque = opaque};

	request.extras = cb_span(extras, 4);
	if (collection_id != NULL)
	{
		for (int i = 0; i < 4; i++)
			extras[4 + i] = (uint8_t) (*collection_id >> (24 - 8 * i));
		request.extras.len = 8;
	}
	return cb_request_append(buf, &request);
}

CbResult
cb_kv_vb_seqno_result(CbSpan value, size_t i, uint16_t *vbucket, uint64_t *seqno)
{
	if (value.len % 10 != 0)
		return CB_MALFORMED;
	if (i >= value.len / 10)
		return CB_END;
	*vbucket = cb_get_u16(value.data + i * 10);
	*seqno = cb_get_u64(value.data + i * 10 + 2);
	return CB_OK;
}

CbResult
cb_kv_get_failover_log(CbBuf *buf, uint32_t opaque, uint16_t vbucket)
{
	return cb_request_append(buf, &(CbRequest) {
		.opcode = CB_OP_GET_FAILOVER_LOG, .opaque = opaque, .vbucket = vbucket
	});
}

CbResult
cb_kv_failover_log_result(CbSpan value, uint64_t *vbucket_uuid)
{
	if (value.len == 0 || value.len % 16 != 0)
		return CB_MALFORMED;
	*vbucket_uuid = cb_get_u64(value.data);
	return CB_OK;
}

/* Copy a text, cut at a character boundary; invalid bytes end it. */
static void
copy_text(char *out, size_t size, const char *text)
{
	CbSpan		span = cb_span_cstr(text);

	if (span.len > size - 1)
		span.len = size - 1;
	span.len = cb_utf8_valid_prefix(span);
	memcpy(out, text, span.len);
	out[span.len] = '\0';
}

CbResult
cb_kv_error_body(CbSpan value, CbErrorBody *body)
{
	json_t	   *root;
	json_t	   *error;
	const char *text;

	*body = (CbErrorBody) {0};
	if (value.len == 0)
		return CB_NOT_FOUND;
	root = json_loadb((const char *) value.data, value.len, 0, NULL);
	if (!json_is_object(root))
	{
		json_decref(root);
		return CB_NOT_FOUND;
	}
	error = json_object_get(root, "error");
	text = json_string_value(json_object_get(error, "context"));
	if (text != NULL)
		copy_text(body->context, sizeof(body->context), text);
	text = json_string_value(json_object_get(error, "ref"));
	if (text != NULL)
		copy_text(body->ref, sizeof(body->ref), text);
	text = json_string_value(json_object_get(root, "manifest_uid"));
	if (text != NULL)
		body->has_manifest_uid = cb_hex_parse(text, &body->manifest_uid);
	json_decref(root);
	return CB_OK;
}

CbResult
cb_kv_clustermap_change(const CbPacket *packet, CbVersion *version)
{
	if (!packet->server_request || packet->opcode != CB_SERVER_OP_CLUSTERMAP_CHANGE)
		return CB_INVALID;
	if (packet->extras.len == 16)
	{
		version->epoch = (int64_t) cb_get_u64(packet->extras.data);
		version->rev = (int64_t) cb_get_u64(packet->extras.data + 8);
		return CB_OK;
	}
	if (packet->extras.len == 4)
	{
		version->epoch = 0;
		version->rev = cb_get_u32(packet->extras.data);
		return CB_OK;
	}
	return CB_MALFORMED;
}
