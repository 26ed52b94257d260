/*
 * kv_const.c
 *		Names and texts of protocol numbers.
 */
#include "kv_const.h"

#include <stddef.h>

typedef struct StatusName
{
	uint16_t	status;
	const char *name;
	const char *text;
} StatusName;

static const StatusName status_names[] = {
	{CB_STATUS_SUCCESS, "SUCCESS", "success"},
	{CB_STATUS_KEY_ENOENT, "KEY_ENOENT", "not found"},
	{CB_STATUS_KEY_EEXISTS, "KEY_EEXISTS", "exists already or was changed"},
	{CB_STATUS_E2BIG, "E2BIG", "value too large"},
	{CB_STATUS_EINVAL, "EINVAL", "invalid request"},
	{CB_STATUS_NOT_STORED, "NOT_STORED", "not stored"},
	{CB_STATUS_DELTA_BADVAL, "DELTA_BADVAL", "not a number"},
	{CB_STATUS_NOT_MY_VBUCKET, "NOT_MY_VBUCKET", "vBucket is on another node"},
	{CB_STATUS_NO_BUCKET, "NO_BUCKET", "no bucket selected"},
	{CB_STATUS_LOCKED, "LOCKED", "document is locked"},
	{CB_STATUS_CONFIG_ONLY, "CONFIG_ONLY", "bucket is not ready on this node"},
	{CB_STATUS_NOT_LOCKED, "NOT_LOCKED", "document is not locked"},
	{CB_STATUS_AUTH_STALE, "AUTH_STALE", "authentication is stale"},
	{CB_STATUS_AUTH_ERROR, "AUTH_ERROR", "authentication failed"},
	{CB_STATUS_AUTH_CONTINUE, "AUTH_CONTINUE", "authentication continues"},
	{CB_STATUS_ERANGE, "ERANGE", "value out of range"},
	{CB_STATUS_ROLLBACK, "ROLLBACK", "rollback needed"},
	{CB_STATUS_EACCESS, "EACCESS", "permission denied"},
	{CB_STATUS_NOT_INITIALIZED, "NOT_INITIALIZED", "node is initializing"},
	{CB_STATUS_RATE_LIMITED_NETWORK_INGRESS, "RATE_LIMITED_NETWORK_INGRESS",
	"rate limit of incoming traffic reached"},
	{CB_STATUS_RATE_LIMITED_NETWORK_EGRESS, "RATE_LIMITED_NETWORK_EGRESS",
	"rate limit of outgoing traffic reached"},
	{CB_STATUS_RATE_LIMITED_MAX_CONNECTIONS, "RATE_LIMITED_MAX_CONNECTIONS",
	"connection limit reached"},
	{CB_STATUS_RATE_LIMITED_MAX_COMMANDS, "RATE_LIMITED_MAX_COMMANDS",
	"rate limit of operations reached"},
	{CB_STATUS_SCOPE_SIZE_LIMIT, "SCOPE_SIZE_LIMIT", "size limit of the scope reached"},
	{CB_STATUS_BUCKET_SIZE_LIMIT, "BUCKET_SIZE_LIMIT", "size limit of the bucket reached"},
	{CB_STATUS_BUCKET_RESIDENT_RATIO_LOW, "BUCKET_RESIDENT_RATIO_LOW",
	"resident ratio of the bucket too low"},
	{CB_STATUS_BUCKET_DATA_SIZE_BIG, "BUCKET_DATA_SIZE_BIG",
	"data size of the bucket too large"},
	{CB_STATUS_BUCKET_DISK_SPACE_LOW, "BUCKET_DISK_SPACE_LOW",
	"disk space of the bucket too low"},
	{CB_STATUS_UNKNOWN_COMMAND, "UNKNOWN_COMMAND", "unknown command"},
	{CB_STATUS_ENOMEM, "ENOMEM", "node is out of memory"},
	{CB_STATUS_NOT_SUPPORTED, "NOT_SUPPORTED", "not supported"},
	{CB_STATUS_EINTERNAL, "EINTERNAL", "internal server error"},
	{CB_STATUS_EBUSY, "EBUSY", "node is busy"},
	{CB_STATUS_TMPFAIL, "TMPFAIL", "temporary failure"},
	{CB_STATUS_XATTR_EINVAL, "XATTR_EINVAL", "invalid extended attribute"},
	{CB_STATUS_UNKNOWN_COLLECTION, "UNKNOWN_COLLECTION", "unknown collection"},
	{CB_STATUS_CANNOT_APPLY_MANIFEST, "CANNOT_APPLY_MANIFEST",
	"cannot apply collections manifest"},
	{CB_STATUS_MANIFEST_IS_AHEAD, "MANIFEST_IS_AHEAD", "collections manifest is ahead"},
	{CB_STATUS_UNKNOWN_SCOPE, "UNKNOWN_SCOPE", "unknown scope"},
	{CB_STATUS_DURABILITY_INVALID_LEVEL, "DURABILITY_INVALID_LEVEL",
	"invalid durability level"},
	{CB_STATUS_DURABILITY_IMPOSSIBLE, "DURABILITY_IMPOSSIBLE",
	"durability impossible with the replicas at hand"},
	{CB_STATUS_SYNC_WRITE_IN_PROGRESS, "SYNC_WRITE_IN_PROGRESS",
	"durable write of the document in progress"},
	{CB_STATUS_SYNC_WRITE_AMBIGUOUS, "SYNC_WRITE_AMBIGUOUS",
	"fate of the durable write unknown"},
	{CB_STATUS_SYNC_WRITE_RECOMMIT, "SYNC_WRITE_RECOMMIT",
	"durable write of the document being committed again"},
	{CB_STATUS_RANGE_SCAN_CANCELLED, "RANGE_SCAN_CANCELLED", "range scan cancelled"},
	{CB_STATUS_RANGE_SCAN_MORE, "RANGE_SCAN_MORE", "range scan has more"},
	{CB_STATUS_RANGE_SCAN_COMPLETE, "RANGE_SCAN_COMPLETE", "range scan complete"},
	{CB_STATUS_VBUUID_NOT_EQUAL, "VBUUID_NOT_EQUAL", "vBucket has another history"},
	{CB_STATUS_SUBDOC_PATH_ENOENT, "SUBDOC_PATH_ENOENT", "path not found"},
	{CB_STATUS_SUBDOC_PATH_MISMATCH, "SUBDOC_PATH_MISMATCH",
	"path meets a value of another type"},
	{CB_STATUS_SUBDOC_PATH_EINVAL, "SUBDOC_PATH_EINVAL", "invalid path"},
	{CB_STATUS_SUBDOC_PATH_E2BIG, "SUBDOC_PATH_E2BIG", "path too long or too deep"},
	{CB_STATUS_SUBDOC_DOC_E2DEEP, "SUBDOC_DOC_E2DEEP", "document too deep"},
	{CB_STATUS_SUBDOC_VALUE_CANTINSERT, "SUBDOC_VALUE_CANTINSERT", "value cannot be inserted"},
	{CB_STATUS_SUBDOC_DOC_NOTJSON, "SUBDOC_DOC_NOTJSON", "document is not JSON"},
	{CB_STATUS_SUBDOC_NUM_RANGE, "SUBDOC_NUM_RANGE", "number out of range"},
	{CB_STATUS_SUBDOC_DELTA_EINVAL, "SUBDOC_DELTA_EINVAL", "invalid increment"},
	{CB_STATUS_SUBDOC_PATH_EEXISTS, "SUBDOC_PATH_EEXISTS", "path exists already"},
	{CB_STATUS_SUBDOC_VALUE_E2DEEP, "SUBDOC_VALUE_E2DEEP", "value too deep"},
	{CB_STATUS_SUBDOC_INVALID_COMBO, "SUBDOC_INVALID_COMBO",
	"invalid combination of operations"},
	{CB_STATUS_SUBDOC_MULTI_PATH_FAILURE, "SUBDOC_MULTI_PATH_FAILURE", "some path failed"},
	{CB_STATUS_SUBDOC_SUCCESS_DELETED, "SUBDOC_SUCCESS_DELETED",
	"success on a deleted document"},
	{CB_STATUS_SUBDOC_XATTR_INVALID_FLAG_COMBO, "SUBDOC_XATTR_INVALID_FLAG_COMBO",
	"invalid extended attribute flags"},
	{CB_STATUS_SUBDOC_XATTR_INVALID_KEY_COMBO, "SUBDOC_XATTR_INVALID_KEY_COMBO",
	"invalid combination of extended attributes"},
	{CB_STATUS_SUBDOC_XATTR_UNKNOWN_MACRO, "SUBDOC_XATTR_UNKNOWN_MACRO", "unknown macro"},
	{CB_STATUS_SUBDOC_XATTR_UNKNOWN_VATTR, "SUBDOC_XATTR_UNKNOWN_VATTR",
	"unknown virtual attribute"},
	{CB_STATUS_SUBDOC_XATTR_CANT_MODIFY_VATTR, "SUBDOC_XATTR_CANT_MODIFY_VATTR",
	"virtual attribute cannot be changed"},
	{CB_STATUS_SUBDOC_MULTI_PATH_FAILURE_DELETED, "SUBDOC_MULTI_PATH_FAILURE_DELETED",
	"some path failed on a deleted document"},
	{CB_STATUS_SUBDOC_INVALID_XATTR_ORDER, "SUBDOC_INVALID_XATTR_ORDER",
	"extended attributes must come first"},
};

typedef struct OpcodeName
{
	uint8_t		opcode;
	const char *name;
} OpcodeName;

static const OpcodeName opcode_names[] = {
	{CB_OP_GET, "GET"},
	{CB_OP_SET, "SET"},
	{CB_OP_ADD, "ADD"},
	{CB_OP_REPLACE, "REPLACE"},
	{CB_OP_DELETE, "DELETE"},
	{CB_OP_INCREMENT, "INCREMENT"},
	{CB_OP_DECREMENT, "DECREMENT"},
	{CB_OP_QUIT, "QUIT"},
	{CB_OP_NOOP, "NOOP"},
	{CB_OP_VERSION, "VERSION"},
	{CB_OP_APPEND, "APPEND"},
	{CB_OP_PREPEND, "PREPEND"},
	{CB_OP_STAT, "STAT"},
	{CB_OP_TOUCH, "TOUCH"},
	{CB_OP_GET_AND_TOUCH, "GET_AND_TOUCH"},
	{CB_OP_HELLO, "HELLO"},
	{CB_OP_SASL_LIST, "SASL_LIST"},
	{CB_OP_SASL_AUTH, "SASL_AUTH"},
	{CB_OP_SASL_STEP, "SASL_STEP"},
	{CB_OP_GET_ALL_VB_SEQNOS, "GET_ALL_VB_SEQNOS"},
	{CB_OP_GET_REPLICA, "GET_REPLICA"},
	{CB_OP_SELECT_BUCKET, "SELECT_BUCKET"},
	{CB_OP_OBSERVE_SEQNO, "OBSERVE_SEQNO"},
	{CB_OP_GET_LOCKED, "GET_LOCKED"},
	{CB_OP_UNLOCK, "UNLOCK"},
	{CB_OP_GET_FAILOVER_LOG, "GET_FAILOVER_LOG"},
	{CB_OP_GET_META, "GET_META"},
	{CB_OP_GET_CLUSTER_CONFIG, "GET_CLUSTER_CONFIG"},
	{CB_OP_GET_RANDOM_KEY, "GET_RANDOM_KEY"},
	{CB_OP_GET_MANIFEST, "GET_MANIFEST"},
	{CB_OP_GET_COLLECTION_ID, "GET_COLLECTION_ID"},
	{CB_OP_GET_SCOPE_ID, "GET_SCOPE_ID"},
	{CB_OP_SUBDOC_GET, "SUBDOC_GET"},
	{CB_OP_SUBDOC_EXISTS, "SUBDOC_EXISTS"},
	{CB_OP_SUBDOC_DICT_ADD, "SUBDOC_DICT_ADD"},
	{CB_OP_SUBDOC_DICT_UPSERT, "SUBDOC_DICT_UPSERT"},
	{CB_OP_SUBDOC_DELETE, "SUBDOC_DELETE"},
	{CB_OP_SUBDOC_REPLACE, "SUBDOC_REPLACE"},
	{CB_OP_SUBDOC_ARRAY_PUSH_LAST, "SUBDOC_ARRAY_PUSH_LAST"},
	{CB_OP_SUBDOC_ARRAY_PUSH_FIRST, "SUBDOC_ARRAY_PUSH_FIRST"},
	{CB_OP_SUBDOC_ARRAY_INSERT, "SUBDOC_ARRAY_INSERT"},
	{CB_OP_SUBDOC_ARRAY_ADD_UNIQUE, "SUBDOC_ARRAY_ADD_UNIQUE"},
	{CB_OP_SUBDOC_COUNTER, "SUBDOC_COUNTER"},
	{CB_OP_SUBDOC_MULTI_LOOKUP, "SUBDOC_MULTI_LOOKUP"},
	{CB_OP_SUBDOC_MULTI_MUTATION, "SUBDOC_MULTI_MUTATION"},
	{CB_OP_SUBDOC_GET_COUNT, "SUBDOC_GET_COUNT"},
	{CB_OP_RANGE_SCAN_CREATE, "RANGE_SCAN_CREATE"},
	{CB_OP_RANGE_SCAN_CONTINUE, "RANGE_SCAN_CONTINUE"},
	{CB_OP_RANGE_SCAN_CANCEL, "RANGE_SCAN_CANCEL"},
	{CB_OP_GET_ERROR_MAP, "GET_ERROR_MAP"},
};

static const StatusName *
find_status(uint16_t status)
{
	for (size_t i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++)
	{
		if (status_names[i].status == status)
			return &status_names[i];
	}
	return NULL;
}

const char *
cb_status_name(uint16_t status)
{
	const StatusName *found = find_status(status);

	return found == NULL ? NULL : found->name;
}

const char *
cb_status_text(uint16_t status)
{
	const StatusName *found = find_status(status);

	return found == NULL ? NULL : found->text;
}

const char *
cb_opcode_name(uint8_t opcode)
{
	for (size_t i = 0; i < sizeof(opcode_names) / sizeof(opcode_names[0]); i++)
	{
		if (opcode_names[i].opcode == opcode)
			return opcode_names[i].name;
	}
	return NULL;
}
