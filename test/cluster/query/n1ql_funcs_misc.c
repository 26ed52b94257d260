/*
 * Functions that fit nowhere else: META(), JSON, hashes, base64, whole division, ABORT().
 */
#include "n1ql_func.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <zlib.h>

static void
add_field(N1Pair *p, size_t *n, const char *name, N1Value *v)
{
	p[(*n)++] = (N1Pair) {name, strlen(name), v};
}

static N1Value *
f_meta(N1Eval *ev, N1Value **args, int n)
{
	const N1Meta *m;
	N1Arena    *a = ev->arena;
	N1Pair	   *p;
	size_t		k = 0;

	if (n == 0 || args[0]->type == N1_MISSING)
		return &n1_missing;
	m = args[0]->meta;
	if (m == NULL)
		return &n1_null;
	p = n1_alloc(a, 6 * sizeof(*p));
	if (m->id == NULL)
		return n1_object(a, p, 0);
	add_field(p, &k, "id", n1_string(a, m->id, m->id_len));
	if (m->keyspace != NULL)
	{
		add_field(p, &k, "cas", n1_int(a, (int64_t) m->cas));
		add_field(p, &k, "expiration", n1_int(a, m->expiration));
		add_field(p, &k, "flags", n1_int(a, m->flags));
		add_field(p, &k, "keyspace", n1_string0(a, m->keyspace));
	}
	if (m->type != NULL)
		add_field(p, &k, "type", n1_string0(a, m->type));
	return n1_object(a, p, k);
}

/* UNNEST leaves the place of an element in what is the META() of a document. */
static N1Value *
f_unnest_position(N1Eval *ev, N1Value **args, int n)
{
	const N1Meta *m = args[0]->meta;

	(void) n;
	if (args[0]->type == N1_MISSING)
		return args[0];
	if (m == NULL || m->id != NULL || m->type == NULL || strcmp(m->type, "unnest") != 0)
		return &n1_null;
	return n1_int(ev->arena, (int64_t) m->cas);
}

static N1Value *
f_abort(N1Eval *ev, N1Value **args, int n)
{
	N1Buf		b;

	(void) n;
	n1_buf_init(&b, ev->arena);
	if (args[0]->type == N1_STRING)
		n1_buf_add(&b, args[0]->u.str.s, args[0]->u.str.n);
	else
		n1_json_write(&b, args[0]);
	return n1_fail(ev, 5011, "Abort: %s. - cause: %s", b.s, b.s);
}

/* ---- JSON ---- */

static void
write_unpacked(N1Buf *b, N1Value *v)
{
	n1_unpack(v);
	n1_json_write(b, v);
}

static N1Value *
f_encode(N1Eval *ev, N1Value **args, int n)
{
	N1Buf		b;

	(void) n;
	n1_buf_init(&b, ev->arena);
	write_unpacked(&b, args[0]);
	return n1_buf_string(ev->arena, &b);
}

static N1Value *
f_encoded_size(N1Eval *ev, N1Value **args, int n)
{
	return n1_int(ev->arena, (int64_t) f_encode(ev, args, n)->u.str.n);
}

static N1Value *
f_decode(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *v;

	(void) n;
	if (args[0]->type != N1_STRING)
		return args[0]->type == N1_MISSING ? args[0] : &n1_null;
	v = n1_json(ev->arena, args[0]->u.str.s, args[0]->u.str.n);
	if (v->type == N1_BINARY)
		return &n1_null;
	n1_unpack(v);
	return v;
}

static N1Value *
f_poly_length(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *v = args[0];

	(void) n;
	n1_unpack(v);
	if (v->type == N1_STRING)
		return n1_int(ev->arena, (int64_t) v->u.str.n);
	if (v->type == N1_ARRAY)
		return n1_int(ev->arena, (int64_t) v->u.arr.n);
	if (v->type == N1_OBJECT)
		return n1_int(ev->arena, (int64_t) v->u.obj.n);
	return v->type == N1_MISSING ? v : &n1_null;
}

/* LEN(): of a number, the length of its text. */
static N1Value *
f_len(N1Eval *ev, N1Value **args, int n)
{
	N1Buf		b;

	if (args[0]->type == N1_BOOL)
		return n1_int(ev->arena, 1);
	if (args[0]->type == N1_BINARY)
		return n1_int(ev->arena, (int64_t) args[0]->u.str.n);
	if (args[0]->type != N1_NUMBER)
		return f_poly_length(ev, args, n);
	n1_buf_init(&b, ev->arena);
	n1_number_text(&b, args[0]);
	return n1_int(ev->arena, (int64_t) b.n);
}

/* ---- base64 ---- */

static N1Value *
f_base64(N1Eval *ev, N1Value **args, int n)
{
	N1Buf		b;
	char	   *out;
	int			len;

	(void) n;
	if (args[0]->type == N1_MISSING)
		return args[0];
	n1_buf_init(&b, ev->arena);
	write_unpacked(&b, args[0]);
	out = n1_alloc(ev->arena, b.n / 3 * 4 + 8);
	len = EVP_EncodeBlock((unsigned char *) out, (const unsigned char *) b.s, (int) b.n);
	return n1_string(ev->arena, out, (size_t) len);
}

/* What the text decodes to is a document: JSON is taken apart, anything else is binary. */
static N1Value *
f_base64_decode(N1Eval *ev, N1Value **args, int n)
{
	size_t		len;
	char	   *out;
	int			got;

	(void) n;
	if (args[0]->type != N1_STRING)
		return args[0]->type == N1_MISSING ? args[0] : &n1_null;
	len = args[0]->u.str.n;
	if (len % 4 != 0)
		return &n1_null;
	out = n1_alloc(ev->arena, len / 4 * 3 + 4);
	got = EVP_DecodeBlock((unsigned char *) out, (const unsigned char *) args[0]->u.str.s, (int) len);
	if (got < 0)
		return &n1_null;
	if (len > 0 && args[0]->u.str.s[len - 1] == '=')
		got--;
	if (len > 1 && args[0]->u.str.s[len - 2] == '=')
		got--;
	return n1_json(ev->arena, out, (size_t) got);
}

/* ---- hashes ---- */

static N1Value *
hex_string(N1Arena *a, const unsigned char *s, size_t n)
{
	N1Buf		b;

	n1_buf_init(&b, a);
	for (size_t i = 0; i < n; i++)
		n1_buf_printf(&b, "%02x", s[i]);
	return n1_string(a, b.s, b.n);
}

/* The name of the hash in lower case, without the dash of "sha-256"; false when it is too long to be one. */
static bool
hash_name(const N1Value *v, char *out, size_t size)
{
	size_t		k = 0;

	if (v->u.str.n >= size)
		return false;
	for (size_t i = 0; i < v->u.str.n; i++)
	{
		char		c = v->u.str.s[i];

		if (c == '-' && k == 3 && memcmp(out, "sha", 3) == 0)
			continue;
		out[k++] = c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
	}
	out[k] = '\0';
	return true;
}

static N1Value *
hash(N1Eval *ev, const char *name, const N1Buf *b)
{
	static const char *const ours[] = {"md5", "sha224", "sha256", "sha384", "sha512", "sha512/224", "sha512/256"};
	static const char *const theirs[] = {
		"MD5", "SHA224", "SHA256", "SHA384", "SHA512", "SHA512-224", "SHA512-256"
	};
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned	len;

	if (strcmp(name, "crc32") == 0)
	{
		uLong		crc = crc32(0, (const Bytef *) b->s, (uInt) b->n);

		for (int i = 0; i < 4; i++)
			out[i] = (unsigned char) (crc >> (24 - 8 * i));
		return hex_string(ev->arena, out, 4);
	}
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcmp(name, ours[i]) == 0)
		{
			const EVP_MD *md = EVP_get_digestbyname(theirs[i]);

			if (md == NULL || EVP_Digest(b->s, b->n, out, &len, md, NULL) != 1)
				return n1_fail(ev, N1_EVAL_ERROR, "hash %s is not available", name);
			return hex_string(ev->arena, out, len);
		}
	return &n1_null;
}

static N1Value *
f_hashbytes(N1Eval *ev, N1Value **args, int n)
{
	char		name[16] = "sha256";
	N1Value    *algorithm = n > 1 ? args[1] : &n1_missing;
	N1Buf		b;

	if (args[0]->type <= N1_NULL)
		return args[0];
	if (algorithm->type == N1_OBJECT)
	{
		if (n1_field(ev->arena, algorithm, "polynomial", 10)->type != N1_MISSING)
			return n1_fail(ev, N1_EVAL_ERROR, "HASHBYTES() option polynomial is not supported");
		algorithm = n1_field(ev->arena, algorithm, "algorithm", 9);
	}
	else if (algorithm->type > N1_NULL && algorithm->type != N1_STRING)
		return &n1_null;
	if (algorithm->type == N1_STRING && !hash_name(algorithm, name, sizeof(name)))
		return &n1_null;
	n1_buf_init(&b, ev->arena);
	if (args[0]->type == N1_STRING || args[0]->type == N1_BINARY)
		n1_buf_add(&b, args[0]->u.str.s, args[0]->u.str.n);
	else
		write_unpacked(&b, args[0]);
	return hash(ev, name, &b);
}

static N1Value *
f_uuid(N1Eval *ev, N1Value **args, int n)
{
	unsigned char r[16];
	N1Buf		b;

	(void) args;
	(void) n;
	if (RAND_bytes(r, sizeof(r)) != 1)
		return n1_fail(ev, N1_EVAL_ERROR, "no random numbers");
	r[6] = (r[6] & 0x0F) | 0x40;
	r[8] = (r[8] & 0x3F) | 0x80;
	n1_buf_init(&b, ev->arena);
	for (int i = 0; i < 16; i++)
		n1_buf_printf(&b, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", r[i]);
	return n1_buf_string(ev->arena, &b);
}

/* ---- whole division: floats lose their fraction, and what is outside int64 becomes its smallest number ---- */

static int64_t
cut(const N1Value *v)
{
	if (v->is_int)
		return v->u.i;
	if (!(v->u.d >= -9223372036854775808.0 && v->u.d < 9223372036854775808.0))
		return INT64_MIN;
	return (int64_t) v->u.d;
}

/* The operands as integers; false with *out set when there is nothing to divide. */
static bool
whole_operands(N1Eval *ev, N1Value **args, int64_t *x, int64_t *y, N1Value **out)
{
	*out = args[0]->type == N1_MISSING || args[1]->type == N1_MISSING ? &n1_missing : &n1_null;
	if (args[0]->type != N1_NUMBER || args[1]->type != N1_NUMBER)
		return false;
	*x = cut(args[0]);
	*y = cut(args[1]);
	if (*y != 0)
		return true;
	if (!args[0]->is_int && n1_num(args[1]) != 0)
		*out = n1_fail(ev, 5001, "Panic: runtime error: integer divide by zero");
	return false;
}

static N1Value *
f_idiv(N1Eval *ev, N1Value **args, int n)
{
	int64_t		x,
				y;
	N1Value    *out;

	(void) n;
	if (args[0]->type == N1_NUMBER && args[1]->type == N1_NUMBER && cut(args[1]) == 0)
	{
		n1_warn(ev, 5036, "Division by 0.");
		return &n1_null;
	}
	if (!whole_operands(ev, args, &x, &y, &out))
		return out;
	return n1_int(ev->arena, y == -1 ? (int64_t) (0 - (uint64_t) x) : x / y);
}

static N1Value *
f_imod(N1Eval *ev, N1Value **args, int n)
{
	int64_t		x,
				y;
	N1Value    *out;

	(void) n;
	if (!whole_operands(ev, args, &x, &y, &out))
		return out;
	return n1_int(ev->arena, y == -1 ? 0 : x % y);
}

static const N1Func funcs[] = {
	{"abort", 1, 1, f_abort, N1F_VOLATILE},
	{"base64", 1, 1, f_base64, 0},
	{"base64_decode", 1, 1, f_base64_decode, 0},
	{"base64_encode", 1, 1, f_base64, 0},
	{"decode_base64", 1, 1, f_base64_decode, 0},
	{"decode_json", 1, 1, f_decode, 0},
	{"encode_base64", 1, 1, f_base64, 0},
	{"encode_json", 1, 1, f_encode, 0},
	{"encoded_size", 1, 1, f_encoded_size, 0},
	{"hashbytes", 1, 2, f_hashbytes, 0},
	{"idiv", 2, 2, f_idiv, 0},
	{"imod", 2, 2, f_imod, 0},
	{"json_decode", 1, 1, f_decode, 0},
	{"json_encode", 1, 1, f_encode, 0},
	{"len", 1, 1, f_len, 0},
	{"meta", 0, 1, f_meta, 0},
	{"poly_length", 1, 1, f_poly_length, 0},
	{"unnest_pos", 1, 1, f_unnest_position, 0},
	{"unnest_position", 1, 1, f_unnest_position, 0},
	{"uuid", 0, 0, f_uuid, N1F_VOLATILE},
};

const N1FuncTable n1_funcs_misc = {funcs, sizeof(funcs) / sizeof(funcs[0])};
