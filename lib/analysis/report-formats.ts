// A table of functions for people who read Markdown, and for programs.
import { printable } from '../base/text.js';
import type { Report } from './report.js';
import { formatWithError } from './units.js';

/** A cell of a Markdown table, as code: names have all kinds of signs. */
export function markdownCode(text: string): string {
  return `\`${printable(text).replaceAll('`', "'").replaceAll('|', '\\|')}\``;
}

/** Short enough for a chat: the lines above the table, and a row for each function. */
export function formatTopMarkdown({ nodes, errors, unit, labels, format, percent }: Report): string {
  const lines = labels.map((label) => `${label.replace(/([*_`<>|])/g, '\\$1')}  \n`);
  lines.push('\n| self | ± | self % | total | total % | function |\n| --: | --: | --: | --: | --: | --- |\n');
  for (const node of nodes) {
    const [flat, error] = formatWithError(node.flat, errors?.get(node.name) ?? 0, unit);
    const cells = [
      flat,
      error === '0' ? '' : `±${error}`,
      percent(node.flat).trim(),
      format(node.cum),
      percent(node.cum).trim(),
    ];
    lines.push(`| ${cells.join(' | ')} | ${markdownCode(node.name)} |\n`);
  }
  return lines.join('');
}

/** Figures as they are, in the unit of the profile. */
export function formatTopJson({ nodes, errors, type, unit, total, labels }: Report): string {
  const functions = nodes.map(({ name, flat, cum }) => ({
    name,
    self: flat,
    ...(errors === undefined ? {} : { selfError: Math.round(errors.get(name) ?? 0) }),
    total: cum,
  }));
  return `${JSON.stringify({ type, unit, total, labels, functions }, null, 2)}\n`;
}
