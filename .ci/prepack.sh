#!/usr/bin/env bash
# What `npm pack` and `npm publish` do first: a clean ./dist, and Node-API's C++ headers in ./vendor, for those who compile.
set -euo pipefail

cd "$(dirname "$0")/.."
rm -rf dist vendor
npm run --silent build:ts </dev/null
mkdir -p vendor/node-addon-api
cp node_modules/node-addon-api/{package.json,LICENSE.md,napi.h,napi-inl.h,napi-inl.deprecated.h} vendor/node-addon-api
