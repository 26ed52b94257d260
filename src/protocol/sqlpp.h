/*
 * sqlpp.h
 *		Requests to the query service and its answers: JSON bodies over HTTP.
 *
 * An answer is one JSON object with an array "results" that may be of any size; it is read as a stream,
 * row by row, from pieces cut anywhere.
 */
#ifndef CB_SQLPP_H
#define CB_SQLPP_H

#include "kv_packet.h"

/* ---- requests (sqlpp_request.c) ---- */

typedef enum CbScanConsistency
{
	CB_SCAN_NOT_BOUNDED = 0,
	CB_SCAN_REQUEST_PLUS,
	CB_SCAN_AT_PLUS				/* of the vectors; as NOT_BOUNDED without any */
} CbScanConsistency;

typedef struct CbSqlppParameter
{
	const char *name;			/* letters, digits, underscore; without $ */
	CbSpan		json;			/* its value: one JSON text */
} CbSqlppParameter;

typedef struct CbSqlppToken
{
	uint16_t	vbucket;
	uint64_t	uuid;
	uint64_t	seqno;
} CbSqlppToken;

/* Tokens of one bucket. */
typedef struct CbSqlppVector
{
	const char *bucket;
	const CbSqlppToken *tokens;
	size_t		ntokens;
} CbSqlppVector;

/* All text is UTF-8. */
typedef struct CbSqlppRequest
{
	const char *statement;
	const char *prepared;		/* name of a statement prepared before: sent in place of the statement; or NULL */
	bool		prepare;		/* prepare the statement and run it at once */
	const char *query_context;	/* or NULL */
	const char *context_id;		/* at most 64 bytes without quote, backslash and control characters; or NULL */
	const CbSqlppParameter *parameters;
	size_t		nparameters;
	bool		readonly;
	CbScanConsistency consistency;
	const CbSqlppVector *vectors;	/* of different buckets, none empty */
	size_t		nvectors;
	int64_t		scan_wait;		/* microseconds; 0: not sent */
	int64_t		timeout;		/* microseconds; 0: not sent */
	const char *profile;		/* "phases", "timings" or NULL */
} CbSqlppRequest;

/* Append the body. CB_INVALID with err: text that is not UTF-8, a wrong name, a value that is not JSON. */
extern CbResult cb_sqlpp_request(const CbSqlppRequest *request, CbBuf *body, CbError *err);

/* ---- answers as a stream (sqlpp_stream.c) ---- */

typedef enum CbStreamState
{
	CB_STREAM_START = 0,
	CB_STREAM_MEMBER_OR_END,	/* after the opening brace */
	CB_STREAM_MEMBER_NEXT,		/* after a comma */
	CB_STREAM_NAME,
	CB_STREAM_COLON,
	CB_STREAM_VALUE_START,
	CB_STREAM_VALUE,			/* of a member other than the rows */
	CB_STREAM_AFTER_VALUE,
	CB_STREAM_ROW_OR_END,		/* after the opening bracket of the rows */
	CB_STREAM_ROW_START,
	CB_STREAM_ROW,
	CB_STREAM_AFTER_ROW,
	CB_STREAM_DONE
} CbStreamState;

#define CB_STREAM_NAME_MAX	64
#define CB_STREAM_MAX_DEPTH	256

/* Zero-initialised is ready, but for max_text. */
typedef struct CbSqlppStream
{
	size_t		max_text;		/* longest row, and longest value of another member */
	CbStreamState state;
	bool		had_results;
	bool		in_string;
	bool		escaped;		/* the byte before was a backslash that counts */
	bool		scalar;			/* the value is a number or a word */
	unsigned	depth;
	uint64_t	objects[CB_STREAM_MAX_DEPTH / 64];	/* by level: an object, not an array */
	char		name[CB_STREAM_NAME_MAX];	/* raw; cut when longer, which no name of ours is */
	size_t		name_len;
	CbBuf		text;			/* what came before of a value that is cut */
} CbSqlppStream;

typedef struct CbSqlppItem
{
	bool		row;			/* a row, else a member */
	CbSpan		name;			/* of the member, raw */
	CbSpan		text;			/* raw JSON, no blanks around it */
} CbSqlppItem;

/*
 * The next row or member. input is what has come since; what is used of it is taken off. The item's text points
 * into input's memory or the stream's: valid until the next call and while input's memory is. CB_NEED_MORE:
 * input is used up; CB_END: the answer is complete, and used up but for bytes that are no blanks (CB_MALFORMED).
 * Brackets, quotes and commas are checked here, not what stands between them.
 */
extern CbResult cb_sqlpp_stream_next(CbSqlppStream *stream, CbSpan *input, CbSqlppItem *item,
									 CbError *err);
extern void cb_sqlpp_stream_free(CbSqlppStream *stream);

/* ---- members of answers (sqlpp_answer.c) ---- */

typedef struct CbSqlppMetrics
{
	int64_t		elapsed_us;
	int64_t		execution_us;
	int64_t		result_count;
	int64_t		result_size;
	int64_t		mutation_count;
	int64_t		sort_count;
	int64_t		errors;
	int64_t		warnings;
} CbSqlppMetrics;

/* Value of "metrics". What is absent or odd stays 0. */
extern CbResult cb_sqlpp_metrics(CbSpan text, CbSqlppMetrics *metrics);

/* One element of "errors" or "warnings". Texts are valid UTF-8, cut at a character, empty when absent. */
typedef struct CbSqlppError
{
	int64_t		code;
	bool		retry;			/* the service says that trying again may help */
	char		message[1024];
	int64_t		reason_code;	/* of the error below; 0: none */
	char		reason[512];	/* its message */
	char		role[128];		/* missing role */
	char		path[256];		/* what it is missing on */
} CbSqlppError;

/* Element index of the value of "errors" or "warnings"; CB_END past the last. */
extern CbResult cb_sqlpp_error(CbSpan text, size_t index, CbSqlppError *error);

/* A string value's characters, with a NUL; cut to fit. CB_MALFORMED when it is none. */
extern CbResult cb_sqlpp_string(CbSpan text, char *out, size_t size);

/* Go's spelling of a duration ("1m2.5s", "12.3µs") in microseconds. */
extern CbResult cb_sqlpp_duration(const char *text, int64_t *microseconds);

#endif
