# Image of the chunk function for AWS Lambda: Chromium, ffmpeg, fonts and the function's program.
# docs/aws.md lists the sizes.
#
#     docker build --platform linux/arm64 -t helios-chunk .
#
# sam build uses Docker's classic builder: the Dockerfile must not use TARGETARCH, --mount or here-documents. Both
# stages have the architecture of the image. On a machine of another architecture, Docker needs emulation (binfmt).

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags='-s -w' -o /bootstrap ./functions/chunk

FROM debian:bookworm-slim
# path-exclude: GPU drivers and their libraries, and Vulkan's debugging layers. Lambda has no GPU, and Chromium
# contains a software rasterizer.
#
# touch: Fontconfig compares the times of font folders with its cache in nanoseconds, but image layers store whole
# seconds. With a stale cache, each Chromium would read all fonts, because Lambda's file system is read-only.
RUN printf 'path-exclude %s\n' \
        '/usr/lib/*/dri/*' '/usr/lib/*/libLLVM*' '/usr/lib/*/libz3.so*' '/usr/lib/*/mfx/*' '/usr/lib/*/libmfxhw64*' \
        '/usr/lib/chromium/libVkLayer_*' '/usr/lib/chromium/libVkICD_*' \
        > /etc/dpkg/dpkg.cfg.d/helios \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates \
        chromium-headless-shell \
        ffmpeg \
        fontconfig \
        fonts-noto-cjk \
        fonts-noto-color-emoji \
        fonts-noto-core \
    && find /usr/share/fonts /usr/local/share/fonts -type d -exec touch -d '2020-01-01 00:00:00 UTC' {} + \
    && fc-cache --force --system-only \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* /tmp/*

COPY --from=build /bootstrap /usr/local/bin/bootstrap

# Lambda makes only /tmp writable, chooses the user, and does not allow user namespaces, which Chromium's sandbox
# needs. The function's microVM isolates it instead.
ENV HOME=/tmp HELIOS_NO_SANDBOX=1

ENTRYPOINT ["/usr/local/bin/bootstrap"]
