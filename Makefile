# cbconn_fdw: Couchbase buckets as PostgreSQL foreign tables.
#
#   make, make install, make installcheck    for packagers (PGXS; any PG_CONFIG=...)
#   make help                                everything else

EXTENSION  = cbconn_fdw
MODULE_big = cbconn_fdw
PGFILEDESC = "cbconn_fdw - foreign data wrapper for Couchbase"

DATA  = $(wildcard sql/cbconn_fdw--*.sql)
SRCS  = $(wildcard src/protocol/*.c) $(wildcard src/cluster/*.c) $(wildcard src/fdw/*.c)
OBJS  = $(SRCS:.c=.o)

# The regression inputs stand beside the install scripts: pg_regress of
# PostgreSQL 15 wants sql/ and expected/ under one folder.
REGRESS        = $(filter-out cbconn_fdw--%,$(basename $(notdir $(wildcard sql/*.sql))))
ifneq ($(wildcard test/specs/*.spec),)
ISOLATION      = $(basename $(notdir $(wildcard test/specs/*.spec)))
endif
REGRESS_OPTS   = --inputdir=. --outputdir=build/regress --load-extension=$(EXTENSION) --launcher=test/psql.pl
ISOLATION_OPTS = --inputdir=test --outputdir=build/isolation --load-extension=$(EXTENSION)
REGRESS_PREP   = build/regress build/isolation

PKG_CONFIG ?= pkg-config
PKGS        = openssl libcares libcurl jansson snappy zlib
EXPORTS     = build/exports.map

PG_CPPFLAGS = -I$(CURDIR)/src $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null) -MMD -MP
SHLIB_LINK  = $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -Wl,--version-script=$(EXPORTS)
EXTRA_CLEAN = build $(OBJS:.o=.d)

ifeq ($(CI),true)
WERROR = -Werror
endif

PG_CONFIG ?= pg_config
PGXS      := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

.DEFAULT_GOAL = all

ifeq ($(wildcard $(PGXS)),)
all install uninstall installcheck clean:
	@echo 'The PostgreSQL server headers are missing (no PGXS found by "$(PG_CONFIG)").'
	@echo 'Run "make deps" to install what the build needs, or set PG_CONFIG.'
	@exit 1
else
# No bitcode: the inliner has nothing to gain here, and it would need clang.
override with_llvm = no
PG_CFLAGS = -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers $(WERROR)
include $(PGXS)

$(shlib): $(EXPORTS)
$(OBJS): | build/packages-found
-include $(OBJS:.o=.d)
endif

# Only the module magic, _PG_init and the SQL functions leave the library.
$(EXPORTS): $(SRCS) Makefile
	@mkdir -p $(@D)
	test/exports.sh $(SRCS) >$@

$(REGRESS_PREP):
	mkdir -p $@

build/packages-found: Makefile
	@$(PKG_CONFIG) --print-errors --exists $(PKGS) 'libcurl >= 7.85' || { echo 'Run "make deps" first.'; exit 1; }
	@mkdir -p $(@D) && touch $@

-include test/cluster/cluster.mk
-include test/unit/unit.mk
-include test/fuzz/fuzz.mk

# The targets below set up what they need themselves: packages through apt, a
# throw-away PostgreSQL and the test cluster. None touches the machine's own servers.

help:
	@sed 's/^/  /' test/targets.txt

deps:
	test/deps.sh build test

demo:
	test/deps.sh build demo
	test/demo/run.sh

demo-shell:
	test/deps.sh build demo
	test/demo/run.sh --shell

test:
	test/deps.sh build test
	test/all.sh

lint:
	test/deps.sh build lint
	test/lint.sh

interop:
	test/deps.sh build interop
	$(MAKE) -s cluster
	test/interop/run.sh

.PHONY: pgmatrix
pgmatrix:
	test/deps.sh build pgmatrix
	test/pgmatrix/run.sh

bench:
	test/deps.sh build interop
	test/bench/run.sh

chaos:
	test/deps.sh build test
	MINUTES='$(MINUTES)' SEED='$(SEED)' test/chaos.sh

valgrind:
	test/deps.sh build valgrind
	test/valgrind.sh $(SUITES)

.PHONY: ubsan
ubsan:
	test/deps.sh build
	test/ubsan.sh $(SUITES)

.PHONY: nightly
nightly:
	test/deps.sh build test valgrind pgmatrix
	test/nightly.sh

.PHONY: help deps demo demo-shell test lint interop bench chaos valgrind
