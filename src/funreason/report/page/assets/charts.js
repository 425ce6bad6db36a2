// Charts: bars and intervals as HTML, so that their texts stay texts; lines as SVG. Missing values stay missing.

// Ordered bars: [{label, value, href, title, kind}].
function bars(entries, unit) {
  const most = Math.max(1, ...entries.map((entry) => entry.value));
  return h('ul', { class: 'bars' }, entries.map((entry) => h('li', null,
    h('span', { class: 'label' }, entry.href ? h('a', { href: entry.href }, entry.label) : entry.label),
    h('span', { class: 'track' }, h('span', { class: 'bar ' + (entry.kind || ''), style: { width: (100 * entry.value) / most + '%' } })),
    h('span', { class: 'value' }, number(entry.value) + (entry.note ? ` ${entry.note}` : ''), unit ? ` ${unit}` : ''))));
}

// Fractions with their 95 % interval on an axis from 0 to 100 %: [{label, value, low, high, n, href}].
function intervals(entries) {
  return h('ul', { class: 'bars' }, entries.map((entry) => h('li', null,
    h('span', { class: 'label' }, entry.href ? h('a', { href: entry.href }, entry.label) : entry.label),
    h('span', { class: 'track axis' },
      entry.low === undefined ? null : h('span', { class: 'whisker', style: { left: 100 * entry.low + '%', width: 100 * (entry.high - entry.low) + '%' } }),
      h('span', { class: 'dot', style: { left: 100 * entry.value + '%' } })),
    h('span', { class: 'value' }, interval(entry), entry.n === undefined ? null : h('span', { class: 'note' }, ` n = ${entry.n}${entry.partial ? ', partial' : ''}`)))));
}

const SERIES = 6; // line styles in style.css

function stepOf(span) {
  let step = 10 ** Math.floor(Math.log10(span / 4));
  while (span / step > 5) step *= span / step > 12 ? 5 : 2;
  return step;
}

function ticks(low, high, whole) {
  const span = high - low || 1, step = whole ? Math.max(1, Math.round(stepOf(span))) : stepOf(span), list = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + 1e-9 * span; at += step) list.push(Number(at.toPrecision(10)));
  return list;
}

// Lines of several series over one x: series [{name, style, points: [[x, y or null]]}]; null interrupts a line.
function lineChart(title, x, y, series, wholeX = true) {
  const points = series.flatMap((one) => one.points).filter((point) => point[1] !== null && point[1] !== undefined);
  if (!points.length) return h('figure', null, h('figcaption', null, title), h('p', { class: 'note' }, 'no values'));
  const W = 460, H = 240, L = 58, R = 12, T = 12, B = 44;
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
  const x0 = Math.min(...xs), x1 = Math.max(...xs);
  const least = Math.min(0, ...ys), most = Math.max(0, ...ys), unit = stepOf(most - least || 1); // the axis ends at whole steps
  const y0 = Math.floor(least / unit + 1e-9) * unit, y1 = Math.ceil(most / unit - 1e-9) * unit || (y0 ? 0 : 1);
  const px = (value) => L + ((value - x0) / (x1 - x0 || 1)) * (W - L - R);
  const py = (value) => H - B - ((value - y0) / (y1 - y0 || 1)) * (H - T - B);
  const path = (one) => {
    let text = '', open = false;
    for (const [a, b] of one.points) {
      if (b === null || b === undefined) { open = false; continue; }
      text += `${open ? 'L' : 'M'}${px(a).toFixed(1)} ${py(b).toFixed(1)}`;
      open = true;
    }
    return text;
  };
  const svg = h('svg', { viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `${title}: ${y} over ${x}` },
    ticks(y0, y1, false).map((at) => h('g', { class: 'grid' }, h('line', { x1: L, x2: W - R, y1: py(at), y2: py(at) }),
      h('text', { x: L - 6, y: py(at) + 4, 'text-anchor': 'end' }, number(at)))),
    ticks(x0, x1, wholeX).map((at) => h('text', { x: px(at), y: H - B + 18, 'text-anchor': 'middle' }, number(at))),
    h('text', { x: (L + W - R) / 2, y: H - 8, 'text-anchor': 'middle', class: 'name' }, x),
    h('text', { x: 14, y: (T + H - B) / 2, 'text-anchor': 'middle', class: 'name', transform: `rotate(-90 14 ${(T + H - B) / 2})` }, y),
    series.map((one) => [
      h('path', { d: path(one), class: `series s${one.style}` }),
      one.points.length < 25 ? one.points.filter((point) => point[1] !== null && point[1] !== undefined)
        .map((point) => h('circle', { cx: px(point[0]), cy: py(point[1]), r: 3, class: `series s${one.style}` })) : null,
    ]));
  const legend = h('p', { class: 'legend' }, series.map((one) => h('span', null,
    h('svg', { viewBox: '0 0 24 8', class: 'swatch', 'aria-hidden': 'true' }, h('path', { d: 'M0 4H24', class: `series s${one.style}` })), ' ', one.name)));
  return h('figure', null, h('figcaption', null, title), svg, legend);
}
