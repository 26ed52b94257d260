/*
 * table.c
 *		The mapping of foreign tables: options and columns, checked as a whole, cached per backend.
 *
 * A mapping is immutable and counted: users hold it through their memory context. Invalidation marks it stale, the
 * next table_load builds another one, and the stale one goes when its last user has gone.
 */
#include "fdw.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "../compat.h"
#include "filter.h"
#include "option.h"

typedef struct TableMapping
{
	FdwTable	table;			/* first: an FdwTable * is a TableMapping * */
	MemoryContext cxt;			/* holds all of this */
	int			users;			/* memory contexts that hold it */
	bool		stale;			/* never handed out again */
	MemoryContext target_cxt;	/* NULL: no target yet; else it holds the strings of target */
	bool		target_valid;
	Oid			target_userid;	/* whose target it is */
	ClusterTarget target;
} TableMapping;

typedef struct TableEntry
{
	Oid			relid;			/* hash key */
	TableMapping *mapping;		/* NULL: none that may be used */
} TableEntry;

/* One user of a mapping; lives and dies with the user's memory context. */
typedef struct TableUse
{
	TableMapping *mapping;
	MemoryContextCallback callback;
} TableUse;

static HTAB *table_cache = NULL;
static uint64 table_invalidations = 0;	/* counts callbacks, to notice one in the middle of building */
static bool table_any_stale = false;

/* ---- invalidation ---- */

static void
table_mark_stale(Oid relid)
{
	HASH_SEQ_STATUS status;
	TableEntry *entry;

	table_invalidations++;
	hash_seq_init(&status, table_cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->mapping != NULL && (!OidIsValid(relid) || entry->relid == relid))
		{
			entry->mapping->stale = true;
			table_any_stale = true;
		}
	}
}

static void
table_relcache_callback(Datum arg, Oid relid)
{
	table_mark_stale(relid);
}

static void
table_syscache_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	table_mark_stale(InvalidOid);
}

/* A user mapping or a role changed: forget what was read of them. */
static void
table_user_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS status;
	TableEntry *entry;

	table_invalidations++;
	hash_seq_init(&status, table_cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->mapping != NULL)
			entry->mapping->target_valid = false;
	}
}

static void
table_cache_create(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(TableEntry);
	table_cache = hash_create("cbconn_fdw tables", 16, &ctl, HASH_ELEM | HASH_BLOBS);

	CacheRegisterRelcacheCallback(table_relcache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNTABLEREL, table_syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, table_syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, table_user_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, table_user_callback, (Datum) 0);
}

/* Removes stale mappings from the cache; those still in use are left to their last user. */
static void
table_sweep(void)
{
	HASH_SEQ_STATUS status;
	TableEntry *entry;

	hash_seq_init(&status, table_cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		TableMapping *mapping = entry->mapping;

		if (mapping == NULL || !mapping->stale)
			continue;
		hash_search(table_cache, &entry->relid, HASH_REMOVE, NULL);
		if (mapping->users == 0)
			MemoryContextDelete(mapping->cxt);
		else
			mapping->users = -mapping->users;	/* negative: nobody but users knows it */
	}
	table_any_stale = false;
}

/* Reset callback of a user's memory context. */
static void
table_release(void *arg)
{
	TableMapping *mapping = ((TableUse *) arg)->mapping;

	if (mapping->users > 0)
		mapping->users--;
	else if (++mapping->users == 0)
		MemoryContextDelete(mapping->cxt);
}

static FdwTable *
table_hold(TableMapping *mapping)
{
	TableUse   *use = palloc(sizeof(TableUse));

	use->mapping = mapping;
	use->callback.func = table_release;
	use->callback.arg = use;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &use->callback);
	mapping->users++;
	return &mapping->table;
}

/* ---- columns ---- */

typedef struct TableColumnContext
{
	Relation	rel;
	List	   *table_options;
	List	   *server_options;
	FdwTable   *table;
} TableColumnContext;

static void
table_refuse_type(TableColumnContext *context, Form_pg_attribute attr, const char *what, const char *types)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 errmsg("column \"%s\" of foreign table \"%s\" cannot be %s", NameStr(attr->attname),
					RelationGetRelationName(context->rel), what),
			 errdetail("Its type is %s.", format_type_be(attr->atttypid)),
			 errhint("Use one of these types: %s.", types)));
}

static void
table_key_column(TableColumnContext *context, Form_pg_attribute attr, FdwColumn *column)
{
	Oid			type = getBaseType(attr->atttypid);

	column->kind = FDW_COLUMN_KEY;
	if (type != TEXTOID && type != VARCHAROID)
		table_refuse_type(context, attr, "the document key", "text, character varying");
	if (context->table->key_attno != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("foreign table \"%s\" has more than one key column", RelationGetRelationName(context->rel)),
				 errhint("Only one column may have OPTIONS (key 'true').")));
	context->table->key_attno = attr->attnum;
}

static void
table_document_column(TableColumnContext *context, Form_pg_attribute attr, FdwColumn *column)
{
	switch (getBaseType(attr->atttypid))
	{
		case JSONOID:
		case JSONBOID:
		case TEXTOID:
		case VARCHAROID:
		case BYTEAOID:
			column->kind = FDW_COLUMN_DOCUMENT;
			break;
		default:
			table_refuse_type(context, attr, "the document", "json, jsonb, text, character varying, bytea");
	}
}

static void
table_meta_column(TableColumnContext *context, Form_pg_attribute attr, FdwColumn *column, int meta)
{
	static const struct
	{
		const char *what;
		const char *types;
		Oid			allowed[3];
	}			rules[] = {
		[FDW_META_CAS] = {"the CAS", "bigint, numeric", {INT8OID, NUMERICOID}},
		[FDW_META_EXPIRY] = {"the expiry", "timestamp with time zone, interval", {TIMESTAMPTZOID, INTERVALOID}},
		[FDW_META_FLAGS] = {"the flags", "bigint, numeric", {INT8OID, NUMERICOID}},
		[FDW_META_SEQNO] = {"the sequence number", "bigint, numeric", {INT8OID, NUMERICOID}},
		[FDW_META_VBUCKET] = {"the vBucket", "integer, bigint", {INT4OID, INT8OID}},
		[FDW_META_DATATYPE] = {"the datatype", "text, character varying", {TEXTOID, VARCHAROID}},
	};

	column->kind = FDW_COLUMN_META;
	column->meta = (FdwMeta) meta;
	for (int i = 0; i < lengthof(rules[0].allowed) && OidIsValid(rules[meta].allowed[i]); i++)
	{
		if (attr->atttypid == rules[meta].allowed[i])
			return;
	}
	table_refuse_type(context, attr, rules[meta].what, rules[meta].types);
}

/* Text of the path of the field that has the column's name, in the server's encoding. */
static char *
table_path_of_name(const char *name)
{
	char	   *utf8 = pg_server_to_any(name, strlen(name), PG_UTF8);
	CbPath		path;
	CbBuf		buf = {0};
	char	   *text = NULL;

	if (cb_path_from_name(utf8, &path) == CB_OK)
	{
		cb_path_append(&buf, &path);
		cb_buf_append_u8(&buf, '\0');
		cb_path_free(&path);
		if (cb_buf_result(&buf) == CB_OK)
			text = MemoryContextAllocExtended(CurrentMemoryContext, buf.len, MCXT_ALLOC_NO_OOM);
		if (text != NULL)
			memcpy(text, buf.data, buf.len);
		cb_buf_free(&buf);
	}
	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return pg_any_to_server(text, strlen(text), PG_UTF8);
}

/* The type that a format applies to: beneath domains and arrays. */
static Oid
table_scalar_type(Oid type)
{
	for (;;)
	{
		Oid			base = getBaseType(type);
		Oid			element = get_base_element_type(base);

		if (!OidIsValid(element))
			return base;
		type = element;
	}
}

static void
table_path_column(TableColumnContext *context, Form_pg_attribute attr, FdwColumn *column, List *options)
{
	Oid			type = table_scalar_type(attr->atttypid);
	bool		epoch;

	column->kind = FDW_COLUMN_PATH;
	column->path = option_text(options, NIL, "path");
	column->path = column->path ? pstrdup(column->path) : table_path_of_name(NameStr(attr->attname));
	column->format = (FdwTimeFormat) option_word(options, NIL, "format");

	epoch = column->format != FDW_TIME_ISO8601;
	if (epoch && type != DATEOID && type != TIMESTAMPOID && type != TIMESTAMPTZOID)
		table_refuse_type(context, attr, "stored as seconds or milliseconds since 1970",
						  "date, timestamp, timestamp with time zone, or arrays of them");
	if (option_given(options, "format") && !epoch && type != DATEOID && type != TIMESTAMPOID &&
		type != TIMESTAMPTZOID && type != TIMEOID && type != TIMETZOID)
		table_refuse_type(context, attr, "stored as ISO 8601 text", "date, time, timestamp, or arrays of them");
}

static void
table_column(TableColumnContext *context, Form_pg_attribute attr)
{
	FdwColumn  *column = &context->table->columns[attr->attnum - 1];
	List	   *options = GetForeignColumnOptions(RelationGetRelid(context->rel), attr->attnum);

	column->on_type_error = option_given(options, "on_type_error") ?
		(FdwTypeError) option_word(options, NIL, "on_type_error") :
		(FdwTypeError) option_word(context->table_options, context->server_options, "on_type_error");

	column->store_nulls = option_given(options, "null_as") ? option_word(options, NIL, "null_as") :
		option_word(context->table_options, context->server_options, "null_as");

	if (option_flag(options, NIL, "key"))
		table_key_column(context, attr, column);
	else if (option_flag(options, NIL, "document"))
		table_document_column(context, attr, column);
	else if (option_given(options, "meta"))
		table_meta_column(context, attr, column, option_word(options, NIL, "meta"));
	else
		table_path_column(context, attr, column, options);
}

/* ---- building ---- */

static const char *
table_bucket(const char *relname, ForeignTable *options, ForeignServer *server)
{
	const char *own = option_text(options->options, NIL, "bucket");
	const char *fallback = option_text(server->options, NIL, "bucket");
	const char *connection = option_text(server->options, NIL, "connection_string");
	const char *from_path = connection ? option_connection_bucket(connection) : NULL;

	if (own != NULL && from_path != NULL && strcmp(own, from_path) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"bucket\" of foreign table \"%s\" contradicts the connection string of server \"%s\"",
						relname, server->servername),
				 errdetail("The table says \"%s\", the path of the connection string says \"%s\".", own, from_path),
				 errhint("Leave the bucket out of the connection string to use several buckets of one cluster.")));
	if (own == NULL && fallback == NULL && from_path == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("no bucket is given for foreign table \"%s\"", relname),
				 errhint("Set the option \"bucket\" of the table or of server \"%s\", "
						 "or the path of its connection string.",
						 server->servername)));
	return pstrdup(own ? own : fallback ? fallback : from_path);
}

static void
table_fill(FdwTable *table, Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	ForeignTable *options = GetForeignTable(relid);
	ForeignServer *server = GetForeignServer(options->serverid);
	TupleDesc	tupdesc = RelationGetDescr(rel);
	TableColumnContext context = {rel, options->options, server->options, table};

	table->relid = relid;
	table->relname = pstrdup(RelationGetRelationName(rel));
	table->serverid = options->serverid;
	table->servername = pstrdup(server->servername);
	table->bucket = table_bucket(RelationGetRelationName(rel), options, server);
	table->scope = pstrdup(option_text(options->options, server->options, "scope"));
	table->collection = pstrdup(option_text(options->options, NIL, "collection"));
	table->access = (FdwAccess) option_word(options->options, server->options, "access");
	table->consistency = (QueryConsistency) option_word(options->options, server->options, "scan_consistency");
	table->lookup = (FdwLookup) option_word(options->options, server->options, "lookup");
	table->startup_cost = option_real(options->options, server->options, "fdw_startup_cost");
	table->tuple_cost = option_real(options->options, server->options, "fdw_tuple_cost");
	if (option_given(options->options, "filter"))
		table->filters = filter_parse(option_text(options->options, NIL, "filter"), &table->nfilters);
	table->updatable = option_flag(options->options, server->options, "updatable") && table->nfilters == 0;
	table->truncatable = option_flag(options->options, server->options, "truncatable");
	table->insert_mode = (FdwInsertMode) option_word(options->options, NIL, "insert_mode");
	table->durability = (KvDurability) option_word(options->options, server->options, "durability");
	table->batch_size = (int) option_real(options->options, server->options, "batch_size");
	table->natts = tupdesc->natts;
	table->columns = palloc0(sizeof(FdwColumn) * Max(tupdesc->natts, 1));
	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (!TupleDescAttr(tupdesc, i)->attisdropped)
			table_column(&context, TupleDescAttr(tupdesc, i));
	}
}

static TableMapping *
table_build(Oid relid)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "cbconn_fdw table", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	TableMapping *mapping = palloc0(sizeof(TableMapping));
	uint64		invalidations = table_invalidations;
	Relation	rel = relation_open(relid, NoLock);

	mapping->cxt = cxt;
	table_fill(&mapping->table, rel);
	relation_close(rel, NoLock);
	mapping->stale = table_invalidations != invalidations;

	MemoryContextSwitchTo(old);
	MemoryContextSetParent(cxt, CacheMemoryContext);
	return mapping;
}

/* The caller holds a lock on the table, as the planner and the executor do. */
FdwTable *
table_load(Oid relid)
{
	TableEntry *entry;
	TableMapping *mapping;
	FdwTable   *table;

	if (table_cache == NULL)
		table_cache_create();
	if (table_any_stale)
		table_sweep();

	entry = hash_search(table_cache, &relid, HASH_FIND, NULL);
	if (entry != NULL && entry->mapping != NULL)
		return table_hold(entry->mapping);

	mapping = table_build(relid);
	table = table_hold(mapping);
	entry = hash_search(table_cache, &relid, HASH_ENTER, NULL);
	entry->mapping = mapping;
	if (mapping->stale)
		table_any_stale = true;
	return table;
}

/* ---- whom to connect as ---- */

/*
 * As postgres_fdw has it: without a password or certificate of its own, the mapping would let an ordinary user act
 * with whatever identity the server process can offer.
 */
static void
table_check_password(const UserMapping *user, const char *servername, const char *connection_string)
{
	const char *password = option_text(user->options, NIL, "password");

	if (superuser_arg(user->userid) || !option_flag(user->options, NIL, "password_required") ||
		option_given(user->options, "sslcert"))
		return;
	if (option_connection_certificate(connection_string))
		ereport(ERROR,
				(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
				 errmsg("client certificate is required"),
				 errdetail("The certificate in the connection string of server \"%s\" is not for non-superusers.",
						   servername),
				 errhint("Give the user mapping options \"sslcert\" and \"sslkey\", or let a superuser set its option "
						 "\"password_required\" to false.")));
	if (password == NULL || password[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
				 errmsg("password is required"),
				 errdetail("Non-superusers must provide a password in the user mapping for server \"%s\".",
						   servername)));
}

static char *
table_dup(const char *text)
{
	return text == NULL ? NULL : pstrdup(text);
}

/* All of a target but the bucket, in the current memory context. */
static void
table_describe_server(const UserMapping *user, ForeignServer *server, ClusterTarget *target)
{
	target->umid = user->umid;
	target->serverid = server->serverid;
	target->userid = user->userid;
	target->servername = pstrdup(server->servername);
	target->connection_string = pstrdup(option_text(server->options, NIL, "connection_string"));
	target->username = table_dup(option_text(user->options, NIL, "username"));
	target->password = table_dup(option_text(user->options, NIL, "password"));
	target->cert_file = table_dup(option_text(user->options, NIL, "sslcert"));
	target->key_file = table_dup(option_text(user->options, NIL, "sslkey"));
	target->keep_connections = option_flag(server->options, NIL, "keep_connections");
	target->idle_timeout = option_duration(server->options, "idle_timeout", 0);
	target->slow_kv = option_duration(server->options, "slow_kv", -1);
}

void
table_server_target(ForeignServer *server, ClusterTarget *target)
{
	UserMapping *user = GetUserMapping(GetUserId(), server->serverid);

	table_check_password(user, server->servername, option_text(server->options, NIL, "connection_string"));
	memset(target, 0, sizeof(*target));
	table_describe_server(user, server, target);
}

/* Reads server and user mapping into the mapping's cached target. */
static void
table_fill_target(TableMapping *mapping, Oid userid)
{
	const FdwTable *table = &mapping->table;
	uint64		invalidations = table_invalidations;
	UserMapping *user = GetUserMapping(userid, table->serverid);
	ForeignServer *server = GetForeignServer(table->serverid);
	MemoryContext old;

	table_check_password(user, table->servername, option_text(server->options, NIL, "connection_string"));

	mapping->target_valid = false;
	if (mapping->target_cxt == NULL)
		mapping->target_cxt = AllocSetContextCreate(mapping->cxt, "cbconn_fdw target", ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(mapping->target_cxt);

	old = MemoryContextSwitchTo(mapping->target_cxt);
	table_describe_server(user, server, &mapping->target);
	mapping->target.bucket = table->bucket;
	MemoryContextSwitchTo(old);

	mapping->target_userid = userid;
	mapping->target_valid = table_invalidations == invalidations;
}

/* The cached target; its strings live until the next call for this table. */
static const ClusterTarget *
table_cached_target(const FdwTable *table, Oid userid)
{
	TableMapping *mapping = (TableMapping *) table;

	if (!OidIsValid(userid))
		userid = GetUserId();
	if (!mapping->target_valid || mapping->stale || mapping->target_userid != userid)
		table_fill_target(mapping, userid);
	return &mapping->target;
}

void
table_target(const FdwTable *table, Oid userid, ClusterTarget *target)
{
	*target = *table_cached_target(table, userid);
	target->connection_string = pstrdup(target->connection_string);
	target->username = table_dup(target->username);
	target->password = table_dup(target->password);
	target->cert_file = table_dup(target->cert_file);
	target->key_file = table_dup(target->key_file);
}

ClusterHandle *
table_connect(const FdwTable *table, Oid userid, KvCollection **collection)
{
	ClusterHandle *handle = cluster_open(table_cached_target(table, userid));

	*collection = cluster_collection(handle, table->scope, table->collection);
	return handle;
}
