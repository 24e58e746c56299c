import type { IncomingMessage, ServerResponse } from 'node:http';
import { memoryBreakdown } from '../analysis/memory-breakdown.js';
import { formatMemoryText } from '../analysis/memory-text.js';
import type { MemoryBreakdown } from '../analysis/memory-types.js';
import { formatPercentage, formatValue } from '../analysis/units.js';
import { escapeHtml, plainPage } from '../base/html.js';
import { formValue, parseInteger, sendText } from './go-forms.js';

/** `/debug/pprof/memory`: text, or JSON or a page for whoever asks for it with `Accept`. */
export async function serveMemory(
  request: IncomingMessage,
  response: ServerResponse,
  query: string,
): Promise<void> {
  const breakdown = await memoryBreakdown({ gc: (parseInteger(formValue(query, 'gc')) ?? 0) > 0 });
  response.setHeader('Vary', 'Accept');
  response.setHeader('Cache-Control', 'no-store');
  const send = (type: string, body: string) => {
    response.setHeader('Content-Type', type);
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(body);
  };
  switch (wanted(request.headers.accept ?? '')) {
    case 'json':
      return send('application/json; charset=utf-8', `${JSON.stringify(breakdown)}\n`);
    case 'html':
      return send('text/html; charset=utf-8', memoryPage(breakdown));
    default:
      return sendText(response, formatMemoryText(breakdown));
  }
}

/** The first of what is accepted: programs ask for one type, browsers name `text/html` first. */
function wanted(accept: string): 'text' | 'html' | 'json' {
  for (const each of accept.split(',')) {
    const type = each.split(';')[0]!.trim().toLowerCase();
    if (type === 'application/json') return 'json';
    if (type === 'text/html') return 'html';
    if (type === 'text/plain') return 'text';
  }
  return 'text';
}

const COLOURS: Readonly<Record<string, string>> = {
  heap: '#4c78c8',
  buffers: '#e08a2e',
  native: '#c0504d',
  mallocFree: '#8d5fb0',
  reserved: '#3a9d8f',
  code: '#6b8e23',
  stacks: '#b0892a',
  files: '#8a949e',
  shared: '#5f9ea0',
  memprof: '#d977a8',
  unexplained: '#b8bec4',
};

const STYLE = `.bar { display: flex; height: 1.75rem; border-radius: 4px; overflow: hidden; }
.verdict { background: var(--card); border-radius: 6px; padding: 0.75rem 1rem; margin: 1rem 0; }
.verdict p { margin: 0; font-weight: 600; }
ul { margin: 0.4rem 0 0; padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; }
td { padding: 0.35rem 0.5rem; border-top: 1px solid var(--line); vertical-align: top; }
td:nth-child(2), td:nth-child(3) { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td div, .soft { color: var(--soft); font-size: 0.9rem; }
td:first-child { width: 1rem; padding-left: 0; }
td b { display: block; width: 0.9rem; height: 0.9rem; border-radius: 3px; margin-top: 0.25rem; }
tr:last-child td { font-weight: 600; }
@media (max-width: 600px) { td { padding: 0.35rem 0.3rem; } }
`;

/** A page without scripts, which loads nothing. */
function memoryPage(breakdown: MemoryBreakdown): string {
  const { pid, rss, parts, verdict, problems, threads } = breakdown;
  const colour = (name: string) => COLOURS[name] ?? '#b8bec4';
  const bars = parts.map(
    ({ name, bytes, title }) =>
      `<i style="flex:${bytes};background:${colour(name)}" title="${escapeHtml(title)}"></i>`,
  );
  const rows = parts.map(
    ({ name, bytes, title, detail }) =>
      `<tr><td><b style="background:${colour(name)}"></b></td><td>${formatValue(bytes, 'bytes')}</td><td>${percentage(bytes, rss)}</td>` +
      `<td>${escapeHtml(title)}${detail === '' ? '' : `<div>${detail.split('; ').map(escapeHtml).join('<br>')}</div>`}</td></tr>`,
  );
  const list = (items: readonly string[]) =>
    items.length === 0 ? '' : `<ul>${items.map((each) => `<li>${escapeHtml(each)}</li>`).join('')}</ul>`;
  return plainPage(
    `Memory of process ${pid}`,
    STYLE,
    `<h1>Process ${pid}: ${formatValue(rss, 'bytes')} resident, ${threads} threads</h1>
<div class="bar">${bars.join('')}</div>
<div class="verdict"><p>${escapeHtml(verdict.text)}</p>${list(verdict.advice)}</div>
<table>
${rows.join('\n')}
<tr><td></td><td>${formatValue(rss, 'bytes')}</td><td>100%</td><td>together</td></tr>
</table>
${problems.length === 0 ? '' : `<p class="soft">Not known:</p><div class="soft">${list(problems)}</div>`}
<p class="soft"><a href="?gc=1">After a garbage collection</a>, which tells what was garbage. As JSON: Accept: application/json.</p>`,
  );
}

function percentage(bytes: number, rss: number): string {
  return formatPercentage(bytes, rss).trim();
}
