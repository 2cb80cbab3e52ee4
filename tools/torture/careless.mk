# Threads that call anything with any handle: as it is, and under AddressSanitizer, ThreadSanitizer and valgrind. Each run has another
# seed, which is printed; IM_TORTURE_SEED=N repeats one.
CARELESS := cargo test --locked --test suite -- --nocapture --exact
.PHONY: torture-careless
torture-careless: export IM_TORTURE_ROWS = $(CARGO_TARGET_DIR)/torture
torture-careless: export IM_TORTURE_SEED ?= $(shell date +%s)
torture-careless: packages-test servers build asan tsan
	$(call say,Careless callers)
	IM_TORTURE_CALLS=100000 $(CARELESS) careless::callers careless::callers_under_address_sanitizer
	IM_TORTURE_CALLS=30000 $(CARELESS) careless::callers_under_thread_sanitizer \
	    careless::every_end_of_a_client_under_thread_sanitizer careless::threads_under_thread_sanitizer
	IM_TORTURE_CALLS=10000 $(CARELESS) careless::callers_under_valgrind
