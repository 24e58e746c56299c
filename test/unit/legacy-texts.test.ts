import t from 'tap';
import { parseProfile } from '#dist/formats/readers.js';
import type { Mapping, ProfileData } from '#dist/profile/model.js';
import { type LegacyCase, LegacyTexts } from '../support/legacy-model.js';
import { seededRandom } from '../support/random.js';

// A million, with npm run soak; MEMPROF_TEST_TEXTS says otherwise.
const COUNT = Number(
  process.env.MEMPROF_TEST_TEXTS ?? (process.env.MEMPROF_TEST_SOAK === '1' ? 1_000_000 : 20_000),
);
const SEED = Number(process.env.MEMPROF_TEST_SEED ?? 20121119);

type Expected = NonNullable<LegacyCase['expected']>;

/** Undefined if they agree, else what differs. */
function difference(profile: ProfileData, expected: Expected): string | undefined {
  if (profile.sampleTypes.length !== expected.types) return 'the number of types';
  if (profile.period !== expected.period) return 'the period';
  if (profile.samples.length !== expected.samples.length) return 'the number of samples';
  if (profile.mappings.length !== expected.mappings.length) return 'the number of mappings';
  for (const [at, each] of expected.mappings.entries()) {
    const { start, limit, offset, exact, fileName, buildId } = profile.mappings[at]!;
    const found = exact ?? { start: BigInt(start), limit: BigInt(limit), offset: BigInt(offset) };
    if (found.start !== each.start || found.limit !== each.limit || found.offset !== each.offset) {
      return `the range of mapping ${at}`;
    }
    if (fileName !== each.file || buildId !== each.build) return `the names of mapping ${at}`;
  }
  const ids = new Map<Readonly<Mapping> | undefined, number>(profile.mappings.map((each, at) => [each, at]));
  for (const [at, model] of expected.samples.entries()) {
    const { values, exactValues, stack, numLabels } = profile.samples[at]!;
    const exact = exactValues ?? values.map(BigInt);
    if (exact.length !== model.values.length || exact.some((value, i) => value !== model.values[i])) {
      return `values of sample ${at}: ${exact} and not ${model.values}`;
    }
    // Comments may have named an address: then it has a frame for each call inlined there.
    const outermost = stack.filter(({ inlined }) => inlined !== true);
    if (outermost.length !== model.addresses.length) return `the depth of sample ${at}`;
    for (const [i, { address, exactAddress, mapping }] of outermost.entries()) {
      if ((exactAddress ?? BigInt(address)) !== model.addresses[i]) return `address ${i} of sample ${at}`;
      if ((ids.get(mapping) ?? -1) !== model.mappings[i])
        return `the mapping of address ${i} of sample ${at}`;
    }
    if (numLabels.bytes?.[0] !== Number(model.size)) return `the size of sample ${at}`;
  }
  return undefined;
}

t.test(`${COUNT} random texts are read as the model says`, async (t) => {
  const texts = new LegacyTexts(seededRandom(SEED));
  let refused = 0;
  let frames = 0;
  let mapped = 0;
  const start = process.memoryUsage().rss;
  let most = 0;
  for (let i = 0; i < COUNT; i++) {
    const { text, expected } = texts.next();
    const bytes = Buffer.from(text);
    let profile: ProfileData | undefined;
    try {
      profile = parseProfile(bytes);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_MEMPROF_PROFILE') throw error;
    }
    if ((profile === undefined) !== (expected === undefined)) {
      t.fail(`text ${i} is ${profile === undefined ? 'refused' : 'read'}`, { text });
      return;
    }
    if (profile === undefined || expected === undefined) {
      refused++;
      continue;
    }
    const wrong = difference(profile, expected);
    if (wrong !== undefined) {
      t.fail(`text ${i}: ${wrong}`, { text });
      return;
    }
    frames += expected.samples.reduce((sum, { addresses }) => sum + addresses.length, 0);
    mapped += Number(expected.mappings.length > 1);
    if (i % 10_000 === 0) most = Math.max(most, process.memoryUsage().rss);
  }
  const grown = Math.round((most - start) / 2 ** 20);
  t.comment(`${refused} refused, ${frames} addresses, ${mapped} with several mappings, ${grown} MiB more`);
  t.ok(refused > COUNT / 100 && refused < COUNT / 10, 'some must be refused');
  t.ok(mapped > COUNT / 5 && frames > COUNT * 5, 'there is something to get wrong');
  t.ok(grown < 256, 'memory stays bounded');
});
