/*
 * kv_subdoc_check.c: what each subdocument command may carry, and the refusal of everything else
 * before the document is looked at (kv_engine docs/SubDocument.md; order and texts of the refusals
 * as recorded).
 */
#include <string.h>

#include "subdoc.h"

#define LOOKUP_DOC (DOC_ACCESS_DELETED | DOC_REVIVE | DOC_REPLICA)
#define EDIT_DOC (DOC_ACCESS_DELETED | DOC_REVIVE)
#define MAKE_DOC (EDIT_DOC | DOC_MKDOC | DOC_ADD | DOC_CREATE_AS_DELETED)
#define MACRO_PATH (PATH_XATTR | PATH_MACROS)
#define VALUE_PATH (MACRO_PATH | PATH_BINARY)
#define MAKE_PATH (PATH_MKDIR_P | PATH_XATTR)
#define BAD_FLAGS KV_SUBDOC_XATTR_INVALID_FLAG_COMBO

static const SpecRule rules[] = {
	/*
	 * opcode, scope, code, path flags, needed, document flags, value, empty path, mutates, returns
	 */
	{0x00, SCOPE_GET_DOC, EDIT_GET, 0, 0, LOOKUP_DOC, false, true, false, true},
	{0x01, SCOPE_SET_DOC, EDIT_GET, 0, 0, DOC_MKDOC | DOC_ADD, true, true, true, false},
	{0x04, SCOPE_DELETE_DOC, EDIT_GET, 0, 0, EDIT_DOC, false, true, true, false},
	{0xc5, SCOPE_JSON, EDIT_GET, PATH_XATTR | PATH_BINARY, 0, LOOKUP_DOC, false, false, false, true},
	{0xc6, SCOPE_JSON, EDIT_EXISTS, PATH_XATTR, 0, LOOKUP_DOC, false, false, false, false},
	{0xc7, SCOPE_JSON, EDIT_ADD, MAKE_PATH | VALUE_PATH, 0, MAKE_DOC, true, false, true, false},
	{0xc8, SCOPE_JSON, EDIT_UPSERT, MAKE_PATH | VALUE_PATH, 0, MAKE_DOC, true, false, true, false},
	{0xc9, SCOPE_JSON, EDIT_REMOVE, PATH_XATTR, 0, EDIT_DOC, false, false, true, false},
	{0xca, SCOPE_JSON, EDIT_REPLACE, VALUE_PATH, 0, EDIT_DOC | DOC_ADD, true, false, true, false},
	{0xcb, SCOPE_JSON, EDIT_PUSH_LAST, MAKE_PATH | MACRO_PATH, 0, MAKE_DOC, true, true, true, false},
	{0xcc, SCOPE_JSON, EDIT_PUSH_FIRST, MAKE_PATH | MACRO_PATH, 0, MAKE_DOC, true, true, true, false},
	{0xcd, SCOPE_JSON, EDIT_INSERT, MACRO_PATH, 0, MAKE_DOC & ~DOC_MKDOC, true, false, true, false},
	{0xce, SCOPE_JSON, EDIT_ADD_UNIQUE, MAKE_PATH, 0, MAKE_DOC, true, true, true, false},
	{0xcf, SCOPE_JSON, EDIT_COUNTER, MAKE_PATH, 0, MAKE_DOC, true, false, true, true},
	{0xd2, SCOPE_JSON, EDIT_COUNT, PATH_XATTR, 0, LOOKUP_DOC, false, true, false, true},
	{0xd3, SCOPE_XATTR_TO_BODY, EDIT_GET, PATH_XATTR | PATH_BINARY, PATH_XATTR, EDIT_DOC, false, false, true,
	false}
};

const SpecRule *
spec_rule(uint8_t opcode)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].opcode == opcode)
			return &rules[i];
	return NULL;
}

static bool
refuse(Req *r, uint16_t status, const char *text)
{
	if (text != NULL)
		reply_error(r, status, "%s", text);
	else
		reply_body(r, status, DT_RAW, NULL, 0);
	return false;
}

static bool
starts_with(Span s, const char *text)
{
	return s.len >= strlen(text) && memcmp(s.at, text, strlen(text)) == 0;
}

/* An encoded binary value inside what a client sends must decode. */
static bool
check_binary(Req *r, Span value)
{
	static const char mark[] = "cb-content-base64-encoded:";
	size_t		n = strlen(mark);
	const char *at = value.len > 0 ? memmem(value.at, value.len, mark, n) : NULL;
	const char *quote;
	Text		plain = {0};
	bool		ok;

	if (at == NULL)
		return true;
	quote = memchr(at, '"', value.len - (size_t) (at - value.at));
	if (quote == NULL)
		return refuse(r, KV_XATTR_EINVAL, "Incorrectly encoded binary value");
	ok = text_unbase64(at + n, (size_t) (quote - at) - n, &plain);
	text_free(&plain);
	return ok || refuse(r, KV_XATTR_EINVAL, "Incorrectly encoded binary value");
}

static bool
check_xattr(Req *r, const Spec *s)
{
	if ((s->flags & PATH_XATTR) == 0)
	{
		if ((s->flags & PATH_MACROS) != 0)
			return refuse(r, BAD_FLAGS, "EXPAND_MACROS flag requires XATTR flag to be set");
		if ((s->flags & PATH_BINARY) != 0)
			return refuse(r, BAD_FLAGS, "BINARY_VALUE flag requires XATTR flag to be set");
		return true;
	}
	if ((s->flags & PATH_BINARY) != 0 && (s->flags & PATH_MACROS) != 0)
		return refuse(r, BAD_FLAGS, "BINARY_VALUE can't be used together with EXPAND_MACROS");
	if (!conn_has(r->conn, FEATURE_XATTR))
		return refuse(r, KV_NOT_SUPPORTED, "Connection not XATTR enabled");
	if (xattr_key_len(s->path.at, s->path.len) == 0)
		return refuse(r, KV_XATTR_EINVAL, "Request XATTR key invalid");
	if (s->path.at[0] == '$' && s->rule->mutates)
		return refuse(r, KV_SUBDOC_XATTR_CANT_MODIFY_VATTR, NULL);
	if (!check_binary(r, s->value))
		return false;
	if ((s->flags & PATH_MACROS) == 0 || xattr_placeholder(s->value) != NULL)
		return true;
	if (starts_with(s->value, "\"${$document") && s->value.len >= 2 &&
		memcmp(s->value.at + s->value.len - 2, "}\"", 2) == 0)
		return true;
	return refuse(r, KV_SUBDOC_XATTR_UNKNOWN_MACRO, NULL);
}

static bool
check_flags(Req *r, const Spec *s, uint8_t doc_flags)
{
	if ((s->flags & ~s->rule->path_flags) != 0)
		return refuse(r, KV_EINVAL, "Request flags invalid");
	if ((s->flags & s->rule->path_flags_needed) != s->rule->path_flags_needed)
		return refuse(r, KV_EINVAL, "Request missing mandatory flags");
	if ((doc_flags & ~s->rule->doc_flags) != 0)
		return refuse(r, KV_EINVAL, "Request document flags invalid");
	return true;
}

static bool
check_value(Req *r, const Spec *s)
{
	if (s->rule->has_value && s->value.len == 0)
		return refuse(r, KV_EINVAL, "Request must include value");
	if (!s->rule->has_value && s->value.len != 0)
		return refuse(r, KV_EINVAL, "Request must not include value");
	return true;
}

static bool
check_add(Req *r, uint8_t doc_flags)
{
	if ((doc_flags & DOC_ADD) != 0 && r->cas != 0)
		return refuse(r, KV_EINVAL, "Request with add flag must have CAS 0");
	if ((doc_flags & DOC_ADD) != 0 && (doc_flags & DOC_MKDOC) != 0)
		return refuse(r, KV_EINVAL, "Request must not contain both add and mkdoc flags");
	return true;
}

/* ---------------------------------------------------------------- one path */

/* Extras: path length (2), flags (1), then expiry (4) or document flags (1) or both. */
unsigned
subdoc_parse_single(const Req *r, Spec *s, uint8_t *doc_flags, uint32_t *expiry)
{
	size_t		path_len = get16(r->ext);

	memset(s, 0, sizeof(*s));
	s->rule = spec_rule(r->opcode);
	s->flags = r->ext[2];
	*expiry = r->ext_len >= 7 ? get32(r->ext + 3) : 0;
	*doc_flags = r->ext_len == 4 || r->ext_len == 8 ? r->ext[r->ext_len - 1] : 0;
	if (path_len > r->val_len)
		path_len = r->val_len;
	s->path = (Span) {(const char *) r->val, path_len};
	s->value = (Span) {(const char *) r->val + path_len, r->val_len - path_len};
	return 1;
}

bool
kv_subdoc_validate(Req *r)
{
	Spec		s;
	uint8_t		doc_flags;
	uint32_t	expiry;

	if (r->ext_len != 3 && r->ext_len != 4 && r->ext_len != 7 && r->ext_len != 8)
		return refuse(r, KV_EINVAL, "Invalid extras section");
	subdoc_parse_single(r, &s, &doc_flags, &expiry);
	if ((doc_flags & ~DOC_ALL) != 0)
		return refuse(r, KV_EINVAL, "Invalid extras section");
	if (get16(r->ext) > PATH_MAX_BYTES)
		return refuse(r, KV_EINVAL, "Request path length exceeds maximum");
	if (get16(r->ext) > r->val_len)
		return refuse(r, KV_EINVAL, "Path length can't exceed value");
	if (!check_value(r, &s) || !check_flags(r, &s, doc_flags))
		return false;
	if ((doc_flags & DOC_CREATE_AS_DELETED) != 0)
	{
		if ((doc_flags & (DOC_ADD | DOC_MKDOC)) == 0)
			return refuse(r, KV_EINVAL, "CreateAsDeleted requires Mkdoc or Add");
		if ((s.flags & PATH_XATTR) == 0)
			return refuse(r, KV_EINVAL, "CreateAsDeleted does not support body path");
	}
	if (!check_add(r, doc_flags) || !check_xattr(r, &s))
		return false;
	if (!s.rule->empty_path && s.path.len == 0)
		return refuse(r, KV_EINVAL, "Request must include path");
	if (!s.rule->mutates && r->ext_len > 4)
		return refuse(r, KV_EINVAL, "Request extras invalid");
	return true;
}

/* ---------------------------------------------------------------- several paths */

static bool
is_multi_mutation(const Req *r)
{
	return r->opcode == 0xd1;
}

/*
 * One spec of a multi request at p: opcode (1), flags (1), path length (2), for mutations value
 * length (4), path, value. Returns the bytes it takes, 0 if it is cut off (*text says where).
 */
static size_t
parse_spec(const char *p, size_t len, bool mutation, Spec *s, const char **text)
{
	size_t		header = mutation ? 8 : 4;
	size_t		path_len;
	size_t		value_len;

	memset(s, 0, sizeof(*s));
	*text = mutation ? "Multi mutation spec truncated" : "Multi lookup spec truncated";
	if (len < header)
		return 0;
	path_len = get16(p + 2);
	value_len = mutation ? get32(p + 4) : 0;
	*text = mutation ? "Multi mutation path and value truncated" : "Multi lookup path truncated";
	if (path_len > len - header || value_len > len - header - path_len)
		return 0;
	s->rule = spec_rule((uint8_t) p[0]);
	s->flags = (uint8_t) p[1];
	s->path = (Span) {p + header, path_len};
	s->value = (Span) {p + header + path_len, value_len};
	return header + path_len + value_len;
}

unsigned
subdoc_parse_multi(const Req *r, Spec *spec, uint8_t *doc_flags, uint32_t *expiry)
{
	const char *text;
	unsigned	n = 0;

	*expiry = r->ext_len >= 4 ? get32(r->ext) : 0;
	*doc_flags = r->ext_len == 1 || r->ext_len == 5 ? r->ext[r->ext_len - 1] : 0;
	for (size_t at = 0; at < r->val_len && n < SUBDOC_MAX_SPECS; n++)
		at += parse_spec((const char *) r->val + at, r->val_len - at, is_multi_mutation(r), &spec[n], &text);
	return n;
}

static bool
check_spec(Req *r, const Spec *s, uint8_t doc_flags)
{
	if (s->rule == NULL)
		return refuse(r, KV_SUBDOC_INVALID_COMBO, "Subdoc and MCBP command must not both be invalid");
	if (s->rule->mutates != is_multi_mutation(r))
		return refuse(r, KV_SUBDOC_INVALID_COMBO, "Mutation opcodes only permitted for mutation commands");
	if (!check_flags(r, s, doc_flags))
		return false;
	if (s->path.len > PATH_MAX_BYTES)
		return refuse(r, KV_EINVAL, "Request path length exceeds maximum");
	if (s->rule->scope >= SCOPE_GET_DOC && s->rule->scope <= SCOPE_DELETE_DOC && s->path.len > 0)
		return refuse(r, KV_EINVAL, "Request must not include path for wholedoc operations");
	if (!check_xattr(r, s))
		return false;
	if ((s->flags & PATH_XATTR) == 0 && !s->rule->empty_path && s->path.len == 0)
		return refuse(r, KV_EINVAL, "Request must include path");
	return check_value(r, s);
}

static bool
check_specs(Req *r, uint8_t doc_flags)
{
	bool		in_xattrs = true;
	bool		alone = false;
	size_t		at = 0;
	unsigned	n;

	for (n = 0; n < SUBDOC_MAX_SPECS && at < r->val_len; n++)
	{
		const char *text;
		bool		deletes;
		Spec		s;
		size_t		used;

		if (alone)
			return refuse(r, KV_SUBDOC_INVALID_COMBO, "Request contains an invalid combination of commands");
		used = parse_spec((const char *) r->val + at, r->val_len - at, is_multi_mutation(r), &s, &text);
		if (used == 0)
			return refuse(r, KV_EINVAL, text);
		if (!check_spec(r, &s, doc_flags))
			return false;
		deletes = s.rule->scope == SCOPE_DELETE_DOC;
		if (!in_xattrs && (s.flags & PATH_XATTR) != 0)
			return refuse(r, KV_SUBDOC_INVALID_XATTR_ORDER, NULL);
		if (!in_xattrs && deletes)
			return refuse(r, KV_SUBDOC_INVALID_COMBO, "Request contains an invalid combination of commands");
		in_xattrs = in_xattrs && (s.flags & PATH_XATTR) != 0;
		alone = deletes;
		at += used;
	}
	if (n == 0)
		return refuse(r, KV_SUBDOC_INVALID_COMBO, "Request must contain at least one path");
	if (at != r->val_len)
		return refuse(r, KV_SUBDOC_INVALID_COMBO, "Request must contain at most 16 paths");
	return true;
}

bool
kv_subdoc_multi_validate(Req *r)
{
	bool		mutation = is_multi_mutation(r);
	uint8_t		doc_flags = r->ext_len == 1 || r->ext_len == 5 ? r->ext[r->ext_len - 1] : 0;

	if ((r->ext_len > 1 && (!mutation || (r->ext_len != 4 && r->ext_len != 5))) ||
		(doc_flags & ~DOC_ALL) != 0)
		return refuse(r, KV_EINVAL, "Request extras invalid");
	if (!check_add(r, doc_flags))
		return false;
	if ((doc_flags & DOC_REVIVE) != 0)
	{
		if ((doc_flags & DOC_ACCESS_DELETED) == 0)
			return refuse(r, KV_EINVAL, "ReviveDocument can't be used without AccessDeleted");
		if ((doc_flags & DOC_CREATE_AS_DELETED) != 0)
			return refuse(r, KV_EINVAL, "ReviveDocument can't be used with CreateAsDeleted");
	}
	return check_specs(r, doc_flags);
}
