'use strict';
// A program with the HTTP server: `busy` never lets its event loop run, `leaks` allocates now and then.
const { start } = require('../../dist');
const { serve } = require('../../dist/http');

const [mode, options = '{}'] = process.argv.slice(2);

globalThis.kept = [];
function leakSite(count) {
  for (let i = 0; i < count; i++) kept.push({ i, text: [i] });
}
function churnSite(ms, atLeast = 0) {
  const end = Date.now() + ms;
  let last;
  for (let n = 0; n < atLeast || Date.now() < end; n++) last = { list: [1, 2, 3] };
  return last;
}

start({ sampleInterval: 16384 });
// 25 MB, of 1,500 samples, against some 0.4 MB of Node.js; and 200 MB of garbage on the slowest machine.
leakSite(200_000);
churnSite(200, 4e6);
serve({ port: 0, ...JSON.parse(options) }).then(
  ({ url }) => {
    console.log(url);
    if (mode === 'busy') {
      setTimeout(() => {
        console.log('busy');
        for (;;) churnSite(1000);
      }, 100);
    }
    if (mode === 'leaks') {
      setInterval(() => {
        leakSite(500);
        churnSite(20);
      }, 50);
    }
    process.stdin.resume().on('end', () => process.exit());
  },
  (error) => {
    console.log(error.code, error.message);
    process.exitCode = 1;
  },
);
