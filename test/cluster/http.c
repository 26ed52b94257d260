/*
 * http.c: a request to the management service: basic authentication, routing, answers. What is
 * answered follows couchbase/ns_server (menelaus_web.erl, menelaus_util.erl).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/bufferevent_ssl.h>

#include "http_node.h"
#include "tls.h"

#define REALM "Basic realm=\"Couchbase Server Admin / REST\""

static const HttpRoute *const tables[] = {
	http_pool_routes, http_bucket_routes, http_scope_routes, http_user_routes
};

/* ---------------------------------------------------------------- answers */

static void
add_header(HttpReq *h, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(h->req), name, value);
}

static const char *
reason_of(int code)
{
	switch (code)
	{
		case 200:
			return "OK";
		case 202:
			return "Accepted";
		case 400:
			return "Bad Request";
		case 401:
			return "Unauthorized";
		case 403:
			return "Forbidden";
		case 404:
			return "Object Not Found";
		case 405:
			return "Method Not Allowed";
		default:
			return "Internal Server Error";
	}
}

void
http_text(HttpReq *h, int code, const char *content_type, const char *body, size_t len)
{
	struct evbuffer *out = evbuffer_new();

	add_header(h, "Server", "Couchbase Server");
	add_header(h, "Cache-Control", "no-cache,no-store,must-revalidate");
	if (content_type != NULL)
		add_header(h, "Content-Type", content_type);
	evbuffer_add(out, body, len);
	evhttp_send_reply(h->req, code, reason_of(code), out);
	evbuffer_free(out);
}

void
http_json(HttpReq *h, int code, json_t *body)
{
	char	   *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);

	json_decref(body);
	http_text(h, code, "application/json", text, strlen(text));
	free(text);
}

void
http_empty(HttpReq *h, int code)
{
	http_text(h, code, NULL, "", 0);
}

void
http_not_found(HttpReq *h)
{
	static const char text[] = "Requested resource not found.\r\n";

	http_text(h, 404, "text/plain", text, sizeof(text) - 1);
}

void
http_plain_text(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char) *text < 0x20 || (unsigned char) *text > 0x7e)
			*text = '?';
}

void
http_field_error(HttpReq *h, int code, const char *field, const char *fmt,...)
{
	char		text[512];
	va_list		ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	http_plain_text(text);
	http_json(h, code, json_pack("{s:{s:s}}", "errors", field, text));
}

/* True if the bytes are valid UTF-8, which everything that comes back in JSON must be. */
static bool
is_utf8(const char *text)
{
	json_t	   *probe = json_string(text);

	json_decref(probe);
	return probe != NULL;
}

static bool
form_is_text(const struct evkeyvalq *form)
{
	const struct evkeyval *field;

	TAILQ_FOREACH(field, form, next)
	{
		if (!is_utf8(field->key) || !is_utf8(field->value))
			return false;
	}
	return true;
}

bool
http_form(HttpReq *h, struct evkeyvalq *form)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(h->req);
	size_t		len = evbuffer_get_length(in);
	char	   *body = xmalloc(len + 1);
	bool		ok;

	evbuffer_copyout(in, body, len);
	body[len] = '\0';
	ok = memchr(body, '\0', len) == NULL && evhttp_parse_query_str(body, form) == 0;
	free(body);
	if (ok && !form_is_text(form))
	{
		evhttp_clear_headers(form);
		ok = false;
	}
	if (!ok)
		http_field_error(h, 400, "_", "The request body is not a form.");
	return ok;
}

/* ---------------------------------------------------------------- users */

bool
http_can_read(const User *u, const Bucket *b)
{
	for (const Grant *g = u->grants; g != NULL; g = g->next)
		if (b == NULL || strcmp(g->bucket, "*") == 0 || strcmp(g->bucket, b->name) == 0)
			return true;
	return false;
}

bool
http_can_administer(const User *u, const Bucket *b)
{
	for (const Grant *g = u->grants; g != NULL; g = g->next)
	{
		if ((g->privileges & PRIV_NODE_ADMIN) == 0 || g->scope != NULL)
			continue;
		if (strcmp(g->bucket, "*") == 0 || (b != NULL && strcmp(g->bucket, b->name) == 0))
			return true;
	}
	return false;
}

/* Decodes base64 to out (terminated, at least 3/4 of the text plus 1); returns the length or -1. */
static int
decode_base64(const char *text, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned	bits = 0;
	int			have = 0;
	int			len = 0;

	for (; *text != '\0' && *text != '='; text++)
	{
		const char *found = strchr(digits, *text);

		if (found == NULL)
			return -1;
		bits = bits << 6 | (unsigned) (found - digits);
		have += 6;
		if (have >= 8)
		{
			have -= 8;
			out[len++] = (char) (bits >> have);
			bits &= (1u << have) - 1;
		}
	}
	out[len] = '\0';
	return len;
}

/* Finds whom a client certificate names; false if one is given and names nobody. */
static bool
authenticate_by_certificate(HttpReq *h)
{
	struct evhttp_connection *c = evhttp_request_get_connection(h->req);
	SSL		   *ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(c));
	bool		shown = false;

	if (ssl != NULL)
		h->user = tls_user(h->cluster, ssl, &shown);
	return !shown || h->user != NULL;
}

/* Finds the user of the client certificate or the Authorization header; false if one is given and does not hold. */
bool
http_authenticate(HttpReq *h)
{
	const char *value = evhttp_find_header(evhttp_request_get_input_headers(h->req), "Authorization");
	char	   *plain;
	char	   *colon;
	int			len;
	bool		ok = false;

	if (!authenticate_by_certificate(h))
		return false;
	if (value == NULL || h->user != NULL)
		return true;
	if (strncasecmp(value, "Basic ", 6) != 0)
		return false;
	plain = xmalloc(strlen(value) + 1);
	len = decode_base64(value + 6 + strspn(value + 6, " "), plain);
	colon = len < 0 ? NULL : memchr(plain, ':', (size_t) len);
	if (colon != NULL)
	{
		h->user = user_find(h->cluster, plain, (size_t) (colon - plain));
		ok = h->user != NULL &&
			user_check_password(h->user, colon + 1, (size_t) (plain + len - colon - 1));
	}
	free(plain);
	return ok;
}

/* ---------------------------------------------------------------- routing */

/* Splits the path; false if it has too many segments or one that is not text. */
static bool
split_path(HttpReq *h)
{
	const char *uri = evhttp_request_get_uri(h->req);
	const char *end = uri + strcspn(uri, "?#");

	while (uri < end)
	{
		size_t		len = strcspn(uri, "/");
		char	   *raw;

		if (uri + len > end)
			len = (size_t) (end - uri);
		if (len > 0)
		{
			if (h->num_segments == HTTP_MAX_SEGMENTS)
				return false;
			raw = xstrndup(uri, len);
			h->segment[h->num_segments] = evhttp_uridecode(raw, 0, NULL);
			free(raw);
			if (!is_utf8(h->segment[h->num_segments++]))
				return false;
		}
		uri += len + (uri + len < end);
	}
	return true;
}

/* True if the path of a route is the request's; *bucket becomes the segment that names the bucket. */
static bool
route_matches(const HttpReq *h, const char *path, const char **bucket)
{
	int			i = 0;

	*bucket = NULL;
	while (*path != '\0')
	{
		size_t		len = strcspn(path, "/");

		if (i == h->num_segments)
			return false;
		if (len == 8 && memcmp(path, "{bucket}", 8) == 0)
			*bucket = h->segment[i];
		else if (!(len == 1 && *path == '*') &&
				 !(strlen(h->segment[i]) == len && memcmp(path, h->segment[i], len) == 0))
			return false;
		i++;
		path += len + (path[len] == '/');
	}
	return i == h->num_segments;
}

static const HttpRoute *
find_route(const HttpReq *h, const char **bucket, bool *other_method)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(h->req);

	*other_method = false;
	if (method == EVHTTP_REQ_HEAD)
		method = EVHTTP_REQ_GET;
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
	{
		for (const HttpRoute *r = tables[t]; r->path != NULL; r++)
		{
			if (!route_matches(h, r->path, bucket))
				continue;
			if (r->method == method)
				return r;
			*other_method = true;
		}
	}
	return NULL;
}

static bool
has_right(const HttpReq *h, HttpRight right)
{
	switch (right)
	{
		case RIGHT_NONE:
			return true;
		case RIGHT_ANY:
			return http_can_read(h->user, NULL);
		case RIGHT_BUCKET_READ:
			return h->bucket != NULL ? http_can_read(h->user, h->bucket) : http_can_administer(h->user, NULL);
		case RIGHT_BUCKET_ADMIN:
			return http_can_administer(h->user, h->bucket);
		case RIGHT_ADMIN:
			return http_can_administer(h->user, NULL);
	}
	return false;
}

/* Refuses with 401 or 403 unless the route may be used. */
static bool
authorize(HttpReq *h, const HttpRoute *r, const char *bucket)
{
	char		permission[256];
	size_t		split = strcspn(r->permission, "%");

	if (!http_authenticate(h) || (h->user == NULL && r->right != RIGHT_NONE))
	{
		add_header(h, "WWW-Authenticate", REALM);
		http_empty(h, 401);
		return false;
	}
	if (has_right(h, r->right))
		return true;
	if (r->permission[split] == '\0')
		snprintf(permission, sizeof(permission), "%s", r->permission);
	else
		snprintf(permission, sizeof(permission), "%.*s%s%s", (int) split, r->permission,
				 bucket != NULL ? bucket : ".", r->permission + split + 2);
	http_plain_text(permission);
	http_json(h, 403, json_pack("{s:s, s:[s]}", "message", "Forbidden. User needs the following permissions",
								"permissions", permission));
	return false;
}

static void
dispatch(HttpReq *h)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(h->req);
	const char *query = uri != NULL ? evhttp_uri_get_query(uri) : NULL;
	const char *bucket;
	bool		other_method;
	const HttpRoute *r;

	if (!split_path(h) || (query != NULL && evhttp_parse_query_str(query, &h->query) != 0))
	{
		http_empty(h, 400);
		return;
	}
	r = find_route(h, &bucket, &other_method);
	if (r == NULL)
	{
		if (other_method)
			http_empty(h, 405);
		else
			http_not_found(h);
		return;
	}
	if (bucket != NULL)
		h->bucket = bucket_find(h->cluster, bucket, strlen(bucket));
	if (!authorize(h, r, bucket))
		return;
	if (bucket != NULL && (h->bucket == NULL || h->bucket->config_only))
		http_not_found(h);
	else
		r->handler(h);
}

/* Does what the fault of the node wants with a request; false if there is none. */
static bool
apply_fault(HttpReq *h)
{
	HttpFault  *f = &h->node->http_fault;

	if (f->remaining == 0)
		return false;
	if (f->remaining > 0)
		f->remaining--;
	switch (f->kind)
	{
		case HTTP_FAULT_STATUS:
			http_text(h, f->status, "text/plain", "fault", 5);
			break;
		case HTTP_FAULT_CLOSE:
			evhttp_connection_free(evhttp_request_get_connection(h->req));
			break;
		case HTTP_FAULT_SILENT:
			http_hold(h->http, h->req);
			break;
	}
	return true;
}

void
http_work(HttpNode *http, struct evhttp_request *req)
{
	HttpReq		h = {.http = http, .node = http->node, .cluster = http->node->cluster, .req = req};

	TAILQ_INIT(&h.query);
	if (apply_fault(&h))
		return;
	dispatch(&h);
	for (int i = 0; i < h.num_segments; i++)
		free(h.segment[i]);
	evhttp_clear_headers(&h.query);
}
