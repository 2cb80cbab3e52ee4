# Two nodes on Redis behind nginx, one of which is killed.
.PHONY: torture-cluster
torture-cluster: packages-test servers build
	$(call say,A cluster that loses a node)
	rm -f $(CARGO_TARGET_DIR)/torture/cluster*.json
	IM_TORTURE_ROWS=$(CARGO_TARGET_DIR)/torture RUST_TEST_THREADS=1 cargo test --locked --test suite -- cluster::
