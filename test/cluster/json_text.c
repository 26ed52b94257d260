/*
 * json_text.c: text that grows, base64, CRC-32C.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "subdoc.h"

static void
text_reserve(Text *t, size_t more)
{
	size_t		need = t->len + more + 1;

	if (need <= t->size)
		return;
	t->size = need < 2 * t->size ? 2 * t->size : need;
	t->s = xrealloc(t->s, t->size);
}

void
text_add(Text *t, const void *s, size_t len)
{
	text_reserve(t, len);
	if (len > 0)
		memcpy(t->s + t->len, s, len);
	t->len += len;
	t->s[t->len] = '\0';
}

void
text_puts(Text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void
text_printf(Text *t, const char *fmt,...)
{
	va_list		args;
	int			n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	text_reserve(t, (size_t) n);
	va_start(args, fmt);
	vsnprintf(t->s + t->len, (size_t) n + 1, fmt, args);
	va_end(args);
	t->len += (size_t) n;
}

void
text_json_string(Text *t, const char *s, size_t len)
{
	static const char escapes[] = "\b\f\n\r\t\"\\";
	static const char letters[] = "bfnrt\"\\";

	text_add(t, "\"", 1);
	for (size_t i = 0; i < len; i++)
	{
		const char *e = s[i] != '\0' ? strchr(escapes, s[i]) : NULL;

		if (e != NULL)
			text_printf(t, "\\%c", letters[e - escapes]);
		else if ((unsigned char) s[i] < 0x20)
			text_printf(t, "\\u%04x", s[i]);
		else
			text_add(t, s + i, 1);
	}
	text_add(t, "\"", 1);
}

void
text_free(Text *t)
{
	free(t->s);
	memset(t, 0, sizeof(*t));
}

/* CRC-32C (Castagnoli), reflected, as $document.value_crc32c has it. */
uint32_t
text_crc32c(const void *data, size_t len)
{
	static uint32_t table[256];
	const uint8_t *p = data;
	uint32_t	crc = 0xffffffff;

	if (table[1] == 0)
		for (uint32_t i = 0; i < 256; i++)
		{
			uint32_t	c = i;

			for (int bit = 0; bit < 8; bit++)
				c = (c & 1) != 0 ? c >> 1 ^ 0x82f63b78 : c >> 1;
			table[i] = c;
		}
	while (len-- > 0)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
text_base64(const void *data, size_t len, Text *out)
{
	const uint8_t *p = data;

	for (; len > 0; p += 3)
	{
		size_t		n = len < 3 ? len : 3;
		uint32_t	v = (uint32_t) p[0] << 16 | (n > 1 ? (uint32_t) p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
		char		quad[4];

		for (int i = 0; i < 4; i++)
			quad[i] = base64_digits[v >> (18 - 6 * i) & 63];
		if (n < 3)
			quad[3] = '=';
		if (n < 2)
			quad[2] = '=';
		text_add(out, quad, 4);
		len -= n;
	}
}

static int
base64_digit(char c)
{
	const char *d = c != '\0' ? strchr(base64_digits, c) : NULL;

	return d != NULL ? (int) (d - base64_digits) : -1;
}

bool
text_unbase64(const char *s, size_t len, Text *out)
{
	size_t		i = 0;

	while (i < len)
	{
		int			d[4];
		int			n = 4;
		uint32_t	v = 0;
		char		bytes[3];

		if (strchr(" \t\r\n\v\f", s[i]) != NULL && s[i] != '\0')
		{
			i++;
			continue;
		}
		if (len - i < 4)
			return false;
		for (int k = 0; k < 4; k++)
			d[k] = base64_digit(s[i + k]);
		if (s[i + 3] == '=')
			n = s[i + 2] == '=' ? 2 : 3;
		for (int k = 0; k < n; k++)
		{
			if (d[k] < 0)
				return false;
			v |= (uint32_t) d[k] << (18 - 6 * k);
		}
		bytes[0] = (char) (v >> 16);
		bytes[1] = (char) (v >> 8);
		bytes[2] = (char) v;
		text_add(out, bytes, (size_t) n - 1);
		i += 4;
	}
	return true;
}
