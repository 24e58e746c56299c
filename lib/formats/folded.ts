import { meterOnThread } from '../addon/meter-on-thread.js';
import type { ProfileData, ProfileFrame } from '../profile/model.js';
import { columnOf } from '../profile/sample-type.js';

/**
 * Collapsed stacks, as flame-graph tools read them: a line `root;…;leaf value` for each different stack, those with
 * nothing of the value left out. `sampleType` is the value: `inuse_space`, for instance.
 *
 * Throws `ERR_MEMPROF_OUT_OF_RANGE` if the profile has no such value.
 */
export function formatFolded(profile: ProfileData, sampleType = profile.defaultSampleType): string {
  return meterOnThread(() => formatStacks(profile, sampleType));
}

function formatStacks(profile: ProfileData, sampleType: string): string {
  const column = columnOf(profile, sampleType);
  const names = new Map<Readonly<ProfileFrame>, string>();
  const totals = new Map<string, number>();
  for (const { stack, values } of profile.samples) {
    const value = Math.trunc(values[column]!);
    if (value === 0) continue;
    const line = formatStack(stack, names);
    totals.set(line, (totals.get(line) ?? 0) + value);
  }
  return Array.from(totals, ([stack, value]) => `${stack} ${BigInt(value)}\n`).join('');
}

function formatStack(
  stack: readonly Readonly<ProfileFrame>[],
  names: Map<Readonly<ProfileFrame>, string>,
): string {
  const parts: string[] = [];
  for (let i = stack.length - 1; i >= 0; i--) {
    const frame = stack[i]!;
    let name = names.get(frame);
    if (name === undefined) {
      name = toName(frame);
      names.set(frame, name);
    }
    parts.push(name);
  }
  return parts.join(';') || '(unknown)';
}

/** Functions of one name in several files, such as `(anonymous)`, stay apart. */
function toName({ functionName, fileName, lineNumber, address }: Readonly<ProfileFrame>): string {
  const name = functionName || `0x${address.toString(16)}`;
  const place = fileName === '' ? '' : ` (${fileName}:${lineNumber})`;
  // A semicolon separates frames, and a newline stacks.
  return `${name}${place}`.replace(/;/g, ':').replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu, ' ');
}
