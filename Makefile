# Thin on purpose: every target is one script in scripts/.
.DEFAULT_GOAL := help
.PHONY: help demo test test-hardware fuzz bench lint doc tools thumb-check firmware clean

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r target text; do \
		printf '  make %-12s %s\n' "$$target" "$$text"; done

demo: ## show the main job: an agent, a server, a client without a seed, three refusals
	@scripts/demo

test: ## run everything that CI runs
	@scripts/test

test-hardware: ## run the card tests on a real card, named by CARD=serial (docs/hardware.md)
	@scripts/test-hardware "$(CARD)"

fuzz: ## fuzz core for a minute each way (needs a nightly toolchain and cargo-fuzz)
	@scripts/fuzz

bench: ## measure speed against OpenSSH and Go (docs/performance.md)
	@scripts/bench

lint: ## check format, lints, licences and texts
	@scripts/lint

doc: ## build the API documentation into target/doc
	@scripts/doc

tools: ## install what the tests run against into .tools
	@scripts/prerequisites
	@scripts/tools

thumb-check: ## build core for Cortex-M0+ and Cortex-M33, without std and alloc
	@scripts/thumb-check

firmware: ## build the token's firmware for pico, pico-w and pico2 into target/firmware (docs/firmware.md)
	@scripts/firmware

clean: ## remove all that was built or installed here
	rm -rf target .tools tests/js/node_modules tests/emulator/node_modules fuzz/target fuzz/corpus fuzz/artifacts
