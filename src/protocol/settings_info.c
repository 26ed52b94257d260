/*
 * settings_info.c
 *		What can be said about options: names, units, effective values as text.
 */
#include "settings_internal.h"

static const char *
unit_name(CbBareUnit unit)
{
	return unit == CB_BARE_NONE ? "" : unit == CB_BARE_MILLISECONDS ? "ms" : "s";
}

const char *
cb_option_name(CbSettingId id, size_t n, const char **bare_unit)
{
	const CbSettingName *entry;

	for (entry = cb_setting_names; entry->name != NULL; entry++)
	{
		if (entry->id != id || n-- != 0)
			continue;
		if (bare_unit != NULL)
			*bare_unit = unit_name(entry->bare);
		return entry->name;
	}
	return NULL;
}

const char *
cb_foreign_option(size_t n, const char **reason, const char **anyway)
{
	const CbForeignOption *entry = cb_foreign_options;

	while (entry->name != NULL && n-- > 0)
		entry++;
	*reason = entry->reason;
	*anyway = entry->anyway;
	return entry->name;
}

void
cb_option_info(CbSettingId id, CbOptionInfo *info)
{
	const CbSettingName *entry = cb_setting_names;

	while (entry->id != id)
		entry++;
	info->name = entry->name;
	info->kind = cb_setting_defs[id].kind;
	info->bare_unit = unit_name(entry->bare);
	info->meaning = cb_setting_defs[id].meaning;
}

static void
append_word(CbBuf *out, const CbWord *words, int value)
{
	while (words->word != NULL && words->value != value)
		words++;
	if (words->word != NULL)
		cb_buf_append_cstr(out, words->word);
}

void
cb_settings_format(const CbSettings *settings, CbSettingId id, CbBuf *out)
{
	const CbSettingDef *def = &cb_setting_defs[id];
	const void *at = (const char *) settings + def->offset;
	const char *text;

	switch (def->kind)
	{
		case CB_OPTION_DURATION:
			cb_append_duration(out, *(const int64_t *) at);
			return;
		case CB_OPTION_BOOL:
			append_word(out, def->words, *(const bool *) at);
			return;
		case CB_OPTION_ENUM:
			append_word(out, def->words, *(const int *) at);
			return;
		case CB_OPTION_INT:
			cb_buf_append_format(out, "%lld", (long long) *(const int64_t *) at);
			return;
		case CB_OPTION_FLOAT:
			cb_buf_append_format(out, "%.10g", *(const double *) at);
			return;
		case CB_OPTION_TEXT:
		case CB_OPTION_PATH:
		case CB_OPTION_SECRET:
			break;
	}
	text = *(char *const *) at;
	if (text != NULL)
		cb_buf_append_cstr(out, def->kind == CB_OPTION_SECRET ? "***" : text);
}
