/*
 * test_connstr.c
 *		The corpus of connection strings: each is accepted with exactly these
 *		parts, or refused with this error.
 *
 * Parts: the scheme ("-": none), tls, SRV (an SRV look-up may stand for the host), hosts as
 * [host%zone:port/proto …] with only what was given, b=bucket, {options}.
 */
#include "check.h"

#include "connstr.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct ConnstrCase
{
	const char *row;			/* number in the corpus */
	const char *text;
	const char *want;
} ConnstrCase;

static const ConnstrCase cases[] = {
#include "connstr_cases.h"
};

static void
describe_host(const CbConnHost *host, CbBuf *out)
{
	static const char *const protos[] = {"", "/kv", "/kvs", "/http", "/https"};
	static const char *const kinds[] = {"", "(v4)", "(v6)"};

	cb_buf_append_cstr(out, host->host);
	if (host->zone != NULL)
		cb_buf_append_format(out, "%%%s", host->zone);
	if (host->port != 0)
		cb_buf_append_format(out, ":%u", host->port);
	cb_buf_append_cstr(out, protos[host->proto]);
	cb_buf_append_cstr(out, kinds[host->kind]);
}

static void
describe(const CbConnStr *connstr, CbBuf *out)
{
	static const char *const schemes[] = {"couchbase", "couchbases", "http"};

	cb_buf_append_cstr(out, connstr->has_scheme ? schemes[connstr->scheme] : "-");
	if (connstr->tls)
		cb_buf_append_cstr(out, " tls");
	if (cb_connstr_srv_candidate(connstr))
		cb_buf_append_cstr(out, " SRV");
	cb_buf_append_cstr(out, " [");
	for (size_t i = 0; i < connstr->nhosts; i++)
	{
		if (i > 0)
			cb_buf_append_u8(out, ' ');
		describe_host(&connstr->hosts[i], out);
	}
	cb_buf_append_u8(out, ']');
	if (connstr->bucket != NULL)
		cb_buf_append_format(out, " b=%s", connstr->bucket);
	if (connstr->noptions > 0)
		cb_buf_append_cstr(out, " {");
	for (size_t i = 0; i < connstr->noptions; i++)
		cb_buf_append_format(out, "%s%s=%s", i ? "; " : "", connstr->options[i].name,
							 connstr->options[i].value);
	if (connstr->noptions > 0)
		cb_buf_append_u8(out, '}');
}

static void
test_limits(void)
{
	CbConnStr  *connstr;
	CbError		err;
	CbBuf		text = {0};

	cb_buf_append_cstr(&text, "couchbase://h");
	for (int i = 1; i < CB_CONNSTR_MAX_HOSTS; i++)
		cb_buf_append_cstr(&text, ",h");
	cb_buf_append_u8(&text, '\0');
	CHECK_RESULT(cb_connstr_parse((char *) text.data, &connstr, &err), CB_OK);
	cb_connstr_free(connstr);
	text.len--;
	cb_buf_append_cstr(&text, ",h");
	cb_buf_append_u8(&text, '\0');
	CHECK_RESULT(cb_connstr_parse((char *) text.data, &connstr, &err), CB_LIMIT);
	cb_buf_reset(&text);
	cb_buf_append_cstr(&text, "couchbase://h/");
	for (int i = 0; i < 100; i++)
		cb_buf_append_u8(&text, 'b');
	cb_buf_append_u8(&text, '\0');
	CHECK_RESULT(cb_connstr_parse((char *) text.data, &connstr, &err), CB_OK);
	cb_connstr_free(connstr);
	text.data[text.len - 1] = 'b';
	cb_buf_append_u8(&text, '\0');
	CHECK_RESULT(cb_connstr_parse((char *) text.data, &connstr, &err), CB_LIMIT);
	for (int i = 0; i < 70000; i++)
		text.data[text.len - 1] = 'b', cb_buf_append_u8(&text, '\0');
	CHECK_RESULT(cb_connstr_parse((char *) text.data, &connstr, &err), CB_LIMIT);
	CHECK_RESULT(cb_connstr_parse(NULL, &connstr, &err), CB_MALFORMED);
	cb_buf_free(&text);
}

/* What may be a password is never repeated. */
static void
test_secrets(void)
{
	static const char *const texts[] = {
		"couchbase://admin:secret@host", "couchbase://admin:sec/secret@host",
		"admin:secret@host", "couchbase://h?password=secret%zz", "couchbase://h?password=secret%00",
		"couchbase://h?pass=secret#", "couchbase://h?password=\xff" "secret"
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		CbConnStr  *connstr;
		CbError		err = {0};

		check_context("%s", texts[i]);
		CHECK_RESULT(cb_connstr_parse(texts[i], &connstr, &err), CB_MALFORMED);
		CHECK(strstr(err.text, "sec") == NULL && strstr(err.hint, "sec") == NULL);
	}
	check_context("%s", "");
}

void
test_connstr(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		CbConnStr  *connstr;
		CbError		err = {0};
		CbBuf		got = {0};
		CbResult	result = cb_connstr_parse(cases[i].text, &connstr, &err);

		check_context("row %s, %s", cases[i].row, cases[i].text);
		if (result == CB_OK)
			describe(connstr, &got);
		else
			cb_buf_append_format(&got, "ERR: %s", err.text);
		cb_buf_append_u8(&got, '\0');
		CHECK_STR((const char *) got.data, cases[i].want);
		CHECK_RESULT(err.result, result);
		cb_connstr_free(connstr);
		cb_buf_free(&got);
	}
	check_context("%s", "");
	CHECK_INT(cb_connstr_default_port(false), 11210);
	CHECK_INT(cb_connstr_default_port(true), 11207);
	test_limits();
	test_secrets();
}
