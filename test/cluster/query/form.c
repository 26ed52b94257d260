/*
 * form.c: bodies and addresses in form encoding.
 */
#include <stdlib.h>
#include <string.h>

#include "../util.h"
#include "params.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* malloced and terminated; NULL if an escape is broken. */
static char *
decode(const char *text, size_t len, size_t *out_len)
{
	char	   *out = xmalloc(len + 1);
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
	{
		char		c = text[i];

		if (c == '+')
			c = ' ';
		else if (c == '%')
		{
			if (len - i < 3 || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
			{
				free(out);
				return NULL;
			}
			c = (char) (hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
			i += 2;
		}
		out[n++] = c;
	}
	out[n] = '\0';
	*out_len = n;
	return out;
}

/* White space at both ends goes, as the server trims what it is given. */
static void
trim(FormPair *f)
{
	size_t		skip = strspn(f->value, " \t\r\n\f\v");

	while (f->len > skip && strchr(" \t\r\n\f\v", f->value[f->len - 1]) != NULL && f->value[f->len - 1] != '\0')
		f->len--;
	f->len -= skip;
	memmove(f->value, f->value + skip, f->len);
	f->value[f->len] = '\0';
}

/* Appends the pairs; false if the text is no form. */
bool
form_parse(const char *text, size_t len, FormPair **tail)
{
	const char *end = text + len;

	while (*tail != NULL)
		tail = &(*tail)->next;
	if (memchr(text, ';', len) != NULL)
		return false;
	while (text < end)
	{
		const char *amp = memchr(text, '&', (size_t) (end - text));
		const char *stop = amp != NULL ? amp : end;
		const char *equals = memchr(text, '=', (size_t) (stop - text));
		const char *key_end = equals != NULL ? equals : stop;
		FormPair   *f;
		size_t		key_len;

		if (stop > text)
		{
			f = xcalloc(1, sizeof(*f));
			*tail = f;
			tail = &f->next;
			f->key = decode(text, (size_t) (key_end - text), &key_len);
			f->value = equals != NULL ? decode(equals + 1, (size_t) (stop - equals - 1), &f->len) : xstrdup("");
			if (f->key == NULL || f->value == NULL)
				return false;
			trim(f);
		}
		text = stop + 1;
	}
	return true;
}

void
form_free(FormPair *f)
{
	while (f != NULL)
	{
		FormPair   *next = f->next;

		free(f->key);
		free(f->value);
		free(f);
		f = next;
	}
}
