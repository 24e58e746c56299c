#!/usr/bin/env bash
# build-prebuild.sh [--built] [--arch ARCH] LINE…: builds prebuilds/<platform>-<arch>/memprof.abi<N>.<libc>.node for each
# Node.js line and checks the result. A binary that was built from the same sources is only checked.
# In ./build it only uses ./build/prebuild…. For another ARCH than this machine's (arm64) it cross-compiles with Debian's
# compiler, and loads the binary under qemu.
#
# --built, right after `npm run build`: takes what that compiled for its version of Node.js, where the same sources would be
# compiled again with the same flags. The other versions are built as ever, and each binary is checked in the same way.
set -euo pipefail

built=false
if [ "${1:-}" = --built ]; then
  built=true
  shift
fi
arch=
if [ "${1:-}" = --arch ]; then
  arch=$2
  shift 2
fi
[ $# -gt 0 ] || { echo "usage: build-prebuild.sh [--built] [--arch ARCH] LINE…" >&2; exit 2; }
cd "$(dirname "$0")/.."
root=$PWD
exports="napi_register_module_v1 node_api_module_get_api_version_v1"
# The binaries of Node.js 20 need these versions themselves, so every system that runs Node.js has them.
declare -A newest_allowed=([GLIBC]=2.28 [GLIBCXX]=3.4.21 [CXXABI]=1.3.9)

file=
die() {
  rm -f "$file" # a binary that failed a check must not be tested or shipped
  echo "build-prebuild.sh: $*" >&2
  exit 1
}

own=$(node -p 'process.platform + "-" + process.arch')
platform=${own%-*}-${arch:-${own#*-}}
run=()   # the command that runs programs of the target platform
tools='' # prefix of the names of that platform's tools
if [ "$platform" != "$own" ]; then
  [ "$platform" = linux-arm64 ] || die "cannot cross-compile for $platform"
  tools=aarch64-linux-gnu-
  run=(qemu-aarch64-static -L /usr/aarch64-linux-gnu)
  command -v "${tools}g++" "${run[0]}" >/dev/null ||
    die "install the packages g++-aarch64-linux-gnu and qemu-user-static"
  export CC=${tools}gcc CXX=${tools}g++ AR=${tools}ar PREBUILD_STRIP_BIN=${tools}strip
fi
out=prebuilds/$platform
stage=$root/build/prebuild-$platform # inside the tree: prebuildify renames from here to prebuilds/

command -v objdump >/dev/null || die "objdump is missing: install binutils"
[ -x node_modules/.bin/prebuildify ] || die "prebuildify is missing: run npm ci"

check_binary() { # check_binary FILE
  local symbols library newest exported needs=()
  symbols=$("${tools}objdump" -T "$1")
  for library in "${!newest_allowed[@]}"; do
    newest=$(grep -oE "\b${library}_[0-9.]+" <<<"$symbols" | sed 's/.*_//' | sort -Vu | tail -n 1)
    [ -n "$newest" ] || continue
    if [ "$(printf '%s\n' "$newest" "${newest_allowed[$library]}" | sort -V | tail -n 1)" != "${newest_allowed[$library]}" ]; then
      grep -F "${library}_$newest" <<<"$symbols" >&2
      die "$1 needs ${library}_$newest, newer than ${newest_allowed[$library]}"
    fi
    needs+=("${library}_$newest")
  done
  exported=$(awk '/ g | w | u / && !/\*UND\*/ && $NF !~ /^(_init|_fini)$/ { print $NF }' <<<"$symbols" |
    sort | paste -sd ' ')
  [ "$exported" = "$exports" ] || die "$1 exports: $exported; wanted: $exports"
  echo "  needs ${needs[*]}; exports only the two entry points"
}

# node-gyp prefers these variables to its command line; npm sets npm_config_nodedir if an npmrc has nodedir.
unset npm_package_config_node_gyp_nodedir npm_config_target npm_config_arch npm_config_runtime

inputs_sum() { # inputs_sum VERSION: of everything a binary is made of
  {
    echo "$1"
    "${CXX:-g++}" --version | head -n 1
    cat node_modules/{node-addon-api,prebuildify,node-gyp}/package.json .ci/build-prebuild.sh
    # Uncommitted sources count; files left behind by editors do not.
    git ls-files -co --exclude-standard -- binding.gyp native | grep -E '\.(cc|h|map|gyp)$' | sort | xargs sha256sum
  } | sha256sum | cut -d ' ' -f 1
}

compile() { # compile HEADERS VERSION
  cp -R package.json binding.gyp native "$stage"
  (
    cd "$stage" # the name, node-gyp and node-addon-api are looked up from here
    export npm_config_nodedir=$1 JOBS=${JOBS:-max} PREBUILD_NODE_GYP=$root/node_modules/.bin/node-gyp
    export npm_config_loglevel=warn MAKEFLAGS=--no-print-directory
    "$root/node_modules/.bin/prebuildify" -t "$2" ${arch:+--arch "$arch"} --no-napi --strip --tag-libc \
      --out "$root" </dev/null
  ) >"$stage.log" 2>&1 || { cat "$stage.log" >&2; die "the build for Node.js $2 failed"; }
}

for line in "$@"; do
  dir=$(bash .ci/fetch-node.sh "$line" ${arch:+"$arch"})
  node=("${run[@]}" "$dir/bin/node")
  read -r version abi <<<"$("${node[@]}" -p 'process.versions.node + " " + process.versions.modules')"
  echo "Node.js $version for $platform, ABI $abi"

  sum=$(inputs_sum "$version")
  stamp=$root/build/prebuild-stamps/$platform-abi$abi
  if [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" = "$sum" ] && tail -n 1 "$stamp" | sha256sum --check --status 2>/dev/null; then
    file=$(tail -n 1 "$stamp" | cut -c 67-)
    echo "  up to date: $file"
  else
    rm -rf "$stage" "$stamp" "$out"/memprof.abi"$abi".*
    mkdir -p "$stage/build" "$out"
    if $built && [ "$platform" = "$own" ] && grep -q "^v$version ${own/-/ } " build/built-for 2>/dev/null; then
      echo "  compiled by npm run build"
      cp build/config.gypi "$stage/build"
      libc=$("${node[@]}" -p "process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'")
      strip --strip-all -o "$out/memprof.abi$abi.$libc.node" build/Release/memprof.node
      : >"$stage.log"
    else
      compile "$dir" "$version"
    fi

    files=("$out"/memprof.abi"$abi".*.node)
    file=${files[0]}
    [ -f "$file" ] || die "no $out/memprof.abi$abi.<libc>.node was built; there is: $(ls "$out")"
    # The file's name only has the requested ABI; config.gypi has the ABI of the headers that were used.
    grep -q "\"node_module_version\": $abi\b" "$stage/build/config.gypi" ||
      die "$file was not built with the headers of ABI $abi"
    grep -E '\bwarning:' "$stage.log" >&2 && die "$file: the compiler warns"
    echo "  $file"
    mkdir -p "${stamp%/*}"
    printf '%s\n%s\n' "$sum" "$(sha256sum "$file")" >"$stamp"
    rm -rf "$stage" "$stage.log"
  fi
  check_binary "$file"
  "${node[@]}" -e 'require(require("path").resolve(process.argv[1])).readStatus()' "$file" ||
    die "$file does not load in Node.js $version"
done
