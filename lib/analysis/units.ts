import { scale } from '../profile/units.js';

export { scale };

// Formats figures as `go tool pprof` does.

/** `1.50MB`, `4MB`, `512.50kB`, `17`, `0`. */
export function formatValue(value: number, from: string, to = 'auto'): string {
  const [scaled, name] = scale(value, from, to);
  const digits = toFixed2(scaled).replace(/\.00$/, '');
  return digits === '0' || digits === '-0' ? '0' : digits + name;
}

/** Three digits: `1.50MB`, `12.3MB`, `513kB`, `17`. */
export function formatCompact(value: number, from: string): string {
  const [scaled, name] = scale(value, from, 'auto');
  const size = Math.abs(scaled);
  if (name === '' || name === 'B') return `${Math.round(scaled)}${scaled === 0 ? '' : name}`;
  return scaled === 0 ? '0' : scaled.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0) + name;
}

/**
 * A figure and its standard error, both rounded to what the error leaves certain: `12.3MB` and `1.1MB`, `512kB` and
 * `512kB`.
 */
export function formatWithError(value: number, error: number, from: string): [value: string, error: string] {
  const [scaled, name] = scale(value, from, 'auto');
  if (value === 0 || error === 0) return [formatCompact(value, from), formatCompact(error, from)];
  const scaledError = Math.abs((error / value) * scaled);
  const certain = -Math.floor(Math.log10(scaledError / Math.sqrt(10)));
  if (name === '' || name === 'B') {
    const step = 10 ** Math.max(0, -certain);
    return [scaled, scaledError].map((each) => `${Math.round(each / step) * step}${name}`) as [
      string,
      string,
    ];
  }
  const digits = Math.min(2, Math.max(0, certain));
  const shown = scaledError.toFixed(digits);
  return [
    `${scaled.toFixed(digits)}${name}`,
    Number(shown) === 0 ? formatCompact(Math.abs(error), from) : `${shown}${name}`,
  ];
}

/** `32.1%`, `0.4%`, `100%`. */
export function formatShare(value: number, total: number): string {
  const share = total === 0 ? 0 : Math.abs(value / total) * 100;
  if (share >= 99.95) return `${Math.round(share)}%`;
  return `${share >= 1 || share === 0 ? share.toFixed(share === 0 ? 0 : 1) : Number(share.toPrecision(1))}%`;
}

/** At least six characters: ` 3.25%`, `  100%`, ` 0.05%`. */
export function formatPercentage(value: number, total: number): string {
  const ratio = total === 0 ? 0 : Math.abs(value / total) * 100;
  if (ratio >= 99.95 && ratio <= 100.05) return '  100%';
  return `${(ratio >= 1 ? toFixed2(ratio) : toSignificant2(ratio)).padStart(5)}%`;
}

/** C's `%.1f`: a value halfway between two figures becomes the even one. */
export function formatTenths(value: number): string {
  const tenths = Math.abs(value) * 10;
  const isHalf = Number.isInteger(tenths * 2) && !Number.isInteger(tenths) && Math.floor(tenths) % 2 === 0;
  // 0.05 is not halfway: what it stands for is a little more. A half that a double holds ends in .25 or .75.
  const isExact = Number.isInteger(value * 4);
  return (isHalf && isExact ? value - Math.sign(value) * 0.01 : value).toFixed(1);
}

/** For waits and ages: from two minutes on, Go's unit (721.46s) is hard to read. */
export function formatTime(seconds: number): string {
  const units = [
    { name: 'days', seconds: 86_400 },
    { name: 'hours', seconds: 3600 },
    { name: 'minutes', seconds: 60 },
  ];
  const unit = units.find((each) => seconds >= 2 * each.seconds);
  if (unit === undefined) return formatValue(seconds * 1e9, 'nanoseconds');
  const count = seconds / unit.seconds;
  return `${count < 10 ? Number(count.toFixed(1)) : Math.round(count)} ${unit.name}`;
}

/** C's `%.2f`: unlike `toFixed`, it rounds a value halfway between two figures to the even one. */
function toFixed2(value: number): string {
  // The halfway values are those that end in .125, .375, .625 and .875; .125 and .625 are rounded down.
  const eighths = Math.abs(value) * 8;
  const down = Number.isInteger(eighths) && eighths % 4 === 1;
  return (down ? value - Math.sign(value) * 0.005 : value).toFixed(2);
}

/** C's `%.2g`, from 0 up to 1. */
function toSignificant2(value: number): string {
  // These are the only values halfway between two figures of two digits that would wrongly be rounded up.
  const down = value === 0.125 || value === 0.625 || value === 0.0625;
  const rounded = Number((down ? value * 0.992 : value).toPrecision(2));
  if (rounded === 0 || rounded >= 1e-4) return String(rounded);
  const [digits, exponent] = rounded.toExponential().split('e-');
  return `${digits}e-${exponent!.padStart(2, '0')}`;
}
