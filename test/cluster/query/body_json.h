/*
 * body_json.h: the members of a JSON request body, one after the other, with the complaints of the server's scanner.
 */
#ifndef QUERY_BODY_JSON_H
#define QUERY_BODY_JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef struct BodyScan
{
	const char *at;
	const char *end;
	bool		inside;				/* of the object */
	bool		first;
	bool		over;
	char		complaint[160];
} BodyScan;

/* A value as it stands in the body. */
typedef struct BodyValue
{
	const char *text;
	size_t		len;
} BodyValue;

void		body_scan(BodyScan *s, const char *text, size_t len);

/* The next name (malloced, terminated) and *found, or the end; false with a complaint. A body that is no object has none. */
bool		body_next_key(BodyScan *s, char **key, bool *found);

/* Then its value; false with a complaint. */
bool		body_next_value(BodyScan *s, BodyValue *v);

/* True if the text is one value and nothing else. */
bool		body_check(BodyScan *s, const char *text, size_t len);

/* The text of a string value: malloced, terminated; half a surrogate pair and bytes that are no UTF-8 become U+FFFD. */
char	   *body_string(BodyValue v, size_t *len);

/* Elements of an array and members of an object that was checked: call until false. */
bool		body_next_element(BodyValue *rest, BodyValue *element);
bool		body_next_member(BodyValue *rest, char **key, BodyValue *value);

#endif
