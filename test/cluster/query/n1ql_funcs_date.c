/*
 * Functions of dates. The node's own zone is UTC.
 */
#include "n1ql_func.h"
#include "n1ql_funcs_duration.h"
#include "n1ql_time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_LAYOUT "2006-01-02T15:04:05.999Z07:00"

/* The answer to arguments that are not of the types ('n', 's'), or NULL. */
static N1Value *
wrong_types(N1Value **args, int n, const char *types)
{
	N1Value    *out = NULL;

	for (int i = 0; i < n; i++)
	{
		if (args[i]->type == N1_MISSING)
			return args[i];
		if (args[i]->type != (types[i] == 'n' ? N1_NUMBER : N1_STRING))
			out = &n1_null;
	}
	return out;
}

/* A part in lower case. */
static const char *
part_of(N1Eval *ev, const N1Value *v)
{
	char	   *s = n1_dup(ev->arena, v->u.str.s, v->u.str.n);

	for (char *p = s; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char) (*p + 32);
	return s;
}

static N1Value *
no_part(N1Eval *ev, const char *what, const N1Value *part)
{
	return n1_fail(ev, N1_EVAL_ERROR, "Unsupported date %spart %.*s.", what, (int) part->u.str.n, part->u.str.s);
}

/* ---- layouts ---- */

static void
unsupported_layout(N1Eval *ev, const N1Value *v)
{
	n1_fail(ev, N1_EVAL_ERROR, "date format %.*s is not supported by this test cluster", (int) v->u.str.n, v->u.str.s);
}

/* The layout of Go that an example follows; NULL: none. */
static const char *
example_layout(N1Eval *ev, const char *s, size_t n)
{
	const char *layout;
	N1Time		t;

	return n1_time_parse_any(ev->arena, s, n, &t, &layout) ? layout : NULL;
}

/* The time of a text by a layout that may be NULL. False: *out is NULL, or an error is set. */
static bool
parse_by(N1Eval *ev, const N1Value *v, const N1Value *layout, N1Time *t)
{
	const char *go = "";
	N1LayoutKind	kind = layout ? n1_layout_kind(ev->arena, layout, &go) : N1_LAYOUT_NONE;

	if (kind == N1_LAYOUT_NONE)
		return n1_time_parse_any(ev->arena, v->u.str.s, v->u.str.n, t, &go);
	if (kind == N1_LAYOUT_BAD)
	{
		unsupported_layout(ev, layout);
		return false;
	}
	if (kind == N1_LAYOUT_EXAMPLE)
		go = example_layout(ev, go, strlen(go));
	return go != NULL && n1_time_parse(v->u.str.s, v->u.str.n, go, t);
}

static N1Value *
text_by(N1Eval *ev, const N1Time *t, const N1Value *layout)
{
	const char *go = "";
	N1LayoutKind	kind = layout ? n1_layout_kind(ev->arena, layout, &go) : N1_LAYOUT_NONE;
	N1Buf		b;

	if (kind == N1_LAYOUT_BAD)
	{
		unsupported_layout(ev, layout);
		return NULL;
	}
	if (kind == N1_LAYOUT_EXAMPLE)
		go = example_layout(ev, go, strlen(go));
	n1_buf_init(&b, ev->arena);
	n1_time_format(&b, t, kind == N1_LAYOUT_NONE || go == NULL ? DEFAULT_LAYOUT : go);
	return n1_buf_string(ev->arena, &b);
}

static N1Value *
millis_value(N1Eval *ev, const N1Time *t)
{
	return n1_double(ev->arena, n1_time_to_millis(t));
}

/* The answer when a text is no time: an error if one is set. */
static N1Value *
no_time(N1Eval *ev)
{
	return ev->err.code != 0 ? NULL : &n1_null;
}

/* ---- parts ---- */

static N1Value *
f_part_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "nss");
	N1Time		t;
	int64_t		x;

	if (bad != NULL)
		return bad;
	t = n1_time_millis(n1_num(args[0]));
	if (n > 2 && !n1_time_zone(ev->arena, &t, args[2]->u.str.s, args[2]->u.str.n))
		return &n1_null;
	return n1_time_part(&t, part_of(ev, args[1]), &x) ? n1_int(ev->arena, x) : no_part(ev, "", args[1]);
}

static N1Value *
f_part_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "ss");
	N1Time		t;
	int64_t		x;

	if (bad != NULL)
		return bad;
	if (!parse_by(ev, args[0], NULL, &t))
		return &n1_null;
	return n1_time_part(&t, part_of(ev, args[1]), &x) ? n1_int(ev->arena, x) : no_part(ev, "", args[1]);
}

static N1Value *
weekday(N1Eval *ev, const N1Time *t)
{
	static const char *const names[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

	return n1_string0(ev->arena, names[n1_civil(t).wday]);
}

static N1Value *
f_weekday_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "ns");
	N1Time		t;

	if (bad != NULL)
		return bad;
	t = n1_time_millis(n1_num(args[0]));
	if (n > 1 && !n1_time_zone(ev->arena, &t, args[1]->u.str.s, args[1]->u.str.n))
		return &n1_null;
	return weekday(ev, &t);
}

static N1Value *
f_weekday_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "s");
	N1Time		t;

	if (bad != NULL)
		return bad;
	return parse_by(ev, args[0], NULL, &t) ? weekday(ev, &t) : &n1_null;
}

/* ---- adding, truncating, differences ---- */

static N1Value *
f_add_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "nns");
	N1Time		t;
	int64_t		count;

	if (bad != NULL || !n1_whole(args[1], &count))
		return bad ? bad : &n1_null;
	t = n1_time_millis(n1_num(args[0]));
	return n1_time_add(&t, count, part_of(ev, args[2])) ? millis_value(ev, &t) : no_part(ev, "add ", args[2]);
}

static N1Value *
f_add_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "sns");
	const char *layout;
	N1Time		t;
	int64_t		count;
	N1Buf		b;

	if (bad != NULL)
		return bad;
	if (!n1_time_parse_any(ev->arena, args[0]->u.str.s, args[0]->u.str.n, &t, &layout) || !n1_whole(args[1], &count))
		return &n1_null;
	if (!n1_time_add(&t, count, part_of(ev, args[2])))
		return no_part(ev, "add ", args[2]);
	n1_buf_init(&b, ev->arena);
	n1_time_format(&b, &t, layout);
	return n1_buf_string(ev->arena, &b);
}

static N1Value *
f_trunc_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "ns");
	N1Time		t;

	if (bad != NULL)
		return bad;
	t = n1_time_millis(n1_num(args[0]));
	return n1_time_trunc(&t, part_of(ev, args[1])) ? millis_value(ev, &t) : no_part(ev, "trunc ", args[1]);
}

/* A text with all its digits 1: an example that is no layout by itself. */
static N1Value *
example_of(N1Eval *ev, const N1Value *v)
{
	char	   *s = n1_dup(ev->arena, v->u.str.s, v->u.str.n);

	for (size_t i = 0; i < v->u.str.n; i++)
		if (s[i] >= '0' && s[i] <= '9')
			s[i] = '1';
	return n1_string(ev->arena, s, v->u.str.n);
}

static N1Value *
f_trunc_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "sss");
	N1Value    *layout;
	N1Time		t;

	if (bad != NULL)
		return bad;
	layout = n > 2 ? args[2] : example_of(ev, args[0]);
	if (!parse_by(ev, args[0], layout, &t))
		return no_time(ev);
	return n1_time_trunc(&t, part_of(ev, args[1])) ? text_by(ev, &t, layout) : no_part(ev, "trunc ", args[1]);
}

static N1Value *
difference(N1Eval *ev, const N1Time *x, const N1Time *y, const N1Value *part, bool absolute)
{
	int64_t		d;

	if (!n1_time_diff(ev->arena, x, y, part_of(ev, part), &d))
		return no_part(ev, "diff ", part);
	return n1_int(ev->arena, absolute && d < 0 ? -d : d);
}

static N1Value *
f_diff_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "nns");
	N1Time		x,
				y;

	if (bad != NULL)
		return bad;
	x = n1_time_millis(n1_num(args[0]));
	y = n1_time_millis(n1_num(args[1]));
	return difference(ev, &x, &y, args[2], false);
}

static N1Value *
f_diff_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "sss");
	N1Time		x,
				y;

	if (bad != NULL)
		return bad;
	if (!parse_by(ev, args[0], NULL, &x) || !parse_by(ev, args[1], NULL, &y))
		return &n1_null;
	return difference(ev, &x, &y, args[2], false);
}

/* ---- texts ---- */

static N1Value *
f_millis_to_utc(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "ns");
	N1Time		t;

	if (bad != NULL)
		return bad;
	t = n1_time_millis(n1_num(args[0]));
	return text_by(ev, &t, n > 1 ? args[1] : NULL);
}

static N1Value *
f_millis_to_tz(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "nss");
	N1Time		t;

	if (bad != NULL)
		return bad;
	t = n1_time_millis(n1_num(args[0]));
	if (!n1_time_zone(ev->arena, &t, args[1]->u.str.s, args[1]->u.str.n))
		return &n1_null;
	return text_by(ev, &t, n > 2 ? args[2] : NULL);
}

static N1Value *
f_str_to_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "ss");
	N1Time		t;

	if (bad != NULL)
		return bad;
	return parse_by(ev, args[0], n > 1 ? args[1] : NULL, &t) ? millis_value(ev, &t) : no_time(ev);
}

static N1Value *
f_str_to_utc(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "sss");
	N1Time		t;

	if (bad != NULL)
		return bad;
	if (!parse_by(ev, args[0], n > 1 ? args[1] : NULL, &t))
		return no_time(ev);
	t.off = 0;
	return text_by(ev, &t, n > 1 ? args[n - 1] : example_of(ev, args[0]));
}

static N1Value *
f_str_to_tz(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "ssss");
	N1Value    *layout;
	N1Time		t;

	if (bad != NULL)
		return bad;
	t = n1_time_millis(0);
	if (!n1_time_zone(ev->arena, &t, args[1]->u.str.s, args[1]->u.str.n))
		return &n1_null;
	layout = n > 2 ? args[2] : example_of(ev, args[0]);
	if (!parse_by(ev, args[0], layout, &t))
		return no_time(ev);
	n1_time_zone(ev->arena, &t, args[1]->u.str.s, args[1]->u.str.n);
	return text_by(ev, &t, n > 3 ? args[3] : layout);
}

static N1Value *
f_format_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "sss");
	N1Time		t;

	if (bad != NULL)
		return bad;
	if (!parse_by(ev, args[0], n > 2 ? args[1] : NULL, &t))
		return no_time(ev);
	return text_by(ev, &t, args[n - 1]);
}

/* ---- now ---- */

static N1Value *
now_text(N1Eval *ev, int64_t us, const N1Value *zone, const N1Value *layout)
{
	int64_t		millis = us / 1000;
	N1Time		t = n1_time_millis((double) millis);

	if (zone != NULL && !n1_time_zone(ev->arena, &t, zone->u.str.s, zone->u.str.n))
		return &n1_null;
	return text_by(ev, &t, layout);
}

static int64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static N1Value *
f_now_millis(N1Eval *ev, N1Value **args, int n)
{
	(void) args;
	(void) n;
	return n1_int(ev->arena, ev->now_us / 1000);
}

static N1Value *
f_now_utc(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "s");

	return bad ? bad : now_text(ev, ev->now_us, NULL, n > 0 ? args[0] : NULL);
}

static N1Value *
f_now_tz(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "ss");

	return bad ? bad : now_text(ev, ev->now_us, args[0], n > 1 ? args[1] : NULL);
}

static N1Value *
f_clock_millis(N1Eval *ev, N1Value **args, int n)
{
	(void) args;
	(void) n;
	return n1_double(ev->arena, (double) clock_us() / 1000);
}

static N1Value *
f_clock_utc(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "s");

	return bad ? bad : now_text(ev, clock_us(), NULL, n > 0 ? args[0] : NULL);
}

static N1Value *
f_clock_tz(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = wrong_types(args, n, "ss");

	return bad ? bad : now_text(ev, clock_us(), args[0], n > 1 ? args[1] : NULL);
}

#define V N1F_VOLATILE

static const N1Func funcs[] = {
	{"clock_local", 0, 1, f_clock_utc, V},
	{"clock_millis", 0, 0, f_clock_millis, V},
	{"clock_str", 0, 1, f_clock_utc, V},
	{"clock_tz", 1, 2, f_clock_tz, V},
	{"clock_utc", 0, 1, f_clock_utc, V},
	{"date_add_millis", 3, 3, f_add_millis, 0},
	{"date_add_str", 3, 3, f_add_str, 0},
	{"date_diff_millis", 3, 3, f_diff_millis, 0},
	{"date_diff_str", 3, 3, f_diff_str, 0},
	{"date_format_str", 2, 3, f_format_str, 0},
	{"date_part_millis", 2, 3, f_part_millis, 0},
	{"date_part_str", 2, 2, f_part_str, 0},
	{"date_trunc_millis", 2, 2, f_trunc_millis, 0},
	{"date_trunc_str", 2, 3, f_trunc_str, 0},
	{"duration_to_str", 1, 1, n1_f_duration_to_str, 0},
	{"millis", 1, 2, f_str_to_millis, 0},
	{"millis_to_local", 1, 2, f_millis_to_utc, 0},
	{"millis_to_str", 1, 2, f_millis_to_utc, 0},
	{"millis_to_tz", 2, 3, f_millis_to_tz, 0},
	{"millis_to_utc", 1, 2, f_millis_to_utc, 0},
	{"millis_to_zone_name", 2, 3, f_millis_to_tz, 0},
	{"now_local", 0, 1, f_now_utc, V},
	{"now_millis", 0, 0, f_now_millis, V},
	{"now_str", 0, 1, f_now_utc, V},
	{"now_tz", 1, 2, f_now_tz, V},
	{"now_utc", 0, 1, f_now_utc, V},
	{"str_to_duration", 1, 1, n1_f_str_to_duration, 0},
	{"str_to_millis", 1, 2, f_str_to_millis, 0},
	{"str_to_tz", 2, 4, f_str_to_tz, 0},
	{"str_to_utc", 1, 3, f_str_to_utc, 0},
	{"str_to_zone_name", 2, 4, f_str_to_tz, 0},
	{"weekday_millis", 1, 2, f_weekday_millis, 0},
	{"weekday_str", 1, 1, f_weekday_str, 0},
};

const N1FuncTable n1_funcs_date = {funcs, sizeof(funcs) / sizeof(funcs[0])};
