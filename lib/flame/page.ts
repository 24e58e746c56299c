import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ProfileData } from '../profile/model.js';
import { flameFrames } from './frames.js';

export interface FlamePageOptions {
  title: string;
  /** The column to show first. */
  sampleIndex: number;
}

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML_ESCAPES[character]!);
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

/** Makes an HTML page that shows a profile as a flame graph. It contains all it needs; its policy forbids loading anything. */
export function formatFlamePage(
  profile: ProfileData,
  base: ProfileData | undefined,
  { title, sampleIndex }: FlamePageOptions,
): string {
  const { texts, frames } = flameFrames(profile, base);
  const data = toScriptJson({
    types: profile.sampleTypes,
    type: sampleIndex,
    diff: base !== undefined,
    texts,
    frames: frames.map(({ parent, name, place, own, ownBase }) =>
      ownBase === undefined
        ? own
          ? [parent, name, place, own]
          : [parent, name, place]
        : [parent, name, place, own ?? 0, ownBase],
    ),
  });
  const scripts = [asset('library.js'), asset('page.js')];
  const hashes = scripts.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  const policy = `default-src 'none'; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
${asset('page.css')}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}: <span id="total"></span></h1>
<fieldset id="types" aria-label="Figures"></fieldset>
<label><input id="search" type="search" placeholder="Search: text or regex" aria-label="Search"></label>
<span id="found" role="status"></span>
<button id="reset" type="button">Reset zoom</button>
<span id="legend" hidden>
<label>Widths <select id="widths"><option value="now">this profile</option><option value="base">base profile</option></select></label>
<span><i style="background:#ff9f40"></i>new</span>
<span><i style="background:rgb(255,80,80)"></i>more</span>
<span><i style="background:#ddd"></i>same</span>
<span><i style="background:rgb(80,80,255)"></i>less</span>
</span>
</header>
<p id="empty" hidden>Nothing to show: all figures of this kind are 0.</p>
<main id="chart"></main>
<footer id="details"></footer>
<noscript>This page needs JavaScript.</noscript>
<script type="application/json" id="profile">${data}</script>
<script>${scripts[0]}</script>
<script>${scripts[1]}</script>
</body>
</html>
`;
}
