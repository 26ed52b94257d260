# Builds the test cluster: build/cbcluster, and build/cbcluster-asan with the address and undefined-behaviour sanitizers.
# Included by the Makefile at the top; has no use for PGXS.

CBCLUSTER_CC     ?= gcc
CBCLUSTER_BUILD  ?= build
CBCLUSTER_SRCS   := $(wildcard test/cluster/*.c test/cluster/query/*.c)
CBCLUSTER_CFLAGS := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -g
CBCLUSTER_LIBS   := -levent_core -levent_extra -levent_openssl -lssl -lcrypto -ljansson -lsnappy -lz -lm
CBCLUSTER_OBJS   := $(CBCLUSTER_SRCS:test/cluster/%.c=$(CBCLUSTER_BUILD)/cluster/%.o)
CBCLUSTER_ASAN_OBJS := $(CBCLUSTER_SRCS:test/cluster/%.c=$(CBCLUSTER_BUILD)/cluster-asan/%.o)
CBCLUSTER_ASAN   := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

.PHONY: cluster cluster-asan
cluster: $(CBCLUSTER_BUILD)/cbcluster
cluster-asan: $(CBCLUSTER_BUILD)/cbcluster-asan

$(CBCLUSTER_BUILD)/cbcluster: $(CBCLUSTER_OBJS)
	$(CBCLUSTER_CC) -o $@ $^ $(CBCLUSTER_LIBS)

$(CBCLUSTER_BUILD)/cbcluster-asan: $(CBCLUSTER_ASAN_OBJS)
	$(CBCLUSTER_CC) $(CBCLUSTER_ASAN) -o $@ $^ $(CBCLUSTER_LIBS)

$(CBCLUSTER_BUILD)/cluster/%.o: test/cluster/%.c
	@mkdir -p $(@D)
	$(CBCLUSTER_CC) $(CBCLUSTER_CFLAGS) -O2 -MMD -MP -c -o $@ $<

$(CBCLUSTER_BUILD)/cluster-asan/%.o: test/cluster/%.c
	@mkdir -p $(@D)
	$(CBCLUSTER_CC) $(CBCLUSTER_CFLAGS) -O1 $(CBCLUSTER_ASAN) -MMD -MP -c -o $@ $<

# The recorded conversations, what they leave open, the management side, spoilt requests.
.PHONY: cluster-test
cluster-test: cluster cluster-asan
	test/cluster/replay.sh $(CBCLUSTER_BUILD)/cbcluster
	test/cluster/replay.sh $(CBCLUSTER_BUILD)/cbcluster-asan
	test/cluster/query_replay.sh $(CBCLUSTER_BUILD)/cbcluster
	test/cluster/query_replay.sh $(CBCLUSTER_BUILD)/cbcluster-asan
	test/cluster/query_test.py $(CBCLUSTER_BUILD)/cbcluster-asan
	test/cluster/query_test.py $(CBCLUSTER_BUILD)/cbcluster bounded_memory
	test/cluster/query_fuzz.py $(CBCLUSTER_BUILD)/cbcluster-asan test/vectors/sqlpp
	test/cluster/kv_test.py $(CBCLUSTER_BUILD)/cbcluster-asan
	test/cluster/subdoc_test.py $(CBCLUSTER_BUILD)/cbcluster-asan
	test/cluster/manage_test.py $(CBCLUSTER_BUILD)/cbcluster-asan
	test/cluster/tls_test.py $(CBCLUSTER_BUILD)/cbcluster-asan
	test/cluster/fault_test.py $(CBCLUSTER_BUILD)/cbcluster-asan
	test/cluster/fuzz.py $(CBCLUSTER_BUILD)/cbcluster-asan test/cluster/vectors.json test/vectors

# Statements for the SQL++ engine, by libFuzzer.
CBCLUSTER_FUZZ_SECONDS ?= 10
CBCLUSTER_FUZZ_CC ?= $(firstword $(shell command -v clang clang-19 clang-16 clang-14) clang)

$(CBCLUSTER_BUILD)/fuzz_statement: test/cluster/fuzz/statement.c $(wildcard test/cluster/query/n1ql_*.c test/cluster/query/n1ql*.h)
	@mkdir -p $(@D)
	$(CBCLUSTER_FUZZ_CC) -std=c11 -D_GNU_SOURCE -g -O1 $(CBCLUSTER_ASAN) -fsanitize=fuzzer -o $@ \
		$(filter %.c,$^) -lcrypto -lz -lm

.PHONY: cluster-fuzz
cluster-fuzz: $(CBCLUSTER_BUILD)/fuzz_statement
	test/cluster/fuzz/run.sh $< $(CBCLUSTER_FUZZ_SECONDS)

-include $(CBCLUSTER_OBJS:.o=.d) $(CBCLUSTER_ASAN_OBJS:.o=.d)
