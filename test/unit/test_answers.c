/*
 * test_answers.c
 *		Structured parts of answers: recorded ones decode, spoilt ones are refused.
 */
#include "check.h"

#include "config.h"
#include "kv_ops.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

static int	seen_tokens;
static int	seen_lookups;
static int	seen_metas;
static int	seen_ids;
static int	seen_errors;
static int	seen_configs;
static int	seen_manifests;

static void
check_lookup(const CbPacket *packet)
{
	CbLookupIter iter;
	CbLookupEntry entry;
	CbResult	result;
	bool		failed = false;

	cb_kv_lookup_iter_init(&iter, packet->value);
	while ((result = cb_kv_lookup_iter_next(&iter, &entry)) == CB_OK)
		failed |= entry.status != 0;
	CHECK_RESULT(result, CB_END);
	CHECK_INT(failed, packet->status == CB_STATUS_SUBDOC_MULTI_PATH_FAILURE ||
			  packet->status == CB_STATUS_SUBDOC_MULTI_PATH_FAILURE_DELETED);
	seen_lookups++;
}

static void
check_mutation(const CbPacket *packet)
{
	CbMutationToken token;
	CbResult	result = cb_kv_mutation_token(packet->extras, &token);

	if (packet->extras.len == 0)
		CHECK_RESULT(result, CB_NOT_FOUND);
	else if (CHECK_RESULT(result, CB_OK))
	{
		CHECK(token.vbucket_uuid != 0 && token.seqno != 0);
		seen_tokens++;
	}
}

static void
check_json_body(const CbPacket *packet)
{
	CbBuf		scratch = {0};
	CbSpan		value;
	CbError		err = {0};
	CbConfig   *config;
	CbManifest *manifest;

	if (packet->value.len == 0 ||
		!CHECK_RESULT(cb_packet_value(packet, 1 << 20, &scratch, &value), CB_OK))
		return;
	if (packet->opcode == CB_OP_GET_MANIFEST)
	{
		CHECK_RESULT(cb_manifest_parse(value, &manifest, &err), CB_OK);
		cb_manifest_free(manifest);
		seen_manifests++;
	}
	else
	{
		CHECK_RESULT(cb_config_parse(value, "host", &config, &err), CB_OK);
		CHECK_STR(err.text, "");
		if (config != NULL && config->bucket != NULL)
			CHECK(config->nvbuckets == 64 && cb_config_node_of(config, 5, 0) >= 0);
		cb_config_free(config);
		seen_configs++;
	}
	cb_buf_free(&scratch);
}

static void
check_error(const CbPacket *packet)
{
	CbErrorBody body;

	if (cb_kv_error_body(packet->value, &body) != CB_OK)
	{
		CHECK(packet->value.len == 0 || packet->value.data[0] != '{');
		return;
	}
	seen_errors++;
	CHECK(body.context[0] != '\0' || body.ref[0] != '\0');
	if (packet->status == CB_STATUS_UNKNOWN_COLLECTION || packet->status == CB_STATUS_UNKNOWN_SCOPE)
		CHECK(body.has_manifest_uid && body.manifest_uid > 0);
	CHECK(cb_status_name(packet->status) != NULL);
}

static void
check_success(const CbPacket *packet)
{
	uint64_t	uid;
	uint32_t	id;
	uint32_t	flags;
	CbDocMeta	meta;

	switch (packet->opcode)
	{
		case CB_OP_GET:
		case CB_OP_GET_REPLICA:
		case CB_OP_GET_AND_TOUCH:
			CHECK_RESULT(cb_kv_flags_result(packet->extras, &flags), CB_OK);
			break;
		case CB_OP_GET_META:
			CHECK_RESULT(cb_kv_get_meta_result(packet->extras, &meta), CB_OK);
			CHECK(meta.seqno > 0);
			seen_metas++;
			break;
		case CB_OP_SET:
		case CB_OP_ADD:
		case CB_OP_REPLACE:
		case CB_OP_DELETE:
		case CB_OP_SUBDOC_MULTI_MUTATION:
			check_mutation(packet);
			break;
		case CB_OP_GET_COLLECTION_ID:
			CHECK_RESULT(cb_kv_collection_id_result(packet->extras, &uid, &id), CB_OK);
			CHECK(uid > 0);
			seen_ids++;
			break;
		case CB_OP_GET_CLUSTER_CONFIG:
		case CB_OP_GET_MANIFEST:
			check_json_body(packet);
			break;
		default:
			break;
	}
}

static void
check_answer(const CbPacket *packet)
{
	CbVersion	version;

	if (packet->server_request)
	{
		CHECK_RESULT(cb_kv_clustermap_change(packet, &version), CB_OK);
		CHECK(version.epoch >= 0 && version.rev > 0);
	}
	else if (packet->status == CB_STATUS_NOT_MY_VBUCKET)
		check_json_body(packet);
	else if (packet->opcode == CB_OP_SUBDOC_MULTI_LOOKUP &&
			 (packet->status == CB_STATUS_SUCCESS || packet->status == CB_STATUS_SUBDOC_SUCCESS_DELETED ||
			  packet->status == CB_STATUS_SUBDOC_MULTI_PATH_FAILURE ||
			  packet->status == CB_STATUS_SUBDOC_MULTI_PATH_FAILURE_DELETED))
		check_lookup(packet);
	else if (packet->status == CB_STATUS_SUCCESS)
		check_success(packet);
	else if (packet->status == CB_STATUS_SUBDOC_SUCCESS_DELETED)
		return;
	else if (packet->status == CB_STATUS_SUBDOC_MULTI_PATH_FAILURE)
	{
		uint8_t		index;
		uint16_t	status;

		CHECK_RESULT(cb_kv_mutate_failure(packet->value, &index, &status), CB_OK);
		CHECK(index < 16 && cb_status_name(status) != NULL);
	}
	else if (packet->opcode != CB_OP_RANGE_SCAN_CONTINUE && packet->opcode != CB_OP_SASL_AUTH &&
			 packet->opcode != CB_OP_SASL_STEP)
		check_error(packet);
}

static void
test_recorded(void)
{
	size_t		count;
	const Exchange *all = vectors_all(&count);

	for (size_t i = 0; i < count; i++)
	{
		for (size_t j = 0; j < all[i].nresponses; j++)
		{
			CbPacket	packet;

			check_context("%s %s step %d", all[i].file, all[i].scenario, all[i].step);
			if (CHECK_RESULT(cb_packet_read(all[i].responses[j], SIZE_MAX, &packet, NULL), CB_OK))
				check_answer(&packet);
		}
	}
	check_context("%s", "");
	CHECK(seen_tokens > 100);
	CHECK(seen_lookups > 15);
	CHECK(seen_metas >= 6);
	CHECK(seen_ids > 5);
	CHECK(seen_errors > 100);
	CHECK(seen_configs > 10);
	CHECK(seen_manifests >= 2);
}

static void
test_spoilt(void)
{
	CbLookupIter iter;
	CbLookupEntry found;
	CbMutateEntry written;
	CbFeatures	features;
	CbDocMeta	meta;
	uint64_t	uuid;
	uint16_t	vbucket;
	CbErrorBody body;

	CHECK_RESULT(cb_kv_hello_result(cb_span("\0\6\0\x1d\xff\xff", 6), &features), CB_OK);
	CHECK(cb_has_feature(features, 6) && cb_has_feature(features, 0x1d));
	CHECK(!cb_has_feature(features, 7) && !cb_has_feature(features, 0xffff));
	CHECK_RESULT(cb_kv_hello_result(cb_span("\0\6\0", 3), &features), CB_MALFORMED);

	cb_kv_lookup_iter_init(&iter, cb_span("\0\0\0\0\0\2ab\0\xc0\0\0\0\0", 14));
	CHECK_RESULT(cb_kv_lookup_iter_next(&iter, &found), CB_OK);
	CHECK_BYTES(found.value, cb_span_cstr("ab"));
	CHECK_RESULT(cb_kv_lookup_iter_next(&iter, &found), CB_OK);
	CHECK_INT(found.status, 0xc0);
	CHECK_RESULT(cb_kv_lookup_iter_next(&iter, &found), CB_END);
	for (size_t len = 1; len < 8; len++)
	{
		cb_kv_lookup_iter_init(&iter, cb_span("\0\0\0\0\0\2ab", len));
		CHECK_RESULT(cb_kv_lookup_iter_next(&iter, &found), CB_MALFORMED);
	}
	cb_kv_lookup_iter_init(&iter, cb_span("\0\0\xff\xff\xff\xff", 6));
	CHECK_RESULT(cb_kv_lookup_iter_next(&iter, &found), CB_MALFORMED);

	cb_kv_lookup_iter_init(&iter, cb_span("\3\0\0\0\0\0\2-1\4\0\xc0", 12));
	CHECK_RESULT(cb_kv_mutate_iter_next(&iter, &written), CB_OK);
	CHECK_INT(written.index, 3);
	CHECK_BYTES(written.value, cb_span_cstr("-1"));
	CHECK_RESULT(cb_kv_mutate_iter_next(&iter, &written), CB_OK);
	CHECK_INT(written.status, 0xc0);
	CHECK_RESULT(cb_kv_mutate_iter_next(&iter, &written), CB_END);
	cb_kv_lookup_iter_init(&iter, cb_span("\3\0\0\0\0\0\2-", 8));
	CHECK_RESULT(cb_kv_mutate_iter_next(&iter, &written), CB_MALFORMED);

	CHECK_RESULT(cb_kv_get_meta_result(cb_span("12345678901234567890", 19), &meta), CB_MALFORMED);
	CHECK_RESULT(cb_kv_vb_seqno_result(cb_span("1234567890", 10), 0, &vbucket, &uuid), CB_OK);
	CHECK_INT(vbucket, 0x3132);
	CHECK_RESULT(cb_kv_vb_seqno_result(cb_span("1234567890", 10), 1, &vbucket, &uuid), CB_END);
	CHECK_RESULT(cb_kv_vb_seqno_result(cb_span("123456789", 9), 0, &vbucket, &uuid), CB_MALFORMED);
	CHECK_RESULT(cb_kv_failover_log_result(CB_SPAN_EMPTY, &uuid), CB_MALFORMED);

	CHECK_RESULT(cb_kv_error_body(cb_span_cstr("{\"error\":5,\"manifest_uid\":\"zz\"}"), &body), CB_OK);
	CHECK(!body.has_manifest_uid && body.context[0] == '\0');
	CHECK_RESULT(cb_kv_error_body(cb_span_cstr("\"error\""), &body), CB_NOT_FOUND);
	CHECK_RESULT(cb_kv_error_body(cb_span_cstr("{\"error\":"), &body), CB_NOT_FOUND);
}

static void
test_agent(void)
{
	CbBuf		out = {0};
	char		name[400];

	cb_kv_agent(&out, cb_span_cstr("vectors/1"), 1, 1);
	CHECK_BYTES(cb_buf_span(&out), cb_span_cstr("{\"a\":\"vectors/1\",\"i\":\"0000000000000001/0000000000000001\"}"));
	memset(name, '"', sizeof(name));
	cb_buf_reset(&out);
	cb_kv_agent(&out, cb_span(name, sizeof(name)), UINT64_MAX, UINT64_MAX);
	CHECK(out.len > 200 && out.len <= 250);
	for (size_t i = 0; i < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xbc", 2);
	cb_buf_reset(&out);
	cb_kv_agent(&out, cb_span(name + 1, sizeof(name) - 1), 0, 0);
	CHECK(out.len <= 250 && cb_utf8_valid_prefix(cb_buf_span(&out)) == out.len);
	cb_buf_free(&out);
}

void
test_answers(void)
{
	test_recorded();
	test_spoilt();
	test_agent();
}
