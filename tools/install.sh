#!/bin/sh
# Installs what Helios needs and this machine lacks; says nothing when nothing is missing.
#
#     tools/install.sh build    Go
#     tools/install.sh demo     and Chromium, ffmpeg, fonts
#     tools/install.sh test     and a C compiler (for go test -race), jq, the examples' libraries, what stands
#                               for AWS (an S3 server, moto), and what checks the template: cfn-lint, asl-validator
#
# On Debian and Ubuntu apt-get does it. Elsewhere the script says what to install, and fails if it is
# something Helios cannot do without.
set -eu
cd "$(dirname "$0")/.."

purpose=${1:-test}

# The Go that is fetched where there is none, or one that is too old for go.mod.
go_release=1.26.8
# The Makefile, too, puts this folder first on the PATH.
go_root=.cache/go
PATH=$PWD/$go_root/bin:$PATH

packages= # Debian packages to install
wishes=   # the same, but Helios runs without them
missing=  # what has to be installed by hand, a line each

say() { echo "install: $*"; }
has() { command -v "$1" >/dev/null 2>&1; }
by_hand() { missing="$missing  - $*
"; }

# What is missing?

# need COMMAND PACKAGE: Helios cannot do without COMMAND, which is in Debian's PACKAGE.
need() {
	if has "$1"; then
		return
	elif has apt-get; then
		packages="$packages $2"
	else
		by_hand "$1"
	fi
}

has_package() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The names are those that shared/browser looks for.
has_chromium() {
	if [ -n "${HELIOS_CHROMIUM:-}" ]; then return 0; fi
	for name in chromium-headless-shell chrome-headless-shell headless-shell headless_shell; do
		if has "$name"; then return 0; fi
	done
	return 1
}

chromium_by_hand() {
	by_hand "Chromium's headless shell, which this system has no package of (Debian has one). To download one:
        npx @puppeteer/browsers install chrome-headless-shell@stable
    then put its folder on the PATH, or its path into the environment variable HELIOS_CHROMIUM"
}

need_chromium() {
	if has_chromium; then
		return
	elif has apt-get; then
		packages="$packages chromium-headless-shell"
	else
		chromium_by_hand
	fi
}

# wish_fonts: without them text in many scripts shows as boxes, but it renders.
wish_fonts() {
	if has apt-get; then
		for font in fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji; do
			has_package "$font" || wishes="$wishes $font"
		done
	elif has fc-list && [ -z "$(fc-list :lang=ja)" ]; then
		say "advice: the fonts Noto, Noto CJK and Noto Color Emoji; without them some text shows as boxes" >&2
	fi
}

# A Go from 1.21 on fetches the release that go.mod asks for by itself (unless GOTOOLCHAIN=local).
go_is_new_enough() {
	have=$(go env GOVERSION 2>/dev/null) || return 1
	case $have in devel*) return 0 ;; esac
	have=${have#go}
	want=$(awk '$1 == "go" { print $2 }' go.mod)
	[ "$(printf '%s\n' "$want" "${have%% *}" | sort -V | head -n 1)" = "$want" ]
}

need_go() {
	if go_is_new_enough; then return; fi
	if has go; then
		fetch_go=yes
	elif has apt-get; then
		fetch_go=yes # unless Debian's turns out to be new enough; any from 1.16 on can fetch another
		packages="$packages golang-go"
	else
		by_hand "Go $go_release or newer"
	fi
	if has apt-get && ! [ -e /etc/ssl/certs/ca-certificates.crt ]; then packages="$packages ca-certificates"; fi
}

need_c_compiler() {
	need "${CC:-gcc}" gcc
	if has apt-get && ! has_package libc6-dev; then packages="$packages libc6-dev"; fi
}

# need_modules FOLDER: Node modules by the lock file there. npm writes its stamp last: an install that was broken
# off has none.
stamp=node_modules/.package-lock.json
need_modules() {
	if [ -e "$1/$stamp" ] && [ -z "$(find "$1/package-lock.json" -newer "$1/$stamp")" ]; then return; fi
	modules="$modules $1"
	need npm npm
}

# The S3 server of the tests, of the version in tools/go.mod.
s3_server=.cache/bin/versitygw
need_s3_server() {
	if ! [ -e $s3_server ] || [ -n "$(find tools/go.mod -newer $s3_server)" ]; then build_s3_server=yes; fi
}

# What stands for AWS in tests: Step Functions, and the checker of the template.
need_aws_tools() {
	if has moto_server && has cfn-lint; then return; fi
	fetch_aws_tools=yes
	need pip python3-pip
}

fetch_go=
modules= # folders to install Node modules in
build_s3_server=
fetch_aws_tools=
case $purpose in
build | demo | test) need_go ;;
*)
	echo "usage: tools/install.sh build|demo|test" >&2
	exit 2
	;;
esac
if [ "$purpose" != build ]; then
	need_chromium
	need ffmpeg ffmpeg
	wish_fonts
fi
if [ "$purpose" = test ]; then
	need_c_compiler
	need jq jq
	need_modules examples/libraries
	need_modules tools/asl
	need_s3_server
	need_aws_tools
fi

# Debian's packages

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# quietly COMMAND...: shows what COMMAND prints only if it fails.
quietly() {
	log=$(mktemp)
	if "$@" >"$log" 2>&1; then
		rm -f "$log"
	else
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

apt_offers() {
	case $(LC_ALL=C apt-cache policy "$1" | sed -n 's/^ *Candidate: //p') in '' | '(none)') return 1 ;; esac
}

install_packages() {
	say "the list of packages (apt-get update)"
	quietly apt_get update
	chosen=
	for package in $packages $wishes; do
		if apt_offers "$package"; then
			say "$package (apt-get install)"
			chosen="$chosen $package"
		elif [ "$package" = chromium-headless-shell ]; then
			chromium_by_hand
		else
			case " $wishes " in
			*" $package "*) say "advice: no package $package here; without it some text shows as boxes" >&2 ;;
			*) by_hand "$package, which apt-get does not offer here" ;;
			esac
		fi
	done
	# shellcheck disable=SC2086 # one word for each package
	if [ -n "$chosen" ]; then quietly apt_get install --no-install-recommends $chosen; fi
}

if [ -n "$packages$wishes" ]; then
	if [ "$(id -u)" = 0 ] || has sudo; then
		install_packages
	elif [ -n "$packages" ]; then
		by_hand "as root: apt-get install --no-install-recommends$packages$wishes"
	else
		say "advice: as root: apt-get install$wishes; without them some text shows as boxes" >&2
	fi
fi

# Go

# Go's releases are modules as well. As Go itself does when it fetches one, this makes the programs
# executable and gives each _go.mod its true name: a module's zip can hold neither.
install_go() {
	new=$PWD/$go_root.new
	rm -rf "$new"
	mkdir -p "$new"
	echo 'module toolchain' >"$new/go.mod"
	(
		cd "$new"
		export GOTOOLCHAIN=local GO111MODULE=on GOWORK=off GOFLAGS=-modcacherw GOMODCACHE="$new"
		toolchain=golang.org/toolchain@v0.0.1-go$go_release.$(go env GOHOSTOS)-$(go env GOHOSTARCH)
		say "Go $go_release (go mod download $toolchain)"
		quietly go mod download "$toolchain"
	)
	unpacked=$(echo "$new"/golang.org/toolchain@*)
	find "$unpacked" -name _go.mod | while read -r file; do mv "$file" "${file%_go.mod}go.mod"; done
	chmod -R a+x "$unpacked/bin" "$unpacked/pkg/tool"
	rm -rf "${PWD:?}/$go_root"
	mv "$unpacked" "$go_root"
	rm -rf "$new"
}

if [ "$fetch_go" ] && has go && ! go_is_new_enough; then install_go; fi

# Node modules

if [ "$modules" ] && has npm; then
	for folder in $modules; do
		say "the modules of $folder (npm ci)"
		quietly npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund </dev/null
		touch "$folder/$stamp"
	done
fi

# The S3 server

if [ "$build_s3_server" ] && has go; then
	say "versitygw, the S3 server of the tests (go build; the first time takes some minutes)"
	quietly go build -modfile=tools/go.mod -trimpath -o $s3_server.new github.com/versity/versitygw/cmd/versitygw
	mv $s3_server.new $s3_server
	touch $s3_server
fi

# The tools for AWS

if [ "$fetch_aws_tools" ] && has pip; then
	say "moto and cfn-lint (pip install)"
	quietly pip install 'moto[server,stepfunctions]==5.2.1' cfn-lint==1.51.0
fi

if [ -n "$missing" ]; then
	printf 'install: please install, then try again:\n%s' "$missing" >&2
	exit 1
fi
