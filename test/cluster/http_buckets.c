/*
 * http_buckets.c: buckets over HTTP: terse and full descriptions, streams, creating, flushing, dropping
 * (couchbase/ns_server, menelaus_web_buckets.erl).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manage.h"

#define MEGABYTE (1024 * 1024)
#define MAX_BUCKET_NAME 100

static BucketSettings *all_settings;

BucketSettings *
bucket_settings(Bucket *b)
{
	BucketSettings *s;

	for (s = all_settings; s != NULL && s->bucket != b; s = s->next)
		;
	if (s == NULL)
	{
		s = xcalloc(1, sizeof(*s));
		s->bucket = b;
		s->ram_quota_mb = 100;
		s->next = all_settings;
		all_settings = s;
	}
	return s;
}

void
bucket_settings_forget(Bucket *b)
{
	for (BucketSettings **p = &all_settings; *p != NULL; p = &(*p)->next)
	{
		BucketSettings *s = *p;

		if (s->bucket == b)
		{
			*p = s->next;
			free(s);
			return;
		}
	}
}

/* ---------------------------------------------------------------- descriptions */

static size_t
item_count(const Bucket *b)
{
	size_t		n = 0;

	for (unsigned v = 0; v < b->num_vbuckets; v++)
		n += b->vb[v].items;
	return n;
}

/* Copies members of the terse configuration that the full description repeats. */
static void
add_terse_members(Node *self, Bucket *b, json_t *json)
{
	static const char *const names[] = {
		"vBucketServerMap", "bucketCapabilities", "bucketCapabilitiesVer", "collectionsManifestUid", "nodeLocator"
	};
	size_t		len;
	char	   *text = config_json(self, b, true, &len);
	json_t	   *terse = json_loadb(text, len, 0, NULL);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		json_t	   *value = json_object_get(terse, names[i]);

		if (value != NULL)
			json_object_set(json, names[i], value);
	}
	json_decref(terse);
	free(text);
}

static json_t *
bucket_json(Node *self, Bucket *b)
{
	const BucketSettings *s = bucket_settings(b);
	json_int_t	quota = (json_int_t) s->ram_quota_mb * MEGABYTE;
	char	   *base = xasprintf("/pools/default/buckets/%s", b->name);
	json_t	   *controllers = json_object();
	json_t	   *json;

	if (s->flush_enabled)
		json_object_set_new(controllers, "flush", json_pack("s+", base, "/controller/doFlush"));
	json = json_pack("{s:s, s:s, s:s, s:s, s:s++, s:s+++, s:i, s:i, s:s, s:s, s:s, s:s, s:i, s:s, s:b}",
					 "name", b->name, "bucketType", "membase", "storageBackend", "couchstore", "uuid", b->uuid,
					 "uri", base, "?bucket_uuid=", b->uuid,
					 "streamingUri", "/pools/default/bucketsStreaming/", b->name, "?bucket_uuid=", b->uuid,
					 "numVBuckets", (int) b->num_vbuckets, "replicaNumber", (int) b->num_replicas,
					 "evictionPolicy", "valueOnly", "durabilityMinLevel", "none", "conflictResolutionType", "seqno",
					 "compressionMode", "passive", "maxTTL", 0, "authType", "sasl", "replicaIndex", false);
	json_object_set_new(json, "quota", json_pack("{s:I, s:I}", "ram", quota * b->cluster->num_nodes, "rawRAM", quota));
	json_object_set_new(json, "basicStats", json_pack("{s:I, s:I}", "itemCount", (json_int_t) item_count(b),
													  "quotaPercentUsed", (json_int_t) 0));
	json_object_set_new(json, "controllers", controllers);
	json_object_set_new(json, "nodes", http_nodes_json(self));
	add_terse_members(self, b, json);
	free(base);
	return json;
}

static void
get_buckets(HttpReq *h)
{
	json_t	   *list = json_array();

	for (Bucket *b = h->cluster->buckets; b != NULL; b = b->next)
		if (!b->config_only && http_can_read(h->user, b))
			json_array_append_new(list, bucket_json(h->node, b));
	http_json(h, 200, list);
}

static void
get_bucket(HttpReq *h)
{
	http_json(h, 200, bucket_json(h->node, h->bucket));
}

static char *
terse_config(Node *n, Bucket *b, size_t *len)
{
	return config_json(n, b, false, len);
}

static void
get_terse(HttpReq *h)
{
	size_t		len;
	char	   *text = config_json(h->node, h->bucket, false, &len);

	http_text(h, 200, "application/json", text, len);
	free(text);
}

static void
stream_terse(HttpReq *h)
{
	http_stream(h, h->bucket, terse_config);
}

static char *
full_description(Node *n, Bucket *b, size_t *len)
{
	json_t	   *json = bucket_json(n, b);
	char	   *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	*len = strlen(text);
	return text;
}

static void
stream_bucket(HttpReq *h)
{
	http_stream(h, h->bucket, full_description);
}

/* ---------------------------------------------------------------- creating */

/* Answers 400 in the form that bucket creation uses. */
static void
refuse_bucket(HttpReq *h, const char *field, const char *text)
{
	http_json(h, 400, json_pack("{s:{s:s}, s:{}}", "errors", field, text, "summaries"));
}

static const char *
bad_bucket_name(Cluster *cl, const char *name)
{
	if (name == NULL)
		return "Bucket name needs to be specified";
	if (*name == '\0')
		return "Bucket name cannot be empty";
	if (strlen(name) > MAX_BUCKET_NAME)
		return "Bucket name cannot exceed 100 characters";
	if (*name == '.')
		return "Bucket name cannot start with dot.";
	if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.%-")] != '\0')
		return "Bucket name can only contain characters in range A-Z, a-z, 0-9 as well as underscore, period, "
			"dash & percent. Consult the documentation.";
	for (const Bucket *b = cl->buckets; b != NULL; b = b->next)
		if (strcasecmp(b->name, name) == 0)
			return "Bucket with given name already exists";
	return NULL;
}

/* A number of the form, or fallback if it is missing; -1 after answering 400. */
static long
form_number(HttpReq *h, const struct evkeyvalq *form, const char *field, long min, long max, long fallback)
{
	const char *text = evhttp_find_header(form, field);
	char	   *end;
	long		value;

	if (text == NULL)
		return fallback;
	errno = 0;
	value = strtol(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0 && value >= min && value <= max)
		return value;
	end = xasprintf("The value must be an integer between %ld and %ld", min, max);
	refuse_bucket(h, field, end);
	free(end);
	return -1;
}

/* Refuses what the test cluster's buckets cannot be. */
static bool
check_bucket_kind(HttpReq *h, const struct evkeyvalq *form)
{
	static const char *const only[][2] = {
		{"storageBackend", "couchstore"},
		{"maxTTL", "0"},
		{"durabilityMinLevel", "none"},
		{"conflictResolutionType", "seqno"},
		{"compressionMode", "passive"},
	};
	const char *type = evhttp_find_header(form, "bucketType");
	const char *bad = NULL;

	if (type != NULL && strcmp(type, "couchbase") != 0 && strcmp(type, "membase") != 0)
		bad = "bucketType";
	for (size_t i = 0; i < sizeof(only) / sizeof(only[0]); i++)
	{
		const char *value = evhttp_find_header(form, only[i][0]);

		if (value != NULL && strcmp(value, only[i][1]) != 0)
			bad = only[i][0];
	}
	if (bad != NULL)
		refuse_bucket(h, bad, "The test cluster does not support this value");
	return bad == NULL;
}

static void
create_from_form(HttpReq *h, const struct evkeyvalq *form)
{
	const char *name = evhttp_find_header(form, "name");
	const char *flush = evhttp_find_header(form, "flushEnabled");
	const char *error = bad_bucket_name(h->cluster, name);
	long		quota;
	long		replicas;
	long		vbuckets;
	Bucket	   *b;
	char	   *location;

	if (error != NULL)
	{
		refuse_bucket(h, "name", error);
		return;
	}
	if (!check_bucket_kind(h, form) ||
		(quota = form_number(h, form, "ramQuotaMB", 100, 1 << 20, 100)) < 0 ||
		(replicas = form_number(h, form, "replicaNumber", 0, CB_MAX_REPLICAS, 1)) < 0 ||
		(vbuckets = form_number(h, form, "numVBuckets", 1, CB_DEFAULT_VBUCKETS, CB_DEFAULT_VBUCKETS)) < 0)
		return;
	b = bucket_create(h->cluster, name, (unsigned) vbuckets, (unsigned) replicas);
	if (b == NULL)
	{
		refuse_bucket(h, "_", "The bucket cannot be created");
		return;
	}
	bucket_settings(b)->ram_quota_mb = (unsigned) quota;
	bucket_settings(b)->flush_enabled = flush != NULL && strcmp(flush, "1") == 0;
	location = xasprintf("/pools/default/buckets/%s", name);
	evhttp_add_header(evhttp_request_get_output_headers(h->req), "Location", location);
	free(location);
	http_empty(h, 202);
}

static void
create_bucket(HttpReq *h)
{
	struct evkeyvalq form;

	if (!http_form(h, &form))
		return;
	create_from_form(h, &form);
	evhttp_clear_headers(&form);
}

/* ---------------------------------------------------------------- dropping, flushing */

static void
delete_bucket(HttpReq *h)
{
	Bucket	   *b = h->bucket;

	http_end_streams(h->cluster, b);
	bucket_settings_forget(b);
	bucket_drop(b);
	http_empty(h, 200);
}

/* Deletes every live document of a vBucket, each as a deletion of its own. */
static void
flush_vbucket(VBucket *vb)
{
	Doc		  **docs = xmalloc((vb->items + 1) * sizeof(*docs));
	size_t		n = 0;

	for (size_t i = 0; i < vb->hash_size; i++)
		for (Doc *d = vb->hash[i]; d != NULL; d = d->hash_next)
			if (!d->deleted && n < vb->items)
				docs[n++] = doc_ref(d);
	for (size_t i = 0; i < n; i++)
	{
		Doc		   *gone = doc_new(docs[i]->cid, doc_key(docs[i]), docs[i]->key_len, 0);

		gone->deleted = true;
		store_put(vb, gone, false);
		doc_unref(docs[i]);
	}
	free(docs);
}

static void
flush_bucket(HttpReq *h)
{
	if (!bucket_settings(h->bucket)->flush_enabled)
	{
		http_json(h, 400, json_pack("{s:s}", "_", "Flush is disabled for the bucket"));
		return;
	}
	for (unsigned v = 0; v < h->bucket->num_vbuckets; v++)
		flush_vbucket(&h->bucket->vb[v]);
	http_empty(h, 200);
}

#define BUCKET_READ RIGHT_BUCKET_READ, "cluster.bucket[%s].settings!read"

const HttpRoute http_bucket_routes[] = {
	{EVHTTP_REQ_GET, "pools/default/b/{bucket}", BUCKET_READ, get_terse},
	{EVHTTP_REQ_GET, "pools/default/bs/{bucket}", BUCKET_READ, stream_terse},
	{EVHTTP_REQ_GET, "pools/default/buckets", RIGHT_ANY, "cluster.bucket[%s].settings!read", get_buckets},
	{EVHTTP_REQ_GET, "pools/default/buckets/{bucket}", BUCKET_READ, get_bucket},
	{EVHTTP_REQ_GET, "pools/default/bucketsStreaming/{bucket}", BUCKET_READ, stream_bucket},
	{EVHTTP_REQ_POST, "pools/default/buckets", RIGHT_ADMIN, "cluster.buckets!create", create_bucket},
	{EVHTTP_REQ_DELETE, "pools/default/buckets/{bucket}", RIGHT_BUCKET_ADMIN,
	"cluster.bucket[%s]!delete", delete_bucket},
	{EVHTTP_REQ_POST, "pools/default/buckets/{bucket}/controller/doFlush", RIGHT_BUCKET_ADMIN,
	"cluster.bucket[%s]!flush", flush_bucket},
	{0, NULL, 0, NULL, NULL}
};
