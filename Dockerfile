# Two stages: the first installs, the second has neither uv nor caches.
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir "uv>=0.8,<1"
WORKDIR /src
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN uv venv /opt/dvsa
# As constraints, the lock gives versions and hashes without the tools of development.
COPY pyproject.toml requirements.txt ./
RUN uv pip install --no-cache --python /opt/dvsa --constraints requirements.txt -r pyproject.toml \
    && uv pip install --no-cache --python /opt/dvsa --constraints requirements.txt hatchling
COPY README.md LICENSE ./
COPY api api
COPY engine engine
COPY indexer indexer
COPY model model
RUN uv pip install --no-cache --python /opt/dvsa --no-deps --no-build-isolation . \
    && uv pip uninstall --python /opt/dvsa hatchling

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home --home-dir /home/dvsa dvsa \
    && install -d -o dvsa -g dvsa /home/dvsa/data
COPY --from=build /opt/dvsa /opt/dvsa
ENV PATH=/opt/dvsa/bin:$PATH \
    DVSA_HOME=/home/dvsa/data \
    OMP_WAIT_POLICY=passive \
    PYTHONUNBUFFERED=1
USER dvsa
WORKDIR /home/dvsa
VOLUME /home/dvsa/data
ENTRYPOINT ["dvsa"]
CMD ["--help"]
