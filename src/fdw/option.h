/*
 * option.h
 *		Options of servers, user mappings, foreign tables and columns: the table that describes them, its readers.
 */
#ifndef CBCONN_OPTION_H
#define CBCONN_OPTION_H

#include "fdw.h"

#include "nodes/pg_list.h"

/* Where an option may stand. */
#define OPTION_SERVER	0x01
#define OPTION_MAPPING	0x02
#define OPTION_TABLE	0x04
#define OPTION_COLUMN	0x08

typedef enum OptionKind
{
	OPTION_BOOL,
	OPTION_REAL,				/* not negative */
	OPTION_ENUM,
	OPTION_TEXT
} OptionKind;

/* One word of an OPTION_ENUM; lists end with a NULL name. */
typedef struct OptionWord
{
	const char *name;
	int			value;
} OptionWord;

typedef struct OptionDef
{
	const char *name;
	int			where;			/* OPTION_SERVER ... */
	OptionKind	kind;
	const char *default_value;	/* as text; NULL: none */
	const OptionWord *words;	/* OPTION_ENUM */
	void		(*check) (const char *name, const char *value);	/* OPTION_TEXT; throws */
	bool		secret;			/* the value never appears in a message */
	const char *description;	/* one line, for cbconn_options() and the README */
} OptionDef;

/* The one table of options; ends with a NULL name. */
extern const OptionDef option_table[];

/*
 * Readers: the value in the first of these lists of DefElem that has the option (the second may be NIL), else
 * the default of the table. Values were checked by the validator when they were set.
 */
extern const char *option_text(List *options, List *fallback, const char *name);
extern bool option_flag(List *options, List *fallback, const char *name);
extern double option_real(List *options, List *fallback, const char *name);
extern int	option_word(List *options, List *fallback, const char *name);
/* Microseconds; absent: what to return where the option is not given. */
extern int64 option_duration(List *options, const char *name, int64 absent);

/* Whether the list has the option at all. */
extern bool option_given(List *options, const char *name);

/* ---- option_check.c: values of OPTION_TEXT ---- */

extern void option_check_connection_string(const char *name, const char *value);
extern void option_check_bucket(const char *name, const char *value);
extern void option_check_keyspace(const char *name, const char *value);
extern void option_check_path(const char *name, const char *value);
extern void option_check_filter(const char *name, const char *value);
extern void option_check_not_empty(const char *name, const char *value);
extern void option_check_batch_size(const char *name, const char *value);
extern void option_check_file(const char *name, const char *value);
extern void option_check_duration(const char *name, const char *value);

/* Bucket in the path of a connection string, palloc'd; NULL when it has none. */
extern char *option_connection_bucket(const char *connection_string);

/* Whether a connection string names a client certificate. */
extern bool option_connection_certificate(const char *connection_string);

#endif							/* CBCONN_OPTION_H */
