/*
 * Functions of dates: texts in ISO 8601 form and milliseconds since 1970. A text without a zone is in UTC: that is this
 * node's zone. What is no date gives NULL.
 */
#include "n1ql_date.h"

#include <math.h>
#include <string.h>
#include <time.h>

/* MISSING, or NULL if an argument has not the type its letter tells (n: number, s: string), else no value. */
static N1Value *
check(N1Value **args, int n, const char *types)
{
	N1Value    *bad = NULL;

	for (int i = 0; i < n; i++)
	{
		if (args[i]->type == N1_MISSING)
			return args[i];
		if (args[i]->type != (types[i] == 'n' ? N1_NUMBER : N1_STRING))
			bad = &n1_null;
	}
	return bad;
}

static const char *
text_of(N1Eval *ev, const N1Value *v)
{
	return n1_dup(ev->arena, v->u.str.s, v->u.str.n);
}

static bool
moment_of_text(const N1Value *v, Moment *m, DateLayout *layout)
{
	return date_parse(v->u.str.s, v->u.str.n, m, layout);
}

static N1Value *
shown(N1Eval *ev, Moment m, const DateLayout *layout)
{
	N1Buf		b;

	n1_buf_init(&b, ev->arena);
	date_text(&b, m, layout);
	return n1_string(ev->arena, b.s, b.n);
}

static N1Value *
millis_value(N1Eval *ev, Moment m)
{
	return n1_double(ev->arena, millis_of_moment(m));
}

/* The layout of an optional argument; false: error, a layout of a kind that is not known here. */
static bool
layout_arg(N1Eval *ev, N1Value **args, int n, int at, DateLayout *layout)
{
	if (at >= n)
		return true;
	if (date_layout(args[at]->u.str.s, args[at]->u.str.n, layout))
		return true;
	n1_fail(ev, 5010, "The date format \"%.*s\" is not supported by this test cluster.", (int) args[at]->u.str.n,
			args[at]->u.str.s);
	return false;
}

/* ---- parts ---- */

static N1Value *
part_value(N1Eval *ev, Moment m, const N1Value *part)
{
	int64_t		out;

	if (!date_part(m, text_of(ev, part), &out))
		return n1_fail(ev, 5010, "Unsupported date part %s.", text_of(ev, part));
	return n1_int(ev->arena, out);
}

static N1Value *
fn_part_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "nss");
	Moment		m;

	if (bad != NULL)
		return bad;
	m = moment_of_millis(n1_num(args[0]), 0);
	if (n > 2 && !zone_offset(text_of(ev, args[2]), m.seconds, &m.offset))
		return &n1_null;
	return part_value(ev, m, args[1]);
}

static N1Value *
fn_part_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "ss");
	DateLayout	layout;
	Moment		m;

	if (bad != NULL)
		return bad;
	return moment_of_text(args[0], &m, &layout) ? part_value(ev, m, args[1]) : &n1_null;
}

static N1Value *
weekday(N1Eval *ev, Moment m)
{
	static const char *const names[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

	return n1_string0(ev->arena, names[civil_of(m).weekday]);
}

static N1Value *
fn_weekday_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "ns");
	Moment		m;

	if (bad != NULL)
		return bad;
	m = moment_of_millis(n1_num(args[0]), 0);
	if (n > 1 && !zone_offset(text_of(ev, args[1]), m.seconds, &m.offset))
		return &n1_null;
	return weekday(ev, m);
}

static N1Value *
fn_weekday_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "s");
	DateLayout	layout;
	Moment		m;

	if (bad != NULL)
		return bad;
	return moment_of_text(args[0], &m, &layout) ? weekday(ev, m) : &n1_null;
}

/* ---- sums, truncation, differences ---- */

/* Adds to a moment; NULL when that gives a value of its own. */
static N1Value *
add_to(N1Eval *ev, Moment *m, N1Value **args)
{
	double		count = n1_num(args[1]);

	if (trunc(count) != count || fabs(count) >= 9.2e18)
		return &n1_null;
	if (!date_add(m, (int64_t) count, text_of(ev, args[2])))
		return n1_fail(ev, 5010, "Unsupported date add part %s.", text_of(ev, args[2]));
	return NULL;
}

static N1Value *
fn_add_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "nns");
	Moment		m;

	if (bad != NULL)
		return bad;
	m = moment_of_millis(n1_num(args[0]), 0);
	bad = add_to(ev, &m, args);
	return bad != NULL || ev->err.code != 0 ? bad : millis_value(ev, m);
}

static N1Value *
fn_add_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "sns");
	DateLayout	layout;
	Moment		m;

	if (bad != NULL)
		return bad;
	if (!moment_of_text(args[0], &m, &layout))
		return &n1_null;
	bad = add_to(ev, &m, args);
	return bad != NULL || ev->err.code != 0 ? bad : shown(ev, m, &layout);
}

static N1Value *
fn_trunc_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "ns");
	Moment		m;

	if (bad != NULL)
		return bad;
	m = moment_of_millis(n1_num(args[0]), 0);
	if (!date_trunc(&m, text_of(ev, args[1])))
		return n1_fail(ev, 5010, "Unsupported date trunc part %s.", text_of(ev, args[1]));
	return millis_value(ev, m);
}

static N1Value *
fn_trunc_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "ss");
	DateLayout	layout;
	Moment		m;

	if (bad != NULL)
		return bad;
	if (!moment_of_text(args[0], &m, &layout))
		return &n1_null;
	if (!date_trunc(&m, text_of(ev, args[1])))
		return n1_fail(ev, 5010, "Unsupported date trunc part %s.", text_of(ev, args[1]));
	return shown(ev, m, &layout);
}

static N1Value *
difference(N1Eval *ev, Moment a, Moment b, const N1Value *part)
{
	int64_t		out;

	if (!date_diff(a, b, text_of(ev, part), &out))
		return n1_fail(ev, 5010, "Unsupported date diff part %s.", text_of(ev, part));
	return n1_int(ev->arena, out);
}

static N1Value *
fn_diff_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "nns");

	if (bad != NULL)
		return bad;
	return difference(ev, moment_of_millis(n1_num(args[0]), 0), moment_of_millis(n1_num(args[1]), 0), args[2]);
}

static N1Value *
fn_diff_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "sss");
	DateLayout	layout;
	Moment		a;
	Moment		b;

	if (bad != NULL)
		return bad;
	if (!moment_of_text(args[0], &a, &layout) || !moment_of_text(args[1], &b, &layout))
		return &n1_null;
	return difference(ev, a, b, args[2]);
}

/* ---- from one form to another ---- */

static N1Value *
fn_format_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "ss");
	DateLayout	layout;
	Moment		m;

	if (bad != NULL)
		return bad;
	if (!moment_of_text(args[0], &m, &layout))
		return &n1_null;
	return layout_arg(ev, args, n, 1, &layout) ? shown(ev, m, &layout) : NULL;
}

static N1Value *
fn_millis_to_utc(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "ns");
	DateLayout	layout = date_default_layout;

	if (bad != NULL)
		return bad;
	if (!layout_arg(ev, args, n, 1, &layout))
		return NULL;
	return shown(ev, moment_of_millis(n1_num(args[0]), 0), &layout);
}

static N1Value *
fn_millis_to_tz(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "nss");
	DateLayout	layout = date_default_layout;
	Moment		m;

	if (bad != NULL)
		return bad;
	m = moment_of_millis(n1_num(args[0]), 0);
	if (!zone_offset(text_of(ev, args[1]), m.seconds, &m.offset))
		return &n1_null;
	return layout_arg(ev, args, n, 2, &layout) ? shown(ev, m, &layout) : NULL;
}

static N1Value *
fn_str_to_millis(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "ss");
	DateLayout	layout;
	Moment		m;

	if (bad != NULL)
		return bad;
	if (!moment_of_text(args[0], &m, &layout))
		return &n1_null;
	if (n > 1 && !date_layout(args[1]->u.str.s, args[1]->u.str.n, &layout))
		return &n1_null;
	return millis_value(ev, m);
}

static N1Value *
fn_str_to_utc(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "ss");
	DateLayout	layout;
	Moment		m;

	if (bad != NULL)
		return bad;
	if (!moment_of_text(args[0], &m, &layout))
		return &n1_null;
	m.offset = 0;
	return layout_arg(ev, args, n, 1, &layout) ? shown(ev, m, &layout) : NULL;
}

static N1Value *
fn_str_to_tz(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "sss");
	DateLayout	layout;
	Moment		m;

	if (bad != NULL)
		return bad;
	if (!moment_of_text(args[0], &m, &layout) || !zone_offset(text_of(ev, args[1]), m.seconds, &m.offset))
		return &n1_null;
	return layout_arg(ev, args, n, 2, &layout) ? shown(ev, m, &layout) : NULL;
}

static N1Value *
fn_duration_to_str(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "n");
	N1Buf		b;

	if (bad != NULL)
		return bad;
	n1_buf_init(&b, ev->arena);
	date_duration_text(&b, fabs(n1_num(args[0])) < 9.2e18 ? (int64_t) n1_num(args[0]) : 0);
	return n1_string(ev->arena, b.s, b.n);
}

static N1Value *
fn_str_to_duration(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = check(args, n, "s");
	int64_t		nanos;

	if (bad != NULL)
		return bad;
	return date_duration_parse(args[0]->u.str.s, args[0]->u.str.n, &nanos) ? n1_int(ev->arena, nanos) : &n1_null;
}

/* ---- now ---- */

/* The statement's time, or the clock's. */
static Moment
time_now(const N1Eval *ev, bool clock)
{
	struct timespec ts;
	int64_t		us = ev->now_us;

	if (clock)
	{
		clock_gettime(CLOCK_REALTIME, &ts);
		us = (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	}
	return (Moment) {us / 1000000, (int32_t) (us % 1000000 * 1000), 0};
}

static N1Value *
now_text(N1Eval *ev, N1Value **args, int n, bool clock, bool zone)
{
	N1Value    *bad = check(args, n, "ss");
	DateLayout	layout = date_default_layout;
	Moment		m = time_now(ev, clock);

	if (bad != NULL)
		return bad;
	if (zone && !zone_offset(text_of(ev, args[0]), m.seconds, &m.offset))
		return &n1_null;
	return layout_arg(ev, args, n, zone ? 1 : 0, &layout) ? shown(ev, m, &layout) : NULL;
}

static N1Value *
fn_now_millis(N1Eval *ev, N1Value **args, int n)
{
	(void) args;
	(void) n;
	return n1_double(ev->arena, (double) ev->now_us / 1000);
}

static N1Value *
fn_clock_millis(N1Eval *ev, N1Value **args, int n)
{
	Moment		m = time_now(ev, true);

	(void) args;
	(void) n;
	return n1_double(ev->arena, (double) m.seconds * 1000 + (double) m.nanos / 1000000);
}

static N1Value *
fn_now_str(N1Eval *ev, N1Value **args, int n)
{
	return now_text(ev, args, n, false, false);
}

static N1Value *
fn_now_tz(N1Eval *ev, N1Value **args, int n)
{
	return now_text(ev, args, n, false, true);
}

static N1Value *
fn_clock_str(N1Eval *ev, N1Value **args, int n)
{
	return now_text(ev, args, n, true, false);
}

static N1Value *
fn_clock_tz(N1Eval *ev, N1Value **args, int n)
{
	return now_text(ev, args, n, true, true);
}

static const N1Func funcs[] = {
	{"clock_local", 0, 1, fn_clock_str, N1F_VOLATILE},
	{"clock_millis", 0, 0, fn_clock_millis, N1F_VOLATILE},
	{"clock_str", 0, 1, fn_clock_str, N1F_VOLATILE},
	{"clock_tz", 1, 2, fn_clock_tz, N1F_VOLATILE},
	{"clock_utc", 0, 1, fn_clock_str, N1F_VOLATILE},
	{"date_add_millis", 3, 3, fn_add_millis, 0},
	{"date_add_str", 3, 3, fn_add_str, 0},
	{"date_diff_millis", 3, 3, fn_diff_millis, 0},
	{"date_diff_str", 3, 3, fn_diff_str, 0},
	{"date_format_str", 2, 2, fn_format_str, 0},
	{"date_part_millis", 2, 3, fn_part_millis, 0},
	{"date_part_str", 2, 2, fn_part_str, 0},
	{"date_trunc_millis", 2, 2, fn_trunc_millis, 0},
	{"date_trunc_str", 2, 2, fn_trunc_str, 0},
	{"duration_to_str", 1, 1, fn_duration_to_str, 0},
	{"millis", 1, 2, fn_str_to_millis, 0},
	{"millis_to_local", 1, 2, fn_millis_to_utc, 0},
	{"millis_to_str", 1, 2, fn_millis_to_utc, 0},
	{"millis_to_tz", 2, 3, fn_millis_to_tz, 0},
	{"millis_to_utc", 1, 2, fn_millis_to_utc, 0},
	{"millis_to_zone_name", 2, 3, fn_millis_to_tz, 0},
	{"now_local", 0, 1, fn_now_str, N1F_VOLATILE},
	{"now_millis", 0, 0, fn_now_millis, N1F_VOLATILE},
	{"now_str", 0, 1, fn_now_str, N1F_VOLATILE},
	{"now_tz", 1, 2, fn_now_tz, N1F_VOLATILE},
	{"now_utc", 0, 1, fn_now_str, N1F_VOLATILE},
	{"str_to_duration", 1, 1, fn_str_to_duration, 0},
	{"str_to_millis", 1, 2, fn_str_to_millis, 0},
	{"str_to_tz", 2, 3, fn_str_to_tz, 0},
	{"str_to_utc", 1, 2, fn_str_to_utc, 0},
	{"str_to_zone_name", 2, 3, fn_str_to_tz, 0},
	{"weekday_millis", 1, 2, fn_weekday_millis, 0},
	{"weekday_str", 1, 1, fn_weekday_str, 0},
};

const N1FuncTable n1_funcs_date = {funcs, sizeof(funcs) / sizeof(funcs[0])};
