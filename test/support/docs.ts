// The fenced blocks of the documentation, and which of them are commands or JavaScript.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './run.js';

/** What a reader may copy. Everything else in a fence is output, a drawing, or `notRun`. */
export interface Example {
  page: string;
  line: number;
  language: 'sh' | 'js';
  text: string;
  /** Why no test runs it: `<!-- not run: REASON -->` on the line above the block. */
  notRun?: string;
}

export interface Block extends Omit<Example, 'language'> {
  /** As it is written; '' where there is none. */
  language: string;
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

export function blocksOf(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const fence = /^( *)(```+|~~~+)\s*([\w-]*)/.exec(lines[at]!);
    if (fence === null) continue;
    const [, indent, mark, language] = fence;
    const first = at + 1;
    do at++;
    while (at < lines.length && lines[at]!.trim() !== mark);
    const above =
      lines
        .slice(0, first - 1)
        .reverse()
        .find((line) => line.trim() !== '') ?? '';
    const reason = /^\s*<!-- not run: (.+?) -->$/.exec(above)?.[1];
    blocks.push({
      page,
      line: first,
      language: language!,
      text: lines
        .slice(first, at)
        .map((line) => line.slice(indent!.length))
        .join('\n'),
      ...(reason === undefined ? {} : { notRun: reason }),
    });
  }
  return blocks;
}

/** The commands after the prompts of a transcript. */
function typedIn({ text }: Block): string {
  return text
    .split('\n')
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2))
    .join('\n');
}

/** The example in a block, or undefined where it only shows something. */
export function exampleIn(block: Block): Example | undefined {
  const language = LANGUAGES[block.language];
  if (language !== undefined) return { ...block, language };
  if (block.language === 'dockerfile') {
    // Its variables, for the program of the image.
    const text = block.text.replace(/^ENV (.*)$/gm, '$1 node app.js');
    return { ...block, language: 'sh', text };
  }
  if (block.language !== '') return undefined;
  const text = typedIn(block);
  return text === '' ? undefined : { ...block, language: 'sh', text };
}

export function examplesOf(page: string, text: string): Example[] {
  return blocksOf(page, text).flatMap((block) => exampleIn(block) ?? []);
}

const COMMAND = /^ *(?:\w+=\S+ )*(?:npx|npm|node|memprof|curl|go tool|kill|kubectl|docker|bash) \S/m;
const CODE = /^ *(?:import|export|const|let|ENV|module\.exports|require\() ?\S/m;

/** Whether nothing says what becomes of the block: code without a language, or in one that no test knows. */
export function isForgotten(block: Block): boolean {
  if (block.notRun !== undefined || exampleIn(block) !== undefined) return false;
  return block.language !== '' || COMMAND.test(block.text) || CODE.test(block.text);
}

/** README.md, CONTRIBUTING.md, and the pages of docs/ and examples/, with their folders. */
export function allPages(): { page: string; text: string }[] {
  const pages = ['docs', 'examples'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
      .map((name) => path.join(folder, name)),
  );
  return ['README.md', 'CONTRIBUTING.md', ...pages.sort()].map((page) => ({
    page,
    text: readFileSync(path.join(root, page), 'utf8'),
  }));
}

export function allBlocks(): Block[] {
  return allPages().flatMap(({ page, text }) => blocksOf(page, text));
}
