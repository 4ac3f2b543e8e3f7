# muniment: the whole build.
#
#   make              build/muni, build/muni-whole, build/munifs, build/muni-examine, build/muni-unpack, build/muni-adversary
#   make demo         the main job on real data, in two minutes, under build/demo
#   make check        every test: units, layers, the real programs, a real mount
#   make check-unit   the units alone
#   make check-fault  every call that can fail fails, in turn; disks that fill and that forget
#                     (hours; FAULTS="--many 5000" takes a sample, FAULTS=--all every time)
#   make check-tsan   units and what has threads under ThreadSanitizer: an hour and a half
#   make soak         64 readers, ingests, destructions, verify: SOAK_TIME seconds (600)
#   make fuzz         every parser of bytes of others, FUZZ_TIME seconds each (clang)
#   make fuzz-coverage  what of the parsers the seeds and build/fuzz/corpus reach (clang, llvm)
#   make bench-detect-speed   how fast they search text in memory
#   make bench        speed and size beside other systems: writes docs/performance.md, half an hour
#   make bench-quick  a tenth of it, two minutes: a page and a table in build/bench-run
#   make bench-detect precision and recall of the recognisers, on made-up data
#   make SAN=1 ...    the same under AddressSanitizer and UBSan, in build/san
#   make TSAN=1 ...   the same under ThreadSanitizer, in build/tsan
#   make WERROR=1     warnings are errors (as .ci/run does)
#   make install      honours DESTDIR and PREFIX
#   make clean
#
# What is missing on a Debian 12 is installed first (by .ci/deps, as root or
# through sudo; else it prints the one command to run).  DEPS=no skips that.

.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
# All processors, unless the caller says how many.
ifeq ($(filter -j% --jobserver%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.SUFFIXES:

CC ?= cc
AR ?= ar
ifeq ($(origin CC),default)
CC := cc
endif
ifeq ($(origin AR),default)
AR := ar
endif
PREFIX ?= /usr/local
BUILD := build

WARN := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes \
	-Wstrict-prototypes -Wvla
BASE := -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -pthread -fPIE \
	-fno-omit-frame-pointer
# A function of ours that has the name of one in a library would be called by
# that library in its stead: hidden, the linker refuses it.
OWN := -fvisibility=hidden
OPT := -O2 -g -fstack-protector-strong
HARD := -D_FORTIFY_SOURCE=2
LINK := -pthread -pie -Wl,-z,relro,-z,now

ifdef SAN
BUILD := build/san
OPT := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
HARD :=
LINK += -fsanitize=address,undefined
endif
ifdef TSAN
BUILD := build/tsan
OPT := -O1 -g -fsanitize=thread
HARD :=
LINK += -fsanitize=thread
endif
# Set by `make fuzz`, which calls itself: all sources under clang's fuzzer.
ifdef FUZZ
BUILD := build/fuzz
CC := clang
OPT := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
HARD :=
LINK += -fsanitize=address,undefined
WARN := -w	# gcc has said them
endif
# Set by `make fuzz-coverage`: the replays of tests/fuzz, which count what they reach.
ifdef COVERAGE
BUILD := build/coverage
CC := clang
OPT := -O1 -g -fprofile-instr-generate -fcoverage-mapping
HARD :=
LINK += -fprofile-instr-generate
WARN := -w
endif
ifdef WERROR
WARN += -Werror
endif

ALL_CFLAGS = $(BASE) $(OWN) $(WARN) $(OPT) $(HARD) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LINK) $(LDFLAGS)
LIBS = -lm -lsqlite3 -lzstd -lisal -lcrypto -larchive -ljansson -lseccomp -lz -lacl \
	-lyaml -lpcre2-8 -lcsv
TOOL_CFLAGS = $(shell pkg-config --cflags libxml-2.0 | sed 's/-I/-isystem /g')
TOOL_LIBS = $(shell pkg-config --libs libxml-2.0)
# What parses the files of others is linked into muni-examine alone (and tests).
LOOK_PKGS := poppler-glib gmime-3.0 libxml-2.0 uchardet yajl libhs
LOOK_CFLAGS = $(shell pkg-config --cflags $(LOOK_PKGS) | sed 's/-I/-isystem /g')
LOOK_LIBS = $(shell pkg-config --libs $(LOOK_PKGS)) -lmagic
# Certificates on paper: muni alone.
PAPER_PKGS := pangocairo libqrencode
PAPER_CFLAGS = $(shell pkg-config --cflags $(PAPER_PKGS) | sed 's/-I/-isystem /g')
PAPER_LIBS = $(shell pkg-config --libs $(PAPER_PKGS))
FUSE_CFLAGS = $(shell pkg-config --cflags fuse3)
FUSE_LIBS = $(shell pkg-config --libs fuse3)

LIB_SRC := $(wildcard fs/base/*.c fs/crypt/*.c fs/content/*.c fs/store/*.c fs/vault/*.c policy/*.c policy/*/*.c)
MOUNT_SRC := $(wildcard fs/mount/*.c)
EXAMINE_SRC := $(wildcard fs/examine/*.c)
UNPACK_SRC := $(wildcard fs/unpack/*.c)
ADVERSARY_SRC := $(wildcard fs/adversary/*.c)
TOOL_SRC := $(wildcard tools/*.c)
UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_OBJ := $(call obj,$(LIB_SRC))
MOUNT_OBJ := $(call obj,$(MOUNT_SRC))
EXAMINE_OBJ := $(call obj,$(EXAMINE_SRC))
UNPACK_OBJ := $(call obj,$(UNPACK_SRC))
ADVERSARY_OBJ := $(call obj,$(ADVERSARY_SRC))
TOOL_OBJ := $(call obj,$(TOOL_SRC))
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
# A sanitizer brings a heap of its own.
INJECT_SRC := $(filter-out $(if $(SAN)$(TSAN),%/memory.c),$(wildcard tests/support/inject/*.c))
SUPPORT_BIN := $(patsubst tests/support/%.c,$(BUILD)/support/%,$(SUPPORT_SRC)) $(BUILD)/support/inject.so
SPEED_BIN := $(patsubst tests/bench/speed/%.c,$(BUILD)/bench/speed/%,$(wildcard tests/bench/speed/*.c))
BENCH_BIN := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY_BIN := $(FUZZ_NAMES:%=$(BUILD)/replay/%)
FUZZ_BIN := $(FUZZ_NAMES:%=$(BUILD)/target/%)

.PHONY: all
all: $(BUILD)/muni $(BUILD)/muni-whole $(BUILD)/munifs $(BUILD)/muni-examine $(BUILD)/muni-unpack $(BUILD)/muni-adversary
.PHONY: lib
lib: $(BUILD)/libmuniment.a $(MOUNT_OBJ) $(EXAMINE_OBJ) $(UNPACK_OBJ) $(ADVERSARY_OBJ) $(TOOL_OBJ)

# A new set of flags rebuilds everything.
FLAGS_NOW = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(FLAGS_NOW)' | cmp -s - $@ || \
		printf '%s\n' '$(FLAGS_NOW)' > $@
.PHONY: FORCE
FORCE:

ifneq ($(DEPS),no)
build/deps.ok: .ci/deps .ci/packages
	@mkdir -p $(@D)
	@.ci/deps
	@touch $@
else
.PHONY: build/deps.ok
build/deps.ok:
endif

$(BUILD)/libmuniment.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $(LIB_OBJ)

# What a debugger wants lies beside a program that is waited for: it was two thirds of what is
# read from a cold disk before the first line runs.  (A sanitizer's report wants it inside.)
apart = $(if $(SAN)$(TSAN)$(FUZZ),,objcopy --only-keep-debug $(1) $(1).debug && \
	objcopy --strip-debug --add-gnu-debuglink=$(1).debug $(1))

# What is called is small: it becomes muni-whole for what wants patterns, paper or policies.
WHOLE_OBJ := $(filter-out %/light.o,$(TOOL_OBJ))
$(BUILD)/libtools.a: $(filter-out %/main.o,$(WHOLE_OBJ))
	@rm -f $@
	$(AR) rcs $@ $^
$(BUILD)/muni: $(BUILD)/obj/tools/light.o $(BUILD)/libtools.a $(BUILD)/libmuniment.a
	$(CC) $(ALL_CFLAGS) -o $@ $< $(BUILD)/libtools.a $(BUILD)/libmuniment.a $(ALL_LDFLAGS) -Wl,--as-needed $(LIBS)
	$(call apart,$@)

$(BUILD)/muni-whole: $(WHOLE_OBJ) $(BUILD)/libmuniment.a
	$(CC) $(ALL_CFLAGS) -o $@ $(WHOLE_OBJ) $(BUILD)/libmuniment.a $(ALL_LDFLAGS) -Wl,--as-needed $(LIBS) $(TOOL_LIBS) -lhs $(PAPER_LIBS)

$(BUILD)/munifs: $(MOUNT_OBJ) $(BUILD)/libmuniment.a
	$(CC) $(ALL_CFLAGS) -o $@ $(MOUNT_OBJ) $(BUILD)/libmuniment.a $(ALL_LDFLAGS) -Wl,--as-needed $(LIBS) $(FUSE_LIBS)
	$(call apart,$@)

$(BUILD)/muni-examine: $(EXAMINE_OBJ) $(BUILD)/libmuniment.a
	$(CC) $(ALL_CFLAGS) -o $@ $(EXAMINE_OBJ) $(BUILD)/libmuniment.a $(ALL_LDFLAGS) -Wl,--as-needed $(LIBS) $(LOOK_LIBS)

$(BUILD)/muni-unpack: $(UNPACK_OBJ) $(BUILD)/libmuniment.a
	$(CC) $(ALL_CFLAGS) -o $@ $(UNPACK_OBJ) $(BUILD)/libmuniment.a $(ALL_LDFLAGS) -Wl,--as-needed $(LIBS)

$(BUILD)/muni-adversary: $(ADVERSARY_OBJ) $(BUILD)/libmuniment.a
	$(CC) $(ALL_CFLAGS) -o $@ $(ADVERSARY_OBJ) $(BUILD)/libmuniment.a $(ALL_LDFLAGS) -Wl,--as-needed $(LIBS)

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libmuniment.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(BUILD)/libmuniment.a $(ALL_LDFLAGS) -Wl,--as-needed $(LIBS) $(LOOK_LIBS) -lcmocka

# The door of muni-examine, tried from inside; the pool, with the real program.
EXAMINE_INSIDE := $(filter-out %/main.o,$(EXAMINE_OBJ))
$(BUILD)/unit/examine/%: $(BUILD)/obj/tests/unit/examine/%.o $(EXAMINE_INSIDE) $(BUILD)/libmuniment.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(EXAMINE_INSIDE) $(BUILD)/libmuniment.a $(ALL_LDFLAGS) -Wl,--as-needed $(LIBS) $(LOOK_LIBS) -lcmocka
$(BUILD)/unit/vault/test_examiner $(BUILD)/unit/vault/test_examiner_liar $(BUILD)/unit/vault/test_examiner_wrong: | $(BUILD)/muni-examine
$(BUILD)/unit/vault/test_foreign $(BUILD)/unit/vault/test_foreign_tar $(BUILD)/unit/vault/test_export_pax: | $(BUILD)/muni-unpack

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/libmuniment.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(BUILD)/libmuniment.a $(ALL_LDFLAGS) -Wl,--as-needed $(LIBS) $(LOOK_LIBS)

# Tools of `make bench`: one file, one program, nothing of ours inside.
$(BUILD)/bench/speed/%: tests/bench/speed/%.c $(BUILD)/flags | build/deps.ok
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -g $(FUSE_CFLAGS) -o $@ $< $(LINK) -Wl,--as-needed -lm -lzstd -lcrypto $(FUSE_LIBS)

# Helpers of the tests: one file, one program; epoch_*.c speak our own tongue; fault_*.c and
# inject/ are libraries that are preloaded.
$(BUILD)/support/fault_%: tests/support/fault_%.c $(BUILD)/flags | build/deps.ok
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O1 -g -fPIC -shared -U_FILE_OFFSET_BITS -Wno-missing-prototypes -o $@ $< -ldl
$(BUILD)/support/inject.so: $(INJECT_SRC) tests/support/inject/inject.h $(BUILD)/flags | build/deps.ok
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -g -fPIC -shared -U_FILE_OFFSET_BITS -Wno-missing-prototypes -fno-builtin-malloc -fno-builtin-calloc -o $@ $(INJECT_SRC) -ldl
$(BUILD)/support/epoch_%: tests/support/epoch_%.c $(BUILD)/libmuniment.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< $(BUILD)/libmuniment.a $(ALL_LDFLAGS) -Wl,--as-needed $(LIBS) $(LOOK_LIBS)
$(BUILD)/support/%: tests/support/%.c $(BUILD)/flags | build/deps.ok
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -g -o $@ $< $(LINK) -lacl -lsqlite3

$(BUILD)/obj/tools/paper.o $(BUILD)/obj/tools/paper_%.o: ALL_CFLAGS += $(PAPER_CFLAGS)
$(BUILD)/obj/fs/mount/%.o: ALL_CFLAGS += $(FUSE_CFLAGS)
$(BUILD)/obj/tools/%.o: ALL_CFLAGS += $(TOOL_CFLAGS)
$(BUILD)/obj/fs/content/%.o $(BUILD)/obj/policy/%.o: ALL_CFLAGS += $(LOOK_CFLAGS)
$(BUILD)/obj/%.o: %.c $(BUILD)/flags | build/deps.ok
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

.PHONY: check check-layers check-symbols check-unit check-system
check: all $(UNIT_BIN) $(SUPPORT_BIN) $(BENCH_BIN) $(SPEED_BIN) $(REPLAY_BIN)
	@tests/layers.sh
	@tests/symbols.sh $(BUILD)/libmuniment.a $(BUILD)/munifs
	@tests/symbols.sh $(BUILD)/libmuniment.a $(BUILD)/muni-examine
	@tests/run-units.sh $(UNIT_BIN)
	@tests/fuzz/replay.sh $(BUILD) $(FUZZ_NAMES)
	@BUILD=$(BUILD) tests/run-system.sh
check-layers:
	@tests/layers.sh
check-symbols: $(BUILD)/libmuniment.a $(BUILD)/munifs $(BUILD)/muni-examine
	@tests/symbols.sh $(BUILD)/libmuniment.a $(BUILD)/munifs
	@tests/symbols.sh $(BUILD)/libmuniment.a $(BUILD)/muni-examine
check-unit: $(UNIT_BIN)
	@tests/run-units.sh $(UNIT_BIN)
check-system: all $(SUPPORT_BIN) $(BENCH_BIN) $(SPEED_BIN)
	@BUILD=$(BUILD) tests/run-system.sh

.PHONY: check-fault
check-fault: all $(SUPPORT_BIN) $(BENCH_BIN)
	@BUILD=$(BUILD) MUNIMENT_FULL=1 FAULTS_ALL=1 ONLY=faults tests/run-system.sh
	@BUILD=$(BUILD) MUNIMENT_FULL=1 ONLY=crash tests/run-system.sh
	@d=$$(mktemp -d "$${TMPDIR:-/tmp}/muniment-sweep.XXXXXX") && cd "$$d" && \
		BUILD=$(CURDIR)/$(BUILD) MUNI=$(CURDIR)/$(BUILD)/muni MUNIFS=$(CURDIR)/$(BUILD)/munifs \
		SUPPORT=$(CURDIR)/tests/support /usr/bin/python3 $(CURDIR)/tests/support/fault_sweep.py \
		$(FAULTS) && cd / && rm -rf "$$d"

# Everything at once on one mounted archive, each byte checked; `make TSAN=1 soak` under
# ThreadSanitizer.  SOAK_READERS, SOAK_SEED: tests/support/soak.py.
.PHONY: soak check-tsan check-tsan-inside
SOAK_TIME ?= 600
soak: all $(SUPPORT_BIN)
ifdef TSAN
	@BUILD=$(BUILD) SOAK_TIME=$(SOAK_TIME) tests/run-tsan.sh soak
else
	@BUILD=$(BUILD) SOAK_TIME=$(SOAK_TIME) SYSTEM_LIMIT=0 SHOW=1 ONLY=soak tests/run-system.sh
endif

# TSAN_ONLY="mount epoch": of the system tests these alone.  JOBS, UNIT_LIMIT, MUNIMENT_STRIDE:
# how many at a time, how long a unit may take, which of the places that are tried all
# otherwise (tests/run-tsan.sh).
check-tsan:
	@$(MAKE) TSAN=1 check-tsan-inside
check-tsan-inside: all $(UNIT_BIN) $(SUPPORT_BIN)
	@BUILD=$(BUILD) tests/run-tsan.sh units $(UNIT_BIN)
	@BUILD=$(BUILD) tests/run-tsan.sh $(TSAN_ONLY)

# Beside other systems, those that are installed; BENCH="--only big --peers borg" and the like.
.PHONY: bench bench-quick bench-deps
bench: all $(SPEED_BIN) $(BENCH_BIN) bench-deps
	@BUILD=$(BUILD) tests/bench/speed/bench.py --growth --report docs/performance.md $(BENCH)
bench-quick: all $(SPEED_BIN) bench-deps
	@BUILD=$(BUILD) tests/bench/speed/bench.py --scale quick $(BENCH)
bench-deps:
ifneq ($(DEPS),no)
	@.ci/deps bench || echo "bench: goes on without what is missing" >&2
endif

# Precision and recall of every recogniser on made-up data: it informs, it never fails.
.PHONY: bench-detect-speed
bench-detect-speed: $(BUILD)/bench/detect_speed
	@$(BUILD)/bench/detect_speed

# A fuzz target is one file; without the fuzzer (replay.c) `make check` gives it its seeds,
# what once broke it, and seeded changes of both.  What it needs of the programs, and of
# what targets share, the linker takes out of one archive.
FUZZ_SHARED := $(filter-out tests/fuzz/fuzz_% tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c))
FUZZ_INSIDE := $(call obj,$(FUZZ_SHARED)) $(filter-out %/main.o %/light.o,$(MOUNT_OBJ) $(TOOL_OBJ) $(EXAMINE_OBJ))
FUZZ_LIBS = -Wl,--as-needed $(LIBS) $(LOOK_LIBS) $(FUSE_LIBS) $(TOOL_LIBS) $(PAPER_LIBS)
$(BUILD)/fuzz-inside.a: $(FUZZ_INSIDE)
	@rm -f $@
	$(AR) rcs $@ $(FUZZ_INSIDE)
$(BUILD)/obj/tests/fuzz/fuzz_mount.o: ALL_CFLAGS += $(FUSE_CFLAGS)
$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/fuzz-inside.a $(BUILD)/libmuniment.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LDFLAGS) $(FUZZ_LIBS)
$(BUILD)/target/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/fuzz-inside.a $(BUILD)/libmuniment.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(ALL_LDFLAGS) $(FUZZ_LIBS)

.PHONY: fuzz fuzz-targets fuzz-deps check-replay
fuzz: fuzz-deps
	@$(MAKE) FUZZ=1 fuzz-targets
	@tests/fuzz/run.sh build/fuzz $(FUZZ_NAMES)
fuzz-deps:
ifneq ($(DEPS),no)
	@.ci/deps fuzz
endif
	@command -v clang >/dev/null || { echo "fuzz: clang is missing, which has the fuzzer: \`.ci/deps fuzz\` installs it" >&2; exit 1; }
fuzz-targets: $(FUZZ_BIN)
.PHONY: fuzz-coverage
fuzz-coverage:
ifneq ($(DEPS),no)
	@.ci/deps coverage
endif
	@$(MAKE) COVERAGE=1 coverage-replays
	@tests/fuzz/coverage.sh build/coverage $(FUZZ_NAMES)
.PHONY: coverage-replays
coverage-replays: $(REPLAY_BIN)
check-replay: $(REPLAY_BIN)
	@tests/fuzz/replay.sh $(BUILD) $(FUZZ_NAMES)

.PHONY: bench-detect
bench-detect: all $(BENCH_BIN)
	@BUILD=$(BUILD) tests/bench/evaluate.py
	@BUILD=$(BUILD) tests/bench/evaluate_files.py

.PHONY: demo
demo: all
	@BUILD=$(BUILD) tests/support/demo.sh

.PHONY: install
install: all
	install -D -m 755 $(BUILD)/muni $(DESTDIR)$(PREFIX)/bin/muni
	install -D -m 755 $(BUILD)/munifs $(DESTDIR)$(PREFIX)/bin/munifs
	install -D -m 755 $(BUILD)/muni-whole $(DESTDIR)$(PREFIX)/libexec/muniment/muni-whole
	install -D -m 755 $(BUILD)/muni-examine $(DESTDIR)$(PREFIX)/libexec/muniment/muni-examine
	install -D -m 755 $(BUILD)/muni-unpack $(DESTDIR)$(PREFIX)/libexec/muniment/muni-unpack
	install -D -m 755 $(BUILD)/muni-adversary $(DESTDIR)$(PREFIX)/libexec/muniment/muni-adversary
	install -d $(DESTDIR)$(PREFIX)/share/muniment/policies
	install -m 644 policy/rules/*.yaml $(DESTDIR)$(PREFIX)/share/muniment/policies/
	install -d $(DESTDIR)$(PREFIX)/sbin
	ln -sf ../bin/munifs $(DESTDIR)$(PREFIX)/sbin/mount.munifs
	install -D -m 644 docs/man/muni.1 $(DESTDIR)$(PREFIX)/share/man/man1/muni.1
	install -D -m 644 docs/man/muni-policy.5 $(DESTDIR)$(PREFIX)/share/man/man5/muni-policy.5
	install -D -m 644 docs/man/munifs.8 $(DESTDIR)$(PREFIX)/share/man/man8/munifs.8
	install -D -m 644 tools/muni.bash-completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/muni

.PHONY: clean
clean:
	rm -rf build

-include $(LIB_OBJ:.o=.d) $(MOUNT_OBJ:.o=.d) $(EXAMINE_OBJ:.o=.d) $(UNPACK_OBJ:.o=.d) $(ADVERSARY_OBJ:.o=.d) $(TOOL_OBJ:.o=.d) \
	$(patsubst tests/unit/%.c,$(BUILD)/obj/tests/unit/%.d,$(UNIT_SRC)) \
	$(patsubst %.c,$(BUILD)/obj/%.d,$(wildcard tests/fuzz/*.c))
