/**
 * Returns the candidate that `word` is most likely a misspelling of, if any is close. It does not matter how words are
 * joined (camelCase, SNAKE_CASE, kebab-case), and either name may lack words of the other: `interval` is close to
 * `sampleInterval`.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const given = wordsOf(word);
  const joined = given.join('');
  let best: string | undefined;
  let least = (joined.length < 3 ? 1 : Math.max(2, Math.floor(joined.length / 3))) + 0.5;
  for (const candidate of candidates) {
    const words = wordsOf(candidate);
    const begins =
      joined.length > 2 && words.join('').startsWith(joined) ? CUT_OFF : Number.POSITIVE_INFINITY;
    const cost = Math.min(distance(joined, words.join('')), wordDistance(given, words), begins);
    if (cost < least) [best, least] = [candidate, cost];
  }
  return best;
}

/** `: did you mean --cum?`, for the end of a message; '' when nothing is near. */
export function didYouMean(near: string | undefined): string {
  return near === undefined ? '' : `: did you mean ${near}?`;
}

/** The cost of a word that one of two names lacks, in edits. */
const MISSING_WORD = 0.6;
/** The cost of a name that was cut off at its end (`gran` for `granularity`). */
const CUT_OFF = 1.1;

function wordsOf(name: string): string[] {
  const separated = name.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
  return separated.split(/[^\p{L}\p{N}.]+/u).filter((word) => word !== '');
}

/** The distance of two lists of words; infinite if a word of the shorter list has nothing like it in the longer. */
function wordDistance(a: readonly string[], b: readonly string[]): number {
  const [fewer, more] = a.length <= b.length ? [a, b] : [b, a];
  let cost = (more.length - fewer.length) * MISSING_WORD;
  for (const word of fewer) {
    const edits = Math.min(...more.map((other) => distance(word, other)));
    cost += edits <= word.length / 4 ? edits : Number.POSITIVE_INFINITY;
  }
  return fewer.length === 0 ? Number.POSITIVE_INFINITY : cost;
}

/** Edits from one word to the other: letters inserted, deleted or replaced, or two neighbours swapped. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      let edits = Math.min(row[j]! + (a[i] === b[j] ? 0 : 1), row[j + 1]! + 1, next[j]! + 1);
      if (i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j])
        edits = Math.min(edits, before[j - 1]! + 1);
      next.push(edits);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
