#!/usr/bin/env bash
# What `npm pack` and `npm publish` do first: a clean ./dist, and what those need who compile in ./vendor: Node-API's C++ headers,
# and binding.gyp. Beside package.json, that file would have pnpm warn of build scripts that it ignores.
set -euo pipefail

cd "$(dirname "$0")/.."
rm -rf dist vendor
npm run --silent build:ts </dev/null
mkdir -p vendor/node-addon-api
cp binding.gyp vendor
cp node_modules/node-addon-api/{package.json,LICENSE.md,napi.h,napi-inl.h,napi-inl.deprecated.h} vendor/node-addon-api
