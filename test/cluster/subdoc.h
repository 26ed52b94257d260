/*
 * subdoc.h: editing JSON text in place (json_*.c), extended attributes (xattr.c) and the
 * subdocument commands (kv_subdoc*.c). Nothing here builds a tree: bytes that an operation does not
 * touch stay as they were.
 */
#ifndef SUBDOC_H
#define SUBDOC_H

#include "cbcluster.h"

#define JSON_MAX_LEVEL 32				/* containers and values deeper than this are refused */
#define PATH_MAX_PARTS 31
#define PATH_MAX_BYTES 1024
#define SUBDOC_MAX_SPECS 16
#define KV_SUBDOC_FIELD_NOT_BINARY 0xd8

/* ---------------------------------------------------------------- growing text (json_text.c) */

typedef struct Text
{
	char	   *s;
	size_t		len;
	size_t		size;
} Text;

typedef struct Span
{
	const char *at;
	size_t		len;
} Span;

void		text_add(Text *t, const void *s, size_t len);
void		text_puts(Text *t, const char *s);
void		text_printf(Text *t, const char *fmt,...) __attribute__((format(printf, 2, 3), nonnull(2)));
void		text_json_string(Text *t, const char *s, size_t len);	/* quoted and escaped */
void		text_free(Text *t);		/* and makes it empty */

/* ---------------------------------------------------------------- paths (json_path.c) */

typedef struct PathPart
{
	bool		is_index;
	bool		is_last;			/* [-1] */
	size_t		index;
	const char *name;				/* as it stands between the quotes of a JSON key */
	size_t		len;
} PathPart;

typedef struct JsonPath
{
	unsigned	n;
	PathPart	part[PATH_MAX_PARTS + 1];
	char		names[PATH_MAX_BYTES];	/* names that had doubled backticks */
	size_t		names_used;
} JsonPath;

/*
 * 0, KV_SUBDOC_PATH_EINVAL or KV_SUBDOC_PATH_E2BIG. Names point into text or into the path itself.
 */
uint16_t	path_parse(JsonPath *p, const char *text, size_t len);

/* ---------------------------------------------------------------- reading text (json_walk.c) */

typedef enum JsonType
{
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL
} JsonType;

typedef struct JsonCursor
{
	const char *p;
	const char *end;
} JsonCursor;

typedef struct JsonMatch
{
	bool		found;
	JsonType	type;				/* of value */
	Span		value;				/* found: the value; else the deepest container on the way */
	Span		key;				/* found: the key with its quotes, empty in arrays */
	size_t		position;			/* found: place among its siblings */
	unsigned	depth;				/* not found: parts that lead to the container */
	size_t		members;			/* not found: members or elements of the container */
} JsonMatch;

void		json_blanks(JsonCursor *c);
bool		json_peek_type(const JsonCursor *c, JsonType *type);

/* Passes one value that stands at this level: 0, KV_SUBDOC_DOC_NOTJSON or KV_SUBDOC_DOC_E2DEEP. */
uint16_t	json_skip(JsonCursor *c, unsigned level);

/* Passes one string; *raw is what stands between the quotes. */
bool		json_skip_string(JsonCursor *c, Span *raw);

/*
 * Iterates a container: enter on its bracket, then next until it returns 0. next: 1 and the cursor
 * stands on a value (key filled in objects), 0 when the closing bracket was passed, -1 on a syntax
 * error.
 */
void		json_enter(JsonCursor *c);
int			json_next(JsonCursor *c, bool object, size_t seen, Span *key);

/*
 * Finds a path: 0 (m->found tells), KV_SUBDOC_PATH_MISMATCH, KV_SUBDOC_DOC_NOTJSON,
 * KV_SUBDOC_DOC_E2DEEP. Reads no further than needed.
 */
uint16_t	json_find(const char *doc, size_t len, const JsonPath *path, JsonMatch *m);

/* Members of an object or elements of an array; false for scalars. */
bool		json_count(Span container, size_t *n);

/*
 * The value of a direct member of an object (no path syntax); false if there is none or text is no
 * object.
 */
bool		json_member(Span object, const char *name, Span *value, JsonType *type);

/*
 * The text of a JSON string (span with quotes), escapes resolved; false on broken escapes or
 * invalid UTF-8.
 */
bool		json_string_text(Span str, Text *out);

/*
 * Is the value one that may stand for a member (further members after a comma are let through, as
 * the data service does), or for elements of an array? level: where it will stand. 0,
 * KV_SUBDOC_VALUE_CANTINSERT, KV_SUBDOC_VALUE_E2DEEP.
 */
typedef enum FragmentKind
{
	FRAGMENT_MEMBER,
	FRAGMENT_ELEMENTS,
	FRAGMENT_ONE_SCALAR
} FragmentKind;
uint16_t	json_check_fragment(Span value, FragmentKind kind, unsigned level);

/*
 * Rewrites JSON without blanks, keys sorted, numbers and strings in their shortest form; false if
 * it is not UTF-8 JSON.
 */
bool		json_canonical(Span in, Text *out);

/* ---------------------------------------------------------------- changing text (json_edit.c) */

typedef enum EditCode
{
	EDIT_GET,
	EDIT_EXISTS,
	EDIT_COUNT,
	EDIT_ADD,
	EDIT_UPSERT,
	EDIT_REPLACE,
	EDIT_REMOVE,
	EDIT_PUSH_LAST,
	EDIT_PUSH_FIRST,
	EDIT_INSERT,
	EDIT_ADD_UNIQUE,
	EDIT_COUNTER
} EditCode;

typedef struct Edit
{
	EditCode	code;
	bool		mkdir_p;
	const char *path;
	size_t		path_len;
	Span		value;

	/* results */
	Span		result;				/* reads: lies in the document or in number */
	char		number[24];
	Text		out;				/* writes: the new document */
} Edit;

/* Applies one operation to JSON text: 0 or a KV_SUBDOC_* status. e->out is the caller's to free. */
uint16_t	json_edit(Edit *e, const char *doc, size_t len);

/* ---------------------------------------------------------------- extended attributes (xattr.c) */

/*
 * The xattr section of a value as one JSON object ("{}" for none); false if the section is
 * malformed.
 */
bool		xattr_to_json(const char *section, size_t len, Text *out);

/*
 * The reverse, keys sorted and values rewritten; nothing is added for an empty object. system_only
 * leaves out the keys that do not start with an underscore. False if the text is not UTF-8 JSON.
 */
bool		xattr_from_json(Span object, bool system_only, Text *section);

/* Length of a valid key at the start of a path, 0 if it is not valid (15 bytes at most). */
size_t		xattr_key_len(const char *path, size_t len);

/*
 * The placeholder (a quoted string) that stands for a macro until the document gets its CAS and
 * seqno; NULL: no such macro.
 */
const char *xattr_placeholder(Span macro);

/* What the virtual attributes tell of a document. */
typedef struct DocFacts
{
	Req		   *r;
	const Doc  *doc;				/* NULL: does not exist */
	Span		body;				/* without xattrs, inflated */
	Span		xattrs;				/* JSON object */
	bool		system_xattrs;		/* may be listed */
} DocFacts;

/*
 * The object that stands for a virtual attribute, named by the first part of path; false: unknown.
 */
bool		xattr_virtual(const DocFacts *f, const char *path, size_t len, Text *out);

/* Expands "${$document...}"; false: unknown. */
bool		xattr_virtual_macro(const DocFacts *f, Span macro, Text *out);

uint32_t	text_crc32c(const void *data, size_t len);
void		text_base64(const void *data, size_t len, Text *out);
bool		text_unbase64(const char *s, size_t len, Text *out);	/* RFC 4648 with padding; blanks between groups */

/* ---------------------------------------------------------------- commands (kv_subdoc*.c) */

enum
{
	PATH_MKDIR_P = 0x01,
	PATH_XATTR = 0x04,
	PATH_MACROS = 0x10,
	PATH_BINARY = 0x20
};

enum
{
	DOC_MKDOC = 0x01,
	DOC_ADD = 0x02,
	DOC_ACCESS_DELETED = 0x04,
	DOC_CREATE_AS_DELETED = 0x08,
	DOC_REVIVE = 0x10,
	DOC_REPLICA = 0x20,
	DOC_ALL = 0x3f
};

typedef enum SpecScope
{
	SCOPE_JSON,						/* a path in the body or in the xattrs */
	SCOPE_GET_DOC,					/* the whole body */
	SCOPE_SET_DOC,
	SCOPE_DELETE_DOC,
	SCOPE_XATTR_TO_BODY				/* an xattr becomes the body */
} SpecScope;

typedef struct SpecRule
{
	uint8_t		opcode;
	SpecScope	scope;
	EditCode	code;
	uint8_t		path_flags;			/* allowed */
	uint8_t		path_flags_needed;
	uint8_t		doc_flags;			/* allowed */
	bool		has_value;
	bool		empty_path;
	bool		mutates;
	bool		returns;			/* a value */
} SpecRule;

typedef struct Spec
{
	const SpecRule *rule;
	uint8_t		flags;
	Span		path;
	Span		value;
	uint16_t	status;
	Span		result;
	Text		owned;				/* keeps result alive when it does not lie in the document */
} Spec;

const SpecRule *spec_rule(uint8_t opcode);	/* NULL: none */

/* The specs of a request that was validated; their number. */
unsigned	subdoc_parse_single(const Req *r, Spec *spec, uint8_t *doc_flags, uint32_t *expiry);
unsigned	subdoc_parse_multi(const Req *r, Spec *spec, uint8_t *doc_flags, uint32_t *expiry);

/* One request at work: what the document was and what it becomes. */
typedef struct SubdocRun
{
	Req		   *r;
	bool		multi;
	bool		mutates;
	uint8_t		doc_flags;
	uint32_t	expiry;
	unsigned	n;
	Spec		spec[SUBDOC_MAX_SPECS];

	Doc		   *old;				/* NULL: the document is created */
	bool		deleted;			/* what is worked on is a deletion */
	bool		revive;
	bool		delete_doc;
	uint64_t	cas;				/* for the answer of a look-up */
	char	   *inflated;
	Span		body;
	Text		body_text;			/* holds the body once it was changed */
	bool		body_json;
	Text		xattrs;				/* JSON object */
	bool		xattrs_changed;
	bool		macros;				/* a placeholder was written */
	DocFacts	facts;
	uint16_t	status;				/* of the whole */
} SubdocRun;

void		subdoc_run(SubdocRun *run);	/* fetches, executes, answers */
void		subdoc_execute(SubdocRun *run);	/* the specs on what was fetched */

#endif
