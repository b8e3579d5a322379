# SPDX-License-Identifier: Apache-2.0
# Systole. `make demo` and `make check` are the two commands of README.md;
# `make help` lists the others.
# Variants: release (default), debug, san (ASan + UBSan), cov, fuzz (clang).
# Everything built goes under build/VARIANT; `make BUILD=DIR` puts it elsewhere.

VARIANT ?= release
BUILD ?= build
OUT := $(BUILD)/$(VARIANT)
CC ?= cc
CXX ?= c++
AR ?= ar
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
INSTALL ?= install
TEST_JOBS ?= 2
FUZZ_SECONDS ?= 10
# V=1 shows the commands.
Q := $(if $(filter 1,$(V)),,@)

VARIANTS := release debug san cov fuzz
ifeq ($(filter $(VARIANT),$(VARIANTS)),)
$(error VARIANT=$(VARIANT) is not one of: $(VARIANTS))
endif

MAJOR := 0
VERSION := 0.1.0

# Debian packages: to build, to test, to lint.
DEPS := gcc g++ make pkg-config libsystemc-dev zlib1g-dev libyaml-dev
DEPS_TEST := check python3
DEPS_RTL := verilator
DEPS_LINT := clang-format clang-tidy cppcheck pmccabe python3

WARN := -Wall -Wextra -Werror -Wshadow -Wvla -Wpointer-arith -Wcast-qual -Wundef \
	-Wformat=2 -Wconversion -Wno-sign-conversion -Wdouble-promotion -Wswitch-enum
CWARN := $(WARN) -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
OPT_release := -O2 -g -flto=auto -ffat-lto-objects
OPT_debug := -O0 -g3 -DSY_DEBUG
OPT_san := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_cov := -O0 -g --coverage
OPT_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# -ffp-contract=off: the same bits from every compiler and machine.
COMMON := $(OPT_$(VARIANT)) -fPIC -fvisibility=hidden -ffp-contract=off -ffile-prefix-map=$(CURDIR)=. -I. -I$(OUT)/gen \
	-DSYSTOLE_VERSION_STRING='"$(VERSION)"' -D_GNU_SOURCE -MMD -MP
ALL_CFLAGS := -std=c11 $(CWARN) $(COMMON) $(CFLAGS)
# The SystemC library links only with C++17.
ALL_CXXFLAGS := -std=c++17 -Wall -Wextra -Werror $(COMMON) $(CXXFLAGS)
# as-needed: a test that does not touch the kernel must not need the sc_main that SystemC asks for.
LIBS := -Wl,--as-needed -lsystemc -lyaml -lz -lm -lstdc++
LINK := $(CXX) $(OPT_$(VARIANT)) $(CFLAGS) $(LDFLAGS)
# Test programs take the machine code of the fat objects: many quick links instead of many long ones.
TEST_LINK := $(LINK) $(if $(filter release,$(VARIANT)),-fno-lto)

# ---- sources: whatever lies in the folders; nothing is listed by hand ----
LIB_DIRS := sim/base sim/kernel sim/map sim/engine sim/stats sim/report sim/explore sim/validate \
	arch workloads workloads/import traces traces/export
LIB_C := $(sort $(foreach d,$(LIB_DIRS),$(wildcard $(d)/*.c))) $(wildcard sim/systole*.c)
LIB_CXX := $(sort $(wildcard sim/kernel/*.cpp))
CLI_C := $(sort $(wildcard sim/cli/*.c))
TEST_C := $(sort $(wildcard tests/unit/test_*.c tests/api/test_*.c))
BENCH_C := $(sort $(wildcard tests/bench/bench_*.c))
FUZZ_C := $(sort $(wildcard tests/fuzz/fuzz_*.c))
TLM_CXX := $(sort $(filter-out tests/tlm/host_%,$(wildcard tests/tlm/*.cpp)))
HOST_CXX := $(sort $(wildcard tests/tlm/host_*.cpp))
CLI_TESTS := $(sort $(wildcard tests/cli/*.sh))

# ---- registries: generated from the files that define one thing each ----
# kind  struct           folder
REGISTRIES := importer:workloads/import report_format:sim/report suite:sim/validate request_format:traces/export subcommand:sim/cli
REG_C := $(foreach r,$(filter-out subcommand:%,$(REGISTRIES)),$(OUT)/gen/registry_$(word 1,$(subst :, ,$(r))).c)
REG_CLI := $(OUT)/gen/registry_subcommand.c
SRAM_C := $(OUT)/gen/sram_cacti.c

LIB_O := $(LIB_C:%.c=$(OUT)/obj/%.o) $(LIB_CXX:%.cpp=$(OUT)/obj/%.o) $(REG_C:$(OUT)/gen/%.c=$(OUT)/obj/gen/%.o) $(OUT)/obj/gen/sram_cacti.o
CLI_O := $(CLI_C:%.c=$(OUT)/obj/%.o) $(OUT)/obj/gen/registry_subcommand.o
TESTS := $(TEST_C:tests/%.c=$(OUT)/tests/%)
BENCHES := $(BENCH_C:tests/bench/%.c=$(OUT)/bench/%)
REPLAYS := $(FUZZ_C:tests/fuzz/fuzz_%.c=$(OUT)/tests/fuzz/replay_%)
# Memory targets as a user builds them: shared objects, with SystemC alone.
TARGETS := $(TLM_CXX:tests/tlm/%.cpp=$(OUT)/tests/tlm/lib%.so)
# SystemC models that bind our DRAM as a target: with SystemC and the shared library, as a user builds them.
HOSTS := $(HOST_CXX:tests/tlm/%.cpp=$(OUT)/tests/tlm/%)
FUZZERS := $(FUZZ_C:tests/fuzz/fuzz_%.c=$(OUT)/fuzz/%)

.PHONY: all
all: $(OUT)/libsystole.a $(OUT)/libsystole.so $(if $(CLI_C),$(OUT)/systole)

# registry rule: KIND -> array sy_KINDs[] of every `const struct sy_KIND sy_KIND_NAME = {`.
# A folder whose KIND.h is not there yet has no registry.
define REGISTRY_RULE
$(OUT)/gen/registry_$(1).c: $$(wildcard $(2)/*.c $(2)/$(1).h) Makefile
	@mkdir -p $$(@D)
	@{ echo '/* generated from $(2): do not edit */'; \
	   if [ -f $(2)/$(1).h ]; then \
	   echo '#include "$(2)/$(1).h"'; \
	   sed -n 's/^const struct sy_$(1) \(sy_$(1)_[a-z0-9_]*\) = .*/extern const struct sy_$(1) \1;/p' $$(sort $$(wildcard $(2)/*.c)) /dev/null; \
	   echo 'const struct sy_$(1) *const sy_$(1)s[] = {'; \
	   sed -n 's/^const struct sy_$(1) \(sy_$(1)_[a-z0-9_]*\) = .*/    \&\1,/p' $$(sort $$(wildcard $(2)/*.c)) /dev/null; \
	   echo '    0};'; fi; } > $$@.tmp && mv $$@.tmp $$@
endef
$(foreach r,$(REGISTRIES),$(eval $(call REGISTRY_RULE,$(word 1,$(subst :, ,$(r))),$(word 2,$(subst :, ,$(r))))))

# The shipped SRAM calibration as a C table: a run must not spend its time on parsing it.
$(SRAM_C): arch/sram/cacti.csv Makefile
	@mkdir -p $(@D)
	@LC_ALL=C awk -F, 'BEGIN { print "/* generated from arch/sram/cacti.csv: do not edit */\n#include \"arch/sram.h\"\nstatic const struct sy_sram_row row[] = {" } \
		NR > 1 { printf "{{%.6ff, %.6ff, %.6ff, %.6ff, %.6ff}, %d, %d, %d, %d, %d, %d},\n", log($$8 * 1000), log($$9 * 1000), \
		log($$10), log($$11), log($$7), $$3, $$4, $$1, $$6, $$5, $$2 != "itrs-hp" } \
		END { print "};\nconst struct sy_sram_table sy_sram_cacti = {\"CACTI 7.0 (arch/sram/cacti.csv)\", sizeof row / sizeof row[0], row};" }' \
		$< > $@.tmp && mv $@.tmp $@

# ---- stamps: files that change only when their text does, so that other flags or a removed source rebuild ----
define STAMP_RULE
$(OUT)/gen/$(1).stamp: always
	@mkdir -p $$(@D)
	@printf '%s\n' '$$(subst ','"'"',$(2))' | cmp -s - $$@ || printf '%s\n' '$$(subst ','"'"',$(2))' > $$@
endef
.PHONY: always
$(eval $(call STAMP_RULE,flags,$(ALL_CFLAGS) $(ALL_CXXFLAGS)))
$(eval $(call STAMP_RULE,prefix,$(DATADIR)))
$(eval $(call STAMP_RULE,objects,$(LIB_O) $(CLI_O)))

$(OUT)/obj/gen/%.o: $(OUT)/gen/%.c $(OUT)/gen/flags.stamp
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@
$(OUT)/obj/%.o: %.c $(OUT)/gen/flags.stamp
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(DEFINES) -c $< -o $@
$(OUT)/obj/%.o: %.cpp $(OUT)/gen/flags.stamp
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	$(Q)$(CXX) $(ALL_CXXFLAGS) -c $< -o $@
# Only what names the install prefix is built again when it changes.
PREFIX_O := $(patsubst %.c,$(OUT)/obj/%.o,$(shell grep -ls SYSTOLE_PREFIX $(LIB_C) $(CLI_C) /dev/null))
$(PREFIX_O): DEFINES := -DSYSTOLE_PREFIX='"$(PREFIX)"'
$(PREFIX_O): $(OUT)/gen/prefix.stamp

$(OUT)/libsystole.a: $(LIB_O) $(OUT)/gen/objects.stamp
	@rm -f $@
	@echo "  AR    $@"
	$(Q)$(AR) rcD $@ $(LIB_O)
# The name without a number is for the linker, the one with the major number for the loader.
$(OUT)/libsystole.so: $(LIB_O) sim/systole.map $(OUT)/gen/objects.stamp
	@echo "  LINK  $@"
	$(Q)$(LINK) -shared -Wl,-soname,libsystole.so.$(MAJOR) -Wl,--version-script=sim/systole.map -o $@ $(LIB_O) $(LIBS)
	$(Q)ln -sf libsystole.so $@.$(MAJOR)
$(OUT)/systole: $(CLI_O) $(OUT)/libsystole.a
	@echo "  LINK  $@"
	$(Q)$(LINK) -o $@ $(CLI_O) $(OUT)/libsystole.a $(LIBS)

# Tests of the public header get the shared library, and so see only what it exports.
$(OUT)/tests/api/%: $(OUT)/obj/tests/api/%.o $(OUT)/libsystole.so
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(TEST_LINK) -o $@ $< -L$(OUT) -lsystole -Wl,-rpath,'$$ORIGIN/../..' $$(pkg-config --libs check) -lm -lpthread
$(OUT)/tests/unit/test_kernel_random: | $(OUT)/tests/tlm/libideal.so
OUR_SO := -L$(OUT) -lsystole -Wl,-rpath,'$$ORIGIN/../..'
$(OUT)/obj/tests/tlm/dram.o $(HOST_CXX:%.cpp=$(OUT)/obj/%.o): ALL_CXXFLAGS += -Isim/include -fvisibility=default
$(OUT)/tests/tlm/libdram.so: TLM_LIBS := $(OUR_SO)
$(OUT)/tests/tlm/libdram.so: $(OUT)/libsystole.so
$(OUT)/tests/tlm/lib%.so: $(OUT)/obj/tests/tlm/%.o
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(TEST_LINK) -shared -o $@ $< $(TLM_LIBS) -lsystemc
$(OUT)/tests/tlm/host_%: $(OUT)/obj/tests/tlm/host_%.o $(OUT)/libsystole.so
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(TEST_LINK) -o $@ $< $(OUR_SO) -lsystemc
$(OUT)/tests/fuzz/replay_%: $(OUT)/obj/tests/fuzz/fuzz_%.o $(OUT)/obj/tests/fuzz/replay.o $(OUT)/libsystole.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(TEST_LINK) -o $@ $(filter %.o,$^) $(OUT)/libsystole.a $(LIBS)
$(OUT)/tests/%: $(OUT)/obj/tests/%.o $(OUT)/libsystole.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(TEST_LINK) -o $@ $< $(OUT)/libsystole.a $$(pkg-config --libs check) $(LIBS)
$(OUT)/bench/%: $(OUT)/obj/tests/bench/%.o $(OUT)/libsystole.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(LINK) -o $@ $< $(OUT)/libsystole.a $(LIBS)
$(OUT)/fuzz/%: $(OUT)/obj/tests/fuzz/fuzz_%.o $(OUT)/libsystole.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $< $(OUT)/libsystole.a $(LIBS)
.SECONDARY:
# An interrupted link leaves an empty file that is newer than its parts.
.DELETE_ON_ERROR:

# ---- the machine ----
.PHONY: deps deps-test deps-lint deps-rtl
deps:
	@tests/tools/need.sh $(DEPS)
deps-test:
	@tests/tools/need.sh $(DEPS) $(DEPS_TEST)
deps-lint:
	@tests/tools/need.sh $(DEPS_LINT)
deps-rtl:
	@tests/tools/need.sh $(DEPS) $(DEPS_RTL)

# ---- use it ----
.PHONY: demo
DEMO_TRACE := traces/samples/resnet50.slt.gz
demo: deps
	@$(MAKE) --no-print-directory VARIANT=release all
	$(BUILD)/release/systole run -a tpu-v1 -w $(DEMO_TRACE)

# ---- test it ----
.PHONY: tests unit check san cov bench fuzz fuzzers cleanroom soak
tests: $(TESTS) $(REPLAYS) $(TARGETS) $(HOSTS)
	@:
# Run every test program; SYSTOLE_DATA lets them find arch/ and tests/golden from anywhere.
unit: $(TESTS)
	@for t in $(TESTS); do SYSTOLE_DATA=$(CURDIR) $$t || exit 1; done
# The closing line is "N passed, N failed", summed over all programs.
check: deps-test
	@$(MAKE) --no-print-directory all tests
	@SYSTOLE_DATA=$(CURDIR) SYSTOLE=$(abspath $(OUT)/systole) \
		tests/tools/run_tests.sh $(OUT)/test-logs $(TEST_JOBS) $(TESTS) $(REPLAYS) $(CLI_TESTS)
san:
	@$(MAKE) --no-print-directory VARIANT=san check
cov: deps-test
	@tests/tools/need.sh gcovr
	@find $(BUILD)/cov -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) --no-print-directory VARIANT=cov check
	@gcovr --root . --object-directory $(BUILD)/cov --exclude tests --exclude $(BUILD) --print-summary
bench: deps
	@$(MAKE) --no-print-directory all $(BENCHES)
	@for b in $(BENCHES); do SYSTOLE_DATA=$(CURDIR) SYSTOLE=$(abspath $(OUT)/systole) $$b || exit 1; done
# Coverage-guided fuzzing of every reader for FUZZ_SECONDS each; new inputs stay in build/fuzz/corpus.
fuzz:
	@tests/tools/need.sh clang
	@$(MAKE) --no-print-directory VARIANT=fuzz CC=clang CXX=clang++ fuzzers
fuzzers: $(FUZZERS)
	@for f in $(FUZZERS); do name=$${f##*/}; mkdir -p $(OUT)/corpus/$$name; echo "== $$name"; \
		$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=$(OUT)/corpus/$$name- $(OUT)/corpus/$$name tests/fuzz/corpus/$$name || exit 1; done
# The engine's checks over many times the random cases of `make check`: 125 gives each of them 5000 or more.
SOAK ?= 125
soak: deps-test
	@$(MAKE) --no-print-directory $(OUT)/tests/unit/test_engine
	SYSTOLE_SOAK=$(SOAK) SYSTOLE_DATA=$(CURDIR) $(OUT)/tests/unit/test_engine
cleanroom:
	@tests/tools/cleanroom.sh

# docs/validation.md, written anew from the suites' runs.
.PHONY: validation
validation: deps
	@$(MAKE) --no-print-directory all
	@SYSTOLE_DATA=$(CURDIR) SYSTOLE=$(abspath $(OUT)/systole) tests/tools/validation.sh > docs/validation.md.tmp
	@mv docs/validation.md.tmp docs/validation.md

# The composed machine as RTL: run it anew, compare with the recorded runs and with the engine. RECORD=1 records.
.PHONY: rtl
RTL_GOLDEN := tests/golden/machine_rtl.csv
rtl: deps-rtl
	@$(MAKE) --no-print-directory all
	@tests/rtl/run.sh $(abspath $(OUT)/rtl) $(abspath $(OUT)/rtl)/machine_rtl.csv
	@$(if $(filter 1,$(RECORD)),cp $(OUT)/rtl/machine_rtl.csv $(RTL_GOLDEN),cmp $(OUT)/rtl/machine_rtl.csv $(RTL_GOLDEN))
	$(OUT)/systole validate machine --rows --max-error 0
	@tests/rtl/kit.sh $(abspath $(OUT)/systole) $(abspath $(OUT)/rtl)

# Memory time of real layers in DRAMsim3 (DRAMSIM3=DIR: a built checkout), against the recorded ones. RECORD=1 records.
.PHONY: dram-layers
LAYERS_GOLDEN := tests/golden/dram_layers.csv
dram-layers: deps
	@[ -f "$(DRAMSIM3)/src/dramsim3.h" ] || { echo 'make dram-layers DRAMSIM3=DIR: a checkout of DRAMsim3 with libdramsim3.so built'; exit 2; }
	@$(MAKE) --no-print-directory all
	@mkdir -p $(OUT)/layers
	$(Q)$(CXX) -std=c++17 -O2 -Wall -Wextra -Werror tests/tools/dram_layers.cpp -o $(OUT)/layers/replay -isystem $(DRAMSIM3)/src \
		-L$(abspath $(DRAMSIM3)) -ldramsim3 -Wl,-rpath,$(abspath $(DRAMSIM3))
	@SYSTOLE_DATA=$(CURDIR) python3 tests/tools/dram_layers.py $(abspath $(OUT)/systole) $(OUT)/layers/replay $(DRAMSIM3) $(LAYERS_GOLDEN) $(OUT)/layers/dram_layers.csv
	@$(if $(filter 1,$(RECORD)),cp $(OUT)/layers/dram_layers.csv $(LAYERS_GOLDEN),cmp $(OUT)/layers/dram_layers.csv $(LAYERS_GOLDEN))

# ---- hold it to the rules ----
.PHONY: lint tidy format
lint: deps-lint
	@tests/lint/run.sh $(BUILD)
# The compiler's view of every file, slower than the rest of lint.
tidy: deps-lint
	@$(MAKE) --no-print-directory $(REG_C)
	@tests/lint/tidy.sh $(TEST_JOBS) $(OUT)/gen
format: deps-lint
	@bash -c '. tests/lint/common.sh; c_files | xargs clang-format -i'

# ---- install it ----
DATA_FILES = $(sort $(shell find arch workloads/nets traces/samples -type f \( -name '*.yaml' -o -name '*.csv' -o \
	-name '*.slt' -o -name '*.slt.gz' -o -name '*.json' -o -name '*.md' \) 2>/dev/null))
MAN_PAGES = $(sort $(wildcard docs/man/*.[1357]))
.PHONY: install uninstall
install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)
	$(if $(CLI_C),$(INSTALL) -m 755 $(OUT)/systole $(DESTDIR)$(BINDIR)/systole)
	$(INSTALL) -m 644 sim/include/systole.h $(DESTDIR)$(INCLUDEDIR)/systole.h
	$(INSTALL) -m 644 sim/kernel/systole_tlm.hpp sim/kernel/systole_tlm_dram.hpp $(DESTDIR)$(INCLUDEDIR)
	$(INSTALL) -m 644 $(OUT)/libsystole.a $(DESTDIR)$(LIBDIR)/libsystole.a
	$(INSTALL) -m 755 $(OUT)/libsystole.so $(DESTDIR)$(LIBDIR)/libsystole.so.$(VERSION)
	ln -sf libsystole.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libsystole.so.$(MAJOR)
	ln -sf libsystole.so.$(MAJOR) $(DESTDIR)$(LIBDIR)/libsystole.so
	@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' 'Name: systole' \
		'Description: cycle-approximate simulator of systolic-array accelerators' 'Version: $(VERSION)' \
		'Requires.private: yaml-0.1 zlib systemc' 'Libs: -L$${libdir} -lsystole' 'Libs.private: -lstdc++ -lm' \
		'Cflags: -I$${includedir}' > $(DESTDIR)$(LIBDIR)/pkgconfig/systole.pc
	@for f in $(DATA_FILES); do $(INSTALL) -D -m 644 $$f $(DESTDIR)$(DATADIR)/systole/$$f || exit 1; done
	@for f in $(MAN_PAGES); do $(INSTALL) -D -m 644 $$f $(DESTDIR)$(MANDIR)/man$${f##*.}/$${f##*/} || exit 1; done
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/systole $(DESTDIR)$(INCLUDEDIR)/systole.h $(DESTDIR)$(INCLUDEDIR)/systole_tlm.hpp $(DESTDIR)$(INCLUDEDIR)/systole_tlm_dram.hpp $(DESTDIR)$(LIBDIR)/pkgconfig/systole.pc \
		$(DESTDIR)$(LIBDIR)/libsystole.a $(DESTDIR)$(LIBDIR)/libsystole.so $(DESTDIR)$(LIBDIR)/libsystole.so.$(MAJOR) \
		$(DESTDIR)$(LIBDIR)/libsystole.so.$(VERSION)
	@for f in $(MAN_PAGES); do rm -f $(DESTDIR)$(MANDIR)/man$${f##*.}/$${f##*/}; done
	rm -rf $(DESTDIR)$(DATADIR)/systole

.PHONY: clean help
clean:
	rm -rf $(BUILD)
help:
	@echo 'make demo       install what is missing, build, run ResNet-50 on the TPU v1 preset'
	@echo 'make check      build and run every test          make lint     style, includes, complexity, format, cppcheck'
	@echo 'make            build build/release/systole and libsystole.{a,so}'
	@echo 'make san        check with ASan and UBSan         make cov      check with coverage (gcovr)'
	@echo 'make bench      timings                           make fuzz     libFuzzer, FUZZ_SECONDS=10 a target'
	@echo 'make rtl        the composed machine as RTL (Verilator): run it and compare'
	@echo 'make dram-layers DRAMSIM3=DIR   the engine'"'"'s requests in DRAMsim3: replay them and compare'
	@echo 'make soak       the checks of the engine over SOAK=125 times as many random cases'
	@echo 'make tidy       clang-tidy                        make format   clang-format -i'
	@echo 'make cleanroom  demo and check in a bare chroot   make install  PREFIX=/usr/local DESTDIR='

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
