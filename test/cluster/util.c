/*
 * util.c: memory that is never NULL, random texts, the clock, the log.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "cbcluster.h"

static void *
checked(void *p)
{
	if (p == NULL)
	{
		fputs("cbcluster: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

void *
xmalloc(size_t n)
{
	return checked(malloc(n ? n : 1));
}

void *
xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *
xrealloc(void *p, size_t n)
{
	return checked(realloc(p, n ? n : 1));
}

char *
xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *
xstrndup(const char *s, size_t n)
{
	char	   *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *
xasprintf(const char *fmt,...)
{
	char	   *p = NULL;
	va_list		args;
	int			n;

	va_start(args, fmt);
	n = vasprintf(&p, fmt, args);
	va_end(args);
	return checked(n < 0 ? NULL : p);
}

void
random_hex(char *out, size_t digits)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char byte;

	for (size_t i = 0; i < digits; i++)
	{
		if (RAND_bytes(&byte, 1) != 1)
			abort();
		out[i] = hex[byte & 15];
	}
	out[digits] = '\0';
}

void
random_uuid(char out[37])
{
	random_hex(out, 36);
	out[8] = out[13] = out[18] = out[23] = '-';
	out[14] = '4';
}

void
cb_log(const char *fmt,...)
{
	va_list		args;

	fputs("cbcluster: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

int64_t
cb_now_ns(const Cluster *cl)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec + cl->time_shift_ms * 1000000;
}

int64_t
cb_now_ms(const Cluster *cl)
{
	return cb_now_ns(cl) / 1000000;
}

uint32_t
cb_now(const Cluster *cl)
{
	return (uint32_t) (cb_now_ms(cl) / 1000);
}
