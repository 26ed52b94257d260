/*
 * generate.c: makes believable JSON documents of a wanted size, the same ones in every run.
 */
#include <stdio.h>
#include <string.h>

#include "manage.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const first_names[] = {
	"Ada", "Björn", "Chiara", "Dmitri", "Elif", "Femi", "Grace", "Hana", "Inés", "Jamal",
	"Keiko", "Lars", "Maya", "Noor", "Olu", "Priya"
};
static const char *const last_names[] = {
	"Almeida", "Brandt", "Castillo", "Dvořák", "Eriksen", "Fischer", "Gupta", "Haddad",
	"Ivanov", "Jensen", "Kimura", "Lindqvist", "Moreau", "Nakamura", "Okafor", "Petrova"
};
static const char *const cities[] = {
	"Lisbon", "Oslo", "Nairobi", "Kyoto", "Montréal", "Valparaíso", "Leeds", "Izmir",
	"Porto Alegre", "Tampere", "Hanoi", "Cork", "Perth", "Graz", "Accra", "Utrecht"
};
static const char *const countries[] = {
	"PT", "NO", "KE", "JP", "CA", "CL", "GB", "TR", "BR", "FI", "VN", "IE", "AU", "AT", "GH",
	"NL"
};
static const char *const kinds[] = {"order", "invoice", "return", "quote"};
static const char *const tags[] = {
	"express", "gift", "fragile", "bulk", "export", "priority", "sample", "repeat"
};
static const char *const words[] = {
	"the", "parcel", "arrived", "late", "but", "in", "good", "order", "and", "was", "signed",
	"for", "at", "reception", "customer", "asked", "to", "call", "before", "delivery",
	"warehouse", "two", "holds", "spare", "parts", "until", "Friday", "please", "check",
	"label", "again", "thanks"
};

/* splitmix64: one well-mixed number from another. */
static uint64_t
mix(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static const char *
pick(uint64_t *state, const char *const *list, size_t n)
{
	return list[mix(state) % n];
}

/* Writes words until at least n bytes are there; returns how many (n or a few less). */
static size_t
fill_words(uint64_t *state, char *out, size_t n)
{
	size_t		used = 0;

	while (used < n)
	{
		const char *word = words[mix(state) % COUNT(words)];
		size_t		len = strlen(word);

		if (used > 0)
			out[used++] = ' ';
		if (used + len > n)
			len = n - used;
		memcpy(out + used, word, len);
		used += len;
	}
	return used;
}

/* Everything random in one document, drawn in a fixed order. */
typedef struct Draw
{
	const char *first, *last, *city, *country, *kind, *tag1, *tag2;
	bool		active;
	unsigned	quantity, euros, cents, house, day, second;
	double		score, lat, lon;
} Draw;

static void
draw(uint64_t *state, Draw *d)
{
	size_t		place;

	d->first = pick(state, first_names, COUNT(first_names));
	d->last = pick(state, last_names, COUNT(last_names));
	d->kind = pick(state, kinds, COUNT(kinds));
	d->tag1 = pick(state, tags, COUNT(tags));
	d->tag2 = pick(state, tags, COUNT(tags));
	place = mix(state) % COUNT(cities);
	d->city = cities[place];
	d->country = countries[place];
	d->active = mix(state) % 4 != 0;
	d->quantity = (unsigned) (mix(state) % 1000);
	d->euros = (unsigned) (mix(state) % 500);
	d->cents = (unsigned) (mix(state) % 100);
	d->house = (unsigned) (mix(state) % 300) + 1;
	d->day = (unsigned) (mix(state) % 336);
	d->second = (unsigned) (mix(state) % 86400);
	d->score = (double) (mix(state) % 1000000) / 1000.0 - 250.0;
	d->lat = (double) (mix(state) % 18000000) / 100000.0 - 90.0;
	d->lon = (double) (mix(state) % 36000000) / 100000.0 - 180.0;
}

size_t
generate_document(uint64_t n, size_t size, char *key, char *buf)
{
	uint64_t	state = n * UINT64_C(0xd1342543de82ef95) + 1;
	unsigned long long number = n;
	Draw		d;
	size_t		used;

	draw(&state, &d);
	snprintf(key, 32, "doc-%08llu", number);
	used = (size_t) snprintf(buf, GENERATE_ROOM(0),
							 "{\"id\":%llu,\"type\":\"%s\",\"name\":\"%s %s\",\"email\":\"user%llu@example.com\","
							 "\"active\":%s,\"quantity\":%u,\"price\":%u.%02u,\"score\":%.6g,"
							 "\"created\":\"2024-%02u-%02uT%02u:%02u:%02uZ\","
							 "\"address\":{\"street\":\"%u %s Street\",\"city\":\"%s\",\"country\":\"%s\","
							 "\"geo\":{\"lat\":%.5f,\"lon\":%.5f}},\"tags\":[\"%s\",\"%s\"],\"note\":\"",
							 number, d.kind, d.first, d.last, number, d.active ? "true" : "false", d.quantity,
							 d.euros, d.cents, d.score, d.day / 28 + 1, d.day % 28 + 1, d.second / 3600,
							 d.second / 60 % 60, d.second % 60, d.house, d.last, d.city, d.country, d.lat, d.lon,
							 d.tag1, d.tag2);
	if (used + 2 < size)
		used += fill_words(&state, buf + used, size - used - 2);
	buf[used++] = '"';
	buf[used++] = '}';
	return used;
}
