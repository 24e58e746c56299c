#!/bin/bash
# Runs `memprof run` over vitest (forks and threads), jest and mocha, which it installs into a temporary directory, and
# checks that the test's own function is in the profiles. CI leaves it out: it installs some hundred packages.
# usage: .ci/test-runners.sh
set -euo pipefail
memprof="$(cd "$(dirname "$0")/.." && pwd)/dist/cli/main.js"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund vitest@3 jest@30 mocha@11 > /dev/null

cat > kept.cjs <<'END'
const kept = [];
exports.keepInTest = function keepInTest() {
  for (let n = 0; n < 30_000; n++) kept.push(new Array(100).fill(n));
};
END
mkdir v j m
for name in one two; do
  cat > "v/$name.test.mjs" <<'END'
import { test } from 'vitest';
import { keepInTest } from '../kept.cjs';
test('keeps', () => keepInTest());
END
  echo "test('keeps', () => require('../kept.cjs').keepInTest());" > "j/$name.test.js"
  echo "it('keeps', () => require('../kept.cjs').keepInTest());" > "m/$name.spec.cjs"
done

failed=0
check() {
  local name=$1 dir="$work/out-$1"
  shift
  node "$memprof" run --dir "$dir" "$@" > "$work/said" 2>&1 || { cat "$work/said"; failed=1; }
  local found
  found=$(node "$memprof" top --sample-index=alloc_space "$dir"/memprof.*.pb.gz 2>&1 | grep -m1 keepInTest || true)
  echo "$name: profiles: $(ls "$dir" | wc -l); ${found:-keepInTest is not in them}"
  [ -n "$found" ] || failed=1
}
check vitest-forks vitest run --pool=forks --dir v
check vitest-threads vitest run --pool=threads --dir v
check jest jest --rootDir j
check jest-in-band jest --rootDir j --runInBand
check mocha mocha 'm/*.spec.cjs'
check mocha-parallel mocha --parallel 'm/*.spec.cjs'
exit $failed
