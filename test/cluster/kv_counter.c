/*
 * kv_counter.c: INCREMENT and DECREMENT: numbers kept as decimal text (BinaryProtocol.md).
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "kv_value.h"

#define DO_NOT_CREATE UINT32_MAX

/* Blanks, digits, blanks, within 64 bits. */
static bool
parse(const char *s, size_t len, uint64_t *out)
{
	size_t		at = 0;
	size_t		start;
	uint64_t	n = 0;

	while (at < len && isspace((unsigned char) s[at]))
		at++;
	start = at;
	for (; at < len && isdigit((unsigned char) s[at]); at++)
	{
		unsigned	digit = (unsigned) (s[at] - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (at == start)
		return false;
	while (at < len && isspace((unsigned char) s[at]))
		at++;
	*out = n;
	return at == len;
}

static bool
stored_number(const Doc *d, uint64_t *out)
{
	const char *val;
	size_t		len;
	size_t		body;
	char	   *buf;
	bool		ok;

	if (!doc_inflated(d, &val, &len, &buf))
		return false;
	body = xattr_body_offset(val, len, d->datatype);
	ok = parse(val + body, len - body, out);
	free(buf);
	return ok;
}

void
kv_counter(Req *r)
{
	bool		down = r->opcode == 0x06 || r->opcode == 0x16;
	uint64_t	delta = get64(r->ext);
	uint64_t	n = get64(r->ext + 8);
	uint32_t	expiry = get32(r->ext + 16);
	Doc		   *old = store_find(r->vb, r->cid, r->key, r->key_len);
	uint16_t	status = KV_SUCCESS;
	char		text[24];
	uint8_t		answer[8];
	Doc		   *d;

	if (old != NULL && !stored_number(old, &n))
		status = KV_DELTA_BADVAL;
	else if (old == NULL && expiry == DO_NOT_CREATE)
		status = KV_KEY_ENOENT;
	else
		status = kv_may_write(r, old, 0);
	if (status != KV_SUCCESS)
	{
		reply_status(r, status);
		return;
	}
	if (old != NULL)
		n = !down ? n + delta : n > delta ? n - delta : 0;
	snprintf(text, sizeof(text), "%llu", (unsigned long long) n);
	d = kv_new_version(r, old, text, strlen(text));
	d->flags = old != NULL ? old->flags : 0;
	d->expiry = old != NULL ? old->expiry : kv_expiry(r, expiry, NULL);
	put64(answer, n);
	kv_commit(r, d, DT_RAW, answer, sizeof(answer));
}
