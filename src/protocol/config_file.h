/*
 * config_file.h
 *		A cluster configuration as it is kept from one process to the next: the server's
 *		JSON text behind a header that says what it is of.
 *
 * The header is lines of text, in a fixed order, ended by an empty one; its checksum
 * covers everything else. The text is not looked into.
 */
#ifndef CB_CONFIG_FILE_H
#define CB_CONFIG_FILE_H

#include "kv_ops.h"

/* Longest kept configuration, header included. */
#define CB_CONFIG_FILE_MAX	(20 * 1024 * 1024)
/* Longest value of a header line. */
#define CB_CONFIG_FILE_VALUE_MAX	300

typedef struct CbConfigFile
{
	CbSpan		server;			/* by what connection it was learnt: opaque, not empty */
	CbSpan		bucket;			/* not empty */
	CbSpan		bucket_uuid;	/* empty: unknown */
	CbSpan		cluster_uuid;	/* empty: unknown */
	CbSpan		host;			/* the node that gave it: stands for $HOST in text */
	CbSpan		network;		/* whose addresses are taken, not empty */
	CbVersion	version;
	int64_t		written;		/* seconds since 1970 */
	CbSpan		text;			/* JSON, not empty */
} CbConfigFile;

/*
 * Append header and text to out. CB_INVALID: a value that cannot stand in a line, or a
 * negative version; CB_LIMIT: too long.
 */
extern CbResult cb_config_file_write(const CbConfigFile *file, CbBuf *out);

/*
 * Read what cb_config_file_write made; file borrows from data. CB_MALFORMED: damaged,
 * CB_UNSUPPORTED: of another format, or nothing of ours at all; err says so.
 */
extern CbResult cb_config_file_read(CbSpan data, CbConfigFile *file, CbError *err);

/* Whether data is, or could be the beginning of, something that we wrote. */
extern bool cb_config_file_is_ours(CbSpan data);

#endif
