/*
 * params.h: what a request to the query service asks for.
 */
#ifndef QUERY_PARAMS_H
#define QUERY_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "body_json.h"

/* One error or warning of an answer. */
typedef struct QueryError
{
	struct QueryError *next;
	int			code;
	int			http;				/* status if nothing was sent yet; 0: by the code */
	bool		retry;
	char	   *msg;
	char	   *reason;				/* JSON, or NULL */
} QueryError;

typedef struct QueryArg
{
	struct QueryArg *next;
	char	   *name;				/* without $ */
	char	   *text;				/* JSON */
	size_t		len;
} QueryArg;

typedef enum ScanConsistency
{
	SCAN_NOT_SET,
	SCAN_NOT_BOUNDED,
	SCAN_REQUEST_PLUS,
	SCAN_STATEMENT_PLUS,
	SCAN_AT_PLUS
} ScanConsistency;

/* One vBucket of a scan vector. */
typedef struct ScanPoint
{
	struct ScanPoint *next;
	char	   *keyspace;			/* as given; NULL: of scan_vector */
	uint32_t	vbucket;
	uint64_t	seqno;
	char	   *uuid;
} ScanPoint;

typedef enum Tristate
{
	TRI_NONE,
	TRI_FALSE,
	TRI_TRUE
} Tristate;

typedef enum QueryProfile
{
	PROFILE_OFF,
	PROFILE_PHASES,
	PROFILE_TIMINGS
} QueryProfile;

typedef struct QueryParams
{
	char	   *statement;			/* NULL: none */
	size_t		statement_len;
	char	   *prepared;
	int			num_statements;		/* statement and prepared, each time */
	QueryArg   *named;
	char	   *args;				/* JSON array, or NULL */
	size_t		args_len;
	char	   *query_context;
	char	   *client_context_id;
	int64_t		timeout_ns;			/* 0: none */
	Tristate	readonly;
	Tristate	pretty;
	Tristate	signature;
	Tristate	metrics;
	Tristate	controls;
	Tristate	auto_execute;
	Tristate	auto_prepare;
	Tristate	use_cbo;
	Tristate	preserve_expiry;
	bool		sort_projection;
	QueryProfile profile;
	bool		has_consistency;
	char	   *scan_consistency;	/* as given */
	char	   *scan_wait;
	char	   *scan_vector;		/* JSON */
	char	   *scan_vectors;
	char	   *creds;				/* JSON */
	ScanConsistency consistency;
	ScanPoint  *points;
	QueryError *error;				/* the first thing that is wrong */

	/* Is there such a prepared statement? Asked as soon as one is named. */
	bool		(*knows) (void *arg, const char *prepared, const char *context);
	void	   *arg;
} QueryParams;

/*
 * Reads the parameters of a request into a struct of zeros but for knows and arg; false with p->error set. query: what
 * stands behind ? in the address (NULL: nothing); type: its Content-Type (NULL: none). Free with query_params_free() in
 * either case.
 */
typedef struct QueryBody
{
	bool		get;				/* GET, not POST */
	const char *type;
	const char *query;
	const char *body;
	size_t		len;
} QueryBody;

bool		query_params_read(QueryParams *p, const QueryBody *b);

/* What the server checks once it knows who asks: scan_consistency and its vectors. */
bool		query_params_consistency(QueryParams *p);
void		query_params_free(QueryParams *p);

/* Sets p->error unless there is one; always false. */
bool		query_params_fail(QueryParams *p, int code, const char *fmt,...) __attribute__((format(printf, 3, 4)));

QueryError *query_error_new(int code, const char *fmt,...) __attribute__((format(printf, 2, 3)));
void		query_errors_free(QueryError *e);

/* duration.c: Go's durations: "1h2m3.5s"; false if the text is none. Text of one: "20ms". */
bool		duration_parse(const char *text, int64_t *ns);
char	   *duration_text(int64_t ns);

/* params_form.c: the pairs of a form in order. */
typedef struct FormPair
{
	struct FormPair *next;
	char	   *key;
	char	   *value;				/* terminated; may hold NULs */
	size_t		len;
} FormPair;

bool		form_parse(const char *text, size_t len, FormPair **tail);
void		form_free(FormPair *f);

/* scan_vector.c */
bool		scan_vector_read(QueryParams *p, const char *json, const char *keyspace);
bool		scan_vectors_read(QueryParams *p, const char *json);

#endif
