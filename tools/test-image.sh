#!/usr/bin/env bash
# Builds the image of the chunk function without Docker and renders in it under the restrictions of AWS Lambda: a
# read-only file system except /tmp, no /dev/shm, no /sys, an unprivileged user, and only the environment of Lambda.
# Compares the frames with frames that this machine renders. Prints a line for each check and fails if one fails.
#
#     tools/test-image.sh            (or: make image-test)
#
# Requires root, Debian bookworm, the packages listed below, moto, 5 GB in $TMPDIR and 5 to 10 minutes. Set KEEP to a
# folder to keep the videos.
# shellcheck disable=SC2016 # other shells expand these variables
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PWD/.cache/go/bin:$PATH

user=1051 # Lambda's sbx_user1051
failed=0

log() { printf '%s\n' "$*"; }
title() { printf '\n== %s\n' "$*"; }
die() { printf 'test-image: %s\n' "$*" >&2; exit 1; }
pass() { log "ok      $*"; }
fail() { log "FAILED  $*"; failed=1; }

# check NAME COMMAND...: passes if COMMAND succeeds, and prints its output if it fails.
check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then pass "$name"; else fail "$name"; printf '%s\n' "$out" | sed 's/^/        /'; fi
}

[ "$(id -u)" = 0 ] || die "root is required to mount file systems and to change the root folder; use sudo"
missing=
for dependency in buildah:buildah debootstrap:debootstrap unshare:util-linux setpriv:util-linux ffmpeg:ffmpeg \
	chromium-headless-shell:chromium-headless-shell jq:jq go:golang-go; do
	command -v "${dependency%:*}" >/dev/null || missing="$missing ${dependency#*:}"
done
[ -z "$missing" ] || die "programs are missing; run: apt-get install -y --no-install-recommends$missing"

work=$(mktemp -d "${TMPDIR:-/tmp}/helios-image.XXXXXX")
# image ARGUMENTS...: buildah with a separate store.
image() {
	buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"
}
cleanup() {
	image rm --all >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# bytes FOLDER: the size of its files. Hard links count once.
bytes() { find "$1" -xdev -type f -printf '%D:%i %s\n' | sort -u | awk '{n += $2} END {print n + 0}'; }

# quietly NAME COMMAND...: prints the output of COMMAND only if it fails.
quietly() {
	local log=$work/$1.log
	shift
	"$@" >"$log" 2>&1 || { tail -n 40 "$log" >&2; die "$* failed"; }
}

title "build"
log "debian:bookworm-slim, with debootstrap"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
[ -n "$mirror" ] || die "apt has no source of Debian bookworm; add one to its configuration"
quietly debootstrap debootstrap --variant=minbase bookworm "$work/base" "$mirror"
rm -rf "$work"/base/var/lib/apt/lists/* "$work"/base/var/cache/apt/*
# Debian's slim images have the same configuration.
cat >"$work/base/etc/dpkg/dpkg.cfg.d/docker" <<'SLIM'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
path-exclude /usr/share/man/*
SLIM
find "$work/base/usr/share/doc" -type f ! -name copyright -delete
find "$work/base/usr/share/man" "$work/base/usr/share/info" "$work/base/usr/share/locale" -mindepth 1 -maxdepth 1 \
	! -name locale.alias -exec rm -rf {} +
base=$(bytes "$work/base")
mkdir "$work/context"
tar -C "$work/base" --numeric-owner -cf "$work/context/base.tar" .
rm -rf "$work/base"
printf 'FROM scratch\nADD base.tar /\n' >"$work/base.Dockerfile"
quietly base image bud --isolation chroot -f "$work/base.Dockerfile" -t debian:bookworm-slim "$work/context"
rm "$work/context/base.tar"

# This machine's Go and module cache replace the golang image and the network.
log "golang:1.26-bookworm, with this machine's $(go env GOVERSION)"
go mod download
printf 'FROM debian:bookworm-slim\nENV PATH=/usr/local/go/bin:$PATH GOPROXY=file:///mnt GOTOOLCHAIN=local\n' \
	>"$work/go.Dockerfile"
quietly go image bud --isolation chroot --pull-never -f "$work/go.Dockerfile" -t golang:1.26-bookworm "$work/context"

# apt in the container uses this machine's configuration, because the network may require it.
log "the image, from Dockerfile"
start=$(date +%s)
quietly image image bud --isolation chroot --pull-never \
	-v /etc/apt:/etc/apt:ro -v "$(go env GOROOT)":/usr/local/go:ro -v "$(go env GOMODCACHE)/cache/download":/mnt:ro \
	-f Dockerfile -t helios-chunk .
log "built in $(($(date +%s) - start)) s"

title "size"
container=$(image from --pull-never localhost/helios-chunk)
root=$(image mount "$container")
mb() { awk -v what="$1" '{printf "%8.1f MB  %s\n", $1 / 1e6, what}'; }
all=$(bytes "$root")
bootstrap=$(bytes "$root/usr/local/bin/bootstrap")
echo "$base" | mb "layer of debian:bookworm-slim"
echo $((all - base - bootstrap)) | mb "layer of the packages"
echo "$bootstrap" | mb "layer of the program"
echo "$all" | mb "total, unpacked"
tar -C "$root" --numeric-owner -c . | gzip -1 | wc -c | mb "total, as one gzip -1: about the size of an upload"
log "the largest folders in MB:"
du -x -B1 --apparent-size -s "$root/usr/lib/chromium" "$root"/usr/lib/*-linux-gnu "$root/usr/share/fonts" \
	"$root/var" "$root/usr/local" |
	sort -rn | awk -v r="$root" '{sub(r, "", $2); printf "%8.1f     %s\n", $1 / 1e6, $2}'

# /mnt contains the programs and pages that are not in the image, read-only.
pages=$work/pages
mkdir -p "$pages"
CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$pages/helios" ./cmd/helios
cp -r examples/assets "$pages/"
cp examples/intro.html examples/web-font.html examples/webgl.html examples/canvas.html "$pages/"
cat >"$pages/scripts.html" <<'PAGE'
<!doctype html>
<html lang="en" data-duration="0.5" data-fps="10" data-width="1280" data-height="720">
<meta charset="utf-8">
<style>
  body { margin: 30px; font: 32px/1.35 sans-serif; background: #fff }
  p { margin: 0; animation: in 1s both } @keyframes in { from { transform: translateX(40px) } }
</style>
<p>Sans: The quick brown fox, Ünïcode, Ελληνικά, Русский
<p style="font-family: serif">Serif: The quick brown fox <i>italic</i> <b>bold</b>
<p style="font-family: monospace">Monospace: if (a != b) { return; }
<p style="font-family: 'Noto Sans'">Noto Sans: <i>italic</i> <b>bold</b>
<p lang="ja">日本語：吾輩は猫である。<b>名前はまだ無い。</b>
<p lang="zh-Hans">简体中文：海内存知己，天涯若比邻 <span lang="zh-Hant">繁體：歡迎</span>
<p lang="ko">한국어: 다람쥐 헌 쳇바퀴에 타고파
<p dir="rtl" lang="ar">العربية: نص حكيم له سر قاطع
<p>עברית · हिन्दी: नमस्ते दुनिया · ไทย: สวัสดีชาวโลก · தமிழ் · বাংলা
<p>Emoji: 😀 🚀 👩‍👩‍👧‍👦 🏳️‍🌈 🇯🇵 ❤️ ✅ 1️⃣ · Symbols: → ∑ √ ∞ ♞ ☂ ½
PAGE
chmod -R a+rX "$pages"
tmp=$work/tmp
mkdir "$tmp"
chmod 1777 "$tmp"

mapfile -t environment < <(image inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' \
	localhost/helios-chunk | grep .)
environment+=(LANG=en_US.UTF-8 TZ=:UTC LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime
	AWS_REGION=us-east-1 AWS_LAMBDA_FUNCTION_NAME=helios-chunk AWS_LAMBDA_FUNCTION_MEMORY_SIZE=3008)

# lambda ROOT TMP MNT USER VARIABLE=VALUE... COMMAND...: runs COMMAND under the restrictions of Lambda. All processes
# and mounts end with it.
cat >"$work/lambda" <<'SCRIPT'
#!/bin/sh
exec unshare --mount --pid --fork --kill-child --propagation private bash -euc '
	root=$1 tmp=$2 pages=$3 user=$4
	shift 4
	mount --bind "$root" "$root"
	mount --bind "$tmp" "$root/tmp"
	mount --bind -o ro "$pages" "$root/mnt"
	mount -o remount,bind,ro "$root/mnt"
	mount -t proc proc "$root/proc"
	mount -t tmpfs -o mode=755 tmpfs "$root/dev"
	for device in null zero full random urandom tty; do
		touch "$root/dev/$device"
		mount --bind "/dev/$device" "$root/dev/$device"
	done
	ln -s /proc/self/fd "$root/dev/fd"
	mount -o remount,ro "$root/dev"
	mount -o remount,bind,ro "$root"
	cd "$root"
	exec chroot . setpriv --reuid="$user" --regid="$user" --clear-groups --bounding-set=-all --no-new-privs \
		env -i "$@"
' bash "$@" </dev/null
SCRIPT
chmod +x "$work/lambda"

# inside COMMAND...: runs COMMAND in the image.
inside() { "$work/lambda" "$root" "$tmp" "$pages" "$user" "${environment[@]}" "$@"; }

title "restrictions of Lambda"
check "the user is $user" inside sh -c "[ \$(id -u) = $user ]"
check "the root file system is read-only" inside sh -c '! touch /var/x && ! touch /dev/x && ! touch /mnt/x'
check "/tmp is writable" inside sh -c 'touch /tmp/x && rm /tmp/x'
check "there is no /dev/shm and no /sys" inside sh -c '[ ! -e /dev/shm ] && [ -z "$(ls /sys)" ]'
check "there are no user namespaces" inside sh -c '! unshare --user true'
check "HOME is /tmp, and Chromium's sandbox is off" inside sh -c '[ "$HOME" = /tmp ] && [ -n "$HELIOS_NO_SANDBOX" ]'
check "the entry point is executable" inside sh -c '[ -x /usr/local/bin/bootstrap ]'
entrypoint=$(image inspect --type image --format '{{.OCIv1.Config.Entrypoint}}' localhost/helios-chunk)
check "the entry point is the bootstrap" [ "$entrypoint" = "[/usr/local/bin/bootstrap]" ]
check "ffmpeg and Chromium find all their libraries" inside sh -c '
	for f in /usr/bin/ffmpeg /usr/bin/ffprobe /usr/lib/chromium/chromium-headless-shell /usr/lib/chromium/*.so*; do
		if ldd "$f" | grep "not found"; then exit 1; fi
	done'
check "the font cache is valid" inside sh -c '
	out=$(fc-cache --verbose --system-only 2>&1) || true
	case $out in *"caching, new"*) echo "$out"; exit 1 ;; *"cache is valid"*) ;; *) echo "$out"; exit 1 ;; esac'
check "certificates are installed" inside sh -c '[ -s /etc/ssl/certs/ca-certificates.crt ]'
check "fonts for Japanese, Chinese, Korean, Arabic, Hindi, Thai and emoji are installed" inside sh -c '
	for lang in ja zh-cn zh-tw ko ar hi th und-zsye; do
		[ -n "$(fc-list ":lang=$lang" family)" ] || { echo "none for $lang"; exit 1; }
	done'
for codec in libx264 libx265 libsvtav1 libvpx-vp9 prores_ks libwebp_anim gif apng png mjpeg; do
	check "ffmpeg encodes with $codec" \
		inside ffmpeg -v error -f lavfi -i testsrc2=s=320x240:r=30:d=0.3 -c:v $codec -f null -
done
for codec in aac libopus libmp3lame flac pcm_s16le; do
	check "ffmpeg encodes with $codec" inside ffmpeg -v error -f lavfi -i sine=d=0.3 -c:a $codec -f null -
done

title "frames"
versions() {
	"$@" sh -c 'chromium-headless-shell --version; ffmpeg -version | sed -n "1s/ Copyright.*//p"' 2>/dev/null
}
here=$(versions env)
there=$(versions inside)
log "$there"
if [ "$here" = "$there" ]; then
	pass "this machine has the same versions"
else
	fail "this machine has other versions: $here"
fi

md5() { ffmpeg -v error -i "$1" -f framemd5 - | grep -v '^#software'; }
# compare NAME PAGE FLAGS...: renders PAGE on this machine and in the image, and compares all frames.
compare() {
	local name=$1 page=$2 frames
	shift 2
	if ! "$pages/helios" render "$pages/$page" "$@" -o "$work/here.$name" --overwrite --quiet; then
		fail "$name: the render on this machine failed"
		return
	fi
	if ! inside /mnt/helios render "/mnt/$page" "$@" -o "/tmp/$name" --overwrite --quiet; then
		fail "$name: the render in the image failed"
		return
	fi
	frames=$(md5 "$work/here.$name" | grep -vc '^#')
	if diff <(md5 "$work/here.$name") <(md5 "$tmp/$name") >"$work/$name.diff" && [ "$frames" -gt 0 ]; then
		pass "$name: $frames frames are equal$(cmp -s "$work/here.$name" "$tmp/$name" && echo ', the files too')"
	else
		fail "$name: $(grep -c '^>' "$work/$name.diff") of $frames frames differ"
	fi
}
compare intro.mp4 intro.html --quality 0 --concurrency 2
compare web-font.mp4 web-font.html --quality 0 --frame-count 20 --concurrency 1
compare webgl.mp4 webgl.html --quality 0 --frame-count 10 --concurrency 1
compare canvas.mp4 canvas.html --quality 0 --frame-count 20 --concurrency 1
compare scripts.mp4 scripts.html --quality 0 --concurrency 1
compare x265.mp4 intro.html --video-codec libx265 --preset ultrafast --frame-count 30 --concurrency 1
left=$(find "$tmp" -mindepth 1 ! -name '*.mp4' | head)
if [ -z "$left" ]; then pass "/tmp contains only the videos"; else fail "/tmp also contains: $left"; fi
if [ -n "${KEEP:-}" ]; then cp "$tmp"/*.mp4 "$KEEP/" && log "copied the videos to $KEEP"; fi

# The fake of Lambda starts this script for each environment, with Lambda's variables and a /tmp.
title "entry point, called by the state machine of make cloud-test"
{
	echo '#!/bin/bash'
	echo 'chmod 1777 "$TMPDIR"'
	echo 'mapfile -t variables < <(env | grep -E "^(AWS|HELIOS)_")'
	printf 'exec %q %q "$TMPDIR" %q %q' "$work/lambda" "$root" "$pages" "$user"
	printf ' %q' "${environment[@]}"
	echo ' "${variables[@]}" /usr/local/bin/bootstrap'
} >"$work/chunk"
chmod +x "$work/chunk"
check "a render with three partitions has the frames of this machine; a render has sound" \
	env HELIOS_CHUNK_BOOTSTRAP="$work/chunk" go test -tags cloud -count 1 -run '^(TestRender|TestSound)$' ./functions

title "memory and CPU at 1920x1080, 150 frames by one worker"
# cost MODE: measures a render with cgroups of version 1, which include all processes.
cost() {
	local cgroups=/sys/fs/cgroup name=helios-image-$$
	if ! mkdir "$cgroups/memory/$name" "$cgroups/cpuacct/$name" 2>/dev/null; then
		log "$1: not measured: this machine has no cgroups of version 1"
		return
	fi
	(
		echo $BASHPID >"$cgroups/memory/$name/cgroup.procs"
		echo $BASHPID >"$cgroups/cpuacct/$name/cgroup.procs"
		inside /mnt/helios render /mnt/canvas.html --width 1920 --height 1080 --frame-count 150 --concurrency 1 \
			--capture "$1" -o /tmp/cost.mp4 --overwrite --quiet
	) || fail "the render in mode $1 failed"
	local cpu memory
	cpu=$(awk '{printf "%.1f", $1 / 150e6}' "$cgroups/cpuacct/$name/cpuacct.usage")
	memory=$(awk '{printf "%.0f", $1 / 1e6}' "$cgroups/memory/$name/memory.max_usage_in_bytes")
	log "$1: $cpu ms of CPU per frame, at most $memory MB of memory with the page cache"
	rmdir "$cgroups/memory/$name" "$cgroups/cpuacct/$name" || true
}
cost stream
cost screenshot

title "seconds from the start of the process to the first frame"
# elapsed PAGE: seconds until Helios reports the first frame.
elapsed() {
	local from to
	from=$(date +%s%N)
	to=$(inside /mnt/helios render "/mnt/$1" --frame-count 1 --concurrency 1 --seek-mode direct --json \
		-o /tmp/start.mp4 --overwrite | {
		while read -r line; do case $line in *'"frame-done"'*) date +%s%N; break ;; esac; done
		cat >/dev/null # Helios blocks while no process reads its output
	})
	echo "$from $to" | awk '{printf "%.2f", ($2 - $1) / 1e9}'
}
# drop_cache removes the files of the image from the page cache.
drop_cache() {
	find "$root" -xdev -type f -size +0 \
		-exec sh -c 'sync "$@"; for f; do dd if="$f" iflag=nocache count=0 status=none; done' sh {} +
}
for page in intro.html scripts.html; do
	drop_cache
	log "$page: $(elapsed $page) from disk, then $(elapsed $page), $(elapsed $page), $(elapsed $page)"
done

# ---------------------------------------------------------------------------------------------------------- arm64

title "packages for arm64, which cannot run here"
apt=$work/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status"
apt_arm64() {
	local command=$1
	shift
	"$command" -q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Install-Recommends=false \
		-o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::State::lists="$apt/lists" \
		-o Dir::Cache="$apt/cache" "$@"
}
quietly arm64 apt_arm64 apt-get update
packages=$(sed -n '/apt-get install/,/&&/p' Dockerfile | grep -oE '^ +[a-z][a-z0-9-]+' | tr -d ' ' | sort)
for package in $packages; do
	version=$(apt_arm64 apt-cache policy "$package" | sed -n 's/^ *Candidate: //p')
	local_version=$(chroot "$root" dpkg-query -W -f='${Version}' "$package")
	case $version in
	'' | '(none)') fail "$package does not exist for arm64" ;;
	"$local_version") pass "$package $version" ;;
	*) pass "$package $version (amd64 has $local_version)" ;;
	esac
done
# shellcheck disable=SC2086 # a list of words
check "apt-get can install all of them together" apt_arm64 apt-get install --simulate $packages
check "the program builds for arm64" \
	env GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -o /dev/null ./functions/chunk

log
[ "$failed" = 0 ] || die "some checks failed"
log "all checks passed"
