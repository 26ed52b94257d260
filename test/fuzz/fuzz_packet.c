/*
 * fuzz_packet.c
 *		A stream of packets, with their values inflated.
 */
#include "fuzz.h"

#include "kv_ops.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CbSpan		rest = cb_span(data, size);
	CbBuf		scratch = {0};
	CbPacket	packet;
	size_t		need = 0;
	CbResult	result;

	while ((result = cb_packet_read(rest, 1 << 20, &packet, &need)) == CB_OK)
	{
		CbSpan		value;
		CbVersion	version;
		CbFeatures	features;

		EXPECT(packet.size <= rest.len && packet.size == need);
		EXPECT(packet.frames.len + packet.extras.len + packet.key.len + packet.value.len +
			   CB_KV_HEADER_SIZE == packet.size);
		if (cb_packet_value(&packet, 1 << 20, &scratch, &value) == CB_OK)
			EXPECT(value.len <= 1 << 20);
		cb_kv_clustermap_change(&packet, &version);
		cb_kv_hello_result(packet.value, &features);
		rest.data += packet.size;
		rest.len -= packet.size;
	}
	if (result == CB_NEED_MORE)
		EXPECT(need > rest.len);
	cb_buf_free(&scratch);
	return 0;
}
