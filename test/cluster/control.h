/*
 * control.h: what the switches of the control port share. A switch is a row of a table; control.c runs them.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "manage.h"

#define MAX_DELAY_MS 3600000

/* One call: its arguments, the node it is about (rows that take one), what it answers. */
typedef struct Call
{
	Cluster    *cluster;
	Node	   *node;
	const struct evkeyvalq *args;
	struct evbuffer *body;			/* of the request */
	json_t	   *answer;				/* object; members that a row adds */
	char		error[256];
} Call;

typedef bool (*CallFn) (Call *c);

typedef struct Row
{
	const char *name;				/* NULL ends a table */
	bool		takes_node;			/* needs node=N or node=all, and runs once for each */
	const char *args;				/* what it understands besides node, in words for the list of switches */
	CallFn		run;				/* false after call_refuse() */
	const char *what;
} Row;

extern const Row control_node_rows[];	/* control_node.c */
extern const Row control_fault_rows[];	/* control_fault.c */
extern const Row control_map_rows[];	/* control_map.c */

/* Notes why the call cannot be done; always false. */
bool		call_refuse(Call *c, const char *fmt,...) __attribute__((format(printf, 2, 3)));

const char *call_text(Call *c, const char *name);	/* NULL: not given */

/* A number of min..max (decimal or 0x); *out keeps its value if the argument is missing and not required. */
bool		call_number(Call *c, const char *name, bool required, long long min, long long max, long long *out);
bool		call_flag(Call *c, const char *name, bool *out);	/* 0 or 1; the same if it is missing */
bool		call_bucket(Call *c, Bucket **out);	/* bucket=NAME, required */

/* Index of a text argument, required, in a NULL-terminated list. */
bool		call_choice(Call *c, const char *name, const char *const *list, unsigned *out);

/* For status: the faults armed on a node; new reference. */
json_t	   *control_faults_json(const Node *n);

#endif
