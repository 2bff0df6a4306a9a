# The program for a processor, or with CUDA:
#
#   docker build --tag dvsa .
#   docker build --tag dvsa:cuda --build-arg TORCH_BACKEND=locked .
#
# Two stages: the first installs, the second has neither uv nor caches. `scripts/check_image` does without Docker what
# this file does.
FROM python:3.12-slim AS build
ARG TORCH_BACKEND=cpu
ENV TORCH_BACKEND=$TORCH_BACKEND UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
RUN pip install --no-cache-dir "uv>=0.8,<1"
WORKDIR /src
COPY pyproject.toml requirements.txt ./
COPY scripts/install scripts/locked scripts/
RUN scripts/install packages /opt/dvsa
COPY README.md LICENSE ./
COPY api api
COPY engine engine
COPY indexer indexer
COPY model model
RUN scripts/install program /opt/dvsa

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home --home-dir /home/dvsa dvsa \
    && install -d -o dvsa -g dvsa /home/dvsa/data
COPY --from=build /opt/dvsa /opt/dvsa
ENV PATH=/opt/dvsa/bin:$PATH \
    DVSA_HOME=/home/dvsa/data \
    XDG_CACHE_HOME=/home/dvsa/data/.cache \
    OMP_WAIT_POLICY=passive \
    PYTHONUNBUFFERED=1
USER dvsa
WORKDIR /home/dvsa
VOLUME /home/dvsa/data
STOPSIGNAL SIGTERM
ENTRYPOINT ["dvsa"]
CMD ["--help"]
