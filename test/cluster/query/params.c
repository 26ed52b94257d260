/*
 * params.c: reads the parameters of a request from a JSON body or a form.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../util.h"
#include "param_table.h"

typedef struct Pending
{
	struct Pending *next;
	const Param *param;
	Given		given;
} Pending;

/* ---------------------------------------------------------------- errors */

static QueryError *
error_new(int code, const char *fmt, va_list ap)
{
	QueryError *e = xcalloc(1, sizeof(*e));

	e->code = code;
	if (vasprintf(&e->msg, fmt, ap) < 0)
		abort();
	return e;
}

QueryError *
query_error_new(int code, const char *fmt,...)
{
	QueryError *e;
	va_list		ap;

	va_start(ap, fmt);
	e = error_new(code, fmt, ap);
	va_end(ap);
	return e;
}

void
query_errors_free(QueryError *e)
{
	while (e != NULL)
	{
		QueryError *next = e->next;

		free(e->msg);
		free(e->reason);
		free(e);
		e = next;
	}
}

bool
query_params_fail(QueryParams *p, int code, const char *fmt,...)
{
	va_list		ap;

	if (p->error != NULL)
		return false;
	va_start(ap, fmt);
	p->error = error_new(code, fmt, ap);
	va_end(ap);
	return false;
}

/* ---------------------------------------------------------------- JSON and forms */

/* Keeps a value of $name or @name; false if there is one already. */
static bool
add_named(QueryParams *p, const char *name, const char *text, size_t len)
{
	QueryArg  **at = &p->named;

	for (; *at != NULL; at = &(*at)->next)
		if (strcmp((*at)->name, name + 1) == 0)
			return query_params_fail(p, 1060, "Multiple values for %s.", name);
	*at = xcalloc(1, sizeof(**at));
	(*at)->name = xstrdup(name + 1);
	(*at)->text = xstrndup(text, len);
	(*at)->len = len;
	return true;
}

static void
add_pending(Pending **list, const Param *param, const Given *g)
{
	while (*list != NULL)
		list = &(*list)->next;
	*list = xcalloc(1, sizeof(**list));
	(*list)->param = param;
	(*list)->given = *g;
}

static char *
trim_name(char *name)
{
	size_t		len = strlen(name);

	while (len > 0 && strchr(" \t\r\n\f\v", name[len - 1]) != NULL)
		name[--len] = '\0';
	return name + strspn(name, " \t\r\n\f\v");
}

/* Works on one name and value: false if it is wrong in itself. */
static bool
take(QueryParams *p, Pending **list, const char *name, const Given *g)
{
	const Param *param;

	if (name[0] == '\0')
		return true;
	if (name[0] == '$' || name[0] == '@')
		return g->json.text != NULL ? add_named(p, name, g->json.text, g->json.len) : add_named(p, name, g->text, g->len);
	param = param_find(name);
	if (param == NULL)
		return query_params_fail(p, 1065, "Unrecognized parameter in request: %s", name);
	add_pending(list, param, g);
	return true;
}

static bool
read_json(QueryParams *p, const QueryBody *b, Pending **list)
{
	BodyScan	s;
	char	   *key;
	bool		found;
	bool		ok = true;

	body_scan(&s, b->body, b->get ? 0 : b->len);
	while (ok)
	{
		Given		g = {.get = b->get};

		if (!body_next_key(&s, &key, &found))
			return query_params_fail(p, 1040, "Error processing getting key - cause: %s", s.complaint);
		if (!found)
			return true;
		if (!body_next_value(&s, &g.json))
			ok = query_params_fail(p, 1040, "Error processing getting value - cause: %s", s.complaint);
		else
			ok = take(p, list, trim_name(key), &g);
		free(key);
	}
	return false;
}

/* A name given twice in a form. */
static bool
repeated(const FormPair *form, const FormPair *f)
{
	for (; form != f; form = form->next)
		if (strcmp(form->key, f->key) == 0)
			return true;
	return false;
}

static bool
read_form(QueryParams *p, const QueryBody *b, FormPair **form, Pending **list)
{
	bool		encoded = b->type != NULL && strncmp(b->type, "application/x-www-form-urlencoded", 33) == 0;
	bool		has_statement = false;

	if ((!b->get && encoded && !form_parse(b->body, b->len, form)) ||
		(b->query != NULL && !form_parse(b->query, strlen(b->query), form)))
		return query_params_fail(p, 1040, "Error processing request form - cause: unable to parse form");
	for (FormPair *f = *form; f != NULL; f = f->next)
	{
		Given		g = {.get = b->get, .text = f->value, .len = f->len};
		char	   *name = trim_name(f->key);

		has_statement = has_statement || strcasecmp(name, "statement") == 0;
		if (name[0] != '$' && name[0] != '@' && repeated(*form, f))
			return query_params_fail(p, 1060, "Multiple values for %s.", name);
		if (!take(p, list, name, &g))
			return false;
	}
	if (!has_statement && !b->get && !encoded && b->len > 0)
	{
		Given		g = {.text = b->body, .len = b->len};

		add_pending(list, param_find("statement"), &g);
	}
	return true;
}

static bool
apply(QueryParams *p, const Pending *list)
{
	for (int pass = 0; pass < 2; pass++)
		for (const Pending *q = list; q != NULL; q = q->next)
			if (q->param->initial == (pass == 0) && !q->param->fn(p, q->param->name, &q->given))
				return false;
	if (p->num_statements == 0)
		return query_params_fail(p, 1050, "No statement or prepared value");
	return p->num_statements == 1 || query_params_fail(p, 1060, "Multiple values for statement and prepared.");
}

bool
query_params_read(QueryParams *p, const QueryBody *b)
{
	Pending    *list = NULL;
	FormPair   *form = NULL;
	bool		json = b->type != NULL && strncmp(b->type, "application/json", 16) == 0;
	bool		ok;

	ok = (json ? read_json(p, b, &list) : read_form(p, b, &form, &list)) && apply(p, list);
	if (b->get)
		p->readonly = TRI_TRUE;
	while (list != NULL)
	{
		Pending    *next = list->next;

		free(list);
		list = next;
	}
	form_free(form);
	return ok;
}
