#!/usr/bin/env bash
# build-prebuild.sh LINE…: builds prebuilds/<platform>-<arch>/memprof.abi<N>.<libc>.node for each Node.js line
# and checks what came out. ./build is left alone, but for ./build/prebuild where the work is done.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: build-prebuild.sh LINE…" >&2; exit 2; }
cd "$(dirname "$0")/.."
root=$PWD
stage=$root/build/prebuild # inside the tree: prebuildify renames from here to prebuilds/
max_glibc=2.28             # what the Node.js binaries themselves ask for
exports="napi_register_module_v1 node_api_module_get_api_version_v1"

file=
die() {
  rm -f "$file" # what failed a check must not be tested or shipped
  echo "build-prebuild.sh: $*" >&2
  exit 1
}

command -v objdump >/dev/null || die "objdump is missing: install binutils"
[ -x node_modules/.bin/prebuildify ] || die "prebuildify is missing: run npm ci"

check_binary() { # check_binary FILE
  local symbols newest exported
  symbols=$(objdump -T "$1")
  newest=$(grep -o 'GLIBC_[0-9.]*' <<<"$symbols" | sed 's/GLIBC_//' | sort -Vu | tail -n 1)
  if [ "$(printf '%s\n' "$newest" "$max_glibc" | sort -V | tail -n 1)" != "$max_glibc" ]; then
    grep -F "GLIBC_$newest" <<<"$symbols" >&2
    die "$1 needs GLIBC_$newest, newer than $max_glibc"
  fi
  exported=$(awk '/ g | w | u / && !/\*UND\*/ && $NF !~ /^(_init|_fini)$/ { print $NF }' <<<"$symbols" |
    sort | paste -sd ' ')
  [ "$exported" = "$exports" ] || die "$1 exports: $exported; wanted: $exports"
  echo "  needs GLIBC_${newest:-(none)}; exports only the two entry points"
}

# node-gyp lets these win over its command line; npm sets npm_config_nodedir when an npmrc has nodedir.
unset npm_package_config_node_gyp_nodedir npm_config_target npm_config_arch npm_config_runtime

for line in "$@"; do
  dir=$(bash .ci/fetch-node.sh "$line")
  node=$dir/bin/node
  version=$("$node" -p process.versions.node)
  abi=$("$node" -p process.versions.modules)
  out=prebuilds/$("$node" -p 'process.platform + "-" + process.arch')
  echo "Node.js $version, ABI $abi"

  rm -rf "$stage" "$out"/memprof.abi"$abi".*
  mkdir -p "$stage"
  cp -R package.json binding.gyp native "$stage"
  (
    cd "$stage" # the name, node-gyp and node-addon-api are looked up from here
    export npm_config_nodedir=$dir JOBS=${JOBS:-max} PREBUILD_NODE_GYP=$root/node_modules/.bin/node-gyp
    export npm_config_loglevel=warn
    "$root/node_modules/.bin/prebuildify" -t "$version" --no-napi --strip --tag-libc --out "$root" </dev/null
  )

  files=("$out"/memprof.abi"$abi".*.node)
  file=${files[0]}
  [ -f "$file" ] || die "no $out/memprof.abi$abi.<libc>.node was built; there is: $(ls "$out")"
  # The name only says what was asked for. This says which headers were compiled against.
  grep -q "\"node_module_version\": $abi\b" "$stage/build/config.gypi" ||
    die "$file was not built with the headers of ABI $abi"
  echo "  $file"
  check_binary "$file"
  "$node" -e 'require(require("path").resolve(process.argv[1]))' "$file" || die "$file does not load in Node.js $version"
  rm -rf "$stage"
done
