/*
 * check.h
 *		Assertions of the unit tests. A failed one is reported and counted; the
 *		test goes on.
 */
#ifndef CB_CHECK_H
#define CB_CHECK_H

#include "base.h"

#include <string.h>

extern int	check_failures;
extern int	check_count;

/* Text put before failure messages: what the running loop is about. */
extern void check_context(const char *format, ...) __attribute__((format(printf, 1, 2)));

extern void check_fail(const char *file, int line, const char *format, ...)
			__attribute__((format(printf, 3, 4)));
extern bool check_bytes(const char *file, int line, const char *what, CbSpan got, CbSpan want);
extern bool check_text(const char *file, int line, const char *what, const char *got,
					   const char *want);

#define CHECK(condition) \
	(check_count++, (condition) ? true : \
	 (check_fail(__FILE__, __LINE__, "%s", #condition), false))

#define CHECK_INT(got, want) \
	(check_count++, (long long) (got) == (long long) (want) ? true : \
	 (check_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #got, (long long) (got), \
				 (long long) (want)), false))

#define CHECK_RESULT(got, want) \
	check_text(__FILE__, __LINE__, #got, cb_result_name(got), cb_result_name(want))

#define CHECK_STR(got, want)	check_text(__FILE__, __LINE__, #got, got, want)
#define CHECK_BYTES(got, want)	check_bytes(__FILE__, __LINE__, #got, got, want)

/* Every suite; each is one file. */
extern void test_base(void);
extern void test_path(void);
extern void test_packet(void);
extern void test_requests(void);
extern void test_answers(void);
extern void test_scan(void);
extern void test_sasl(void);
extern void test_connstr(void);
extern void test_settings(void);
extern void test_config(void);
extern void test_config_file(void);
extern void test_vbucket(void);
extern void test_compress(void);
extern void test_json_walk(void);
extern void test_json_value(void);
extern void test_json_random(void);
extern void test_sqlpp(void);

#endif
