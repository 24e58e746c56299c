'use strict';
// Writes profiles of a bundle with a large source map, and tells how long that held the thread up at a time.
// usage: node large-source-map.cjs DIRECTORY MEBIBYTES WAY: 'text', 'pprof', or 'signal' under memprof/register
const { readFileSync, rmSync, statSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { Writable } = require('node:stream');
const memprof = require('../../dist');

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function vlq(number) {
  let value = number < 0 ? -number * 2 + 1 : number * 2;
  let text = '';
  do {
    text += DIGITS[(value & 31) | (value > 31 ? 32 : 0)];
    value >>>= 5;
  } while (value > 0);
  return text;
}

/** A function a line: `fN` of line N + 1 is `originalN` of line 3N + 1 in the source. */
function writeBundle(file, bytes) {
  const code = [];
  const mappings = [];
  const names = [];
  let column = 0;
  for (let size = 0, n = 0; size < bytes; n++) {
    const line = `function f${n}(k){const a=[];for(let i=0;i<k;i++)a.push({i,x${n}:[i]});return a}`;
    // At the line's beginning, at the name, and at each column that follows.
    let segments = `AA${vlq(n === 0 ? 0 : 3)}${vlq(-column)},${vlq(9)}AA${vlq(9)}${vlq(n === 0 ? 0 : 1)}`;
    segments += ',CAAC'.repeat(40);
    column = 49;
    code.push(line);
    mappings.push(segments);
    names.push(`original${n}`);
    size += line.length + segments.length + 18;
  }
  const count = code.length;
  const called = (shift) => Array.from({ length: 50 }, (_, i) => `f${i * Math.floor(count / 50) + shift}`);
  code.push(`exports.runs=[[${called(0)}],[${called(1)}]].map((fs)=>()=>fs.map((f)=>f(2000)))`);
  const map = { version: 3, sources: ['original.ts'], sourcesContent: [code.join('\n')], names };
  writeFileSync(file, `${code.join('\n')}\n//# sourceMappingURL=${path.basename(file)}.map\n`);
  writeFileSync(`${file}.map`, JSON.stringify({ ...map, mappings: mappings.join(';') }));
}

/** CPU time of this, the main thread: its wall time would be that of other programs, too. */
const cpuMs = () =>
  Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;

/** The longest that the thread was busy without a look at its events, in ms of CPU time. */
async function longestBlock(work) {
  let longest = 0;
  let last = cpuMs();
  let done = false;
  const look = () => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (!done) setImmediate(look);
  };
  setImmediate(look);
  await work();
  done = true;
  return longest;
}

async function write(debug) {
  const chunks = [];
  const sink = new Writable({
    write(chunk, _encoding, callback) {
      chunks.push(chunk);
      callback();
    },
  });
  await memprof.lookup('heap').writeTo(sink, debug);
  return Buffer.concat(chunks);
}

function mapped(profile) {
  const frames = memprof.parseProfile(profile).samples.flatMap(({ stack }) => stack);
  const found = frames.filter(({ functionName }) => /^original\d+$/.test(functionName));
  const right = found.filter(
    ({ functionName, fileName, lineNumber }) =>
      path.basename(fileName) === 'original.ts' && lineNumber === 3 * Number(functionName.slice(8)) + 1,
  );
  return {
    found: new Set(found.map(({ functionName }) => functionName)).size,
    wrong: found.length - right.length,
  };
}

async function main([directory, mebibytes, way]) {
  const file = path.join(directory, 'bundle.js');
  writeBundle(file, Number(mebibytes) * 2 ** 20);
  const { runs } = require(file);
  memprof.start({ sampleInterval: 8192 });
  globalThis.kept = [];
  const report = { mapBytes: statSync(`${file}.map`).size, blocks: [], mapped: [] };
  const debug = way === 'text' ? 1 : 0;
  // What memprof itself loads and compiles is not what this is about.
  await write(debug);
  gc();
  const before = process.memoryUsage().heapUsed;
  for (const run of runs) {
    globalThis.kept.push(run());
    gc(); // figures are as of the last one
    for (const record of memprof.readRecords(true)) record.stack();
    let profile;
    report.blocks.push(
      await longestBlock(async () => {
        const { findFrames, framesOf } = require('../../dist/capture/source-maps.js');
        if (way === 'text') await findFrames(framesOf(memprof.readRecords(true)));
        else profile = await write(debug);
      }),
    );
    report.mapped.push(mapped(profile ?? (await write(debug))));
    // What is not there cannot be read again.
    rmSync(`${file}.map`, { force: true });
  }
  globalThis.kept = undefined;
  gc();
  report.heapGrew = process.memoryUsage().heapUsed - before;
  const { sourceMaps, internal } = memprof.status();
  console.log(JSON.stringify({ ...report, sourceMaps, writeCpuNs: internal.writeCpuNs }));
}

main(process.argv.slice(2));
