'use strict';
// Pushes to URL and comes to its end, with or without a last push.
const { start } = require('../../dist');
const { push } = require('../../dist/export/pyroscope-push.js');
const { Thing } = require('./support/thing.cjs');

const [url, stop] = process.argv.slice(2);

start({ sampleInterval: 1024 });
const pushing = push({ url, name: 'pushing', interval: 60_000 });
const kept = Array.from({ length: 10_000 }, (_, n) => new Thing(n));
gc();
if (stop === 'stop') pushing.stop().then(() => console.log(JSON.stringify(pushing.stats()), kept.length));
