# Unit tests of src/protocol, under the address and undefined-behaviour sanitizers.
#
#   make unit            all of them
#   make unit SUITES=…   some: test/unit/main.c lists the names

UNIT_DIR    = build/unit
UNIT_SRCS   = $(wildcard src/protocol/*.c) $(wildcard test/unit/*.c)
UNIT_OBJS   = $(UNIT_SRCS:%.c=$(UNIT_DIR)/%.o)
UNIT_CC    ?= gcc
UNIT_CFLAGS = -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-Isrc/protocol -Itest/unit -MMD -MP
UNIT_PKGS   = openssl jansson snappy zlib
UNIT_LIBS   = $(shell $(PKG_CONFIG) --libs $(UNIT_PKGS)) -lm

$(UNIT_DIR)/%.o: %.c
	@mkdir -p $(@D)
	$(UNIT_CC) $(UNIT_CFLAGS) -c $< -o $@

$(UNIT_DIR)/unit: $(UNIT_OBJS)
	$(UNIT_CC) $(UNIT_CFLAGS) $^ $(UNIT_LIBS) -o $@

unit: $(UNIT_DIR)/unit
	$(UNIT_DIR)/unit $(SUITES)

-include $(UNIT_OBJS:.o=.d)

.PHONY: unit
