/*
 * answers.h
 *		Answers of a query service, laid out as a real one lays them out, around recorded rows and errors.
 */
#ifndef CB_ANSWERS_H
#define CB_ANSWERS_H

#include "base.h"

#include <jansson.h>

typedef struct Answer
{
	const char *id;
	const char *status;
	const json_t *rows;			/* array of texts; null: there is no member "results" */
	const json_t *errors;		/* array of {code, msg} */
	int			http;
	CbBuf		text;			/* the body */
} Answer;

/* Every recorded answer; ends the process if they cannot be read. */
extern const Answer *answers_all(size_t *count);
extern void answers_free(void);

#endif
