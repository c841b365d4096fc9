#!/usr/bin/env sh
# Publishes one event with curl to a running demo (`npm start`).
set -eu
url=${1:-http://127.0.0.1:8080}

# The demo issues tokens to this machine; in production yours come from your issuer.
answer=$(curl -sS --fail-with-body -X POST "$url/v1/development/tokens" \
  -H 'content-type: application/json' \
  -d '{"tenant":"demo","roles":["edgeward.publisher"]}') || {
  echo "No token from $url: is the demo running there (npm start)? $answer" >&2
  exit 1
}
token=$(echo "$answer" | sed 's/.*"token":"\([^"]*\)".*/\1/')

curl -sS --fail-with-body -X POST "$url/v1/events" \
  -H "authorization: Bearer $token" \
  -H 'content-type: application/json' \
  -d '{"stream":"orders.created","attributes":{"Tenant-Id":"demo"},"data":{"order":4711}}'
echo
