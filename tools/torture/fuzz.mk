# Coverage-guided fuzzing under AddressSanitizer. The compiler is the stable one: RUSTC_BOOTSTRAP lets it take the sanitizer's flag.
TOOLS := $(CARGO_TARGET_DIR)/tools
FUZZ := $(CARGO_TARGET_DIR)/fuzz
CARGO_FUZZ_VERSION := 0.13.1

$(TOOLS)/bin/cargo-fuzz:
	$(call say,Installing cargo-fuzz)
	CARGO_PROFILE_DEV_DEBUG=0 cargo install --debug --locked --quiet --version $(CARGO_FUZZ_VERSION) --root $(TOOLS) cargo-fuzz

.PHONY: fuzz-build torture-fuzz
fuzz-build: $(TOOLS)/bin/cargo-fuzz
	@tools/packages.sh gcc g++ libc6-dev python3
	$(call say,Building the fuzz targets)
	cd fuzz && RUSTC_BOOTSTRAP=1 RUSTC_WRAPPER=$(CURDIR)/fuzz/rustc.sh CARGO_TARGET_DIR= PATH=$(TOOLS)/bin:$$PATH cargo fuzz build --fuzz-dir . --target-dir $(FUZZ) -O

FUZZ_RUNS ?= 10000000
torture-fuzz: fuzz-build
	$(call say,Fuzzing)
	python3 -m tools.torture.fuzz --build $(CARGO_TARGET_DIR) --programs $(FUZZ)/x86_64-unknown-linux-gnu/release --runs $(FUZZ_RUNS)
