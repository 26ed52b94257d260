/*
 * control_fault.c: switches that spoil single requests, what goes over the wire, log-ins, the management service.
 */
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "query/service.h"

static const struct
{
	const char *name;
	FaultKind	kind;
}			fault_kinds[] = {
	{"status", FAULT_STATUS},
	{"status-after", FAULT_STATUS_AFTER},
	{"close", FAULT_CLOSE},
	{"close-after", FAULT_CLOSE_AFTER},
	{"silent", FAULT_SILENT},
	{"corrupt", FAULT_CORRUPT},
	{"truncate", FAULT_TRUNCATE},
	{"delay", FAULT_DELAY},
	{"hang", FAULT_HANG},
	{"hang-after", FAULT_HANG_AFTER},
};

/* Fills a fault from opcode, count, skip, status, offset and ms. */
static bool
fault_args(Call *c, Fault *f)
{
	long long	opcode = -1;
	long long	count = 1;
	long long	skip = 0;
	long long	status = f->status;
	long long	offset = 0;
	long long	ms = 0;
	bool		needs_status = (f->kind == FAULT_STATUS || f->kind == FAULT_STATUS_AFTER) && f->status == 0;

	if (!call_number(c, "opcode", false, -1, 255, &opcode) ||
		!call_number(c, "count", false, -1, INT32_MAX, &count) ||
		!call_number(c, "skip", false, 0, INT32_MAX, &skip) ||
		!call_number(c, "status", needs_status, 1, 0xffff, &status) ||
		!call_number(c, "offset", f->kind == FAULT_CORRUPT || f->kind == FAULT_TRUNCATE, 0, CB_MAX_PACKET, &offset) ||
		!call_number(c, "ms", f->kind == FAULT_DELAY, 0, MAX_DELAY_MS, &ms))
		return false;
	f->opcode = (int) opcode;
	f->remaining = (int) count;
	f->skip = (unsigned) skip;
	f->status = (uint16_t) status;
	f->offset = (unsigned) offset;
	f->delay_ms = (unsigned) ms;
	return true;
}

static bool
run_fault(Call *c)
{
	const char *kind = evhttp_find_header(c->args, "kind");
	Fault		f = {.kind = FAULT_STATUS};

	for (size_t i = 0; kind != NULL && i < sizeof(fault_kinds) / sizeof(fault_kinds[0]); i++)
	{
		if (strcmp(fault_kinds[i].name, kind) == 0)
		{
			f.kind = fault_kinds[i].kind;
			if (!fault_args(c, &f))
				return false;
			node_add_fault(c->node, &f);
			return true;
		}
	}
	return kind == NULL ? call_refuse(c, "kind=KIND is missing") : call_refuse(c, "there is no fault of kind \"%s\"", kind);
}

static bool
run_tmpfail(Call *c)
{
	Fault		f = {.kind = FAULT_STATUS, .status = KV_ETMPFAIL};

	if (!fault_args(c, &f))
		return false;
	node_add_fault(c->node, &f);
	return true;
}

static bool
run_clear(Call *c)
{
	node_clear_faults(c->node);
	c->node->delay_ms = 0;
	c->cluster->sasl_fault = SASL_NO_FAULT;
	return true;
}

/* ---------------------------------------------------------------- the wire, log-ins, HTTP */

static const char *const wire_kinds[] = {"close", "reset", "stall", "corrupt", NULL};	/* WireFaultKind */
static const char *const sasl_kinds[] = {
	"none", "no-signature", "wrong-signature", "foreign-nonce", "no-iterations", "endless-iterations",
	"mandatory-extension", "plain-only", NULL
};										/* SaslFault */
static const char *const http_kinds[] = {"status", "close", "silent", NULL};	/* HttpFaultKind */

static bool
run_wire(Call *c)
{
	unsigned	kind;
	long long	after = 0;
	long long	count = 1;

	if (!call_choice(c, "kind", wire_kinds, &kind) ||
		!call_number(c, "after", false, 0, INT64_MAX, &after) ||
		!call_number(c, "count", false, -1, INT32_MAX, &count))
		return false;
	node_add_wire_fault(c->node, (WireFaultKind) kind, (uint64_t) after, (int) count);
	return true;
}

static bool
run_sasl(Call *c)
{
	unsigned	kind;

	if (!call_choice(c, "kind", sasl_kinds, &kind))
		return false;
	c->cluster->sasl_fault = (SaslFault) kind;
	return true;
}

static const char *const query_kinds[] = {
	"none", "status", "error", "late-error", "close", "reset", "silent", "delay", "cut", NULL
};										/* QueryFaultKind */

static bool
run_query(Call *c)
{
	unsigned	kind;
	long long	status = 500;
	long long	code = 5000;
	long long	after = 0;
	long long	ms = 0;
	long long	count = 1;
	const char *msg = call_text(c, "msg");
	QueryFault	f = {.msg = NULL};

	if (!call_choice(c, "kind", query_kinds, &kind) ||
		!call_number(c, "status", false, 100, 599, &status) ||
		!call_number(c, "code", false, 0, INT32_MAX, &code) ||
		!call_number(c, "after", kind == QUERY_FAULT_CUT, 0, INT64_MAX, &after) ||
		!call_number(c, "ms", kind == QUERY_FAULT_DELAY, 0, MAX_DELAY_MS, &ms) ||
		!call_number(c, "count", false, -1, INT32_MAX, &count))
		return false;
	if (c->node->query == NULL)
		return call_refuse(c, "node %d has no query service", c->node->index);
	f = (QueryFault) {
		.kind = (QueryFaultKind) kind, .remaining = (int) count, .status = (int) status, .code = (int) code,
		.msg = xstrdup(msg != NULL ? msg : "fault"), .after = (uint64_t) after, .delay_ms = (unsigned) ms
	};
	query_fault_set(c->node, &f);
	free(f.msg);
	return true;
}

static bool
run_http(Call *c)
{
	unsigned	kind;
	long long	status = 503;
	long long	count = 1;

	if (!call_choice(c, "kind", http_kinds, &kind) ||
		!call_number(c, "status", false, 100, 599, &status) ||
		!call_number(c, "count", false, -1, INT32_MAX, &count))
		return false;
	c->node->http_fault = (HttpFault) {(HttpFaultKind) kind, (int) status, (int) count};
	return true;
}

json_t *
control_faults_json(const Node *n)
{
	json_t	   *list = json_array();

	for (const Fault *f = n->faults; f != NULL; f = f->next)
		json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:i}", "kind", fault_kinds[f->kind].name,
											  "opcode", f->opcode, "status", f->status, "remaining", f->remaining));
	for (const WireFault *f = n->wire_faults; f != NULL; f = f->next)
		json_array_append_new(list, json_pack("{s:s+, s:I, s:i}", "kind", "wire-", wire_kinds[f->kind],
											  "after", (json_int_t) f->after, "remaining", f->remaining));
	if (n->http_fault.remaining != 0)
		json_array_append_new(list, json_pack("{s:s+, s:i}", "kind", "http-", http_kinds[n->http_fault.kind],
											  "remaining", n->http_fault.remaining));
	return list;
}

/* ---------------------------------------------------------------- the table */

const Row	control_fault_rows[] = {
	{"fault", true, "kind opcode count skip status offset ms", run_fault,
	"kind=status|status-after|close|close-after|silent|corrupt|truncate|delay|hang|hang-after for the next count requests "
	"(-1: all)"},
	{"tmpfail", true, "opcode count skip", run_tmpfail, "the next count requests are answered with status 86"},
	{"wire", true, "kind after count", run_wire,
	"kind=close|reset|stall|corrupt once that many bytes were sent on each of the next count data connections"},
	{"sasl", false, "kind", run_sasl,
	"kind=none|no-signature|wrong-signature|foreign-nonce|no-iterations|endless-iterations|mandatory-extension|plain-only"},
	{"http", true, "kind status count", run_http,
	"kind=status|close|silent for the next count requests of the management service"},
	{"query", true, "kind status code msg after ms count", run_query,
	"kind=status|error|late-error|close|reset|silent|delay|cut|none for the next count requests of the query service"},
	{"clear", true, "", run_clear, "no more faults and delays"},
	{0}
};
