/*
 * settings_internal.h
 *		Shape of the option table.
 */
#ifndef CB_SETTINGS_INTERNAL_H
#define CB_SETTINGS_INTERNAL_H

#include "settings.h"

#define CB_US_PER_MS	INT64_C(1000)
#define CB_US_PER_S		INT64_C(1000000)

/* A word and the number it stands for; lists end with a NULL word. */
typedef struct CbWord
{
	const char *word;
	int			value;
} CbWord;

/* An option's setting, independent of the names it has. */
typedef struct CbSettingDef
{
	CbSettingId id;
	CbOptionKind kind;
	size_t		offset;			/* in CbSettings */
	double		fallback;		/* default; durations in microseconds */
	double		min;			/* bounds of numbers and durations */
	double		max;
	bool		zero_ok;		/* 0 (off) is allowed below min */
	const CbWord *words;		/* how to show bool and enum values */
	const char *fallback_text;	/* default of texts, NULL: none */
	const char *meaning;
} CbSettingDef;

/* Whose name it is, which decides what a bare number counts. */
typedef enum CbBareUnit
{
	CB_BARE_NONE = 0,
	CB_BARE_SECONDS,			/* libcouchbase */
	CB_BARE_MILLISECONDS,		/* newer SDKs */
	CB_BARE_SHARED				/* both: seconds, and large numbers refused */
} CbBareUnit;

typedef struct CbSettingName
{
	const char *name;
	CbSettingId id;
	CbBareUnit	bare;
	const CbWord *words;		/* bool and enum: what may be written */
} CbSettingName;

/* Indexed by CbSettingId. */
extern const CbSettingDef cb_setting_defs[CB_NSETTINGS];

/* Main name of each setting before its aliases; ends with a NULL name. */
extern const CbSettingName cb_setting_names[];

/* Options of other clients that mean nothing here, but for asking for what is done anyway. */
typedef struct CbForeignOption
{
	const char *name;
	const char *reason;			/* a sentence */
	const char *anyway;			/* on or off: what is done; NULL: it is not that kind of option */
} CbForeignOption;

/* Ends with a NULL name. */
extern const CbForeignOption cb_foreign_options[];

/* What may be written for on and off. */
extern const CbWord cb_bool_words[];

/*
 * Digits with an optional fraction at *text, in millionths; *text moves past
 * them. false without digits or when too large.
 */
extern bool cb_parse_decimal(const char **text, int64_t *millionths);

/* Whether text is a bare number: digits and dots only. */
extern bool cb_only_digits(const char *text);

/* Append microseconds in the largest unit that shows them well: 2.5s, 500ms. */
extern void cb_append_duration(CbBuf *out, int64_t us);

#endif
