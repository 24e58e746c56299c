import type { ParsedFrame, ParsedProfile } from '../../lib/readers/profile-model.js';

export interface Site {
  leaf: Readonly<ParsedFrame>;
  functions: string[];
  allocBytes: number;
  inUseBytes: number;
}

/** Values of a profile added up by the place of the leaf, most bytes in use first. */
export function sitesOf(profile: ParsedProfile): Site[] {
  const column = (type: string) => profile.sampleTypes.findIndex((each) => each.type === type);
  const [alloc, inUse] = [column('alloc_space'), column('inuse_space')];
  const sites = new Map<string, Site>();
  for (const { stack, values } of profile.samples) {
    const leaf = stack[0]!;
    const key = `${leaf.functionName} ${leaf.fileName}:${leaf.lineNumber}`;
    const functions = stack.map(({ functionName }) => functionName);
    const site = sites.get(key) ?? { leaf, functions, allocBytes: 0, inUseBytes: 0 };
    site.allocBytes += values[alloc]!;
    site.inUseBytes += values[inUse]!;
    sites.set(key, site);
  }
  return [...sites.values()].sort((a, b) => b.inUseBytes - a.inUseBytes);
}

export function sumInUse(sites: readonly Site[]): number {
  return sites.reduce((sum, { inUseBytes }) => sum + inUseBytes, 0);
}
