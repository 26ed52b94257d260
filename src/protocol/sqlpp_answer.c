/*
 * sqlpp_answer.c
 *		The small members of a query service's answer: errors, warnings, metrics.
 */
#include "sqlpp.h"

#include <jansson.h>
#include <string.h>

/* U+0000 in one text must not make the rest unreadable. */
#define LOAD_FLAGS	(JSON_DECODE_ANY | JSON_ALLOW_NUL)

/* Copies text, cut at a character. */
static void
copy_text(char *out, size_t size, const char *text)
{
	size_t		len = strlen(text);

	if (len >= size)
		len = cb_utf8_valid_prefix(cb_span(text, size - 1));
	memcpy(out, text, len);
	out[len] = '\0';
}

static void
copy_member(char *out, size_t size, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	copy_text(out, size, text == NULL ? "" : text);
}

static int64_t
integer_member(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* ---- durations ---- */

static bool
take_unit(const char **p, double *nanoseconds)
{
	static const struct
	{
		const char *name;
		double		nanoseconds;
	}			units[] = {
		{"ns", 1}, {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3}, {"ms", 1e6},
		{"s", 1e9}, {"m", 60e9}, {"h", 3600e9}
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		size_t		len = strlen(units[i].name);

		if (strncmp(*p, units[i].name, len) == 0)
		{
			*p += len;
			*nanoseconds = units[i].nanoseconds;
			return true;
		}
	}
	return false;
}

/* Digits with an optional fraction. */
static bool
take_number(const char **p, double *number)
{
	double		scale = 1;
	bool		digits = false;

	*number = 0;
	for (; **p >= '0' && **p <= '9'; (*p)++, digits = true)
		*number = *number * 10 + (**p - '0');
	if (**p == '.')
	{
		for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, digits = true)
			*number += (**p - '0') * (scale /= 10);
	}
	return digits;
}

CbResult
cb_sqlpp_duration(const char *text, int64_t *microseconds)
{
	const char *p = text;
	double		total = 0;

	if (strcmp(text, "0") == 0)
	{
		*microseconds = 0;
		return CB_OK;
	}
	do
	{
		double		number;
		double		unit;

		if (!take_number(&p, &number) || !take_unit(&p, &unit))
			return CB_MALFORMED;
		total += number * unit / 1e3;
	} while (*p != '\0');
	if (total > 9e15)
		return CB_LIMIT;
	*microseconds = (int64_t) (total + 0.5);
	return CB_OK;
}

static int64_t
duration_member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	int64_t		result;

	return text != NULL && cb_sqlpp_duration(text, &result) == CB_OK ? result : 0;
}

/* ---- members ---- */

CbResult
cb_sqlpp_metrics(CbSpan text, CbSqlppMetrics *metrics)
{
	json_t	   *root = json_loadb((const char *) text.data, text.len, LOAD_FLAGS, NULL);
	bool		good = json_is_object(root);

	*metrics = (CbSqlppMetrics) {0};
	if (good)
	{
		metrics->elapsed_us = duration_member(root, "elapsedTime");
		metrics->execution_us = duration_member(root, "executionTime");
		metrics->result_count = integer_member(root, "resultCount");
		metrics->result_size = integer_member(root, "resultSize");
		metrics->mutation_count = integer_member(root, "mutationCount");
		metrics->sort_count = integer_member(root, "sortCount");
		metrics->errors = integer_member(root, "errorCount");
		metrics->warnings = integer_member(root, "warningCount");
	}
	json_decref(root);
	return good ? CB_OK : CB_MALFORMED;
}

/* The reason's own code and text, which may stand a level deeper. */
static void
take_reason(const json_t *reason, CbSqlppError *error)
{
	copy_member(error->role, sizeof(error->role), reason, "missing_role");
	copy_member(error->path, sizeof(error->path), reason, "path");
	if (json_object_get(reason, "code") == NULL && json_is_object(json_object_get(reason, "cause")))
		reason = json_object_get(reason, "cause");
	error->reason_code = integer_member(reason, "code");
	copy_member(error->reason, sizeof(error->reason), reason, "message");
	if (error->reason[0] == '\0')
		copy_member(error->reason, sizeof(error->reason), reason, "msg");
}

CbResult
cb_sqlpp_error(CbSpan text, size_t index, CbSqlppError *error)
{
	json_t	   *root = json_loadb((const char *) text.data, text.len, LOAD_FLAGS, NULL);
	CbResult	result = CB_MALFORMED;

	*error = (CbSqlppError) {0};
	if (json_is_array(root))
	{
		const json_t *element = json_array_get(root, index);

		result = index >= json_array_size(root) ? CB_END : json_is_object(element) ? CB_OK : CB_MALFORMED;
		if (result == CB_OK)
		{
			error->code = integer_member(element, "code");
			error->retry = json_is_true(json_object_get(element, "retry"));
			copy_member(error->message, sizeof(error->message), element, "msg");
			take_reason(json_object_get(element, "reason"), error);
		}
	}
	json_decref(root);
	return result;
}

CbResult
cb_sqlpp_string(CbSpan text, char *out, size_t size)
{
	json_t	   *root = json_loadb((const char *) text.data, text.len, LOAD_FLAGS, NULL);
	const char *value = json_string_value(root);

	copy_text(out, size, value == NULL ? "" : value);
	json_decref(root);
	return value == NULL ? CB_MALFORMED : CB_OK;
}
