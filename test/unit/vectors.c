/*
 * vectors.c
 *		Reads the recorded conversations.
 */
#include "vectors.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef VECTORS_DIR
#define VECTORS_DIR "test/vectors/kv"
#endif

static Exchange *exchanges;
static size_t nexchanges;
static json_t **lines;
static char **files;
static size_t nfiles;

_Noreturn static void
die(const char *what, const char *where)
{
	fprintf(stderr, "vectors: %s: %s\n", where, what);
	exit(EXIT_FAILURE);
}

static void
append_hex(CbBuf *buf, const char *hex, size_t len, size_t repeat)
{
	CbBuf		bytes = {0};

	for (size_t i = 0; i + 1 < len; i += 2)
	{
		char		pair[3] = {hex[i], hex[i + 1], '\0'};

		cb_buf_append_u8(&bytes, (uint8_t) strtoul(pair, NULL, 16));
	}
	while (repeat-- > 0)
		cb_buf_append_span(buf, cb_buf_span(&bytes));
	cb_buf_free(&bytes);
}

static void
append_part(CbBuf *buf, const json_t *part)
{
	const char *gen = json_string_value(json_object_get(part, "gen"));
	const char *star;

	if (json_is_string(part))
	{
		append_hex(buf, json_string_value(part), json_string_length(part), 1);
		return;
	}
	if (gen == NULL || (star = strchr(gen, '*')) == NULL)
		die("unknown form of bytes", "?");
	append_hex(buf, gen, (size_t) (star - gen), strtoul(star + 1, NULL, 10));
}

/* malloc'd bytes of a hex text, or of a list of hex texts and repetitions. */
static CbSpan
expand(const json_t *value)
{
	CbBuf		buf = {0};

	if (!json_is_array(value))
		append_part(&buf, value);
	for (size_t i = 0; i < json_array_size(value); i++)
		append_part(&buf, json_array_get(value, i));
	if (buf.oom)
		die("out of memory", "?");
	return cb_buf_span(&buf);
}

static const char *
text(const json_t *line, const char *name)
{
	const char *value = json_string_value(json_object_get(line, name));

	return value == NULL ? "" : value;
}

static void
add_exchange(const char *file, json_t *line)
{
	Exchange	new = {.file = file, .json = line};
	const json_t *responses = json_object_get(line, "responses");

	new.scenario = text(line, "scenario");
	new.step = (int) json_integer_value(json_object_get(line, "step"));
	new.note = text(line, "note");
	new.role = text(line, "role");
	new.stream = strcmp(text(line, "mode"), "stream") == 0;
	new.closed = json_is_true(json_object_get(line, "closed"));
	new.request = expand(json_object_get(line, "request"));
	new.nresponses = json_array_size(responses);
	new.responses = calloc(new.nresponses + 1, sizeof(CbSpan));
	for (size_t i = 0; i < new.nresponses; i++)
		new.responses[i] = expand(json_array_get(responses, i));
	exchanges = realloc(exchanges, (nexchanges + 1) * sizeof(*exchanges));
	lines = realloc(lines, (nexchanges + 1) * sizeof(*lines));
	if (exchanges == NULL || lines == NULL)
		die("out of memory", file);
	exchanges[nexchanges] = new;
	lines[nexchanges] = line;
	nexchanges++;
}

static void
read_file(const char *path)
{
	FILE	   *in = fopen(path, "r");
	char	   *line = NULL;
	size_t		size = 0;
	const char *base = strrchr(path, '/') + 1;
	char	   *name = strndup(base, strcspn(base, "."));

	files = realloc(files, (nfiles + 1) * sizeof(*files));
	if (in == NULL || files == NULL || name == NULL)
		die("cannot be read", path);
	files[nfiles++] = name;
	while (getline(&line, &size, in) > 0)
	{
		json_t	   *json = json_loads(line, 0, NULL);

		if (json == NULL)
			die("not JSON", path);
		if (json_object_get(json, "header") != NULL)
			json_decref(json);
		else
			add_exchange(name, json);
	}
	free(line);
	fclose(in);
}

const Exchange *
vectors_all(size_t *count)
{
	if (exchanges == NULL)
	{
		glob_t		found;

		if (glob(VECTORS_DIR "/*.jsonl", 0, NULL, &found) != 0)
			die("no vectors (run from the top folder)", VECTORS_DIR);
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_file(found.gl_pathv[i]);
		globfree(&found);
	}
	*count = nexchanges;
	return exchanges;
}

void
vectors_free(void)
{
	for (size_t i = 0; i < nexchanges; i++)
	{
		free((void *) exchanges[i].request.data);
		for (size_t j = 0; j < exchanges[i].nresponses; j++)
			free((void *) exchanges[i].responses[j].data);
		free(exchanges[i].responses);
		json_decref(lines[i]);
	}
	for (size_t i = 0; i < nfiles; i++)
		free(files[i]);
	free(files);
	free(exchanges);
	free(lines);
}

static CbSpan
cut(CbSpan *rest, size_t len)
{
	CbSpan		part = {rest->data, len};

	rest->data += len;
	rest->len -= len;
	return part;
}

bool
vectors_next_request(CbSpan *rest, RawRequest *request)
{
	const uint8_t *p = rest->data;
	size_t		body;
	size_t		frames;
	size_t		key;
	CbSpan		left;

	if (rest->len < 24 || (p[0] != 0x80 && p[0] != 0x08))
		return false;
	body = cb_get_u32(p + 8);
	frames = p[0] == 0x08 ? p[2] : 0;
	key = p[0] == 0x08 ? p[3] : cb_get_u16(p + 2);
	if (body > rest->len - 24 || frames + key + p[4] > body)
		return false;
	request->whole = cut(rest, 24 + body);
	request->magic = p[0];
	request->opcode = p[1];
	request->datatype = p[5];
	request->vbucket = cb_get_u16(p + 6);
	request->opaque = cb_get_u32(p + 12);
	request->cas = cb_get_u64(p + 16);
	left = cb_span(p + 24, body);
	request->frames = cut(&left, frames);
	request->extras = cut(&left, p[4]);
	request->key = cut(&left, key);
	request->value = left;
	return true;
}

CbSpan
vectors_response_to(const Exchange *exchange, const RawRequest *request)
{
	for (size_t i = 0; i < exchange->nresponses; i++)
	{
		CbSpan		response = exchange->responses[i];

		if (response.len >= 24 && response.data[1] == request->opcode &&
			cb_get_u32(response.data + 12) == request->opaque)
			return response;
	}
	return CB_SPAN_EMPTY;
}
