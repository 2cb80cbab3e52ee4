# Servers that lie, and proxies that break what passes.
.PHONY: torture-hostile
torture-hostile: packages-test servers build
	$(call say,Hostile servers)
	python3 -m tools.torture.hostile --build $(CARGO_TARGET_DIR)
