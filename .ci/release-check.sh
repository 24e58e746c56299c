#!/usr/bin/env bash
# release-check.sh: packs memprof and checks the package as users get it: the files, the installation under each Node.js
# line, types, modules, bundlers. With --arm64 it also builds, checks and packs the binaries for linux-arm64. With --retry
# it runs a test file that failed once more. --prepared: `npm run docs` and `npm run release:tools` have just been run, and are
# not run again. The last line of the output is `N passed, N failed`.
set -euo pipefail

cd "$(dirname "$0")/.."
prepared=false
if [ "${1:-}" = --prepared ]; then
  prepared=true
  shift
fi
retry=()
if [ "${1:-}" = --retry ]; then
  retry=(--retry)
  shift
fi
lines=(20 22 24 26)
export MEMPROF_TEST_LINES="${lines[*]}" MEMPROF_TEST_TARBALL
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0

step() { # step NAME COMMAND…
  local start=$SECONDS
  if "${@:2}" </dev/null >"$tmp/log" 2>&1; then
    passed=$((passed + 1))
    echo "ok: $1 ($((SECONDS - start)) s)"
  else
    failed=$((failed + 1))
    cat "$tmp/log"
    echo "not ok: $1"
    return 1
  fi
}
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && exit 0 || exit 1
}

step "prebuilt binaries for ${lines[*]}" bash .ci/build-prebuild.sh "${lines[@]}" || finish
if [ "${1:-}" = --arm64 ]; then
  step "prebuilt binaries for linux-arm64" bash .ci/build-prebuild.sh --arch arm64 "${lines[@]}" || finish
fi
step 'pack' npm pack --silent --pack-destination "$tmp" || finish
MEMPROF_TEST_TARBALL=$(ls "$tmp"/*.tgz)
if ! $prepared; then
  step 'API reference' npm run --silent docs || true
  step 'tools of the release check' npm run --silent release:tools || finish
fi

[ -d build/test ] || step 'tests compiled' npm run --silent build:test || finish
node .ci/run-tests.mjs "${retry[@]}" release </dev/null 2>&1 | tee "$tmp/log" || true
read -r good bad <<<"$(tail -n 1 "$tmp/log" | awk '/^[0-9]+ passed, [0-9]+ failed$/ { print $1, $3 }')"
passed=$((passed + ${good:-0}))
failed=$((failed + ${bad:-1}))
finish
