'use strict';
// What it costs to profile buffers. Everything is interleaved, as times of this machine wander. Ratios are medians; the same
// thing against itself (A/A) tells how much of them is noise. usage: node bench/buffers.cjs [alloc] [sample] [http] [free]
// `alloc` says whether the targets are met: at most 1.03 × the time without, going on, and 1.05 × in the first half second,
// for buffers of 1 to 64 KiB. It takes five minutes, or one where MEMPROF_BENCH_QUICK is 1.
const { execFileSync, spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { bootstrapMedian, median, quantile } = require('./support/statistics.cjs');

const KIB = 1024;
const rounded = (value, digits = 3) => Number(value.toFixed(digits));

// Samples take another half per cent (`maxOverhead`).
const TARGETS = {
  'in the first half second': 1.05,
  'going on': 1.03,
  'going on, without samples': 1.025,
};

/** What the interval of the median tells about an upper limit. */
function judge(ratios, most) {
  const { low, high } = bootstrapMedian(ratios, 1000);
  return `≤ ${most}: ${high <= most ? 'met' : low > most ? 'missed' : 'not shown'}`;
}

/** By turns with memprof's wrapper of the allocator and without, in one heap: see support/buffer-loop.cjs. */
function allocations() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'memprof-'));
  const allocator = path.join(dir, 'allocator-switch.node');
  const headers = path.join(path.dirname(process.execPath), '../include/node');
  execFileSync(process.env.CXX ?? 'g++', [
    ...['-O2', '-std=gnu++20', '-shared', '-fPIC', `-I${headers}`, '-o', allocator],
    path.join(__dirname, 'support', 'allocator-switch.cc'),
  ]);
  // On one processor, without V8's helper threads, and with a heap that is not given back to the system again and again:
  // all of that is noise several times the difference. An allocation takes 0.4 us so, not 0.5 to 2.5, and a difference
  // is the larger part of it.
  const command = [process.execPath, '--expose-gc', '--single-threaded-gc'];
  if (spawnSync('taskset', ['-c', '0', 'true']).status === 0) command.unshift('taskset', '-c', '0');
  const [file, ...args] = [...command, path.join(__dirname, 'support', 'buffer-loop.cjs'), allocator];
  args.push(...(process.env.MEMPROF_BENCH_QUICK === '1' ? ['6', '60'] : ['24', '240']));
  const env = { ...process.env, MALLOC_TRIM_THRESHOLD_: '2000000000', MALLOC_TOP_PAD_: '67108864' };
  const output = execFileSync(file, args, { env, encoding: 'utf8', maxBuffer: 2 ** 26 });
  const { share, rows } = JSON.parse(output);
  fs.rmSync(dir, { recursive: true });
  const interval = (values) => {
    const { low, high } = bootstrapMedian(values, 1000);
    return `${low.toFixed(3)} … ${high.toFixed(3)}`;
  };
  for (const [when, measured] of Object.entries(rows)) {
    console.log(`Buffer.allocUnsafeSlow(n), with buffers profiled, ${when}:`);
    console.table(
      measured.map(({ bytes, plain, same, on }) => ({
        KiB: bytes / KIB,
        'off, ns': Math.round(median(plain)),
        'A/A': rounded(median(same)),
        'A/A, 95 %': interval(same),
        'on/off': rounded(median(on)),
        'on/off, 95 %': interval(on),
        target: bytes > 64 * KIB ? '' : judge(on, TARGETS[when]),
      })),
    );
  }
  // Samples get a share of all time, whoever has the processor, and here they are compared with the program's own time.
  if (share < 0.95) {
    console.log(
      `The program had its processor ${Math.round(share * 100)} % of the time: what samples cost is ${(1 / share).toFixed(1)} times too high in these figures.`,
    );
  }
}

/** Every buffer sampled against none, in one thread, by turns. */
function samples() {
  const memprof = require('..');
  const rows = [];
  for (const frames of [10, 30, 64]) {
    const at = (depth, times) => {
      if (depth > 1) return at(depth - 1, times);
      for (let i = 0; i < times; i++) Buffer.allocUnsafeSlow(1000);
    };
    // CPU time: on a busy machine others take turns in the middle of a batch.
    const batch = (times) => {
      const began = process.cpuUsage();
      at(frames, times);
      const { user, system } = process.cpuUsage(began);
      return ((user + system) * 1000) / times;
    };
    const differences = [];
    for (let round = 0; round < 60; round++) {
      memprof.start({ sampleInterval: 2 ** 30, buffers: true, bufferSampleInterval: 1, stackDepth: frames });
      const on = batch(2000);
      memprof.stop();
      const off = batch(2000);
      if (round >= 10) differences.push(on - off);
    }
    rows.push({
      frames,
      'CPU ns a sample': Math.round(median(differences)),
      'a tenth are below': Math.round(quantile(differences, 0.1)),
    });
  }
  console.log('A sampled buffer, over one that is not:');
  console.table(rows);
}

async function servers() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'memprof-'));
  const file = path.join(dir, 'file');
  fs.writeFileSync(file, Buffer.alloc(4 << 20, 'memprof'));
  const modes = ['false', 'false', 'true', 'heap'];
  const children = [];
  for (const mode of modes) {
    const child = spawn(
      process.execPath,
      [path.join(__dirname, 'support', 'buffer-server.cjs'), file, mode],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    const [line] = await once(child.stdout, 'data');
    children.push({ child, url: `http://127.0.0.1:${String(line).trim()}/`, cpu: [] });
  }
  const get = async (url) => Buffer.from(await (await fetch(url)).arrayBuffer());
  for (let round = -5; round < 60; round++) {
    for (let i = 0; i < children.length; i++) {
      const { url, cpu } = children[(i + round + 5) % children.length];
      const before = Number(await get(`${url}cpu`));
      for (let n = 0; n < 5; n++) await get(url);
      const used = Number(await get(`${url}cpu`)) - before;
      if (round >= 0) cpu.push(used / 5);
    }
  }
  for (const { child } of children) child.stdin.end();
  fs.rmSync(dir, { recursive: true });
  const [first, ...others] = children;
  const names = ['A/A', 'heap and buffers', 'heap alone'];
  console.log('A server that streams a file of 4 MiB: its CPU time a request, against one without memprof:');
  console.table(
    others.map(({ cpu }, i) => {
      const ratios = cpu.map((value, round) => value / first.cpu[round]);
      return {
        '': names[i],
        'ms a request': rounded(median(cpu) / 1000),
        ratio: rounded(median(ratios)),
        'middle half': [0.25, 0.75].map((q) => rounded(quantile(ratios, q))).join(' … '),
      };
    }),
  );
}

function frees() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'memprof-'));
  const native = path.join(__dirname, '..', 'native');
  const sources = [
    'base/arena',
    'base/clocks',
    'buffers/buffer_allocator',
    'buffers/buffer_profile',
    'tables/profile_tables',
  ];
  const program = path.join(dir, 'buffer-free');
  execFileSync(process.env.CXX ?? 'g++', [
    ...['-O2', '-std=gnu++20', '-pthread', '-fPIC', `-I${native}`, '-o', program],
    path.join(__dirname, 'support', 'buffer-free.cc'),
    ...sources.map((name) => path.join(native, `${name}.cc`)),
  ]);
  const rows = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
  fs.rmSync(dir, { recursive: true });
  console.log('The free of a buffer that is not sampled, over that of a plain allocator:');
  console.table(
    rows.map((row) => {
      const [live, ns] = row.split(' ').map(Number);
      return { 'sampled buffers alive': live, ns };
    }),
  );
}

const parts = { free: frees, sample: samples, alloc: allocations, http: servers };

async function main() {
  const wanted = process.argv.slice(2);
  if (wanted[0] === '--in-this-process') return parts[wanted[1]]();
  // Each in a process of its own: threads take over options of those before.
  for (const part of wanted.length > 0 ? wanted : Object.keys(parts)) {
    execFileSync(process.execPath, [__filename, '--in-this-process', part], { stdio: 'inherit' });
  }
}

main();
