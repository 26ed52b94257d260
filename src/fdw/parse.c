/*
 * parse.c
 *		cbconn_parse(connection_string): what a connection string means, without connecting; and
 *		cbconn_connection_options(): the options that there are.
 */
#include "fdw.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "../compat.h"

#include "../protocol/connstr.h"
#include "../protocol/settings.h"

PG_FUNCTION_INFO_V1(cbconn_parse);
PG_FUNCTION_INFO_V1(cbconn_connection_options);

/* What the parser made, freed when the memory context goes, error or not. */
typedef struct ParseResult
{
	CbConnStr  *connstr;
	CbSettings *settings;
	CbBuf		text;
	MemoryContextCallback callback;
	ReturnSetInfo *rsinfo;
} ParseResult;

static void
parse_release(void *arg)
{
	ParseResult *result = arg;

	if (result->settings != NULL)
		cb_settings_free(result->settings);
	if (result->connstr != NULL)
		cb_connstr_free(result->connstr);
	cb_buf_free(&result->text);
}

/* Adds a row; NULL gives SQL NULL. */
static void
parse_row(ParseResult *result, const char *section, const char *name, const char *value, const char *origin,
		  const char *description)
{
	const char *texts[5] = {section, name, value, origin, description};
	Datum		values[5];
	bool		nulls[5];

	for (int i = 0; i < lengthof(texts); i++)
	{
		nulls[i] = texts[i] == NULL;
		values[i] = nulls[i] ? (Datum) 0 :
			CStringGetTextDatum(pg_any_to_server(texts[i], strlen(texts[i]), PG_UTF8));
	}
	tuplestore_putvalues(result->rsinfo->setResult, result->rsinfo->setDesc, values, nulls);
}

static uint16
parse_port(const CbConnHost *host, bool tls)
{
	if (host->port != 0)
		return host->port;
	switch (host->proto)
	{
		case CB_PROTO_HTTP:
			return 8091;
		case CB_PROTO_HTTPS:
			return 18091;
		case CB_PROTO_KV:
			return cb_connstr_default_port(false);
		case CB_PROTO_KV_TLS:
			return cb_connstr_default_port(true);
		case CB_PROTO_DEFAULT:
			break;
	}
	return cb_connstr_default_port(tls);
}

static const char *
parse_service(const CbConnHost *host, bool tls)
{
	switch (host->proto)
	{
		case CB_PROTO_HTTP:
			return tls ? "management, which is not asked: data is asked for at port 11207" :
				"management, which is not asked: data is asked for at port 11210";
		case CB_PROTO_HTTPS:
			return "management over TLS, which is not asked: data is asked for at port 11207";
		case CB_PROTO_KV:
			return "data";
		case CB_PROTO_KV_TLS:
			return "data over TLS";
		case CB_PROTO_DEFAULT:
			break;
	}
	return tls ? "data over TLS" : "data";
}

static void
parse_show_string(ParseResult *result)
{
	const CbConnStr *connstr = result->connstr;
	bool		tls = result->settings->tls;
	static const char *const schemes[] = {"couchbase", "couchbases", "http"};

	parse_row(result, "string", "scheme", schemes[connstr->scheme], connstr->has_scheme ? "given" : "default", NULL);
	parse_row(result, "string", "tls", tls ? "on" : "off", NULL, NULL);
	parse_row(result, "string", "bucket", connstr->bucket, connstr->bucket ? "given" : NULL, NULL);

	if (result->settings->dnssrv == CB_SRV_ON ||
		(cb_connstr_srv_candidate(connstr) && result->settings->dnssrv != CB_SRV_OFF))
		parse_row(result, "string", "srv_record",
				  psprintf("_couchbase%s._tcp.%s", tls ? "s" : "", connstr->hosts[0].host), NULL,
				  "DNS name asked for the real hosts first");
	else
		parse_row(result, "string", "srv_record", NULL, NULL, "DNS SRV is not asked");

	for (size_t i = 0; i < connstr->nhosts; i++)
	{
		const CbConnHost *host = &connstr->hosts[i];
		bool		v6 = host->kind == CB_HOST_IPV6;

		parse_row(result, "host", psprintf("host %zu", i + 1),
				  psprintf(v6 ? "[%s%s%s]:%u" : "%s%s%s:%u", host->host, host->zone ? "%" : "",
						   host->zone ? host->zone : "", parse_port(host, tls)),
				  host->port != 0 ? "given" : "default", parse_service(host, tls));
	}
}

static void
parse_show_settings(ParseResult *result)
{
	for (int id = 0; id < CB_NSETTINGS; id++)
	{
		CbOptionInfo info;
		const char *given = result->settings->given[id];
		const char *origin = given == NULL ? "default" : "given";

		if (cluster_refused_setting(id) != NULL)
			continue;
		cb_option_info((CbSettingId) id, &info);
		cb_buf_reset(&result->text);
		cb_settings_format(result->settings, (CbSettingId) id, &result->text);
		cb_buf_append_u8(&result->text, '\0');
		if (cb_buf_result(&result->text) != CB_OK)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory")));
		if (given != NULL && strcmp(given, info.name) != 0)
			origin = psprintf("given as %s", given);
		parse_row(result, "option", info.name, (const char *) result->text.data, origin, info.meaning);
	}
}

Datum
cbconn_parse(PG_FUNCTION_ARGS)
{
	char	   *server_text = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *text = pg_server_to_any(server_text, strlen(server_text), PG_UTF8);
	ParseResult *result = palloc0(sizeof(ParseResult));
	CbError		err = {0};
	CbResult	status;

	result->callback.func = parse_release;
	result->callback.arg = result;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &result->callback);
	result->rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	status = cb_connstr_parse(text, &result->connstr, &err);
	if (status == CB_OK)
		status = cb_settings_from_connstr(result->connstr, &result->settings, &err);
	if (status == CB_NOMEM)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	if (status != CB_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid connection string: %s", cluster_printable_cstr(err.text)),
				 err.hint[0] != '\0' ? errhint("%s", cluster_printable_cstr(err.hint)) : 0));
	cluster_check_connection_string(text);

	InitMaterializedSRF(fcinfo, 0);
	parse_show_string(result);
	parse_show_settings(result);
	PG_RETURN_VOID();
}

/* ---- cbconn_connection_options() ---- */

/* One row; NULL gives SQL NULL. */
static void
options_row(ReturnSetInfo *rsinfo, const char *name, ArrayType *aliases, const char *unit, const char *default_value,
			const char *meaning, const char *refused)
{
	const char *texts[6] = {name, NULL, unit, default_value, meaning, refused};
	Datum		values[6];
	bool		nulls[6];

	for (int i = 0; i < lengthof(texts); i++)
	{
		nulls[i] = texts[i] == NULL;
		values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(texts[i]);
	}
	nulls[1] = false;
	values[1] = PointerGetDatum(aliases);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* What a bare number counts: "ms", or with aliases that count otherwise "ms; s as timeout". NULL: no numbers. */
static char *
options_unit(CbSettingId id, const CbOptionInfo *info)
{
	StringInfoData text;
	const char *unit;
	const char *name;

	if (info->bare_unit[0] == '\0')
		return NULL;
	initStringInfo(&text);
	appendStringInfoString(&text, info->bare_unit);
	for (size_t n = 1; (name = cb_option_name(id, n, &unit)) != NULL; n++)
	{
		if (strcmp(unit, info->bare_unit) != 0)
			appendStringInfo(&text, "%s%s", strchr(text.data, ';') ? ", " : psprintf("; %s as ", unit), name);
	}
	return text.data;
}

static ArrayType *
options_aliases(CbSettingId id)
{
	Datum		names[16];
	const char *name;
	int			n = 0;

	while (n < lengthof(names) && (name = cb_option_name(id, n + 1, NULL)) != NULL)
		names[n++] = CStringGetTextDatum(name);
	return construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT);
}

/* Those of this library, then those of other clients that mean nothing here. */
Datum
cbconn_connection_options(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ParseResult *result = palloc0(sizeof(ParseResult));
	CbError		err;
	const char *name;
	const char *reason;
	const char *anyway;

	result->callback.func = parse_release;
	result->callback.arg = result;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &result->callback);
	if (cb_connstr_parse("couchbase://localhost", &result->connstr, &err) != CB_OK ||
		cb_settings_from_connstr(result->connstr, &result->settings, &err) != CB_OK)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	InitMaterializedSRF(fcinfo, 0);
	for (int id = 0; id < CB_NSETTINGS; id++)
	{
		CbOptionInfo info;

		cb_option_info((CbSettingId) id, &info);
		cb_buf_reset(&result->text);
		cb_settings_format(result->settings, (CbSettingId) id, &result->text);
		cb_buf_append_u8(&result->text, '\0');
		if (cb_buf_result(&result->text) != CB_OK)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory")));
		options_row(rsinfo, info.name, options_aliases(id), options_unit(id, &info),
					result->text.len > 1 ? (const char *) result->text.data : NULL, info.meaning,
					cluster_refused_setting(id));
	}
	for (size_t n = 0; (name = cb_foreign_option(n, &reason, &anyway)) != NULL; n++)
		options_row(rsinfo, name, construct_empty_array(TEXTOID), NULL, anyway, NULL, reason);
	PG_RETURN_VOID();
}
