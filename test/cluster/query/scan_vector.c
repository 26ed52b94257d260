/*
 * scan_vector.c: scan_consistency and its vectors, checked as the server does.
 */
#include <stdlib.h>
#include <string.h>

#include "../util.h"
#include "params.h"

#define VECTOR_ENTRY_TYPE "array of length 2"

static bool
is_integer(BodyValue v)
{
	return v.len > 0 && v.len < 20 && strspn(v.text, "0123456789") >= v.len;
}

/* [sequence number, vBucket uuid] */
static bool
read_entry(QueryParams *p, const char *keyspace, uint32_t vbucket, BodyValue entry)
{
	BodyValue	rest = entry;
	BodyValue	part[2];
	BodyValue	third;
	ScanPoint  *point;

	if (!body_next_element(&rest, &part[0]) || !body_next_element(&rest, &part[1]) || body_next_element(&rest, &third))
		return query_params_fail(p, 1140, "Array %.*s should be of length 2", (int) entry.len, entry.text);
	if (!is_integer(part[0]))
		return query_params_fail(p, 1150, "Bad sequence number %.*s. Expected an unsigned 64-bit integer.",
								 (int) part[0].len, part[0].text);
	if (part[1].text[0] != '"' && !is_integer(part[1]))
		return query_params_fail(p, 1155, "Bad UUID %.*s. Expected a string.", (int) part[1].len, part[1].text);
	point = xcalloc(1, sizeof(*point));
	point->keyspace = keyspace != NULL ? xstrdup(keyspace) : NULL;
	point->vbucket = vbucket;
	point->seqno = strtoull(part[0].text, NULL, 10);
	point->uuid = part[1].text[0] == '"' ? body_string(part[1], NULL) : xstrndup(part[1].text, part[1].len);
	point->next = p->points;
	p->points = point;
	return true;
}

/* {"vBucket": [seqno, uuid]}; it does not name every vBucket. */
static bool
read_sparse(QueryParams *p, const char *keyspace, BodyValue map)
{
	BodyValue	value;
	char	   *key;
	bool		ok = true;

	while (ok && body_next_member(&map, &key, &value))
	{
		char	   *end;
		unsigned long vbucket = strtoul(key, &end, 10);

		if (end == key || *end != '\0')
			ok = query_params_fail(p, 1040, "Error processing scan_vector - cause: Key value is not integer: %s", key);
		else if (value.text[0] != '[')
			ok = query_params_fail(p, 1070, "scan vector entry has to be of type two-element array");
		else
			ok = read_entry(p, keyspace, (uint32_t) vbucket, value);
		free(key);
	}
	return ok;
}

static bool
read_full(QueryParams *p, const char *keyspace, BodyValue array)
{
	BodyValue	rest = array;
	BodyValue	entry;
	uint32_t	count = 0;

	while (body_next_element(&rest, &entry))
		count++;
	if (count != 64 && count != 128 && count != 1024)
		return query_params_fail(p, 1070, "scan_vector has to be of type array of (64, 128, 1024) entries");
	for (uint32_t i = 0; body_next_element(&array, &entry); i++)
	{
		if (entry.text[0] != '[')
			return query_params_fail(p, 1070, "entry of a full scan vector has to be of type " VECTOR_ENTRY_TYPE);
		if (!read_entry(p, keyspace, i, entry))
			return false;
	}
	return true;
}

/* A vector of either form. */
static bool
read_vector(QueryParams *p, const char *keyspace, const char *name, BodyValue v)
{
	if (v.text[0] == '{')
		return read_sparse(p, keyspace, v);
	if (v.text[0] == '[')
		return read_full(p, keyspace, v);
	return query_params_fail(p, 1070, "%s has to be of type full or sparse vector", name);
}

static bool
read_vectors(QueryParams *p, BodyValue map)
{
	BodyValue	value;
	char	   *key;
	bool		ok = true;

	if (map.text[0] != '{')
		return query_params_fail(p, 1070, "scan_vectors has to be of type map of strings to vectors");
	while (ok && body_next_member(&map, &key, &value))
	{
		ok = read_vector(p, key, key, value);
		free(key);
	}
	return ok;
}

/* The text of a parameter kept as JSON or as it stood in a form; malloced. */
static char *
plain_text(QueryParams *p, const char *name, const char *kept)
{
	BodyValue	v = {kept, strlen(kept)};

	if (kept[0] == '"')
		return body_string(v, NULL);
	if (kept[0] == '{' || kept[0] == '[' || strcmp(kept, "true") == 0 || strcmp(kept, "false") == 0 ||
		is_integer(v))
	{
		query_params_fail(p, 1070, "%s has to be of type string", name);
		return NULL;
	}
	return xstrdup(kept);
}

static bool
read_level(QueryParams *p)
{
	static const char *const names[] = {"not_set", "not_bounded", "request_plus", "statement_plus", "at_plus"};
	char	   *text;
	bool		known = false;

	if (p->scan_consistency == NULL)
		return true;
	text = plain_text(p, "scan_consistency", p->scan_consistency);
	if (text == NULL)
		return false;
	if (text[0] == '\0')
		known = true;
	for (int i = 0; i < 5; i++)
	{
		if (strcasecmp(text, names[i]) == 0)
		{
			p->consistency = (ScanConsistency) i;
			known = true;
		}
	}
	if (!known)
		query_params_fail(p, 1030, "Unknown scan_consistency value: %s", text);
	free(text);
	return known;
}

static bool
read_wait(QueryParams *p)
{
	int64_t		ns;
	char	   *text;
	bool		ok;

	if (p->scan_wait == NULL)
		return true;
	text = plain_text(p, "scan_wait", p->scan_wait);
	if (text == NULL)
		return false;
	ok = text[0] == '\0' || duration_parse(text, &ns) ||
		query_params_fail(p, 1040, "Error processing duration - cause: Unable to parse duration: %s", text);
	free(text);
	return ok;
}

/* The JSON of a vector; false if it is none. A form leaves it unchecked until now. */
static bool
vector_json(QueryParams *p, const char *kept, const char *name, const char *words, BodyValue *v)
{
	BodyScan	s;

	if (kept == NULL || kept[0] == '\0')
		return false;
	*v = (BodyValue) {kept, strlen(kept)};
	return body_check(&s, v->text, v->len) ||
		query_params_fail(p, 1040, "Error processing %s - cause: unable to parse %s", name, words);
}

bool
query_params_consistency(QueryParams *p)
{
	BodyValue	v;

	if (!read_level(p) || !read_wait(p))
		return false;
	if (vector_json(p, p->scan_vector, "scan_vector", "scan vector", &v) && !read_vector(p, NULL, "scan_vector", v))
		return false;
	if (vector_json(p, p->scan_vectors, "scan_vectors", "scan vectors", &v) && !read_vectors(p, v))
		return false;
	if (p->error != NULL)
		return false;
	if (p->scan_vector != NULL && p->scan_vectors != NULL)
		return query_params_fail(p, 1060, "Multiple values for scan_vector and scan_vectors.");
	if (p->consistency == SCAN_AT_PLUS && p->points == NULL)
		return query_params_fail(p, 1050, "No scan_vector value");
	return true;
}

void
query_params_free(QueryParams *p)
{
	char	   *texts[] = {
		p->statement, p->prepared, p->args, p->query_context, p->client_context_id, p->scan_consistency, p->scan_wait,
		p->scan_vector, p->scan_vectors, p->creds
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	while (p->named != NULL)
	{
		QueryArg   *next = p->named->next;

		free(p->named->name);
		free(p->named->text);
		free(p->named);
		p->named = next;
	}
	while (p->points != NULL)
	{
		ScanPoint  *next = p->points->next;

		free(p->points->keyspace);
		free(p->points->uuid);
		free(p->points);
		p->points = next;
	}
	query_errors_free(p->error);
}
