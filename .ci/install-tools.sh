#!/usr/bin/env bash
# Installs with apt-get what the build and the tests need besides Node.js.
set -euo pipefail

missing=()
need() { # need PACKAGE COMMAND
  command -v "$2" >/dev/null || missing+=("$1")
}

# A plain clang-format of version 16 is as good.
if ! clang-format --version 2>/dev/null | grep -q 'version 16\.'; then
  need clang-format-16 clang-format-16
fi
need golang-go go
need google-perftools google-pprof
need binutils objdump
need g++ g++
need make make
need python3 python3 # for node-gyp
need chromium chromium
need procps pgrep
need bsdutils script
need prometheus prometheus

if [ ${#missing[@]} -eq 0 ]; then
  echo "all tools are installed"
  exit 0
fi

root=()
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
  root=(sudo -n)
fi
if ! command -v apt-get >/dev/null || ! "${root[@]}" test -w /var/lib/dpkg; then
  echo "cannot install with apt-get here; missing: ${missing[*]}"
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -q || true # what matters is whether the packages install
failed=()
for package in "${missing[@]}"; do
  "${root[@]}" apt-get install -qy --no-install-recommends "$package" || failed+=("$package")
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "could not be installed: ${failed[*]}" >&2
  exit 1
fi
