// Rewrites dist/index.js so that each part of memprof is loaded when it is first used: `require('memprof')` is part of every
// program's start. What TypeScript writes loads all of them at once. Its exports stay as they are, since Node.js reads from
// their form what can be imported by name; only what they refer to becomes an object that loads when asked.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const file = path.join(here, '..', 'dist', 'index.js');

// Must hear of workers from the beginning.
const EAGER = 'require("./workers.js");';

const source = readFileSync(file, 'utf8');
const exported = new Map();
for (const [, module, name] of source.matchAll(/return (\w+_js_\d+)\.(\w+);/g)) {
  exported.set(module, [...(exported.get(module) ?? []), name]);
}
let rewritten = 0;
const text = source.replace(/^(?:var|const) (\w+) = (require\(".+"\));$/gm, (_, module, load) => {
  const getters = exported.get(module)?.map((name) => `get ${name}() { return ${load}.${name}; }`);
  return `${rewritten++ === 0 ? EAGER : ''} var ${module} = { ${getters?.join(', ')} };`;
});
if (rewritten === 0 || rewritten !== exported.size) {
  throw new Error(`${file} is not what TypeScript used to write`);
}
writeFileSync(file, text);
