import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { after, golden, main, memprof, type Run } from '../support/cli.js';

function oneLine(t: Test, run: Run, expected: RegExp): void {
  t.equal(run.code, 1);
  t.equal(run.stdout, '');
  t.match(run.stderr, expected);
  t.match(run.stderr, /^memprof: [^\n]+\n$/, 'one line');
}

t.test('a bad file causes a message of one line and exit code 1', async (t) => {
  const proto = readFileSync(after);
  const plain = gunzipSync(proto);
  const text = readFileSync(golden, 'utf8');
  const bad: Record<string, Buffer | string> = {
    empty: '',
    'truncated.gz': proto.subarray(0, 1000),
    'truncated.pb': plain.subarray(0, plain.length - 7),
    'truncated.txt': text.slice(0, text.indexOf('@ heap')),
    'garbage.txt': 'hello\nworld\n',
    'garbage.bin': Buffer.from(Array.from({ length: 999 }, (_, at) => (at * 7919) % 251)),
    'line.txt': `${text.slice(0, text.indexOf('\n') + 1)}what is this\n`,
    'json.heapprofile': '{"head":{}}',
    'nothing.pb.gz': gzipSync(''),
  };
  for (const [name, content] of Object.entries(bad)) {
    const file = path.join(t.testdirName, name);
    t.testdir({ ...Object.fromEntries([[name, Buffer.from(content)]]) });
    for (const command of [
      ['top', file],
      ['flame', file, '-o', '-'],
      ['convert', file, '-o', '-', '--format', 'folded'],
    ]) {
      oneLine(t, memprof(command), new RegExp(name));
    }
  }
  oneLine(t, memprof(['top', '-'], { input: 'x' }), /standard input/);
  oneLine(t, memprof(['top', '/no/such/file']), /\/no\/such\/file: no such file/);
  oneLine(t, memprof(['top', '/']), /is a directory/);
  oneLine(t, memprof(['top', '--base', '/no/such', after]), /\/no\/such: no such file/);
  oneLine(t, memprof(['peek', after, 'nothingLikeThis']), /no function matches nothingLikeThis/);
  oneLine(t, memprof(['flame', after, '-o', '/no/such/x.html']), /cannot write/);
});

t.test('profiles that cannot be compared', async (t) => {
  const file = path.join(t.testdir(), 'growth.txt');
  writeFileSync(file, 'heap profile: 1: 8 [1: 8] @ growthz\n1: 8 [1: 8] @ 0x10\n');
  oneLine(
    t,
    memprof(['top', '--base', file, after]),
    /the profiles count different things: alloc_objects\/count, .*; and objects\/count, space\/bytes/,
  );
});

t.test('wrong usage: exit code 2, and a hint', async (t) => {
  const cases: [args: string[], expected: RegExp][] = [
    [['tpo', 'x'], /unknown command tpo: did you mean top\?/],
    [['--nonsense'], /unknown option --nonsense: options of a command follow its name/],
    [['top'], /FILE is missing/],
    [['top', '-', '-'], /standard input can be read only once/],
    [['tree', '-', '--base=-'], /standard input can be read only once/],
    [['top', '--base', 'a', '--diff_base', 'b', 'c'], /give either --base or --diff-base/],
    [['top', '--tagfocus', '(', after], /--tagfocus is not a regular expression/],
    [['top', '--cmu', after], /unknown option --cmu: did you mean --cum\?/],
    [['top', '--focus', '(', after], /--focus is not a regular expression/],
    [['top', '-n', 'many', after], /--node-count must be an integer/],
    [['top', '-n', '-3', after], /-n has no value: write -n-VALUE if the value begins with a dash/],
    [['top', '--focus', '-x', after], /--focus has no value: write --focus=-VALUE if/],
    [['top', '--nodefraction', '2', after], /--node-fraction must be a share from 0 to 1/],
    [['top', '--sample_index', 'cpu', after], /no sample_index 'cpu': there are 0 alloc_objects/],
    [['top', '--sample_index=9', after], /no sample_index '9'/],
    [['top', '--granularity', 'x', after], /--granularity must be places or functions or/],
    [['top', '--cum=yes', after], /option '--cum' does not take an argument/],
    [['peek', after], /REGEX is missing/],
    [['flame', after], /-o OUT\.html/],
    [['convert', after], /-o OUT/],
    [
      ['convert', after, '-o', 'x.exe'],
      /the name after -o must end in \.pb\.gz, \.txt, \.heapprofile, \.folded/,
    ],
    [['run'], /the program to run is missing/],
    [['run', '--stack-depth', '1000', 'x.js'], /--stack-depth must be an integer from 1 to 512/],
    [['run', '--sample-interval', 'often', 'x.js'], /--sample-interval must be bytes from 1 to 1g/],
    [['run', '--format', 'exe', 'x.js'], /--format must be pb\.gz or txt/],
    [['completion', 'tcsh'], /must be bash or zsh or fish/],
    [['help', 'nothing'], /unknown command nothing/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = memprof(args);
    t.equal(code, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, expected);
    t.match(stderr, /^memprof: [^\n]+\nTry 'memprof [a-z ]*--help'\.\n$/);
  }
  const { code, stderr } = memprof([]);
  t.equal(code, 2);
  t.match(stderr, /^Usage: memprof COMMAND/);
});

t.test('help', async (t) => {
  const commands = [
    'run',
    'top',
    'tree',
    'peek',
    'traces',
    'tags',
    'raw',
    'leaks',
    'flame',
    'convert',
    'completion',
  ];
  for (const args of [['--help'], ['-h'], ['help']]) {
    const { code, stdout, stderr } = memprof(args);
    t.equal(code, 0);
    t.match(stdout, /^Usage: memprof COMMAND/);
    for (const command of commands) t.match(stdout, `  ${command} `);
    t.equal(stderr, '');
  }
  t.equal(memprof(['help', 'top']).stdout, memprof(['top', '-h']).stdout);
  for (const command of commands) {
    const { code, stdout } = memprof([command, '--help']);
    t.equal(code, 0);
    t.match(stdout, new RegExp(`^Usage: memprof ${command} `));
    t.ok(stdout.split('\n').every((line) => line.length <= 120));
  }
  t.match(memprof(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
});

t.test('completion', async (t) => {
  const complete = (...words: string[]) => {
    const script = `${memprof(['completion', 'bash']).stdout}
COMP_WORDS=(memprof ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
_memprof; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    t.equal(stderr, '');
    return stdout.trim().split('\n');
  };
  t.same(complete('t'), ['top', 'tree', 'traces', 'tags']);
  t.same(complete('top', '--fo'), ['--format', '--focus']);
  t.same(complete('leaks', '--c'), ['--count']);
  t.same(complete('top', '--sample-index', 'alloc'), ['alloc_objects', 'alloc_space']);
  t.same(complete('run', '--format', ''), ['pb.gz', 'txt']);
  t.same(complete('completion', 'z'), ['zsh']);
  t.same(complete('top', after.slice(0, -4)), [after]);
  t.match(memprof(['completion', 'zsh']).stdout, /^#compdef memprof\n/);
  t.match(memprof(['completion', 'fish']).stdout, /complete -c memprof/);
});

t.test('a reader that closes the pipe early is not a failure', async (t) => {
  const command = `"${process.execPath}" "$0" tree --nodefraction=0 "$1" | head -1; exit \${PIPESTATUS[0]}`;
  const { status, stderr } = spawnSync('bash', ['-c', command, main, after], { encoding: 'utf8' });
  t.equal(status, 0);
  t.equal(stderr, '');
});
