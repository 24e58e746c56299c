import { type Growth, judgeGrowth } from '../analysis/growth.js';
import type { ProfileSites, SiteSeries } from '../analysis/leak-sites.js';
import { markdownCode } from '../analysis/report-formats.js';
import { unexplainedGrowth } from '../analysis/unexplained-growth.js';
import { formatCompact } from '../analysis/units.js';
import type { Observed } from './leaks.js';

const ORDER = { certain: 0, likely: 1, noise: 2 } as const;

interface Judged {
  site: SiteSeries;
  growth: Growth;
}

function judge(
  profiles: readonly ProfileSites[],
  times: readonly number[] | undefined,
  series: readonly SiteSeries[],
  { nodeCount, all }: { nodeCount: number; all: boolean },
): Judged[] {
  const growths = judgeGrowth(times ?? profiles.map((_, at) => at), series);
  const judged = series
    .map((site, at) => ({ site, growth: growths[at]! }))
    .filter(({ growth }) => all || growth.verdict !== 'noise')
    .sort((a, b) => ORDER[a.growth.verdict] - ORDER[b.growth.verdict] || b.growth.slope - a.growth.slope);
  return nodeCount === 0 ? judged : judged.slice(0, nodeCount);
}

type Options = Parameters<typeof judge>[3];

function unexplainedOf(
  profiles: readonly ProfileSites[],
  times: readonly number[] | undefined,
  series: readonly SiteSeries[],
): object {
  const judged = judge(profiles, times, series, { all: true, nodeCount: 0 });
  const { unexplained, weak, samplesNeeded } = unexplainedGrowth(profiles, judged);
  return { unexplainedBytes: unexplained, samplesNeeded, tooFewSamples: weak };
}

export function formatLeaksJson(observed: Observed, options: Options): string {
  return `${JSON.stringify(toJson(observed, options), null, 2)}\n`;
}

function toJson({ profiles, times, series, buffers }: Observed, options: Options): object {
  const sites = judge(profiles, times, series, options).map(({ site, growth }) => ({
    site: site.name,
    verdict: growth.verdict,
    chance: growth.chance,
    [times === undefined ? 'bytesPerProfile' : 'bytesPerSecond']: growth.slope,
    error: growth.sigma,
    samples: [site.points[0]!.samples, site.points.at(-1)!.samples],
    stack: site.frames,
  }));
  const total = {
    profiles: profiles.length,
    seconds: times === undefined ? null : times.at(-1)! - times[0]!,
    inUseBytes: [profiles[0]!.bytes, profiles.at(-1)!.bytes],
    externalBytes: [profiles[0]!.external ?? null, profiles.at(-1)!.external ?? null],
    unprofiledBufferBytes: [
      profiles[0]!.unprofiledBuffers ?? null,
      profiles.at(-1)!.unprofiledBuffers ?? null,
    ],
    rssBytes: [profiles[0]!.rss ?? null, profiles.at(-1)!.rss ?? null],
    sitesLookedAt: series.length,
    ...unexplainedOf(profiles, times, series),
  };
  return { ...total, sites, ...(buffers === undefined ? {} : { buffers: toJson(buffers, options) }) };
}

export function formatLeaksMarkdown(
  { profiles, times, series, buffers }: Observed,
  options: Options,
): string {
  const judged = judge(profiles, times, series, options);
  const size = (bytes: number | undefined) => (bytes === undefined ? '?' : formatCompact(bytes, 'bytes'));
  const span =
    times === undefined ? '' : ` in ${formatCompact((times.at(-1)! - times[0]!) * 1e9, 'nanoseconds')}`;
  const [first, last] = [profiles[0]!, profiles.at(-1)!];
  const lines = [
    `${profiles.length} profiles${span}: in use ${size(first.bytes)} → ${size(last.bytes)}` +
      (last.external === undefined
        ? ''
        : `, outside the heap ${size(first.external)} → ${size(last.external)}`) +
      (last.unprofiledBuffers === undefined
        ? ''
        : `, Buffers (not profiled) ${size(first.unprofiledBuffers)} → ${size(last.unprofiledBuffers)}`),
    '',
  ];
  if (judged.length === 0) lines.push(`None of ${series.length} sites grows steadily.`);
  else {
    lines.push(`| growth per ${times === undefined ? 'profile' : 's'} | ± | samples | verdict | site |`);
    lines.push('| --: | --: | --: | --- | --- |');
  }
  for (const { site, growth } of judged) {
    const samples = `${site.points[0]!.samples} → ${site.points.at(-1)!.samples}`;
    lines.push(
      `| ${size(growth.slope)} | ±${size(growth.sigma)} | ${samples} | ${growth.verdict} | ${markdownCode(site.name)} |`,
    );
  }
  const [worst] = judged;
  if (worst !== undefined) {
    lines.push('', 'The stack of the first one that grew most:', '', '```');
    lines.push(...worst.site.frames.slice(0, 12), '```');
  }
  if (buffers !== undefined) lines.push('', 'Buffers:', '', formatLeaksMarkdown(buffers, options).trimEnd());
  return `${lines.join('\n')}\n`;
}
