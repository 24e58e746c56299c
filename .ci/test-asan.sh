#!/usr/bin/env bash
# npm run test:asan: runs the hazards of buffers with an addon built with AddressSanitizer in ./build/asan. It is not part of
# CI, because the build takes minutes. It does not look for leaks, because Node.js itself has some.
set -euo pipefail

cd "$(dirname "$0")/.."
[ -d dist ] || { echo "test-asan.sh: dist is missing: run npm run build:ts" >&2; exit 2; }
root=$PWD
stage=$root/build/asan
mkdir -p "$stage"
cp -R package.json binding.gyp native dist "$stage"
mkdir -p "$stage/test"
cp -R test/programs "$stage/test"
cd "$stage"
CXXFLAGS='-fsanitize=address -fno-omit-frame-pointer -g1' LDFLAGS='-fsanitize=address' \
  "$root/node_modules/.bin/node-gyp" rebuild --silent

# V8 has its own handler for SIGSEGV, and one of the tests makes allocations fail.
export ASAN_OPTIONS=detect_leaks=0:handle_segv=0:allow_user_segv_handler=1:allocator_may_return_null=1
library=$(${CXX:-g++} -print-file-name=libasan.so)
failed=0
hazard() { # hazard CODE PROGRAM ARGUMENT…
  local status=0
  LD_PRELOAD=$(readlink -f "$library") node --expose-gc "test/programs/$2.cjs" "${@:3}" >out.txt 2>err.txt || status=$?
  if [ "$status" -eq "$1" ] && ! grep -q 'ERROR: AddressSanitizer' err.txt; then
    echo "ok: ${*:2}"
  else
    echo "not ok: ${*:2} (exit code $status)"
    cat err.txt
    failed=1
  fi
}
for each in 'resizable 10' 'wasm 10' 'clone 1000' 'concat 1000' 'materialized 5000' 'failure 5' 'deep 1' 'contexts 50' \
  'restarts 200'; do
  # shellcheck disable=SC2086
  hazard 0 hazard-buffers $each
done
hazard 7 hazard-buffers exit 10000
for each in 'sends 6' 'receives 6' 'churns 6' 'shares 6' 'sweeps 6' 'alone 10' 'deep 2' 'outOfHeap 1'; do
  # shellcheck disable=SC2086
  hazard 0 hazard-buffers-threads $each
done
hazard 0 hazard-buffers-load 5 0
hazard 0 hazard-buffers-load 0 "${SECONDS_OF_STRESS:-10}"
exit $failed
