# Each word does its whole set-up by itself, from a fresh clone on.
PYTHON ?= python3
BIN := .venv/bin
# Tests start hundreds of processes; without kept bytecode each of them compiles all sources anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo quick test thorough hostile lint bench docs screenshots format clean

help:
	@echo "make demo         align the built-in pair and show what comes out"
	@echo "make quick        lint, and the tests of the core without windows, browser and slow ones"
	@echo "make test         run the tests (makes .venv and installs what they need)"
	@echo "make thorough     run those that repeat at length what others show in short"
	@echo "make hostile      bad files and stopped runs, many of each"
	@echo "make lint         format, types, import contracts, napari manifest"
	@echo "make bench        speed and accuracy, as ratios"
	@echo "make docs         build the documentation site into site/, strictly, without a network"
	@echo "make screenshots  make the pictures of README and docs anew from a real window"
	@echo "make format       let ruff put the code in order"

demo:
	@PYTHON=$(PYTHON) bash tools/setup.sh gui
	@$(BIN)/histreg demo -o demo

# mypy runs beside the tests.
quick:
	@PYTHON=$(PYTHON) bash tools/setup.sh dev
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy & types=$$!; \
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow and not thorough and not qt" --ignore tests/plugin \
		tests $(PYTEST_ARGS) && wait $$types

test:
	@PYTHON=$(PYTHON) bash tools/setup.sh test
	@bash tools/display.sh bash tools/test.sh $(BIN)/python "not thorough" $(PYTEST_ARGS)

thorough:
	@PYTHON=$(PYTHON) bash tools/setup.sh test
	@bash tools/display.sh bash tools/test.sh $(BIN)/python thorough $(PYTEST_ARGS)

hostile:
	@PYTHON=$(PYTHON) bash tools/setup.sh test
	@HISTREG_KILLS=20 HISTREG_EXAMPLES=2000 $(BIN)/python -m pytest -n 2 --dist loadfile \
		tests/hostile tests/files tests/cli/test_nothing_lost.py $(PYTEST_ARGS)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/plugin --ignore tests/hostile tests $(PYTEST_ARGS) \
		-k "damaged or truncated or broken or hostile or malicious or bomb or limit or huge or announces"
	@bash tools/bad_files.sh $(BIN)/python $(abspath $(BIN))/histreg

lint:
	@PYTHON=$(PYTHON) bash tools/setup.sh dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate napari-histreg

bench:
	@PYTHON=$(PYTHON) bash tools/setup.sh bench
	@$(BIN)/python benchmarks/run.py

docs:
	@PYTHON=$(PYTHON) bash tools/setup.sh docs
	@$(BIN)/python tools/docsite/build.py

screenshots:
	@PYTHON=$(PYTHON) bash tools/setup.sh test
	@bash tools/display.sh $(BIN)/python tools/screenshots.py
	@bash tools/display.sh $(BIN)/python tools/group_screenshot.py
	@$(BIN)/python tools/animate.py

format:
	@PYTHON=$(PYTHON) bash tools/setup.sh dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache demo site
