/*
 * kv_subdoc_exec.c: works off the specs of one subdocument request: those on extended attributes
 * first, then those on the body. Nothing is stored here; the run holds what the document becomes.
 */
#include <string.h>

#include "subdoc.h"

static const char binary_mark[] = "\"cb-content-base64-encoded:";

/* The body from now on; old text goes once nothing lies in it. */
static void
set_body(SubdocRun *run, Text *body)
{
	text_free(&run->body_text);
	run->body_text = *body;
	memset(body, 0, sizeof(*body));
	run->body = (Span) {run->body_text.s, run->body_text.len};
}

/*
 * What a spec writes: macros become placeholders or facts, binary values text. 0 or a status; *made
 * is the caller's to free.
 */
static uint16_t
value_to_write(SubdocRun *run, const Spec *s, Text *made, Span *value)
{
	*value = s->value;
	if ((s->flags & PATH_MACROS) != 0)
	{
		const char *placeholder = xattr_placeholder(s->value);

		if (placeholder != NULL)
		{
			*value = (Span) {placeholder, strlen(placeholder)};
			run->macros = true;
			return 0;
		}
		if (!xattr_virtual_macro(&run->facts, s->value, made))
			return KV_SUBDOC_XATTR_UNKNOWN_VATTR_MACRO;
		*value = (Span) {made->s, made->len};
	}
	else if ((s->flags & PATH_BINARY) != 0)
	{
		text_puts(made, binary_mark);
		text_base64(s->value.at, s->value.len, made);
		text_puts(made, "\"");
		*value = (Span) {made->s, made->len};
	}
	return 0;
}

/* The bytes of a binary xattr whose text a spec read. */
static uint16_t
read_binary(Spec *s, Span text)
{
	size_t		n = strlen(binary_mark);
	Text		plain = {0};

	text_add(&plain, "", 0);
	if (text.len < n + 1 || memcmp(text.at, binary_mark, n) != 0 ||
		!text_unbase64(text.at + n, text.len - n - 1, &plain))
	{
		text_free(&plain);
		return KV_SUBDOC_FIELD_NOT_BINARY;
	}
	text_free(&s->owned);
	s->owned = plain;
	s->result = (Span) {s->owned.s, s->owned.len};
	return 0;
}

static void
keep_result(Spec *s, Span result)
{
	Text		copy = {0};

	text_add(&copy, result.at, result.len);
	text_free(&s->owned);
	s->owned = copy;
	s->result = (Span) {copy.s, copy.len};
}

/* One path in the xattrs or the body. */
static uint16_t
edit_path(SubdocRun *run, Spec *s)
{
	bool		xattr = (s->flags & PATH_XATTR) != 0;
	Span		doc = xattr ? (Span) {run->xattrs.s, run->xattrs.len} : run->body;
	Edit		e = {0};
	Text		made = {0};
	uint16_t	st;

	e.code = s->rule->code;
	e.mkdir_p = (s->flags & PATH_MKDIR_P) != 0 || (run->doc_flags & (DOC_MKDOC | DOC_ADD)) != 0;
	e.path = s->path.at;
	e.path_len = s->path.len;
	if (xattr && s->path.at[0] == '$')
	{
		if (!xattr_virtual(&run->facts, s->path.at, s->path.len, &s->owned))
			return KV_SUBDOC_XATTR_UNKNOWN_VATTR;
		doc = (Span) {s->owned.s, s->owned.len};
	}
	st = value_to_write(run, s, &made, &e.value);
	if (st == 0)
		st = json_edit(&e, doc.at, doc.len);
	if (st == 0 && s->rule->returns)
	{
		if (e.result.at == e.number)
			keep_result(s, e.result);
		else
			s->result = e.result;
		if (e.code == EDIT_GET && (s->flags & PATH_BINARY) != 0)
			st = read_binary(s, e.result);
	}
	else if (st == 0 && s->rule->scope == SCOPE_XATTR_TO_BODY)
		keep_result(s, e.result);
	if (st == 0 && e.out.s != NULL && xattr)
	{
		text_free(&run->xattrs);
		run->xattrs = e.out;
		run->xattrs_changed = true;
		memset(&e.out, 0, sizeof(e.out));
	}
	else if (st == 0 && e.out.s != NULL)
		set_body(run, &e.out);
	text_free(&made);
	text_free(&e.out);
	return st;
}

/* The value of an xattr becomes the body. */
static uint16_t
xattr_to_body(SubdocRun *run, Spec *s)
{
	uint16_t	st = edit_path(run, s);

	if (st == 0 && (s->flags & PATH_BINARY) != 0)
	{
		Text		text = s->owned;

		memset(&s->owned, 0, sizeof(s->owned));
		st = read_binary(s, (Span) {text.s, text.len});
		text_free(&text);
	}
	if (st != 0)
		return st;
	run->body_json = (s->flags & PATH_BINARY) == 0 || json_datatype(s->owned.s, s->owned.len) != 0;
	set_body(run, &s->owned);
	s->result = (Span) {NULL, 0};
	return 0;
}

static uint16_t
execute_spec(SubdocRun *run, Spec *s)
{
	Text		body = {0};

	switch (s->rule->scope)
	{
		case SCOPE_GET_DOC:
			if (run->body.len == 0)
				return KV_SUBDOC_PATH_ENOENT;
			s->result = run->body;
			return 0;
		case SCOPE_SET_DOC:
			text_add(&body, s->value.at, s->value.len);
			set_body(run, &body);
			run->body_json = json_datatype(run->body.at, run->body.len) != 0;
			return 0;
		case SCOPE_DELETE_DOC:
			set_body(run, &body);
			run->body_json = false;
			run->delete_doc = true;
			return 0;
		case SCOPE_XATTR_TO_BODY:
			return xattr_to_body(run, s);
		case SCOPE_JSON:
			if ((s->flags & PATH_XATTR) == 0 && !run->body_json)
				return KV_SUBDOC_DOC_NOTJSON;
			return edit_path(run, s);
	}
	return KV_EINVAL;
}

/* System xattrs need their own privilege; the virtual ones none. */
static bool
may_use_xattrs(const SubdocRun *run)
{
	uint32_t	needed = run->mutates ? PRIV_SYS_XATTR_WRITE : PRIV_SYS_XATTR_READ;

	for (unsigned i = 0; i < run->n; i++)
	{
		const Spec *s = &run->spec[i];

		if ((s->flags & PATH_XATTR) != 0 && s->path.at[0] == '_' && (run->r->privileges & needed) == 0)
			return false;
	}
	return true;
}

/* Specs of one phase; a failure ends a mutation, and is noted by a look-up. */
static void
execute_phase(SubdocRun *run, bool xattrs)
{
	for (unsigned i = 0; i < run->n; i++)
	{
		Spec	   *s = &run->spec[i];

		if (((s->flags & PATH_XATTR) != 0) != xattrs)
			continue;
		s->status = execute_spec(run, s);
		if (s->status == 0)
			continue;
		s->result = (Span) {NULL, 0};
		run->status = run->multi ? KV_SUBDOC_MULTI_FAILURE : s->status;
		if (run->mutates)
			return;
	}
}

void
subdoc_execute(SubdocRun *run)
{
	run->status = 0;
	if (!may_use_xattrs(run))
	{
		for (unsigned i = 0; i < run->n; i++)
			if ((run->spec[i].flags & PATH_XATTR) != 0)
				run->spec[i].status = KV_EACCESS;
		run->status = run->multi ? KV_SUBDOC_MULTI_FAILURE : KV_EACCESS;
	}
	else
		execute_phase(run, true);
	if (run->status == 0 || !run->mutates)
		execute_phase(run, false);
}
