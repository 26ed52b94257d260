/*
 * Layouts of dates: those of Go, examples ("1111-11-11"), those of the kinds YYYY-MM-DD and %Y-%m-%d. What names months
 * or days, and most of the last kind, is not understood.
 */
#include "n1ql_time.h"

#include <string.h>

/* Turns YYYY-MM-DD and the like into a layout of Go; NULL when it is not of that kind or says more than numbers. */
static const char *
common_layout(N1Arena *a, const char *s, bool *common)
{
	static const char *const words[][2] = {
		{"YYYY", "2006"}, {"MM", "01"}, {"DD", "02"}, {"HH24", "15"}, {"hh", "15"}, {"MI", "04"}, {"mm", "04"},
		{"SS", "05"}, {"ss", "05"}, {"s", N1_LAYOUT_MILLIS}, {"TZD", "Z07:00"}, {"T", "T"}, {"TZN", ""}, {"TZF", ""},
		{"HH12", N1_LAYOUT_HOUR_12}, {"HH", N1_LAYOUT_HOUR_12}, {"MONTH", ""}, {"Month", ""}, {"month", ""}, {"MON", ""},
		{"Mon", ""}, {"mon", ""}, {"DAY", ""}, {"Day", ""}, {"day", ""}, {"DY", ""}, {"Dy", ""}, {"dy", ""}, {"CC", ""},
		{"YY", ""}, {"AM", N1_LAYOUT_HALF}, {"am", N1_LAYOUT_SMALL_HALF}, {"PM", N1_LAYOUT_HALF},
		{"pm", N1_LAYOUT_SMALL_HALF}, {"PP", N1_LAYOUT_HALF}, {"pp", N1_LAYOUT_SMALL_HALF}
	};
	bool		numbers = true;
	N1Buf		b;

	n1_buf_init(&b, a);
	*common = false;
	while (*s != '\0')
	{
		size_t		best = SIZE_MAX;

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strncmp(s, words[i][0], strlen(words[i][0])) == 0 &&
				(best == SIZE_MAX || strlen(words[i][0]) > strlen(words[best][0])))
				best = i;
		if (best != SIZE_MAX)
		{
			numbers &= *words[best][1] != '\0';
			n1_buf_str(&b, words[best][1]);
			s += strlen(words[best][0]);
		}
		else if (strchr(" \t\n/.-:,;_()[]{}!?@#&*'\"\\", *s) != NULL)
			n1_buf_char(&b, *s++);
		else
			return NULL;
	}
	*common = true;
	return numbers ? b.s : NULL;
}

/* Words of Go's layouts that are not understood here. */
static bool
has_words(const char *s)
{
	static const char *const words[] = {"Jan", "Mon", "MST", "PM", "pm", "03", "06", "_2", "002", "-07"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		const char *at = strstr(s, words[i]);

		if (at != NULL && !(strcmp(words[i], "06") == 0 && at >= s + 2 && strncmp(at - 2, "2006", 4) == 0))
			return true;
	}
	return false;
}

/* Turns %Y-%m-%d and the like into a layout of Go; NULL when it says anything else. */
static const char *
percent_layout(N1Arena *a, const char *s)
{
	static const char letters[] = "YmdHMS%";
	static const char *const go[] = {"2006", "01", "02", "15", "04", "05", "%"};
	N1Buf		b;

	n1_buf_init(&b, a);
	for (; *s != '\0'; s++)
	{
		const char *at;

		if (*s != '%')
		{
			if (*s >= '0' && *s <= '9')
				return NULL;
			n1_buf_char(&b, *s);
			continue;
		}
		at = *++s == '\0' ? NULL : strchr(letters, *s);
		if (at == NULL)
			return NULL;
		n1_buf_str(&b, go[at - letters]);
	}
	return b.s;
}

N1LayoutKind
n1_layout_kind(N1Arena *a, const N1Value *v, const char **go)
{
	const char *s = n1_dup(a, v->u.str.s, v->u.str.n);
	size_t		digits = strspn(s, "0123456789");
	bool		common,
				reference;

	*go = s;
	if (*s == '\0')
		return N1_LAYOUT_NONE;
	if (strchr(s, '%') != NULL)
	{
		*go = percent_layout(a, s);
		return *go ? N1_LAYOUT_GO : N1_LAYOUT_BAD;
	}
	*go = common_layout(a, s, &common);
	if (common)
		return *go ? N1_LAYOUT_GO : N1_LAYOUT_BAD;
	*go = s;
	reference = digits == 0 || (digits == 4 && strncmp(s, "2006", 4) == 0) ||
		(digits == 2 && *s == '0' && s[1] >= '1' && s[1] <= '6') || (digits == 1 && *s >= '1' && *s <= '6');
	if (reference)
		return has_words(s) ? N1_LAYOUT_BAD : N1_LAYOUT_GO;
	return N1_LAYOUT_EXAMPLE;
}
