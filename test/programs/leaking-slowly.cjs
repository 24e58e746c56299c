'use strict';
// One function keeps 33 objects a millisecond, however slow the machine is; another's cache goes up and down, a third
// keeps nothing. Writes COUNT profiles, one every STEP milliseconds, as protos and as texts, into DIRECTORY.
const { createWriteStream } = require('node:fs');
const path = require('node:path');
const { PassThrough } = require('node:stream');
const { finished } = require('node:stream/promises');
const { setTimeout: sleep } = require('node:timers/promises');
const { lookup, start, writeHeapProfile } = require('../../dist');
const { Thing } = require('./support/thing.cjs');

const [directory, count, step] = process.argv.slice(2);

const leaked = [];
function remember(things) {
  for (let n = 0; n < things; n++) leaked.push(new Thing(n));
}

let cache = [];
function fillCache(things) {
  cache = [];
  for (let n = 0; n < things; n++) cache.push(new Thing(n));
}

const sink = { last: undefined };
function churn(things) {
  for (let n = 0; n < things; n++) sink.last = new Thing(n);
}

async function write(name, writeTo) {
  const file = createWriteStream(path.join(directory, name));
  await writeTo(file);
  file.end();
  await finished(file);
}

async function main() {
  start({ sampleInterval: 8192 });
  // What memprof loads to write its first profiles stays, and is no leak.
  for (const debug of [0, 1]) await lookup('heap').writeTo(new PassThrough().resume(), debug);
  const begin = Date.now();
  for (let at = 0; at < Number(count); at++) {
    const next = sleep(Number(step));
    fillCache([40_000, 10_000, 60_000, 25_000, 5_000, 50_000][at % 6]);
    churn(50_000);
    // A profile has the time at which it is taken. On a busy machine the collection may take long, and the profile would be
    // older than its time says.
    let until;
    for (let tries = 0; tries < 10; tries++) {
      until = Date.now();
      remember(33 * (until - begin) - leaked.length);
      gc();
      if (Date.now() - until < Number(step) / 20) break;
    }
    await write(`${at}.pb.gz`, (file) => writeHeapProfile(file));
    await write(`${at}.txt`, (file) => lookup('heap').writeTo(file, 1));
    await next;
  }
}

main();
