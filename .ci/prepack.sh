#!/usr/bin/env bash
# `npm pack` and `npm publish` run this first. It makes a clean ./dist, and puts what `memprof build` needs into ./vendor:
# Node-API's C++ headers and binding.gyp. If binding.gyp were beside package.json, pnpm would warn about ignored build scripts.
set -euo pipefail

cd "$(dirname "$0")/.."
rm -rf dist vendor
npm run --silent build:ts </dev/null
mkdir -p vendor/node-addon-api
cp binding.gyp vendor
cp node_modules/node-addon-api/{package.json,LICENSE.md,napi.h,napi-inl.h,napi-inl.deprecated.h} vendor/node-addon-api
