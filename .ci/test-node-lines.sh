#!/usr/bin/env bash
# test-node-lines.sh [LINE…]: builds the prebuilt binary for each Node.js line, then runs the tap suite on it,
# under that line's node. Prints `node LINE.x: N passed, M failed` for each. Broken inputs to the readers are left
# to `npm test`: they take a minute, and nothing of V8.
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

files=()
for file in test/*.test.ts; do
  [ "$file" = test/mutated-inputs.test.ts ] || files+=("$file")
done

results=()
for line in "$@"; do
  result="0 passed, 1 failed"
  if bash .ci/build-prebuild.sh "$line"; then
    bin=$(bash .ci/fetch-node.sh "$line")/bin
    status=0
    # tap starts the test files with its own node; what those start may come from PATH.
    PATH=$bin:$PATH PREBUILDS_ONLY=1 "$bin/node" node_modules/.bin/tap --reporter=tap \
      "${files[@]}" </dev/null >"$tmp/log" 2>&1 || status=$?
    result=$(bash .ci/tap-counts.sh "$tmp/log" "$status")
    [[ $result == *", 0 failed" ]] || show_failures "$tmp/log"
  fi
  results+=("node $line.x: $result")
done

printf '%s\n' "${results[@]}"
! printf '%s\n' "${results[@]}" | grep -qv ', 0 failed$'
