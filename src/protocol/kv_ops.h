/*
 * kv_ops.h
 *		Requests built from their meaning, and the parts of answers that have
 *		a structure of their own. Range scans are in kv_scan.h.
 *
 * Builders append one request to buf and return CB_OK, CB_INVALID (the server
 * would refuse it; see each) or CB_NOMEM; nothing is appended unless CB_OK.
 */
#ifndef CB_KV_OPS_H
#define CB_KV_OPS_H

#include "kv_packet.h"

/* Set of HELLO features (numbers 0-63). */
typedef uint64_t CbFeatures;

#define CB_FEATURE_BIT(f)	(UINT64_C(1) << (f))

static inline bool
cb_has_feature(CbFeatures features, unsigned feature)
{
	return feature <= CB_FEATURE_MAX && (features & CB_FEATURE_BIT(feature)) != 0;
}

/* Version of a cluster config; ordered by epoch, then rev. */
typedef struct CbVersion
{
	int64_t		epoch;
	int64_t		rev;
} CbVersion;

/* Which document a request is about. */
typedef struct CbDocRef
{
	uint32_t	opaque;
	uint16_t	vbucket;
	bool		has_collection; /* connection has the COLLECTIONS feature */
	uint32_t	collection_id;	/* 0: the default collection */
	CbSpan		key;			/* 1-250 bytes, 246 in a named collection */
} CbDocRef;

/* ---- handshake ---- */

/* Agent JSON {"a":name,"i":"<client id>/<connection id>"}, name cut at 200 bytes. */
extern void cb_kv_agent(CbBuf *out, CbSpan name, uint64_t client_id,
						uint64_t connection_id);
/* Features that contradict each other or need one that is not listed: CB_INVALID. */
extern CbResult cb_kv_hello(CbBuf *buf, uint32_t opaque, CbSpan agent,
							const uint16_t *features, size_t nfeatures);
extern CbResult cb_kv_hello_result(CbSpan value, CbFeatures *features);
extern CbResult cb_kv_sasl_list(CbBuf *buf, uint32_t opaque);
extern CbResult cb_kv_sasl_auth(CbBuf *buf, uint32_t opaque,
								const char *mechanism, CbSpan payload);
extern CbResult cb_kv_sasl_step(CbBuf *buf, uint32_t opaque,
								const char *mechanism, CbSpan payload);
/* Name of 1-100 bytes. */
extern CbResult cb_kv_select_bucket(CbBuf *buf, uint32_t opaque, CbSpan bucket);
extern CbResult cb_kv_get_error_map(CbBuf *buf, uint32_t opaque, uint16_t version);
/* known (may be NULL; epoch not 0, rev above 0): answer only if there is a newer one. */
extern CbResult cb_kv_get_cluster_config(CbBuf *buf, uint32_t opaque,
										 const CbVersion *known);
extern CbResult cb_kv_noop(CbBuf *buf, uint32_t opaque);

/* VERSION: answered with the node's version as text. */
extern CbResult cb_kv_version(CbBuf *buf, uint32_t opaque);
/* group may be empty; many answers, the last with an empty key. */
extern CbResult cb_kv_stat(CbBuf *buf, uint32_t opaque, CbSpan group);

/* ---- collections ---- */

extern CbResult cb_kv_get_manifest(CbBuf *buf, uint32_t opaque);
/* Names must be legal (cb_kv_collection_name_ok). */
extern CbResult cb_kv_get_collection_id(CbBuf *buf, uint32_t opaque,
										CbSpan scope, CbSpan collection);
extern CbResult cb_kv_collection_id_result(CbSpan extras, uint64_t *manifest_uid,
										   uint32_t *collection_id);
/* 1-251 of A-Z a-z 0-9 _ - %, not beginning with %; a leading underscore marks
 * names of the server's own, which may be looked up. */
extern bool cb_kv_collection_name_ok(CbSpan name);

/* ---- sequence numbers, for snapshot requirements of scans ---- */

/* Highest sequence number of every active vBucket; collection_id may be NULL. */
extern CbResult cb_kv_get_all_vb_seqnos(CbBuf *buf, uint32_t opaque,
										const uint32_t *collection_id);

/* Entry i of the answer's value; CB_END past the last, CB_MALFORMED. */
extern CbResult cb_kv_vb_seqno_result(CbSpan value, size_t i, uint16_t *vbucket,
									  uint64_t *seqno);
extern CbResult cb_kv_get_failover_log(CbBuf *buf, uint32_t opaque, uint16_t vbucket);

/* Current uuid of the vBucket: the first entry of the answer's value. */
extern CbResult cb_kv_failover_log_result(CbSpan value, uint64_t *vbucket_uuid);

/* ---- reading ---- */

/* CAS that GET shows for a locked document. */
#define CB_CAS_LOCKED	UINT64_MAX


extern CbResult cb_kv_get(CbBuf *buf, const CbDocRef *doc);
/* Expiry as the server takes it: up to 30 days relative, above absolute. */
extern CbResult cb_kv_get_and_touch(CbBuf *buf, const CbDocRef *doc, uint32_t expiry);
extern CbResult cb_kv_touch(CbBuf *buf, const CbDocRef *doc, uint32_t expiry);
extern CbResult cb_kv_get_replica(CbBuf *buf, const CbDocRef *doc);
extern CbResult cb_kv_get_meta(CbBuf *buf, const CbDocRef *doc);
/* Flags in the extras of GET and its relatives. */
extern CbResult cb_kv_flags_result(CbSpan extras, uint32_t *flags);

typedef struct CbDocMeta
{
	bool		deleted;
	uint32_t	flags;
	uint32_t	expiry;			/* absolute seconds, 0: none */
	uint64_t	seqno;
	uint8_t		datatype;
} CbDocMeta;

extern CbResult cb_kv_get_meta_result(CbSpan extras, CbDocMeta *meta);

/* ---- subdocument ---- */

#define CB_SUBDOC_MAX_SPECS	16
#define CB_SUBDOC_MAX_PATH	1024

/* Flags of one path */
enum
{
	CB_SUBDOC_FLAG_MKDIR_P = 0x01,
	CB_SUBDOC_FLAG_XATTR = 0x04,
	CB_SUBDOC_FLAG_EXPAND_MACROS = 0x10
};

/* Flags of the document */
enum
{
	CB_SUBDOC_DOC_MKDOC = 0x01,
	CB_SUBDOC_DOC_ADD = 0x02,
	CB_SUBDOC_DOC_ACCESS_DELETED = 0x04
};

/* One operation; opcode CB_OP_SUBDOC_*, or CB_OP_GET/SET/DELETE with an
 * empty path for the whole document. */
typedef struct CbSubdocSpec
{
	uint8_t		opcode;
	uint8_t		flags;
	CbSpan		path;
	CbSpan		value;			/* mutations only */
} CbSubdocSpec;

/* 1-16 specs, those with the xattr flag first. */
extern CbResult cb_kv_lookup(CbBuf *buf, const CbDocRef *doc, uint8_t doc_flags,
							 const CbSubdocSpec *specs, size_t nspecs);

/* Steps through the value of a multi-lookup answer. */
typedef struct CbLookupIter
{
	CbSpan		rest;
} CbLookupIter;

typedef struct CbLookupEntry
{
	uint16_t	status;
	CbSpan		value;
} CbLookupEntry;

extern void cb_kv_lookup_iter_init(CbLookupIter *iter, CbSpan value);
/* CB_OK, CB_END, CB_MALFORMED. */
extern CbResult cb_kv_lookup_iter_next(CbLookupIter *iter, CbLookupEntry *entry);

/* ---- writing ---- */

/* What writes have in common; zero is a sensible default. */
typedef struct CbWriteOptions
{
	uint64_t	cas;			/* 0: whatever is there */
	uint32_t	expiry;			/* as the server takes it; 0: none */
	bool		preserve_expiry;	/* not on ADD, DELETE */
	CbDurability durability;
	uint16_t	durability_timeout_ms;
} CbWriteOptions;

/*
 * opcode SET, ADD (cas 0) or REPLACE. datatype: bits JSON and SNAPPY, only if
 * negotiated; a compressed value must be sound.
 */
extern CbResult cb_kv_store(CbBuf *buf, uint8_t opcode, const CbDocRef *doc,
							const CbWriteOptions *options, uint32_t flags,
							uint8_t datatype, CbSpan value);
extern CbResult cb_kv_delete(CbBuf *buf, const CbDocRef *doc,
							 const CbWriteOptions *options);
/*
 * Subdocument mutations, 1-16, xattr ones first. Values must be one JSON value
 * each (several, comma-separated, for array pushes): CB_INVALID otherwise,
 * because the server does not check it.
 */
extern CbResult cb_kv_mutate(CbBuf *buf, const CbDocRef *doc,
							 const CbWriteOptions *options, uint8_t doc_flags,
							 const CbSubdocSpec *specs, size_t nspecs);

/* Which spec of a multi mutation failed, and how (status MULTI_PATH_FAILURE). */
extern CbResult cb_kv_mutate_failure(CbSpan value, uint8_t *index, uint16_t *status);

/* Steps through the values that a successful multi mutation returns. */
typedef struct CbMutateEntry
{
	uint8_t		index;
	uint16_t	status;
	CbSpan		value;
} CbMutateEntry;

extern CbResult cb_kv_mutate_iter_next(CbLookupIter *iter, CbMutateEntry *entry);

typedef struct CbMutationToken
{
	uint64_t	vbucket_uuid;
	uint64_t	seqno;
} CbMutationToken;

/* CB_NOT_FOUND when the extras are empty (feature off). */
extern CbResult cb_kv_mutation_token(CbSpan extras, CbMutationToken *token);

/* ---- error bodies ---- */

/* What an error answer's JSON body says; texts are cut to fit, valid UTF-8. */
typedef struct CbErrorBody
{
	char		context[256];
	char		ref[64];
	bool		has_manifest_uid;
	uint64_t	manifest_uid;
} CbErrorBody;

/* CB_OK; CB_NOT_FOUND for an empty or non-JSON body (all fields empty). */
extern CbResult cb_kv_error_body(CbSpan value, CbErrorBody *body);

/* Server request CLUSTERMAP_CHANGE: version of the config it announces. */
extern CbResult cb_kv_clustermap_change(const CbPacket *packet, CbVersion *version);

#endif
