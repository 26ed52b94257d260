/*
 * coroutine.h: a statement runs on a stack of its own, so that it can stop at any depth and let the event loop go on.
 */
#ifndef QUERY_COROUTINE_H
#define QUERY_COROUTINE_H

#include <stdbool.h>

typedef struct Coroutine Coroutine;
typedef void (*CoroutineFn) (void *arg);

/* Made, not started; ends the program when memory is out. */
Coroutine  *coroutine_new(CoroutineFn fn, void *arg);

/* Runs it until it pauses or its function returns; false: it has returned. Never called from inside one. */
bool		coroutine_resume(Coroutine *co);

/* From inside: back to who resumed it. */
void		coroutine_pause(Coroutine *co);

/* Its function has returned, or never ran. */
void		coroutine_free(Coroutine *co);

/* Bytes of its stack that are left below this call; from inside. */
unsigned long coroutine_room(const Coroutine *co);

#endif
