# The product in one image; what a container does is its command: api, worker, flower or migrate.
# How it is run: docker-compose.yml, deploy/kubernetes, docs/how-to/own-cluster.md.

# Python 3.12.15 on Debian bookworm, amd64 and arm64. A tag can be moved and a digest cannot: this one is what independent
# public projects wrote down for that tag in October 2026. Any Debian with Python 3.11 or newer, venv and `python` does:
# docker build --build-arg BASE=….
ARG BASE=python:3.12.15-slim-bookworm@sha256:54c85f3c47607a77f32adec749d3c81d1348bf25833671f512b26a9b6d778cb3

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv tools && python -m venv --without-pip /opt/agensium
COPY requirements-build.lock requirements.lock ./
RUN tools/bin/python -m pip install --quiet --require-hashes --only-binary :all: --requirement requirements-build.lock \
    && tools/bin/python -m pip --python /opt/agensium/bin/python install --quiet --require-hashes --only-binary :all: \
        --no-compile --requirement requirements.lock
COPY pyproject.toml ./
COPY api api
COPY backend backend
COPY celery_queue celery_queue
COPY db db
COPY transformers transformers
# Compiled here, for the file system is read-only later and the product is many short processes. `unchecked-hash`: what
# is compiled is taken without a look at the source, which nobody changes in an image.
RUN tools/bin/python -m pip wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir wheels . \
    && tools/bin/python -m pip --python /opt/agensium/bin/python install --quiet --no-deps --no-index --no-compile wheels/*.whl \
    && /opt/agensium/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/agensium/lib

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Agensium" \
      org.opencontainers.image.description="Runs customers' analysis tasks: api, worker, flower, migrate." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="python:3.12.15-slim-bookworm"
# Nothing is installed at run time. A base without pip has nothing to take out.
RUN if python -m pip --version >/dev/null 2>&1; then python -m pip uninstall --yes --quiet --root-user-action ignore pip; fi \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin agensium \
    && install --directory --owner 10001 --group 10001 --mode 0700 /scratch
COPY --from=build /opt/agensium /opt/agensium
# The settings come from the environment alone: no .env is looked for.
ENV PATH=/opt/agensium/bin:$PATH \
    HOME=/tmp \
    SCRATCH_DIR=/scratch \
    AGENSIUM_NO_ENV_FILE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /tmp
USER 10001:10001
EXPOSE 8000 5555 9464
# No HEALTHCHECK: an api, a worker and a flower are asked differently, by `python -m backend.alive`.
ENTRYPOINT ["agensium"]
CMD ["api", "--host", "0.0.0.0"]
