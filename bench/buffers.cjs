'use strict';
// What it costs to profile buffers. Everything is interleaved, as times of this machine wander: workers that take turns
// (each has an allocator of its own, wrapped or not), servers that are asked in turn. Ratios are medians; the same thing
// against itself (A/A) tells how much of them is noise. usage: node bench/buffers.cjs [alloc] [sample] [http] [free]
const { execFileSync, spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const KIB = 1024;
function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}
const median = (values) => quantile(values, 0.5);
const rounded = (value, digits = 3) => Number(value.toFixed(digits));

// At first there is time for every sample, 100 ms of it; who goes on allocating pays at most `maxOverhead` of all time, so
// samples are thinned. What is not measured leads from the one to the other.
const PHASES = [
  { kib: 1, when: 'at first' },
  { kib: 4, when: 'at first' },
  { kib: 16, when: 'at first' },
  { kib: 64, when: 'at first' },
  { kib: 64, turnMs: 50, rounds: 40 },
  { kib: 64, when: 'going on' },
  { kib: 1024, when: 'going on' },
  { kib: 16, when: 'going on' },
  { kib: 4, when: 'going on' },
  { kib: 1, when: 'going on' },
];
const PAIRS = 24;
const ROUNDS = 20;
// Long against the switch from one worker to the other. Both run memprof: what it costs without buffers is measured elsewhere.
const TURN_MS = 10;

/** Nanoseconds an allocation, with and without collections, in every phase, of the two of a pair by turns. */
async function measurePair(profiled) {
  const turns = new SharedArrayBuffer(8);
  const turn = new Int32Array(turns);
  const phases = PHASES.map(({ kib, turnMs = TURN_MS }) => ({ bytes: kib * KIB, turnMs }));
  const workers = profiled.map((each, i) => {
    const times = new SharedArrayBuffer(16);
    const workerData = { me: i + 1, profiled: each, phases, turns, times };
    const worker = new Worker(path.join(__dirname, 'support', 'buffer-worker.cjs'), { workerData });
    return { worker, took: new Float64Array(times) };
  });
  for (let ready = 0; ready < 2; ready = Atomics.load(turn, 1)) {
    await Atomics.waitAsync(turn, 1, ready).value;
  }
  const figures = [];
  for (const [phase, { rounds = ROUNDS, when }] of PHASES.entries()) {
    const sums = [
      [0, 0],
      [0, 0],
    ];
    for (let round = when ? -4 : 0; round < rounds; round++) {
      for (let i = 0; i < 2; i++) {
        const who = (round + i) & 1;
        Atomics.store(turn, 0, ((who + 1) << 8) | phase);
        Atomics.notify(turn, 0);
        while (Atomics.load(turn, 0) !== 0) Atomics.wait(turn, 0, Atomics.load(turn, 0), 100);
        if (round < 0) continue;
        workers[who].took.forEach((ns, which) => {
          sums[who][which] += ns / rounds;
        });
      }
    }
    figures.push(sums);
  }
  Atomics.store(turn, 0, -1);
  Atomics.notify(turn, 0);
  await Promise.all(workers.map(({ worker }) => once(worker, 'exit')));
  return figures;
}

async function allocations() {
  const rows = PHASES.map(({ kib, when }) => ({ kib, when, off: [[], []], same: [[], []], on: [[], []] }));
  for (let pair = 0; pair < PAIRS; pair++) {
    for (const name of ['same', 'on']) {
      const profiled = [name === 'on', false];
      if (pair % 2 === 1) profiled.reverse();
      const figures = await measurePair(profiled);
      figures.forEach((each, phase) => {
        const [first, second] = pair % 2 === 1 ? [each[1], each[0]] : each;
        for (const which of [0, 1]) {
          rows[phase][name][which].push(first[which] / second[which]);
          rows[phase].off[which].push(second[which]);
        }
      });
    }
  }
  const middle = (values) => [0.25, 0.75].map((q) => rounded(quantile(values, q), 2)).join('…');
  for (const [which, what] of [
    [0, 'with all collections'],
    [1, 'between collections'],
  ]) {
    console.log(`Buffer.allocUnsafeSlow(n), ${what}, with buffers profiled every 512 KiB (${PAIRS} pairs):`);
    console.table(
      rows
        .filter(({ when }) => when)
        .map(({ kib, when, off, same, on }) => ({
          KiB: kib,
          '': when,
          'off, ns': Math.round(median(off[which])),
          'A/A': rounded(median(same[which])),
          'A/A, middle half': middle(same[which]),
          'on/off': rounded(median(on[which])),
          'on/off, middle half': middle(on[which]),
        })),
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
  const sources = ['arena', 'buffer_allocator', 'buffer_profile', 'clocks', 'profile_tables'];
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
  // Turns are taken, so one processor will do, and two would not be equally fast.
  const pin = spawnSync('taskset', ['-c', '0', 'true']).status === 0;
  // Each in a process of its own: threads take over options of those before.
  for (const part of wanted.length > 0 ? wanted : Object.keys(parts)) {
    const command = [process.execPath, __filename, '--in-this-process', part];
    if (pin && part === 'alloc') command.unshift('taskset', '-c', '0');
    execFileSync(command[0], command.slice(1), { stdio: 'inherit' });
  }
}

main();
