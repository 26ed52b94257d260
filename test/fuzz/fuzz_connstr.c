/*
 * fuzz_connstr.c
 *		Connection strings and their options.
 */
#include "fuzz.h"

#include "settings.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = fuzz_text(data, size);
	CbConnStr  *connstr;
	CbSettings *settings;
	CbError		err = {0};
	CbBuf		shown = {0};

	if (cb_connstr_parse(text, &connstr, &err) == CB_OK)
	{
		EXPECT(connstr->nhosts > 0);
		cb_connstr_srv_candidate(connstr);
		if (cb_settings_from_connstr(connstr, &settings, &err) == CB_OK)
		{
			for (int i = 0; i < CB_NSETTINGS; i++)
				cb_settings_format(settings, (CbSettingId) i, &shown);
			cb_settings_free(settings);
		}
		else
			EXPECT(err.text[0] != '\0');
	}
	else
		EXPECT(err.text[0] != '\0');
	if (cb_utf8_valid_prefix(cb_span(data, size)) == size)
		EXPECT(cb_utf8_valid_prefix(cb_span_cstr(err.text)) == strlen(err.text));
	cb_connstr_free(connstr);
	cb_buf_free(&shown);
	free(text);
	return 0;
}
