/*
 * kv_optable.c: what every opcode may carry, needs and does. The order of the checks stands in kv_dispatch.c.
 */
#include <stddef.h>

#include "handlers.h"

#define DOC (OP_BUCKET | OP_VB | OP_KEY | OP_CKEY)	/* an operation on one document */
#define VALUE_DT (OP_DT_JSON | OP_DT_SNAPPY | OP_INFLATE)
#define STORE (DOC | VALUE_DT | OP_DURABLE | OP_PRESERVE)
#define COUNT (DOC | OP_NO_VAL | OP_DURABLE | OP_PRESERVE)
#define NO_BODY (OP_NO_KEY | OP_NO_VAL)
#define ADMIN OP_NO_REORDER
#define WRITE_SUBDOC (DOC | OP_CAS | OP_DURABLE | OP_PRESERVE | OP_DT_JSON)
#define READ_SUBDOC (OP_BUCKET | OP_KEY | OP_CKEY | OP_CAS | OP_DT_JSON)
#define SCAN (OP_BUCKET | OP_VB | OP_NO_KEY | OP_NO_REORDER)

#define ANY EXT_ANY
#define E0 EXT(0)

static const OpSpec table[] = {
	{0x00, "GET", DOC | OP_NO_VAL, E0, PRIV_READ, kv_get, NULL},
	{0x01, "SET", STORE | OP_CAS, EXT(8), PRIV_UPSERT, kv_set, NULL},
	{0x02, "ADD", (STORE & ~OP_PRESERVE), EXT(8), PRIV_INSERT, kv_set, NULL},
	{0x03, "REPLACE", STORE | OP_CAS, EXT(8), PRIV_UPSERT, kv_set, NULL},
	{0x04, "DELETE", DOC | OP_NO_VAL | OP_CAS | OP_DURABLE, E0, PRIV_DELETE, kv_delete, NULL},
	{0x05, "INCREMENT", COUNT, EXT(20), PRIV_READ | PRIV_UPSERT, kv_counter, NULL},
	{0x06, "DECREMENT", COUNT, EXT(20), PRIV_READ | PRIV_UPSERT, kv_counter, NULL},
	{0x07, "QUIT", ADMIN | NO_BODY, E0, 0, kv_quit, NULL},
	{0x08, "FLUSH", 0, ANY, 0, NULL, NULL},
	{0x09, "GETQ", DOC | OP_NO_VAL | OP_QUIET, E0, PRIV_READ, kv_get, NULL},
	{0x0a, "NOOP", ADMIN | NO_BODY, E0, 0, kv_noop, NULL},
	{0x0b, "VERSION", ADMIN | NO_BODY, E0, 0, kv_version, NULL},
	{0x0c, "GETK", DOC | OP_NO_VAL, E0, PRIV_READ, kv_get, NULL},
	{0x0d, "GETKQ", DOC | OP_NO_VAL | OP_QUIET, E0, PRIV_READ, kv_get, NULL},
	{0x0e, "APPEND", STORE | OP_CAS, E0, PRIV_UPSERT, kv_append, NULL},
	{0x0f, "PREPEND", STORE | OP_CAS, E0, PRIV_UPSERT, kv_append, NULL},
	{0x10, "STAT", OP_BUCKET | ADMIN | OP_DT_JSON, E0, PRIV_SIMPLE_STATS, kv_stat, kv_stat_validate},
	{0x11, "SETQ", (STORE & ~OP_DURABLE) | OP_CAS | OP_QUIET, EXT(8), PRIV_UPSERT, kv_set, NULL},
	{0x12, "ADDQ", (STORE & ~OP_DURABLE & ~OP_PRESERVE) | OP_QUIET, EXT(8), PRIV_INSERT, kv_set, NULL},
	{0x13, "REPLACEQ", (STORE & ~OP_DURABLE) | OP_CAS | OP_QUIET, EXT(8), PRIV_UPSERT, kv_set, NULL},
	{0x14, "DELETEQ", DOC | OP_NO_VAL | OP_CAS | OP_QUIET, E0, PRIV_DELETE, kv_delete, NULL},
	{0x15, "INCREMENTQ", (COUNT & ~OP_DURABLE) | OP_QUIET, EXT(20), PRIV_READ | PRIV_UPSERT, kv_counter, NULL},
	{0x16, "DECREMENTQ", (COUNT & ~OP_DURABLE) | OP_QUIET, EXT(20), PRIV_READ | PRIV_UPSERT, kv_counter, NULL},
	{0x17, "QUITQ", ADMIN | NO_BODY | OP_QUIET, E0, 0, kv_quit, NULL},
	{0x19, "APPENDQ", (STORE & ~OP_DURABLE) | OP_CAS, E0, PRIV_UPSERT, kv_append, NULL},
	{0x1a, "PREPENDQ", (STORE & ~OP_DURABLE) | OP_CAS, E0, PRIV_UPSERT, kv_append, NULL},
	{0x1b, "VERBOSITY", ADMIN | NO_BODY, EXT(4), PRIV_NODE_ADMIN, kv_accept, NULL},
	{0x1c, "TOUCH", DOC | OP_NO_VAL, EXT(4), PRIV_UPSERT, kv_touch, NULL},
	{0x1d, "GAT", DOC | OP_NO_VAL, EXT(4), PRIV_READ | PRIV_UPSERT, kv_touch, NULL},
	{0x1e, "GATQ", DOC | OP_NO_VAL | OP_QUIET, EXT(4), PRIV_READ | PRIV_UPSERT, kv_touch, NULL},
	{0x1f, "HELLO", ADMIN | OP_PREAUTH, E0, 0, kv_hello, kv_hello_validate},
	{0x20, "SASL_LIST_MECHS", ADMIN | OP_PREAUTH | NO_BODY, E0, 0, kv_sasl_mechs, NULL},
	{0x21, "SASL_AUTH", ADMIN | OP_PREAUTH | OP_KEY, E0, 0, kv_sasl_auth, NULL},
	{0x22, "SASL_STEP", ADMIN | OP_PREAUTH | OP_KEY, E0, 0, kv_sasl_step, NULL},
	{0x23, "IOCTL_GET", ADMIN | OP_KEY | OP_NO_VAL, E0, PRIV_NODE_ADMIN, kv_ioctl, NULL},
	{0x24, "IOCTL_SET", ADMIN | OP_KEY, E0, PRIV_NODE_ADMIN, kv_ioctl, NULL},
	{0x3e, "GET_VBUCKET", OP_BUCKET | OP_VB | NO_BODY, E0, PRIV_STATS, kv_get_vbucket, NULL},
	{0x48, "GET_ALL_VB_SEQNOS", OP_BUCKET | NO_BODY, EXT(0) | EXT(4) | EXT(8), PRIV_META_READ, kv_all_seqnos,
		kv_all_seqnos_validate},
	{0x50, "DCP_OPEN", ADMIN | OP_BUCKET | OP_KEY | OP_DT_JSON, EXT(8), PRIV_DCP, kv_dcp_open, kv_dcp_open_validate},
	{0x53, "DCP_STREAM_REQ", ADMIN | OP_BUCKET | OP_DT_JSON, EXT(48), PRIV_DCP, kv_dcp_stream, kv_dcp_validate},
	{0x82, "SET_PARAM", ADMIN | OP_BUCKET | OP_KEY | OP_VAL, EXT(4), PRIV_NODE_ADMIN, kv_set_param, NULL},
	{0x83, "GET_REPLICA", OP_BUCKET | OP_KEY | OP_CKEY | OP_NO_VAL, E0, PRIV_READ, kv_get_replica, NULL},
	{0x85, "CREATE_BUCKET", ADMIN | OP_KEY | OP_VAL, E0, PRIV_NODE_ADMIN, kv_create_bucket, NULL},
	{0x86, "DELETE_BUCKET", ADMIN | OP_KEY, E0, PRIV_NODE_ADMIN, kv_delete_bucket, NULL},
	{0x87, "LIST_BUCKETS", ADMIN | NO_BODY, E0, 0, kv_list_buckets, NULL},
	{0x89, "SELECT_BUCKET", ADMIN | OP_NO_VAL, E0, 0, kv_select_bucket, NULL},
	{0x91, "OBSERVE_SEQNO", OP_BUCKET | OP_VB | OP_NO_KEY, E0, PRIV_META_READ, kv_observe_seqno,
		kv_observe_seqno_validate},
	{0x92, "OBSERVE", OP_BUCKET | OP_NO_KEY | OP_VAL, E0, PRIV_READ, kv_observe, NULL},
	{0x94, "GET_LOCKED", DOC | OP_NO_VAL, EXT(0) | EXT(4), PRIV_READ | PRIV_UPSERT, kv_lock, NULL},
	{0x95, "UNLOCK_KEY", DOC | OP_NO_VAL | OP_CAS, E0, PRIV_READ | PRIV_UPSERT, kv_unlock, kv_unlock_validate},
	{0x96, "GET_FAILOVER_LOG", OP_BUCKET | OP_VB | NO_BODY, E0, PRIV_META_READ, kv_failover_log, NULL},
	{0xa0, "GET_META", DOC | OP_NO_VAL, EXT(0) | EXT(1), PRIV_META_READ, kv_get_meta, kv_get_meta_validate},
	{0xa1, "GETQ_META", DOC | OP_NO_VAL | OP_QUIET, EXT(0) | EXT(1), PRIV_META_READ, kv_get_meta, kv_get_meta_validate},
	{0xb4, "SET_CLUSTER_CONFIG", ADMIN | OP_VAL | OP_DT_JSON, EXT(16), PRIV_NODE_ADMIN, kv_set_config, NULL},
	{0xb5, "GET_CLUSTER_CONFIG", ADMIN | NO_BODY, ANY, 0, kv_get_config, kv_get_config_validate},
	{0xb6, "GET_RANDOM_KEY", OP_BUCKET | NO_BODY, EXT(4), PRIV_READ, kv_random_key, NULL},
	{0xb7, "SEQNO_PERSISTENCE", OP_BUCKET | OP_VB | NO_BODY, EXT(8), 0, kv_seqno_persistence, NULL},
	{0xb9, "COLLECTIONS_SET_MANIFEST", ADMIN | OP_BUCKET | OP_VB0 | OP_NO_KEY | OP_VAL | OP_DT_JSON, E0,
		PRIV_NODE_ADMIN, kv_set_manifest, NULL},
	{0xba, "COLLECTIONS_GET_MANIFEST", ADMIN | OP_BUCKET | OP_VB0 | NO_BODY, E0, 0, kv_get_manifest, NULL},
	{0xbb, "COLLECTIONS_GET_ID", ADMIN | OP_BUCKET | OP_VB0, E0, 0, kv_collection_id, NULL},
	{0xbc, "COLLECTIONS_GET_SCOPE_ID", ADMIN | OP_BUCKET | OP_VB0, E0, 0, kv_scope_id, NULL},

	{0xc5, "SUBDOC_GET", READ_SUBDOC, ANY, PRIV_READ, kv_subdoc, kv_subdoc_validate},
	{0xc6, "SUBDOC_EXISTS", READ_SUBDOC, ANY, PRIV_READ, kv_subdoc, kv_subdoc_validate},
	{0xc7, "SUBDOC_DICT_ADD", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc, kv_subdoc_validate},
	{0xc8, "SUBDOC_DICT_UPSERT", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc, kv_subdoc_validate},
	{0xc9, "SUBDOC_DELETE", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc, kv_subdoc_validate},
	{0xca, "SUBDOC_REPLACE", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc, kv_subdoc_validate},
	{0xcb, "SUBDOC_ARRAY_PUSH_LAST", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc, kv_subdoc_validate},
	{0xcc, "SUBDOC_ARRAY_PUSH_FIRST", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc, kv_subdoc_validate},
	{0xcd, "SUBDOC_ARRAY_INSERT", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc, kv_subdoc_validate},
	{0xce, "SUBDOC_ARRAY_ADD_UNIQUE", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc, kv_subdoc_validate},
	{0xcf, "SUBDOC_COUNTER", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc, kv_subdoc_validate},
	{0xd0, "SUBDOC_MULTI_LOOKUP", READ_SUBDOC, ANY, PRIV_READ, kv_subdoc_multi, kv_subdoc_multi_validate},
	{0xd1, "SUBDOC_MULTI_MUTATION", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc_multi,
		kv_subdoc_multi_validate},
	{0xd2, "SUBDOC_GET_COUNT", READ_SUBDOC, ANY, PRIV_READ, kv_subdoc, kv_subdoc_validate},
	{0xd3, "SUBDOC_REPLACE_BODY_WITH_XATTR", WRITE_SUBDOC, ANY, PRIV_READ | PRIV_UPSERT, kv_subdoc, kv_subdoc_validate},

	{0xda, "RANGE_SCAN_CREATE", SCAN | OP_DT_JSON | OP_DT_SNAPPY | OP_INFLATE, E0, 0, kv_scan_create,
		kv_scan_create_validate},
	{0xdb, "RANGE_SCAN_CONTINUE", SCAN, ANY, 0, kv_scan_continue, kv_scan_continue_validate},
	{0xdc, "RANGE_SCAN_CANCEL", SCAN, ANY, 0, kv_scan_cancel, kv_scan_cancel_validate},

	{0xf1, "ISASL_REFRESH", ADMIN | NO_BODY, E0, PRIV_NODE_ADMIN, kv_accept, NULL},
	{0xf5, "GET_CTRL_TOKEN", ADMIN | NO_BODY, E0, PRIV_NODE_ADMIN, kv_ctrl_token, NULL},
	{0xfc, "ADJUST_TIMEOFDAY", ADMIN, ANY, PRIV_NODE_ADMIN, kv_unit_tests_only, NULL},
	{0xfd, "EWOULDBLOCK_CTL", ADMIN, ANY, PRIV_NODE_ADMIN, kv_unit_tests_only, NULL},
	{0xfe, "GET_ERROR_MAP", ADMIN | OP_PREAUTH | OP_NO_KEY | OP_VB0, E0, 0, kv_error_map, kv_error_map_validate},
};

/* Opcodes that once meant something: answered "not supported". */
static const OpSpec retired = {0, "RETIRED", ADMIN, EXT_ANY, 0, NULL, NULL};

static bool
is_retired(uint8_t opcode)
{
	return (opcode >= 0x30 && opcode <= 0x3c) || (opcode >= 0x40 && opcode <= 0x47) || opcode == 0x9e ||
		opcode == 0xaa || opcode == 0xb1 || opcode == 0xc1;
}

const OpSpec *
op_find(uint8_t opcode)
{
	static const OpSpec *by_opcode[256];
	static bool ready;

	if (!ready)
	{
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
			by_opcode[table[i].opcode] = &table[i];
		for (int i = 0; i < 256; i++)
		{
			if (is_retired((uint8_t) i))
				by_opcode[i] = &retired;
		}
		ready = true;
	}
	return by_opcode[opcode];
}
