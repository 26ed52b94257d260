/*
 * test_settings.c
 *		Options: every name with a value of its kind, units, aliases, refusals.
 */
#include "check.h"

#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * Settings that options give ("name=value" in table order, by main names), or
 * "ERR: " and the message. tls and certpath_as_ca are added where they are set.
 */
static void
describe(const char *text, CbBuf *out, CbError *err)
{
	CbConnStr  *connstr;
	CbSettings *settings = NULL;
	CbResult	result;

	*err = (CbError) {0};
	CHECK_RESULT(cb_connstr_parse(text, &connstr, err), CB_OK);
	if (connstr == NULL)
		return;
	result = cb_settings_from_connstr(connstr, &settings, err);
	CHECK((settings != NULL) == (result == CB_OK));
	if (result != CB_OK)
		cb_buf_append_format(out, "ERR: %s", err->text);
	else
	{
		for (int i = 0; i < CB_NSETTINGS; i++)
		{
			CbOptionInfo info;

			if (settings->given[i] == NULL)
				continue;
			cb_option_info((CbSettingId) i, &info);
			cb_buf_append_format(out, "%s%s=", out->len ? " " : "", info.name);
			cb_settings_format(settings, (CbSettingId) i, out);
		}
		if (settings->certpath_as_ca)
			cb_buf_append_cstr(out, " (certpath as CA)");
		if (connstr->tls)
			CHECK(settings->tls);
	}
	cb_settings_free(settings);
	cb_connstr_free(connstr);
}

static const struct
{
	const char *text;
	const char *want;
}			cases[] = {
#include "settings_cases.h"
};

static void
test_defaults(void)
{
	CbConnStr  *connstr;
	CbSettings *s;
	CbError		err;

	CHECK_RESULT(cb_connstr_parse("couchbase://h", &connstr, &err), CB_OK);
	CHECK_RESULT(cb_settings_from_connstr(connstr, &s, &err), CB_OK);
	CHECK_INT(s->bootstrap_timeout, 10000000);
	CHECK_INT(s->node_timeout, 2000000);
	CHECK_INT(s->kv_timeout, 2500000);
	CHECK_INT(s->kv_durable_timeout, 10000000);
	CHECK_INT(s->query_timeout, 75000000);
	CHECK_INT(s->config_poll_interval, 2500000);
	CHECK_INT(s->dnssrv, CB_SRV_AUTO);
	CHECK_INT(s->ip_family, CB_IP_ANY);
	CHECK_INT(s->compression, CB_COMPRESSION_ON);
	CHECK(s->compression_min_ratio > 0.829 && s->compression_min_ratio < 0.831);
	CHECK_STR(s->network, "auto");
	CHECK(s->randomize_nodes && s->tcp_nodelay && s->tcp_keepalive && s->mutation_tokens);
	CHECK(!s->tls && s->tls_verify == CB_TLS_VERIFY_PEER && s->tls_disable_deprecated);
	CHECK(s->username == NULL && s->password == NULL && s->tls_ca_file == NULL);
	cb_settings_free(s);
	cb_connstr_free(connstr);
}

/* The table is complete, consistent, and every name leads to its own setting. */
static void
test_table(void)
{
	for (int i = 0; i < CB_NSETTINGS; i++)
	{
		CbOptionInfo info;
		const char *name;

		cb_option_info((CbSettingId) i, &info);
		check_context("setting %s", info.name);
		CHECK(info.meaning != NULL && info.meaning[0] != '\0');
		CHECK_STR(cb_option_name((CbSettingId) i, 0, NULL), info.name);
		CHECK((info.kind == CB_OPTION_DURATION) == (info.bare_unit[0] != '\0'));
		for (size_t n = 0; (name = cb_option_name((CbSettingId) i, n, NULL)) != NULL; n++)
		{
			for (int j = 0; j < i; j++)
			{
				const char *other;

				for (size_t m = 0; (other = cb_option_name((CbSettingId) j, m, NULL)) != NULL; m++)
					CHECK(strcmp(name, other) != 0);
			}
		}
	}
	check_context("%s", "");
	CHECK_STR(cb_option_name(CB_SET_KV_TIMEOUT, 99, NULL), NULL);
}

static void
test_durations(void)
{
	static const struct
	{
		const char *text;
		int64_t		bare;
		CbResult	result;
		int64_t		us;
	}			durations[] = {
		{"2.5s", 0, CB_OK, 2500000}, {"500ms", 0, CB_OK, 500000}, {"7us", 0, CB_OK, 7},
		{"1m30s", 0, CB_OK, 90000000}, {"1h30m2.5s", 0, CB_OK, INT64_C(5402500000)},
		{"0s", 0, CB_OK, 0}, {"0", 1000, CB_OK, 0}, {"5", 1000000, CB_OK, 5000000},
		{"5", 1000, CB_OK, 5000}, {"2.5", 1000000, CB_OK, 2500000}, {".5s", 0, CB_OK, 500000},
		{"1.s", 0, CB_OK, 1000000}, {"0.0000001s", 0, CB_OK, 0},
		{"5", 0, CB_MALFORMED, 0}, {"", 1000, CB_MALFORMED, 0}, {"s", 1000, CB_MALFORMED, 0},
		{"-1s", 1000, CB_MALFORMED, 0}, {"+1s", 1000, CB_MALFORMED, 0}, {"1 s", 1000, CB_MALFORMED, 0},
		{"5x", 1000, CB_MALFORMED, 0}, {"1s5", 1000, CB_MALFORMED, 0}, {"5S", 1000, CB_MALFORMED, 0},
		{"1d", 1000, CB_MALFORMED, 0}, {"1e3", 1000, CB_MALFORMED, 0}, {"1.2.3", 1000, CB_MALFORMED, 0},
		{"5msx", 1000, CB_MALFORMED, 0}, {".", 1000, CB_MALFORMED, 0},
		{"99999999999h", 0, CB_LIMIT, 0}, {"9999999999999999999", 1000, CB_MALFORMED, 0},
	};

	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
	{
		int64_t		us = 0;

		check_context("duration %s", durations[i].text);
		CHECK_RESULT(cb_duration_parse(durations[i].text, durations[i].bare, &us),
					 durations[i].result);
		CHECK_INT(us, durations[i].us);
	}
	check_context("%s", "");
}

void
test_settings(void)
{
	CbError		err;
	CbBuf		got = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		cb_buf_reset(&got);
		check_context("%s", cases[i].text);
		describe(cases[i].text, &got, &err);
		cb_buf_append_u8(&got, '\0');
		CHECK_STR((const char *) got.data, cases[i].want);
	}
	check_context("%s", "");
	cb_buf_reset(&got);
	describe("couchbase://h?kv_timeuot=5", &got, &err);
	CHECK_STR(err.hint, "Perhaps you meant \"kv_timeout\".");
	cb_buf_reset(&got);
	describe("couchbase://h?zzzz=5", &got, &err);
	CHECK_STR(err.hint, "");
	cb_buf_free(&got);
	test_defaults();
	test_table();
	test_durations();
}
