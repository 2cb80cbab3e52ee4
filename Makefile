# make demo: the main job, shown on the embedded server.  make test: everything that is checked.
# Both install what they need (Debian packages as root, npm by a lock file, pip into target/venv) and are quick the second time.

# Every language is tested. LANGUAGES="c python" leaves some out, and says so at the end.
ALL_LANGUAGES := c cpp python swift kotlin
LANGUAGES ?= $(ALL_LANGUAGES)

SHELL := /bin/bash
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
DEBUG := $(CARGO_TARGET_DIR)/debug
VENV := $(CARGO_TARGET_DIR)/venv
SERVERS := tests/servers/node_modules/.installed

define newline


endef

say = @printf '\n== %s\n' '$(1)'

.PHONY: abi abi-renew asan tsan deny sbom sbom-test bench bench-build bench-driver bench-micro bench-quick instructions instructions-renew packages-bench packages-instructions packages-profile profile build release release-small install uninstall demo test lint header servers examples aarch64 docs docs-test torture packages-release packages-demo packages-test size clean

build:
	$(call say,Building the library)
	cargo build --locked
	@ln -sf libim_client.so $(DEBUG)/libim_client.so.0

# The C libraries alone: with the crate's rlib beside them cargo leaves out the optimization across crates, which is a tenth of the size.
RELEASE_LIBRARIES := cargo rustc --locked --release -p im-client --lib --crate-type cdylib,staticlib

release: packages-release
	$(call say,Building the library for release)
	$(RELEASE_LIBRARIES)
	@ln -sf libim_client.so $(CARGO_TARGET_DIR)/release/libim_client.so.0
	tools/static_lib.sh $(CARGO_TARGET_DIR)/release $(CARGO_TARGET_DIR)/release/libim_client-static.a

# The smallest: WebSocket alone, without TLS, long-polling and the store's file, and made for size and not for speed.
RELEASE_SMALL := cargo rustc --locked --profile small -p im-client --lib --crate-type cdylib,staticlib --no-default-features
release-small: packages-release
	$(call say,Building the smallest library)
	$(RELEASE_SMALL)

# The release library and the smallest one, each beside its limit, in bytes.
SIZE := $(CARGO_TARGET_DIR)/size
MOST_BYTES := 3500000
MOST_BYTES_SMALL := 1500000
size: packages-release
	$(call say,Building the library and the smallest one)
	$(RELEASE_LIBRARIES) --target-dir $(SIZE)
	$(RELEASE_SMALL) --target-dir $(SIZE)
	tools/size.sh $(SIZE)/release/libim_client.so $(MOST_BYTES) $(SIZE)/small/libim_client.so $(MOST_BYTES_SMALL)

# PREFIX, LIBDIR and DESTDIR of the command line reach the script as they are, by the environment.
install: release sbom
	packaging/install.sh install $(CARGO_TARGET_DIR)/release

uninstall:
	packaging/install.sh uninstall $(CARGO_TARGET_DIR)/release

demo: packages-demo build examples
	$(call say,Building the embedded IM server)
	cargo build --locked -p im-server
	$(call say,The demo: two users chat$(comma) a QR-code login succeeds)
	python3 examples/demo/demo.py --bin-dir $(DEBUG)/examples-c --server $(DEBUG)/im-server

comma := ,

examples: build
	$(call say,Building the C examples)
	$(MAKE) -C examples/c BIN_DIR=$(DEBUG)/examples-c IM_LIBDIR=$(DEBUG)

# The committed header and its description for bindings are those that the build makes from src/ffi; the reference pages and the
# constants of the packages are made from the description.
header: build
	cp "$$(ls -t $(DEBUG)/build/im-client-*/out/im_client.h | head -1)" include/im_client.h
	cp "$$(ls -t $(DEBUG)/build/im-client-*/out/abi.json | head -1)" bindings/abi.json
	tools/docs/tables.py
	$(foreach language,cpp python swift kotlin,python3 bindings/$(language)/generate.py$(newline)	)

servers: $(SERVERS)

$(SERVERS): tests/servers/package-lock.json
	$(call say,Installing the servers that the tests run against)
	cd tests/servers && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

packages-release:
	@tools/packages.sh gcc libc6-dev binutils

packages-demo:
	@tools/packages.sh gcc libc6-dev make pkg-config python3 libjansson-dev libqrencode-dev

packages-test:
	@tools/packages.sh gcc libc6-dev g++ make pkg-config python3 python3-venv libjansson-dev libqrencode-dev \
	    libssl-dev openssl valgrind clang-format binutils util-linux nginx tinyproxy-bin microsocks haproxy redis-server
	@tools/node.sh

$(VENV)/.installed: tools/requirements.txt
	$(call say,Installing the Python linters)
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-virtualenv -r tools/requirements.txt
	@touch $@

lint: packages-test $(VENV)/.installed
	$(call say,Checking form: rustfmt$(comma) clippy$(comma) clang-format$(comma) ruff$(comma) mypy)
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	for features in "" polling store tls polling,store; do \
	    cargo clippy --locked -p im-client --lib --no-default-features --features "$$features" -- -D warnings || exit 1; \
	done
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h' ':!include/im_client.h')
	$(VENV)/bin/ruff check $$(git ls-files '*.py' ':!bindings/python')
	$(VENV)/bin/mypy --strict --explicit-package-bases $$(git ls-files '*.py' ':!bindings' ':!docs' ':!examples/python')
	python3 -m benches.run --check
	python3 -m unittest -q benches.test_instructions benches.test_layers tools.torture.test_hostile

# The library for aarch64 (phones, boards, Arm servers), and its tests under an emulator. The compiler is Debian's, kept beside
# the machine's own; no debug information, which would be most of the build.
AARCH64 := $(CARGO_TARGET_DIR)/aarch64
aarch64: packages-test servers
	$(call say,Building the library for aarch64)
	@tools/packages.sh gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
	@tools/debian_rust.sh $(CARGO_TARGET_DIR)/rust
	RUSTC=$(CARGO_TARGET_DIR)/rust/rustc CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc CARGO_PROFILE_DEV_DEBUG=0 \
	    cargo rustc --locked -p im-client --lib --crate-type cdylib --no-default-features --features polling,store,tls \
	    --target aarch64-unknown-linux-gnu --target-dir $(AARCH64)
	cargo build --locked -p im-server
	$(call say,Testing the library for aarch64 under qemu)
	python3 -m tests.aarch64 $(AARCH64)/aarch64-unknown-linux-gnu/debug $(DEBUG)

# The ABI against its baseline; -renew writes that, after a change that is meant.
abi abi-renew: build
	@tools/packages.sh abigail-tools binutils gcc libc6-dev
	$(call say,Comparing the ABI with its baseline)
	tools/abi.py --place $(CARGO_TARGET_DIR)/abi --library $(DEBUG)/libim_client.so $(if $(findstring renew,$@),--renew)
	IM_LIBRARY=$(DEBUG)/libim_client.so python3 -m unittest -q tools.test_abi

# Licences, sources and duplicates of what the library is built from.
$(CARGO_TARGET_DIR)/tools/bin/cargo-deny:
	$(call say,Installing cargo-deny)
	# Optimized it took 268 s to build where it takes 71, and ran for 1 s where it runs for 4.
	CARGO_PROFILE_DEV_DEBUG=0 cargo install --debug --locked --quiet --version 0.20.2 --root $(CARGO_TARGET_DIR)/tools cargo-deny

deny: $(CARGO_TARGET_DIR)/tools/bin/cargo-deny
	$(call say,Checking the dependencies)
	$< --locked check --hide-inclusion-graph bans licenses sources

# What the library is built from, as a CycloneDX bill of materials; `make install` puts it beside the library.
SBOM := $(CARGO_TARGET_DIR)/release/libim_client.cdx.json
sbom:
	@tools/packages.sh python3
	$(call say,Writing the bill of materials)
	tools/sbom.py --write $(SBOM)

SBOM_VENV := $(CARGO_TARGET_DIR)/sbom-venv
sbom-test: build sbom $(SBOM_VENV)/.installed
	$(call say,Checking the bill of materials)
	IM_SBOM=$(SBOM) IM_LIBRARY=$(DEBUG)/libim_client.so $(SBOM_VENV)/bin/python -m unittest -q tools.test_sbom

$(SBOM_VENV)/.installed: tools/sbom-requirements.txt
	@tools/packages.sh python3 python3-venv
	$(call say,Installing the validator of bills of materials)
	python3 -m venv $(SBOM_VENV)
	$(SBOM_VENV)/bin/pip install --quiet --require-virtualenv --require-hashes -r tools/sbom-requirements.txt
	@touch $@

# The documentation, target/docs/index.html: any warning is an error, and a link that leads nowhere is a warning.
DOCS_VENV := $(CARGO_TARGET_DIR)/docs-venv
docs: $(DOCS_VENV)/.installed
	$(call say,Building the documentation)
	tools/docs/tables.py --check
	$(DOCS_VENV)/bin/sphinx-build -q -E -W --keep-going -b html -d $(CARGO_TARGET_DIR)/docs-doctrees docs $(CARGO_TARGET_DIR)/docs

$(DOCS_VENV)/.installed: tools/docs/requirements.txt
	@tools/packages.sh python3 python3-venv
	$(call say,Installing Sphinx)
	python3 -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/pip install --quiet --require-virtualenv --require-hashes -r tools/docs/requirements.txt
	@touch $@

docs-test: packages-test servers docs examples $(VENV)/.installed
	@tools/packages.sh curl
	$(VENV)/bin/mypy --strict --python-executable $(DOCS_VENV)/bin/python docs/conf.py
	cargo build --locked -p im-server
	$(call say,Compiling and running every code block of the documentation)
	python3 -m unittest -q tests.documentation.test_checks
	python3 -m tests.documentation $(DEBUG)

# What the library costs beside what a user would pick instead: benches/README.md.
BENCH := $(CARGO_TARGET_DIR)/bench
BENCH_VENV := $(BENCH)/venv
OURS := benches/drivers/ours
OURS_CC := gcc -O2 -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -I$(BENCH)
OURS_LD = -L$(CARGO_TARGET_DIR)/$(1) -Wl,-rpath,$(CARGO_TARGET_DIR)/$(1) -lim_client -lpthread
OURS_SOURCES := $(addprefix $(OURS)/,main.c driver.c messages.c calls.c connections.c fleet.c)
bench-driver: release $(BENCH)/message.h
	$(OURS_CC) $(OURS_SOURCES) -o $(BENCH)/ours $(call OURS_LD,release)

$(BENCH)/message.h: benches/drivers/message.json
	@mkdir -p $(BENCH)
	sed 's/[\\"]/\\&/g; s/.*/#define MESSAGE "&"/' $< > $@

bench-build: packages-bench servers bench-driver $(BENCH_VENV)/.installed
	$(call say,Building the load server$(comma) the floor$(comma) the drivers and the libraries without TLS)
	cargo build --locked --profile peers -p load -p peer
	$(RELEASE_LIBRARIES) --no-default-features --features polling,store --target-dir $(BENCH)/plain
	$(RELEASE_SMALL) --target-dir $(BENCH)/plain
	$(OURS_CC) $(addprefix $(OURS)/,driver.c large.c allocations.c) -o $(BENCH)/ours-counted $(call OURS_LD,release)

# All of it, on a quiet machine: writes docs/benchmarks.md and its plots, and fails where a row misses its "must".
bench: bench-build
	$(BENCH_VENV)/bin/python -m benches.run --build $(CARGO_TARGET_DIR)

# Two minutes, for a look; nothing is written.
bench-quick: bench-build
	$(BENCH_VENV)/bin/python -m benches.run --build $(CARGO_TARGET_DIR) --quick

# The instructions of one message, held against benches/instructions.json; -renew writes that file.
instructions instructions-renew: packages-instructions bench-driver
	$(TEST_PROGRAMS)
	$(call say,Counting the instructions of one message)
	python3 -m benches.instructions --build $(CARGO_TARGET_DIR) $(if $(findstring renew,$@),--renew)

# The parts, without a network. In a folder of its own: beside the crate's rlib the library is built without the optimization across
# crates, and a `make release` after it would take that one for its own.
bench-micro: packages-release
	cargo bench --locked --target-dir $(BENCH)/micro

# Where the nanoseconds of one message go: writes its part of docs/benchmarks.md.
profile: packages-profile $(BENCH)/message.h
	$(call say,Building the load server and the library with names)
	cargo build --locked --profile peers -p load
	cargo rustc --locked --profile profiling -p im-client --lib --crate-type cdylib
	@ln -sf libim_client.so $(CARGO_TARGET_DIR)/profiling/libim_client.so.0
	$(OURS_CC) $(OURS_SOURCES) -o $(BENCH)/ours-profiled $(call OURS_LD,profiling)
	python3 -m benches.profile --build $(CARGO_TARGET_DIR)

packages-profile:
	@tools/packages.sh gcc libc6-dev libc6-dbg binutils linux-perf python3 util-linux

packages-instructions:
	@tools/packages.sh gcc libc6-dev python3 util-linux valgrind

packages-bench:
	@tools/packages.sh gcc libc6-dev python3 python3-venv util-linux
	@tools/node.sh

$(BENCH_VENV)/.installed: benches/requirements.txt | packages-bench
	$(call say,Installing matplotlib and python-socketio)
	python3 -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --require-virtualenv --require-hashes -r benches/requirements.txt
	@touch $@

# In one command: one at a time they would have what they share built again.
TEST_PROGRAMS := cargo build --locked -p im-server -p peer -p load

# Each alone leaves a core idle for a part of its time: two at a time.
TEST_BUILDS := tsan bench-driver asan models deny
asan: packages-test
	$(call say,Building the library with AddressSanitizer)
	tools/build_asan.sh
tsan: packages-test
	$(call say,Building the library with ThreadSanitizer)
	tools/build_tsan.sh

test: packages-test servers lint build examples
	$(call say,Building the servers and peers of the tests)
	$(TEST_PROGRAMS)
	$(MAKE) abi
	$(MAKE) -j2 --output-sync=target $(TEST_BUILDS)
	$(MAKE) instructions sbom-test
	$(call say,Testing the servers themselves with the official clients)
	cd tests/servers && npm test --silent
	$(call say,Testing the library)
	# Most of the tests wait, for a server or a timer.
	RUST_TEST_THREADS=6 cargo test --locked --workspace
	cargo test --locked -p im-client --lib --no-default-features
	$(MAKE) demo
	$(MAKE) aarch64
	$(MAKE) docs-test
	rm -rf $(CARGO_TARGET_DIR)/matrix && mkdir -p $(CARGO_TARGET_DIR)/matrix
	$(foreach language,$(LANGUAGES),$(MAKE) -C bindings/$(language) test$(newline)	)
	tools/matrix.py --results $(CARGO_TARGET_DIR)/matrix $(LANGUAGES)
	$(call say,All tests passed)
	$(foreach language,$(filter-out $(LANGUAGES),$(ALL_LANGUAGES)),@echo 'not tested: $(language)'$(newline)	)

# The long forms of the tests of trust: docs/trust.md shows the table that this prints.
include tools/torture/*.mk
TORTURE := faults cluster hostile careless models cycles soak fuzz
# The last two take longest, and wait for different things: side by side.
torture: fuzz-build $(addprefix torture-,$(filter-out soak fuzz,$(TORTURE)))
	$(MAKE) -j2 torture-soak torture-fuzz
	$(call say,What was tried$(comma) and what came of it)
	python3 -m tools.torture.table --build $(CARGO_TARGET_DIR) --write $(TORTURE)

clean:
	cargo clean
	rm -rf tests/servers/node_modules
