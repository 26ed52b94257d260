/*
 * option.c
 *		The table of options, the validator it drives, and the readers.
 *
 * The validator sees one object at a time, so it refuses what that object alone makes impossible. What needs the
 * column's type or another object (key column that is not text, no bucket anywhere) is refused by table_load: when the
 * table is made or changed (ddl.c), and at its first use where the other object changed later.
 */
#include "option.h"

#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(cbconn_fdw_validator);

static const OptionWord access_words[] = {
	{"auto", FDW_ACCESS_AUTO},
	{"kv", FDW_ACCESS_KV},
	{"query", FDW_ACCESS_QUERY},
	{NULL, 0}
};

static const OptionWord consistency_words[] = {
	{"not_bounded", QUERY_NOT_BOUNDED},
	{"request_plus", QUERY_REQUEST_PLUS},
	{"at_plus", QUERY_AT_PLUS},
	{NULL, 0}
};

static const OptionWord lookup_words[] = {
	{"auto", FDW_LOOKUP_AUTO},
	{"on", FDW_LOOKUP_ON},
	{"off", FDW_LOOKUP_OFF},
	{NULL, 0}
};

static const OptionWord type_error_words[] = {
	{"error", FDW_TYPE_ERROR_ERROR},
	{"null", FDW_TYPE_ERROR_NULL},
	{NULL, 0}
};

static const OptionWord insert_words[] = {
	{"insert", FDW_INSERT_INSERT},
	{"upsert", FDW_INSERT_UPSERT},
	{"replace", FDW_INSERT_REPLACE},
	{NULL, 0}
};

static const OptionWord null_words[] = {
	{"absent", false},
	{"null", true},
	{NULL, 0}
};

static const OptionWord durability_words[] = {
	{"none", KV_DURABILITY_NONE},
	{"majority", KV_DURABILITY_MAJORITY},
	{"majority_and_persist_to_active", KV_DURABILITY_MAJORITY_AND_PERSIST_TO_ACTIVE},
	{"persist_to_majority", KV_DURABILITY_PERSIST_TO_MAJORITY},
	{NULL, 0}
};

static const OptionWord format_words[] = {
	{"iso8601", FDW_TIME_ISO8601},
	{"epoch_s", FDW_TIME_EPOCH_S},
	{"epoch_ms", FDW_TIME_EPOCH_MS},
	{NULL, 0}
};

static const OptionWord meta_words[] = {
	{"cas", FDW_META_CAS},
	{"expiry", FDW_META_EXPIRY},
	{"flags", FDW_META_FLAGS},
	{"seqno", FDW_META_SEQNO},
	{"vbucket", FDW_META_VBUCKET},
	{"datatype", FDW_META_DATATYPE},
	{NULL, 0}
};

const OptionDef option_table[] = {
	{"connection_string", OPTION_SERVER, OPTION_TEXT, NULL, NULL, option_check_connection_string, false,
	"Hosts, bucket and connection options: couchbase://host1,host2/bucket?option=value"},
	{"bucket", OPTION_SERVER | OPTION_TABLE, OPTION_TEXT, NULL, NULL, option_check_bucket, false,
	"Bucket; may stand in the path of the connection string instead"},
	{"scope", OPTION_SERVER | OPTION_TABLE, OPTION_TEXT, "_default", NULL, option_check_keyspace, false,
	"Scope"},
	{"collection", OPTION_TABLE, OPTION_TEXT, "_default", NULL, option_check_keyspace, false,
	"Collection"},
	{"access", OPTION_SERVER | OPTION_TABLE, OPTION_ENUM, "auto", access_words, NULL, false,
	"How documents are read: kv (the data service), query (the query service, SQL++), or auto (what costs less)"},
	{"lookup", OPTION_SERVER | OPTION_TABLE, OPTION_ENUM, "auto", lookup_words, NULL, false,
	"Whether reads by key fetch single fields instead of whole documents"},
	{"filter", OPTION_TABLE, OPTION_TEXT, NULL, NULL, option_check_filter, false,
	"Which documents of the collection are rows: type = \"airline\", several joined by AND; the table is read-only"},
	{"scan_consistency", OPTION_SERVER | OPTION_TABLE, OPTION_ENUM, "at_plus", consistency_words, NULL, false,
	"What the query service's indexes must hold: not_bounded (what they do), at_plus (what the transaction wrote) "
	"or request_plus (all that was written before the query)"},
	{"on_type_error", OPTION_SERVER | OPTION_TABLE | OPTION_COLUMN, OPTION_ENUM, "error", type_error_words, NULL, false,
	"What a value of the wrong type gives: an error, or NULL"},
	{"updatable", OPTION_SERVER | OPTION_TABLE, OPTION_BOOL, "true", NULL, NULL, false,
	"Whether rows can be inserted, updated and deleted"},
	{"truncatable", OPTION_SERVER | OPTION_TABLE, OPTION_BOOL, "false", NULL, NULL, false,
	"Whether TRUNCATE may delete all documents of the collection"},
	{"insert_mode", OPTION_TABLE, OPTION_ENUM, "insert", insert_words, NULL, false,
	"What INSERT and COPY do: insert, upsert (replaces documents that exist) or replace (documents must exist)"},
	{"null_as", OPTION_SERVER | OPTION_TABLE | OPTION_COLUMN, OPTION_ENUM, "absent", null_words, NULL, false,
	"How NULL is written: absent (no field) or null (JSON null)"},
	{"durability", OPTION_SERVER | OPTION_TABLE, OPTION_ENUM, "none", durability_words, NULL, false,
	"When a write counts as done: none (in memory of one node), majority, majority_and_persist_to_active or "
	"persist_to_majority"},
	{"batch_size", OPTION_SERVER | OPTION_TABLE, OPTION_TEXT, "1000", NULL, option_check_batch_size, false,
	"Most documents that are written before the first outcome is awaited, 1 to 100000"},
	{"keep_connections", OPTION_SERVER, OPTION_BOOL, "true", NULL, NULL, false,
	"Whether connections stay open after the transaction"},
	{"idle_timeout", OPTION_SERVER, OPTION_TEXT, "5m", NULL, option_check_duration, false,
	"Time after which connections that are not used are closed, 0: never"},
	{"slow_kv", OPTION_SERVER, OPTION_TEXT, NULL, NULL, option_check_duration, false,
	"Data operations that keep a query waiting for longer are logged, 0: none; default: tracing_threshold_kv of the "
	"connection string, 500ms"},
	{"fdw_startup_cost", OPTION_SERVER | OPTION_TABLE, OPTION_REAL, "10", NULL, NULL, false,
	"Planner's cost of one round trip to the cluster"},
	{"fdw_tuple_cost", OPTION_SERVER | OPTION_TABLE, OPTION_REAL, "0.2", NULL, NULL, false,
	"Planner's cost of reading one document in a range scan"},
	{"username", OPTION_MAPPING, OPTION_TEXT, NULL, NULL, option_check_not_empty, false,
	"Couchbase user"},
	{"password", OPTION_MAPPING, OPTION_TEXT, NULL, NULL, NULL, true,
	"Password of the Couchbase user"},
	{"sslcert", OPTION_MAPPING, OPTION_TEXT, NULL, NULL, option_check_file, false,
	"File with the client certificate and its chain, instead of a password"},
	{"sslkey", OPTION_MAPPING, OPTION_TEXT, NULL, NULL, option_check_file, false,
	"File with the key of the client certificate"},
	{"password_required", OPTION_MAPPING, OPTION_BOOL, "true", NULL, NULL, false,
	"Whether users who are not superusers need a password or certificate; only a superuser may turn it off"},
	{"key", OPTION_COLUMN, OPTION_BOOL, "false", NULL, NULL, false,
	"The column is the document key"},
	{"path", OPTION_COLUMN, OPTION_TEXT, NULL, NULL, option_check_path, false,
	"Field the column reads: geo.lat, tags[0], `odd.name`.x; default: the field of the column's name"},
	{"document", OPTION_COLUMN, OPTION_BOOL, "false", NULL, NULL, false,
	"The column is the whole document"},
	{"meta", OPTION_COLUMN, OPTION_ENUM, NULL, meta_words, NULL, false,
	"The column is metadata: cas, expiry, flags, seqno, vbucket or datatype"},
	{"format", OPTION_COLUMN, OPTION_ENUM, "iso8601", format_words, NULL, false,
	"How dates and times are stored: ISO 8601 text, or a number of seconds or milliseconds since 1970"},
	{NULL}
};

/* ---- looking up ---- */

/* The option of this name at this place, or NULL; where 0: anywhere. */
static const OptionDef *
option_lookup(const char *name, int where)
{
	const OptionDef *def;

	for (def = option_table; def->name; def++)
	{
		if ((where == 0 || (def->where & where)) && strcmp(def->name, name) == 0)
			return def;
	}
	return NULL;
}

static DefElem *
option_find(List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);

		if (strcmp(def->defname, name) == 0)
			return def;
	}
	return NULL;
}

bool
option_given(List *options, const char *name)
{
	return option_find(options, name) != NULL;
}

const char *
option_text(List *options, List *fallback, const char *name)
{
	DefElem    *def = option_find(options, name);

	if (def == NULL)
		def = option_find(fallback, name);
	if (def != NULL)
		return defGetString(def);
	return option_lookup(name, 0)->default_value;
}

bool
option_flag(List *options, List *fallback, const char *name)
{
	const char *text = option_text(options, fallback, name);
	bool		value = false;

	if (!parse_bool(text, &value))
		elog(ERROR, "option \"%s\" holds no Boolean value", name);
	return value;
}

double
option_real(List *options, List *fallback, const char *name)
{
	const char *text = option_text(options, fallback, name);
	double		value = 0;

	if (!parse_real(text, &value, 0, NULL))
		elog(ERROR, "option \"%s\" holds no number", name);
	return value;
}

int
option_word(List *options, List *fallback, const char *name)
{
	const char *text = option_text(options, fallback, name);
	const OptionWord *word;

	for (word = option_lookup(name, 0)->words; word->name; word++)
	{
		if (strcmp(word->name, text) == 0)
			return word->value;
	}
	elog(ERROR, "option \"%s\" holds an unknown word", name);
}

/* ---- validating ---- */

static int
option_where(Oid catalog)
{
	switch (catalog)
	{
		case ForeignServerRelationId:
			return OPTION_SERVER;
		case UserMappingRelationId:
			return OPTION_MAPPING;
		case ForeignTableRelationId:
			return OPTION_TABLE;
		case AttributeRelationId:
			return OPTION_COLUMN;
		default:
			return 0;
	}
}

/* Keeps the candidate that is the likeliest typing error of name. */
static void
option_closest(const char *name, const char *candidate, const char **best, int *best_distance)
{
	int			len = strlen(candidate);
	int			limit = Max(1, Min(len, (int) strlen(name)) / 2);
	int			distance;

	if (strlen(name) > NAMEDATALEN)
		return;
	limit = Min(limit, *best_distance - 1);
	distance = varstr_levenshtein_less_equal(name, strlen(name), candidate, len, 1, 1, 1, limit, true);
	if (distance <= limit)
	{
		*best = candidate;
		*best_distance = distance;
	}
}

/* The names that are valid at this place, comma-separated; best: the one closest to name, or NULL. */
static char *
option_names(int where, const char *name, const char **best)
{
	StringInfoData names;
	const OptionDef *def;
	int			distance = NAMEDATALEN;

	initStringInfo(&names);
	*best = NULL;
	for (def = option_table; def->name; def++)
	{
		if ((def->where & where) == 0)
			continue;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", def->name);
		option_closest(name, def->name, best, &distance);
	}
	return names.data;
}

static const char *
option_object(int where)
{
	switch (where)
	{
		case OPTION_SERVER:
			return "server";
		case OPTION_MAPPING:
			return "user mapping";
		case OPTION_TABLE:
			return "foreign table";
		case OPTION_COLUMN:
			return "column";
		default:
			return "foreign-data wrapper";
	}
}

static void
option_refuse_name(const char *name, Oid catalog)
{
	int			where = option_where(catalog);
	const OptionDef *elsewhere = option_lookup(name, 0);
	const char *best;
	char	   *names = option_names(where, name, &best);
	StringInfoData places;

	initStringInfo(&places);
	for (int bit = OPTION_SERVER; elsewhere != NULL && bit <= OPTION_COLUMN; bit <<= 1)
	{
		if (elsewhere->where & bit)
			appendStringInfo(&places, "%s%s", places.len > 0 ? ", " : "", option_object(bit));
	}

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\" for a %s", name, option_object(where)),
			 elsewhere != NULL ? errdetail("This option belongs to: %s.", places.data) : 0,
			 elsewhere == NULL && best != NULL ? errhint("Perhaps you meant the option \"%s\".", best) :
			 names[0] != '\0' ? errhint("Valid options in this context are: %s", names) :
			 errhint("There are no valid options in this context.")));
}

static void
option_check_word(const OptionDef *def, const char *value)
{
	const OptionWord *word;
	const char *best = NULL;
	int			distance = NAMEDATALEN;
	StringInfoData words;

	initStringInfo(&words);
	for (word = def->words; word->name; word++)
	{
		if (strcmp(word->name, value) == 0)
			return;
		appendStringInfo(&words, "%s%s", words.len > 0 ? ", " : "", word->name);
		option_closest(value, word->name, &best, &distance);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", def->name, value),
			 best != NULL ? errhint("Perhaps you meant \"%s\". Valid values are: %s", best, words.data) :
			 errhint("Valid values are: %s", words.data)));
}

static void
option_check_value(const OptionDef *def, DefElem *elem)
{
	const char *value = defGetString(elem);
	double		number;
	bool		flag;

	switch (def->kind)
	{
		case OPTION_BOOL:
			if (!parse_bool(value, &flag))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value for Boolean option \"%s\": \"%s\"", def->name, value)));
			break;
		case OPTION_REAL:
			if (!parse_real(value, &number, 0, NULL))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value for floating point option \"%s\": \"%s\"", def->name, value)));
			if (number < 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("\"%s\" must be a floating point value greater than or equal to zero", def->name)));
			break;
		case OPTION_ENUM:
			option_check_word(def, value);
			break;
		case OPTION_TEXT:
			if (def->check != NULL)
				def->check(def->name, value);
			break;
	}
}

/* ---- combinations within one object ---- */

static void
option_check_server(List *options)
{
	const char *connection = option_text(options, NIL, "connection_string");
	const char *bucket = option_text(options, NIL, "bucket");
	char	   *from_path;

	if (connection == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("option \"connection_string\" is required"),
				 errhint("Add OPTIONS (connection_string 'couchbase://host1,host2').")));
	from_path = option_connection_bucket(connection);
	if (bucket != NULL && from_path != NULL && strcmp(bucket, from_path) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"bucket\" contradicts the connection string"),
				 errdetail("The option says \"%s\", the path of the connection string says \"%s\".",
						   bucket, from_path)));
}

/* As postgres_fdw has it: whoever is no superuser may neither set password_required off nor alter such a mapping. */
static void
option_check_mapping(List *options)
{
	if (!superuser() && !option_flag(options, NIL, "password_required"))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("password_required=false is superuser-only"),
				 errhint("User mappings with the password_required option set to false may only be created or "
						 "modified by the superuser.")));
	if (option_given(options, "sslcert") != option_given(options, "sslkey"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("options \"sslcert\" and \"sslkey\" need each other")));
	if (option_given(options, "password") && !option_given(options, "username"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("option \"password\" needs option \"username\"")));
}

static void
option_check_column(List *options)
{
	const char *first = NULL;
	const char *second = NULL;
	static const char *const kinds[] = {"key", "document", "meta", "path"};

	for (int i = 0; i < lengthof(kinds); i++)
	{
		if (!option_given(options, kinds[i]) || (i < 2 && !option_flag(options, NIL, kinds[i])))
			continue;
		if (first == NULL)
			first = kinds[i];
		else if (second == NULL)
			second = kinds[i];
	}
	if (second != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("options \"%s\" and \"%s\" exclude each other", first, second),
				 errdetail("A column is the key, the document, metadata, or the field of a path.")));
	if (first != NULL && strcmp(first, "path") != 0)
	{
		bool		fixed_type = strcmp(first, "document") != 0;
		const char *useless = option_given(options, "format") ? "format" :
			fixed_type && option_given(options, "on_type_error") ? "on_type_error" :
			option_given(options, "null_as") ? "null_as" : NULL;

		if (useless != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
					 errmsg("option \"%s\" has no meaning for a \"%s\" column", useless, first)));
	}
}

/* VALIDATOR of the foreign-data wrapper: (options text[], catalog oid). */
Datum
cbconn_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			catalog = PG_GETARG_OID(1);
	int			where = option_where(catalog);
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *elem = lfirst_node(DefElem, lc);
		const OptionDef *def = where == 0 ? NULL : option_lookup(elem->defname, where);

		if (def == NULL)
			option_refuse_name(elem->defname, catalog);
		option_check_value(def, elem);
	}

	if (where & OPTION_SERVER)
		option_check_server(options);
	if (where & OPTION_MAPPING)
		option_check_mapping(options);
	if (where & OPTION_COLUMN)
		option_check_column(options);
	PG_RETURN_VOID();
}
