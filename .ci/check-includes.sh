#!/usr/bin/env bash
# check-includes.sh: checks that the rooms of native/ include each other in one direction only, that the guard of each header
# has the name of its path, and that each source is compiled once. Prints each fault.
set -euo pipefail

cd "$(dirname "$0")/.."
# Each room may include those before it. docs/architecture.md describes the rooms.
rooms=(base tables gc heap buffers encode dump isolate binding unity)

declare -A floor
for i in "${!rooms[@]}"; do floor[${rooms[i]}]=$i; done
status=0
complain() {
  echo "$1" >&2
  status=1
}
while IFS= read -r file; do
  room=$(cut -d / -f 2 <<<"$file")
  if [ -z "${floor[$room]:-}" ]; then
    complain "$file: '$room' is no room of native/"
    continue
  fi
  if [ "${file##*.}" = h ]; then
    guard=MEMPROF_$(tr 'a-z/.' 'A-Z__' <<<"$file")_
    grep -qx "#define $guard" "$file" || complain "$file: the guard is not $guard"
  fi
  while IFS=: read -r line header; do
    other=${header%%/*}
    if [ "$other" = "$header" ] || [ -z "${floor[$other]:-}" ]; then
      complain "$file:$line: \"$header\" names no room of native/"
    elif [ "${floor[$other]}" -gt "${floor[$room]}" ]; then
      complain "$file:$line: $room/ may not include \"$header\", which is above it"
    fi
  done < <(sed -nE 's/^#include "([^"]+)".*/\1/;T;=;p' "$file" | paste -d: - -)
done < <(find native -name '*.h' -o -name '*.cc' | sort)
# Each source is compiled once: binding.gyp names it, or a file of native/unity includes it.
while IFS= read -r file; do
  times=$(cat binding.gyp native/unity/*.cc | grep -cE "^ *(#include )?\"(native/)?${file#native/}\",?$" || true)
  [ "$times" -eq 1 ] || complain "$file: binding.gyp and native/unity/*.cc have it $times times, not once"
done < <(find native -name '*.cc' | sort)
exit "$status"
