'use strict';
// A program at its heap limit. Arguments: "grow" drives it there, "live" stays just below; "off" leaves memprof out; rounds.
const v8 = require('node:v8');

const [way, off, rounds] = process.argv.slice(2);
if (off !== 'off') require('../../dist').start({ sampleInterval: 16384 });

let kept = [];
function keep(n) {
  for (let i = 0; i < n; i++) kept.push({ i, text: `kept ${i}`, more: [i, i] });
}

function churn(n) {
  let last;
  for (let i = 0; i < n; i++) last = { i, text: `churned ${i}`, more: [last === undefined] };
  return last;
}

const LIMIT = 40 << 20; // --max-old-space-size=40
const share = () => v8.getHeapStatistics().used_heap_size / LIMIT;

if (way === 'grow') {
  for (;;) {
    keep(1000);
    churn(1000);
  }
}
// How many objects 87 % are is measured, not tried out: collections near the limit that free nothing end the program.
keep(1000);
gc();
const base = v8.getHeapStatistics().used_heap_size;
keep(20000);
gc();
const each = (v8.getHeapStatistics().used_heap_size - base) / 20000;
// V8 gives up when it does little but collect, by the clock, four times in a row: a program that survives here does little
// at a time and then allocates nothing for twice as long as that took with whatever V8 collected in it.
const never = new Int32Array(new SharedArrayBuffer(4));
function paced(allocate, leastPause = 1) {
  const began = performance.now();
  const result = allocate();
  Atomics.wait(never, 0, 0, Math.max(leastPause, 2 * (performance.now() - began)));
  return result;
}
function keepPaced(n) {
  for (let left = n; left > 0; left -= 1000) paced(() => keep(Math.min(left, 1000)));
}
paced(gc);
// In pieces, since an array that grows needs room for both its old and its new self.
const pieces = [kept];
while (pieces.length * 20000 * each < 0.87 * LIMIT - base - 20000 * each) {
  kept = [];
  pieces.push(kept);
  keepPaced(20000);
}
// Up to 88 %, again and again: V8 gives back what it holds of its own (bytecode, caches) when it likes.
function fillUp() {
  const missing = Math.floor((0.885 * LIMIT - v8.getHeapStatistics().used_heap_size) / each);
  if (missing <= 0) return;
  kept = [];
  pieces.push(kept);
  keepPaced(missing);
}
function live() {
  return paced(() => {
    gc(); // garbage must not be taken for what lives
    return share();
  }, 50);
}
for (let n = 0; n < 5 && live() < 0.883; n++) fillUp();
const shares = [];
for (let i = 0; i < Number(rounds); i++) {
  for (let n = 0; n < 5; n++) paced(() => churn(1000), 2);
  // Some of what lives is replaced, so that collections have work to do.
  const piece = pieces[i % pieces.length];
  paced(() => {
    for (let n = 0; n < 100; n++)
      piece[(i * 7919 + n) % piece.length] = { i, text: `again ${n}`, more: [i, n] };
  });
  if (i % 20 !== 0) continue;
  shares.push(live());
  fillUp();
}
const result = { lowest: Math.min(...shares), highest: Math.max(...shares) };
if (off === 'off') console.log(JSON.stringify(result));
else {
  paced(() => require('../../dist').stop());
  pieces.length = 0; // the report is the test's own
  require('./support/report.cjs').report(result);
}
kept = [];
