# Builds, tests and deploys Helios. `make help` lists the targets.

# tools/install.sh installs Go here if the system has none, or an old one.
export PATH := $(CURDIR)/.cache/go/bin:$(CURDIR)/.cache/bin:$(PATH)

# More arguments for `go test`, for example: make test TESTFLAGS='-run Stitch -count 1'
TESTFLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo build test check go-test race-test chromium-test test-short soak image-test cloud-test bench \
	install-deps clean \
	lint-go lint-javascript lint-prose lint-columns lint-shell lint-aws \
	build-PlanFunction build-MergeFunction package deploy

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s%s\n", $$1, $$2 }' Makefile

demo: ## Install what is missing, build Helios, and render examples/intro.html to out/intro.mp4
	@tools/install.sh demo
	@$(MAKE) --no-print-directory build
	bin/helios render examples/intro.html -o out/intro.mp4 --overwrite

build: ## Build bin/helios
	@tools/install.sh build
	go build -trimpath -o bin/ ./cmd/helios

test: check go-test ## Install what is missing, then run all linters and all tests

check: install-deps ## Run all linters
	@$(MAKE) --no-print-directory --keep-going --jobs 2 --output-sync=target \
		lint-go lint-javascript lint-prose lint-columns lint-shell lint-aws

lint-go:
	golangci-lint run ./...

lint-javascript:
	tools/lint/node_modules/.bin/eslint --config tools/lint/eslint.config.mjs shared examples bench
	tools/lint/node_modules/.bin/tsc --project tools/lint

# tools/lint/prose.yaml has the rules. The Makefile comes through stdin because textlint selects files by extension.
lint-prose: TEXTLINT = tools/lint/node_modules/.bin/textlint --config tools/lint/.textlintrc.json --format unix
lint-prose: FILES = '*.md' '*.go' '*.js' '*.mjs' '*.ts' '*.html' '*.sh' '*.yaml' '*.yml' '*.txtar'
lint-prose:
	git ls-files -z $(FILES) ':!tools/lint/prose.yaml' | xargs -0 $(TEXTLINT)
	$(TEXTLINT) --stdin --stdin-filename Makefile.txt <Makefile

# Tables in Markdown may have more than 120 columns. golangci-lint checks Go.
lint-columns: FILES = '*.md' '*.js' '*.mjs' '*.ts' '*.sh' '*.yaml' '*.yml' Makefile Dockerfile
lint-columns:
	! LC_ALL=C.UTF-8 git grep -nE '^[^|].{120}' -- $(FILES)

lint-shell:
	shellcheck .ci/run tools/*.sh bench/*.sh

lint-aws:
	cfn-lint template.yaml
	tools/lint/node_modules/.bin/asl-validator --json-path statemachine/render.asl.json

# In short mode, tests do not launch Chromium. The others run without the race detector, which slows them down.
go-test: race-test chromium-test ## Run all Go tests

race-test: install-deps
	go test -race -short -timeout 10m $(TESTFLAGS) ./...

chromium-test: install-deps
	go test -timeout 20m $(TESTFLAGS) ./cmd/helios ./shared/browser ./shared/capture ./shared/render

test-short: install-deps ## Run the Go tests that need no Chromium, without the race detector
	go test -short $(TESTFLAGS) ./...

soak: install-deps ## Run the tests that take an hour: 10 minutes of frames at each rate, 500 starts of Chromium
	HELIOS_SOAK=1 go test -count 1 -timeout 3h -run Soak -v $(TESTFLAGS) ./...

image-test: ## Build the Lambda image without Docker and render in it (as root, on Debian bookworm)
	tools/test-image.sh

# Four tests at a time, because some mostly wait for stalled connections.
cloud-test: install-deps ## Test the compiled functions and the state machine on this machine
	go test -tags cloud -parallel 4 -timeout 30m $(TESTFLAGS) ./functions ./shared/cloud/...

# The processor architecture of the functions on AWS: arm64 or x86_64.
ARCHITECTURE ?= arm64
# The name of the CloudFormation stack.
STACK ?= helios
export ARCHITECTURE

# `sam build` runs these targets and sets ARTIFACTS_DIR to the folder for the program.
build-PlanFunction build-MergeFunction: build-%Function:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(if $(filter x86_64,$(ARCHITECTURE)),amd64,$(ARCHITECTURE)) \
		go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags='-s -w' \
		-o $(ARTIFACTS_DIR)/bootstrap ./functions/$(shell echo $* | tr A-Z a-z)

package: ## Build the functions into .aws-sam (requires SAM and Docker)
	sam build --parameter-overrides Architecture=$(ARCHITECTURE)

deploy: package ## Build and deploy to AWS, as stack STACK for ARCHITECTURE
	sam deploy --stack-name $(STACK) --resolve-s3 --resolve-image-repos --capabilities CAPABILITY_IAM \
		--parameter-overrides Architecture=$(ARCHITECTURE) $(PARAMETERS)

bench: install-deps ## Run the benchmarks in bench/
	go run ./bench

install-deps: ## Install everything that building, rendering and testing require
	@tools/install.sh test

clean: ## Delete the programs and videos that `make` produced
	rm -rf bin out
