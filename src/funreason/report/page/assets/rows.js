// The rows: a table with filters as links, and the story of each row.

const PAGE_SIZE = 100;
const FACETS = {
  round: ['round', (row) => [row.round]],
  outcome: ['outcome', (row) => [row.outcome]],
  check: ['deciding step', (row) => [row.check]],
  reason: ['reason', (row) => (row.reason ? [row.reason] : [])],
  defect: ['planted defect', (row) => (row.defect ? [row.defect] : [])],
  flag: ['mark', (row) => [row.disagree && 'heuristics ≠ judge', row.undecided && 'undecided'].filter(Boolean)],
  tool: ['tool called', (row) => row.tools],
};
const SHOWN_VALUES = 12;

function matches(row, filters, except) {
  for (const [name, [, values]] of Object.entries(FACETS))
    if (name !== except && filters[name] && !values(row).includes(filters[name])) return false;
  return !filters.q || row.text.includes(filters.q.toLowerCase());
}

function rowsView(filters) {
  const rows = ROWS.filter((row) => matches(row, filters));
  const page = Math.max(1, Number(filters.page) || 1), pages = Math.max(1, Math.ceil(rows.length / PAGE_SIZE));
  const shown = rows.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
  return [h('h2', null, 'Rows'), search(filters), h('div', { class: 'sides' },
    h('nav', { class: 'facets', 'aria-label': 'filters' }, folding('Filters', Object.keys(FACETS).map((name) => facet(name, filters)))),
    h('div', { class: 'results' },
      h('p', { role: 'status' }, `${number(rows.length)} rows`, chips(filters)),
      table(['row', 'round', 'query', 'answer', 'outcome', 'step', 'reason'], shown.map(rowCells), 'Rows'),
      pager(filters, page, pages)))];
}

// On a phone the filters are folded, so that the rows can be seen.
function folding(title, content) {
  return matchMedia('(max-width: 700px)').matches ? folded(title, content) : content;
}

function search(filters) {
  const input = h('input', { type: 'search', id: 'q', value: filters.q || '', placeholder: 'row number, words of query, answer or reason', autocomplete: 'off' });
  let timer;
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => { location.replace(address('rows', { ...filters, q: input.value, page: '' })); }, 120);
  });
  return h('p', { class: 'search' }, h('label', { for: 'q' }, 'Search '), input);
}

function facet(name, filters) {
  const [title, values] = FACETS[name], counts = new Map();
  for (const row of ROWS) if (matches(row, filters, name)) for (const value of values(row)) counts.set(value, (counts.get(value) || 0) + 1);
  const entries = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (!entries.length) return null;
  const item = ([value, count]) => h('li', null, h('a', {
    href: address('rows', { ...filters, page: '', [name]: filters[name] === value ? '' : value }),
    'aria-current': filters[name] === value ? 'true' : null,
  }, value), h('span', { class: 'note' }, ` ${number(count)}`));
  const rest = entries.slice(SHOWN_VALUES);
  return h('div', null, h('h3', null, title), h('ul', null, entries.slice(0, SHOWN_VALUES).map(item)),
    rest.length ? lazy(`${rest.length} more`, () => h('ul', null, rest.map(item))) : null);
}

function chips(filters) {
  return Object.keys(filters).filter((name) => FACETS[name] || name === 'q').map((name) => h('a', {
    class: 'chip', href: address('rows', { ...filters, page: '', [name]: '' }), title: 'remove this filter',
  }, `${FACETS[name] ? FACETS[name][0] : 'text'}: ${filters[name]} ×`));
}

function rowCells(row) {
  return [link('row', { round: row.round, id: row.id }, row.id), row.round, h('span', { class: 'text' }, short(row.query)), h('code', null, short(row.final || row.answer)),
    badge(row.outcome), row.check, row.reason];
}

function short(text) {
  return text.length > 140 ? text.slice(0, 140) + '…' : text;
}

function badge(outcome) {
  return h('span', { class: 'badge ' + (KINDS[outcome] || '') }, outcome);
}

function pager(filters, page, pages) {
  if (pages === 1) return null;
  const to = (number_, text) => link('rows', { ...filters, page: number_ > 1 ? String(number_) : '' }, text);
  return h('p', { class: 'pager' }, page > 1 ? to(page - 1, 'previous') : null, ` page ${page} of ${pages} `, page < pages ? to(page + 1, 'next') : null);
}

function rowView(parameters) {
  const row = rowOf(parameters.round, parameters.id);
  if (!row) return [h('h2', null, `Row ${parameters.id} of ${parameters.round}`), h('p', null, 'This page does not hold the row. ', h('code', null, `funreason ledger show ${parameters.id} --round ${parameters.round}`), ' prints it.')];
  const task = ROUNDS[row.round].tasks[row.task] || { tools: [] };
  return [
    h('h2', null, `Row ${row.id} of round ${row.round}`),
    h('p', { class: 'verdict' }, badge(row.outcome), ` at ${row.check}`, row.reason && row.reason !== row.outcome ? `: ${row.reason}` : '',
      row.defect ? h('span', { class: 'note' }, ` · planted: ${row.defect}`) : null, ` · written by ${row.steps[0] && row.steps[0].reason === 'given' ? 'the source' : generatorOf(row.round)}`),
    section('Query', null, conversation(task.history), h('blockquote', null, row.query), conversation(task.steps)),
    section('Tools', null, task.tools.map((place) => toolView(ROUNDS[row.round].tools[place], row))),
    section('Reasoning', null, h('blockquote', null, row.cot || '(none)')),
    section('Answer', null, row.final ? diffView(row.answer, row.final) : h('pre', { class: 'code' }, row.answer || '(none)'),
      task.reference ? folded('reference of the source', h('pre', { class: 'code' }, JSON.stringify(task.reference, null, 1))) : null),
    section('Steps', null, h('ol', { class: 'steps' }, row.steps.map(stepView))),
    elsewhere(row),
  ];
}

function conversation(messages) {
  return (messages || []).map(([role, content]) => h('p', null, h('strong', null, role), ': ', content || '(nothing)'));
}

function toolView(tool, row) {
  const called = row.tools.includes(String(tool.name));
  return h('details', null, h('summary', null, h('code', null, tool.name), called ? ' (called)' : '', ' ', h('span', { class: 'note' }, short(String(tool.description || '')))),
    h('pre', { class: 'code' }, JSON.stringify(tool.parameters || tool, null, 1)));
}

const SIGNS = { true: 'True', false: 'False', null: 'unreadable' };

function stepView(step) {
  const heuristics = step.heuristics;
  return h('li', { class: 'step' },
    h('h3', null, step.check, ' ', h('span', { class: 'badge ' + ({ fail: 'bad', pass: 'good', undecided: 'mended' }[step.verdict] || 'other') }, step.verdict), step.action === 'keep' ? '' : ` → ${step.action}`, step.reason ? h('span', { class: 'note' }, ` ${step.reason}`) : null),
    heuristics ? h('p', null, 'heuristics: ', heuristics.value === null ? 'unclear' : SIGNS[heuristics.value], heuristics.reason ? `, ${heuristics.reason}` : '', step.disagree ? h('strong', null, ' (the judge says the contrary)') : null,
      heuristics.evidence && Object.keys(heuristics.evidence).length ? h('code', { class: 'note' }, ' ' + JSON.stringify(heuristics.evidence)) : null) : null,
    (step.votes || []).map(([judge, value, text]) => h('blockquote', null, h('strong', null, `${judge}: ${SIGNS[value]}`), h('br'), text)),
    step.new_answer !== undefined ? [h('p', null, step.action === 'regenerate' ? 'answer replaced:' : 'new answer, not accepted:'), diffView(step.old_answer, step.new_answer)] : null);
}

function elsewhere(row) {
  const others = ROWS.filter((other) => other.task === row.task && other !== row);
  const entries = others.map((other) => [link('row', { round: other.round, id: other.id }, `${other.id} of ${other.round}`), `written by ${generatorOf(other.round)}`,
    diffView(row.final || row.answer, other.final || other.answer), badge(other.outcome)]);
  return others.length ? section('The same query in other rounds', 'Before and after training: the answer beside the one above, word by word.', table(['row', 'written by', 'answer', 'outcome'], entries, 'The same query')) : null;
}

function toolsView() {
  const names = new Set(RUN.rounds.flatMap((round) => Object.keys(round.by_tool)));
  const wrong = new Map();
  for (const name of MODELS) for (const answer of RUN.answers[name] || []) if (!answer.correct && answer.gold)
    for (const tool of answer.gold.match(/"[^"]+"(?=: ?\{)/g) || []) wrong.set(tool.slice(1, -1), (wrong.get(tool.slice(1, -1)) || 0) + 1);
  const entries = [...names].map((name) => {
    const [rows, removed] = RUN.rounds.reduce((sum, round) => (round.by_tool[name] || [0, 0]).map((value, at) => value + sum[at]), [0, 0]);
    return [name, rows, removed, removed / rows, wrong.get(name) || 0];
  }).sort((a, b) => b[2] - a[2] || b[3] - a[3] || (a[0] < b[0] ? -1 : 1));
  const columns = ['tool', '#rows', '#removed', '#removed, fraction', '#wrong in benchmarks'];
  const cells = entries.map(([name, rows, removed, fraction, wrongs]) =>
    [link('rows', { tool: name }, name), number(rows), removed ? link('rows', { tool: name, outcome: 'dropped' }, number(removed)) : '0', percent(fraction), number(wrongs)]);
  return [section('Tools', 'Rows whose answer calls a tool, in all rounds, and those of them that were removed (dropped or hard); most removed first. Wrong: answers of all models in benchmarks whose gold answer calls the tool.',
    table(columns, cells.slice(0, PAGE_SIZE), 'Tools'), cells.length > PAGE_SIZE ? lazy(`${number(cells.length - PAGE_SIZE)} more`, () => table(columns, cells.slice(PAGE_SIZE), 'More tools')) : null)];
}
