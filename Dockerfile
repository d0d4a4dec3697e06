# The chunk function for AWS Lambda: Chromium, ffmpeg, fonts and one Go program. docs/aws.md has the sizes.
#
#     docker build --platform linux/arm64 -t helios-chunk .
#
# The program is built in here, not handed in, so that `sam build` needs nothing but this repository. Both
# stages are of the architecture of the image, and neither asks for TARGETARCH, --mount or here-documents: SAM
# builds through Docker's classic builder, which knows none of them. On a machine of another architecture the
# image needs emulation (binfmt) anyway, to run apt-get.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Static: it starts without the loader.
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags='-s -w' -o /bootstrap ./functions/chunk

FROM debian:bookworm-slim
# Left out: drivers of graphics cards (Chromium brings its own software rasteriser), what only they load, and
# Vulkan's layers for debugging. The programs still find all of their libraries. Documentation and translations
# are what the slim image leaves out by itself.
#
# Fontconfig takes its cache for outdated if a folder's time has other nanoseconds than when the cache was
# made, and layers keep whole seconds. Then every Chromium would read all fonts anew, as Lambda's file system
# is read-only: so the folders get times without nanoseconds first.
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

# Only /tmp can be written to. Lambda grants no user namespaces, of which Chromium makes its sandbox: the
# function's own virtual machine takes its place. Lambda also chooses the user, so none is set here.
ENV HOME=/tmp HELIOS_NO_SANDBOX=1

ENTRYPOINT ["/usr/local/bin/bootstrap"]
