/*
 * errmap.c: the error map (kv_engine docs/ErrorMap.md): status, name, attributes that tell clients how to react.
 */
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "errmap.h"

static const struct
{
	uint16_t	status;
	const char *name;
	const char *desc;
	const char *attrs;			/* separated by blanks */
}			errors[] = {
	{0x00, "SUCCESS", "Done", "success"},
	{0x01, "KEY_ENOENT", "No such document", "item-only"},
	{0x02, "KEY_EEXISTS", "Document exists or CAS differs", "item-only"},
	{0x03, "E2BIG", "Value too large", "item-only invalid-input"},
	{0x04, "EINVAL", "Malformed request", "internal invalid-input"},
	{0x05, "NOT_STORED", "Nothing was stored", "internal item-only"},
	{0x06, "DELTA_BADVAL", "Stored value is not a number", "item-only invalid-input"},
	{0x07, "NOT_MY_VBUCKET", "vBucket is not active on this node", "fetch-config invalid-input"},
	{0x08, "NO_BUCKET", "No bucket selected", "conn-state-invalidated"},
	{0x09, "LOCKED", "Document is locked", "item-locked item-only retry-now"},
	{0x0a, "STREAM_NOT_FOUND", "No such DCP stream", "conn-state-invalidated"},
	{0x0b, "OPAQUE_NO_MATCH", "Opaque differs", "conn-state-invalidated"},
	{0x0c, "EWOULD_THROTTLE", "Request would be throttled", "temp retry-later rate-limit"},
	{0x0d, "ECONFIG_ONLY", "Bucket has a configuration and no data", "fetch-config retry-now"},
	{0x0e, "NOT_LOCKED", "Document is not locked", "item-only"},
	{0x1f, "AUTH_STALE", "Log in again", "conn-state-invalidated auth"},
	{0x20, "AUTH_ERROR", "Login refused", "conn-state-invalidated auth"},
	{0x21, "AUTH_CONTINUE", "Next SASL step expected", "special-handling"},
	{0x22, "ERANGE", "Out of range", "invalid-input"},
	{0x23, "ROLLBACK", "Roll back", "dcp special-handling"},
	{0x24, "EACCESS", "No permission", "support"},
	{0x25, "NOT_INITIALIZED", "Node is not initialised", "conn-state-invalidated"},
	{0x30, "RATE_LIMITED_NETWORK_INGRESS", "Too many bytes received", "temp retry-later rate-limit"},
	{0x31, "RATE_LIMITED_NETWORK_EGRESS", "Too many bytes sent", "temp retry-later rate-limit"},
	{0x32, "RATE_LIMITED_MAX_CONNECTIONS", "Too many connections", "conn-state-invalidated rate-limit"},
	{0x33, "RATE_LIMITED_MAX_COMMANDS", "Too many requests", "temp retry-later rate-limit"},
	{0x34, "SCOPE_SIZE_LIMIT_EXCEEDED", "Scope holds too much", "item-only rate-limit"},
	{0x35, "BUCKET_SIZE_LIMIT_EXCEEDED", "Bucket holds too much", "item-only system-constraint no-retry"},
	{0x36, "BUCKET_RESIDENT_RATIO_TOO_LOW", "Too little is in memory", "item-only system-constraint no-retry"},
	{0x37, "BUCKET_DATA_SIZE_TOO_BIG", "Too much data on the node", "item-only system-constraint no-retry"},
	{0x38, "BUCKET_DISK_SPACE_TOO_LOW", "Too little disk space", "item-only system-constraint no-retry"},
	{0x50, "BUCKET_PAUSED", "Bucket is paused", "support"},
	{0x51, "CANCELLED", "Request cancelled, nothing changed", "item-only retry-now"},
	{0x80, "UNKNOWN_FRAME_INFO", "Unknown framing extra", "support"},
	{0x81, "UNKNOWN_COMMAND", "Unknown opcode", "support"},
	{0x82, "ENOMEM", "Out of memory", "temp retry-later"},
	{0x83, "NOT_SUPPORTED", "Not supported here", "support"},
	{0x84, "EINTERNAL", "Internal failure", "internal conn-state-invalidated"},
	{0x85, "EBUSY", "Busy", "temp retry-now"},
	{0x86, "ETMPFAIL", "Temporary failure", "temp retry-now"},
	{0x87, "XATTR_EINVAL", "Bad extended attribute", "invalid-input"},
	{0x88, "UNKNOWN_COLLECTION", "No such collection", "invalid-input"},
	{0x89, "NO_COLLECTIONS_MANIFEST", "No manifest", "retry-later"},
	{0x8a, "CANNOT_APPLY_COLLECTIONS_MANIFEST", "Manifest cannot be applied", "invalid-input"},
	{0x8c, "UNKNOWN_SCOPE", "No such scope", "invalid-input"},
	{0x8d, "DCP stream-ID invalid", "Wrong DCP stream id", "invalid-input"},
	{0xa0, "DurabilityInvalidLevel", "Bad durability level", "invalid-input"},
	{0xa1, "DurabilityImpossible", "Not enough replicas", "item-only invalid-input"},
	{0xa2, "SyncWriteInProgress", "A durable write of this document is pending", "item-only retry-later"},
	{0xa3, "SyncWriteAmbiguous", "Durable write timed out, its fate is unknown", "item-only"},
	{0xa4, "SyncWriteReCommitInProgress", "A durable write is being committed again", "item-only retry-later"},
	{0xa5, "RangeScanCancelled", "Scan cancelled", "success"},
	{0xa6, "RangeScanMore", "Scan goes on", "success"},
	{0xa7, "RangeScanComplete", "Scan is complete", "success"},
	{0xa8, "VbUuidNotEqual", "vBucket UUID differs", "invalid-input"},
	{0xc0, "SUBDOC_PATH_ENOENT", "No such path", "subdoc item-only"},
	{0xc1, "SUBDOC_PATH_MISMATCH", "Path does not fit the document", "subdoc item-only"},
	{0xc2, "SUBDOC_PATH_EINVAL", "Bad path", "subdoc invalid-input"},
	{0xc3, "SUBDOC_PATH_E2BIG", "Path too deep", "subdoc invalid-input"},
	{0xc4, "SUBDOC_PATH_E2DEEP", "Document too deep", "subdoc invalid-input"},
	{0xc5, "SUBDOC_VALUE_CANTINSERT", "Value cannot be inserted", "subdoc invalid-input"},
	{0xc6, "SUBDOC_DOC_NOTJSON", "Document is not JSON", "subdoc item-only"},
	{0xc7, "SUBDOC_NUM_ERANGE", "Number out of range", "subdoc item-only"},
	{0xc8, "SUBDOC_DELTA_EINVAL", "Bad delta", "subdoc item-only"},
	{0xc9, "SUBDOC_PATH_EEXISTS", "Path exists", "subdoc item-only"},
	{0xca, "SUBDOC_VALUE_ETOODEEP", "Value too deep", "subdoc invalid-input item-only"},
	{0xcb, "SUBDOC_INVALID_COMBO", "Operations do not go together", "subdoc invalid-input"},
	{0xcc, "SUBDOC_MULTI_PATH_FAILURE", "Some paths failed", "subdoc special-handling"},
	{0xcd, "SUBDOC_SUCCESS_DELETED", "Done on a deleted document", "item-deleted success subdoc"},
	{0xce, "SUBDOC_XATTR_INVALID_FLAG_COMBO", "Flags do not go together", "subdoc invalid-input"},
	{0xcf, "SUBDOC_XATTR_INVALID_KEY_COMBO", "Attribute keys do not go together", "subdoc invalid-input"},
	{0xd0, "SUBDOC_XATTR_UNKNOWN_MACRO", "Unknown macro", "subdoc invalid-input"},
	{0xd1, "SUBDOC_XATTR_UNKNOWN_VATTR", "Unknown virtual attribute", "subdoc invalid-input"},
	{0xd2, "SUBDOC_XATTR_CANT_MODIFY_VATTR", "Virtual attributes are read only", "subdoc invalid-input"},
	{0xd3, "SUBDOC_MULTI_PATH_FAILURE_DELETED", "Some paths of a deletion failed", "item-deleted subdoc special-handling"},
	{0xd4, "SUBDOC_INVALID_XATTR_ORDER", "Extended attributes come first", "subdoc invalid-input"},
	{0xd5, "SUBDOC_XATTR_UNKNOWN_VATTR_MACRO", "Unknown virtual macro", "subdoc invalid-input"},
	{0xd6, "SUBDOC_CAN_ONLY_REVIVE_DELETED_DOCUMENTS", "Document is not deleted", "subdoc item-only"},
	{0xd7, "SUBDOC_DELETED_DOCUMENT_CANT_HAVE_VALUE", "Deleted documents have no value", "subdoc item-only"},
	{0xd8, "SUBDOC_FIELD_NOT_BINARY_VALUE", "Not a binary attribute", "subdoc item-only"},
};

/* Version 1 does not know these. */
static bool
only_version_2(const char *attr, size_t n)
{
	static const char *const later[] = {"rate-limit", "system-constraint", "no-retry"};

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
	{
		if (strlen(later[i]) == n && memcmp(later[i], attr, n) == 0)
			return true;
	}
	return false;
}

static json_t *
attributes(const char *list, int version)
{
	json_t	   *a = json_array();

	while (*list != '\0')
	{
		size_t		n = strcspn(list, " ");

		if (version > 1 || !only_version_2(list, n))
			json_array_append_new(a, json_stringn(list, n));
		list += n + (list[n] == ' ');
	}
	return a;
}

char *
error_map_json(int version)
{
	json_t	   *top = json_object();
	json_t	   *all = json_object();
	char	   *text;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
	{
		char		key[8];

		snprintf(key, sizeof(key), "%x", errors[i].status);
		json_object_set_new(all, key, json_pack("{s:s, s:s, s:o}", "name", errors[i].name, "desc", errors[i].desc,
												"attrs", attributes(errors[i].attrs, version)));
	}
	json_object_set_new(top, "version", json_integer(version));
	json_object_set_new(top, "revision", json_integer(version == 1 ? 9 : 5));
	json_object_set_new(top, "errors", all);
	text = json_dumps(top, JSON_COMPACT);
	json_decref(top);
	return text;
}
