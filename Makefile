# SPDX-License-Identifier: Apache-2.0
# Systole. `make demo` and `make check` are the two commands of README.md.
# Variants: release (default), debug, san (ASan + UBSan), cov. Everything built
# goes under build/VARIANT; `make BUILD=DIR` puts it elsewhere.

VARIANT ?= release
BUILD ?= build
OUT := $(BUILD)/$(VARIANT)
CC ?= cc
CXX ?= c++
AR ?= ar
PREFIX ?= /usr/local

VARIANTS := release debug san cov
ifeq ($(filter $(VARIANT),$(VARIANTS)),)
$(error VARIANT=$(VARIANT) is not one of: $(VARIANTS))
endif

MAJOR := 0
VERSION := 0.1.0

WARN := -Wall -Wextra -Werror -Wshadow -Wvla -Wpointer-arith -Wcast-qual -Wundef \
	-Wformat=2 -Wconversion -Wno-sign-conversion -Wdouble-promotion -Wswitch-enum
CWARN := $(WARN) -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
OPT_release := -O2 -g -flto=auto -ffat-lto-objects
OPT_debug := -O0 -g3 -DSY_DEBUG
OPT_san := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_cov := -O0 -g --coverage
# -ffp-contract=off: the same bits from every compiler and machine.
COMMON := $(OPT_$(VARIANT)) -fPIC -fvisibility=hidden -ffp-contract=off -ffile-prefix-map=$(CURDIR)=. -I. -I$(OUT)/gen \
	-DSYSTOLE_VERSION_STRING='"$(VERSION)"' -DSYSTOLE_PREFIX='"$(PREFIX)"' -D_GNU_SOURCE -MMD -MP
ALL_CFLAGS := -std=c11 $(CWARN) $(COMMON) $(CFLAGS)
# The SystemC library links only with C++17.
ALL_CXXFLAGS := -std=c++17 -Wall -Wextra -Werror $(COMMON) $(CXXFLAGS)
# as-needed: a test that does not touch the kernel must not need the sc_main that SystemC asks for.
LIBS := -Wl,--as-needed -lsystemc -lyaml -lz -lm -lstdc++

# ---- sources: whatever lies in the folders; nothing is listed by hand ----
LIB_DIRS := sim/base sim/kernel sim/map sim/engine sim/stats sim/report sim/explore sim/validate \
	arch workloads workloads/import traces traces/export
LIB_C := $(sort $(foreach d,$(LIB_DIRS),$(wildcard $(d)/*.c))) $(wildcard sim/systole*.c)
LIB_CXX := $(sort $(wildcard sim/kernel/*.cpp))
CLI_C := $(sort $(wildcard sim/cli/*.c))
TEST_C := $(sort $(wildcard tests/unit/test_*.c tests/api/test_*.c))
BENCH_C := $(sort $(wildcard tests/bench/bench_*.c))

# ---- registries: generated from the files that define one thing each ----
# kind  struct           folder
REGISTRIES := importer:workloads/import report_format:sim/report suite:sim/validate command:sim/cli
REG_C := $(foreach r,$(filter-out command:%,$(REGISTRIES)),$(OUT)/gen/registry_$(word 1,$(subst :, ,$(r))).c)
REG_CLI := $(OUT)/gen/registry_command.c

LIB_O := $(LIB_C:%.c=$(OUT)/obj/%.o) $(LIB_CXX:%.cpp=$(OUT)/obj/%.o) $(REG_C:$(OUT)/gen/%.c=$(OUT)/obj/gen/%.o)
CLI_O := $(CLI_C:%.c=$(OUT)/obj/%.o) $(OUT)/obj/gen/registry_command.o
TESTS := $(TEST_C:tests/%.c=$(OUT)/tests/%)
BENCHES := $(BENCH_C:tests/bench/%.c=$(OUT)/bench/%)

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

$(OUT)/obj/gen/%.o: $(OUT)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@
$(OUT)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@
$(OUT)/obj/%.o: %.cpp Makefile
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) -c $< -o $@

$(OUT)/libsystole.a: $(LIB_O)
	@rm -f $@
	$(AR) rcD $@ $^
$(OUT)/libsystole.so: $(LIB_O)
	$(CXX) $(OPT_$(VARIANT)) -shared -Wl,-soname,libsystole.so.$(MAJOR) $(LDFLAGS) -o $@ $(LIB_O) $(LIBS)
$(OUT)/systole: $(CLI_O) $(OUT)/libsystole.a
	$(CXX) $(OPT_$(VARIANT)) $(LDFLAGS) -o $@ $(CLI_O) $(OUT)/libsystole.a $(LIBS)

$(OUT)/tests/%: $(OUT)/obj/tests/%.o $(OUT)/libsystole.a
	@mkdir -p $(@D)
	$(CXX) $(OPT_$(VARIANT)) $(LDFLAGS) -o $@ $< $(OUT)/libsystole.a $$(pkg-config --libs check) $(LIBS)
$(OUT)/bench/%: $(OUT)/obj/tests/bench/%.o $(OUT)/libsystole.a
	@mkdir -p $(@D)
	$(CXX) $(OPT_$(VARIANT)) $(LDFLAGS) -o $@ $< $(OUT)/libsystole.a $(LIBS)
.SECONDARY:

.PHONY: tests unit
tests: $(TESTS)
# Run every test program; SYSTOLE_DATA lets them find arch/ and tests/golden from anywhere.
unit: $(TESTS)
	@for t in $(TESTS); do SYSTOLE_DATA=$(CURDIR) $$t || exit 1; done

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
