# A hundred users and a server that flaps, for half an hour, and the plot of what the process held meanwhile.
SOAK_SECONDS ?= 1800
.PHONY: torture-soak
torture-soak: packages-test servers build $(BENCH_VENV)/.installed
	$(call say,A hundred users$(comma) and a server that is killed again and again)
	cargo build --locked -p im-server
	rm -f $(CARGO_TARGET_DIR)/torture/soak*
	IM_TORTURE_SOAK_SECONDS=$(SOAK_SECONDS) IM_TORTURE_ROWS=$(CARGO_TARGET_DIR)/torture \
	    cargo test --locked --test suite -- --exact outbox::soak::nothing_is_lost_and_nothing_grows_while_the_server_flaps
	$(BENCH_VENV)/bin/python -m tools.torture.soak --build $(CARGO_TARGET_DIR)
