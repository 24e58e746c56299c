// Reports on hundreds of thousands of samples take no longer than `go tool pprof`, and half its memory.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { FUNCTION, LABEL, LINE, LOCATION, PROFILE, SAMPLE, VALUE_TYPE } from '#dist/formats/pprof/fields.js';
import { WireWriter } from '#dist/formats/pprof/wire-writer.js';
import { main } from '../support/cli.js';
import { scaled } from '../support/hazard.js';
import { message } from '../support/protos.js';
import { seededRandom } from '../support/random.js';
import { needs } from '../support/tools.js';

const DEPTH = 12;

interface Cost {
  /** CPU time in hundredths of a second, and memory in MiB, both as of just before the end. */
  ticks: number;
  mib: number;
  output: string;
}

/** Linux tells the peak of a process while it runs. */
function costOf(command: string, args: readonly string[]): Promise<Cost> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, TZ: 'UTC' },
    });
    const cost: Cost = { ticks: 0, mib: 0, output: '' };
    const look = () => {
      // The descendants as well: `go tool` starts the tool.
      for (const pid of [child.pid!, ...childrenOf(child.pid!)]) {
        try {
          const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
          const peak = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0;
          cost.ticks = Math.max(cost.ticks, Number(fields[11]) + Number(fields[12]));
          cost.mib = Math.max(cost.mib, Math.round(Number(peak) / 1024));
        } catch {} // It has just ended.
      }
    };
    const timer = setInterval(look, 20);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      cost.output += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve(cost);
      else reject(new Error(`${command} ended with ${code}`));
    });
  });
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

function largeProto(samples: number): Uint8Array {
  const functions = Math.round(samples / 3);
  const random = seededRandom(1);
  const out = new WireWriter(1 << 24);
  const texts = ['', 'inuse_space', 'bytes'];
  // As heap profiles have them.
  const label = (size: number) =>
    message([
      [LABEL.key, 2],
      [LABEL.number, size],
    ]);
  out.bytesField(
    PROFILE.sampleType,
    message([
      [VALUE_TYPE.type, 1],
      [VALUE_TYPE.unit, 2],
    ]),
  );
  for (let id = 1; id <= functions; id++) {
    texts.push(`pkg${id % 500}.(*Type${id % 3000}).Method${id}`);
    out.bytesField(
      PROFILE.function,
      message([
        [FUNCTION.id, id],
        [FUNCTION.name, texts.length - 1],
        [FUNCTION.systemName, texts.length - 1],
      ]),
    );
    out.bytesField(
      PROFILE.location,
      message([
        [LOCATION.id, id],
        [LOCATION.address, id * 64],
        [
          LOCATION.line,
          message([
            [LINE.functionId, id],
            [LINE.line, id % 1000],
          ]),
        ],
      ]),
    );
  }
  for (let i = 0; i < samples; i++) {
    const stack = Array.from({ length: DEPTH }, () => 1 + Math.floor(random() ** 2 * functions));
    out.bytesField(
      PROFILE.sample,
      message([
        [SAMPLE.locationIds, stack],
        [SAMPLE.values, [1 + Math.floor(random() * 5000)]],
        [SAMPLE.label, label(8 << Math.floor(random() * 10))],
      ]),
    );
  }
  for (const text of texts) out.stringField(PROFILE.string, text);
  return out.written();
}

t.test('top of hundreds of thousands of samples', needs('go'), async (t) => {
  const samples = scaled(t, 'samples', 100_000, 300_000);
  const file = path.join(t.testdir({}), 'large.pb');
  const fd = openSync(file, 'w');
  writeSync(fd, largeProto(samples));
  closeSync(fd);
  const go = await costOf('go', ['tool', 'pprof', '-top', file]);
  const own = await costOf(process.execPath, [main, 'top', '--functions', file]);
  t.comment(`memprof ${own.ticks / 100} s and ${own.mib} MiB; go ${go.ticks / 100} s and ${go.mib} MiB`);
  t.equal(own.output, go.output);
  t.ok(own.ticks <= go.ticks, 'as fast');
  t.ok(own.mib <= go.mib / 2, 'half the memory');
});

t.test('top of 150 MB of text with a million samples', async (t) => {
  const chunks = scaled(t, 'times 10,000 samples', 20, 100);
  const file = path.join(t.testdir({}), 'large.heap');
  const random = seededRandom(2);
  const fd = openSync(file, 'w');
  writeSync(fd, 'heap profile: 1000: 1000000 [2000: 3000000] @ heap_v2/524288\n');
  for (let chunk = 0; chunk < chunks; chunk++) {
    const lines = Array.from({ length: 10_000 }, () => {
      const objects = 1 + Math.floor(random() * 9);
      const stack = Array.from(
        { length: 14 },
        () => `0x${(0x400000 + Math.floor(random() ** 2 * 200_000) * 16).toString(16)}`,
      );
      return `${objects}: ${objects * 64} [${objects * 2}: ${objects * 128}] @ ${stack.join(' ')}`;
    });
    writeSync(fd, `${lines.join('\n')}\n`);
  }
  closeSync(fd);
  const { ticks, mib, output } = await costOf(process.execPath, [main, 'top', '--functions', file]);
  t.comment(`${ticks / 100} s of CPU, ${mib} MiB`);
  t.match(output, '<unknown>');
  t.ok(mib < (chunks < 100 ? 512 : 1024));
});
