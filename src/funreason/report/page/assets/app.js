// The frame of the page: navigation, and the view that the address names.

const VIEWS = {
  overview: ['Overview', overview],
  rows: ['Rows', rowsView],
  tools: ['Tools', toolsView],
  judges: ['Judges', judgesView],
  evaluation: ['Evaluation', evaluationView],
  training: ['Training', trainingView],
  tokens: ['Tokens', tokensView],
  compare: ['Two states', compareView],
  row: [null, rowView],
};

function show() {
  const started = performance.now();
  const [name, query] = location.hash.slice(1).split('?');
  const view = VIEWS[name] && (name !== 'compare' || COMPARISON) ? name : COMPARISON && !name ? 'compare' : 'overview';
  const typing = document.activeElement && document.activeElement.id === 'q' ? document.activeElement.selectionStart : null;
  const main = h('main', { id: 'main', tabindex: '-1' }, VIEWS[view][1](Object.fromEntries(new URLSearchParams(query || ''))));
  const links = Object.entries(VIEWS).filter(([key, [title]]) => title && (key !== 'compare' || COMPARISON)).map(([key, [title]]) =>
    h('a', { href: '#' + key, 'aria-current': key === view || (view === 'row' && key === 'rows') ? 'page' : null }, title));
  document.getElementById('page').replaceChildren(h('header', null, h('h1', null, 'FunReason report'), h('nav', { 'aria-label': 'views' }, links)), main);
  if (typing !== null && document.getElementById('q')) {
    document.getElementById('q').focus();
    document.getElementById('q').setSelectionRange(typing, typing);
  } else if (show.before !== undefined && show.before !== location.hash.split('?')[0]) {
    scrollTo(0, 0);
  }
  show.before = location.hash.split('?')[0];
  document.documentElement.dataset.ms = (performance.now() - started).toFixed(1);
}

unpack().then((data) => {
  index(data);
  addEventListener('hashchange', show);
  show();
  document.documentElement.dataset.ready = performance.now().toFixed(1);
});
