/*
 * param_table.c: the parameters of a request with the checks and texts of the server (couchbase/query,
 * server/http/service_request.go).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../util.h"
#include "param_table.h"

#define MAX_CLIENT_ID 64

/* ---------------------------------------------------------------- kinds of values */

/* *out becomes a malloced text (freed before if there was one). */
static bool
text_value(QueryParams *p, const char *name, const Given *g, char **out, size_t *len)
{
	if (g->json.text != NULL && g->json.text[0] != '"')
		return query_params_fail(p, 1070, "%s has to be of type string", name);
	free(*out);
	if (g->json.text != NULL)
		*out = body_string(g->json, len);
	else
	{
		*out = xstrndup(g->text, g->len);
		if (len != NULL)
			*len = g->len;
	}
	return true;
}

static bool
tristate_value(QueryParams *p, const char *name, const Given *g, Tristate *out)
{
	static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
	static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};

	if (g->json.text != NULL)
	{
		if (g->json.text[0] != 't' && g->json.text[0] != 'f')
			return query_params_fail(p, 1070, "%s has to be of type boolean", name);
		*out = g->json.text[0] == 't' ? TRI_TRUE : TRI_FALSE;
		return true;
	}
	*out = TRI_NONE;
	if (g->len == 0)
		return true;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
	{
		if (strcmp(g->text, yes[i]) == 0)
			*out = TRI_TRUE;
		if (strcmp(g->text, no[i]) == 0)
			*out = TRI_FALSE;
	}
	return *out != TRI_NONE ||
		query_params_fail(p, 1040, "Error processing %s - cause: unable to parse tristate as a boolean", name);
}

static bool
invalid(QueryParams *p, const char *name)
{
	return query_params_fail(p, 1040, "Error processing %s - cause: %s is invalid", name, name);
}

/* An integer of min and more: a JSON number is cut to one, a text has to be one. */
static bool
integer_value(QueryParams *p, const char *name, const Given *g, double min, double *out)
{
	char	   *text = NULL;
	char	   *end;
	bool		ok;

	if (g->json.text != NULL && strchr("-0123456789", g->json.text[0]) != NULL)
	{
		*out = strtod(g->json.text, NULL);
		return *out >= min || invalid(p, name);
	}
	if (g->json.text != NULL && g->json.text[0] != '"')
		return invalid(p, name);
	if (!text_value(p, name, g, &text, NULL))
		return false;
	errno = 0;
	*out = (double) strtoll(text, &end, 10);
	ok = errno == 0 && end != text && *end == '\0' && *out >= min && strchr("-+0123456789", text[0]) != NULL;
	free(text);
	return ok || invalid(p, name);
}

static bool
duration_value(QueryParams *p, const char *name, const Given *g, int64_t *ns)
{
	char	   *text = NULL;
	bool		ok = true;

	if (!text_value(p, name, g, &text, NULL))
		return false;
	*ns = 0;
	if (text[0] != '\0' && !duration_parse(text, ns))
		ok = query_params_fail(p, 1040, "Error processing duration - cause: Unable to parse duration: %s", text);
	free(text);
	return ok;
}

/* What is checked once it is known who asks; JSON keeps its text. */
static bool
kept_value(QueryParams *p, const char *name, const Given *g, char **out)
{
	if (g->json.text != NULL && g->json.text[0] == 'n')
		return query_params_fail(p, 1040, "Error processing %s - cause: value is not specified", name);
	free(*out);
	*out = g->json.text != NULL ? xstrndup(g->json.text, g->json.len) : xstrndup(g->text, g->len);
	return true;
}

/* ---------------------------------------------------------------- parameters */

static bool
on_statement(QueryParams *p, const char *name, const Given *g)
{
	p->num_statements++;
	return text_value(p, name, g, &p->statement, &p->statement_len);
}

static bool
on_prepared(QueryParams *p, const char *name, const Given *g)
{
	if (g->json.text != NULL && g->json.text[0] != '"')
		return query_params_fail(p, 4070, "Unrecognizable prepared statement - cause: Invalid prepared stmt %.*s",
								 (int) g->json.len, g->json.text);
	if (!text_value(p, name, g, &p->prepared, NULL))
		return false;
	if (p->prepared[0] == '"' && p->prepared[1] != '\0' && g->json.text == NULL)
	{
		size_t		len = strlen(p->prepared);

		if (p->prepared[len - 1] == '"')
			p->prepared[len - 1] = '\0';
		memmove(p->prepared, p->prepared + 1, strlen(p->prepared));
	}
	if (p->prepared[0] == '\0')
		return true;
	p->num_statements++;
	if (p->knows(p->arg, p->prepared, p->query_context))
		return true;
	return query_params_fail(p, 4040, "No such prepared statement: %s, context: %s", p->prepared,
							 p->query_context != NULL && p->query_context[0] != '\0' ? p->query_context : "unset");
}

static bool
on_args(QueryParams *p, const char *name, const Given *g)
{
	BodyScan	s;
	const char *text = g->json.text != NULL ? g->json.text : g->text;
	size_t		len = g->json.text != NULL ? g->json.len : g->len;

	(void) name;
	if (g->json.text != NULL && text[0] != '[')
		return query_params_fail(p, 1070, "args has to be of type array");
	if (len == 0)
		return true;
	if (g->json.text == NULL && (!body_check(&s, text, len) || text[0] != '['))
		return query_params_fail(p, 1040, "Error processing args - cause: unable to parse args parameter as array");
	free(p->args);
	p->args = xstrndup(text, len);
	p->args_len = len;
	return true;
}

static bool
on_timeout(QueryParams *p, const char *name, const Given *g)
{
	return duration_value(p, name, g, &p->timeout_ns);
}

static bool
on_duration(QueryParams *p, const char *name, const Given *g)
{
	int64_t		ns;

	return duration_value(p, name, g, &ns);
}

static bool
on_integer(QueryParams *p, const char *name, const Given *g)
{
	double		n;

	return integer_value(p, name, g, -1e300, &n);
}

static bool
on_unsigned(QueryParams *p, const char *name, const Given *g)
{
	double		n;

	return integer_value(p, name, g, 0, &n);
}

static bool
on_num_atrs(QueryParams *p, const char *name, const Given *g)
{
	double		n;

	if (!integer_value(p, name, g, 0, &n))
		return false;
	return (n >= 1 && n < 65536) ||
		query_params_fail(p, 1040, "Error processing %s - cause: number of Atrs is invalid", name);
}

static bool
on_text(QueryParams *p, const char *name, const Given *g)
{
	char	   *text = NULL;
	bool		ok = text_value(p, name, g, &text, NULL);

	free(text);
	return ok;
}

static bool
on_boolean(QueryParams *p, const char *name, const Given *g)
{
	Tristate	t;

	return tristate_value(p, name, g, &t);
}

static bool
on_readonly(QueryParams *p, const char *name, const Given *g)
{
	if (!tristate_value(p, name, g, &p->readonly))
		return false;
	if (g->get && p->readonly == TRI_FALSE)
		return query_params_fail(p, 1090, "readonly = false is invalid. This cannot be used with HTTP GET method.");
	return true;
}

/* One of a list of names in any case; else 1020 if the server would know it, or 1030. */
static bool
on_choice(QueryParams *p, const char *name, const Given *g, const char *good, const char *known)
{
	char	   *text = NULL;
	char		upper[16];
	char		padded[20];
	bool		ok;

	if (!text_value(p, name, g, &text, NULL))
		return false;
	snprintf(upper, sizeof(upper), "%s", text);
	for (char *c = upper; *c != '\0'; c++)
		*c = (char) (*c >= 'a' && *c <= 'z' ? *c - 0x20 : *c);
	snprintf(padded, sizeof(padded), " %s ", upper);
	ok = text[0] == '\0' || strstr(good, padded) != NULL;
	if (!ok && strstr(known, padded) != NULL)
		query_params_fail(p, 1020, "%s %s not yet implemented", text, name);
	else if (!ok)
		query_params_fail(p, 1030, "Unknown %s value: %s", name, text);
	free(text);
	return ok;
}

static bool
on_format(QueryParams *p, const char *name, const Given *g)
{
	return on_choice(p, name, g, " JSON ", " XML CSV TSV ");
}

static bool
on_compression(QueryParams *p, const char *name, const Given *g)
{
	return on_choice(p, name, g, " NONE ", " ZIP RLE LZMA LZO ");
}

static bool
on_encoding(QueryParams *p, const char *name, const Given *g)
{
	return on_choice(p, name, g, " UTF-8 ", "");
}

static bool
on_signature(QueryParams *p, const char *name, const Given *g)
{
	return tristate_value(p, name, g, &p->signature);
}

static bool
on_pretty(QueryParams *p, const char *name, const Given *g)
{
	return tristate_value(p, name, g, &p->pretty);
}

static bool
on_metrics(QueryParams *p, const char *name, const Given *g)
{
	return tristate_value(p, name, g, &p->metrics);
}

static bool
on_controls(QueryParams *p, const char *name, const Given *g)
{
	return tristate_value(p, name, g, &p->controls);
}

static bool
on_use_cbo(QueryParams *p, const char *name, const Given *g)
{
	return tristate_value(p, name, g, &p->use_cbo);
}

static bool
on_preserve_expiry(QueryParams *p, const char *name, const Given *g)
{
	return tristate_value(p, name, g, &p->preserve_expiry);
}

static bool
on_auto_prepare(QueryParams *p, const char *name, const Given *g)
{
	if (!tristate_value(p, name, g, &p->auto_prepare))
		return false;
	return p->auto_execute != TRI_TRUE || query_params_fail(p, 1060, "Multiple values for auto_execute and auto_prepare.");
}

static bool
on_auto_execute(QueryParams *p, const char *name, const Given *g)
{
	if (!tristate_value(p, name, g, &p->auto_execute))
		return false;
	return p->auto_prepare != TRI_TRUE || query_params_fail(p, 1060, "Multiple values for auto_execute and auto_prepare.");
}

static bool
on_sort_projection(QueryParams *p, const char *name, const Given *g)
{
	Tristate	t;

	if (!tristate_value(p, name, g, &t))
		return false;
	p->sort_projection = t != TRI_FALSE;
	return true;
}

static bool
on_profile(QueryParams *p, const char *name, const Given *g)
{
	char	   *text = NULL;

	if (!text_value(p, name, g, &text, NULL))
		return false;
	p->profile = strcmp(text, "timings") == 0 ? PROFILE_TIMINGS : strcmp(text, "phases") == 0 ? PROFILE_PHASES : PROFILE_OFF;
	free(text);
	return true;
}

/* Bytes beyond the 64th are cut off; what would break JSON is refused. */
static bool
on_client_context_id(QueryParams *p, const char *name, const Given *g)
{
	if (!text_value(p, name, g, &p->client_context_id, NULL))
		return false;
	if (strlen(p->client_context_id) > MAX_CLIENT_ID)
		p->client_context_id[MAX_CLIENT_ID] = '\0';
	return strpbrk(p->client_context_id, "\"\\") == NULL ||
		query_params_fail(p, 1110, "forbidden character (\\ or \") in client_context_id");
}

static bool
on_query_context(QueryParams *p, const char *name, const Given *g)
{
	return text_value(p, name, g, &p->query_context, NULL);
}

static bool
on_durability_level(QueryParams *p, const char *name, const Given *g)
{
	static const char *const levels[] = {"", "none", "majority", "majorityAndPersistActive", "persistToMajority"};
	char	   *text = NULL;
	bool		ok = false;

	if (!text_value(p, name, g, &text, NULL))
		return false;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		ok = ok || strcmp(text, levels[i]) == 0;
	free(text);
	return ok || invalid(p, name);
}

/* One of the words, in any case; the text of the refusal is that of a value within a value. */
static bool
on_word(QueryParams *p, const char *name, const Given *g, const char *const *words)
{
	char	   *text = NULL;
	bool		ok = false;

	if (!text_value(p, name, g, &text, NULL))
		return false;
	for (; *words != NULL; words++)
		ok = ok || strcasecmp(text, *words) == 0;
	if (!ok)
		query_params_fail(p, 1040, "Error processing %s - cause: Unknown %s value: %s", name, name, text);
	free(text);
	return ok;
}

static bool
on_use_replica(QueryParams *p, const char *name, const Given *g)
{
	static const char *const words[] = {"on", "off", "unset", "true", "false", "", NULL};

	return on_word(p, name, g, words);
}

static bool
on_log_level(QueryParams *p, const char *name, const Given *g)
{
	static const char *const words[] = {"none", "debug", "trace", "info", "warn", "error", "severe", "fatal", NULL};

	return on_word(p, name, g, words);
}

static bool
on_consistency(QueryParams *p, const char *name, const Given *g)
{
	p->has_consistency = true;
	return kept_value(p, name, g, &p->scan_consistency);
}

static bool
on_scan_wait(QueryParams *p, const char *name, const Given *g)
{
	p->has_consistency = true;
	return kept_value(p, name, g, &p->scan_wait);
}

static bool
on_scan_vector(QueryParams *p, const char *name, const Given *g)
{
	p->has_consistency = true;
	return kept_value(p, name, g, &p->scan_vector);
}

static bool
on_scan_vectors(QueryParams *p, const char *name, const Given *g)
{
	p->has_consistency = true;
	return kept_value(p, name, g, &p->scan_vectors);
}

static bool
on_creds(QueryParams *p, const char *name, const Given *g)
{
	return kept_value(p, name, g, &p->creds);
}

/* Accepted and of no consequence here. */
static bool
on_anything(QueryParams *p, const char *name, const Given *g)
{
	(void) p;
	(void) name;
	(void) g;
	return true;
}

static const Param params[] = {
	{"n1ql_feat_ctrl", true, on_unsigned},
	{"max_index_api", true, on_integer},
	{"query_context", true, on_query_context},
	{"namespace", true, on_text},
	{"encoded_plan", true, on_anything},
	{"txid", true, on_text},
	{"scan_consistency", true, on_consistency},
	{"statement", false, on_statement},
	{"prepared", false, on_prepared},
	{"creds", false, on_creds},
	{"args", false, on_args},
	{"timeout", false, on_timeout},
	{"scan_wait", false, on_scan_wait},
	{"scan_vector", false, on_scan_vector},
	{"scan_vectors", false, on_scan_vectors},
	{"max_parallelism", false, on_integer},
	{"scan_cap", false, on_integer},
	{"pipeline_cap", false, on_integer},
	{"pipeline_batch", false, on_integer},
	{"readonly", false, on_readonly},
	{"metrics", false, on_metrics},
	{"format", false, on_format},
	{"encoding", false, on_encoding},
	{"compression", false, on_compression},
	{"signature", false, on_signature},
	{"pretty", false, on_pretty},
	{"client_context_id", false, on_client_context_id},
	{"profile", false, on_profile},
	{"controls", false, on_controls},
	{"auto_prepare", false, on_auto_prepare},
	{"auto_execute", false, on_auto_execute},
	{"use_fts", false, on_boolean},
	{"memory_quota", false, on_unsigned},
	{"use_cbo", false, on_use_cbo},
	{"tximplicit", false, on_boolean},
	{"txstmtnum", false, on_integer},
	{"txtimeout", false, on_duration},
	{"txdata", false, on_anything},
	{"durability_level", false, on_durability_level},
	{"kvtimeout", false, on_duration},
	{"atrcollection", false, on_text},
	{"numatrs", false, on_num_atrs},
	{"preserve_expiry", false, on_preserve_expiry},
	{"error_limit", false, on_integer},
	{"sort_projection", false, on_sort_projection},
	{"loglevel", false, on_log_level},
	{"use_replica", false, on_use_replica},
	{"duration_style", false, on_text},
};

const Param *
param_find(const char *name)
{
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		if (strcasecmp(params[i].name, name) == 0)
			return &params[i];
	return NULL;
}
