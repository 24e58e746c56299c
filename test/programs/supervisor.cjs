#!/usr/bin/env node
'use strict';
// Starts a Node.js program, ends it by SIGUSR2 as soon as it prints something, and does so once more: like nodemon, directly or
// through a shell. Prints how each ended. A program that goes on gets SIGKILL: a second after it told of its profile, or after a minute.
const { spawn } = require('node:child_process');

const [how, ...args] = process.argv.slice(2);

function once(left) {
  const options = { stdio: ['pipe', 'pipe', 'pipe'] };
  // The shell stays, as it does where the command is no simple one.
  const child =
    how === 'shell'
      ? spawn('sh', ['-c', '"$0" "$@"; kill -s USR2 $$', process.execPath, ...args], options)
      : spawn(process.execPath, args, options);
  let late = false;
  let timer;
  child.stdout.once('data', (pid) => {
    const killAfter = (ms) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        late = true;
        process.kill(Number(pid), 'SIGKILL');
      }, ms);
    };
    child.stderr.on('data', (text) => {
      if (String(text).includes('memprof: wrote')) killAfter(1000);
    });
    killAfter(60_000);
    process.kill(Number(pid), 'SIGUSR2');
    if (process.platform !== 'win32' && args[1] === 'run') child.kill('SIGUSR2');
  });
  child.stderr.pipe(process.stderr, { end: false });
  child.on('close', (code, signal) => {
    clearTimeout(timer);
    console.log(`ended ${late ? 'late' : (signal ?? code)}`);
    if (left > 1) once(left - 1);
  });
}
once(2);
