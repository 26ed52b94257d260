/*
 * functions_diag.c
 *		SQL functions that look at a cluster over the current user's mapping.
 */
#include "fdw.h"

#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "../cluster/diag.h"
#include "../compat.h"
#include "option.h"

PG_FUNCTION_INFO_V1(cbconn_ping);
PG_FUNCTION_INFO_V1(cbconn_diag);
PG_FUNCTION_INFO_V1(cbconn_cluster);

/* The bucket of the function's argument with that number, else the server's. */
static const char *
bucket_of(FunctionCallInfo fcinfo, int argument, ForeignServer *server)
{
	const char *bucket = option_text(server->options, NIL, "bucket");

	if (!PG_ARGISNULL(argument))
	{
		bucket = text_to_cstring(PG_GETARG_TEXT_PP(argument));
		option_check_bucket("bucket", bucket);
	}
	if (bucket == NULL)
		bucket = option_connection_bucket(option_text(server->options, NIL, "connection_string"));
	if (bucket == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("no bucket is given for server \"%s\"", server->servername),
				 errhint("Name one in the argument \"bucket\", or set the option \"bucket\" of the server.")));
	return bucket;
}

void
function_target(FunctionCallInfo fcinfo, int bucket_argument, ClusterTarget *target)
{
	ForeignServer *server;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("server name must not be null")));
	server = GetForeignServerByName(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	compat_check_server_usage(server->serverid, server->servername);
	if (GetFdwRoutineByServerId(server->serverid)->BeginForeignScan != cbconnBeginForeignScan)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" is not a server of cbconn_fdw", server->servername)));
	table_server_target(server, target);
	target->bucket = bucket_of(fcinfo, bucket_argument, server);
}

/* Milliseconds; negative: NULL. */
static Datum
diag_milliseconds(int64 us, bool *isnull)
{
	*isnull = us < 0;
	return Float8GetDatum(us / 1000.0);
}

static Datum
diag_text(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
put_pings(ReturnSetInfo *rsinfo, const char *service, List *pings)
{
	ListCell   *lc;

	foreach(lc, pings)
	{
		const ClusterPing *ping = lfirst(lc);
		Datum		values[6];
		bool		nulls[6] = {0};

		values[0] = diag_text(ping->node, &nulls[0]);
		values[1] = CStringGetTextDatum(service);
		values[2] = CStringGetTextDatum(ping->state);
		values[3] = diag_milliseconds(ping->latency_us, &nulls[3]);
		values[4] = diag_milliseconds(ping->connect_us, &nulls[4]);
		values[5] = diag_text(ping->error, &nulls[5]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* cbconn_ping(server_name text, bucket text): one row per node and service. */
Datum
cbconn_ping(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ClusterTarget target;
	ClusterHandle *handle;

	InitMaterializedSRF(fcinfo, 0);
	function_target(fcinfo, 1, &target);
	handle = cluster_open(&target);
	put_pings(rsinfo, "kv", cluster_ping(handle));
	put_pings(rsinfo, "query", cluster_query_ping(handle));
	PG_RETURN_VOID();
}

/* cbconn_diag(server_name text, bucket text): one row per step, host and node. */
Datum
cbconn_diag(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ClusterTarget target;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	function_target(fcinfo, 1, &target);
	foreach(lc, cluster_diagnose(&target))
	{
		const ClusterCheck *check = lfirst(lc);
		Datum		values[6];
		bool		nulls[6] = {0};

		values[0] = CStringGetTextDatum(check->step);
		values[1] = CStringGetTextDatum(check->target);
		values[2] = BoolGetDatum(check->ok);
		values[3] = diag_milliseconds(check->us, &nulls[3]);
		values[4] = diag_text(check->detail, &nulls[4]);
		values[5] = diag_text(check->advice, &nulls[5]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	PG_RETURN_VOID();
}

/* Plain and TLS port of a service, NULL where there is none. */
static void
diag_ports(const ClusterNode *node, int service, Datum *values, bool *nulls)
{
	values[0] = Int32GetDatum(node->ports[service]);
	nulls[0] = node->ports[service] == 0;
	values[1] = Int32GetDatum(node->tls_ports[service]);
	nulls[1] = node->tls_ports[service] == 0;
}

/* Names of the services that a node offers, as text[]. */
static Datum
diag_services(const ClusterNode *node)
{
	Datum		names[CLUSTER_NODE_SERVICES];
	int			n = 0;

	for (int service = 0; service < CLUSTER_NODE_SERVICES; service++)
	{
		if (node->ports[service] != 0 || node->tls_ports[service] != 0)
			names[n++] = CStringGetTextDatum(cluster_service_names[service]);
	}
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* cbconn_cluster(server_name text, bucket text): one row per node. */
Datum
cbconn_cluster(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ClusterTarget target;
	ClusterMembers *members;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	function_target(fcinfo, 1, &target);
	members = cluster_members(cluster_open(&target));
	foreach(lc, members->nodes)
	{
		const ClusterNode *node = lfirst(lc);
		Datum		values[20];
		bool		nulls[20] = {0};

		values[0] = CStringGetTextDatum(node->host);
		for (int service = 0; service < 3; service++)
			diag_ports(node, service, &values[1 + 2 * service], &nulls[1 + 2 * service]);
		values[7] = diag_services(node);
		values[8] = diag_text(node->version, &nulls[8]);
		values[9] = diag_text(node->state, &nulls[9]);
		values[10] = diag_text(node->error, &nulls[10]);
		values[11] = BoolGetDatum(node->this_node);
		values[12] = Int32GetDatum(node->active);
		values[13] = Int32GetDatum(node->replicas);
		values[14] = diag_text(node->server_group, &nulls[14]);
		values[15] = Int32GetDatum(members->vbuckets);
		values[16] = Int32GetDatum(members->replicas);
		values[17] = CStringGetTextDatum(members->network);
		values[18] = Int64GetDatum(members->epoch);
		values[19] = Int64GetDatum(members->rev);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	PG_RETURN_VOID();
}
