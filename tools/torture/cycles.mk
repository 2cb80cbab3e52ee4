# Lives of a client, against a server of each generation.
.PHONY: torture-cycles
torture-cycles: packages-test servers build
	$(call say,Lives of a client)
	rm -f $(CARGO_TARGET_DIR)/torture/cycles*.json
	IM_TORTURE_CYCLES=5000 IM_TORTURE_ROWS=$(CARGO_TARGET_DIR)/torture \
	    cargo test --locked --test suite -- --exact c_programs::cycles
