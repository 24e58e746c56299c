'use strict';
// A worker runs out of its own memory. Arguments: "off" leaves memprof out, workers.
const { Worker, isMainThread, workerData } = require('node:worker_threads');

const off = isMainThread ? process.argv[2] === 'off' : workerData.off;
if (!off) require('../../dist').start({ sampleInterval: 16384 });

function inWorker() {
  const kept = [];
  for (let i = 0; ; i++) kept.push({ i, text: `kept ${i}`, more: [i, i] });
}

async function inMainThread() {
  const ends = [];
  for (let i = 0; i < Number(process.argv[3]); i++) {
    const worker = new Worker(__filename, {
      workerData: { off },
      resourceLimits: { maxOldGenerationSizeMb: 20 },
    });
    const end = {};
    worker.on('error', (error) => {
      end.error = error.code;
    });
    end.code = await new Promise((resolve) => worker.on('exit', resolve));
    ends.push(`${end.error} ${end.code}`);
  }
  const result = { ends: [...new Set(ends)] };
  if (off) return console.log(JSON.stringify(result));
  const { report, figuresOf } = require('./support/report.cjs');
  const worked = figuresOf('inWorker');
  require('../../dist').stop();
  report({ ...result, worked });
}

if (isMainThread) inMainThread();
else inWorker();
