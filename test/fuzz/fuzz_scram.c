/*
 * fuzz_scram.c
 *		Challenge and final message of a SCRAM server, parted by a zero byte.
 */
#include "fuzz.h"

#include "sasl.h"

/* Many iterations only cost time. */
static bool
too_slow(CbSpan challenge)
{
	for (size_t i = 0; i + 5 < challenge.len; i++)
	{
		if (memcmp(challenge.data + i, ",i=", 3) == 0)
			return challenge.data[i + 5] >= '0' && challenge.data[i + 5] <= '9';
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size == 0 ? NULL : memchr(data, 0, size);
	size_t		len = zero == NULL ? size : (size_t) (zero - data);
	CbSpan		challenge = cb_span(data, len);
	CbSpan		final = cb_span(data + len, size - len);
	CbScram    *scram;
	CbBuf		out = {0};
	CbError		err;
	CbSaslMech	mech;

	cb_sasl_choose(challenge, NULL, size % 2 != 0, &mech, &err);
	if (final.len > 0)
	{
		final.data++;
		final.len--;
	}
	if (too_slow(challenge))
		return 0;
	EXPECT(cb_scram_create(CB_SASL_SCRAM_SHA1, cb_span_cstr("user"), cb_span_cstr("password"),
						   cb_span_cstr("fyko+d2lbbFgONRv9qkxdawL"), NULL, &scram) == CB_OK);
	EXPECT(cb_scram_first(scram, &out) == CB_OK);
	/* Whoever does not know the password cannot pass. */
	if (cb_scram_final(scram, challenge, &out, &err) == CB_OK)
		EXPECT(cb_scram_verify(scram, final, &err) != CB_OK);
	cb_scram_free(scram);
	cb_buf_free(&out);
	return 0;
}
