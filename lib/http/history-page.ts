import { judgeGrowth } from '../analysis/growth.js';
import type { History, HistorySite, Remembered } from '../analysis/history.js';
import { formatTime, formatValue } from '../analysis/units.js';
import { escapeHtml, plainPage } from '../base/html.js';

const WIDTH = 560;
const HEIGHT = 90;
const SITES = 20;

const bytes = (value: number) => formatValue(Math.round(value), 'bytes');

const STYLE = `h2 { font-size: 1.1rem; }
figure { margin: 0 0 1rem; }
figcaption { overflow-wrap: anywhere; }
svg { display: block; width: 100%; background: var(--card); }
polyline { fill: none; stroke: #d64545; stroke-width: 2; vector-effect: non-scaling-stroke; }
`;

/**
 * A page that shows how the heap and the sites that grew most have changed. It needs no script, and loads nothing.
 * `why`: the address of what holds the memory of a site.
 */
export function formatHistoryPage(
  { moments, sites, buffers, unprofiledBuffers }: History,
  program: string,
  why?: (site: string) => string,
): string {
  const times = moments.map(({ time }) => time);
  const title = `${program}, process ${process.pid}: history of the heap`;
  const figures: [string, number[]][] = [
    ['heap after collections', moments.map(({ heap }) => heap)],
    ['outside the heap', moments.map(({ external }) => external)],
    ['resident (RSS)', moments.map(({ rss }) => rss)],
  ];
  const charts =
    moments.length < 2
      ? '<p>Nothing to show yet: a moment is remembered once a minute, at a major garbage collection.</p>'
      : [
          ...figures.map(([name, values]) => chart({ name, times, values })),
          ...(unprofiledBuffers === undefined
            ? []
            : [
                `<p>Buffers are not profiled, see start({ buffers }); they take about ${bytes(unprofiledBuffers)}.</p>`,
              ]),
          '<h2>Sites that grew most</h2>',
          ...siteCharts({ moments, sites }, why),
          // What holds a Buffer cannot be asked: its memory is no object of the heap.
          ...(buffers === undefined || buffers.moments.length < 2
            ? []
            : ['<h2>Buffers, by site</h2>', ...siteCharts(buffers)]),
        ].join('\n');
  return plainPage(
    title,
    STYLE,
    `<h1>${escapeHtml(title)}</h1>
${charts}`,
  );
}

function siteCharts({ moments, sites }: Remembered, why?: (site: string) => string): string[] {
  const times = moments.map(({ time }) => time);
  return grownMost(sites).map(({ name, points, verdict }) =>
    chart({
      name,
      verdict,
      times,
      values: points.map(([each]) => each),
      ...(why === undefined ? {} : { why: why(name) }),
    }),
  );
}

function grownMost(sites: readonly HistorySite[]): (HistorySite & { verdict: string })[] {
  const times = (sites[0]?.points ?? []).map((_, at) => at);
  const growths = judgeGrowth(
    times,
    sites.map(({ points }) => ({
      points: points.map(([bytes, samples, variance]) => ({ bytes, samples, variance })),
    })),
  );
  const growth = ({ points }: HistorySite) => points.at(-1)![0] - points[0]![0];
  return sites
    .map((site, at) => ({ ...site, verdict: growths[at]!.verdict }))
    .sort((a, b) => growth(b) - growth(a))
    .slice(0, SITES);
}

interface Chart {
  name: string;
  verdict?: string;
  times: readonly number[];
  values: readonly number[];
  /** Where the page is that tells what holds the site's memory. */
  why?: string;
}

function chart({ name, verdict = '', times, values, why }: Chart): string {
  const most = Math.max(1, ...values);
  const [first, last] = [times[0]!, times.at(-1)!];
  const line = values
    .map((value, at) => {
      const x = ((times[at]! - first) / (last - first || 1)) * WIDTH;
      return `${x.toFixed(1)},${(HEIGHT - (value / most) * (HEIGHT - 4)).toFixed(1)}`;
    })
    .join(' ');
  const ages = formatTime(last - first);
  const growth = verdict === '' || verdict === 'noise' ? '' : `; its growth is ${verdict}`;
  const link = why === undefined ? '' : ` <a href="${escapeHtml(why)}">What holds it?</a>`;
  return (
    `<figure><figcaption>${escapeHtml(name)}: ${bytes(values[0]!)} → ${bytes(values.at(-1)!)} in ${ages}${growth}${link}</figcaption>` +
    `<svg role="img" aria-label="${escapeHtml(name)}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">` +
    `<polyline points="${line}"/></svg></figure>`
  );
}
