/*
 * fuzz_lookup.c
 *		Values of multi look-ups and multi mutations, and the other small answers.
 */
#include "fuzz.h"

#include "kv_ops.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CbSpan		value = cb_span(data, size);
	CbLookupIter iter;
	CbLookupEntry found;
	CbMutateEntry written;
	CbMutationToken token;
	CbDocMeta	meta;
	uint64_t	uuid;
	uint32_t	id;
	uint16_t	vbucket;
	uint8_t		index;
	size_t		total = 0;

	cb_kv_lookup_iter_init(&iter, value);
	while (cb_kv_lookup_iter_next(&iter, &found) == CB_OK)
		total += found.value.len;
	EXPECT(total <= size);
	cb_kv_lookup_iter_init(&iter, value);
	while (cb_kv_mutate_iter_next(&iter, &written) == CB_OK)
		;
	cb_kv_mutate_failure(value, &index, &vbucket);
	cb_kv_mutation_token(value, &token);
	cb_kv_get_meta_result(value, &meta);
	cb_kv_flags_result(value, &id);
	cb_kv_collection_id_result(value, &uuid, &id);
	cb_kv_failover_log_result(value, &uuid);
	for (size_t i = 0; cb_kv_vb_seqno_result(value, i, &vbucket, &uuid) == CB_OK; i++)
		EXPECT(i < size);
	return 0;
}
