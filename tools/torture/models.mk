# Models of the concurrency, over the real source with shuttle's locks and threads; `make models` is the short form.
MODEL_EXECUTIONS ?= 400
.PHONY: models torture-models
models:
	@tools/packages.sh gcc libc6-dev python3
	$(call say,Models of the concurrency)
	cargo fmt --check --manifest-path tests/models/Cargo.toml
	python3 -m tools.torture.models --build $(CARGO_TARGET_DIR) --executions $(MODEL_EXECUTIONS)

torture-models:
	@tools/packages.sh gcc libc6-dev python3
	$(call say,Models of the concurrency)
	python3 -m tools.torture.models --build $(CARGO_TARGET_DIR) --executions 4000 --row
