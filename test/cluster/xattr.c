/*
 * xattr.c: extended attributes (kv_engine docs/Document.md "XATTR", docs/SubDocument.md). In a
 * stored value they are a section before the body: its length, then pairs of (length, key, 0,
 * value, 0). Operations work on them as one JSON object.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "subdoc.h"

#define XATTR_KEY_MAX 15

bool
xattr_to_json(const char *section, size_t len, Text *out)
{
	size_t		at = 4;

	text_add(out, "{", 1);
	if (len > 0 && (len < 4 || get32(section) != len - 4))
		return false;
	while (at < len)
	{
		const char *pair = section + at + 4;
		const char *zero;
		size_t		n;

		if (len - at < 4)
			return false;
		n = get32(section + at);
		if (n > len - at - 4 || n < 2 || pair[n - 1] != '\0')
			return false;
		zero = memchr(pair, '\0', n - 1);
		if (zero == NULL)
			return false;
		if (at > 4)
			text_add(out, ",", 1);
		text_json_string(out, pair, (size_t) (zero - pair));
		text_add(out, ":", 1);
		text_add(out, zero + 1, n - (size_t) (zero - pair) - 2);
		at += 4 + n;
	}
	text_add(out, "}", 1);
	return true;
}

bool
xattr_from_json(Span object, bool system_only, Text *section)
{
	Text		sorted = {0};
	JsonCursor	c;
	Span		raw;
	bool		ok = json_canonical(object, &sorted) && sorted.s[0] == '{';
	char		length[4] = {0};

	c = (JsonCursor) {sorted.s, sorted.s + sorted.len};
	if (ok)
		json_enter(&c);
	for (size_t seen = 0; ok && json_next(&c, true, seen, &raw) > 0; seen++)
	{
		Text		key = {0};
		const char *value = c.p;

		ok = json_string_text((Span) {raw.at - 1, raw.len + 2}, &key) && json_skip(&c, 2) == 0;
		if (ok && (!system_only || (key.len > 0 && key.s[0] == '_')))
		{
			if (section->len == 0)
				text_add(section, length, 4);
			put32(length, (uint32_t) (key.len + (size_t) (c.p - value) + 2));
			text_add(section, length, 4);
			text_add(section, key.s, key.len + 1);
			text_add(section, value, (size_t) (c.p - value));
			text_add(section, "", 1);
		}
		text_free(&key);
	}
	text_free(&sorted);
	if (ok && section->len > 0)
		put32(section->s, (uint32_t) section->len - 4);
	return ok;
}

/* Bytes of the character at s by its first byte and the marks of those that follow; 0: broken. */
static size_t
char_width(const unsigned char *s, size_t len)
{
	size_t		n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 :
		(s[0] & 0xf8) == 0xf0 ? 4 : 0;

	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

size_t
xattr_key_len(const char *path, size_t len)
{
	static const char punctuation[] = "!\"#%&'()*+,-./:;<=>?@[\\]^`{|}~";
	size_t		end = len;
	size_t		width;
	bool		system;

	if (len == 0 || (unsigned char) path[0] < 0x20 || path[0] == 0x7f || strchr(punctuation, path[0]) != NULL)
		return 0;
	system = path[0] == '_' || path[0] == '$';
	for (size_t i = 0; i < len; i += width)
	{
		width = char_width((const unsigned char *) path + i, len - i);
		if (width == 0 || path[i] == '\0')
			return 0;
		if (end == len && (path[i] == '.' || path[i] == '['))
			end = i;
	}
	return end > XATTR_KEY_MAX || (system && end == 1) ? 0 : end;
}

/* ---------------------------------------------------------------- macros */

enum
{
	MACRO_CAS,
	MACRO_SEQNO,
	MACRO_CRC,
	MACROS
};

static const struct
{
	const char *name;
	size_t		digits;
}			macros[MACROS] = {
	{"\"${Mutation.CAS}\"", 16},
	{"\"${Mutation.seqno}\"", 16},
	{"\"${Mutation.value_crc32c}\"", 8}
};

/*
 * Random, so that no document can hold them by chance or on purpose; as long as what replaces them.
 */
static char placeholders[MACROS][24];

const char *
xattr_placeholder(Span macro)
{
	for (int i = 0; i < MACROS; i++)
	{
		size_t		len = strlen(macros[i].name);

		if (macro.len != len || memcmp(macro.at, macros[i].name, len) != 0)
			continue;
		if (placeholders[i][0] == '\0')
		{
			memcpy(placeholders[i], "\"0x", 3);
			random_hex(placeholders[i] + 3, macros[i].digits);
			placeholders[i][3 + macros[i].digits] = '"';
		}
		return placeholders[i];
	}
	return NULL;
}

static void
replace_all(char *s, size_t len, const char *from, const char *to)
{
	size_t		n = strlen(from);
	char	   *at;

	while (n > 0 && (at = memmem(s, len, from, n)) != NULL)
	{
		memcpy(at, to, n);
		len -= (size_t) (at + n - s);
		s = at + n;
	}
}

void
xattr_expand_macros(Doc *d)
{
	char	   *value = doc_value(d);
	size_t		body = xattr_body_offset(value, d->value_len, d->datatype);
	char		text[24];

	snprintf(text, sizeof(text), "\"0x%016" PRIx64 "\"", __builtin_bswap64(d->cas));
	replace_all(value, body, placeholders[MACRO_CAS], text);
	snprintf(text, sizeof(text), "\"0x%016" PRIx64 "\"", d->seqno);
	replace_all(value, body, placeholders[MACRO_SEQNO], text);
	snprintf(text, sizeof(text), "\"0x%08" PRIx32 "\"", text_crc32c(value + body, d->value_len - body));
	replace_all(value, body, placeholders[MACRO_CRC], text);
	d->macros = false;
}

/* ---------------------------------------------------------------- virtual attributes */

typedef enum Fact
{
	FACT_CAS,
	FACT_DATATYPE,
	FACT_DELETED,
	FACT_EXPTIME,
	FACT_FLAGS,
	FACT_LAST_MODIFIED,
	FACT_REVID,
	FACT_SEQNO,
	FACT_VALUE_BYTES,
	FACT_VALUE_CRC32C,
	FACT_VBUCKET_UUID,
	FACTS
} Fact;

static const char *const fact_names[FACTS] = {
	"CAS", "datatype", "deleted", "exptime", "flags", "last_modified", "revid", "seqno", "value_bytes",
	"value_crc32c", "vbucket_uuid"
};

static void
add_datatype(uint8_t datatype, Text *out)
{
	if (datatype == DT_RAW)
	{
		text_puts(out, "[\"raw\"]");
		return;
	}
	text_puts(out, "[");
	if ((datatype & DT_SNAPPY) != 0)
		text_puts(out, (datatype & ~DT_SNAPPY) != 0 ? "\"snappy\"," : "\"snappy\"");
	if ((datatype & DT_JSON) != 0)
		text_puts(out, (datatype & DT_XATTR) != 0 ? "\"json\"," : "\"json\"");
	if ((datatype & DT_XATTR) != 0)
		text_puts(out, "\"xattr\"");
	text_puts(out, "]");
}

static void
add_fact(const DocFacts *f, Fact fact, Text *out)
{
	static const Doc none;
	const Doc  *d = f->doc != NULL ? f->doc : &none;

	switch (fact)
	{
		case FACT_CAS:
			text_printf(out, "\"0x%016" PRIx64 "\"", d->cas);
			break;
		case FACT_DATATYPE:
			add_datatype(d->datatype, out);
			break;
		case FACT_DELETED:
			text_puts(out, d->deleted ? "true" : "false");
			break;
		case FACT_EXPTIME:
			text_printf(out, "%" PRIu32, d->expiry);
			break;
		case FACT_FLAGS:
			text_printf(out, "%" PRIu32, d->flags);
			break;
		case FACT_LAST_MODIFIED:
			text_printf(out, "\"%" PRIu64 "\"", d->cas / 1000000000);
			break;
		case FACT_REVID:
			text_printf(out, "\"%" PRIu64 "\"", d->revid);
			break;
		case FACT_SEQNO:
			text_printf(out, "\"0x%016" PRIx64 "\"", d->seqno);
			break;
		case FACT_VALUE_BYTES:
			text_printf(out, "%zu", f->body.len);
			break;
		case FACT_VALUE_CRC32C:
			text_printf(out, "\"0x%08" PRIx32 "\"", text_crc32c(f->body.at, f->body.len));
			break;
		case FACT_VBUCKET_UUID:
			text_printf(out, "\"0x%016" PRIx64 "\"", f->r->vb->uuid);
			break;
		case FACTS:
			break;
	}
}

static void
add_document(const DocFacts *f, Text *out)
{
	for (Fact i = 0; i < FACTS; i++)
	{
		text_printf(out, "%s\"%s\":", i == 0 ? "{" : ",", fact_names[i]);
		add_fact(f, i, out);
	}
	text_puts(out, "}");
}

/* Names of the xattrs of the document. */
static void
add_names(const DocFacts *f, Text *out)
{
	JsonCursor	c = {f->xattrs.at, f->xattrs.at + f->xattrs.len};
	bool		first = true;
	Span		key;

	text_puts(out, "[");
	if (c.p < c.end)
		json_enter(&c);
	for (size_t seen = 0; json_next(&c, true, seen, &key) > 0 && json_skip(&c, 2) == 0; seen++)
	{
		if (key.len > 0 && key.at[0] == '_' && !f->system_xattrs)
			continue;
		if (!first)
			text_puts(out, ",");
		first = false;
		text_add(out, key.at - 1, key.len + 2);
	}
	text_puts(out, "]");
}

static bool
is_name(const char *path, size_t len, const char *name)
{
	size_t		n = strlen(name);

	return len >= n && memcmp(path, name, n) == 0 && (len == n || path[n] == '.' || path[n] == '[');
}

bool
xattr_virtual(const DocFacts *f, const char *path, size_t len, Text *out)
{
	if (is_name(path, len, "$document"))
	{
		text_puts(out, "{\"$document\":");
		add_document(f, out);
	}
	else if (is_name(path, len, "$XTOC"))
	{
		text_puts(out, "{\"$XTOC\":");
		add_names(f, out);
	}
	else if (is_name(path, len, "$vbucket"))
		text_printf(out, "{\"$vbucket\":{\"HLC\":{\"mode\":\"real\",\"now\":\"%" PRIu32 "\"}}",
					cb_now(f->r->node->cluster));
	else
		return false;
	text_puts(out, "}");
	return true;
}

bool
xattr_virtual_macro(const DocFacts *f, Span macro, Text *out)
{
	static const char whole[] = "\"${$document}\"";
	static const char start[] = "\"${$document.";
	size_t		n = strlen(start);

	if (macro.len == strlen(whole) && memcmp(macro.at, whole, macro.len) == 0)
	{
		add_document(f, out);
		return true;
	}
	if (macro.len < n + 2 || memcmp(macro.at, start, n) != 0)
		return false;
	for (Fact i = 0; i < FACTS; i++)
	{
		size_t		len = strlen(fact_names[i]);

		if (i != FACT_VALUE_CRC32C && macro.len == n + len + 2 && memcmp(macro.at + n, fact_names[i], len) == 0)
		{
			add_fact(f, i, out);
			return true;
		}
	}
	return false;
}
