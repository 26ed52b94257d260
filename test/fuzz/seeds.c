/*
 * seeds.c
 *		Writes a seed corpus for every fuzz target, from the recorded conversations
 *		and the tables of the unit tests.
 *
 * usage: seeds FOLDER
 */
#include "answers.h"
#include "config_file.h"
#include "vectors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *root;
static int	written;

/* A file named by its number; at most a few hundred for one target. */
static void
seed(const char *target, CbSpan data)
{
	char		path[600];
	FILE	   *out;

	if (data.len > 16384)
		return;
	snprintf(path, sizeof(path), "%s/%s", root, target);
	if (mkdir(path, 0777) != 0 && errno != EEXIST)
	{
		perror(path);
		exit(EXIT_FAILURE);
	}
	snprintf(path, sizeof(path), "%s/%s/%05d", root, target, written++);
	out = fopen(path, "wb");
	if (out == NULL || fwrite(data.data, 1, data.len, out) != data.len || fclose(out) != 0)
	{
		perror(path);
		exit(EXIT_FAILURE);
	}
}

static void
seed_scan(const CbPacket *packet)
{
	CbBuf		buf = {0};

	if (packet->extras.len != 4)
		return;
	cb_buf_append_u8(&buf, packet->extras.data[3]);
	cb_buf_append_span(&buf, packet->value);
	seed("scan", cb_buf_span(&buf));
	cb_buf_free(&buf);
}

/* Small enough for the fuzzer to get anywhere: the text is not looked into. */
static void
seed_config_file(CbSpan text)
{
	CbConfigFile file = {
		.server = cb_span_cstr("00ff"), .bucket = cb_span_cstr("b"), .bucket_uuid = cb_span_cstr("1a"),
		.host = cb_span_cstr("127.0.0.1"), .network = cb_span_cstr("default"), .version = {1, 7}, .text = text
	};
	CbBuf		buf = {0};

	file.text.len = text.len < 100 ? text.len : 100;
	if (cb_config_file_write(&file, &buf) == CB_OK)
		seed("config_file", cb_buf_span(&buf));
	cb_buf_free(&buf);
}

static void
seed_packet(const CbPacket *packet, CbSpan raw, size_t number)
{
	if (number % 7 == 0)
		seed("packet", raw);
	if ((packet->datatype & CB_DATATYPE_SNAPPY) != 0)
		seed("snappy", packet->value);
	else if (packet->value.len > 0 && packet->value.data[0] == '{' && number % 3 == 0)
		seed("json", packet->value);
	if (packet->opcode == CB_OP_RANGE_SCAN_CONTINUE)
		seed_scan(packet);
	else if (packet->opcode == CB_OP_SUBDOC_MULTI_LOOKUP ||
			 packet->opcode == CB_OP_SUBDOC_MULTI_MUTATION)
		seed("lookup", packet->value);
	else if (packet->opcode == CB_OP_GET_CLUSTER_CONFIG || packet->opcode == CB_OP_GET_MANIFEST ||
			 (packet->status == CB_STATUS_NOT_MY_VBUCKET && number % 5 == 0))
	{
		seed("config", packet->value);
		seed_config_file(packet->value);
	}
	else if (packet->opcode == CB_OP_SASL_AUTH || packet->opcode == CB_OP_SASL_STEP)
		seed("scram", packet->value);
	else if (packet->status != 0 && packet->value.len > 0 && number % 5 == 0)
		seed("error", packet->value);
}

static void
seed_texts(void)
{
	static const char *const paths[] = {
		"name", "geo.lat", "tags[0]", "`odd.name`.x", "a[1][22].b", "`a``b`[0].c", "a[", "[3].x"
	};
	static const char *const documents[] = {
		"{\"a\":{\"b\":{\"c\":[1,2.5e-3,-0]}},\"name\":\"x\\u00fc\\ud83d\\ude00\"}",
		"[[0,[1,2]],{\"x\":null,\"\\u0061\":true}]", "{\"geo\":{\"lat\":1},\"tags\":[\"a\",\"b\",\"c\"]}",
		"{\"a\":1,\"a\":{\"b\":false},\"x.y\":\"\xc3\xbc\"}", "\"\\u0000\\ud800\"", " 1e400 "
	};
	static const struct
	{
		const char *row;
		const char *text;
		const char *want;
	}			connstrs[] = {
#include "connstr_cases.h"
	};
	static const struct
	{
		const char *text;
		const char *want;
	}			options[] = {
#include "settings_cases.h"
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		seed("path", cb_span_cstr(paths[i]));
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		seed("json", cb_span_cstr(documents[i]));
	for (size_t i = 0; i < sizeof(connstrs) / sizeof(connstrs[0]); i++)
		seed("connstr", cb_span_cstr(connstrs[i].text));
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		seed("connstr", cb_span_cstr(options[i].text));
}

/* Short answers of a query service; of each family some. */
static void
seed_answers(void)
{
	size_t		count;
	const Answer *all = answers_all(&count);

	for (size_t i = 0; i < count; i += 23)
	{
		if (all[i].text.len < 1500)
			seed("sqlpp", cb_buf_span(&all[i].text));
	}
	answers_free();
}

/* DNS answers as fuzz_dns.c takes them. */
static void
seed_dns(void)
{
#define NAME	"\xc0\x0c"
#define RECORD(type, length)	NAME "\0" type "\0\1" "\0\0\0\x3c" "\0" length
#define SRV(length, port, target)	RECORD("\x21", length) "\0\0" "\0\0" port target
	static const struct
	{
		const char *bytes;
		size_t		size;
	}			answers[] = {
#define ANSWER(text)	{text, sizeof(text) - 1}
		ANSWER("\3\1" SRV("\x12", "\x2b\xca", "\4" "node" "\2" "db" "\4" "test" "\0")),
		ANSWER("\3\2" SRV("\x0e", "\x2b\xca", "\5" "node1" "\xc0\x1c") SRV("\x07", "\x2b\xca", "\0")),
		ANSWER("\7\1" SRV("\x0e", "\x2b\xc7", "\5" "node2" "\xc0\x1c")),
		ANSWER("\3\1" SRV("\x10", "\0\1", "\x09" "127.0.0.1" "\0")),
		ANSWER("\3\2" RECORD("\5", "\4") "\1" "x" "\xc0\x0c" SRV("\x0e", "\0\0", "\5" "n\0d\n1" "\xc0\x1c")),
		ANSWER("\2\1" RECORD("\1", "\4") "\x7f\0\0\1"),
		ANSWER("\2\2" RECORD("\1", "\4") "\x7f\0\0\1" RECORD("\x1c", "\x10") "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
		ANSWER("\6\1" RECORD("\x1c", "\x10") "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
		ANSWER("\2\1" RECORD("\5", "\2") "\xc0\x0c"),
		ANSWER("\1" "\x81\x83\0\1\0\0\0\0\0\0")
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		seed("dns", cb_span(answers[i].bytes, answers[i].size));
}

int
main(int argc, char **argv)
{
	size_t		count;
	const Exchange *all;

	if (argc != 2)
		return EXIT_FAILURE;
	root = argv[1];
	all = vectors_all(&count);
	for (size_t i = 0; i < count; i++)
	{
		for (size_t j = 0; j < all[i].nresponses; j++)
		{
			CbPacket	packet;

			if (cb_packet_read(all[i].responses[j], SIZE_MAX, &packet, NULL) == CB_OK)
				seed_packet(&packet, all[i].responses[j], i);
		}
	}
	seed_texts();
	seed_answers();
	seed_dns();
	vectors_free();
	return EXIT_SUCCESS;
}
