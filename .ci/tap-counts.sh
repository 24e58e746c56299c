#!/usr/bin/env bash
# tap-counts.sh LOG STATUS: prints "N passed, M failed" for runs of `tap --reporter=tap` that wrote LOG and
# ended with STATUS. Without tap's summary lines, or with no assertion passed, something failed.
set -euo pipefail

log=$1
status=$2

summaries=$(grep -E '^# \{ total: ' "$log" || true)
field() { # field NAME: the sum of that count in the summaries
  { grep -oE "\b$1: [0-9]+" <<<"$summaries" || true; } | awk '{ n += $2 } END { print n + 0 }'
}
count() { grep -cE "$1" "$log" || true; }

passed=$(field pass)
failed=$(field fail)
# A test file that dies after its last good assertion is "not ok" without a failed assertion in the summary.
bad_files=$(count '^not ok ')
[ "$failed" -ge "$bad_files" ] || failed=$bad_files
# A test file with no test in it is only skipped.
failed=$((failed + $(count '^ok .* # SKIP no tests found')))
if [ "$failed" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$passed" -eq 0 ]; }; then
  failed=1
fi
echo "$passed passed, $failed failed"
