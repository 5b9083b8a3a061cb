# tpmirror as a container: two stages, pinned requirements with hashes, no root, no compiler in the result.
FROM python:3.13.9-slim-trixie AS build
WORKDIR /build
RUN python -m venv /opt/tpmirror
COPY requirements/install.txt requirements/
# --no-deps: the file names every package, with the hash of each.
RUN /opt/tpmirror/bin/python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements/install.txt
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY tpmirror tpmirror
RUN /opt/tpmirror/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13.9-slim-trixie
ENV PATH=/opt/tpmirror/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 TPMIRROR_HTTP_ADDR=0.0.0.0:8377
COPY --from=build /opt/tpmirror /opt/tpmirror
# A SQLite mirror lives here; with PostgreSQL nothing does.
RUN install -d -o 65532 -g 65532 -m 0700 /var/lib/tpmirror
USER 65532:65532
WORKDIR /var/lib/tpmirror
VOLUME /var/lib/tpmirror
EXPOSE 8377
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8377/healthz', timeout=4)"]
ENTRYPOINT ["tpmirror"]
CMD ["run"]
