'use strict';
// What a turn of the steady garbage allocates, by V8's count of collected bytes.
const { answer } = require('../support/program.cjs');
const memprof = require('../..');
const makeWork = require('../workloads/steady-garbage.cjs');

const TURNS = 300;

const work = makeWork();
for (let i = 0; i < TURNS; i++) work();
memprof.start();
const before = memprof.readMemStats().totalAlloc;
for (let i = 0; i < TURNS; i++) work();
answer({ bytes: (memprof.readMemStats().totalAlloc - before) / TURNS });
