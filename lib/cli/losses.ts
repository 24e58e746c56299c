import type { ConvertFormat } from '../base/choices.js';
import { printable } from '../base/text.js';
import type { ProfileData, ProfileFrame } from '../profile/model.js';

/** What a form cannot hold, by what is lost. */
const KEPT: Readonly<Record<ConvertFormat, readonly string[]>> = {
  'pb.gz': ['everything'],
  txt: ['values', 'addresses', 'functions', 'bytes'],
  heapprofile: ['functions', 'columns'],
  folded: ['functions'],
};

/** What of a profile is lost in another form, in words; `type` is the value that a form with one value holds. */
export function lossesOf(profile: ProfileData, format: ConvertFormat, type: string): string[] {
  const kept = KEPT[format];
  if (kept.includes('everything')) return [];
  const frames = new Set<Readonly<ProfileFrame>>();
  const labels = new Set<string>();
  for (const { stack, labels: texts, numLabels } of profile.samples) {
    for (const frame of stack) frames.add(frame);
    for (const key of Object.keys(texts)) labels.add(key);
    for (const key of Object.keys(numLabels)) labels.add(key);
  }
  if (kept.includes('bytes')) labels.delete('bytes');
  const some = (has: (frame: Readonly<ProfileFrame>) => unknown) =>
    [...frames].some((frame) => Boolean(has(frame)));
  const heap = /^(?:(?:alloc|inuse)_)?(?:objects|space)$/;
  const isOther = (name: string) => (kept.includes('values') ? !heap.test(name) : name !== type);
  const values = profile.sampleTypes.map(({ type: name }) => name).filter(isOther);
  const all: [lost: unknown, words: string][] = [
    [values.length > 0, `values (${values.join(', ')})`],
    [profile.samples.some(({ exactValues }) => exactValues), 'digits of values above 2^53'],
    [labels.size > 0, `labels (${[...labels].join(', ')})`],
    [profile.comments.length > 0, 'comments'],
    [profile.timeNanos, 'the time'],
    [profile.durationNanos, 'the duration'],
    [!kept.includes('values') && profile.period > 1, 'the sample interval'],
    [profile.dropFrames || profile.keepFrames, 'which frames to drop'],
    [profile.docUrl, 'the address of its documentation'],
    [profile.mappings.some(({ fileName, buildId }) => fileName !== '' || buildId !== ''), 'mappings'],
    [!kept.includes('addresses') && some(({ address }) => address !== 0), 'addresses'],
    [some(({ systemName }) => systemName), "the linker's names"],
    [some(({ inlined }) => inlined), 'which calls are inlined'],
    [some(({ startLine }) => startLine), 'where functions start'],
    [!kept.includes('columns') && some(({ columnNumber }) => columnNumber), 'columns'],
  ];
  return all.filter(([lost]) => lost).map(([, words]) => printable(words));
}
