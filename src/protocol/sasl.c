/*
 * sasl.c
 *		Mechanism choice, PLAIN, and the SCRAM client exchange.
 */
#include "sasl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SALT_MAX		1024
#define SERVER_FIRST_MAX 4096

static const char *const mech_names[] = {
	[CB_SASL_NONE] = "",
	[CB_SASL_PLAIN] = "PLAIN",
	[CB_SASL_SCRAM_SHA1] = "SCRAM-SHA1",
	[CB_SASL_SCRAM_SHA256] = "SCRAM-SHA256",
	[CB_SASL_SCRAM_SHA512] = "SCRAM-SHA512"
};

#define MECH_BIT(mech)	(1u << (mech))

const char *
cb_sasl_name(CbSaslMech mech)
{
	return mech_names[mech];
}

CbSaslMech
cb_sasl_by_name(CbSpan name)
{
	for (int mech = CB_SASL_PLAIN; mech <= CB_SASL_SCRAM_SHA512; mech++)
	{
		const char *known = mech_names[mech];

		if (name.len == strlen(known) &&
			strncasecmp((const char *) name.data, known, name.len) == 0)
			return (CbSaslMech) mech;
	}
	return CB_SASL_NONE;
}

/* Next word of a list separated by blanks or commas; false at the end. */
static bool
next_word(CbSpan *list, CbSpan *word)
{
	size_t		i = 0;
	size_t		start;

	if (list->len == 0)
		return false;
	while (i < list->len && (list->data[i] == ' ' || list->data[i] == ','))
		i++;
	start = i;
	while (i < list->len && list->data[i] != ' ' && list->data[i] != ',')
		i++;
	*word = cb_span(list->data + start, i - start);
	*list = cb_span(list->data + i, list->len - i);
	return word->len > 0;
}

CbResult
cb_sasl_check_force(const char *force, CbError *err)
{
	CbSpan		list = cb_span_cstr(force);
	CbSpan		word;

	while (next_word(&list, &word))
	{
		if (cb_sasl_by_name(word) == CB_SASL_NONE)
			return cb_error_set(err, CB_INVALID,
								"Known are SCRAM-SHA512, SCRAM-SHA256, SCRAM-SHA1 and PLAIN.",
								"unknown SASL mechanism \"%.*s\"",
								(int) (word.len > 64 ? 64 : word.len), word.data);
	}
	return CB_OK;
}

static unsigned
mech_set(CbSpan list)
{
	CbSpan		word;
	unsigned	set = 0;

	while (next_word(&list, &word))
		set |= MECH_BIT(cb_sasl_by_name(word));
	return set & ~MECH_BIT(CB_SASL_NONE);
}

CbResult
cb_sasl_choose(CbSpan server_list, const char *force, bool tls, CbSaslMech *mech,
			   CbError *err)
{
	static const CbSaslMech strongest_first[] = {
		CB_SASL_SCRAM_SHA512, CB_SASL_SCRAM_SHA256, CB_SASL_SCRAM_SHA1
	};
	CbSpan		forced = cb_span_cstr(force);
	unsigned	allowed;
	unsigned	fitting;

	*mech = CB_SASL_NONE;
	if (cb_sasl_check_force(force, err) != CB_OK)
		return CB_INVALID;
	allowed = mech_set(forced);
	if (allowed == 0)
	{
		allowed = MECH_BIT(CB_SASL_SCRAM_SHA1) | MECH_BIT(CB_SASL_SCRAM_SHA256) |
			MECH_BIT(CB_SASL_SCRAM_SHA512);
		if (tls)
			allowed |= MECH_BIT(CB_SASL_PLAIN);
	}
	fitting = server_list.len == 0 ? allowed : allowed & mech_set(server_list);
	if (tls && (fitting & MECH_BIT(CB_SASL_PLAIN)) != 0)
		*mech = CB_SASL_PLAIN;
	for (size_t i = 0; i < 3 && *mech == CB_SASL_NONE; i++)
	{
		if ((fitting & MECH_BIT(strongest_first[i])) != 0)
			*mech = strongest_first[i];
	}
	if (*mech == CB_SASL_NONE && (fitting & MECH_BIT(CB_SASL_PLAIN)) != 0)
		*mech = CB_SASL_PLAIN;
	if (*mech != CB_SASL_NONE)
		return CB_OK;
	server_list.len = server_list.len > 200 ? 200 : server_list.len;
	server_list.len = cb_utf8_valid_prefix(server_list);
	return cb_error_set(err, CB_AUTH,
						tls ? NULL : "PLAIN is used without TLS only if sasl_mech_force names it.",
						"no common SASL mechanism: the server offers \"%.*s\", "
						"the client allows \"%s\"",
						(int) server_list.len, server_list.data == NULL ? (const uint8_t *) "" : server_list.data,
						forced.len > 0 ? force :
						tls ? "PLAIN SCRAM-SHA512 SCRAM-SHA256 SCRAM-SHA1" :
						"SCRAM-SHA512 SCRAM-SHA256 SCRAM-SHA1");
}

CbResult
cb_sasl_plain(CbBuf *out, CbSpan user, CbSpan password)
{
	if ((user.len > 0 && memchr(user.data, 0, user.len) != NULL) ||
		(password.len > 0 && memchr(password.data, 0, password.len) != NULL))
		return CB_INVALID;
	cb_buf_append_u8(out, 0);
	cb_buf_append_span(out, user);
	cb_buf_append_u8(out, 0);
	cb_buf_append_span(out, password);
	return cb_buf_result(out);
}

void
cb_scram_cache_clear(CbScramCache *cache)
{
	OPENSSL_cleanse(cache, sizeof(*cache));
}

typedef enum ScramState
{
	SCRAM_START,
	SCRAM_FIRST_SENT,
	SCRAM_FINAL_SENT,
	SCRAM_DONE,
	SCRAM_FAILED
} ScramState;

struct CbScram
{
	CbSaslMech	mech;
	ScramState	state;
	const EVP_MD *md;
	size_t		hash_len;
	CbBuf		first_bare;		/* n=user,r=nonce */
	CbBuf		nonce;
	CbBuf		password;
	CbScramCache *cache;
	uint8_t		server_signature[64];
};

static const EVP_MD *
mech_digest(CbSaslMech mech)
{
	switch (mech)
	{
		case CB_SASL_SCRAM_SHA1:
			return EVP_sha1();
		case CB_SASL_SCRAM_SHA256:
			return EVP_sha256();
		case CB_SASL_SCRAM_SHA512:
			return EVP_sha512();
		default:
			return NULL;
	}
}

static bool
nonce_ok(CbSpan nonce)
{
	if (nonce.len < 8)
		return false;
	for (size_t i = 0; i < nonce.len; i++)
	{
		if (nonce.data[i] <= 0x20 || nonce.data[i] > 0x7e || nonce.data[i] == ',')
			return false;
	}
	return true;
}

CbResult
cb_scram_create(CbSaslMech mech, CbSpan user, CbSpan password, CbSpan nonce,
				CbScramCache *cache, CbScram **scram)
{
	const EVP_MD *md = mech_digest(mech);
	CbScram    *new;

	*scram = NULL;
	if (md == NULL || !nonce_ok(nonce))
		return CB_INVALID;
	for (size_t i = 0; i < user.len; i++)
	{
		if (user.data[i] < 0x20 || user.data[i] == 0x7f)
			return CB_INVALID;
	}
	new = calloc(1, sizeof(*new));
	if (new == NULL)
		return CB_NOMEM;
	new->mech = mech;
	new->md = md;
	new->hash_len = (size_t) EVP_MD_get_size(md);
	new->cache = cache;
	cb_buf_append_span(&new->nonce, nonce);
	cb_buf_append_span(&new->password, password);
	cb_buf_append_cstr(&new->first_bare, "n=");
	for (size_t i = 0; i < user.len; i++)
	{
		if (user.data[i] == '=')
			cb_buf_append_cstr(&new->first_bare, "=3D");
		else if (user.data[i] == ',')
			cb_buf_append_cstr(&new->first_bare, "=2C");
		else
			cb_buf_append_u8(&new->first_bare, user.data[i]);
	}
	cb_buf_append_cstr(&new->first_bare, ",r=");
	cb_buf_append_span(&new->first_bare, nonce);
	if (new->nonce.oom || new->password.oom || new->first_bare.oom)
	{
		cb_scram_free(new);
		return CB_NOMEM;
	}
	*scram = new;
	return CB_OK;
}

CbResult
cb_scram_first(CbScram *scram, CbBuf *out)
{
	if (scram->state != SCRAM_START)
		return CB_INVALID;
	cb_buf_append_cstr(out, "n,,");
	cb_buf_append_span(out, cb_buf_span(&scram->first_bare));
	if (out->oom)
		return CB_NOMEM;
	scram->state = SCRAM_FIRST_SENT;
	return CB_OK;
}

/* Take "name=value" and the comma after it off the front of message. */
static bool
take_attribute(CbSpan *message, char name, CbSpan *value)
{
	const uint8_t *comma;
	size_t		len;

	if (message->len < 2 || message->data[0] != (uint8_t) name || message->data[1] != '=')
		return false;
	comma = memchr(message->data, ',', message->len);
	len = comma == NULL ? message->len : (size_t) (comma - message->data);
	*value = cb_span(message->data + 2, len - 2);
	if (comma != NULL)
		len++;
	message->data += len;
	message->len -= len;
	return true;
}

typedef struct ServerFirst
{
	CbSpan		nonce;
	CbBuf		salt;
	uint32_t	iterations;
} ServerFirst;

static CbResult
parse_iterations(CbSpan text, uint32_t *iterations, CbError *err)
{
	uint32_t	value = 0;

	if (text.len == 0)
		return cb_error_set(err, CB_MALFORMED, NULL, "SCRAM challenge has no iteration count");
	for (size_t i = 0; i < text.len; i++)
	{
		if (text.data[i] < '0' || text.data[i] > '9')
			return cb_error_set(err, CB_MALFORMED, NULL,
								"iteration count of the SCRAM challenge is no number");
		value = value * 10 + (uint32_t) (text.data[i] - '0');
		if (value > CB_SCRAM_MAX_ITERATIONS)
			return cb_error_set(err, CB_LIMIT, NULL,
								"SCRAM challenge asks for more than %d iterations",
								CB_SCRAM_MAX_ITERATIONS);
	}
	if (value == 0)
		return cb_error_set(err, CB_MALFORMED, NULL, "SCRAM challenge asks for 0 iterations");
	*iterations = value;
	return CB_OK;
}

static CbResult
parse_server_first(const CbScram *scram, CbSpan message, ServerFirst *first, CbError *err)
{
	CbSpan		salt;
	CbSpan		count;
	CbSpan		mine = cb_buf_span(&scram->nonce);

	if (message.len > SERVER_FIRST_MAX)
		return cb_error_set(err, CB_LIMIT, NULL, "SCRAM challenge is too long");
	if (!take_attribute(&message, 'r', &first->nonce) ||
		!take_attribute(&message, 's', &salt) ||
		!take_attribute(&message, 'i', &count))
		return cb_error_set(err, CB_MALFORMED, NULL,
							"SCRAM challenge lacks nonce, salt or iteration count");
	/* The server must add something of its own to our nonce. */
	if (first->nonce.len <= mine.len ||
		memcmp(first->nonce.data, mine.data, mine.len) != 0)
		return cb_error_set(err, CB_MALFORMED, NULL,
							"nonce of the SCRAM challenge does not continue the client's");
	if (salt.len > SALT_MAX || cb_base64_decode(salt, &first->salt) == CB_MALFORMED ||
		first->salt.len == 0)
		return cb_error_set(err, CB_MALFORMED, NULL,
							"salt of the SCRAM challenge is not base64");
	return parse_iterations(count, &first->iterations, err);
}

/* Salted password, from the cache where it fits. */
static bool
salted_password(CbScram *scram, const ServerFirst *first, uint8_t *salted)
{
	CbScramCache *cache = scram->cache;
	CbSpan		salt = cb_buf_span(&first->salt);
	const char *password = (const char *) scram->password.data;

	if (cache != NULL && cache->mech == scram->mech &&
		cache->iterations == first->iterations &&
		cb_span_equal(cb_span(cache->salt, cache->salt_len), salt))
	{
		memcpy(salted, cache->salted, scram->hash_len);
		return true;
	}
	if (PKCS5_PBKDF2_HMAC(password == NULL ? "" : password, (int) scram->password.len,
						  salt.data, (int) salt.len, (int) first->iterations,
						  scram->md, (int) scram->hash_len, salted) != 1)
		return false;
	if (cache != NULL && salt.len <= sizeof(cache->salt))
	{
		cache->mech = scram->mech;
		cache->iterations = first->iterations;
		memcpy(cache->salt, salt.data, salt.len);
		cache->salt_len = salt.len;
		memcpy(cache->salted, salted, scram->hash_len);
	}
	return true;
}

static bool
hmac(const CbScram *scram, const uint8_t *key, CbSpan data, uint8_t *out)
{
	unsigned	len = 0;

	return HMAC(scram->md, key, (int) scram->hash_len, data.data, data.len, out,
				&len) != NULL && len == scram->hash_len;
}

/* Client proof over the authentication message; remembers the server's signature. */
static bool
compute_proof(CbScram *scram, const ServerFirst *first, CbSpan auth_message,
			  uint8_t proof[64])
{
	uint8_t		salted[64] = {0};
	uint8_t		client_key[64];
	uint8_t		stored_key[64];
	uint8_t		signature[64];
	uint8_t		server_key[64];
	unsigned	len = 0;
	bool		ok;

	ok = salted_password(scram, first, salted) &&
		hmac(scram, salted, cb_span_cstr("Client Key"), client_key) &&
		EVP_Digest(client_key, scram->hash_len, stored_key, &len, scram->md, NULL) == 1 &&
		hmac(scram, stored_key, auth_message, signature) &&
		hmac(scram, salted, cb_span_cstr("Server Key"), server_key) &&
		hmac(scram, server_key, auth_message, scram->server_signature);
	for (size_t i = 0; ok && i < scram->hash_len; i++)
		proof[i] = client_key[i] ^ signature[i];
	OPENSSL_cleanse(salted, sizeof(salted));
	OPENSSL_cleanse(client_key, sizeof(client_key));
	OPENSSL_cleanse(stored_key, sizeof(stored_key));
	OPENSSL_cleanse(server_key, sizeof(server_key));
	return ok;
}

static CbResult
answer_challenge(CbScram *scram, const ServerFirst *first, CbSpan server_first,
				 CbBuf *out, CbError *err)
{
	CbBuf		final = {0};
	CbBuf		auth = {0};
	uint8_t		proof[64];
	CbResult	result = CB_OK;

	/* biws: base64 of the header "n,,", no channel binding */
	cb_buf_append_cstr(&final, "c=biws,r=");
	cb_buf_append_span(&final, first->nonce);
	cb_buf_append_span(&auth, cb_buf_span(&scram->first_bare));
	cb_buf_append_u8(&auth, ',');
	cb_buf_append_span(&auth, server_first);
	cb_buf_append_u8(&auth, ',');
	cb_buf_append_span(&auth, cb_buf_span(&final));
	if (final.oom || auth.oom)
		result = CB_NOMEM;
	else if (!compute_proof(scram, first, cb_buf_span(&auth), proof))
		result = cb_error_set(err, CB_UNSUPPORTED, NULL,
							  "the cryptographic library refused to compute %s",
							  cb_sasl_name(scram->mech));
	if (result == CB_OK)
	{
		cb_buf_append_cstr(&final, ",p=");
		cb_buf_append_base64(&final, cb_span(proof, scram->hash_len));
		cb_buf_append_span(out, cb_buf_span(&final));
		result = final.oom ? CB_NOMEM : cb_buf_result(out);
	}
	cb_buf_free(&final);
	cb_buf_free(&auth);
	return result;
}

CbResult
cb_scram_final(CbScram *scram, CbSpan server_first, CbBuf *out, CbError *err)
{
	ServerFirst first = {0};
	CbResult	result;

	if (scram->state != SCRAM_FIRST_SENT)
		return cb_error_set(err, CB_INVALID, NULL, "SCRAM challenge out of order");
	scram->state = SCRAM_FAILED;
	result = parse_server_first(scram, server_first, &first, err);
	if (result == CB_OK && first.salt.oom)
		result = CB_NOMEM;
	if (result == CB_OK)
		result = answer_challenge(scram, &first, server_first, out, err);
	cb_buf_free(&first.salt);
	if (result == CB_OK)
		scram->state = SCRAM_FINAL_SENT;
	else if (result == CB_NOMEM)
		cb_error_set(err, CB_NOMEM, NULL, "out of memory");
	return result;
}

/* A server-error-value of RFC 5802 section 7, such as invalid-proof. */
static bool
is_error_name(CbSpan value)
{
	for (size_t i = 0; i < value.len; i++)
	{
		if ((value.data[i] < 'a' || value.data[i] > 'z') && value.data[i] != '-')
			return false;
	}
	return value.len > 0 && value.len <= 40;
}

CbResult
cb_scram_verify(CbScram *scram, CbSpan server_final, CbError *err)
{
	CbBuf		signature = {0};
	CbSpan		value;
	CbSpan		refusal;
	bool		signed_so;
	CbResult	result;

	if (scram->state != SCRAM_FINAL_SENT)
		return cb_error_set(err, CB_AUTH, NULL,
							"server ended the SCRAM exchange without proving itself");
	scram->state = SCRAM_FAILED;
	signed_so = take_attribute(&server_final, 'v', &value);
	if (take_attribute(&server_final, 'e', &refusal) && is_error_name(refusal))
		return cb_error_set(err, CB_AUTH, NULL, "server refused the SCRAM exchange: %.*s",
							(int) refusal.len, (const char *) refusal.data);
	if (!signed_so || server_final.len > 0 || value.len > 128)
		return cb_error_set(err, CB_AUTH, NULL,
							"server sent no SCRAM signature");
	result = cb_base64_decode(value, &signature);
	if (result == CB_OK &&
		(signature.len != scram->hash_len ||
		 CRYPTO_memcmp(signature.data, scram->server_signature, scram->hash_len) != 0))
		result = CB_AUTH;
	cb_buf_free(&signature);
	if (result == CB_NOMEM)
		return cb_error_set(err, CB_NOMEM, NULL, "out of memory");
	if (result != CB_OK)
		return cb_error_set(err, CB_AUTH, NULL,
							"SCRAM signature of the server is wrong: it does not know the password");
	scram->state = SCRAM_DONE;
	return CB_OK;
}

void
cb_scram_free(CbScram *scram)
{
	if (scram == NULL)
		return;
	cb_buf_free(&scram->first_bare);
	cb_buf_free(&scram->nonce);
	cb_buf_free_secret(&scram->password);
	OPENSSL_cleanse(scram, sizeof(*scram));
	free(scram);
}
