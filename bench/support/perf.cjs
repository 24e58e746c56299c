'use strict';
// What Linux's `perf` says of a program's main thread: how much of its time went to memprof's own code and to V8's for
// samples of the heap. It needs a `node` with frame pointers, as the official binaries have them.
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');

/** Why there is no `perf`; undefined if it works. */
function perfProblem() {
  const file = path.join(os.tmpdir(), `memprof-perf-${process.pid}`);
  const args = ['record', '-q', '--clockid', 'CLOCK_MONOTONIC', ...event(1000), '-o', file, 'true'];
  const { error, status, stderr } = spawnSync('perf', args, { encoding: 'utf8' });
  fs.rmSync(file, { force: true });
  if (error !== undefined) return `perf is missing (Debian's package linux-perf): ${error.message}`;
  return status === 0 ? undefined : stderr.trim();
}

// Twenty frames lead from a leaf back to memprof's code, wherever it calls others. The stacks of programs are much deeper.
function event(hertz) {
  return ['-e', `cpu-clock/freq=${hertz},max-stack=20,call-graph=fp/`];
}

/** The command before `node` that records it into `file`. */
function perfCommand(file, hertz = 3999) {
  return ['perf', 'record', '-q', '--clockid', 'CLOCK_MONOTONIC', ...event(hertz), '-o', file, '--'];
}

const OURS =
  /\/memprof[\w.]*\.node\)|v8::internal::SamplingHeapProfiler::|HeapProfiler::GetAllocationProfile/;

/** Counts a thread's samples between two times (seconds of the monotonic clock): all, and those in code for samples. */
async function countSamples(file, thread, from, to) {
  const child = spawn('perf', ['script', '-i', file, '-F', 'tid,time,ip,sym,dso'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const counts = { all: 0, ours: 0 };
  let counting = false;
  let isOurs = false;
  const end = () => {
    if (counting && isOurs) counts.ours++;
    counting = isOurs = false;
  };
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const [, tid, time] = /^ *(\d+) +(\d+\.\d+): *$/.exec(line) ?? [];
    if (tid !== undefined) {
      end();
      counting = Number(tid) === thread && Number(time) >= from && Number(time) <= to;
      if (counting) counts.all++;
    } else if (counting && !isOurs) {
      isOurs = OURS.test(line);
    }
  }
  end();
  return counts;
}

module.exports = { countSamples, perfCommand, perfProblem };
