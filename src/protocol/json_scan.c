/*
 * json_scan.c
 *		One checking pass over JSON text, without recursion.
 */
#include "json_scan.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

const uint8_t *
cb_scan_fail(CbJsonScan *scan, const uint8_t *p, CbResult result, const char *what)
{
	scan->error.result = result;
	scan->error.offset = (size_t) (p - scan->start);
	scan->error.what = what;
	return NULL;
}

CbJsonType
cb_scan_type(uint8_t c)
{
	switch (c)
	{
		case '{':
			return CB_JSON_OBJECT;
		case '[':
			return CB_JSON_ARRAY;
		case '"':
			return CB_JSON_STRING;
		case 't':
			return CB_JSON_TRUE;
		case 'f':
			return CB_JSON_FALSE;
		case 'n':
			return CB_JSON_NULL;
		default:
			return c == '-' || (c >= '0' && c <= '9') ? CB_JSON_NUMBER : CB_JSON_MISSING;
	}
}

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* p is at the backslash. */
static const uint8_t *
scan_escape(CbJsonScan *scan, const uint8_t *p)
{
	if (scan->end - p < 2)
		return cb_scan_fail(scan, p, CB_MALFORMED, "unterminated string");
	switch (p[1])
	{
		case '"':
		case '\\':
		case '/':
		case 'b':
		case 'f':
		case 'n':
		case 'r':
		case 't':
			return p + 2;
		case 'u':
			if (scan->end - p >= 6 && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]) &&
				is_hex(p[5]))
				return p + 6;
			return cb_scan_fail(scan, p, CB_MALFORMED, "invalid \\u escape");
		default:
			return cb_scan_fail(scan, p, CB_MALFORMED, "invalid escape");
	}
}

/*
 * First byte at or after p that is a quote, a backslash, a control character
 * or outside ASCII; end if there is none.
 */
static inline const uint8_t *
find_special(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');
	const __m128i blank = _mm_set1_epi8(' ');

	while (end - p >= 16)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) (const void *) p);
		/* Signed comparison: bytes from 0x80 are below the blank, too. */
		__m128i		hits = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote),
													 _mm_cmpeq_epi8(bytes, backslash)),
										_mm_cmplt_epi8(bytes, blank));
		int			mask = _mm_movemask_epi8(hits);

		if (mask != 0)
			return p + __builtin_ctz((unsigned) mask);
		p += 16;
	}
#else
#define ONES	UINT64_C(0x0101010101010101)
#define HIGHS	UINT64_C(0x8080808080808080)
	while (end - p >= 8)
	{
		uint64_t	word;
		uint64_t	quotes;
		uint64_t	backslashes;

		memcpy(&word, p, 8);
		quotes = word ^ (ONES * '"');
		backslashes = word ^ (ONES * '\\');
		/* A high bit anywhere sends the word to the byte loop. */
		if ((((quotes - ONES) | (backslashes - ONES) | (word - ONES * ' ') | word) & HIGHS) != 0)
			break;
		p += 8;
	}
#endif
	while (p < end && *p >= ' ' && *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

const uint8_t *
cb_scan_string(CbJsonScan *scan, const uint8_t *p, bool *escaped)
{
	const uint8_t *end = scan->end;

	for (;;)
	{
		p = find_special(p, end);
		if (p == end)
			return cb_scan_fail(scan, p, CB_MALFORMED, "unterminated string");
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
		{
			*escaped = true;
			p = scan_escape(scan, p);
			if (p == NULL)
				return NULL;
		}
		else if (*p < ' ')
			return cb_scan_fail(scan, p, CB_MALFORMED, "control character in string");
		while (p < end && *p >= 0x80)
		{
			size_t		len;

			/* Two bytes: most of what is neither ASCII nor East Asian. */
			if (*p >= 0xc2 && *p <= 0xdf && end - p >= 2 && (p[1] & 0xc0) == 0x80)
			{
				p += 2;
				continue;
			}
			len = cb_utf8_sequence(p, (size_t) (end - p));
			if (len == 0)
				return cb_scan_fail(scan, p, CB_BAD_UTF8, "invalid UTF-8");
			p += len;
		}
	}
}

static const uint8_t *
scan_digits(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static const uint8_t *
scan_number(CbJsonScan *scan, const uint8_t *p)
{
	const uint8_t *end = scan->end;
	const uint8_t *digits;

	if (*p == '-')
		p++;
	digits = p;
	if (p < end && *p == '0')
		p++;
	else
		p = scan_digits(p, end);
	if (p == digits)
		return cb_scan_fail(scan, p, CB_MALFORMED, "invalid number");
	if (p < end && *p == '.')
	{
		digits = ++p;
		p = scan_digits(p, end);
		if (p == digits)
			return cb_scan_fail(scan, p, CB_MALFORMED, "invalid number");
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		digits = p;
		p = scan_digits(p, end);
		if (p == digits)
			return cb_scan_fail(scan, p, CB_MALFORMED, "invalid number");
	}
	return p;
}

static const uint8_t *
scan_word(CbJsonScan *scan, const uint8_t *p, const char *word, size_t len)
{
	if ((size_t) (scan->end - p) < len || memcmp(p, word, len) != 0)
		return cb_scan_fail(scan, p, CB_MALFORMED, "invalid literal");
	return p + len;
}

/* A value that is no container. */
static inline const uint8_t *
scan_scalar(CbJsonScan *scan, const uint8_t *p, bool *escaped)
{
	switch (*p)
	{
		case '"':
			return cb_scan_string(scan, p + 1, escaped);
		case 't':
			return scan_word(scan, p, "true", 4);
		case 'f':
			return scan_word(scan, p, "false", 5);
		case 'n':
			return scan_word(scan, p, "null", 4);
		case '-':
		case '0':
		case '1':
		case '2':
		case '3':
		case '4':
		case '5':
		case '6':
		case '7':
		case '8':
		case '9':
			return scan_number(scan, p);
		default:
			return cb_scan_fail(scan, p, CB_MALFORMED, "expected a value");
	}
}

/* Which open containers are objects, innermost last. */
typedef struct Stack
{
	uint64_t	object[CB_JSON_MAX_DEPTH / 64];
	int			depth;			/* levels open, those outside included */
	int			base;			/* levels that were open before */
} Stack;

static inline void
push(Stack *stack, bool object)
{
	uint64_t	bit = UINT64_C(1) << (stack->depth % 64);

	if (object)
		stack->object[stack->depth / 64] |= bit;
	else
		stack->object[stack->depth / 64] &= ~bit;
	stack->depth++;
}

static inline bool
in_object(const Stack *stack)
{
	int			top = stack->depth - 1;

	return (stack->object[top / 64] >> (top % 64) & 1) != 0;
}

/* Member name and colon; p is where the name should begin. */
static inline const uint8_t *
scan_name(CbJsonScan *scan, const uint8_t *p)
{
	bool		escaped = false;

	if (p == scan->end || *p != '"')
		return cb_scan_fail(scan, p, CB_MALFORMED, "expected a member name");
	p = cb_scan_string(scan, p + 1, &escaped);
	if (p == NULL)
		return NULL;
	p = cb_scan_blanks(p, scan->end);
	if (p == scan->end || *p != ':')
		return cb_scan_fail(scan, p, CB_MALFORMED, "expected \":\"");
	return cb_scan_blanks(p + 1, scan->end);
}

/*
 * p is at a container's opening bracket: open it, and all that begin at its first value.
 * Returns the place of the first scalar inside or, with *closed, past an empty container.
 */
static const uint8_t *
open_containers(CbJsonScan *scan, const uint8_t *p, Stack *stack, bool *closed)
{
	const uint8_t *end = scan->end;

	*closed = false;
	while (p < end && (*p == '{' || *p == '['))
	{
		bool		object = *p == '{';

		if (stack->depth >= CB_JSON_MAX_DEPTH)
			return cb_scan_fail(scan, p, CB_LIMIT, "too many levels");
		push(stack, object);
		p = cb_scan_blanks(p + 1, end);
		if (p < end && *p == (object ? '}' : ']'))
		{
			stack->depth--;
			*closed = true;
			return p + 1;
		}
		if (object && (p = scan_name(scan, p)) == NULL)
			return NULL;
	}
	return p;
}

/*
 * p is past a value inside a container: close what ends there. Returns the place of the
 * next value, or past everything when the base is reached.
 */
static const uint8_t *
next_value(CbJsonScan *scan, const uint8_t *p, Stack *stack)
{
	const uint8_t *end = scan->end;

	while (stack->depth > stack->base)
	{
		bool		object = in_object(stack);

		p = cb_scan_blanks(p, end);
		if (p == end)
			return cb_scan_fail(scan, p, CB_MALFORMED, "unterminated object or array");
		if (*p == ',')
		{
			p = cb_scan_blanks(p + 1, end);
			return object ? scan_name(scan, p) : p;
		}
		if (*p != (object ? '}' : ']'))
			return cb_scan_fail(scan, p, CB_MALFORMED,
								object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
		stack->depth--;
		p++;
	}
	return p;
}

const uint8_t *
cb_scan_value(CbJsonScan *scan, const uint8_t *p, int depth, bool *escaped)
{
	Stack		stack;
	bool		closed;
	bool		ignored = false;

	if (p == scan->end)
		return cb_scan_fail(scan, p, CB_MALFORMED, "expected a value");
	if (*p != '{' && *p != '[')
		return scan_scalar(scan, p, escaped);
	stack.depth = depth;
	stack.base = depth;
	do
	{
		p = open_containers(scan, p, &stack, &closed);
		if (p == NULL)
			return NULL;
		if (!closed)
		{
			if (p == scan->end)
				return cb_scan_fail(scan, p, CB_MALFORMED, "expected a value");
			p = scan_scalar(scan, p, &ignored);
			if (p == NULL)
				return NULL;
		}
		p = next_value(scan, p, &stack);
		if (p == NULL)
			return NULL;
	} while (stack.depth > stack.base);
	return p;
}
