'use strict';
// What a results file says about where its figures come from.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
/** Others at work on the machine make figures noisier: the load average over the minute before the run. */
const loadBefore = Number(os.loadavg()[0].toFixed(2));

function commandOutput(command, ...args) {
  try {
    return execFileSync(command, args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

function packageVersion(name) {
  const file = path.join(__dirname, '..', 'node_modules', name, 'package.json');
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).version : undefined;
}

function describeMachine() {
  const cpus = os.cpus();
  return {
    date: new Date().toISOString(),
    cpu: cpus[0]?.model ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    arch: os.arch(),
    node: process.versions.node,
    v8: process.versions.v8,
    memprof: JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')).version,
    commit: commandOutput('git', 'rev-parse', '--short', 'HEAD'),
    packages: Object.fromEntries(
      ['@datadog/pprof', 'pprof', 'autocannon', 'fastify', 'webpack'].map((name) => [
        name,
        packageVersion(name),
      ]),
    ),
    loadBefore,
  };
}

module.exports = { commandOutput, describeMachine };
