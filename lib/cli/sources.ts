import { mergeProfiles } from '../profile/merge.js';
import { toProfileData } from '../profile/merged.js';
import type { ParseOptions, ProfileData } from '../profile/model.js';
import { ProfileMismatch } from '../profile/units.js';
import { isUrl } from './addresses.js';
import { fetchProfile } from './fetch-profile.js';
import { UsageError } from './options.js';
import { Failure, loadProfile } from './profile-file.js';

export const SOURCES = `FILE is a profile as text or protobuf, gzipped or not, a .heapprofile or collapsed stacks; - reads standard
input, and an address is fetched: that of a profile, or http://HOST:PORT for a program's heap. Several are added up.`;

/** Reads profiles from files, addresses, and `-`; one after the other, for each may be large. */
export async function loadSources(
  sources: readonly string[],
  options?: ParseOptions,
): Promise<[ProfileData, ...ProfileData[]]> {
  const profiles: ProfileData[] = [];
  for (const source of sources) {
    profiles.push(isUrl(source) ? await fetchProfile(source) : await loadProfile(source, options));
  }
  return profiles as [ProfileData, ...ProfileData[]];
}

/** The sum of the profiles; that of one is itself, with its samples as they are in the file. */
export async function loadSum(sources: readonly string[], options?: ParseOptions): Promise<ProfileData> {
  const profiles = await loadSources(sources, options);
  return profiles.length === 1 ? profiles[0] : comparing(() => toProfileData(mergeProfiles(profiles)));
}

/** Standard input can be read only once. */
export function checkStandardInput(sources: readonly string[], command: string): void {
  if (sources.filter((each) => each === '-').length > 1) {
    throw new UsageError('standard input can be read only once', command);
  }
}

/** Calls what throws `ProfileMismatch`; the user sees one line. */
export function comparing<T>(fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    throw error instanceof ProfileMismatch ? new Failure(error.message) : error;
  }
}
