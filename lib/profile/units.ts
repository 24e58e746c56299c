import type { ProfileData, Sample, SampleType } from './model.js';

/** Profiles that cannot be added up, or subtracted: they count different things. */
export class ProfileMismatch extends Error {}

// Units of figures, and their conversion, as `go tool pprof` knows them.

interface Unit {
  name: string;
  aliases: readonly string[];
  factor: number;
}

interface UnitFamily {
  /** The unit of figures that are too small for all others. */
  fallback: Unit;
  /** In ascending order. */
  units: readonly Unit[];
}

function unit(name: string, factor: number, ...aliases: string[]): Unit {
  return { name, aliases, factor };
}

const byte = unit('B', 1, 'b', 'byte');

const families: readonly UnitFamily[] = [
  {
    fallback: byte,
    units: [
      byte,
      unit('kB', 2 ** 10, 'kb', 'kbyte', 'kilobyte'),
      unit('MB', 2 ** 20, 'mb', 'mbyte', 'megabyte'),
      unit('GB', 2 ** 30, 'gb', 'gbyte', 'gigabyte'),
      unit('TB', 2 ** 40, 'tb', 'tbyte', 'terabyte'),
      unit('PB', 2 ** 50, 'pb', 'pbyte', 'petabyte'),
    ],
  },
  {
    fallback: unit('s', 1e9),
    units: [
      unit('ns', 1, 'ns', 'nanosecond'),
      unit('us', 1e3, 'μs', 'us', 'microsecond'),
      unit('ms', 1e6, 'ms', 'millisecond'),
      unit('s', 1e9, 's', 'sec', 'second'),
      unit('hrs', 3600e9, 'hour', 'hr'),
    ],
  },
  {
    fallback: unit('GCU', 1),
    units: [
      unit('n*GCU', 1e-9, 'nanogcu'),
      unit('u*GCU', 1e-6, 'microgcu'),
      unit('m*GCU', 1e-3, 'milligcu'),
      unit('GCU', 1, 'gcu'),
      unit('k*GCU', 1e3, 'kilogcu'),
      unit('M*GCU', 1e6, 'megagcu'),
      unit('G*GCU', 1e9, 'gigagcu'),
      unit('T*GCU', 1e12, 'teragcu'),
      unit('P*GCU', 1e15, 'petagcu'),
    ],
  },
];

// Units that are not shown.
const PLAIN_UNITS = new Set(['count', 'sample', 'unit', 'minimum', 'auto']);

function findUnit(family: UnitFamily, name: string): Unit | undefined {
  const lower = name.toLowerCase();
  const singular = lower.length > 2 && lower.endsWith('s') ? lower.slice(0, -1) : lower;
  return family.units.find(({ aliases }) => aliases.includes(singular));
}

/** The largest unit in which `value` is at least 1. */
function bestUnit({ units, fallback }: UnitFamily, value: number): Unit {
  return units.filter(({ factor }) => value / factor >= 1).at(-1) ?? fallback;
}

/** Converts `value` to another unit; `auto` chooses the best fit. The returned unit is '' for plain counts. */
export function scale(value: number, from: string, to: string): [value: number, unit: string] {
  if (value < 0) {
    const [positive, name] = scale(-value, from, to);
    return [-positive, name];
  }
  for (const family of families) {
    const source = findUnit(family, from);
    if (source === undefined) continue;
    const base = value * source.factor;
    const target =
      to === 'auto' || to === 'minimum' ? bestUnit(family, base) : (findUnit(family, to) ?? family.fallback);
    return [base / target.factor, target.name];
  }
  return [value, PLAIN_UNITS.has(to) ? '' : to];
}

/**
 * The profiles in units that they have in common, the finest of each figure. Throws `ProfileMismatch` if they count
 * different things; a plural is the same as its singular.
 */
export function withCommonUnits(profiles: readonly ProfileData[]): readonly ProfileData[] {
  if (profiles.length < 2) return profiles;
  const [first, ...others] = profiles as [ProfileData, ...ProfileData[]];
  for (const each of others) {
    if (each.sampleTypes.length !== first.sampleTypes.length) throw mismatch(first, each);
  }
  const units = first.sampleTypes.map((_, at) => finestUnit(profiles, ({ sampleTypes }) => sampleTypes[at]!));
  const periodUnit = finestUnit(profiles, ({ periodType }) => periodType);
  const isSame = ({ sampleTypes, periodType }: ProfileData) =>
    periodType.unit === periodUnit && sampleTypes.every(({ unit }, at) => unit === units[at]);
  const common = profiles.map((each) => (isSame(each) ? each : converted(each, units, periodUnit)));
  // Units may differ by a plural only; names must not, as of Go's merge.
  const names = (profile: ProfileData) => JSON.stringify([profile.periodType, profile.sampleTypes]);
  const other = common.find((each) => names(each) !== names(common[0]!));
  if (other !== undefined) throw mismatch(first, other);
  return common;
}

function mismatch(a: ProfileData, b: ProfileData): ProfileMismatch {
  const describe = ({ sampleTypes, periodType }: ProfileData) =>
    [...sampleTypes, periodType].map(({ type, unit }) => `${type}/${unit}`).join(', ');
  return new ProfileMismatch(`the profiles count different things: ${describe(a)}; and ${describe(b)}`);
}

function finestUnit(profiles: readonly ProfileData[], typeOf: (profile: ProfileData) => SampleType): string {
  let finest = profiles[0]!;
  for (const each of profiles) {
    const [a, b] = [typeOf(finest), typeOf(each)];
    const hasSameUnit =
      a.unit === b.unit || families.some((family) => findUnit(family, a.unit) && findUnit(family, b.unit));
    if (a.type.replace(/s$/, '') !== b.type.replace(/s$/, '') || !hasSameUnit)
      throw mismatch(profiles[0]!, each);
    if (scale(1, b.unit, a.unit)[0] < 1) finest = each;
  }
  return typeOf(finest).unit;
}

function converted(profile: ProfileData, units: readonly string[], periodUnit: string): ProfileData {
  const ratios = profile.sampleTypes.map(({ unit }, at) => scale(1, unit, units[at]!)[0]);
  const { exactPeriod: _, ...rest } = profile;
  const samples = profile.samples.map((sample): Sample => {
    const { exactValues: __, ...others } = sample;
    return { ...others, values: sample.values.map((value, at) => Math.round(value * ratios[at]!)) };
  });
  return {
    ...rest,
    sampleTypes: profile.sampleTypes.map(({ type }, at) => ({ type, unit: units[at]! })),
    periodType: { type: profile.periodType.type, unit: periodUnit },
    period: Math.trunc(scale(profile.period, profile.periodType.unit, periodUnit)[0]),
    samples: ratios.every((ratio) => ratio === 1) ? profile.samples : samples,
  };
}
