/*
 * Arenas and growing text.
 */
#include "n1ql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK 4096
#define LARGEST_BLOCK (1024 * 1024)
#define ALIGNMENT 16

typedef struct Block
{
	struct Block *prev;
	size_t		cap;
	size_t		used;
	size_t		before;			/* bytes used in the blocks below */
} Block;

#define HEADER ((sizeof(Block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

struct N1Arena
{
	Block	   *top;
	Block	   *spare;			/* one block kept for the next need */
};

static void *
must(void *p)
{
	if (p == NULL)
	{
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

N1Arena *
n1_arena_new(void)
{
	return must(calloc(1, sizeof(N1Arena)));
}

void
n1_arena_free(N1Arena *a)
{
	if (a == NULL)
		return;
	n1_arena_clear(a);
	free(a->spare);
	free(a);
}

/* Puts a block with room for size bytes on top. */
static void
add_block(N1Arena *a, size_t size)
{
	Block	   *b = a->spare;
	size_t		cap = a->top ? a->top->cap * 2 : FIRST_BLOCK;

	if (b != NULL && b->cap >= size)
		a->spare = NULL;
	else
	{
		if (cap > LARGEST_BLOCK)
			cap = LARGEST_BLOCK;
		if (cap < size)
			cap = size;
		b = must(malloc(HEADER + cap));
		b->cap = cap;
	}
	b->used = 0;
	b->before = a->top ? a->top->before + a->top->used : 0;
	b->prev = a->top;
	a->top = b;
}

void *
n1_alloc(N1Arena *a, size_t size)
{
	void	   *p;

	if (size > SIZE_MAX / 4)
		must(NULL);
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (a->top == NULL || a->top->cap - a->top->used < size)
		add_block(a, size);
	p = (char *) a->top + HEADER + a->top->used;
	a->top->used += size;
	return memset(p, 0, size);
}

char *
n1_dup(N1Arena *a, const char *s, size_t n)
{
	char	   *p = n1_alloc(a, n + 1);

	if (n > 0)
		memcpy(p, s, n);
	return p;
}

N1Mark
n1_arena_mark(N1Arena *a)
{
	return (N1Mark) {a->top, a->top ? a->top->used : 0};
}

void
n1_arena_reset(N1Arena *a, N1Mark mark)
{
	while (a->top != NULL && a->top != mark.block)
	{
		Block	   *b = a->top;

		a->top = b->prev;
		if (a->spare == NULL || a->spare->cap < b->cap)
		{
			free(a->spare);
			a->spare = b;
		}
		else
			free(b);
	}
	if (a->top != NULL)
		a->top->used = mark.used;
}

void
n1_arena_clear(N1Arena *a)
{
	n1_arena_reset(a, (N1Mark) {NULL, 0});
}

size_t
n1_arena_size(const N1Arena *a)
{
	return a->top ? a->top->before + a->top->used : 0;
}

void
n1_buf_init(N1Buf *b, N1Arena *a)
{
	b->arena = a;
	b->cap = 64;
	b->n = 0;
	b->s = n1_alloc(a, b->cap);
}

void
n1_buf_add(N1Buf *b, const char *s, size_t n)
{
	if (b->cap - b->n <= n)
	{
		size_t		cap = b->cap * 2 > b->n + n + 1 ? b->cap * 2 : b->n + n + 1;
		char	   *p = n1_alloc(b->arena, cap);

		memcpy(p, b->s, b->n);
		b->s = p;
		b->cap = cap;
	}
	if (n > 0)
		memcpy(b->s + b->n, s, n);
	b->n += n;
	b->s[b->n] = '\0';
}

void
n1_buf_str(N1Buf *b, const char *s)
{
	n1_buf_add(b, s, strlen(s));
}

void
n1_buf_char(N1Buf *b, char c)
{
	n1_buf_add(b, &c, 1);
}

void
n1_buf_printf(N1Buf *b, const char *fmt, ...)
{
	char		small[256];
	char	   *p = small;
	va_list		ap;
	int			n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n >= (int) sizeof(small))
	{
		p = n1_alloc(b->arena, (size_t) n + 1);
		va_start(ap, fmt);
		vsnprintf(p, (size_t) n + 1, fmt, ap);
		va_end(ap);
	}
	if (n > 0)
		n1_buf_add(b, p, (size_t) n);
}
