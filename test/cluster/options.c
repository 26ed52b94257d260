/*
 * options.c: the command line.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage.h"
#include "tls.h"

#define DEFAULT_DOCUMENT_SIZE 1024
#define MAX_GENERATED UINT64_C(99999999)	/* keys have eight digits */

static const char help[] =
"cbcluster: a development Couchbase cluster in one process, on loopback only.\n"
"\n"
"usage: cbcluster [option ...]\n"
"\n"
"  --config FILE.json       nodes, buckets, collections and users (USING.md); without it: two nodes,\n"
"                           bucket \"default\", user Administrator with password \"password\"\n"
"  --nodes N                number of nodes\n"
"  --load BUCKET.SCOPE.COLLECTION=FILE.jsonl\n"
"                           store the documents of a file of lines {\"key\":TEXT,\"doc\":JSON or TEXT}\n"
"  --generate BUCKET.SCOPE.COLLECTION=COUNT[:SIZE]\n"
"                           store COUNT made-up documents of about SIZE bytes (1024; not below some 400)\n"
"  --ready-file FILE        write addresses and connection string there once everything is loaded and open\n"
"  --tls-cert FILE.pem      open TLS ports beside the others, with this chain of certificates\n"
"  --tls-key FILE.pem       the key of its first certificate\n"
"  --tls-client-ca FILE.pem authorities of client certificates, whose common name is the user\n"
"  --tls-client-auth MODE   disabled (the default), enabled (may be shown), mandatory\n"
"  --tls-min VERSION        1.2 (the default) or 1.3\n"
"  --external HOST          nodes have names that lead nowhere, and HOST as their address in the network \"external\"\n"
"  --no-query               no query service on any node\n"
"  --bind ADDRESS           127.0.0.1 (the default) or ::1; any other is refused\n"
"  --die-with-parent        end when the process that started this one ends\n"
"  --help                   this text\n"
"\n"
"Buckets, scopes and collections that --load and --generate name are created if they are missing.\n";

static void fail(const char *fmt,...) __attribute__((format(printf, 1, 2), noreturn));

static void
fail(const char *fmt,...)
{
	va_list		ap;

	fputs("cbcluster: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nTry \"cbcluster --help\".\n", stderr);
	exit(2);
}

bool
options_loopback(const char *address)
{
	return strcmp(address, "127.0.0.1") == 0 || strcmp(address, "::1") == 0;
}

/* A number of min..max; *end is where it stopped, which must be the end unless end is given. */
static uint64_t
parse_number(const char *what, const char *text, uint64_t min, uint64_t max, const char **end)
{
	char	   *stop;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &stop, 10);
	if (*text < '0' || *text > '9' || errno != 0 || (end == NULL && *stop != '\0'))
		fail("%s: \"%s\" is not a number", what, text);
	if (value < min || value > max)
		fail("%s: %s is not between %llu and %llu", what, text, (unsigned long long) min, (unsigned long long) max);
	if (end != NULL)
		*end = stop;
	return value;
}

/* Splits "BUCKET.SCOPE.COLLECTION=REST"; a bucket's name may contain dots. */
static Source *
parse_source(const char *option, const char *text, const char **rest)
{
	const char *equals = strchr(text, '=');
	const char *dot[2] = {NULL, NULL};
	Source	   *s = xcalloc(1, sizeof(*s));

	for (const char *p = text; equals != NULL && p < equals; p++)
	{
		if (*p == '.')
		{
			dot[0] = dot[1];
			dot[1] = p;
		}
	}
	if (dot[0] == NULL || dot[0] == text || dot[0] + 1 == dot[1] || dot[1] + 1 == equals || equals[1] == '\0')
		fail("%s: \"%s\" is not of the form BUCKET.SCOPE.COLLECTION=...", option, text);
	s->bucket = xstrndup(text, (size_t) (dot[0] - text));
	s->scope = xstrndup(dot[0] + 1, (size_t) (dot[1] - dot[0] - 1));
	s->collection = xstrndup(dot[1] + 1, (size_t) (equals - dot[1] - 1));
	*rest = equals + 1;
	return s;
}

static Source *
parse_load(const char *text)
{
	const char *file;
	Source	   *s = parse_source("--load", text, &file);

	s->kind = SOURCE_FILE;
	s->file = xstrdup(file);
	return s;
}

static Source *
parse_generate(const char *text)
{
	const char *rest;
	const char *end;
	Source	   *s = parse_source("--generate", text, &rest);

	s->kind = SOURCE_GENERATED;
	s->count = parse_number("--generate", rest, 0, MAX_GENERATED, &end);
	s->size = DEFAULT_DOCUMENT_SIZE;
	if (*end == ':')
		s->size = parse_number("--generate", end + 1, 1, CB_MAX_VALUE, NULL);
	else if (*end != '\0')
		fail("--generate: \"%s\" is not of the form COUNT[:SIZE]", rest);
	return s;
}

void
options_parse(int argc, char **argv, Options *o)
{
	enum
	{
		CONFIG = 256, NODES, READY, LOAD, GENERATE, BIND, DIE, HELP, TLS_CERT, TLS_KEY, TLS_CLIENT_CA, TLS_CLIENT_AUTH, TLS_MIN, EXTERNAL,
		NO_QUERY
	};
	static const struct option longs[] = {
		{"config", required_argument, NULL, CONFIG},
		{"nodes", required_argument, NULL, NODES},
		{"ready-file", required_argument, NULL, READY},
		{"load", required_argument, NULL, LOAD},
		{"generate", required_argument, NULL, GENERATE},
		{"bind", required_argument, NULL, BIND},
		{"tls-cert", required_argument, NULL, TLS_CERT},
		{"tls-key", required_argument, NULL, TLS_KEY},
		{"tls-client-ca", required_argument, NULL, TLS_CLIENT_CA},
		{"tls-client-auth", required_argument, NULL, TLS_CLIENT_AUTH},
		{"tls-min", required_argument, NULL, TLS_MIN},
		{"external", required_argument, NULL, EXTERNAL},
		{"no-query", no_argument, NULL, NO_QUERY},
		{"die-with-parent", no_argument, NULL, DIE},
		{"help", no_argument, NULL, HELP},
		{NULL, 0, NULL, 0}
	};
	Source	  **tail = &o->sources;
	int			c;

	memset(o, 0, sizeof(*o));
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
	{
		switch (c)
		{
			case CONFIG:
				o->config_file = optarg;
				break;
			case NODES:
				o->num_nodes = (int) parse_number("--nodes", optarg, 1, CB_MAX_NODES, NULL);
				break;
			case READY:
				o->ready_file = optarg;
				break;
			case LOAD:
			case GENERATE:
				*tail = c == LOAD ? parse_load(optarg) : parse_generate(optarg);
				tail = &(*tail)->next;
				break;
			case BIND:
				if (!options_loopback(optarg))
					fail("--bind: \"%s\" is refused: only 127.0.0.1 and ::1 are ever bound", optarg);
				o->bind = optarg;
				break;
			case TLS_CERT:
				o->tls.cert = optarg;
				break;
			case TLS_KEY:
				o->tls.key = optarg;
				break;
			case TLS_CLIENT_CA:
				o->tls.client_ca = optarg;
				break;
			case TLS_CLIENT_AUTH:
				if (!tls_client_auth_by_name(optarg))
					fail("--tls-client-auth: \"%s\" is not disabled, enabled or mandatory", optarg);
				o->tls.client_auth = optarg;
				break;
			case TLS_MIN:
				if (!tls_version_by_name(optarg))
					fail("--tls-min: \"%s\" is not 1.2 or 1.3", optarg);
				o->tls.min_version = optarg;
				break;
			case EXTERNAL:
				o->external = optarg;
				break;
			case NO_QUERY:
				o->no_query = true;
				break;
			case DIE:
				o->die_with_parent = true;
				break;
			case HELP:
				fputs(help, stdout);
				exit(0);
			default:
				fputs("Try \"cbcluster --help\".\n", stderr);
				exit(2);
		}
	}
	if (optind < argc)
		fail("unexpected argument \"%s\"", argv[optind]);
}

void
options_free(Options *o)
{
	while (o->sources != NULL)
	{
		Source	   *s = o->sources;

		o->sources = s->next;
		free(s->bucket);
		free(s->scope);
		free(s->collection);
		free(s->file);
		free(s);
	}
}
