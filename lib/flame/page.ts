import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { formatValue } from '../analysis/units.js';
import { escapeHtml } from '../base/html.js';
import { unprofiledBuffersOf } from '../profile/external-memory.js';
import type { ProfileData } from '../profile/model.js';
import type { Payload } from './browser/payload.js';
import { flameData } from './data.js';
import { pageBody } from './page-body.js';

export interface FlamePageOptions {
  title: string;
  /** The column to show first. */
  sampleIndex: number;
  /** Where the profile can be had as a file. */
  download?: { href: string; name: string };
  /** The page is of a running program. Default false. */
  live?: boolean;
  /** The address of the page that tells what holds a site's memory, up to its parameter `site`. Default: there is none. */
  why?: string;
  /** `lines`: each line of a function is a frame of its own, where lines are known. Default `places`. */
  granularity?: 'places' | 'lines';
}

/** Encodes JSON so that nothing in it can end a <script>. */
function toScriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function asset(name: string): string {
  try {
    return readFileSync(path.join(__dirname, 'browser', name), 'utf8');
  } catch (cause) {
    throw new Error(`${name} is missing from the build of memprof: run npm run build:ts`, { cause });
  }
}

function remarksOf({ comments }: ProfileData): string[] {
  const bytes = unprofiledBuffersOf(comments);
  if (bytes === undefined) return [];
  return [`Buffers are not profiled, see start({ buffers }); they take ${formatValue(bytes, 'bytes')}.`];
}

/** Makes an HTML page that shows a profile as a flame graph. It contains all it needs; its policy forbids loading anything. */
export function formatFlamePage(
  profile: ProfileData,
  base: ProfileData | undefined,
  { title, sampleIndex, download, live = false, why, granularity }: FlamePageOptions,
): string {
  const payload: Payload = {
    types: profile.sampleTypes,
    type: sampleIndex,
    diff: base !== undefined,
    live,
    why,
    program: title,
    remarks: remarksOf(profile),
    ...flameData(profile, base, granularity),
  };
  const data = toScriptJson(payload);
  const script = asset('page.js');
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;
  const link =
    download === undefined
      ? ''
      : `<a class="button" download="${escapeHtml(download.name)}" href="${escapeHtml(download.href)}">Download</a>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>
${asset('page.css')}</style>
</head>
<body>
${pageBody(escapeHtml(title), link)}
<script type="application/json" id="profile">${data}</script>
<script>${script}</script>
</body>
</html>
`;
}
