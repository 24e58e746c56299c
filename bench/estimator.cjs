'use strict';
// How well are samples imputed that were lost because garbage collections went by without a harvest? Records real programs
// with every collection harvested, replays the recordings with most harvests left out, and prints the distance between
// the estimated and the true split of allocated bytes over functions (0 perfect, 1 nothing in common).
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const INTERVAL = 128 * 1024;
const SAMPLES = Number(process.argv[2] ?? 30000);
const TARGETS = {
  server: { every2: 0.035, every5: 0.075 },
  compiler: { every2: 0.13, every5: 0.25 },
};

const root = path.join(__dirname, '..');
const native = path.join(root, 'native');
const temp = fs.mkdtempSync(path.join(os.tmpdir(), 'memprof-estimator-'));

function buildReplay() {
  const binary = path.join(temp, 'replay');
  const sources = ['arena', 'harvest', 'imputer', 'profile_tables'].map((each) =>
    path.join(native, `${each}.cc`),
  );
  const flags = ['-std=gnu++20', '-O2', `-I${native}`, '-o', binary];
  execFileSync(process.env.CXX ?? 'g++', [
    ...flags,
    path.join(__dirname, 'estimator', 'replay.cc'),
    ...sources,
  ]);
  return binary;
}

function main() {
  const replay = buildReplay();
  const rows = [];
  let missed = 0;
  for (const [name, targets] of Object.entries(TARGETS)) {
    const recording = path.join(temp, name);
    const child = path.join(__dirname, 'support', 'record-workload.cjs');
    execFileSync(process.execPath, [child, name, recording, String(INTERVAL), String(SAMPLES)], {
      stdio: 'pipe',
    });
    const result = JSON.parse(execFileSync(replay, [recording, String(INTERVAL)], { encoding: 'utf8' }));
    fs.rmSync(recording);
    for (const every of ['every2', 'every5']) {
      const { distance, worst, dropped, lostShare, miscounted } = result[every];
      const ok = distance <= targets[every] && distance <= dropped && miscounted <= 1;
      if (!ok) missed++;
      rows.push({
        workload: name,
        GCs: result.gcs,
        samples: result.samples,
        harvested: every === 'every2' ? '1 in 2' : '1 in 5',
        lost: `${(100 * lostShare).toFixed(1)} %`,
        distance,
        target: targets[every],
        worst,
        dropped,
        noise: result.noise,
        miscounted,
        ok,
      });
    }
  }
  console.table(rows);
  fs.rmSync(temp, { recursive: true });
  process.exitCode = missed === 0 ? 0 : 1;
}

main();
