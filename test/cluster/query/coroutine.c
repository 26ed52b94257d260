/*
 * coroutine.c: stacks and switching between them, by ucontext; AddressSanitizer is told of every switch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "../util.h"
#include "coroutine.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#define STACK_SIZE (64ul << 20)
#else
#define STACK_SIZE (16ul << 20)
#endif

struct Coroutine
{
	ucontext_t	inside;
	ucontext_t	outside;
	CoroutineFn fn;
	void	   *arg;
	char	   *stack;				/* its first page is a guard */
	bool		done;
#ifdef __SANITIZE_ADDRESS__
	void	   *fake_inside;
	void	   *fake_outside;
	const void *outside_bottom;
	size_t		outside_size;
#endif
};

static void
arrive_inside(Coroutine *co)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(co->fake_inside, &co->outside_bottom, &co->outside_size);
#else
	(void) co;
#endif
}

static void
leave_inside(Coroutine *co)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(co->done ? NULL : &co->fake_inside, co->outside_bottom, co->outside_size);
#endif
	swapcontext(&co->inside, &co->outside);
}

/* makecontext() passes ints only: the pointer comes in two halves. */
static void
enter(unsigned high, unsigned low)
{
	Coroutine  *co = (Coroutine *) ((uintptr_t) high << 32 | (uintptr_t) low);

	arrive_inside(co);
	co->fn(co->arg);
	co->done = true;
	leave_inside(co);
	abort();
}

Coroutine *
coroutine_new(CoroutineFn fn, void *arg)
{
	Coroutine  *co = xcalloc(1, sizeof(*co));
	uintptr_t	self = (uintptr_t) co;

	co->fn = fn;
	co->arg = arg;
	co->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (co->stack == MAP_FAILED || mprotect(co->stack, (size_t) sysconf(_SC_PAGESIZE), PROT_NONE) != 0)
	{
		cb_log("no memory for the stack of a statement");
		exit(1);
	}
	getcontext(&co->inside);
	co->inside.uc_stack.ss_sp = co->stack;
	co->inside.uc_stack.ss_size = STACK_SIZE;
	co->inside.uc_link = NULL;
	makecontext(&co->inside, (void (*) (void)) enter, 2, (unsigned) ((uint64_t) self >> 32), (unsigned) self);
	return co;
}

bool
coroutine_resume(Coroutine *co)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(&co->fake_outside, co->stack, STACK_SIZE);
#endif
	swapcontext(&co->outside, &co->inside);
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(co->fake_outside, NULL, NULL);
#endif
	return !co->done;
}

void
coroutine_pause(Coroutine *co)
{
	leave_inside(co);
	arrive_inside(co);
}

void
coroutine_free(Coroutine *co)
{
	munmap(co->stack, STACK_SIZE);
	free(co);
}

unsigned long
coroutine_room(const Coroutine *co)
{
	char		here;

	return (unsigned long) (&here - co->stack);
}
