#!/usr/bin/env bash
# test-node-lines.sh [LINE…]: builds the prebuilt binary for each Node.js line, then runs the tap suite on it,
# under that line's node. Prints `node LINE.x: N passed, M failed` for each.
#
# Broken inputs to the readers are left to `npm test`; what else needs nothing of V8 (readers, writers, commands)
# runs there, and here on the newest line.
set -euo pipefail

cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 20 22 24 26

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

show_failures() { # show_failures LOG: the output of the test files that failed, else the end of the log
  if grep -qE '^not ok ' "$1"; then
    awk '/^# Subtest: / { if (bad) printf "%s", part; part = ""; bad = 0 }
         /^not ok / { bad = 1 }
         { part = part $0 "\n" }
         END { if (bad) printf "%s", part }' "$1"
  else
    grep -E ' # SKIP no tests found' "$1" || tail -n 60 "$1"
  fi
}

npm run --silent build:ts </dev/null

newest=26
mapfile -t alone < <(bash .ci/tap-group.sh alone)

run_tap() { # run_tap BIN LOG ARGUMENT…: prints "N passed, M failed"
  local bin=$1 log=$2 status=0
  # tap starts the test files with its own node; what those start may come from PATH.
  PATH=$bin:$PATH PREBUILDS_ONLY=1 "$bin/node" node_modules/.bin/tap --reporter=tap "${@:3}" \
    </dev/null >"$log" 2>&1 || status=$?
  bash .ci/tap-counts.sh "$log" "$status"
}

results=()
for line in "$@"; do
  passed=0
  failed=1
  if bash .ci/build-prebuild.sh "$line"; then
    bin=$(bash .ci/fetch-node.sh "$line")/bin
    groups=(together)
    [ "$line" != "$newest" ] || groups+=(pure)
    mapfile -t files < <(bash .ci/tap-group.sh "${groups[@]}")
    read -r passed _ failed _ <<<"$(run_tap "$bin" "$tmp/together" --jobs=2 "${files[@]}")"
    read -r more _ bad _ <<<"$(run_tap "$bin" "$tmp/alone" --jobs=1 "${alone[@]}")"
    [ "$failed" -eq 0 ] || show_failures "$tmp/together"
    [ "$bad" -eq 0 ] || show_failures "$tmp/alone"
    passed=$((passed + more))
    failed=$((failed + bad))
  fi
  results+=("node $line.x: $passed passed, $failed failed")
done

printf '%s\n' "${results[@]}"
! printf '%s\n' "${results[@]}" | grep -qv ', 0 failed$'
