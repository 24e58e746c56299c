import { escapeHtml } from '../base/html.js';
import type { Member } from './family.js';

export interface IndexEntry {
  name: string;
  href: string;
  count: number;
  description: string;
}

export interface IndexFacts {
  program: string;
  pid: number;
  /** Where the page is: `http://127.0.0.1:6060/debug/pprof/`. */
  address: string;
  entries: readonly IndexEntry[];
  /** Sentences about memory, and about the profiler. */
  memory: readonly string[];
  status: readonly string[];
  /** All processes at the address, if there are several. */
  members: readonly Member[];
  /** What links of this page end with, to stay with the process: `pid=4711`. */
  suffix: string;
}

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;

function withSuffix(href: string, suffix: string): string {
  return suffix === '' ? href : `${href}${href.includes('?') ? '&' : '?'}${suffix}`;
}

function membersTable(members: readonly Member[], pid: number): string {
  if (members.length < 2) return '';
  const rows = members.map(
    ({ pid: each, program, heap, external, rss }) =>
      `<tr><td>${each === pid ? `<b>${each}</b>` : `<a href='./?pid=${each}'>${each}</a>`}</td><td title="${escapeHtml(program)}">${escapeHtml(program.split(/[\\/]/).at(-1)!)}</td>` +
      `<td>${megabytes(heap)}</td><td>${megabytes(external)}</td><td>${megabytes(rss)}</td><td><a href='flame?pid=${each}'>flame graph</a></td></tr>`,
  );
  return `<h2>Processes at this address</h2>
<table class="wide"><thead><tr><th>pid</th><th>program</th><th>heap</th><th>external</th><th>RSS</th><th>graph</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>
<p>All together: <a href='flame?pid=all'>flame graph</a>, <a href='heap?pid=all'>heap profile</a>.</p>`;
}

/** The page at `/debug/pprof/`. Its table has the rows that Go's has. */
export function indexPage(facts: IndexFacts): string {
  const { program, pid, address, entries, memory, status, members, suffix } = facts;
  const link = (href: string, text: string) => `<a href='${withSuffix(href, suffix)}'>${text}</a>`;
  const rows = entries.map(
    ({ name, href, count }) =>
      `<tr><td>${count}</td><td><a href='${withSuffix(href, suffix)}'>${name}</a></td></tr>`,
  );
  const items = entries.map(({ name, description }) => `<dt>${name}</dt><dd>${description}</dd>`);
  const heap = `${address}${withSuffix('heap?gc=1', suffix)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>/debug/pprof/</title>
<style>
:root{--text:#1d2125;--soft:#57606a;--back:#fff;--card:#f4f5f7;--line:#d4d8dd;--link:#0b57d0}
@media (prefers-color-scheme:dark){:root{--text:#e6e8ea;--soft:#a5adb5;--back:#16181b;--card:#1f2327;--line:#3a4047;--link:#8ab4f8}}
body{margin:0 auto;max-width:60em;padding:1em;font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back)}
h1{font-size:1.2em;margin:0;overflow-wrap:anywhere}
h2{font-size:1em;margin:1.6em 0 .4em}
p{margin:.3em 0}
a{color:var(--link)}
.soft{color:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.7em 1em;margin-top:.8em}
.card p:first-child{font-size:1.15em}
.views{display:flex;flex-wrap:wrap;gap:.5em;margin:.8em 0;padding:0;list-style:none}
.views a{display:block;padding:.35em .8em;border:1px solid var(--line);border-radius:6px;background:var(--card);text-decoration:none}
table{border-collapse:collapse}
td,th{padding:.15em .8em .15em 0;text-align:left}
td:first-child{font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3em 1em;margin:.5em 0}
dt{font-weight:600}
dd{margin:0}
pre{overflow:auto;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.6em .8em}
.scroll{overflow-x:auto}
@media (max-width:600px){dl{grid-template-columns:1fr}dd{margin-bottom:.4em}}
</style>
</head>
<body>
<main>
<h1>${escapeHtml(program)}</h1>
<p class="soft">process ${pid}, Node.js ${process.version}${suffix === '' ? '' : " · <a href='./'>all processes</a>"}</p>
<div class="card">
${memory.map((each) => `<p>${escapeHtml(each)}</p>`).join('\n')}
</div>
<ul class="views">
<li>${link('flame', 'Flame graph')}</li>
<li>${link('flame?gc=1', '… after a collection')}</li>
<li>${link('flame?seconds=30', 'What changes in 30 s')}</li>
<li>${link('flame?type=alloc_space', 'What allocates')}</li>
</ul>
<p>To find what grows, or to look closer:</p>
<pre tabindex="0">npx memprof leaks '${escapeHtml(heap)}' --count 10 --every 15s
go tool pprof '${escapeHtml(heap)}'</pre>
${status.map((each) => `<p>${escapeHtml(each)}</p>`).join('\n')}
<div class="scroll">${membersTable(members, pid)}</div>
<h2>Types of profiles available</h2>
<table>
<thead><tr><th scope="col">Count</th><th scope="col">Profile</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
<p>${link('heap?gc=1', 'heap after a garbage collection')}</p>
<h2>Profile Descriptions</h2>
<dl>
${items.join('\n')}
</dl>
</main>
</body>
</html>
`;
}
