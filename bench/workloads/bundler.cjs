'use strict';
// webpack bundling two libraries of many small modules (lodash-es, date-fns), over and over, each time from nothing.
const os = require('node:os');
const path = require('node:path');
const webpack = require('webpack');

const options = {
  mode: 'production',
  context: __dirname,
  entry: path.join(__dirname, 'bundled', 'entry.mjs'),
  // As a library everything is kept; nothing is written there, see below.
  output: { path: path.join(os.tmpdir(), 'memprof-bundler'), library: { type: 'commonjs2' } },
  cache: false,
  // Its minifier works in threads of its own.
  optimization: { minimize: false },
};

/** One run of the workload. */
module.exports = function bundleOnce() {
  const compiler = webpack(options);
  const output = new Map();
  // Files stay in memory.
  compiler.outputFileSystem = {
    mkdir: (_directory, done) => done(null),
    stat: (_file, done) => done(Object.assign(new Error('not there'), { code: 'ENOENT' })),
    writeFile(file, content, done) {
      output.set(file, content.length);
      done(null);
    },
  };
  return new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString()));
      else compiler.close(() => resolve([...output.values()].reduce((sum, each) => sum + each, 0)));
    });
  });
};
