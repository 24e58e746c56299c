// The examples of the documentation: its fenced blocks of shell and JavaScript.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './run.js';

export interface Example {
  page: string;
  line: number;
  language: 'sh' | 'js';
  text: string;
  /** Why no test runs it: `<!-- not run: REASON -->` on the line above the block. */
  notRun?: string;
}

const LANGUAGES: Readonly<Record<string, Example['language']>> = {
  sh: 'sh',
  bash: 'sh',
  shell: 'sh',
  js: 'js',
  javascript: 'js',
  mjs: 'js',
  cjs: 'js',
  ts: 'js',
  typescript: 'js',
};

export function examplesOf(page: string, text: string): Example[] {
  const examples: Example[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const fence = /^( *)(```+|~~~+)\s*([\w-]*)/.exec(lines[at]!);
    if (fence === null) continue;
    const [, indent, mark, info] = fence;
    const first = at + 1;
    do at++;
    while (at < lines.length && lines[at]!.trim() !== mark);
    const language = LANGUAGES[info!];
    if (language === undefined) continue;
    const above =
      lines
        .slice(0, first - 1)
        .reverse()
        .find((line) => line.trim() !== '') ?? '';
    const reason = /^\s*<!-- not run: (.+?) -->$/.exec(above)?.[1];
    examples.push({
      page,
      line: first,
      language,
      text: lines
        .slice(first, at)
        .map((line) => line.slice(indent!.length))
        .join('\n'),
      ...(reason === undefined ? {} : { notRun: reason }),
    });
  }
  return examples;
}

/** All examples of README.md and of docs/, with its folders. */
export function allExamples(): Example[] {
  const pages = readdirSync(path.join(root, 'docs'), { recursive: true })
    .map((name) => path.join('docs', String(name)))
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'));
  return ['README.md', ...pages.sort()].flatMap((page) =>
    examplesOf(page, readFileSync(path.join(root, page), 'utf8')),
  );
}
