// Runs in the page. Texts from the profile are only inserted as text, never as markup.
(() => {
  const profile = JSON.parse(document.getElementById('profile').textContent);
  const byId = (id) => document.getElementById(id);
  const library = globalThis.flamegraph;
  const d3 = globalThis.d3;
  const chartElement = byId('chart');
  const CELL = 20;

  // Frames, parents before children: [parent, name, place, own values, own values of the base].
  const frames = profile.frames.map(([parent, name, place, own, ownBase]) => ({
    parent,
    n: profile.texts[name],
    place: profile.texts[place],
    own,
    ownBase,
    c: [],
    v: 0,
    now: 0,
    base: 0,
  }));
  for (const frame of frames) if (frame.parent >= 0) frames[frame.parent].c.push(frame);
  const root = frames[0];

  let type = profile.type;
  let widthOf = 'now';

  function measure() {
    for (const frame of frames) {
      frame.now = Math.max(0, frame.own?.[type] ?? 0);
      frame.base = Math.max(0, frame.ownBase?.[type] ?? 0);
    }
    for (let at = frames.length - 1; at > 0; at--) {
      const frame = frames[at];
      frames[frame.parent].now += frame.now;
      frames[frame.parent].base += frame.base;
    }
    for (const frame of frames) frame.v = frame[widthOf];
  }

  const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
  function format(value) {
    const sign = value < 0 ? '-' : '';
    let size = Math.abs(value);
    if (profile.types[type].unit !== 'bytes') return sign + size.toLocaleString('en');
    let unit = 0;
    while (size >= 1024 && unit < UNITS.length - 1) {
      size /= 1024;
      unit++;
    }
    return `${sign}${size.toFixed(2).replace(/\.00$/, '')}${UNITS[unit]}`;
  }

  function share(value, total) {
    return total === 0 ? '0%' : `${((100 * value) / total).toFixed(2)}%`;
  }

  function describe({ data }) {
    const { n, place, now, base } = data;
    const parts = [n + (place === '' ? '' : ` ${place}`), `${format(now)} (${share(now, root.now)})`];
    if (profile.diff) {
      const change = now - base;
      parts.push(`${change > 0 ? '+' : ''}${format(change)} since the base profile (${format(base)})`);
    }
    return parts.join(', ');
  }

  const HIGHLIGHT = '#e600e6';
  function diffColor({ now, base }) {
    const largest = Math.max(now, base);
    const change = largest === 0 ? 0 : (now - base) / largest;
    if (base === 0 && now > 0) return '#ff9f40';
    const faded = Math.round(230 * (1 - Math.abs(change)));
    return change > 0 ? `rgb(255,${faded},${faded})` : change < 0 ? `rgb(${faded},${faded},255)` : '#ddd';
  }

  const chart = library
    .default()
    .cellHeight(CELL)
    .inverted(true)
    .resetHeightOnZoom(true)
    .transitionDuration(0)
    .minFrameSize(0.5)
    .sort((a, b) => b.value - a.value || (a.data.n < b.data.n ? -1 : 1))
    .label(describe)
    .setDetailsElement(byId('details'))
    .setColorMapper((node, color) =>
      node.highlight ? HIGHLIGHT : profile.diff ? diffColor(node.data) : color,
    )
    .setSearchMatch((node, term) => matches(node.data, term))
    .setSearchHandler((results) => {
      const found = new Set(results);
      let sum = 0;
      for (const node of results) {
        let above = node.parent;
        while (above !== null && !found.has(above)) above = above.parent;
        if (above === null) sum += node.data.v;
      }
      byId('found').textContent = `${format(sum)} (${share(sum, root.v)}) in ${results.length} frames`;
    });

  let pattern;
  function matches({ n, place }, term) {
    if (!term) return false;
    return pattern === undefined
      ? `${n} ${place}`.toLowerCase().includes(term.toLowerCase())
      : pattern.test(n) || pattern.test(place);
  }

  function draw() {
    measure();
    byId('empty').hidden = root.v > 0;
    chartElement.hidden = root.v === 0;
    byId('total').textContent = format(root.now);
    chart.width(Math.max(300, chartElement.clientWidth - 32));
    d3.select(chartElement).datum(root).call(chart);
    search();
  }

  function search() {
    const term = byId('search').value.trim();
    try {
      pattern = term === '' ? undefined : new RegExp(term, 'i');
    } catch {
      pattern = undefined;
    }
    if (term === '') {
      byId('found').textContent = '';
      chart.clear();
    } else {
      chart.search(term);
    }
  }

  profile.types.forEach(({ type: name }, index) => {
    const label = document.createElement('label');
    const input = document.createElement('input');
    input.type = 'radio';
    input.name = 'type';
    input.value = name;
    input.checked = index === type;
    input.addEventListener('change', () => {
      type = index;
      draw();
    });
    label.append(input, ` ${name}`);
    byId('types').append(label);
  });

  byId('legend').hidden = !profile.diff;
  byId('widths').addEventListener('change', (event) => {
    widthOf = event.target.value;
    draw();
  });
  byId('search').addEventListener('input', search);
  byId('reset').addEventListener('click', () => chart.resetZoom());
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape') chart.resetZoom();
  });
  let resized;
  addEventListener('resize', () => {
    clearTimeout(resized);
    resized = setTimeout(draw, 100);
  });
  draw();
})();
