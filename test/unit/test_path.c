/*
 * test_path.c
 *		Column paths: accepted forms, refused forms, subdocument syntax.
 */
#include "check.h"

#include "path.h"

#include <stdio.h>
#include <stdlib.h>

/* want: steps joined by "|", indexes as #n; NULL: refused. */
static const struct
{
	const char *text;
	const char *want;
	const char *canonical;		/* NULL: text itself */
	const char *subdoc;			/* NULL: canonical; "": none */
}			cases[] = {
	{"name", "name", NULL, NULL},
	{"geo.lat", "geo|lat", NULL, NULL},
	{"tags[0]", "tags|#0", NULL, NULL},
	{"a[1][22].b", "a|#1|#22|b", NULL, NULL},
	{"[3].x", "#3|x", NULL, NULL},
	{"`odd.name`.x", "odd.name|x", NULL, NULL},
	{"`a[0]`[0]", "a[0]|#0", NULL, NULL},
	{"`tick``tock`", "tick`tock", NULL, NULL},
	{"`plain`.b", "plain|b", "plain.b", NULL},
	{"two words.b c", "two words|b c", NULL, NULL},
	{"gr\xc3\xb6\xc3\x9f" "e", "gr\xc3\xb6\xc3\x9f" "e", NULL, NULL},
	{"a\"b", "a\"b", NULL, ""},
	{"a\\b", "a\\b", NULL, ""},
	{"x[2147483647]", "x|#2147483647", NULL, NULL},
	{"", NULL, NULL, NULL},
	{".a", NULL, NULL, NULL},
	{"a.", NULL, NULL, NULL},
	{"a..b", NULL, NULL, NULL},
	{"a[", NULL, NULL, NULL},
	{"a[]", NULL, NULL, NULL},
	{"a[0", NULL, NULL, NULL},
	{"a[x]", NULL, NULL, NULL},
	{"a[-1]", NULL, NULL, NULL},
	{"a[ 0]", NULL, NULL, NULL},
	{"a[0]b", NULL, NULL, NULL},
	{"a]", NULL, NULL, NULL},
	{"a`b`", NULL, NULL, NULL},
	{"`a`b", NULL, NULL, NULL},
	{"`a", NULL, NULL, NULL},
	{"``", NULL, NULL, NULL},
	{"a.[0]", NULL, NULL, NULL},
	{"x[2147483648]", NULL, NULL, NULL},
	{"x[99999999999999999999]", NULL, NULL, NULL},
};

static void
join_steps(const CbPath *path, CbBuf *out)
{
	for (size_t i = 0; i < path->nsteps; i++)
	{
		if (i > 0)
			cb_buf_append_u8(out, '|');
		if (path->steps[i].name == NULL)
			cb_buf_append_format(out, "#%d", (int) path->steps[i].index);
		else
			cb_buf_append(out, path->steps[i].name, path->steps[i].name_len);
	}
}

static void
check_accepted(size_t i, const CbPath *path)
{
	CbBuf		buf = {0};
	const char *canonical = cases[i].canonical != NULL ? cases[i].canonical : cases[i].text;
	const char *subdoc = cases[i].subdoc != NULL ? cases[i].subdoc : canonical;

	join_steps(path, &buf);
	CHECK_BYTES(cb_buf_span(&buf), cb_span_cstr(cases[i].want));
	cb_buf_reset(&buf);
	cb_path_append(&buf, path);
	CHECK_BYTES(cb_buf_span(&buf), cb_span_cstr(canonical));
	cb_buf_reset(&buf);
	CHECK_RESULT(cb_path_append_subdoc(&buf, path), subdoc[0] ? CB_OK : CB_UNSUPPORTED);
	CHECK_BYTES(cb_buf_span(&buf), cb_span_cstr(subdoc));
	cb_buf_free(&buf);
}

static void
test_limits(void)
{
	CbPath		path;
	CbError		err;
	CbBuf		buf = {0};
	char		text[2200];

	strcpy(text, "a");
	for (int i = 1; i < CB_PATH_MAX_STEPS; i++)
		strcat(text, ".a");
	CHECK_RESULT(cb_path_parse(text, &path, &err), CB_OK);
	CHECK_INT(path.nsteps, CB_PATH_MAX_STEPS);
	cb_path_free(&path);
	strcat(text, "[0]");
	CHECK_RESULT(cb_path_parse(text, &path, &err), CB_LIMIT);
	CHECK(path.steps == NULL && path.nsteps == 0);

	memset(text, 'n', 1025);
	text[1025] = '\0';
	CHECK_RESULT(cb_path_parse(text, &path, &err), CB_OK);
	cb_buf_append_cstr(&buf, "before");
	CHECK_RESULT(cb_path_append_subdoc(&buf, &path), CB_LIMIT);
	CHECK_BYTES(cb_buf_span(&buf), cb_span_cstr("before"));
	cb_path_free(&path);
	text[1024] = '\0';
	CHECK_RESULT(cb_path_parse(text, &path, &err), CB_OK);
	CHECK_RESULT(cb_path_append_subdoc(&buf, &path), CB_OK);
	cb_path_free(&path);
	cb_buf_free(&buf);
}

void
test_path(void)
{
	CbPath		path;
	CbError		err;
	CbBuf		buf = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		CbResult	result = cb_path_parse(cases[i].text, &path, &err);

		check_context("path %s", cases[i].text);
		if (cases[i].want == NULL)
		{
			CHECK(result == CB_MALFORMED);
			CHECK(strstr(err.text, cases[i].text) != NULL);
			CHECK(path.steps == NULL);
		}
		else if (CHECK_RESULT(result, CB_OK))
			check_accepted(i, &path);
		cb_path_free(&path);
	}
	check_context("%s", "");
	cb_path_parse("gr\xc3\xb6n[x", &path, &err);
	CHECK_STR(err.text, "expected an array index at character 6 of path \"gr\xc3\xb6n[x\"");
	CHECK_RESULT(cb_path_from_name("a.b[0]", &path), CB_OK);
	cb_path_append(&buf, &path);
	CHECK_BYTES(cb_buf_span(&buf), cb_span_cstr("`a.b[0]`"));
	cb_path_free(&path);
	cb_buf_free(&buf);
	test_limits();
}
