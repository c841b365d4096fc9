# The image of a gateway; docs/operations.md ("Containers") says how to build, configure and run it.

# The one pinned base: what a Node has installed runs on that same Node.
FROM node:24.21.0-bookworm-slim AS runtime
WORKDIR /app

FROM runtime AS manifests
COPY package.json package-lock.json ./
# Development links to this folder; npm looks for it even where it leaves development out.
COPY tools/node-runtime/package.json tools/node-runtime/

FROM manifests AS build
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM manifests AS dependencies
RUN npm ci --ignore-scripts --omit=dev

FROM runtime
LABEL org.opencontainers.image.title="Edgeward" \
      org.opencontainers.image.description="Event gateway: backend services publish to a broker, edge clients get exactly the events that they are allowed to see." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/node:24.21.0-bookworm-slim"
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY presets presets
COPY --from=build /app/dist dist
# HOST is for configs that say `host: ${HOST:-127.0.0.1}`: in a container, loopback reaches nobody.
ENV NODE_ENV=production HOST=0.0.0.0
# The user `node` of the base, by number, so that Kubernetes can see that it is not root. Nothing here is its to write.
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --start-interval=1s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8080) + '/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Drains, see "Stop" in docs/operations.md; `docker stop` kills after ten seconds unless told otherwise.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "bin/edgeward.js"]
CMD ["start", "edgeward.yaml"]
