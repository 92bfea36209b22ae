# docker build --build-arg COMMIT=$(git rev-parse HEAD) --tag docket .

FROM oven/bun:1.4.5 AS build
WORKDIR /build
COPY package.json bun.lock bunfig.toml tsconfig.json ./
COPY patches patches
RUN bun install --production --frozen-lockfile
COPY README.md SECURITY.md ./
COPY docs docs
COPY sql sql
COPY src src
ARG COMMIT
RUN bun src/build/build.ts --commit="$COMMIT"
# The program, and the libraries that it asks the loader for.
RUN mkdir -p /image /data \
  && cp dist/docket /image \
  && ldd dist/docket | grep -o '/[^ ]*' | xargs cp --dereference --parents --target-directory=/image

# Nothing else: no shell, no tools. Of certificates, Bun brings those of the authorities that Mozilla trusts.
FROM scratch
COPY --from=build /image/ /
COPY --from=build --chown=65532:65532 /data /data
ENV HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
USER 65532:65532
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s CMD ["/docket", "healthcheck"]
ENTRYPOINT ["/docket"]
