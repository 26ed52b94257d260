/*
 * kv_sasl.c: SASL on the data port (kv_engine docs/sasl.md): PLAIN and SCRAM (RFC 5802) with SHA-1, SHA-256, SHA-512.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "core.h"
#include "handlers.h"

#define MECHANISMS 3
#define UNKNOWN_USER_ITERATIONS 15000	/* what the server uses for names it does not know */
#define NONCE_DIGITS 16
#define MAX_HASH 64

typedef struct Mechanism
{
	const char *name;
	const char *digest;
	size_t		len;				/* bytes of the hash, and of the salt */
} Mechanism;

static const Mechanism mechanisms[MECHANISMS] = {
	{"SCRAM-SHA512", "SHA512", 64}, {"SCRAM-SHA256", "SHA256", 32}, {"SCRAM-SHA1", "SHA1", 20}
};

/* What is kept of a password, per mechanism. */
typedef struct ScramKeys
{
	bool		ready;
	unsigned char salt[MAX_HASH];
	unsigned char stored_key[MAX_HASH];
	unsigned char server_key[MAX_HASH];
} ScramKeys;

typedef struct Exchange
{
	const Mechanism *mech;
	char	   *user;				/* decoded name; it may be nobody's */
	char	   *channel;			/* base64 of the GS2 header */
	char	   *client_bare;
	char	   *server_first;
	char	   *nonce;
} Exchange;

void
sasl_user_free(User *u)
{
	if (u->scram != NULL)
		OPENSSL_cleanse(u->scram, sizeof(ScramKeys) * MECHANISMS);
	free(u->scram);
	u->scram = NULL;
}

void
sasl_forget(Conn *c)
{
	Exchange   *x = c->sasl;

	if (x == NULL)
		return;
	free(x->user);
	free(x->channel);
	free(x->client_bare);
	free(x->server_first);
	free(x->nonce);
	free(x);
	c->sasl = NULL;
}

/* ---------------------------------------------------------------- answers */

static void
refuse_login(Req *r)
{
	char		ref[37];
	char	   *body;

	random_uuid(ref);
	body = xasprintf("{\"error\":{\"ref\":\"%s\"}}", ref);
	r->conn->user = NULL;
	reply_body(r, KV_AUTH_ERROR, DT_JSON, body, strlen(body));
	free(body);
}

void
kv_sasl_mechs(Req *r)
{
	const char *list = r->node->cluster->sasl_fault == SASL_PLAIN_ONLY ? "PLAIN" :
		"SCRAM-SHA512 SCRAM-SHA256 SCRAM-SHA1 PLAIN";

	if (r->conn->by_certificate)
		reply_status(r, KV_NOT_SUPPORTED);
	else
		reply_body(r, KV_SUCCESS, DT_RAW, list, strlen(list));
}

/* ---------------------------------------------------------------- PLAIN */

static void
plain(Req *r)
{
	const char *val = (const char *) r->val;
	const char *user = memchr(val, '\0', r->val_len);
	const char *end = val + r->val_len;
	const char *password;
	User	   *u;

	password = user != NULL ? memchr(user + 1, '\0', (size_t) (end - user - 1)) : NULL;
	if (password == NULL)
	{
		reply_status(r, KV_EINVAL);
		return;
	}
	u = user_find(r->node->cluster, user + 1, (size_t) (password - user - 1));
	if (u == NULL || !user_check_password(u, password + 1, (size_t) (end - password - 1)))
	{
		refuse_login(r);
		return;
	}
	r->conn->user = u;
	reply_status(r, KV_SUCCESS);
}

/* ---------------------------------------------------------------- SCRAM */

static char *
base64(const unsigned char *data, size_t len)
{
	char	   *out = xmalloc(4 * ((len + 2) / 3) + 1);

	EVP_EncodeBlock((unsigned char *) out, data, (int) len);
	return out;
}

static void
mac(const Mechanism *m, const unsigned char *key, const void *data, size_t len, unsigned char *out)
{
	unsigned	n;

	if (HMAC(EVP_get_digestbyname(m->digest), key, (int) m->len, data, len, out, &n) == NULL)
		abort();
}

static ScramKeys *
keys_of(Cluster *cl, User *u, const Mechanism *m)
{
	ScramKeys  *k;
	unsigned char salted[MAX_HASH];
	unsigned char client_key[MAX_HASH];
	unsigned	n;

	if (u->scram == NULL)
		u->scram = xcalloc(MECHANISMS, sizeof(ScramKeys));
	k = (ScramKeys *) u->scram + (m - mechanisms);
	if (k->ready)
		return k;
	if (RAND_bytes(k->salt, (int) m->len) != 1 ||
		PKCS5_PBKDF2_HMAC(u->password, (int) strlen(u->password), k->salt, (int) m->len, (int) cl->scram_iterations,
						  EVP_get_digestbyname(m->digest), (int) m->len, salted) != 1)
		abort();
	mac(m, salted, "Client Key", 10, client_key);
	mac(m, salted, "Server Key", 10, k->server_key);
	if (EVP_Digest(client_key, m->len, k->stored_key, &n, EVP_get_digestbyname(m->digest), NULL) != 1)
		abort();
	k->ready = true;
	return k;
}

/* The name of an attribute "n=...": commas and equal signs are written =2C and =3D; NULL if that is violated. */
static char *
decode_name(const char *s, size_t len)
{
	char	   *out = xmalloc(len + 1);
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
	{
		if (s[i] != '=')
			out[n++] = s[i];
		else if (len - i >= 3 && (memcmp(s + i, "=2C", 3) == 0 || memcmp(s + i, "=3D", 3) == 0))
		{
			out[n++] = s[i + 1] == '2' ? ',' : '=';
			i += 2;
		}
		else
		{
			free(out);
			return NULL;
		}
	}
	out[n] = '\0';
	return out;
}

/* The value of attribute "name=" at the start of s up to the next comma; NULL if it is another attribute. */
static const char *
attribute(const char *s, char name, size_t *len)
{
	if (s[0] != name || s[1] != '=')
		return NULL;
	*len = strcspn(s + 2, ",");
	return s + 2;
}

/* Reads client-first-message "n,[a=authzid],n=user,r=nonce[,...]" into the exchange. */
static bool
parse_first(Exchange *x, const char *text)
{
	const char *bare;
	const char *name;
	const char *nonce;
	size_t		len;

	if (strncmp(text, "n,", 2) != 0 || (text[2] != ',' && strncmp(text + 2, "a=", 2) != 0))
		return false;
	bare = strchr(text + 2, ',');
	if (bare == NULL)
		return false;
	bare++;
	x->channel = base64((const unsigned char *) text, (size_t) (bare - text));
	x->client_bare = xstrdup(bare);
	name = attribute(bare, 'n', &len);
	if (name == NULL || len == 0)
		return false;
	x->user = decode_name(name, len);
	nonce = name + len;
	if (x->user == NULL || *nonce++ != ',')
		return false;
	nonce = attribute(nonce, 'r', &len);
	if (nonce == NULL || len == 0)
		return false;
	x->nonce = xmalloc(len + NONCE_DIGITS + 1);
	memcpy(x->nonce, nonce, len);
	random_hex(x->nonce + len, NONCE_DIGITS);
	return true;
}

static void
scram_start(Req *r, const Mechanism *m)
{
	Conn	   *c = r->conn;
	Cluster    *cl = r->node->cluster;
	Exchange   *x = xcalloc(1, sizeof(*x));
	char	   *text = xstrndup((const char *) r->val, r->val_len);
	unsigned char random_salt[MAX_HASH];
	unsigned char *salt = random_salt;
	char	   *salt64;
	User	   *u;

	x->mech = m;
	c->sasl = x;
	if (strlen(text) != r->val_len || !parse_first(x, text))
	{
		sasl_forget(c);
		free(text);
		reply_status(r, KV_EINVAL);
		return;
	}
	free(text);
	u = user_find(cl, x->user, strlen(x->user));
	if (u != NULL)
		salt = keys_of(cl, u, m)->salt;
	else if (RAND_bytes(salt, (int) m->len) != 1)
		abort();
	salt64 = base64(salt, m->len);
	x->server_first = xasprintf("%sr=%s%s,s=%s,i=%u", cl->sasl_fault == SASL_MANDATORY_EXTENSION ? "m=new," : "",
								cl->sasl_fault == SASL_FOREIGN_NONCE ? "other" : "", x->nonce, salt64,
								cl->sasl_fault == SASL_NO_ITERATIONS ? 0 :
								cl->sasl_fault == SASL_ENDLESS_ITERATIONS ? INT32_MAX :
								u != NULL ? cl->scram_iterations : UNKNOWN_USER_ITERATIONS);
	free(salt64);
	reply_body(r, KV_AUTH_CONTINUE, DT_RAW, x->server_first, strlen(x->server_first));
}

/* Checks "c=...,r=...,p=..."; on success the server signature stands in signature. */
static bool
check_final(Cluster *cl, Exchange *x, char *text, unsigned char *signature)
{
	const Mechanism *m = x->mech;
	User	   *u = user_find(cl, x->user, strlen(x->user));
	char	   *proof_at = strstr(text, ",p=");
	char	   *expected = xasprintf("c=%s,r=%s", x->channel, x->nonce);
	char	   *auth;
	unsigned char proof[MAX_HASH + 8];
	unsigned char sig[MAX_HASH];
	unsigned char stored[MAX_HASH];
	ScramKeys  *k;
	unsigned	n;
	bool		ok;

	if (proof_at != NULL)
		*proof_at = '\0';
	ok = u != NULL && proof_at != NULL && strcmp(text, expected) == 0 &&
		strlen(proof_at + 3) == 4 * ((m->len + 2) / 3) &&
		EVP_DecodeBlock(proof, (unsigned char *) proof_at + 3, (int) strlen(proof_at + 3)) >= (int) m->len;
	free(expected);
	if (!ok)
		return false;
	k = keys_of(cl, u, m);
	auth = xasprintf("%s,%s,%s", x->client_bare, x->server_first, text);
	mac(m, k->stored_key, auth, strlen(auth), sig);
	mac(m, k->server_key, auth, strlen(auth), signature);
	free(auth);
	for (size_t i = 0; i < m->len; i++)
		proof[i] ^= sig[i];
	if (EVP_Digest(proof, m->len, stored, &n, EVP_get_digestbyname(m->digest), NULL) != 1)
		abort();
	return CRYPTO_memcmp(stored, k->stored_key, m->len) == 0;
}

void
kv_sasl_step(Req *r)
{
	Conn	   *c = r->conn;
	Exchange   *x = c->sasl;
	unsigned char signature[MAX_HASH];
	char	   *text;
	char	   *sig64;
	char	   *answer;

	if (c->by_certificate)
	{
		reply_status(r, KV_NOT_SUPPORTED);
		return;
	}
	if (x == NULL)
	{
		refuse(r, "Logic error: The server expects the client to start with SASL START before sending SASL STEP");
		return;
	}
	text = xstrndup((const char *) r->val, r->val_len);
	if (!check_final(r->node->cluster, x, text, signature))
		refuse_login(r);
	else
	{
		if (r->node->cluster->sasl_fault == SASL_WRONG_SIGNATURE)
			signature[0] ^= 1;
		sig64 = base64(signature, x->mech->len);
		answer = xasprintf("v=%s", sig64);
		c->user = user_find(r->node->cluster, x->user, strlen(x->user));
		if (r->node->cluster->sasl_fault == SASL_NO_SIGNATURE)
			reply_status(r, KV_SUCCESS);
		else
			reply_body(r, KV_SUCCESS, DT_RAW, answer, strlen(answer));
		free(answer);
		free(sig64);
	}
	free(text);
	sasl_forget(c);
}

void
kv_sasl_auth(Req *r)
{
	const char *name = (const char *) r->raw_key;

	if (r->conn->by_certificate)
	{
		reply_status(r, KV_NOT_SUPPORTED);
		return;
	}
	if (r->conn->sasl != NULL)
	{
		refuse(r, "Logic error: The server expects SASL STEP after returning CONTINUE from SASL START");
		return;
	}
	if (r->val_len == 0)
	{
		reply_status(r, KV_EINVAL);
		return;
	}
	if (r->raw_key_len == 5 && strncasecmp(name, "PLAIN", 5) == 0)
	{
		plain(r);
		return;
	}
	for (int i = 0; i < MECHANISMS && r->node->cluster->sasl_fault != SASL_PLAIN_ONLY; i++)
	{
		if (r->raw_key_len == strlen(mechanisms[i].name) && strncasecmp(name, mechanisms[i].name, r->raw_key_len) == 0)
		{
			scram_start(r, &mechanisms[i]);
			return;
		}
	}
	reply_error(r, KV_AUTH_ERROR, "Requested mechanism \"%.*s\" is not supported", (int) r->raw_key_len, name);
}
