# One image for every target: `foothold serve --target=identity|goals|training|incentives|gateway|all`.
# Any Debian-like base with Python 3.11 or newer at the same path in both stages will do:
#   docker build --build-arg BASE=registry.example/python:3.11-slim -t foothold .
# Behind a proxy with a certificate of its own, put that authority's bundle beside this file as build-ca.crt: it is
# trusted while packages are fetched and is not in the image.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build
COPY LICENSE build-ca.cr[t] ./
COPY requirements/build.txt requirements/image.txt requirements/
RUN if [ -f build-ca.crt ]; then export PIP_CERT=/build/build-ca.crt; fi \
    && python3 -m venv /build/tools \
    && /build/tools/bin/pip install --quiet --require-hashes -r requirements/build.txt \
    && python3 -m venv /opt/foothold \
    && /opt/foothold/bin/pip install --quiet --require-hashes -r requirements/image.txt
COPY pyproject.toml README.md ./
COPY third_party third_party
COPY contracts contracts
COPY chassis chassis
COPY access access
COPY standards standards
COPY services services
COPY launcher launcher
# The wheel is built by the locked tools without isolation, so that nothing unlocked is fetched. Then what only
# installing needed goes; bytecode is compiled now, since the image runs on a read-only file system.
RUN /build/tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /build/wheels . \
    && /opt/foothold/bin/pip install --quiet --no-deps --no-index /build/wheels/*.whl \
    && /opt/foothold/bin/pip uninstall --quiet --yes pip setuptools \
    && find /opt/foothold -name tests -type d -prune -exec rm -rf {} + \
    && python3 -m compileall -q /opt/foothold/lib

FROM ${BASE}
LABEL org.opencontainers.image.title="Foothold" \
      org.opencontainers.image.description="Goals, training and incentives for sales newcomers, self-hosted" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 foothold && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp foothold
COPY --from=build /opt/foothold /opt/foothold
ENV PATH=/opt/foothold/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
# 8080: pages, REST and webhooks (target gateway). 50051: gRPC (every other target).
EXPOSE 8080 50051
ENTRYPOINT ["foothold"]
CMD ["serve", "--help"]
