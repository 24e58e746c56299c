'use strict';
// Streams, zlib, crypto and HTTP with their buffers sampled; what comes out is compared with what went in. Arguments:
// how often, seconds. With seconds, whatever else there is to buffers (transfers to workers that come and go, clones,
// concat storms, WebAssembly, stops and starts) goes on at the same time, that long.
const { createHash, createCipheriv, createDecipheriv, randomBytes } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { PassThrough } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const zlib = require('node:zlib');
const memprof = require('../../dist');
const { collectAll, reportBuffers } = require('./support/buffer-figures.cjs');

const MIB = 2 ** 20;
const [times, seconds] = process.argv.slice(2).map(Number);
let mismatches = 0;
const counts = { requests: 0, files: 0, workers: 0, storms: 0, restarts: 0 };

const digest = (data) => createHash('sha256').update(data).digest('hex');

async function throughStreams(file, wanted) {
  const [key, iv] = [randomBytes(32), randomBytes(16)];
  const hash = createHash('sha256');
  await pipeline(
    fs.createReadStream(file),
    zlib.createGzip({ level: 1 }),
    createCipheriv('aes-256-ctr', key, iv),
    new PassThrough(),
    createDecipheriv('aes-256-ctr', key, iv),
    zlib.createGunzip(),
    hash,
  );
  if (hash.digest('hex') !== wanted) mismatches++;
  counts.files++;
}

async function throughHttp(file, wanted, port) {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    body: await fs.promises.readFile(file),
  });
  if (digest(Buffer.from(await response.arrayBuffer())) !== wanted) mismatches++;
  counts.requests++;
}

function throughZlibAtOnce(content, wanted) {
  const packed = zlib.brotliCompressSync(content, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } });
  if (digest(zlib.brotliDecompressSync(packed)) !== wanted) mismatches++;
}

/** Half of what it is given comes back. */
function worker() {
  memprof.start();
  parentPort.on('message', (buffers) => {
    const copies = structuredClone(buffers);
    const back = copies.filter((_, i) => i % 2 === 0);
    parentPort.postMessage(back, back);
  });
}

async function oneWorker(i) {
  const made = new Worker(__filename);
  made.on('error', () => mismatches++);
  for (let n = 0; n < 5; n++) {
    const buffers = Array.from({ length: 40 }, (_, at) => new Uint8Array(3000 + at).fill(at).buffer);
    made.postMessage(buffers, buffers);
    const [back] = await once(made, 'message');
    if (back.length !== 20 || back.some((buffer, at) => new Uint8Array(buffer)[2999] !== 2 * at))
      mismatches++;
  }
  if (i % 2 === 0) for (let n = 0; n < 10; n++) made.postMessage([new ArrayBuffer(MIB)]);
  await made.terminate();
  counts.workers++;
}

function storm(i) {
  const parts = [];
  for (let n = 0; n < 300; n++) parts.push(Buffer.allocUnsafe((n * 37) % 9000).fill(n));
  const joined = Buffer.concat(parts);
  const copy = structuredClone(joined);
  if (copy.length !== joined.length || copy[copy.length - 1] !== joined[joined.length - 1]) mismatches++;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 16 });
  memory.grow(15);
  new ArrayBuffer(1000, { maxByteLength: MIB }).resize(MIB);
  if (i % 20 === 0) gc({ type: i % 40 === 0 ? 'major' : 'minor' });
  counts.storms++;
}

function restart() {
  memprof.stop();
  const between = new ArrayBuffer(10_000);
  memprof.start();
  counts.restarts += between.byteLength / 10_000;
}

async function main() {
  // The heap is not what this is about: next to no samples of it.
  memprof.start({ sampleInterval: 2 ** 30, buffers: true, bufferSampleInterval: seconds > 0 ? 1000 : 1 });
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'memprof-'));
  const file = path.join(dir, 'file');
  const content = Buffer.concat([
    randomBytes(MIB / 4),
    Buffer.alloc(MIB / 4, 'memprof'),
    randomBytes(MIB / 4),
  ]);
  fs.writeFileSync(file, content);
  const wanted = digest(content);
  const server = http.createServer((request, response) => request.pipe(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();

  const until = performance.now() + seconds * 1000;
  const goesOn = (i) => (seconds > 0 ? performance.now() < until : i < times);
  const loop = async (body) => {
    for (let i = 0; goesOn(i); i++) {
      await body(i);
      await new Promise(setImmediate);
    }
  };
  const loops = [
    loop(() => throughStreams(file, wanted)),
    loop(() => throughHttp(file, wanted, port)),
    loop(() => throughZlibAtOnce(content, wanted)),
  ];
  // What is in use after a while, and at the end.
  const levels = [];
  if (seconds > 0) {
    loops.push(loop(oneWorker), loop(storm));
    loops.push(loop(() => new Promise((resolve) => setTimeout(resolve, 300)).then(restart)));
    loops.push(
      loop(async () => {
        await new Promise((resolve) => setTimeout(resolve, seconds * 100));
        gc();
        levels.push({ rss: process.memoryUsage.rss(), live: memprof.status().buffers.samplesLive });
      }),
    );
  }
  await Promise.all(loops);
  server.closeAllConnections();
  server.close();
  fs.rmSync(dir, { recursive: true });
  await collectAll();
  await reportBuffers({ mismatches, ...counts, levels });
  process.exit(0);
}

if (isMainThread) main();
else worker();
