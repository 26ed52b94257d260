/*
 * prepared.c: prepared statements: a name for a text. They are the cluster's: every node knows them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"

static bool
same_context(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* A name as clients give it back: "[host:port]name". */
static const char *
bare_name(const char *name)
{
	const char *end = name[0] == '[' ? strchr(name, ']') : NULL;

	return end != NULL ? end + 1 : name;
}

Prepared *
prepared_find(Cluster *cl, const char *name, const char *context)
{
	name = bare_name(name);
	for (Prepared *p = catalog_of(cl)->prepareds; p != NULL; p = p->next)
		if (strcmp(p->name, name) == 0 && same_context(p->context, context))
			return p;
	return NULL;
}

static void
prepared_free(Prepared *p)
{
	free(p->name);
	free(p->text);
	free(p->context);
	free(p);
}

Prepared *
prepared_put(Cluster *cl, const char *name, const char *text, size_t len, const char *context)
{
	Catalog    *c = catalog_of(cl);
	Prepared   *p = prepared_find(cl, name, context);

	if (p == NULL)
	{
		p = xcalloc(1, sizeof(*p));
		p->name = xstrdup(name);
		p->context = context != NULL ? xstrdup(context) : NULL;
		p->next = c->prepareds;
		c->prepareds = p;
	}
	free(p->text);
	p->text = xstrndup(text, len);
	p->len = len;
	return p;
}

bool
prepared_drop(Cluster *cl, const char *name)
{
	bool		found = false;

	for (Prepared **at = &catalog_of(cl)->prepareds; *at != NULL;)
	{
		Prepared   *p = *at;

		if (strcmp(p->name, bare_name(name)) != 0)
		{
			at = &p->next;
			continue;
		}
		*at = p->next;
		prepared_free(p);
		found = true;
	}
	return found;
}

void
prepareds_free(Catalog *c)
{
	while (c->prepareds != NULL)
	{
		Prepared   *next = c->prepareds->next;

		prepared_free(c->prepareds);
		c->prepareds = next;
	}
}
