# Fuzz targets of src/protocol (libFuzzer, clang).
#
#   make fuzz-smoke                  a few seconds each, from a generated corpus
#   make fuzz MINUTES=5              minutes each

FUZZ_DIR      = build/fuzz
FUZZ_CC      ?= clang
FUZZ_SECONDS ?= 3
MINUTES      ?= 1
FUZZ_TARGETS  = $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c))
FUZZ_CFLAGS   = -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -fno-omit-frame-pointer \
	-Isrc/protocol -Itest/unit -Itest/fuzz -MMD -MP
FUZZ_CHECKS   = -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_OBJS     = $(patsubst %.c,$(FUZZ_DIR)/%.o,$(wildcard src/protocol/*.c))
FUZZ_LIBS     = $(shell $(PKG_CONFIG) --libs openssl jansson snappy zlib) -lm

$(FUZZ_DIR)/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_CHECKS) -fsanitize=fuzzer-no-link -c $< -o $@

$(FUZZ_DIR)/fuzz_%: $(FUZZ_DIR)/test/fuzz/fuzz_%.o $(FUZZ_OBJS)
	$(FUZZ_CC) $(FUZZ_CHECKS) -fsanitize=fuzzer $^ $(FUZZ_LIBS) -o $@

# Of the cluster layer, and so with the server's headers.
$(FUZZ_DIR)/test/fuzz/fuzz_dns.o: FUZZ_CFLAGS += -std=gnu11 -isystem $(shell $(PG_CONFIG) --includedir-server) \
	-Wno-unused-parameter -Wno-sign-compare
$(FUZZ_DIR)/fuzz_dns: FUZZ_LIBS += $(shell $(PKG_CONFIG) --libs libcares)

$(FUZZ_DIR)/seeds: $(FUZZ_DIR)/test/fuzz/seeds.o $(FUZZ_DIR)/test/unit/vectors.o \
		$(FUZZ_DIR)/test/unit/answers.o $(FUZZ_OBJS)
	$(FUZZ_CC) $(FUZZ_CHECKS) -fsanitize=fuzzer-no-link $^ $(FUZZ_LIBS) -o $@

fuzz-smoke: $(FUZZ_DIR)/seeds $(FUZZ_TARGETS:%=$(FUZZ_DIR)/fuzz_%)
	test/fuzz/run.sh $(FUZZ_DIR) $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz:
	test/deps.sh build test
	$(MAKE) -s fuzz-smoke FUZZ_SECONDS=$$(($(MINUTES) * 60))

.SECONDARY: $(FUZZ_TARGETS:%=$(FUZZ_DIR)/test/fuzz/fuzz_%.o)
-include $(FUZZ_OBJS:.o=.d) $(wildcard $(FUZZ_DIR)/test/*/*.d)

.PHONY: fuzz-smoke fuzz
