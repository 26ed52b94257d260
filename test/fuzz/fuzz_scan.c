/*
 * fuzz_scan.c
 *		Records of range scans; the first byte chooses keys or documents.
 */
#include "fuzz.h"

#include "kv_scan.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t		extras[4] = {0};
	CbScanIter	iter;
	CbScanItem	item;
	CbSpan		value;
	size_t		total = 0;

	if (size == 0)
		return 0;
	extras[3] = data[0] % 3;
	value = cb_span(data + 1, size - 1);
	if (cb_kv_scan_iter_init(&iter, cb_span(extras, 4), value) != CB_OK)
		return 0;
	while (cb_kv_scan_iter_next(&iter, &item) == CB_OK)
	{
		EXPECT(item.key.len > 0 && item.key.len <= CB_KV_MAX_KEY);
		EXPECT(item.key.data >= value.data && item.key.data + item.key.len <= value.data + value.len);
		total += item.key.len + item.value.len;
	}
	EXPECT(total <= value.len);
	return 0;
}
