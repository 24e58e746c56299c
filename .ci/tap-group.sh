#!/usr/bin/env bash
# tap-group.sh GROUP…: prints the test files of those groups:
#   inputs    broken inputs to the readers
#   pure      readers, writers, commands, benchmarks: nothing, or little, of V8 that other lines would not show
#   together  programs that start, end and write, where nothing is measured
#   alone     all others: they measure, or need the machine for themselves
set -euo pipefail

cd "$(dirname "$0")/.."
group_of() {
  case $1 in
    test/mutated-inputs.*) echo inputs ;;
    test/cli-run.* | test/heap-limit-dump* | test/http-golden.* | test/http-mounts.* | test/http-safety.* | \
      test/buffers-drop-in.* | test/register.* | test/text-readers.* | test/process-end.* | test/http-readers.* | \
      test/binary-abi.* | test/snapshot-proto.* | test/workers-coverage.* | test/hazard-exit-during-gc.* | \
      test/hazard-many-scripts.* | test/hazard-nested-gc.* | test/hazard-stack-limit.* | test/hazard-vm-contexts.* | \
      test/hazard-worker-oom.* | test/hazard-v8-flags.* | test/hazard-buffers* | test/foreign-sampler.*)
      echo together ;;
    test/bench-* | test/cli-* | test/*-format.* | test/heapprofile-* | test/read-* | test/proto.* | test/round-trip.* | \
      test/source-maps.* | test/leaks.* | test/prometheus.* | test/pyroscope.* | test/tab-writer.* | \
      test/delta-profile.*)
      echo pure ;;
    *) echo alone ;;
  esac
}
for file in test/*.test.ts; do
  [[ " $* " != *" $(group_of "$file") "* ]] || echo "$file"
done
