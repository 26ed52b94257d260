/*
 * ddl.c
 *		Checks foreign tables as a whole when they are made or changed. The validator sees the options of one object at
 *		a time; whether they go with the column's type, with each other and with the server's shows only here.
 */
#include "fdw.h"

#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "fmgr.h"

#include "../compat.h"

PG_FUNCTION_INFO_V1(cbconn_fdw_check_tables);

/* Foreign tables of this wrapper that the command has touched. Other wrappers' handlers are not called to find out. */
static const char ddl_tables[] =
"SELECT DISTINCT t.ftrelid"
" FROM pg_catalog.pg_event_trigger_ddl_commands() c"
" JOIN pg_catalog.pg_foreign_table t ON t.ftrelid OPERATOR(pg_catalog.=) c.objid"
" JOIN pg_catalog.pg_foreign_server s ON s.oid OPERATOR(pg_catalog.=) t.ftserver"
" JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid OPERATOR(pg_catalog.=) s.srvfdw"
" JOIN pg_catalog.pg_proc h ON h.oid OPERATOR(pg_catalog.=) w.fdwhandler"
" WHERE c.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
" AND h.prosrc OPERATOR(pg_catalog.=) 'cbconn_fdw_handler'";

/* Event trigger at ddl_command_end: throws what table_load finds wrong. */
Datum
cbconn_fdw_check_tables(PG_FUNCTION_ARGS)
{
	uint64		n;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by an event trigger", "cbconn_fdw_check_tables")));

	SPI_connect();
	if (SPI_execute(ddl_tables, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list the tables of a command");
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		(void) table_load(DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull)));
	}
	SPI_finish();
	PG_RETURN_NULL();
}
