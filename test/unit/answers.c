/*
 * answers.c
 *		Reads the recorded answers of a query service and lays them out as bodies.
 */
#include "answers.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWERS_DIR "test/vectors/sqlpp"

static Answer *answers;
static size_t nanswers;
static json_t **lines;

_Noreturn static void
die(const char *what, const char *where)
{
	fprintf(stderr, "answers: %s: %s\n", where, what);
	exit(EXIT_FAILURE);
}

/* An array of errors or warnings, printed as the service prints them. */
static void
append_errors(CbBuf *body, const char *name, const json_t *list)
{
	char	   *text;

	if (json_array_size(list) == 0)
		return;
	text = json_dumps(list, JSON_COMPACT);
	cb_buf_append_format(body, "\"%s\": ", name);
	cb_buf_append_cstr(body, text);
	cb_buf_append_cstr(body, ",\n");
	free(text);
}

static void
lay_out(Answer *answer, const json_t *line)
{
	CbBuf	   *body = &answer->text;

	cb_buf_append_format(body, "{\n\"requestID\": \"%s\",\n", answer->id);
	if (json_is_array(answer->rows))
	{
		cb_buf_append_cstr(body, "\"results\": [\n");
		for (size_t i = 0; i < json_array_size(answer->rows); i++)
		{
			cb_buf_append_cstr(body, i > 0 ? ",\n" : "");
			cb_buf_append_cstr(body, json_string_value(json_array_get(answer->rows, i)));
		}
		cb_buf_append_cstr(body, "\n],\n");
	}
	append_errors(body, "errors", answer->errors);
	append_errors(body, "warnings", json_object_get(line, "warnings"));
	cb_buf_append_format(body, "\"status\": \"%s\",\n\"metrics\": {\"elapsedTime\": \"1.234ms\","
						 "\"executionTime\": \"1.2ms\",\"resultCount\": %zu,\"resultSize\": 7,"
						 "\"serviceLoad\": 1}\n}\n", answer->status, json_array_size(answer->rows));
	if (cb_buf_result(body) != CB_OK)
		die("out of memory", answer->id);
}

static void
take_line(const char *text, const char *file)
{
	json_t	   *line = json_loads(text, JSON_ALLOW_NUL, NULL);
	Answer	   *answer;

	if (line == NULL)
		die("a line is no JSON object", file);
	answers = realloc(answers, (nanswers + 1) * sizeof(Answer));
	lines = realloc(lines, (nanswers + 1) * sizeof(json_t *));
	if (answers == NULL || lines == NULL)
		die("out of memory", file);
	/* Other answers, such as those to a GET of another address, are not bodies of this kind. */
	if (json_object_get(line, "text") != NULL || !json_is_string(json_object_get(line, "status")))
	{
		json_decref(line);
		return;
	}
	lines[nanswers] = line;
	answer = &answers[nanswers++];
	*answer = (Answer) {0};
	answer->id = json_string_value(json_object_get(line, "id"));
	answer->status = json_string_value(json_object_get(line, "status"));
	answer->rows = json_object_get(line, "rows");
	answer->errors = json_object_get(line, "errors");
	answer->http = (int) json_integer_value(json_object_get(line, "http"));
	lay_out(answer, line);
}

static void
read_file(const char *path)
{
	FILE	   *in = fopen(path, "r");
	char	   *line = NULL;
	size_t		size = 0;

	if (in == NULL)
		die("cannot be opened", path);
	while (getline(&line, &size, in) > 0)
		take_line(line, path);
	free(line);
	fclose(in);
}

const Answer *
answers_all(size_t *count)
{
	glob_t		found;

	if (answers == NULL)
	{
		if (glob(ANSWERS_DIR "/*.jsonl", 0, NULL, &found) != 0)
			die("no files", ANSWERS_DIR);
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_file(found.gl_pathv[i]);
		globfree(&found);
	}
	*count = nanswers;
	return answers;
}

void
answers_free(void)
{
	for (size_t i = 0; i < nanswers; i++)
	{
		cb_buf_free(&answers[i].text);
		json_decref(lines[i]);
	}
	free(answers);
	free(lines);
	answers = NULL;
	lines = NULL;
	nanswers = 0;
}
