#!/usr/bin/env bash
# test-arm64.sh [LINE [TEST…]]: runs tests of the addon on the linux-arm64 binary, cross-compiled, under qemu (default: on
# Node.js 24, those below). The last line is `N passed, N failed`, in files.
set -euo pipefail

cd "$(dirname "$0")/.."
line=${1:-24}
shift || true
# Tests that depend on V8, the compiler or the processor. Left out are tests that measure time, workers-coverage (qemu is
# too slow for its 70 workers), and mem-stats (one check fails because of what qemu reports about its own memory).
[ $# -gt 0 ] || set -- process/{binary-abi,lifecycle,mem-profile-contract,kept-and-dropped,object-sizes,worker-totals} \
  process/{register,process-end,foreign-sampler} hazard/direct-samples unit/text-format {hazard/in-use-equals-v8,measured/bounds-table}

bash .ci/build-prebuild.sh --arch arm64 "$line"
real=$(bash .ci/fetch-node.sh "$line" arm64)/bin/node
[ -d build/test ] && [ -f dist/index.js ] || { npm run --silent build:ts && npm run --silent build:test; } </dev/null

stage=$PWD/build/arm64
rm -rf "$stage"
mkdir -p "$stage/bin" "$stage/build"
cp -R test dist prebuilds package.json binding.gyp README.md "$stage"
cp -R build/test "$stage/build/test"
ln -s ../../node_modules "$stage/node_modules"

# Programs that are started with process.execPath have to run under qemu as well.
echo "process.execPath = '$stage/bin/node';" >"$stage/bin/exec-path.cjs"
cat >"$stage/bin/node" <<END
#!/bin/sh
exec qemu-aarch64-static -L /usr/aarch64-linux-gnu '$real' --require '$stage/bin/exec-path.cjs' "\$@"
END
chmod +x "$stage/bin/node"
"$stage/bin/node" -p '`Node.js ${process.version}, ${process.platform}-${process.arch}`'

passed=0
failed=0
cd "$stage"
for name in "$@"; do
  start=$SECONDS
  if PATH=$stage/bin:$PATH PREBUILDS_ONLY=1 TAP_TIMEOUT=600 timeout 900 "$stage/bin/node" --expose-gc "build/test/$name.test.js" \
    >"$stage/log" 2>&1 </dev/null; then
    passed=$((passed + 1))
    echo "ok: $name, $(grep -cE '^ *ok ' "$stage/log") assertions ($((SECONDS - start)) s)"
  else
    failed=$((failed + 1))
    grep -vE '^ *ok |^ *$' "$stage/log" | head -60
    echo "not ok: $name ($((SECONDS - start)) s)"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
