# Chat through a proxy that harms what passes. IM_TORTURE_SEED=N repeats what another seed did.
.PHONY: torture-faults
torture-faults: packages-test servers build
	$(call say,Chat through a network that harms what passes)
	cargo build --locked -p im-server
	IM_TORTURE_FAULTS=2000 IM_TORTURE_ROWS=$(CARGO_TARGET_DIR)/torture \
	    cargo test --locked --test suite -- --exact outbox::network::nothing_is_lost_on_a_harmful_network
