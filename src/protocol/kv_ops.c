/*
 * kv_ops.c
 *		Requests about documents: reading, subdocument, writing.
 */
#include "kv_ops.h"

#include "compress.h"
#include "json_walk.h"

#include <string.h>

#define MUTATION_DOC_FLAGS \
	(CB_SUBDOC_DOC_MKDOC | CB_SUBDOC_DOC_ADD | CB_SUBDOC_DOC_ACCESS_DELETED)

static void
put_u32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t) (value >> (24 - 8 * i));
}

/* Common part of every request about a document. */
static CbRequest
doc_request(uint8_t opcode, const CbDocRef *doc)
{
	return (CbRequest) {
		.opcode = opcode,
		.opaque = doc->opaque,
		.vbucket = doc->vbucket,
		.has_collection = doc->has_collection,
		.collection_id = doc->collection_id,
		.key = doc->key
	};
}

static CbResult
append_doc_request(CbBuf *buf, const CbRequest *request)
{
	if (request->key.len == 0 || (!request->has_collection && request->collection_id != 0))
		return CB_INVALID;
	return cb_request_append(buf, request);
}

CbResult
cb_kv_get(CbBuf *buf, const CbDocRef *doc)
{
	CbRequest	request = doc_request(CB_OP_GET, doc);

	return append_doc_request(buf, &request);
}

CbResult
cb_kv_get_replica(CbBuf *buf, const CbDocRef *doc)
{
	CbRequest	request = doc_request(CB_OP_GET_REPLICA, doc);

	return append_doc_request(buf, &request);
}

static CbResult
expiry_request(CbBuf *buf, uint8_t opcode, const CbDocRef *doc, uint32_t expiry)
{
	CbRequest	request = doc_request(opcode, doc);
	uint8_t		extras[4];

	put_u32(extras, expiry);
	request.extras = cb_span(extras, sizeof(extras));
	return append_doc_request(buf, &request);
}

CbResult
cb_kv_get_and_touch(CbBuf *buf, const CbDocRef *doc, uint32_t expiry)
{
	return expiry_request(buf, CB_OP_GET_AND_TOUCH, doc, expiry);
}

CbResult
cb_kv_touch(CbBuf *buf, const CbDocRef *doc, uint32_t expiry)
{
	return expiry_request(buf, CB_OP_TOUCH, doc, expiry);
}

CbResult
cb_kv_get_meta(CbBuf *buf, const CbDocRef *doc)
{
	static const uint8_t with_datatype = 2;
	CbRequest	request = doc_request(CB_OP_GET_META, doc);

	request.extras = cb_span(&with_datatype, 1);
	return append_doc_request(buf, &request);
}

CbResult
cb_kv_flags_result(CbSpan extras, uint32_t *flags)
{
	if (extras.len != 4)
		return CB_MALFORMED;
	*flags = cb_get_u32(extras.data);
	return CB_OK;
}

CbResult
cb_kv_get_meta_result(CbSpan extras, CbDocMeta *meta)
{
	if (extras.len != 20 && extras.len != 21)
		return CB_MALFORMED;
	meta->deleted = (cb_get_u32(extras.data) & 1) != 0;
	meta->flags = cb_get_u32(extras.data + 4);
	meta->expiry = cb_get_u32(extras.data + 8);
	meta->seqno = cb_get_u64(extras.data + 12);
	meta->datatype = extras.len == 21 ? extras.data[20] : CB_DATATYPE_RAW;
	return CB_OK;
}

static bool
is_lookup_opcode(uint8_t opcode)
{
	return opcode == CB_OP_GET || opcode == CB_OP_SUBDOC_GET ||
		opcode == CB_OP_SUBDOC_EXISTS || opcode == CB_OP_SUBDOC_GET_COUNT;
}

static bool
is_mutation_opcode(uint8_t opcode)
{
	return opcode == CB_OP_SET || opcode == CB_OP_DELETE ||
		(opcode >= CB_OP_SUBDOC_DICT_ADD && opcode <= CB_OP_SUBDOC_COUNTER);
}

/* What look-ups and mutations have in common. */
static bool
specs_ok(const CbSubdocSpec *specs, size_t nspecs, bool (*opcode_ok) (uint8_t))
{
	bool		body_seen = false;

	if (nspecs == 0 || nspecs > CB_SUBDOC_MAX_SPECS)
		return false;
	for (size_t i = 0; i < nspecs; i++)
	{
		const CbSubdocSpec *spec = &specs[i];
		bool		xattr = (spec->flags & CB_SUBDOC_FLAG_XATTR) != 0;
		bool		whole = spec->opcode == CB_OP_GET || spec->opcode == CB_OP_SET ||
			spec->opcode == CB_OP_DELETE;

		if (!opcode_ok(spec->opcode) || spec->path.len > CB_SUBDOC_MAX_PATH)
			return false;
		if (xattr && body_seen)
			return false;
		body_seen |= !xattr;
		if (whole && !xattr && spec->path.len > 0)
			return false;
		if (spec->path.len == 0 &&
			(spec->opcode == CB_OP_SUBDOC_GET || spec->opcode == CB_OP_SUBDOC_EXISTS ||
			 (whole && xattr)))
			return false;
	}
	return true;
}

CbResult
cb_kv_lookup(CbBuf *buf, const CbDocRef *doc, uint8_t doc_flags,
			 const CbSubdocSpec *specs, size_t nspecs)
{
	CbRequest	request = doc_request(CB_OP_SUBDOC_MULTI_LOOKUP, doc);
	CbBuf		body = {0};
	CbResult	result;

	if (!specs_ok(specs, nspecs, is_lookup_opcode) ||
		(doc_flags & ~CB_SUBDOC_DOC_ACCESS_DELETED) != 0)
		return CB_INVALID;
	for (size_t i = 0; i < nspecs; i++)
	{
		cb_buf_append_u8(&body, specs[i].opcode);
		cb_buf_append_u8(&body, specs[i].flags);
		cb_buf_append_u16(&body, (uint16_t) specs[i].path.len);
		cb_buf_append_span(&body, specs[i].path);
	}
	request.value = cb_buf_span(&body);
	if (doc_flags != 0)
		request.extras = cb_span(&doc_flags, 1);
	result = body.oom ? CB_NOMEM : append_doc_request(buf, &request);
	cb_buf_free(&body);
	return result;
}

void
cb_kv_lookup_iter_init(CbLookupIter *iter, CbSpan value)
{
	iter->rest = value;
}

CbResult
cb_kv_lookup_iter_next(CbLookupIter *iter, CbLookupEntry *entry)
{
	CbSpan	   *rest = &iter->rest;
	uint32_t	len;

	if (rest->len == 0)
		return CB_END;
	if (rest->len < 6)
		return CB_MALFORMED;
	len = cb_get_u32(rest->data + 2);
	if (len > rest->len - 6)
		return CB_MALFORMED;
	entry->status = cb_get_u16(rest->data);
	entry->value = cb_span(rest->data + 6, len);
	rest->data += 6 + len;
	rest->len -= 6 + len;
	return CB_OK;
}

/* Set what options ask for; false where the server would refuse it. */
static bool
apply_options(CbRequest *request, const CbWriteOptions *options)
{
	if (options == NULL)
		return true;
	request->cas = options->cas;
	request->durability = options->durability;
	request->durability_timeout_ms = options->durability_timeout_ms;
	request->preserve_expiry = options->preserve_expiry;
	if (options->durability == CB_DURABILITY_NONE && options->durability_timeout_ms != 0)
		return false;
	return true;
}

CbResult
cb_kv_store(CbBuf *buf, uint8_t opcode, const CbDocRef *doc,
			const CbWriteOptions *options, uint32_t flags, uint8_t datatype,
			CbSpan value)
{
	CbRequest	request = doc_request(opcode, doc);
	uint8_t		extras[8];

	if (opcode != CB_OP_SET && opcode != CB_OP_ADD && opcode != CB_OP_REPLACE)
		return CB_INVALID;
	if ((datatype & ~(CB_DATATYPE_JSON | CB_DATATYPE_SNAPPY)) != 0)
		return CB_INVALID;
	if ((datatype & CB_DATATYPE_SNAPPY) != 0 && !cb_snappy_ok(value, CB_KV_MAX_VALUE))
		return CB_INVALID;
	if (!apply_options(&request, options))
		return CB_INVALID;
	if (opcode == CB_OP_ADD && (request.cas != 0 || request.preserve_expiry))
		return CB_INVALID;
	put_u32(extras, flags);
	put_u32(extras + 4, options == NULL ? 0 : options->expiry);
	request.extras = cb_span(extras, sizeof(extras));
	request.datatype = datatype;
	request.value = value;
	return append_doc_request(buf, &request);
}

CbResult
cb_kv_delete(CbBuf *buf, const CbDocRef *doc, const CbWriteOptions *options)
{
	CbRequest	request = doc_request(CB_OP_DELETE, doc);

	if (!apply_options(&request, options) || request.preserve_expiry ||
		(options != NULL && options->expiry != 0))
		return CB_INVALID;
	return append_doc_request(buf, &request);
}

/* One JSON value, or for pushes a comma-separated list of them. */
static CbResult
check_spec_value(const CbSubdocSpec *spec)
{
	CbJsonValue value;
	CbBuf		list = {0};
	CbResult	result;

	switch (spec->opcode)
	{
		case CB_OP_SET:
			return CB_OK;
		case CB_OP_DELETE:
		case CB_OP_SUBDOC_DELETE:
			return spec->value.len == 0 ? CB_OK : CB_INVALID;
		case CB_OP_SUBDOC_ARRAY_PUSH_LAST:
		case CB_OP_SUBDOC_ARRAY_PUSH_FIRST:
		case CB_OP_SUBDOC_ARRAY_INSERT:
			cb_buf_append_u8(&list, '[');
			cb_buf_append_span(&list, spec->value);
			cb_buf_append_u8(&list, ']');
			result = list.oom ? CB_NOMEM : cb_json_value(cb_buf_span(&list), &value, NULL);
			if (result == CB_OK && value.len == 2)
				result = CB_INVALID;
			cb_buf_free(&list);
			break;
		default:
			result = cb_json_value(spec->value, &value, NULL);
			break;
	}
	return result == CB_OK || result == CB_NOMEM ? result : CB_INVALID;
}

CbResult
cb_kv_mutate(CbBuf *buf, const CbDocRef *doc, const CbWriteOptions *options,
			 uint8_t doc_flags, const CbSubdocSpec *specs, size_t nspecs)
{
	CbRequest	request = doc_request(CB_OP_SUBDOC_MULTI_MUTATION, doc);
	CbBuf		body = {0};
	uint8_t		extras[5];
	size_t		extras_len = 0;
	CbResult	result = CB_OK;

	if (!specs_ok(specs, nspecs, is_mutation_opcode) || !apply_options(&request, options))
		return CB_INVALID;
	if ((doc_flags & ~MUTATION_DOC_FLAGS) != 0 ||
		((doc_flags & CB_SUBDOC_DOC_ADD) != 0 && request.cas != 0))
		return CB_INVALID;
	for (size_t i = 0; i < nspecs && result == CB_OK; i++)
		result = check_spec_value(&specs[i]);
	if (result != CB_OK)
		return result;
	for (size_t i = 0; i < nspecs; i++)
	{
		cb_buf_append_u8(&body, specs[i].opcode);
		cb_buf_append_u8(&body, specs[i].flags);
		cb_buf_append_u16(&body, (uint16_t) specs[i].path.len);
		cb_buf_append_u32(&body, (uint32_t) specs[i].value.len);
		cb_buf_append_span(&body, specs[i].path);
		cb_buf_append_span(&body, specs[i].value);
	}
	if (options != NULL && options->expiry != 0)
	{
		put_u32(extras, options->expiry);
		extras_len = 4;
	}
	if (doc_flags != 0)
		extras[extras_len++] = doc_flags;
	request.extras = cb_span(extras, extras_len);
	request.value = cb_buf_span(&body);
	result = body.oom ? CB_NOMEM : append_doc_request(buf, &request);
	cb_buf_free(&body);
	return result;
}

CbResult
cb_kv_mutate_failure(CbSpan value, uint8_t *index, uint16_t *status)
{
	if (value.len != 3)
		return CB_MALFORMED;
	*index = value.data[0];
	*status = cb_get_u16(value.data + 1);
	return CB_OK;
}

CbResult
cb_kv_mutate_iter_next(CbLookupIter *iter, CbMutateEntry *entry)
{
	CbSpan	   *rest = &iter->rest;
	uint32_t	len;
	size_t		used = 3;

	if (rest->len == 0)
		return CB_END;
	if (rest->len < 3)
		return CB_MALFORMED;
	entry->index = rest->data[0];
	entry->status = cb_get_u16(rest->data + 1);
	entry->value = CB_SPAN_EMPTY;
	/* Only a success carries a value. */
	if (entry->status == CB_STATUS_SUCCESS)
	{
		if (rest->len < 7)
			return CB_MALFORMED;
		len = cb_get_u32(rest->data + 3);
		if (len > rest->len - 7)
			return CB_MALFORMED;
		entry->value = cb_span(rest->data + 7, len);
		used = 7 + len;
	}
	rest->data += used;
	rest->len -= used;
	return CB_OK;
}

CbResult
cb_kv_mutation_token(CbSpan extras, CbMutationToken *token)
{
	if (extras.len == 0)
		return CB_NOT_FOUND;
	if (extras.len != 16)
		return CB_MALFORMED;
	token->vbucket_uuid = cb_get_u64(extras.data);
	token->seqno = cb_get_u64(extras.data + 8);
	return CB_OK;
}
