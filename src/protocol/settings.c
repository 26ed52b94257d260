/*
 * settings.c
 *		Effective settings from a connection string's options.
 */
#include "settings_internal.h"
#include "address.h"

#include "sasl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bare numbers above this many seconds, where other clients count milliseconds. */
#define SHARED_BARE_MAX		3600

static void *
member(const CbSettings *settings, const CbSettingDef *def)
{
	return (char *) settings + def->offset;
}

/* ---- values ---- */

typedef union SettingValue
{
	int64_t		number;
	double		real;
	const char *text;
} SettingValue;

/* "option "kv_timeout" ...: expected ..." */
static CbResult
bad_value(const CbSettingName *name, const char *expected, CbError *err)
{
	return cb_error_set(err, CB_INVALID, NULL,
						"invalid value of option \"%s\": expected %s", name->name, expected);
}

static CbResult
parse_word(const CbSettingName *name, const char *text, SettingValue *value, CbError *err)
{
	CbBuf		list = {0};
	char		expected[200];

	for (const CbWord *word = name->words; word->word != NULL; word++)
	{
		if (strcasecmp(word->word, text) == 0)
		{
			value->number = word->value;
			return CB_OK;
		}
	}
	for (const CbWord *word = name->words; word->word != NULL; word++)
		cb_buf_append_format(&list, "%s%s", list.len == 0 ? "" :
							 word[1].word == NULL ? " or " : ", ", word->word);
	snprintf(expected, sizeof(expected), "%.*s", (int) list.len,
			 list.data == NULL ? "" : (const char *) list.data);
	cb_buf_free(&list);
	return bad_value(name, expected, err);
}

static CbResult
check_duration(const CbSettingDef *def, const CbSettingName *name, int64_t us, CbError *err)
{
	CbBuf		bounds = {0};

	if ((us == 0 && def->zero_ok) ||
		((double) us >= def->min && (double) us <= def->max))
		return CB_OK;
	cb_buf_append_cstr(&bounds, def->zero_ok ? "0 or a duration from " : "a duration from ");
	cb_append_duration(&bounds, (int64_t) def->min);
	cb_buf_append_cstr(&bounds, " to ");
	cb_append_duration(&bounds, (int64_t) def->max);
	cb_buf_append_u8(&bounds, '\0');
	if (bounds.oom)
		cb_error_set(err, CB_NOMEM, NULL, "out of memory");
	else
		bad_value(name, (const char *) bounds.data, err);
	cb_buf_free(&bounds);
	return CB_INVALID;
}

static CbResult
parse_duration(const CbSettingDef *def, const CbSettingName *name, const char *text,
			   SettingValue *value, CbError *err)
{
	int64_t		bare = name->bare == CB_BARE_MILLISECONDS ? CB_US_PER_MS : CB_US_PER_S;

	if (cb_duration_parse(text, bare, &value->number) != CB_OK)
		return bad_value(name, name->bare == CB_BARE_MILLISECONDS ?
						 "a duration such as 2.5s or 500ms, or a number of milliseconds" :
						 "a duration such as 2.5s or 500ms, or a number of seconds", err);
	if (name->bare == CB_BARE_SHARED && cb_only_digits(text) &&
		value->number > SHARED_BARE_MAX * CB_US_PER_S)
		return cb_error_set(err, CB_INVALID,
							"Some clients count seconds under this name and some milliseconds.",
							"option \"%s\" needs a unit for so large a number: s or ms",
							name->name);
	return check_duration(def, name, value->number, err);
}

static CbResult
parse_number(const CbSettingDef *def, const CbSettingName *name, const char *text,
			 SettingValue *value, CbError *err)
{
	const char *p = text;
	int64_t		millionths;
	bool		whole = def->kind == CB_OPTION_INT;
	char		expected[80];
	double		number;

	if (cb_parse_decimal(&p, &millionths) && *p == '\0' && !(whole && strchr(text, '.') != NULL))
	{
		number = (double) millionths / 1e6;
		if (whole)
			value->number = millionths / 1000000;
		else
			value->real = number;
		if (number >= def->min && number <= def->max)
			return CB_OK;
	}
	snprintf(expected, sizeof(expected), "%s from %.10g to %.10g",
			 whole ? "a whole number" : "a number", def->min, def->max);
	return bad_value(name, expected, err);
}

static CbResult
parse_value(const CbSettingDef *def, const CbSettingName *name, const char *text,
			SettingValue *value, CbError *err)
{
	switch (def->kind)
	{
		case CB_OPTION_DURATION:
			return parse_duration(def, name, text, value, err);
		case CB_OPTION_BOOL:
		case CB_OPTION_ENUM:
			return parse_word(name, text, value, err);
		case CB_OPTION_INT:
		case CB_OPTION_FLOAT:
			return parse_number(def, name, text, value, err);
		case CB_OPTION_TEXT:
		case CB_OPTION_PATH:
		case CB_OPTION_SECRET:
			break;
	}
	value->text = text;
	if (*text == '\0')
		return cb_error_set(err, CB_INVALID, NULL, "option \"%s\" must not be empty",
							name->name);
	if (def->id == CB_SET_SASL_MECH_FORCE)
		return cb_sasl_check_force(text, err);
	return CB_OK;
}

/* Whether the setting has this value already. */
static bool
same_value(const CbSettings *settings, const CbSettingDef *def, SettingValue value)
{
	const void *at = member(settings, def);

	switch (def->kind)
	{
		case CB_OPTION_DURATION:
		case CB_OPTION_INT:
			return *(const int64_t *) at == value.number;
		case CB_OPTION_BOOL:
			return *(const bool *) at == (value.number != 0);
		case CB_OPTION_ENUM:
			return *(const int *) at == value.number;
		case CB_OPTION_FLOAT:
			return *(const double *) at == value.real;
		case CB_OPTION_TEXT:
		case CB_OPTION_PATH:
		case CB_OPTION_SECRET:
			break;
	}
	return *(char *const *) at != NULL && strcmp(*(char *const *) at, value.text) == 0;
}

static CbResult
set_value(CbSettings *settings, const CbSettingDef *def, SettingValue value, CbError *err)
{
	void	   *at = member(settings, def);

	switch (def->kind)
	{
		case CB_OPTION_DURATION:
		case CB_OPTION_INT:
			*(int64_t *) at = value.number;
			return CB_OK;
		case CB_OPTION_BOOL:
			*(bool *) at = value.number != 0;
			return CB_OK;
		case CB_OPTION_ENUM:
			*(int *) at = (int) value.number;
			return CB_OK;
		case CB_OPTION_FLOAT:
			*(double *) at = value.real;
			return CB_OK;
		case CB_OPTION_TEXT:
		case CB_OPTION_PATH:
		case CB_OPTION_SECRET:
			break;
	}
	free(*(char **) at);
	*(char **) at = value.text == NULL ? NULL : cb_span_dup(cb_span_cstr(value.text));
	if (value.text != NULL && *(char **) at == NULL)
		return cb_error_set(err, CB_NOMEM, NULL, "out of memory");
	return CB_OK;
}

/* ---- the whole ---- */

/* An option of another client, which may only ask for what is done anyway. */
static CbResult
foreign_option(const CbForeignOption *foreign, const char *text, CbError *err)
{
	CbSettingName name = {.name = foreign->name, .words = cb_bool_words};
	SettingValue asked = {0};
	CbResult	result;

	if (foreign->anyway != NULL)
	{
		result = parse_word(&name, text, &asked, err);
		if (result != CB_OK || asked.number == (strcmp(foreign->anyway, "on") == 0))
			return result;
	}
	return cb_error_set(err, CB_INVALID, foreign->reason,
						"option \"%s\" of other clients has no meaning here", foreign->name);
}

/* What is not in the table of settings. */
static CbResult
unknown_option(const char *name, const char *text, CbError *err)
{
	const char *names[128];
	size_t		n = 0;
	const char *closest;
	char		hint[120] = "";

	for (const CbForeignOption *foreign = cb_foreign_options; foreign->name != NULL; foreign++)
	{
		if (strcmp(foreign->name, name) == 0)
			return foreign_option(foreign, text, err);
	}
	while (n < 127 && cb_setting_names[n].name != NULL)
	{
		names[n] = cb_setting_names[n].name;
		n++;
	}
	names[n] = NULL;
	closest = cb_closest_name(cb_span_cstr(name), names);
	if (closest != NULL)
		snprintf(hint, sizeof(hint), "Perhaps you meant \"%s\".", closest);
	return cb_error_set(err, CB_INVALID, hint,
						"unknown option \"%.100s\" in connection string", name);
}

static CbResult
apply_option(CbSettings *settings, const CbConnOption *option, CbError *err)
{
	const CbSettingName *name = cb_setting_names;
	const CbSettingDef *def;
	SettingValue value = {0};
	CbResult	result;
	bool		no_verify;

	while (name->name != NULL && strcmp(name->name, option->name) != 0)
		name++;
	if (name->name == NULL)
		return unknown_option(option->name, option->value, err);
	def = &cb_setting_defs[name->id];
	result = parse_value(def, name, option->value, &value, err);
	if (result != CB_OK)
		return result;
	if (settings->given[name->id] != NULL && !same_value(settings, def, value))
		return cb_error_set(err, CB_INVALID, NULL,
							strcmp(settings->given[name->id], name->name) == 0 ?
							"option \"%s\" is given twice with different values" :
							"option \"%s\" contradicts option \"%s\", another name of the same setting",
							name->name, settings->given[name->id]);
	settings->given[name->id] = name->name;
	no_verify = name->id == CB_SET_TLS && value.number == 2;
	result = set_value(settings, def, value, err);
	if (result == CB_OK && no_verify)
	{
		if (settings->given[CB_SET_TLS_VERIFY] != NULL &&
			settings->tls_verify == CB_TLS_VERIFY_PEER)
			return cb_error_set(err, CB_INVALID, NULL,
								"option \"ssl\" contradicts option \"tls_verify\"");
		settings->given[CB_SET_TLS_VERIFY] = name->name;
		settings->tls_verify = CB_TLS_VERIFY_NONE;
	}
	return result;
}

static CbResult
check_tls(const CbConnStr *connstr, CbSettings *settings, CbError *err)
{
	static const CbSettingId tls_ids[] = {
		CB_SET_TLS_CA_FILE, CB_SET_TLS_CERT_FILE, CB_SET_TLS_KEY_FILE, CB_SET_TLS_CIPHERS,
		CB_SET_TLS_CIPHERSUITES
	};

	if (connstr->tls && settings->given[CB_SET_TLS] != NULL && !settings->tls)
		return cb_error_set(err, CB_INVALID, NULL,
							"option \"%s\" contradicts the scheme couchbases",
							settings->given[CB_SET_TLS]);
	if (connstr->tls)
		settings->tls = true;
	for (size_t i = 0; i < sizeof(tls_ids) / sizeof(tls_ids[0]); i++)
	{
		if (settings->given[tls_ids[i]] != NULL && !settings->tls)
			return cb_error_set(err, CB_INVALID, "Use the scheme couchbases.",
								"option \"%s\" needs TLS", settings->given[tls_ids[i]]);
	}
	if (settings->tls_key_file != NULL && settings->tls_cert_file == NULL)
		return cb_error_set(err, CB_INVALID, NULL, "option \"%s\" needs option \"certpath\"",
							settings->given[CB_SET_TLS_KEY_FILE]);
	if (settings->tls_cert_file == NULL || settings->tls_key_file != NULL)
		return CB_OK;
	if (settings->tls_ca_file != NULL)
		return cb_error_set(err, CB_INVALID, NULL, "option \"%s\" needs option \"keypath\"",
							settings->given[CB_SET_TLS_CERT_FILE]);
	/* An older spelling of the certificate authority. */
	settings->certpath_as_ca = true;
	settings->tls_ca_file = settings->tls_cert_file;
	settings->tls_cert_file = NULL;
	settings->given[CB_SET_TLS_CA_FILE] = settings->given[CB_SET_TLS_CERT_FILE];
	settings->given[CB_SET_TLS_CERT_FILE] = NULL;
	return CB_OK;
}

static CbResult
check_combinations(const CbConnStr *connstr, CbSettings *settings, CbError *err)
{
	const CbConnHost *host = connstr->hosts;

	if (settings->config_cache != NULL && settings->config_cache_ro != NULL)
		return cb_error_set(err, CB_INVALID, NULL,
							"options \"config_cache\" and \"config_cache_ro\" exclude each other");
	if (settings->bootstrap_on == CB_BOOTSTRAP_FILE_ONLY &&
		settings->config_cache == NULL && settings->config_cache_ro == NULL)
		return cb_error_set(err, CB_INVALID, NULL,
							"option \"bootstrap_on\" with value file_only needs option \"config_cache\"");
	if (settings->config_poll_interval != 0 &&
		settings->config_poll_interval < settings->config_poll_floor)
		settings->config_poll_interval = settings->config_poll_floor;
	if (settings->dnssrv == CB_SRV_ON &&
		(connstr->nhosts != 1 || host->kind != CB_HOST_NAME || host->port != 0 ||
		 host->proto != CB_PROTO_DEFAULT))
		return cb_error_set(err, CB_INVALID, NULL,
							"option \"dnssrv\" with value on needs exactly one host name, without a port");
	if (settings->dns_servers != NULL && !cb_is_address_list(cb_span_cstr(settings->dns_servers)))
		return cb_error_set(err, CB_INVALID, "Expected for example 192.0.2.1,192.0.2.2:5353,[2001:db8::1]:53.",
							"invalid value of option \"dns_servers\": not a list of addresses");
	return check_tls(connstr, settings, err);
}

bool
cb_settings_is_default(const CbSettings *settings, CbSettingId id)
{
	const CbSettingDef *def = &cb_setting_defs[id];

	return def->kind == CB_OPTION_BOOL && *(bool *) member(settings, def) == (def->fallback != 0);
}

static CbResult
set_defaults(CbSettings *settings, CbError *err)
{
	for (int i = 0; i < CB_NSETTINGS; i++)
	{
		const CbSettingDef *def = &cb_setting_defs[i];
		SettingValue value = {0};
		CbResult	result;

		if (def->kind == CB_OPTION_FLOAT)
			value.real = def->fallback;
		else if (def->kind == CB_OPTION_TEXT || def->kind == CB_OPTION_PATH ||
				 def->kind == CB_OPTION_SECRET)
			value.text = def->fallback_text;
		else
			value.number = (int64_t) def->fallback;
		result = set_value(settings, def, value, err);
		if (result != CB_OK)
			return result;
	}
	return CB_OK;
}

CbResult
cb_settings_from_connstr(const CbConnStr *connstr, CbSettings **out, CbError *err)
{
	CbSettings *settings = calloc(1, sizeof(*settings));
	CbResult	result;

	*out = NULL;
	if (settings == NULL)
		return cb_error_set(err, CB_NOMEM, NULL, "out of memory");
	result = set_defaults(settings, err);
	for (size_t i = 0; i < connstr->noptions && result == CB_OK; i++)
		result = apply_option(settings, &connstr->options[i], err);
	if (result == CB_OK)
		result = check_combinations(connstr, settings, err);
	if (result != CB_OK)
		cb_settings_free(settings);
	else
		*out = settings;
	return result;
}

void
cb_settings_free(CbSettings *settings)
{
	if (settings == NULL)
		return;
	for (int i = 0; i < CB_NSETTINGS; i++)
	{
		const CbSettingDef *def = &cb_setting_defs[i];
		char	   *text;

		if (def->kind != CB_OPTION_TEXT && def->kind != CB_OPTION_PATH &&
			def->kind != CB_OPTION_SECRET)
			continue;
		text = *(char **) member(settings, def);
		if (text != NULL && def->kind == CB_OPTION_SECRET)
			cb_wipe(text, strlen(text));
		free(text);
	}
	free(settings);
}
