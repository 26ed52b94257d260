/*
 * functions.c
 *		SQL functions about this backend's connections, the options and the version.
 */
#include "fdw.h"

#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "../compat.h"
#include "option.h"

#define CBCONN_VERSION "1.0"

PG_FUNCTION_INFO_V1(cbconn_get_connections);
PG_FUNCTION_INFO_V1(cbconn_disconnect);
PG_FUNCTION_INFO_V1(cbconn_disconnect_all);
PG_FUNCTION_INFO_V1(cbconn_options);
PG_FUNCTION_INFO_V1(cbconn_version);

/* What a row says of a node, from the given column on. */
static void
functions_node(const ClusterInfo *info, Datum *values, bool *nulls)
{
	if (info->node == NULL)
	{
		memset(nulls, true, 10 * sizeof(bool));
		return;
	}
	values[0] = CStringGetTextDatum(info->node);
	values[1] = CStringGetTextDatum(info->state);
	values[2] = TimestampTzGetDatum(info->connected_at);
	nulls[2] = info->connected_at == 0;
	values[3] = TimestampTzGetDatum(info->last_used_at);
	nulls[3] = info->last_used_at == 0;
	values[4] = Int64GetDatum(info->connects);
	values[5] = Int64GetDatum(info->requests);
	values[6] = Int64GetDatum(info->retries);
	values[7] = Int64GetDatum(info->bytes_sent);
	values[8] = Int64GetDatum(info->bytes_received);
	nulls[9] = info->error == NULL;
	values[9] = nulls[9] ? (Datum) 0 : CStringGetTextDatum(info->error);
}

/* cbconn_get_connections(): one row per node of each handle of this backend. */
Datum
cbconn_get_connections(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, cluster_list())
	{
		ClusterInfo *info = lfirst(lc);
		ForeignServer *server = GetForeignServerExtended(info->serverid, FSV_MISSING_OK);
		char	   *user = OidIsValid(info->userid) ? GetUserNameFromId(info->userid, true) : "public";
		Datum		values[17];
		bool		nulls[17] = {0};

		/* A server or user that was dropped meanwhile has no name. */
		nulls[0] = server == NULL;
		nulls[1] = user == NULL;
		values[0] = nulls[0] ? (Datum) 0 : CStringGetTextDatum(server->servername);
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(user);
		values[2] = CStringGetTextDatum(info->bucket);
		values[3] = BoolGetDatum(info->valid);
		values[4] = BoolGetDatum(info->used_in_xact);
		values[5] = Int64GetDatum(info->config_epoch);
		values[6] = Int64GetDatum(info->config_rev);
		functions_node(info, &values[7], &nulls[7]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	PG_RETURN_VOID();
}

/* Closes what may be closed; warns about what this transaction still uses. True: something was closed. */
static bool
functions_disconnect(Oid serverid, const char *servername)
{
	bool		in_use = false;
	int			closed = cluster_disconnect(serverid, &in_use);

	if (in_use && servername != NULL)
		ereport(WARNING,
				(errmsg("cannot close connection for server \"%s\" because it is still in use", servername)));
	else if (in_use)
		ereport(WARNING,
				(errmsg("cannot close connections that are still in use")));
	return closed > 0;
}

/* cbconn_disconnect(server_name text) */
Datum
cbconn_disconnect(PG_FUNCTION_ARGS)
{
	ForeignServer *server = GetForeignServerByName(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);

	PG_RETURN_BOOL(functions_disconnect(server->serverid, server->servername));
}

/* cbconn_disconnect_all() */
Datum
cbconn_disconnect_all(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(functions_disconnect(InvalidOid, NULL));
}

/* Text of what values an option takes. */
static char *
functions_option_values(const OptionDef *def)
{
	StringInfoData text;

	initStringInfo(&text);
	switch (def->kind)
	{
		case OPTION_BOOL:
			appendStringInfoString(&text, "boolean");
			break;
		case OPTION_REAL:
			appendStringInfoString(&text, "number");
			break;
		case OPTION_TEXT:
			appendStringInfoString(&text, "text");
			break;
		case OPTION_ENUM:
			for (const OptionWord *word = def->words; word->name; word++)
				appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", word->name);
			break;
	}
	return text.data;
}

/* cbconn_options(): the table of options, one row per option and place. */
Datum
cbconn_options(PG_FUNCTION_ARGS)
{
	static const struct
	{
		int			bit;
		const char *name;
	}			places[] = {
		{OPTION_SERVER, "server"}, {OPTION_MAPPING, "user mapping"},
		{OPTION_TABLE, "foreign table"}, {OPTION_COLUMN, "column"}
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < lengthof(places); i++)
	{
		for (const OptionDef *def = option_table; def->name; def++)
		{
			Datum		values[5];
			bool		nulls[5] = {0};

			if ((def->where & places[i].bit) == 0)
				continue;
			nulls[3] = def->default_value == NULL;
			values[0] = CStringGetTextDatum(places[i].name);
			values[1] = CStringGetTextDatum(def->name);
			values[2] = CStringGetTextDatum(functions_option_values(def));
			values[3] = nulls[3] ? (Datum) 0 : CStringGetTextDatum(def->default_value);
			values[4] = CStringGetTextDatum(def->description);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	PG_RETURN_VOID();
}

/* cbconn_version() */
Datum
cbconn_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text("cbconn_fdw " CBCONN_VERSION " for PostgreSQL " PG_MAJORVERSION));
}
