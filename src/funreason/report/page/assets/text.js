// Elements and texts. Texts of rows and models become text nodes only: nothing here reads HTML.

const SVG = document.getElementById('svg').namespaceURI;
const SVG_TAGS = new Set(['svg', 'g', 'path', 'line', 'text', 'circle', 'title']);
// What a browser would obey or hide instead of showing it: control characters, bidirectional overrides, zero widths.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2060-\u2069\ufeff]/g;

function clean(text) {
  return String(text).replace(HIDDEN, (c) => '\\u' + c.codePointAt(0).toString(16).padStart(4, '0'));
}

// An element with attributes and children; children are elements, texts, numbers or lists of these; null is nothing.
function h(tag, attributes, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'style') Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(clean(child)));
  }
  return element;
}

// The address of a view with parameters; empty parameters are left out.
function address(view, parameters) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters || {})) if (value) query.set(key, value);
  const text = query.toString();
  return '#' + view + (text ? '?' + text : '');
}

function link(view, parameters, ...children) {
  return h('a', { href: address(view, parameters) }, ...children);
}

function percent(value, digits = 1) {
  return value === null || value === undefined ? '–' : (100 * value).toFixed(digits) + ' %';
}

function number(value) {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value !== 'number') return String(value);
  if (Number.isInteger(value)) return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return String(Number(value.toPrecision(4)));
}

function interval(entry, digits = 1) {
  if (entry.low === undefined) return percent(entry.value, digits);
  const ends = [entry.low, entry.high].map((end) => (100 * end).toFixed(digits)).join(' to ');
  return `${percent(entry.value, digits)} (${ends})`;
}

// A table; `columns` are headings, a heading that starts with '#' is a column of numbers.
function table(columns, rows, caption) {
  const right = columns.map((name) => name.startsWith('#'));
  const cell = (tag, value, at) => h(tag, { class: right[at] ? 'number' : null, scope: tag === 'th' ? 'col' : null }, value);
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption || 'table' },
    h('table', null,
      caption ? h('caption', null, caption) : null,
      h('thead', null, h('tr', null, columns.map((name, at) => cell('th', name.replace(/^#/, ''), at)))),
      h('tbody', null, rows.map((row) => h('tr', null, row.map((value, at) => cell('td', value, at)))))));
}

function section(title, note, ...children) {
  return h('section', null, h('h2', null, title), note ? h('p', { class: 'note' }, note) : null, ...children);
}

function folded(title, ...children) {
  return h('details', null, h('summary', null, title), ...children);
}

// Folded content that is made when it is opened: some lists have hundreds of links.
function lazy(title, make) {
  const details = folded(title);
  details.addEventListener('toggle', () => details.append(make()), { once: true });
  return details;
}

function words(text) {
  return text.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) || [];
}

// The words of two texts as one list of [kind, text], kind same, old or new: the longest common subsequence.
function wordDiff(before, after) {
  const a = words(before), b = words(after);
  if (a.length * b.length > 4e6) return [['old', before], ['new', after]];
  const width = b.length + 1, length = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      length[i * width + j] = a[i] === b[j] ? length[(i + 1) * width + j + 1] + 1
        : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
  const parts = [];
  const add = (kind, text) => {
    if (parts.length && parts[parts.length - 1][0] === kind) parts[parts.length - 1][1] += text;
    else parts.push([kind, text]);
  };
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { add('same', a[i]); i++; j++; }
    else if (j >= b.length || (i < a.length && length[(i + 1) * width + j] >= length[i * width + j + 1])) add('old', a[i++]);
    else add('new', b[j++]);
  }
  return parts;
}

function diffView(before, after) {
  const tags = { same: 'span', old: 'del', new: 'ins' };
  return h('pre', { class: 'code' }, wordDiff(before || '', after || '').map(([kind, text]) => h(tags[kind], null, text)));
}
