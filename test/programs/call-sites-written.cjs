'use strict';
// Runs a bundle of test/fixtures/call-sites with the lines of calls, and writes profiles in which a line leaks. Then serves
// memprof's pages: prints the URL, and ends when standard input does.
// usage: call-sites-written.cjs BUNDLE DIRECTORY PROFILES
const { createWriteStream } = require('node:fs');
const path = require('node:path');
const memprof = require('../../dist');
const { serve } = require('../../dist/http');

const [bundle, directory, profiles] = process.argv.slice(2);
memprof.start({ callSites: true, sampleInterval: 4096, maxOverhead: 1 });
const { run } = require(path.resolve(bundle));

const kept = [];
function keep(i) {
  const list = new Array(50).fill(i); // leak
  kept.push(list);
}

const write = (name, profile, debug) =>
  memprof.lookup(profile).writeTo(createWriteStream(path.join(directory, name)), debug);

async function main() {
  for (let done = 0; done < 30_000; done += 1000) {
    run(1000);
    // The samples are read before too many wait.
    memprof.MemProfile(null, true);
  }
  for (let at = 0; at < Number(profiles); at++) {
    for (let i = 0; i < 1000; i++) keep(i);
    globalThis.gc();
    await write(`heap.${at}.pb.gz`, 'heap', 0);
  }
  await write('allocs.pb.gz', 'allocs', 0);
  await write('allocs.txt', 'allocs', 1);
  const { url } = await serve({ port: 0 });
  process.stdin.resume().on('end', () => process.exit());
  console.log(JSON.stringify({ url, callSites: memprof.status().callSites }));
}

main();
