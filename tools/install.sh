#!/bin/sh
# Installs the programs that Helios needs and this machine lacks. Prints nothing if nothing is missing.
#
#     tools/install.sh build    Go
#     tools/install.sh demo     the above, Chromium, ffmpeg and fonts
#     tools/install.sh test     the above, a C compiler (for go test -race), jq, the libraries of the examples,
#                               fakes of AWS (an S3 server, moto) and the linters
#
# Uses apt-get on Debian and Ubuntu. On other systems it lists what to install, and fails if a required program
# is missing.
set -eu
cd "$(dirname "$0")/.."

purpose=${1:-test}

# The Go release to download if the installed one is missing or older than go.mod requires.
go_release=1.26.8
# The Makefile puts the same folders first on the PATH.
go_root=.cache/go
PATH=$PWD/$go_root/bin:$PWD/.cache/bin:$PATH
mkdir -p .cache/bin

required= # Debian packages to install
optional= # Debian packages to install, without which Helios still works
manual=   # instructions for programs that this script cannot install

log() { echo "install: $*"; }
has() { command -v "$1" >/dev/null 2>&1; }
add_manual() { manual="$manual  - $*
"; }

# Find out what is missing.

# require COMMAND PACKAGE: COMMAND is in the Debian package PACKAGE.
require() {
	if has "$1"; then
		return
	elif has apt-get; then
		required="$required $2"
	else
		add_manual "$1"
	fi
}

has_package() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# shared/browser searches for the same names.
has_chromium() {
	if [ -n "${HELIOS_CHROMIUM:-}" ]; then return 0; fi
	for name in chromium-headless-shell chrome-headless-shell headless-shell headless_shell; do
		if has "$name"; then return 0; fi
	done
	return 1
}

add_manual_chromium() {
	add_manual "Chromium's headless shell. Debian has a package, this system has none. To download it, run
        npx @puppeteer/browsers install chrome-headless-shell@stable
    and add its folder to the PATH, or set HELIOS_CHROMIUM to its path"
}

require_chromium() {
	if has_chromium; then
		return
	elif has apt-get; then
		required="$required chromium-headless-shell"
	else
		add_manual_chromium
	fi
}

# Pages render without these fonts, but text in many scripts appears as boxes.
suggest_fonts() {
	if has apt-get; then
		for font in fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji; do
			has_package "$font" || optional="$optional $font"
		done
	elif has fc-list && [ -z "$(fc-list :lang=ja)" ]; then
		log "advice: install Noto, Noto CJK and Noto Color Emoji; without them some text appears as boxes" >&2
	fi
}

# Go 1.21 and later can download the release that go.mod requires, unless GOTOOLCHAIN=local.
go_is_recent() {
	installed=$(go env GOVERSION 2>/dev/null) || return 1
	case $installed in devel*) return 0 ;; esac
	installed=${installed#go}
	minimum=$(awk '$1 == "go" { print $2 }' go.mod)
	[ "$(printf '%s\n' "$minimum" "${installed%% *}" | sort -V | head -n 1)" = "$minimum" ]
}

require_go() {
	if go_is_recent; then return; fi
	if has go; then
		download_go=yes
	elif has apt-get; then
		download_go=yes # Go 1.16 or later can download a newer release, if Debian's is too old
		required="$required golang-go"
	else
		add_manual "Go $go_release or later"
	fi
	if has apt-get && ! [ -e /etc/ssl/certs/ca-certificates.crt ]; then required="$required ca-certificates"; fi
}

require_c_compiler() {
	require "${CC:-gcc}" gcc
	if has apt-get && ! has_package libc6-dev; then required="$required libc6-dev"; fi
}

# require_modules FOLDER: the Node.js modules of the lock file in FOLDER. npm writes the stamp last, so it is missing
# after an interrupted installation.
stamp=node_modules/.package-lock.json
require_modules() {
	if [ -e "$1/$stamp" ] && [ -z "$(find "$1/package-lock.json" -newer "$1/$stamp")" ]; then return; fi
	modules="$modules $1"
	require npm npm
}

# require_tool NAME MODFILE: a Go program, of the version in MODFILE.
require_tool() {
	if [ -e ".cache/bin/$1" ] && [ -z "$(find "$2" -newer ".cache/bin/$1")" ]; then return; fi
	tools="$tools $1"
}

require_python_tools() {
	if has moto_server && has cfn-lint; then return; fi
	install_python_tools=yes
	require python3 python3
	if has apt-get && ! has_package python3-venv; then required="$required python3-venv"; fi
}

download_go=
modules= # folders
tools=   # Go programs
install_python_tools=
case $purpose in
build | demo | test) require_go ;;
*)
	echo "usage: tools/install.sh build|demo|test" >&2
	exit 2
	;;
esac
if [ "$purpose" != build ]; then
	require_chromium
	require ffmpeg ffmpeg
	suggest_fonts
fi
if [ "$purpose" = test ]; then
	require_c_compiler
	require jq jq
	require shellcheck shellcheck
	require_modules examples/libraries
	require_modules tools/lint
	require_tool versitygw tools/go.mod
	require_tool golangci-lint tools/lint/go.mod
	require_python_tools
fi

# Debian packages

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# quietly COMMAND...: prints the output of COMMAND only if it fails.
quietly() {
	output=$(mktemp)
	if "$@" >"$output" 2>&1; then
		rm -f "$output"
	else
		cat "$output" >&2
		rm -f "$output"
		return 1
	fi
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

is_available() {
	case $(LC_ALL=C apt-cache policy "$1" | sed -n 's/^ *Candidate: //p') in '' | '(none)') return 1 ;; esac
}

install_packages() {
	log "package lists (apt-get update)"
	quietly apt_get update
	selected=
	for package in $required $optional; do
		if is_available "$package"; then
			log "$package (apt-get install)"
			selected="$selected $package"
		elif [ "$package" = chromium-headless-shell ]; then
			add_manual_chromium
		else
			case " $optional " in
			*" $package "*) log "advice: $package is not available; without it some text appears as boxes" >&2 ;;
			*) add_manual "$package, which apt-get cannot find" ;;
			esac
		fi
	done
	# shellcheck disable=SC2086 # a list of words
	if [ -n "$selected" ]; then quietly apt_get install --no-install-recommends $selected; fi
}

if [ -n "$required$optional" ]; then
	if [ "$(id -u)" = 0 ] || has sudo; then
		install_packages
	elif [ -n "$required" ]; then
		add_manual "as root: apt-get install --no-install-recommends$required$optional"
	else
		log "advice: as root: apt-get install$optional; without them some text appears as boxes" >&2
	fi
fi

# Go

# Go releases are modules. The go command downloads a release in the same way: it makes the programs executable and
# renames each _go.mod, because the zip file of a module can contain neither.
install_go() {
	new=$PWD/$go_root.new
	rm -rf "$new"
	mkdir -p "$new"
	echo 'module toolchain' >"$new/go.mod"
	(
		cd "$new"
		export GOTOOLCHAIN=local GO111MODULE=on GOWORK=off GOFLAGS=-modcacherw GOMODCACHE="$new"
		toolchain=golang.org/toolchain@v0.0.1-go$go_release.$(go env GOHOSTOS)-$(go env GOHOSTARCH)
		log "Go $go_release (go mod download $toolchain)"
		quietly go mod download "$toolchain"
	)
	unpacked=$(echo "$new"/golang.org/toolchain@*)
	find "$unpacked" -name _go.mod | while read -r file; do mv "$file" "${file%_go.mod}go.mod"; done
	chmod -R a+x "$unpacked/bin" "$unpacked/pkg/tool"
	rm -rf "${PWD:?}/$go_root"
	mv "$unpacked" "$go_root"
	rm -rf "$new"
}

if [ "$download_go" ] && has go && ! go_is_recent; then install_go; fi

# Node.js modules

if [ "$modules" ] && has npm; then
	for folder in $modules; do
		log "the modules of $folder (npm ci)"
		quietly npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund </dev/null
		touch "$folder/$stamp"
	done
fi

# Go programs

# build_tool NAME: builds to .cache/bin. A cached build takes a second, the first one takes minutes.
build_tool() {
	case $1 in
	versitygw) modfile=tools/go.mod package=github.com/versity/versitygw/cmd/versitygw ;;
	golangci-lint) modfile=tools/lint/go.mod package=github.com/golangci/golangci-lint/v2/cmd/golangci-lint ;;
	esac
	log "$1 (go build; the first time takes some minutes)"
	quietly go build -modfile="$modfile" -trimpath -ldflags='-s -w' -o ".cache/bin/$1.new" "$package"
	touch ".cache/bin/$1.new"
	mv ".cache/bin/$1.new" ".cache/bin/$1"
}

if has go; then
	for tool in $tools; do build_tool "$tool"; done
fi

# Python programs

# A virtual environment, because Debian's pip does not install into the system.
if [ "$install_python_tools" ] && has python3; then
	log "moto and cfn-lint (pip install)"
	python3 -m venv --clear .cache/python
	quietly .cache/python/bin/pip install 'moto[server,stepfunctions]==5.2.1' cfn-lint==1.51.0
	ln -sf ../python/bin/moto_server ../python/bin/cfn-lint .cache/bin/
fi

if [ -n "$manual" ]; then
	printf 'install: install these programs and try again:\n%s' "$manual" >&2
	exit 1
fi
