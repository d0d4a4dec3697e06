#!/bin/sh
# Compares encoder settings on lossless videos with 30 frames per second. For each setting, it prints the CPU time
# without decoding, PSNR and SSIM of luma, and the size. The first setting is the base of the ratios. ROUNDS is the
# number of encodes per setting (default 3); the lowest CPU time counts.
#
#   bench/encoders.sh 'libx264 -preset medium -crf 18' 'libx264 -preset veryfast -crf 16' -- a.mp4 b.mp4
set -eu

# fixed prints the other arguments that shared/encode passes to the encoder $1.
fixed() {
	case $1 in
	libx264) echo "-threads 4 -sc_threshold 0 -g 60 -f mp4" ;;
	libx265)
		params=log-level=error:pools=none:frame-threads=4:info=0:scenecut=0:open-gop=0:keyint=60:min-keyint=60
		echo "-tag:v hvc1 -x265-params $params -f mp4"
		;;
	libsvtav1) echo "-g 60 -svtav1-params irefresh-type=2:scd=0:lp=4 -f mp4" ;;
	libvpx-vp9) echo "-b:v 0 -profile:v 0 -threads 4 -row-mt 1 -auto-alt-ref 0 -g 60 -keyint_min 60 -f webm" ;;
	prores_*) echo "-vendor apl0 -threads 4 -f mov" ;;
	*)
		echo "unknown encoder $1; use libx264, libx265, libsvtav1, libvpx-vp9 or prores_ks" >&2
		return 1
		;;
	esac
}

# cpu runs ffmpeg $ROUNDS times and prints the lowest CPU time in seconds.
cpu() {
	for _ in $(seq "${ROUNDS:-3}"); do
		if ! SVT_LOG=1 ffmpeg -v info -nostdin -benchmark -xerror -y "$@" 2>"$dir/log"; then
			tail -n 3 "$dir/log" >&2
			return 1
		fi
		sed -n 's/^bench: utime=\([0-9.]*\)s stime=\([0-9.]*\)s.*/\1 \2/p' "$dir/log"
	done | awk '!n++ || $1 + $2 < least { least = $1 + $2 } END { if (!n) exit 1; print least }'
}

# measure encodes the video $1 with the setting $2. It prints seconds, mean and lowest PSNR, SSIM and bytes.
measure() {
	others=$(fixed "${2%% *}")
	decoding=$(cpu -i "$1" -map 0:v:0 -f null -)
	# shellcheck disable=SC2086 # lists of words
	both=$(cpu -i "$1" -map 0:v:0 -an -c:v $2 $others -color_range tv -colorspace bt709 -color_primaries bt709 \
		-color_trc bt709 -map_metadata -1 -fflags +bitexact -flags:v +bitexact+cgop "$dir/out")
	pixels=$(ffprobe -v error -select_streams v:0 -show_entries stream=pix_fmt -of csv=p=0 "$dir/out")
	ffmpeg -v info -nostdin -i "$dir/out" -i "$1" -lavfi "[0:v]settb=1/30,setpts=N,split[a][b];[1:v]format=$pixels,
		settb=1/30,setpts=N,split[c][d];[a][c]psnr=stats_file=$dir/frames;[b][d]ssim" -f null - 2>"$dir/log"
	awk -v both="$both" -v decoding="$decoding" -v bytes="$(wc -c <"$dir/out")" '
		/psnr_y:/ { sub(/.*psnr_y:/, ""); if ($1 != "inf" && (!least || $1 < least)) least = $1 }
		/ PSNR y:/ { sub(/.* y:/, ""); mean = $1 }
		/ SSIM Y:/ { sub(/.* Y:/, ""); ssim = $1 }
		END { printf "%.2f | %.2f | %.2f | %.5f | %d\n", both - decoding, mean, least, ssim, bytes }' "$dir/frames" "$dir/log"
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
while [ $# -gt 0 ] && [ "$1" != -- ]; do echo "$1" >>"$dir/settings" && shift; done
if [ $# -lt 2 ] || ! [ -s "$dir/settings" ]; then
	echo "usage: encoders.sh SETTING... -- VIDEO..." >&2
	exit 2
fi
shift
echo 'video | setting | CPU s | PSNR mean | PSNR lowest | SSIM | bytes'
for video; do
	while read -r setting; do
		line=$(measure "$video" "$setting")
		echo "$(basename "$video") | $setting | $line" | tee -a "$dir/lines"
	done <"$dir/settings"
done
awk -F ' [|] ' '
	!($2 in cpu) { order[++n] = $2; least[$2] = $5 }
	$2 == order[1] { base = $4 }
	{ cpu[$2] += $3; mean[$2] += $4; bytes[$2] += $7; videos[$2]++ }
	$5 < least[$2] { least[$2] = $5 }
	base - $4 > loss[$2] { loss[$2] = base - $4 }
	END {
		print "\nsetting | CPU s | ratio | PSNR mean | lowest | largest loss | MB | ratio"
		for (i = 1; i <= n; i++) { s = order[i]
			printf "%s | %.1f | %.2f | %.1f | %.1f | %.1f | %.2f | %.2f\n", s, cpu[s], cpu[s] / cpu[order[1]],
				mean[s] / videos[s], least[s], loss[s], bytes[s] / 1e6, bytes[s] / bytes[order[1]] }
	}' "$dir/lines"
