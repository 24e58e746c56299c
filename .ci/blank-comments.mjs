// blank-comments.mjs: makes empty lines of the comments in what `require('memprof')` loads at once, which every program would
// read and scan at its start. Lines keep their numbers, so source maps stay right.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const dist = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..', 'dist');

for (const name of ['index.js', 'sampler/workers.js']) {
  const file = path.join(dist, name);
  const blank = (comment) => comment.replace(/[^\n]/g, '');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/^ *\/\*\*[\s\S]*?\*\/$/gm, blank).replace(/^ *\/\/(?!#).*$/gm, ''));
}
