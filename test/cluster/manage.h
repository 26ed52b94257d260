/*
 * manage.h: what the management side of the test cluster shares: command line, start-up file, document loading, the
 * management HTTP service and the control port.
 */
#ifndef MANAGE_H
#define MANAGE_H

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <jansson.h>

#include "cbcluster.h"

#define CB_DEFAULT_VBUCKETS 1024
#define CB_SERVER_VERSION "7.6.5-0000-enterprise"

/* ---------------------------------------------------------------- command line (options.c) */

typedef enum SourceKind
{
	SOURCE_FILE,
	SOURCE_GENERATED
} SourceKind;

/* One --load or --generate. */
typedef struct Source
{
	struct Source *next;
	SourceKind	kind;
	char	   *bucket;
	char	   *scope;
	char	   *collection;
	char	   *file;				/* SOURCE_FILE */
	uint64_t	count;				/* SOURCE_GENERATED */
	size_t		size;
} Source;

typedef struct Options
{
	const char *config_file;		/* NULL: the default bucket and user */
	const char *ready_file;
	const char *bind;				/* NULL: not given */
	int			num_nodes;			/* 0: not given */
	bool		die_with_parent;
	bool		no_query;
	TlsSettings tls;				/* NULL: not given */
	const char *external;			/* NULL: no other network */
	Source	   *sources;			/* in the order given */
} Options;

/* Prints what is wrong (or the help) and ends the program if the arguments cannot be used. */
void		options_parse(int argc, char **argv, Options *o);
void		options_free(Options *o);

/* True for the two loopback addresses, the only ones this program binds. */
bool		options_loopback(const char *address);

/* ---------------------------------------------------------------- start-up file (startup.c) */

typedef struct Startup
{
	json_t	   *root;				/* NULL without a file */
	const char *bind;
	int			num_nodes;
	TlsSettings tls;
	const char *external;
} Startup;

/* Reads the file and what is needed before the cluster exists; false after printing file, place and reason. */
bool		startup_read(const Options *o, Startup *s);

/* Creates buckets, scopes, collections, users and settings; false after printing why. */
bool		startup_apply(const Startup *s, Cluster *cl);

/* ---------------------------------------------------------------- documents (load.c, generate.c) */

/* Stores the documents of one source, creating bucket, scope and collection if missing; false after printing why. */
bool		source_load(Cluster *cl, const Source *s);

/*
 * Makes document number n (from 1): a JSON object of about size bytes, the same for the same arguments.
 * The key goes to key (32 bytes), the text to buf (at least GENERATE_ROOM(size) bytes); returns the
 * text's length.
 */
#define GENERATE_ROOM(size) ((size) + 1024)
size_t		generate_document(uint64_t n, size_t size, char *key, char *buf);

/*
 * Takes one line {"key":TEXT,"doc":VALUE} apart, in place. A doc that is a string is the document's text; anything else
 * is kept with the line's own bytes. NULL, or what is wrong with the line.
 */
typedef struct LoadLine
{
	char	   *key;
	size_t		key_len;
	char	   *doc;
	size_t		doc_len;
	bool		doc_is_text;
} LoadLine;
const char *load_line_parse(char *line, size_t len, LoadLine *out);

/* ---------------------------------------------------------------- roles (roles.c) */

/*
 * Gives the user exactly the roles of a list as Couchbase writes it: "data_reader[bucket:scope:collection],admin".
 * NULL, or a malloced text naming the role that is wrong; then nothing was changed.
 */
char	   *roles_check(const char *list);
void		roles_set(User *u, const char *list, const char *display_name);
void		roles_forget(const User *u);

/* {"id":…,"domain":"local","roles":[…],"name":…}; new reference. */
json_t	   *roles_user_json(const User *u);

/* ---------------------------------------------------------------- management HTTP (http.c) */

typedef struct HttpNode HttpNode;

#define HTTP_MAX_SEGMENTS 12

/* One request: path segments percent-decoded; bucket is found when the route names one. */
typedef struct HttpReq
{
	HttpNode   *http;
	Node	   *node;
	Cluster    *cluster;
	struct evhttp_request *req;
	User	   *user;				/* NULL: anonymous */
	char	   *segment[HTTP_MAX_SEGMENTS];
	int			num_segments;
	Bucket	   *bucket;
	struct evkeyvalq query;
} HttpReq;

typedef void (*HttpFn) (HttpReq *h);

/* What a route asks of the user. */
typedef enum HttpRight
{
	RIGHT_NONE,						/* anybody, even without credentials */
	RIGHT_ANY,						/* a user with any role */
	RIGHT_BUCKET_READ,				/* a role on the bucket */
	RIGHT_BUCKET_ADMIN,				/* administration of the bucket */
	RIGHT_ADMIN						/* administration of the cluster */
} HttpRight;

typedef struct HttpRoute
{
	enum evhttp_cmd_type method;
	const char *path;				/* segments; "{bucket}" and "*" match any one */
	HttpRight	right;
	const char *permission;			/* for the body of 403; %s is the bucket */
	HttpFn		handler;
} HttpRoute;

extern const HttpRoute http_bucket_routes[];	/* each ends with a NULL path */
extern const HttpRoute http_scope_routes[];
extern const HttpRoute http_pool_routes[];
extern const HttpRoute http_user_routes[];

/* Opens the management port of every node; false after printing why. */
bool		http_start(Cluster *cl);
void		http_stop(Cluster *cl);

/* Answers; each ends the request. http_json takes the reference. */
void		http_json(HttpReq *h, int code, json_t *body);
void		http_text(HttpReq *h, int code, const char *content_type, const char *body, size_t len);
void		http_empty(HttpReq *h, int code);
void		http_not_found(HttpReq *h);

/* Makes a message printable ASCII, whatever a request had put into it. */
void		http_plain_text(char *text);

/* Answers with {"errors":{FIELD:TEXT}}. */
void		http_field_error(HttpReq *h, int code, const char *field, const char *fmt,...)
			__attribute__((format(printf, 4, 5)));

/* The list of all nodes as self describes it; new reference. */
json_t	   *http_nodes_json(const Node *self);

/* Form of the body; false after answering 400. Free with evhttp_clear_headers(). */
bool		http_form(HttpReq *h, struct evkeyvalq *form);

/* True if any grant of the user touches the bucket. */
bool		http_can_read(const User *u, const Bucket *b);
bool		http_can_administer(const User *u, const Bucket *b);

/*
 * Streams bodies made by body (malloced; NULL ends the stream), now and whenever the configuration of
 * the bucket changes (bucket NULL: the cluster's), separated by four newlines.
 */
typedef char *(*StreamBodyFn) (Node *n, Bucket *b, size_t *len);
void		http_stream(HttpReq *h, Bucket *b, StreamBodyFn body);

/* Ends the streams of a bucket that is about to be dropped. */
void		http_end_streams(Cluster *cl, Bucket *b);

/* The port that a listener got. */
uint16_t	http_bound_port(struct evhttp_bound_socket *bound);

/* Settings of a bucket that only the management service knows; made on demand. */
typedef struct BucketSettings
{
	struct BucketSettings *next;
	Bucket	   *bucket;
	unsigned	ram_quota_mb;
	bool		flush_enabled;
} BucketSettings;

BucketSettings *bucket_settings(Bucket *b);
void		bucket_settings_forget(Bucket *b);

/* ---------------------------------------------------------------- control port (control.c) */

/* Opens the control port; false after printing why. */
bool		control_start(Cluster *cl);
void		control_stop(Cluster *cl);

#endif
