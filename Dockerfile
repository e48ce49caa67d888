# The command line without a window: no Qt, no display.
#   docker build -t histreg .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" histreg register he.svs if.ome.tif -o out
FROM python:3.12-slim-bookworm AS build
ARG VERSION=0.1.0
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 SETUPTOOLS_SCM_PRETEND_VERSION=${VERSION}
RUN python -m venv /opt/histreg
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /opt/histreg/bin/pip install ".[cluster,parquet,tomography]"

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="napari-histreg" \
      org.opencontainers.image.description="Histology slides aligned across stains, with an honest verdict" \
      org.opencontainers.image.licenses="BSD-3-Clause"
COPY --from=build /opt/histreg /opt/histreg
ENV PATH=/opt/histreg/bin:$PATH PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
RUN useradd --create-home --uid 10001 histreg
USER 10001
WORKDIR /data
HEALTHCHECK --interval=1h --timeout=120s --start-period=5s --retries=2 \
    CMD ["histreg", "demo", "--overwrite", "-o", "/tmp/health"]
ENTRYPOINT ["histreg"]
CMD ["--help"]
