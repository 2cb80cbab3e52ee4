# Chat through proxies that harm what passes: so many faults to each transport of each server. IM_TORTURE_SEED=N does other harm.
.PHONY: torture-faults
torture-faults: packages-test servers build
	$(call say,Chat through a network that harms what passes)
	cargo build --locked -p im-server
	rm -f $(CARGO_TARGET_DIR)/torture/faults*.json
	IM_TORTURE_FAULTS=400 IM_TORTURE_ROWS=$(CARGO_TARGET_DIR)/torture RUST_TEST_THREADS=1 \
	    cargo test --locked --test suite -- outbox::network::
