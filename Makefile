# Building, trying out and testing Helios. `make help` says what there is.

# Where the machine's own Go is too old, tools/install.sh puts one here.
export PATH := $(CURDIR)/.cache/go/bin:$(PATH)

# More for `go test`, such as: make test TESTFLAGS='-run Stitch -count 1'
TESTFLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo build test check go-test test-short soak image-test cloud-test bench install-deps clean \
	build-PlanFunction build-MergeFunction package deploy

help: ## Say what there is (this text)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s%s\n", $$1, $$2 }' Makefile

demo: ## Install what is missing, build Helios and render examples/intro.html to out/intro.mp4
	@tools/install.sh demo
	@$(MAKE) --no-print-directory build
	bin/helios render examples/intro.html -o out/intro.mp4 --overwrite

build: ## Build bin/helios
	@tools/install.sh build
	go build -trimpath -o bin/ ./cmd/helios

test: check go-test ## Install what is missing, then run every check and every test

check: install-deps ## gofmt, go vet and staticcheck
	@files=$$(find . -name '*.go' -not -path './.*' -not -path '*/node_modules/*'); \
	unformatted=$$("$$(go env GOROOT)/bin/gofmt" -l $$files) || exit 1; \
	if [ -n "$$unformatted" ]; then printf 'not formatted (gofmt -w mends it):\n%s\n' "$$unformatted" >&2; exit 1; fi
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...

go-test: install-deps ## The Go tests
	go test -race -timeout 40m $(TESTFLAGS) ./...

test-short: install-deps ## The Go tests without the slow ones, and without the race detector
	go test -short $(TESTFLAGS) ./...

soak: install-deps ## The tests that take an hour: 10 minutes of frames at each rate, 500 starts
	HELIOS_SOAK=1 go test -count 1 -timeout 3h -run Soak -v $(TESTFLAGS) ./...

image-test: ## Build the Lambda image without Docker and render in it as Lambda would (as root, on Debian bookworm)
	tools/test-image.sh

# Four at once, for some do little but wait for connections that stand still.
cloud-test: install-deps ## The compiled functions and the state machine, on this machine; the template
	cfn-lint template.yaml
	tools/asl/node_modules/.bin/asl-validator --json-path statemachine/render.asl.json
	go vet -tags cloud ./functions
	go test -tags cloud -parallel 4 -timeout 30m $(TESTFLAGS) ./functions ./shared/cloud/...

# The processor of the functions on AWS: arm64 or x86_64.
ARCHITECTURE ?= arm64
# The name of the stack.
STACK ?= helios
export ARCHITECTURE

# sam build calls these two, with the folder that shall hold the program in ARTIFACTS_DIR.
build-PlanFunction build-MergeFunction: build-%Function:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(if $(filter x86_64,$(ARCHITECTURE)),amd64,$(ARCHITECTURE)) \
		go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags='-s -w' \
		-o $(ARTIFACTS_DIR)/bootstrap ./functions/$(shell echo $* | tr A-Z a-z)

package: ## Build what deploy uploads, into .aws-sam (needs SAM and Docker)
	sam build --parameter-overrides Architecture=$(ARCHITECTURE)

deploy: package ## Build and deploy to AWS, as the stack STACK, for the processor ARCHITECTURE
	sam deploy --stack-name $(STACK) --resolve-s3 --resolve-image-repos --capabilities CAPABILITY_IAM \
		--parameter-overrides Architecture=$(ARCHITECTURE) $(PARAMETERS)

bench: install-deps ## Measure (bench/)
	go run ./bench

install-deps: ## Install what building, rendering and testing need
	@tools/install.sh test

clean: ## Remove what was built and rendered
	rm -rf bin out
