# The doors to the portal for people and CI; `make help` shows them. Paths are relative: make cannot take spaces.
.DEFAULT_GOAL := help
.PHONY: help run stop status check test live bench lock clean
python := .venv/bin/python
ARGS ?=
export PYTHON

# Settings for commands that look at the code only and reach no service.
nothing := CLOUDMESH_STANDALONE=1 CLOUDMESH_SECRET_KEY=none DATABASE_URL=postgresql:///none REDIS_URL=redis://none \
	CLOUDMESH_KEYS=none:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

help: ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo "  ARGS='…' goes to what a target runs: make run ARGS='--port 9000', make test ARGS='tests/clouds -x'"

run: ## Install what is missing and run the portal here, in the foreground
	@requirements/install run
	@exec $(python) manage.py standalone $(ARGS)

stop: ## Stop the portal that runs here
	@test ! -x $(python) || $(python) manage.py standalone --stop

status: ## Say what runs here
	@test -x $(python) || { echo "Nothing is installed here. Install and start it with: make run"; exit 0; }; \
	$(python) manage.py standalone --status || test $$? = 3

check: ## Style, types, layers, migrations, templates and documents
	@requirements/install dev
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(nothing) $(python) -m mypy
	.venv/bin/lint-imports
	$(nothing) $(python) manage.py check --fail-level WARNING
	$(nothing) $(python) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(nothing) $(python) .ci/documents.py

test: ## All tests that need nothing but this machine
	@requirements/install dev
	@.ci/browser
	$(python) -m pytest -n 3 -m "not live" $(ARGS)

live: ## On real clouds, queues and a directory: those it brings up, or CLOUDMESH_LIVE_OPENSTACK and CLOUDMESH_LIVE_LDAP
	@requirements/install live
	@test -n "$$CLOUDMESH_LIVE_LDAP" || { tests/live/ldap/up.sh && \
	echo "The OpenLDAP stays up; tests/live/ldap/down.sh stops it"; }
	@test -n "$$CLOUDMESH_LIVE_OPENSTACK" || { tests/live/openstack/up.sh && \
	echo "The OpenStack stays up; tests/live/openstack/down.sh stops it"; }
	@if test "$$(id -u)" = 0; then tests/live/slurm/up.sh && echo "The Slurm stays up; tests/live/slurm/down.sh stops it"; \
	else echo "No Slurm: only root can bring one up (tests/live/slurm/up.sh)"; fi
	@if test "$$(id -u)" = 0; then tests/live/oar/up.sh && echo "The OAR stays up; tests/live/oar/down.sh stops it"; \
	else echo "No OAR: only root can bring one up (tests/live/oar/up.sh)"; fi
	@if test "$$(id -u)" = 0; then tests/live/gridengine/up.sh && \
	echo "The Grid Engine stays up; tests/live/gridengine/down.sh stops it"; \
	else echo "No Grid Engine: only root can bring one up (tests/live/gridengine/up.sh)"; fi
	$(python) -m pytest tests/live -m live --live-report tests/live/REPORT.md $(ARGS)

bench: ## Ratios to bounds measured in the same run
	@requirements/install dev
	$(python) -m benchmarks $(ARGS)

lock: ## Compile requirements/*.in to the locked *.txt; ARGS=--upgrade takes newer releases
	@requirements/install dev
	@requirements/lock $(ARGS)

clean: ## Remove .venv and caches; var, your data, stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache static-root
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
