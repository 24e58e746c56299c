'use strict';
// Line plots as SVG, by hand: a benchmark needs no library for that.
const COLOURS = ['#d62728', '#1f77b4', '#2ca02c', '#9467bd', '#ff7f0e', '#8c564b', '#17becf', '#7f7f7f'];
const WIDTH = 860;
const HEIGHT = 440;
const LEFT = 64;
const RIGHT = 300;
const TOP = 36;
const BOTTOM = 48;

const escapeText = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** Round numbers from below the lowest value to above the highest. */
function ticks(low, high) {
  const rough = (high - low || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= rough);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * `series` are `{ name, points: [[x, y], …] }`. With `xLabels`, [[x, text], …], those stand below instead of numbers.
 */
function linePlot({ title, xTitle, yTitle, series, xLabels }) {
  const points = series.flatMap((each) => each.points);
  const xs = points.map(([x]) => x);
  const yTicks = ticks(Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y)));
  const marks = xLabels ?? ticks(Math.min(...xs), Math.max(...xs)).map((x) => [x, String(x)]);
  const [left, right] = [Math.min(...xs, marks[0][0]), Math.max(...xs, marks.at(-1)[0])];
  const [bottom, top] = [yTicks[0], yTicks.at(-1)];
  const x = (value) => (LEFT + ((value - left) / (right - left || 1)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (value) =>
    (HEIGHT - BOTTOM - ((value - bottom) / (top - bottom || 1)) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const text = (at, down, content, anchor, more = '') =>
    `<text x="${at}" y="${down}" text-anchor="${anchor}"${more}>${escapeText(content)}</text>`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    text(LEFT, 20, title, 'start', ' font-size="15"'),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, xTitle, 'middle'),
    text(16, TOP - 8, yTitle, 'start'),
  ];
  for (const tick of yTicks) {
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ddd"/>`);
    parts.push(text(LEFT - 6, Number(y(tick)) + 4, String(tick), 'end'));
  }
  for (const [at, label] of marks) parts.push(text(x(at), HEIGHT - BOTTOM + 18, label, 'middle'));
  series.forEach(({ name, points: own }, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const line = own.map(([at, value]) => `${x(at)},${y(value)}`).join(' ');
    parts.push(`<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    const down = TOP + 20 * i + 6;
    parts.push(`<rect x="${WIDTH - RIGHT + 14}" y="${down - 5}" width="14" height="4" fill="${colour}"/>`);
    parts.push(text(WIDTH - RIGHT + 34, down, name, 'start', ' font-size="11"'));
  });
  return `${parts.join('\n')}\n</svg>\n`;
}

module.exports = { linePlot };
