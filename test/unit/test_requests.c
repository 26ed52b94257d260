/*
 * test_requests.c
 *		Builds every recorded request that has a builder from its meaning and
 *		compares the bytes; what a builder refuses, the server refused too.
 */
#include "check.h"

#include "kv_scan.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

/* Has no use here, and no builder. */
#define SUBDOC_REPLACE_BODY 0xd3

/* HELLO features in force, by the first letter of a connection's name. */
static CbFeatures features[256];

static uint8_t
connection_of(const Exchange *exchange)
{
	const char *name = json_string_value(json_object_get(exchange->json, "conn"));

	return name == NULL ? 'a' : (uint8_t) name[0];
}

static void
follow_hello(const Exchange *exchange)
{
	if (exchange->step == 1 || exchange->closed)
		memset(features, 0, sizeof(features));
	for (size_t i = 0; i < exchange->nresponses; i++)
	{
		CbPacket	packet;

		if (cb_packet_read(exchange->responses[i], SIZE_MAX, &packet, NULL) == CB_OK &&
			packet.opcode == CB_OP_HELLO && packet.status == 0)
			cb_kv_hello_result(packet.value, &features[connection_of(exchange)]);
	}
}

/* Durability and preserve-expiry frames; false for any other. */
static bool
parse_frames(CbSpan frames, CbWriteOptions *options)
{
	while (frames.len > 0)
	{
		uint8_t		id = frames.data[0] >> 4;
		uint8_t		len = frames.data[0] & 15;

		if (len + 1u > frames.len)
			return false;
		if (id == 1 && (len == 1 || len == 3))
		{
			options->durability = frames.data[1];
			if (len == 3)
				options->durability_timeout_ms = cb_get_u16(frames.data + 2);
		}
		else if (id == 5 && len == 0)
			options->preserve_expiry = true;
		else
			return false;
		frames.data += len + 1;
		frames.len -= len + 1;
	}
	return true;
}

static bool
parse_doc(const Exchange *exchange, const RawRequest *raw, CbDocRef *doc)
{
	size_t		used;

	*doc = (CbDocRef) {.opaque = raw->opaque, .vbucket = raw->vbucket, .key = raw->key};
	if (!cb_has_feature(features[connection_of(exchange)], CB_FEATURE_COLLECTIONS))
		return true;
	doc->has_collection = true;
	if (cb_leb128_read(raw->key, &doc->collection_id, &used) != CB_OK)
		return false;
	doc->key.data += used;
	doc->key.len -= used;
	return true;
}

/* Specs of a multi request; the value's length field is there for mutations only. */
static bool
parse_specs(CbSpan body, bool mutation, CbSubdocSpec *specs, size_t *nspecs)
{
	size_t		fixed = mutation ? 8 : 4;

	for (*nspecs = 0; body.len > 0 && *nspecs < 32; (*nspecs)++)
	{
		CbSubdocSpec *spec = &specs[*nspecs];
		size_t		path_len;
		size_t		value_len;

		if (body.len < fixed)
			return false;
		path_len = cb_get_u16(body.data + 2);
		value_len = mutation ? cb_get_u32(body.data + 4) : 0;
		if (path_len + value_len > body.len - fixed)
			return false;
		*spec = (CbSubdocSpec) {
			.opcode = body.data[0], .flags = body.data[1],
			.path = cb_span(body.data + fixed, path_len),
			.value = cb_span(body.data + fixed + path_len, value_len)
		};
		body.data += fixed + path_len + value_len;
		body.len -= fixed + path_len + value_len;
	}
	return body.len == 0;
}

static CbResult
build_document(const Exchange *exchange, const RawRequest *raw, CbBuf *out)
{
	CbWriteOptions options = {.cas = raw->cas};
	CbSubdocSpec specs[32];
	size_t		nspecs;
	CbDocRef	doc;
	size_t		ex = raw->extras.len;
	uint8_t		doc_flags = 0;

	if (!parse_frames(raw->frames, &options) || !parse_doc(exchange, raw, &doc))
		return CB_NOT_FOUND;
	switch (raw->opcode)
	{
		case CB_OP_GET:
			return cb_kv_get(out, &doc);
		case CB_OP_GET_REPLICA:
			return cb_kv_get_replica(out, &doc);
		case CB_OP_GET_META:
			return cb_kv_get_meta(out, &doc);
		case CB_OP_TOUCH:
			return ex != 4 ? CB_NOT_FOUND : cb_kv_touch(out, &doc, cb_get_u32(raw->extras.data));
		case CB_OP_GET_AND_TOUCH:
			return ex != 4 ? CB_NOT_FOUND :
				cb_kv_get_and_touch(out, &doc, cb_get_u32(raw->extras.data));
		case CB_OP_SET:
		case CB_OP_ADD:
		case CB_OP_REPLACE:
			if (ex != 8)
				return CB_NOT_FOUND;
			options.expiry = cb_get_u32(raw->extras.data + 4);
			return cb_kv_store(out, raw->opcode, &doc, &options,
							   cb_get_u32(raw->extras.data), raw->datatype, raw->value);
		case CB_OP_DELETE:
			return cb_kv_delete(out, &doc, &options);
		case CB_OP_SUBDOC_MULTI_LOOKUP:
			if (!parse_specs(raw->value, false, specs, &nspecs))
				return CB_NOT_FOUND;
			if (ex == 1 && raw->extras.data[0] > 7)
				return CB_NOT_FOUND;
			return cb_kv_lookup(out, &doc, ex == 1 ? raw->extras.data[0] : 0, specs, nspecs);
		default:
			break;
	}
	if (!parse_specs(raw->value, true, specs, &nspecs))
		return CB_NOT_FOUND;
	for (size_t i = 0; i < nspecs; i++)
	{
		if (specs[i].opcode == SUBDOC_REPLACE_BODY)
			return CB_NOT_FOUND;
	}
	if (ex >= 4)
		options.expiry = cb_get_u32(raw->extras.data);
	if (ex == 1 || ex == 5)
		doc_flags = raw->extras.data[ex - 1];
	/* Create as deleted, revive: without a use here. */
	if (doc_flags > 7)
		return CB_NOT_FOUND;
	return cb_kv_mutate(out, &doc, &options, doc_flags, specs, nspecs);
}

/* Key of a scan's range from its base64. */
static bool
parse_bound(const json_t *range, const char *name, const char *excl_name, CbBuf *key,
			bool *exclusive)
{
	const char *text = json_string_value(json_object_get(range, name));

	*exclusive = text == NULL;
	if (text == NULL)
		text = json_string_value(json_object_get(range, excl_name));
	return text != NULL && cb_base64_decode(cb_span_cstr(text), key) == CB_OK;
}

static bool
parse_create(const json_t *body, CbScanCreate *create, CbBuf *start, CbBuf *end)
{
	const json_t *range = json_object_get(body, "range");
	const json_t *sampling = json_object_get(body, "sampling");
	const json_t *snapshot = json_object_get(body, "snapshot_requirements");
	const char *collection = json_string_value(json_object_get(body, "collection"));

	if (collection != NULL)
		create->collection_id = (uint32_t) strtoul(collection, NULL, 16);
	create->key_only = json_is_true(json_object_get(body, "key_only"));
	create->samples = (uint64_t) json_integer_value(json_object_get(sampling, "samples"));
	create->seed = (uint32_t) json_integer_value(json_object_get(sampling, "seed"));
	if (range != NULL)
	{
		if (!parse_bound(range, "start", "excl_start", start, &create->start_exclusive) ||
			!parse_bound(range, "end", "excl_end", end, &create->end_exclusive))
			return false;
		create->start = cb_buf_span(start);
		create->end = cb_buf_span(end);
		create->end_given = true;
	}
	if (snapshot != NULL)
	{
		const char *uuid = json_string_value(json_object_get(snapshot, "vb_uuid"));

		if (uuid == NULL)
			return false;
		create->has_snapshot = true;
		create->snapshot.vbucket_uuid = strtoull(uuid, NULL, 10);
		create->snapshot.seqno = (uint64_t) json_integer_value(json_object_get(snapshot, "seqno"));
		create->seqno_exists = json_is_true(json_object_get(snapshot, "seqno_exists"));
		create->snapshot_timeout_ms =
			(uint32_t) json_integer_value(json_object_get(snapshot, "timeout_ms"));
	}
	return true;
}

static CbResult
build_create(const RawRequest *raw, CbBuf *out)
{
	json_t	   *body = json_loadb((const char *) raw->value.data, raw->value.len, 0, NULL);
	CbScanCreate create = {.opaque = raw->opaque, .vbucket = raw->vbucket};
	CbBuf		start = {0};
	CbBuf		end = {0};
	CbResult	result = CB_NOT_FOUND;

	if (json_is_object(body) && parse_create(body, &create, &start, &end))
		result = cb_kv_scan_create(out, &create);
	cb_buf_free(&start);
	cb_buf_free(&end);
	json_decref(body);
	return result;
}

static CbResult
build_session(const RawRequest *raw, CbBuf *out)
{
	char		mech[64];
	uint16_t	list[64];
	CbVersion	version;
	size_t		dot = 0;
	uint32_t	cid;

	snprintf(mech, sizeof(mech), "%.*s", (int) raw->key.len, (const char *) raw->key.data);
	switch (raw->opcode)
	{
		case CB_OP_HELLO:
			for (size_t i = 0; i < raw->value.len / 2 && i < 64; i++)
				list[i] = cb_get_u16(raw->value.data + 2 * i);
			return cb_kv_hello(out, raw->opaque, raw->key, list, raw->value.len / 2);
		case CB_OP_SASL_LIST:
			return cb_kv_sasl_list(out, raw->opaque);
		case CB_OP_SASL_AUTH:
			return cb_kv_sasl_auth(out, raw->opaque, mech, raw->value);
		case CB_OP_SASL_STEP:
			return cb_kv_sasl_step(out, raw->opaque, mech, raw->value);
		case CB_OP_SELECT_BUCKET:
			return cb_kv_select_bucket(out, raw->opaque, raw->key);
		case CB_OP_GET_ERROR_MAP:
			return raw->value.len != 2 ? CB_NOT_FOUND :
				cb_kv_get_error_map(out, raw->opaque, cb_get_u16(raw->value.data));
		case CB_OP_GET_CLUSTER_CONFIG:
			if (raw->extras.len != 16)
				return cb_kv_get_cluster_config(out, raw->opaque, NULL);
			version.epoch = (int64_t) cb_get_u64(raw->extras.data);
			version.rev = (int64_t) cb_get_u64(raw->extras.data + 8);
			return cb_kv_get_cluster_config(out, raw->opaque, &version);
		case CB_OP_NOOP:
			return cb_kv_noop(out, raw->opaque);
		case CB_OP_VERSION:
			return cb_kv_version(out, raw->opaque);
		case CB_OP_STAT:
			return cb_kv_stat(out, raw->opaque, raw->key);
		case CB_OP_GET_MANIFEST:
			return cb_kv_get_manifest(out, raw->opaque);
		case CB_OP_GET_COLLECTION_ID:
			while (dot < raw->value.len && raw->value.data[dot] != '.')
				dot++;
			/* The builder wants both names, the server takes none for _default. */
			if (dot == 0 || dot + 1 >= raw->value.len)
				return CB_NOT_FOUND;
			return cb_kv_get_collection_id(out, raw->opaque, cb_span(raw->value.data, dot),
										   cb_span(raw->value.data + dot + 1,
												   raw->value.len - dot - 1));
		case CB_OP_GET_ALL_VB_SEQNOS:
			if (raw->extras.len != 8)
				return cb_kv_get_all_vb_seqnos(out, raw->opaque, NULL);
			cid = cb_get_u32(raw->extras.data + 4);
			return cb_kv_get_all_vb_seqnos(out, raw->opaque, &cid);
		case CB_OP_GET_FAILOVER_LOG:
			return cb_kv_get_failover_log(out, raw->opaque, raw->vbucket);
		case CB_OP_RANGE_SCAN_CREATE:
			return build_create(raw, out);
		case CB_OP_RANGE_SCAN_CONTINUE:
			return raw->extras.len != 28 ? CB_NOT_FOUND :
				cb_kv_scan_continue(out, raw->opaque, raw->vbucket, raw->extras.data,
									cb_get_u32(raw->extras.data + 16),
									cb_get_u32(raw->extras.data + 20));
		case CB_OP_RANGE_SCAN_CANCEL:
			return raw->extras.len != 16 ? CB_NOT_FOUND :
				cb_kv_scan_cancel(out, raw->opaque, raw->vbucket, raw->extras.data);
		default:
			return CB_NOT_FOUND;
	}
}

static CbResult
build(const Exchange *exchange, const RawRequest *raw, CbBuf *out)
{
	switch (raw->opcode)
	{
		case CB_OP_GET:
		case CB_OP_SET:
		case CB_OP_ADD:
		case CB_OP_REPLACE:
		case CB_OP_DELETE:
		case CB_OP_TOUCH:
		case CB_OP_GET_AND_TOUCH:
		case CB_OP_GET_REPLICA:
		case CB_OP_GET_META:
		case CB_OP_SUBDOC_MULTI_LOOKUP:
		case CB_OP_SUBDOC_MULTI_MUTATION:
			return build_document(exchange, raw, out);
		default:
			return build_session(raw, out);
	}
}

/* Whether the writer can express the packet field by field. */
static CbResult
write_plainly(const RawRequest *raw, CbBuf *out)
{
	CbWriteOptions options = {0};
	CbRequest	request = {
		.opcode = raw->opcode, .datatype = raw->datatype, .vbucket = raw->vbucket,
		.opaque = raw->opaque, .cas = raw->cas, .extras = raw->extras, .key = raw->key,
		.value = raw->value
	};

	if (!parse_frames(raw->frames, &options))
		return CB_NOT_FOUND;
	request.durability = options.durability;
	request.durability_timeout_ms = options.durability_timeout_ms;
	request.preserve_expiry = options.preserve_expiry;
	return cb_request_append(out, &request);
}

typedef struct Tally
{
	int			requests;
	int			by_meaning;
	int			plainly;
	int			refused;
} Tally;

static bool
server_refused(const Exchange *exchange, const RawRequest *raw)
{
	CbSpan		response = vectors_response_to(exchange, raw);

	return response.len < 24 || cb_get_u16(response.data + 6) != 0;
}

/*
 * Answered as malformed, or by closing the connection, for what the builder can know:
 * not the contents of SASL messages, and not what the connection negotiated.
 */
static bool
server_calls_malformed(const Exchange *exchange, const RawRequest *raw)
{
	CbSpan		response = vectors_response_to(exchange, raw);
	CbFeatures	in_force = features[connection_of(exchange)];

	if (raw->opcode == CB_OP_SASL_AUTH || raw->opcode == CB_OP_SASL_STEP)
		return raw->key.len == 0 || raw->value.len == 0;
	if (((raw->datatype & CB_DATATYPE_JSON) != 0 && !cb_has_feature(in_force, CB_FEATURE_JSON)) ||
		((raw->datatype & CB_DATATYPE_SNAPPY) != 0 && !cb_has_feature(in_force, CB_FEATURE_SNAPPY)))
		return false;
	if (response.len < 24)
		return exchange->closed && raw->opcode != CB_OP_QUIT;
	return cb_get_u16(response.data + 6) == CB_STATUS_EINVAL;
}

static void
check_request(const Exchange *exchange, const RawRequest *raw, Tally *tally)
{
	CbBuf		out = {0};
	CbResult	result = build(exchange, raw, &out);
	bool		same = result == CB_OK && cb_span_equal(cb_buf_span(&out), raw->whole);
	bool		malformed = strcmp(exchange->file, "malformed") == 0;

	tally->requests++;
	if (same)
	{
		tally->by_meaning++;
		/* What the server calls malformed no builder may write. */
		CHECK(!server_calls_malformed(exchange, raw));
	}
	else if (result == CB_INVALID)
	{
		tally->refused++;
		CHECK(server_refused(exchange, raw) || strcmp(exchange->scenario, "subdoc-fragments") == 0);
		CHECK_INT(out.len, 0);
	}
	else if (!malformed)
	{
		cb_buf_reset(&out);
		result = write_plainly(raw, &out);
		if (result == CB_OK)
		{
			CHECK_BYTES(cb_buf_span(&out), raw->whole);
			tally->plainly++;
		}
	}
	cb_buf_free(&out);
}

/* Invariants of the builders that no recorded request shows. */
static void
test_refusals(void)
{
	CbBuf		out = {0};
	CbDocRef	doc = {.has_collection = true, .collection_id = 8, .key = cb_span_cstr("k")};
	CbWriteOptions options = {0};
	CbSubdocSpec specs[17];
	char		key[300];

	memset(key, 'k', sizeof(key));
	for (uint32_t id = 1; id < 8; id++)
	{
		doc.collection_id = id;
		CHECK_RESULT(cb_kv_get(&out, &doc), CB_INVALID);
	}
	doc.collection_id = 8;
	doc.key = cb_span(key, 247);
	CHECK_RESULT(cb_kv_get(&out, &doc), CB_INVALID);
	doc.key.len = 246;
	CHECK_RESULT(cb_kv_get(&out, &doc), CB_OK);
	doc.collection_id = 0;
	doc.key.len = 251;
	CHECK_RESULT(cb_kv_get(&out, &doc), CB_INVALID);
	doc.key.len = 0;
	CHECK_RESULT(cb_kv_get(&out, &doc), CB_INVALID);
	doc = (CbDocRef) {.collection_id = 8, .key = cb_span_cstr("k")};
	CHECK_RESULT(cb_kv_get(&out, &doc), CB_INVALID);
	doc.collection_id = 0;
	options.durability = (CbDurability) 4;
	CHECK_RESULT(cb_kv_delete(&out, &doc, &options), CB_INVALID);
	options.durability = CB_DURABILITY_MAJORITY;
	options.durability_timeout_ms = 0xffff;
	CHECK_RESULT(cb_kv_delete(&out, &doc, &options), CB_INVALID);
	options = (CbWriteOptions) {.preserve_expiry = true};
	CHECK_RESULT(cb_kv_delete(&out, &doc, &options), CB_INVALID);
	CHECK_RESULT(cb_kv_store(&out, CB_OP_ADD, &doc, &options, 0, 0, doc.key), CB_INVALID);
	for (int i = 0; i < 17; i++)
		specs[i] = (CbSubdocSpec) {.opcode = CB_OP_SUBDOC_GET, .path = cb_span_cstr("p")};
	CHECK_RESULT(cb_kv_lookup(&out, &doc, 0, specs, 17), CB_INVALID);
	CHECK_RESULT(cb_kv_lookup(&out, &doc, 0, specs, 0), CB_INVALID);
	specs[1].flags = CB_SUBDOC_FLAG_XATTR;
	CHECK_RESULT(cb_kv_lookup(&out, &doc, 0, specs, 2), CB_INVALID);
	CHECK_RESULT(cb_kv_lookup(&out, &doc, 0, specs + 1, 2), CB_OK);
	CHECK_RESULT(cb_kv_mutate(&out, &doc, NULL, 0, specs + 1, 1), CB_INVALID);
	cb_buf_free(&out);
}

/* Feature lists that the server refuses, and their good relatives. */
static void
test_features(void)
{
	static const struct
	{
		uint16_t	list[4];
		CbResult	result;
	}			cases[] = {
		{{0x03, 0x06, 0x0b, 0x12}, CB_OK}, {{0x03, 0x05}, CB_INVALID}, {{0x05, 0x12}, CB_OK},
		{{0x15, 0x07}, CB_INVALID}, {{0x15, 0x06}, CB_OK}, {{0x0d}, CB_INVALID},
		{{0x0d, 0x0c}, CB_OK}, {{0x0b, 0x1f}, CB_INVALID}, {{0x0c, 0x1f}, CB_OK},
	};
	CbBuf		out = {0};
	char		agent[251] = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		size_t		n = 0;

		while (n < 4 && cases[i].list[n] != 0)
			n++;
		check_context("features case %zu", i);
		CHECK_RESULT(cb_kv_hello(&out, 1, CB_SPAN_EMPTY, cases[i].list, n), cases[i].result);
	}
	check_context("%s", "");
	CHECK_RESULT(cb_kv_hello(&out, 1, cb_span(agent, 251), NULL, 0), CB_INVALID);
	CHECK_RESULT(cb_kv_hello(&out, 1, cb_span(agent, 250), NULL, 0), CB_OK);
	cb_buf_free(&out);
}

/* Values that a server would splice into a document unseen. */
static void
test_fragments(void)
{
	static const struct
	{
		uint8_t		opcode;
		const char *value;
		CbResult	result;
	}			cases[] = {
		{CB_OP_SUBDOC_DICT_UPSERT, "{\"a\":[1]}", CB_OK},
		{CB_OP_SUBDOC_DICT_UPSERT, "1,\"admin\":true", CB_INVALID},
		{CB_OP_SUBDOC_DICT_UPSERT, "1},\"z\":{", CB_INVALID},
		{CB_OP_SUBDOC_DICT_UPSERT, "", CB_INVALID},
		{CB_OP_SUBDOC_DICT_UPSERT, "\"\xff\"", CB_INVALID},
		{CB_OP_SUBDOC_REPLACE, "1,2", CB_INVALID},
		{CB_OP_SUBDOC_ARRAY_PUSH_LAST, "1,2", CB_OK},
		{CB_OP_SUBDOC_ARRAY_PUSH_LAST, "1],[2", CB_INVALID},
		{CB_OP_SUBDOC_ARRAY_PUSH_LAST, "", CB_INVALID},
		{CB_OP_SUBDOC_ARRAY_INSERT, "1,", CB_INVALID},
		{CB_OP_SUBDOC_ARRAY_ADD_UNIQUE, "1,2", CB_INVALID},
		{CB_OP_SUBDOC_DELETE, "", CB_OK},
		{CB_OP_SUBDOC_DELETE, "1", CB_INVALID},
	};
	CbDocRef	doc = {.key = cb_span_cstr("k")};
	CbBuf		out = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		CbSubdocSpec spec = {
			.opcode = cases[i].opcode, .path = cb_span_cstr("p"),
			.value = cb_span_cstr(cases[i].value)
		};

		check_context("value %s", cases[i].value);
		CHECK_RESULT(cb_kv_mutate(&out, &doc, NULL, 0, &spec, 1), cases[i].result);
	}
	check_context("%s", "");
	cb_buf_free(&out);
}

void
test_requests(void)
{
	size_t		count;
	const Exchange *all = vectors_all(&count);
	Tally		tally = {0};

	for (size_t i = 0; i < count; i++)
	{
		CbSpan		rest = all[i].request;
		RawRequest	raw;

		check_context("%s %s step %d (%s)", all[i].file, all[i].scenario, all[i].step,
					  all[i].note);
		while (vectors_next_request(&rest, &raw))
			check_request(&all[i], &raw, &tally);
		follow_hello(&all[i]);
	}
	check_context("%s", "");
	printf("  requests: %d, rebuilt from meaning %d, field by field %d, refused %d\n",
		   tally.requests, tally.by_meaning, tally.plainly, tally.refused);
	CHECK(tally.by_meaning >= 1225);
	test_refusals();
	test_features();
	test_fragments();
}
