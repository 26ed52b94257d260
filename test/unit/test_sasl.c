/*
 * test_sasl.c
 *		Mechanism choice, PLAIN, and SCRAM against the recorded exchanges.
 */
#include "check.h"

#include "sasl.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

static void
test_choice(void)
{
	static const char *const all = "SCRAM-SHA512 SCRAM-SHA256 SCRAM-SHA1 PLAIN";
	static const struct
	{
		const char *server;
		const char *force;
		bool		tls;
		CbResult	result;
		const char *mech;
	}			cases[] = {
		{"SCRAM-SHA512 SCRAM-SHA256 SCRAM-SHA1 PLAIN", NULL, false, CB_OK, "SCRAM-SHA512"},
		{"SCRAM-SHA512 SCRAM-SHA256 SCRAM-SHA1 PLAIN", NULL, true, CB_OK, "PLAIN"},
		{"PLAIN scram-sha1 CRAM-MD5", "", false, CB_OK, "SCRAM-SHA1"},
		{"SCRAM-SHA1 SCRAM-SHA256", NULL, true, CB_OK, "SCRAM-SHA256"},
		{"PLAIN", NULL, false, CB_AUTH, ""},
		{"PLAIN", "PLAIN", false, CB_OK, "PLAIN"},
		{"CRAM-MD5 OAUTHBEARER", NULL, true, CB_AUTH, ""},
		{"SCRAM-SHA512 PLAIN", "SCRAM-SHA1", true, CB_AUTH, ""},
		{"SCRAM-SHA512 SCRAM-SHA1 PLAIN", "scram-sha1,plain", false, CB_OK, "SCRAM-SHA1"},
		{"SCRAM-SHA512 SCRAM-SHA1 PLAIN", "SCRAM-SHA1 SCRAM-SHA512", true, CB_OK, "SCRAM-SHA512"},
		{"PLAINER SCRAM-SHA5120", NULL, true, CB_AUTH, ""},
		{"", NULL, false, CB_OK, "SCRAM-SHA512"},
		{"", NULL, true, CB_OK, "PLAIN"},
		{"PLAIN", "CRAM-MD5", true, CB_INVALID, ""},
	};
	CbSaslMech	mech;
	CbError		err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		check_context("case %zu", i);
		err = (CbError) {0};
		CHECK_RESULT(cb_sasl_choose(cb_span_cstr(cases[i].server), cases[i].force,
									cases[i].tls, &mech, &err), cases[i].result);
		CHECK_STR(cb_sasl_name(mech), cases[i].mech);
		CHECK((err.text[0] == '\0') == (cases[i].result == CB_OK));
	}
	check_context("%s", "");
	CHECK(cb_sasl_check_force(all, &err) == CB_OK);
	cb_sasl_choose(cb_span_cstr("PLAIN"), NULL, false, &mech, &err);
	CHECK_STR(err.text, "no common SASL mechanism: the server offers \"PLAIN\", the client "
			  "allows \"SCRAM-SHA512 SCRAM-SHA256 SCRAM-SHA1\"");
}

static void
test_plain(void)
{
	CbBuf		out = {0};

	CHECK_RESULT(cb_sasl_plain(&out, cb_span_cstr("user"), cb_span_cstr("pa ss")), CB_OK);
	CHECK_BYTES(cb_buf_span(&out), cb_span("\0user\0pa ss", 11));
	CHECK_RESULT(cb_sasl_plain(&out, cb_span("a\0b", 3), cb_span_cstr("p")), CB_INVALID);
	CHECK_RESULT(cb_sasl_plain(&out, cb_span_cstr("a"), cb_span("p\0q", 3)), CB_INVALID);
	cb_buf_free(&out);
}

/* Key and value of the first packet of bytes. */
static CbSpan
payload(CbSpan packet, CbSpan *key)
{
	size_t		key_len = cb_get_u16(packet.data + 2);

	*key = cb_span(packet.data + 24, key_len);
	return cb_span(packet.data + 24 + key_len, packet.len - 24 - key_len);
}

static CbSpan
member(const json_t *object, const char *name)
{
	return cb_span_cstr(json_string_value(json_object_get(object, name)));
}

static bool
is_final(const Exchange *exchange)
{
	const json_t *scram = json_object_get(exchange->json, "scram");

	return scram != NULL && cb_span_equal_cstr(member(scram, "stage"), "final");
}

/* One recorded exchange: first is the client-first step, last the client-final one. */
static void
replay(const Exchange *first, const Exchange *last, bool expect_success, CbScramCache *cache)
{
	const json_t *scram = json_object_get(first->json, "scram");
	CbScram    *state;
	CbBuf		out = {0};
	CbSpan		mech;
	CbSpan		sent;
	CbSpan		key;
	CbError		err;

	sent = payload(first->request, &mech);
	CHECK_RESULT(cb_scram_create(cb_sasl_by_name(mech), member(scram, "user"),
								 member(scram, "password"), member(scram, "client_nonce"),
								 cache, &state), CB_OK);
	CHECK_RESULT(cb_scram_first(state, &out), CB_OK);
	CHECK_BYTES(cb_buf_span(&out), sent);
	cb_buf_reset(&out);
	CHECK_RESULT(cb_scram_final(state, payload(first->responses[0], &key), &out, &err), CB_OK);
	if (strstr(last->note, "spoilt") == NULL)
		CHECK_BYTES(cb_buf_span(&out), payload(last->request, &key));
	/* A refusal's body is no signature; an early success has none either. */
	CHECK_RESULT(cb_scram_verify(state, payload(last->responses[0], &key), &err),
				 expect_success ? CB_OK : CB_AUTH);
	CHECK_RESULT(cb_scram_verify(state, payload(last->responses[0], &key), &err), CB_AUTH);
	cb_scram_free(state);
	cb_buf_free(&out);
}

static void
test_recorded(void)
{
	size_t		count;
	const Exchange *all = vectors_all(&count);
	int			succeeded = 0;
	int			refused = 0;

	for (size_t i = 1; i < count; i++)
	{
		CbScramCache cache = {0};
		bool		ok;

		if (!is_final(&all[i]))
			continue;
		check_context("%s step %d", all[i].scenario, all[i].step);
		ok = cb_get_u16(all[i].responses[0].data + 6) == 0;
		replay(&all[i - 1], &all[i], ok, NULL);
		/* With a cold and with a warm cache. */
		replay(&all[i - 1], &all[i], ok, &cache);
		CHECK(cache.salt_len > 0);
		replay(&all[i - 1], &all[i], ok, &cache);
		cache.salted[0] ^= 1;
		if (ok)
		{
			/* Another salt, count or mechanism: the spoilt entry is not used. */
			cache.salt[0] ^= 1;
			replay(&all[i - 1], &all[i], ok, &cache);
			cache.salted[0] ^= 1;
			cache.iterations++;
			replay(&all[i - 1], &all[i], ok, &cache);
			cache.salted[0] ^= 1;
			cache.mech = CB_SASL_SCRAM_SHA512;
			replay(&all[i - 1], &all[i], ok, &cache);
		}
		cb_scram_cache_clear(&cache);
		ok ? succeeded++ : refused++;
	}
	check_context("%s", "");
	CHECK(succeeded >= 2);
	CHECK(refused >= 3);
}

/* RFC 7677 section 3 */
static void
test_rfc(void)
{
	CbScram    *state;
	CbBuf		out = {0};
	CbError		err;

	CHECK_RESULT(cb_scram_create(CB_SASL_SCRAM_SHA256, cb_span_cstr("user"),
								 cb_span_cstr("pencil"),
								 cb_span_cstr("rOprNGfwEbeRWgbNEkqO"), NULL, &state), CB_OK);
	CHECK_RESULT(cb_scram_verify(state, cb_span_cstr("v=AAAA"), &err), CB_AUTH);
	CHECK_RESULT(cb_scram_first(state, &out), CB_OK);
	CHECK_BYTES(cb_buf_span(&out), cb_span_cstr("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
	CHECK_RESULT(cb_scram_first(state, &out), CB_INVALID);
	cb_buf_reset(&out);
	CHECK_RESULT(cb_scram_final(state, cb_span_cstr("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfux"
													"FIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,"
													"i=4096"), &out, &err), CB_OK);
	CHECK_BYTES(cb_buf_span(&out),
				cb_span_cstr("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
							 "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
	CHECK_RESULT(cb_scram_verify(state, cb_span_cstr("v=6rriTRBi23WpRR/wtup+mMhUZUn/"
													 "dB5nLTJRsjl95G4="), &err), CB_OK);
	cb_scram_free(state);
	cb_buf_free(&out);
}

/* A server that does not know the password, and other bad endings. */
static void
test_impostor(void)
{
	static const char *const endings[] = {
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl9",
		"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=", "v=AAAA", "",
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,x=y", "e=other-error",
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,e=other-error", "e=\xff\n", "e=",
		"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
	};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
	{
		CbScram    *state;
		CbBuf		out = {0};
		CbError		err = {0};

		check_context("ending %s", endings[i]);
		cb_scram_create(CB_SASL_SCRAM_SHA256, cb_span_cstr("user"), cb_span_cstr("pencil"),
						cb_span_cstr("rOprNGfwEbeRWgbNEkqO"), NULL, &state);
		cb_scram_first(state, &out);
		CHECK_RESULT(cb_scram_final(state, cb_span_cstr("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfux"
														"FIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,"
														"i=4096"), &out, &err), CB_OK);
		CHECK_RESULT(cb_scram_verify(state, cb_span_cstr(endings[i]), &err), CB_AUTH);
		CHECK(err.text[0] != '\0');
		CHECK((strstr(err.text, "other-error") != NULL) == (strstr(endings[i], "e=other-error") != NULL));
		cb_scram_free(state);
		cb_buf_free(&out);
	}
	check_context("%s", "");
}

static void
try_challenge(const char *challenge, CbResult want)
{
	CbScram    *state;
	CbBuf		out = {0};
	CbError		err = {0};

	check_context("challenge %.60s", challenge);
	cb_scram_create(CB_SASL_SCRAM_SHA1, cb_span_cstr("u"), cb_span_cstr("p"),
					cb_span_cstr("noncenonce"), NULL, &state);
	cb_scram_first(state, &out);
	CHECK_RESULT(cb_scram_final(state, cb_span_cstr(challenge), &out, &err), want);
	CHECK((err.text[0] == '\0') == (want == CB_OK));
	if (want != CB_OK)
		CHECK_RESULT(cb_scram_verify(state, cb_span_cstr("v="), &err), CB_AUTH);
	cb_scram_free(state);
	cb_buf_free(&out);
}

static void
test_hostile(void)
{
	static const char *const malformed[] = {
		"", "r=", "r=noncenonce", "r=noncenonce,s=QSXCR+Q6sek8bf92,i=10",
		"r=othernonce1,s=QSXCR+Q6sek8bf92,i=10", "s=QSXCR+Q6sek8bf92,r=noncenonceX,i=10",
		"r=noncenonceX,s=,i=10", "r=noncenonceX,s=!!!!,i=10", "r=noncenonceX,s=QSXCR+Q6sek8bf92",
		"r=noncenonceX,s=QSXCR+Q6sek8bf92,i=", "r=noncenonceX,s=QSXCR+Q6sek8bf92,i=0",
		"r=noncenonceX,s=QSXCR+Q6sek8bf92,i=-5", "r=noncenonceX,s=QSXCR+Q6sek8bf92,i=1x",
		"m=ext,r=noncenonceX,s=QSXCR+Q6sek8bf92,i=10"
	};
	char		long_challenge[5000];
	CbScram    *state;

	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		try_challenge(malformed[i], CB_MALFORMED);
	try_challenge("r=noncenonceX,s=QSXCR+Q6sek8bf92,i=1000001", CB_LIMIT);
	try_challenge("r=noncenonceX,s=QSXCR+Q6sek8bf92,i=99999999999999999999", CB_LIMIT);
	try_challenge("r=noncenonceX,s=QSXCR+Q6sek8bf92,i=10", CB_OK);
	try_challenge("r=noncenonceX,s=QSXCR+Q6sek8bf92,i=10,x=later", CB_OK);
	memset(long_challenge, 'a', sizeof(long_challenge));
	memcpy(long_challenge, "r=noncenonce", 12);
	long_challenge[4999] = '\0';
	try_challenge(long_challenge, CB_LIMIT);
	check_context("%s", "");
	CHECK_RESULT(cb_scram_create(CB_SASL_SCRAM_SHA1, cb_span_cstr("a\nb"), cb_span_cstr("p"),
								 cb_span_cstr("noncenonce"), NULL, &state), CB_INVALID);
	CHECK_RESULT(cb_scram_create(CB_SASL_SCRAM_SHA1, cb_span_cstr("a"), cb_span_cstr("p"),
								 cb_span_cstr("nonce,nonce"), NULL, &state), CB_INVALID);
	CHECK_RESULT(cb_scram_create(CB_SASL_PLAIN, cb_span_cstr("a"), cb_span_cstr("p"),
								 cb_span_cstr("noncenonce"), NULL, &state), CB_INVALID);
	CHECK(state == NULL);
}

void
test_sasl(void)
{
	test_choice();
	test_plain();
	test_recorded();
	test_rfc();
	test_impostor();
	test_hostile();
}
