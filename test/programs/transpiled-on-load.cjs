'use strict';
// Loads a module through a hook that transpiles it, as @babel/register and its like do, and tells where its functions are.
// usage: node [--require memprof/register] transpiled-on-load.cjs FILE HOW: 'extension', 'compile' (pirates), 'script' (jest)
// or 'bare' (no map)
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const vm = require('node:vm');
const memprof = require('../../dist');

/** Puts four lines before the code, without a line for comments, and a map after it. */
function transpile(source, fileName, withMap) {
  const lines = source.split('\n');
  const kept = [...lines.entries()].filter(([, line]) => !line.startsWith('//'));
  const code = ["'use strict';", '', '', '', ...kept.map(([, line]) => line)].join('\n');
  if (!withMap) return code;
  let last = 0;
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef';
  const segments = kept.map(([index]) => {
    const step = (index - last) * 2;
    last = index;
    return `AA${step < 32 ? digits[step] : ''}A`;
  });
  const map = { version: 3, sources: [fileName], names: [], mappings: `;;;;${segments.join(';')}` };
  const data = Buffer.from(JSON.stringify(map)).toString('base64');
  return `${code}\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,${data}\n`;
}

const read = (fileName) => readFileSync(fileName, 'utf8');
const before = Module._extensions['.js'];

const hooks = {
  extension(module, fileName) {
    module._compile(transpile(read(fileName), fileName, true), fileName);
  },
  bare(module, fileName) {
    module._compile(transpile(read(fileName), fileName, false), fileName);
  },
  compile(module, fileName) {
    const compile = module._compile;
    module._compile = function _compile(code, name) {
      module._compile = compile;
      module._compile(transpile(code, name, true), name);
    };
    before(module, fileName);
  },
  script(module, fileName) {
    const wrapped = `({"Object.<anonymous>":function(module,exports,require){${transpile(read(fileName), fileName, true)}\n}});`;
    const script = new vm.Script(wrapped, { filename: fileName });
    script.runInThisContext()['Object.<anonymous>'](module, module.exports, require);
  },
};

async function main([fileName, how]) {
  if (memprof.status().state !== 'running') memprof.start({ sampleInterval: 512 });
  Module._extensions['.js'] = hooks[how];
  globalThis.kept = require(fileName)();
  Module._extensions['.js'] = before;
  // Figures are as of the last collection.
  gc();
  const chunks = [];
  const { Writable } = require('node:stream');
  const sink = new Writable({ write: (chunk, _encoding, done) => done(void chunks.push(chunk)) });
  await memprof.lookup('heap').writeTo(sink, 0);
  const places = new Set();
  for (const { stack } of memprof.parseProfile(Buffer.concat(chunks)).samples) {
    for (const frame of stack) {
      if (frame.functionName !== 'makeItems') continue;
      places.add(`${frame.fileName.slice(frame.fileName.lastIndexOf('/') + 1)}:${frame.lineNumber}`);
    }
  }
  console.log(JSON.stringify([...places]));
}

main(process.argv.slice(2));
