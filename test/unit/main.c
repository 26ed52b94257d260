/*
 * main.c
 *		Runs the unit tests: all, or the suites named on the command line.
 */
#include "check.h"

#include "vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int			check_failures;
int			check_count;
static char context[512];

void
check_context(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
}

void
check_fail(const char *file, int line, const char *format,...)
{
	va_list		args;

	check_failures++;
	fprintf(stderr, "%s:%d: %s%s", file, line, context, context[0] ? ": " : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void
print_bytes(const char *label, CbSpan bytes)
{
	fprintf(stderr, "    %s %zu:", label, bytes.len);
	for (size_t i = 0; i < bytes.len && i < 96; i++)
		fprintf(stderr, "%s%02x", i % 4 == 0 ? " " : "", bytes.data[i]);
	fputs(bytes.len > 96 ? " ...\n" : "\n", stderr);
}

bool
check_bytes(const char *file, int line, const char *what, CbSpan got, CbSpan want)
{
	check_count++;
	if (cb_span_equal(got, want))
		return true;
	check_fail(file, line, "%s differs", what);
	print_bytes("got ", got);
	print_bytes("want", want);
	return false;
}

bool
check_text(const char *file, int line, const char *what, const char *got, const char *want)
{
	check_count++;
	if (got == want || (got != NULL && want != NULL && strcmp(got, want) == 0))
		return true;
	check_fail(file, line, "%s is\n    \"%s\", not\n    \"%s\"", what,
			   got == NULL ? "(null)" : got, want == NULL ? "(null)" : want);
	return false;
}

static const struct
{
	const char *name;
	void		(*run) (void);
}			suites[] = {
	{"base", test_base},
	{"path", test_path},
	{"packet", test_packet},
	{"requests", test_requests},
	{"answers", test_answers},
	{"scan", test_scan},
	{"sasl", test_sasl},
	{"connstr", test_connstr},
	{"settings", test_settings},
	{"config", test_config},
	{"config_file", test_config_file},
	{"vbucket", test_vbucket},
	{"compress", test_compress},
	{"json_walk", test_json_walk},
	{"json_value", test_json_value},
	{"json_random", test_json_random},
	{"sqlpp", test_sqlpp},
};

int
main(int argc, char **argv)
{
	int			ran = 0;

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
	{
		bool		wanted = argc == 1;
		int			before = check_count;
		int			failed = check_failures;

		for (int j = 1; j < argc; j++)
			wanted |= strcmp(argv[j], suites[i].name) == 0;
		if (!wanted)
			continue;
		ran++;
		check_context("%s", "");
		suites[i].run();
		printf("%-12s %8d checks%s\n", suites[i].name, check_count - before,
			   check_failures > failed ? "  FAILED" : "");
		fflush(stdout);
	}
	vectors_free();
	printf("%d suites, %d checks, %d failed\n", ran, check_count, check_failures);
	return ran == 0 || check_failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
