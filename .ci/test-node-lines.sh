#!/usr/bin/env bash
# test-node-lines.sh [--retry] [LINE…]: builds the prebuilt binary for each Node.js line, then runs the tests on it, under that
# line's node. The last line is `N passed, N failed`.
#
# What does not depend on V8's memory (test/unit, test/command, test/http) runs in `npm test`, and here only on the newest line.
set -euo pipefail

cd "$(dirname "$0")/.."
retry=()
if [ "${1:-}" = --retry ]; then
  retry=(--retry)
  shift
fi
[ $# -gt 0 ] || set -- 20 22 24 26
[ -d build/test ] && [ -f dist/index.js ] || { npm run --silent build:ts && npm run --silent build:test; } </dev/null

newest=26
passed=0
failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for line in "$@"; do
  if bash .ci/build-prebuild.sh "$line"; then
    bin=$(bash .ci/fetch-node.sh "$line")/bin
    folders=(process hazard measured)
    [ "$line" != "$newest" ] || folders+=(unit command http)
    # PATH, because tests may start `node` by name.
    PATH=$bin:$PATH PREBUILDS_ONLY=1 node .ci/run-tests.mjs "${retry[@]}" "${folders[@]}" 2>&1 </dev/null | tee "$tmp/log" || true
    read -r good bad <<<"$(tail -n 1 "$tmp/log" | awk '/^[0-9]+ passed, [0-9]+ failed$/ { print $1, $3 }')"
    echo "node $line.x: ${good:-0} passed, ${bad:-1} failed"
    passed=$((passed + ${good:-0}))
    failed=$((failed + ${bad:-1}))
  else
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
