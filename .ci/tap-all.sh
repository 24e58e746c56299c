#!/usr/bin/env bash
# tap-all.sh: the whole tap suite; two files at a time where nothing is measured.
set -euo pipefail

cd "$(dirname "$0")/.."
status=0
# shellcheck disable=SC2046 # names of test files have no spaces
npx tap --jobs=2 $(bash .ci/tap-group.sh inputs pure together) || status=$?
# shellcheck disable=SC2046
npx tap --jobs=1 $(bash .ci/tap-group.sh alone) || status=$?
exit "$status"
