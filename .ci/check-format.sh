#!/usr/bin/env bash
# check-format.sh [--write]: checks the C++ sources with clang-format 16, or formats them in place.
set -euo pipefail

cd "$(dirname "$0")/.."
mode=(--dry-run -Werror)
[ "${1:-}" != --write ] || mode=(-i)

clang_format=
for candidate in clang-format-16 clang-format; do
  # Other versions format differently.
  if "$candidate" --version 2>/dev/null | grep -q 'version 16\.'; then
    clang_format=$candidate
    break
  fi
done
if [ -z "$clang_format" ]; then
  echo "clang-format 16 is missing: install the package clang-format-16 (.ci/install-tools.sh does)" >&2
  exit 1
fi

files=()
while IFS= read -r -d '' file; do
  [ ! -f "$file" ] || files+=("$file") # a deleted file stays listed until the deletion is staged
done < <(git -c safe.directory="$PWD" ls-files -coz --exclude-standard -- \
  {native,test/native}/'*.h' {native,test/native}/'*.cc')
if [ ${#files[@]} -eq 0 ]; then
  echo "no C++ sources found" >&2
  exit 1
fi
"$clang_format" --style=file "${mode[@]}" "${files[@]}"
