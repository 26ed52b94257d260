/*
 * path.c
 *		Parser and writer of document paths.
 */
#include "path.h"

#include <stdlib.h>
#include <string.h>

#define SUBDOC_MAX_PATH 1024

typedef struct PathParser
{
	const char *start;
	const char *p;
	CbError    *err;
} PathParser;

/* 1-based position in characters. */
static int
position(const PathParser *parser)
{
	int			n = 1;

	for (const char *p = parser->start; p < parser->p; p++)
	{
		if (((uint8_t) *p & 0xc0) != 0x80)
			n++;
	}
	return n;
}

static CbResult
refuse(PathParser *parser, const char *expected)
{
	return cb_error_set(parser->err, CB_MALFORMED,
						"Write paths like geo.lat, tags[0] or `odd.name`.x; a "
						"name that holds . [ ] or ` goes between backticks.",
						"%s at character %d of path \"%s\"", expected,
						position(parser), parser->start);
}

static CbPathStep *
add_step(CbPath *path)
{
	CbPathStep *steps = realloc(path->steps, (path->nsteps + 1) * sizeof(*steps));

	if (steps == NULL)
		return NULL;
	path->steps = steps;
	steps[path->nsteps] = (CbPathStep) {0};
	return &steps[path->nsteps++];
}

static CbResult
parse_index(PathParser *parser, CbPath *path)
{
	int64_t		index = 0;
	CbPathStep *step;

	parser->p++;
	if (*parser->p == '-')
		return refuse(parser, "array indexes count from 0, negative ones do not exist:"
					  " expected a digit");
	if (*parser->p < '0' || *parser->p > '9')
		return refuse(parser, "expected an array index");
	for (; *parser->p >= '0' && *parser->p <= '9'; parser->p++)
	{
		index = index * 10 + (*parser->p - '0');
		if (index > CB_PATH_MAX_INDEX)
			return refuse(parser, "array index too large");
	}
	if (*parser->p != ']')
		return refuse(parser, "expected \"]\"");
	parser->p++;
	step = add_step(path);
	if (step == NULL)
		return CB_NOMEM;
	step->index = (int32_t) index;
	return CB_OK;
}

static CbResult
parse_quoted(PathParser *parser, CbBuf *name)
{
	parser->p++;
	for (;;)
	{
		if (*parser->p == '\0')
			return refuse(parser, "expected a closing backtick");
		if (*parser->p == '`')
		{
			parser->p++;
			if (*parser->p != '`')
				break;
		}
		cb_buf_append_u8(name, (uint8_t) *parser->p);
		parser->p++;
	}
	if (name->len == 0 && !name->oom)
		return refuse(parser, "expected a name between backticks");
	return cb_buf_result(name);
}

static CbResult
parse_name(PathParser *parser, CbPath *path)
{
	CbBuf		name = {0};
	CbResult	result = CB_OK;
	CbPathStep *step;

	if (*parser->p == '`')
		result = parse_quoted(parser, &name);
	else
	{
		size_t		len = strcspn(parser->p, ".[]`");

		cb_buf_append(&name, parser->p, len);
		parser->p += len;
		result = len == 0 ? refuse(parser, "expected a name") : cb_buf_result(&name);
	}
	if (result == CB_OK)
	{
		step = add_step(path);
		if (step == NULL || (step->name = cb_span_dup(cb_buf_span(&name))) == NULL)
			result = CB_NOMEM;
		else
			step->name_len = name.len;
	}
	cb_buf_free(&name);
	return result;
}

static CbResult
parse_steps(PathParser *parser, CbPath *path)
{
	CbResult	result;

	result = *parser->p == '[' ? parse_index(parser, path) : parse_name(parser, path);
	while (result == CB_OK && *parser->p != '\0')
	{
		if (path->nsteps == CB_PATH_MAX_STEPS)
			return cb_error_set(parser->err, CB_LIMIT, NULL,
								"path \"%s\" has more than %d levels",
								parser->start, CB_PATH_MAX_STEPS);
		if (*parser->p == '[')
			result = parse_index(parser, path);
		else if (*parser->p == '.')
		{
			parser->p++;
			result = parse_name(parser, path);
		}
		else
			return refuse(parser, "expected \".\", \"[\" or the end");
	}
	return result;
}

CbResult
cb_path_parse(const char *text, CbPath *path, CbError *err)
{
	PathParser	parser = {text, text, err};
	CbResult	result;

	*path = (CbPath) {0};
	result = parse_steps(&parser, path);
	if (result == CB_NOMEM)
		cb_error_set(err, CB_NOMEM, NULL, "out of memory");
	if (result != CB_OK)
		cb_path_free(path);
	return result;
}

CbResult
cb_path_from_name(const char *name, CbPath *path)
{
	CbPathStep *step;

	*path = (CbPath) {0};
	step = add_step(path);
	if (step == NULL || (step->name = cb_span_dup(cb_span_cstr(name))) == NULL)
	{
		cb_path_free(path);
		return CB_NOMEM;
	}
	step->name_len = strlen(name);
	return CB_OK;
}

void
cb_path_free(CbPath *path)
{
	for (size_t i = 0; i < path->nsteps; i++)
		free(path->steps[i].name);
	free(path->steps);
	*path = (CbPath) {0};
}

void
cb_path_append(CbBuf *buf, const CbPath *path)
{
	for (size_t i = 0; i < path->nsteps; i++)
	{
		const CbPathStep *step = &path->steps[i];

		if (step->name == NULL)
		{
			cb_buf_append_format(buf, "[%d]", (int) step->index);
			continue;
		}
		if (i > 0)
			cb_buf_append_u8(buf, '.');
		if (step->name_len > 0 && strcspn(step->name, ".[]`") == step->name_len)
		{
			cb_buf_append(buf, step->name, step->name_len);
			continue;
		}
		cb_buf_append_u8(buf, '`');
		for (size_t j = 0; j < step->name_len; j++)
		{
			if (step->name[j] == '`')
				cb_buf_append_u8(buf, '`');
			cb_buf_append_u8(buf, (uint8_t) step->name[j]);
		}
		cb_buf_append_u8(buf, '`');
	}
}

CbResult
cb_path_append_subdoc(CbBuf *buf, const CbPath *path)
{
	size_t		before = buf->len;

	for (size_t i = 0; i < path->nsteps; i++)
	{
		const CbPathStep *step = &path->steps[i];

		if (step->name == NULL)
			continue;
		if (step->name_len == 0)
			return CB_UNSUPPORTED;
		for (size_t j = 0; j < step->name_len; j++)
		{
			uint8_t		c = (uint8_t) step->name[j];

			if (c == '"' || c == '\\' || c < 0x20 || c == 0x7f)
				return CB_UNSUPPORTED;
		}
	}
	cb_path_append(buf, path);
	if (buf->oom)
		return CB_NOMEM;
	if (buf->len - before > SUBDOC_MAX_PATH)
	{
		buf->len = before;
		return CB_LIMIT;
	}
	return CB_OK;
}
