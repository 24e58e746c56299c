/**
 * V8 says that a function is where its parameters begin, or, an arrow function, where it begins, or, a class without a
 * constructor of its own, at the word `class`. The name in a source map is that of the identifier before: here it is found.
 */

const IDENTIFIER = '[\\p{ID_Continue}$#\\u200c\\u200d]+';
const CHAIN = `(?:${IDENTIFIER}\\.)*${IDENTIFIER}`;

// `function a▲(`, `a▲(` of a method.
const DIRECT = new RegExp(`(${IDENTIFIER})\\s*$`, 'u');
// `a=▲x=>`, `a=function▲(`, `a:async function*▲(`, `a=▲class{`, `a.b=function▲(`.
const ASSIGNED = new RegExp(`(${CHAIN})\\s*[=:]\\s*\\(*(?:(?:async\\s+)?function\\s*\\*?\\s*)?$`, 'u');
const CLASS = new RegExp(`^class\\s+(${IDENTIFIER})`, 'u');
// More than any name has letters.
const NEAR = 512;
const CLASS_NEAR = 64 * 1024;

/** Part of a function's name, and the column of the identifier that it is, 0-based. */
export interface Binding {
  text: string;
  column: number;
}

/**
 * The identifiers that a function has its name from: of `a.b` there are two. None where the line does not say, or says
 * another name than V8 does.
 */
export function findBinding(line: string, column: number, functionName: string): Binding[] {
  const name = functionName.replace(/^(?:get|set|static|async) /, '');
  const before = line.slice(Math.max(0, column - NEAR), column);
  const start = column - before.length;
  const assigned = ASSIGNED.exec(before);
  if (assigned !== null) {
    const parts = partsOf(assigned[1]!, start + assigned.index);
    const chain = partsNamed(parts, name);
    if (chain.length > 0) return chain;
  }
  const direct = DIRECT.exec(before);
  if (direct?.[1] === name) return [{ text: name, column: start + direct.index }];
  const own = CLASS.exec(line.slice(column, column + NEAR));
  if (own?.[1] === name) return [{ text: name, column: column + own[0].length - name.length }];
  return direct?.[1] === 'constructor' ? findClass(line, column, name) : [];
}

/** The class whose constructor this is: `class a{…constructor▲(`, `a=class{…constructor▲(`. */
function findClass(line: string, column: number, name: string): Binding[] {
  const from = Math.max(0, column - CLASS_NEAR);
  const text = line.slice(from, column);
  const quoted = name.replace(/[$\\]/g, '\\$&');
  const header = new RegExp(
    `(?<![\\p{ID_Continue}$.#])(?:class\\s+${quoted}(?=[\\s{])|${quoted}\\s*[=:]\\s*class(?=[\\s{]))`,
    'gu',
  );
  let found: Binding[] = [];
  for (const match of text.matchAll(header)) {
    const shift =
      match[0].startsWith('class') && !match[0].endsWith('class') ? match[0].length - name.length : 0;
    found = [{ text: name, column: from + match.index + shift }];
  }
  return found;
}

function partsOf(chain: string, start: number): Binding[] {
  let column = start;
  return chain.split('.').map((text) => {
    const part = { text, column };
    column += text.length + 1;
    return part;
  });
}

/** The last of the parts, as many as the name has. */
function partsNamed(parts: readonly Binding[], name: string): Binding[] {
  const count = name.split('.').length;
  const last = parts.slice(-count);
  return last.map(({ text }) => text).join('.') === name ? last : [];
}
