# Threads that call anything with any handle, as it is and under AddressSanitizer. IM_TORTURE_SEED=N does something else.
.PHONY: torture-careless
torture-careless: packages-test servers build
	$(call say,Careless callers)
	tools/build_asan.sh
	IM_TORTURE_CALLS=100000 IM_TORTURE_ROWS=$(CARGO_TARGET_DIR)/torture \
	    cargo test --locked --test suite -- --exact c_programs::careless_callers c_programs::careless_callers_under_address_sanitizer
