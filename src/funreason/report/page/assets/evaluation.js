// Judges, benchmarks, and two states side by side.

function judgesView() {
  return RUN.rounds.flatMap((round) => [agreement(round), planted(round)]);
}

function agreement(round) {
  const checks = Object.entries(round.judges.checks);
  const verdicts = checks.map(([name, part]) => [link('rows', { round: round.name, check: name }, name), number(part.in), number(part.pass), number(part.fail), fractionOf(part.undecided, part.in), number(part.skip), number(part.regenerated),
    agreed(part.agreement && part.agreement.heuristics), number(part.agreement && part.agreement.panel && part.agreement.panel.kappa), number(part.parse_failures)]);
  const probes = checks.flatMap(([name, part]) => Object.entries(part.judges || {}).map(([judge, found]) => [name, judge,
    `${number((found.probes || {}).sound)} + ${number((found.probes || {}).planted)}`, percent(found.sensitivity), percent(found.specificity), percent(found.true_fraction),
    found.sound_fraction ? interval(found.sound_fraction) : '–']));
  return section(`Judges of round ${round.name}`, null,
    table(['check', '#rows', '#pass', '#fail', '#undecided', '#skipped', '#answer replaced', '#agrees with heuristics', '#panel κ', '#unreadable'], verdicts, 'Verdicts'),
    probes.length ? [h('p', { class: 'note' }, 'Probes are sound rows and the same rows with one planted defect. Sensitivity: sound probes that pass. Specificity: defective probes that fail. Sound rows: the fraction of True verdicts, corrected for both.'),
      table(['check', 'judge', '#probes (sound + defective)', '#sensitivity', '#specificity', '#True verdicts', '#sound rows, corrected'], probes, 'Probes')] : null);
}

// A count with its percentage, where it is not 0.
function fractionOf(count, all) {
  return count ? `${number(count)} (${percent(count / all)})` : number(count);
}

function agreed(part) {
  return part && part.n ? `${percent(part.fraction)} of ${number(part.n)}${part.kappa === null ? '' : `, κ ${number(part.kappa)}`}` : '–';
}

function planted(round) {
  const pairs = round.judges.confusion;
  if (!pairs.length) return null;
  const names = (key) => [...new Set(pairs.map((pair) => pair[key]))].sort((a, b) => order(a) - order(b));
  const rows = names('planted'), columns = names('caught_by');
  const count = (a, b) => (pairs.find((pair) => pair.planted === a && pair.caught_by === b) || { rows: 0 }).rows;
  const most = Math.max(...pairs.map((pair) => pair.rows));
  const cells = rows.map((a) => {
    const all = columns.reduce((sum, b) => sum + count(a, b), 0), missed = count(a, 'none');
    return [a, ...columns.map((b) => h('span', { class: 'heat' + (a === b ? ' right' : ''), 'data-level': Math.ceil((4 * count(a, b)) / most) }, number(count(a, b)))),
      a === 'none' ? `${percent((all - missed) / all)} false alarms` : `${percent((all - missed) / all)} caught`];
  });
  const defects = Object.entries(round.judges.planted).filter(([name]) => name !== 'sampled').map(([name, part]) => [link('rows', { round: round.name, defect: name }, name), number(part.rows), number(part.kept), number(part.regenerated), number(part.statement),
    number(Object.values(part.left).reduce((sum, n) => sum + n, 0)), Object.entries(part.left).map(([check, n]) => `${check} ${n}`).join(', ')]);
  return section(`Planted defects of round ${round.name}`, 'Rows with a hidden label: the step that a defect is for (lines), and the step that acted on the row (columns; none: the row was kept as it was).',
    table(['planted for', ...columns.map((name) => '#' + name), '#sum'], cells, 'Confusion'),
    table(['defect', '#rows', '#kept', '#regenerated', '#statement', '#removed', 'removed by'], defects, 'Defects'));
}

const STEP_ORDER = ['generate', 'response', 'query_tool', 'cot', 'call', 'format', 'validate', 'none'];

function order(name) {
  return STEP_ORDER.indexOf(name);
}

function evaluationView(parameters) {
  return [categories(), paired(), wrongAnswers(parameters)];
}

function categories() {
  const suites = [...new Set(MODELS.flatMap((name) => accuraciesOf(name).map((entry) => entry.suite)))];
  const rows = suites.map((suite) => [suite, ...MODELS.map((name) => { const entry = accuracyOf(name, suite); return entry ? interval(entry) : '–'; }),
    ceiling(suite), number(Math.max(...MODELS.map((name) => (accuracyOf(name, suite) || { n: 0 }).n)))]);
  const note = 'With the 95 % interval. Gold: what the benchmark’s own gold answers reach in the whole category; its checker refuses some of them.';
  return section('Accuracy by category', rows.some((row) => row[row.length - 2] !== '–') ? note : 'With the 95 % interval.',
    table(['category', ...MODELS.map((name) => '#' + modelName(name)), '#gold', '#questions'], rows, 'Accuracy by category'));
}

function ceiling(suite) {
  const known = MODELS.map((name) => accuracyOf(name, suite)).find((entry) => entry && typeof entry.gold === 'number');
  return known ? percent(known.gold) : '–';
}

function paired() {
  const rows = RUN.pairs.flatMap((pair) => pair.suites.map((suite) => pairCells(`${pair.before} → ${pair.after}`, suite, pair)));
  return rows.length ? section('What changed from model to model', pairNote(RUN.pairs.flatMap((pair) => pair.suites)),
    table(PAIR_COLUMNS, rows, 'Paired comparison')) : null;
}

const PAIR_COLUMNS = ['models', 'suite', '#n', '#before', '#after', '#difference', '#95 % interval', '#lost', '#gained', '#p', '#p of equivalence', 'at 5 %'];

function pairNote(suites) {
  const margin = suites.length ? `${100 * suites[0].equivalence.margin} points` : 'the margin';
  return `The same questions in pairs: right only before (lost), right only after (gained), McNemar’s exact p. Equivalent: two one-sided tests exclude a difference of ${margin} or more.`;
}

function pairCells(label, suite, pair) {
  const parameters = (list) => ({ model: pair.after, suite: suite.suite, changed: list, against: pair.before });
  const count = (list) => (suite[list] ? link('evaluation', parameters(list), number(suite[list])) : '0');
  return [label, suite.suite, number(suite.n), percent(suite.before), percent(suite.after), signed(suite.difference), `${signed(suite.low)} to ${signed(suite.high)}`,
    pair.before ? count('lost') : number(suite.lost), pair.before ? count('gained') : number(suite.gained), probability(suite.p), probability(suite.equivalence.p), verdict(suite)];
}

function probability(p) {
  return p < 0.0001 ? '< 0.0001' : number(p);
}

function verdict(suite) {
  if (suite.equivalence.equivalent) return 'equivalent';
  if (suite.p >= 0.05) return 'not decided';
  return suite.difference > 0 ? 'better' : 'worse';
}

function wrongAnswers(parameters) {
  const model = parameters.model || MODELS[MODELS.length - 1], all = RUN.answers[model] || [];
  const suites = [...new Set(all.map((answer) => answer.suite))];
  const suite = suites.includes(parameters.suite) ? parameters.suite : suites[0];
  const pair = RUN.pairs.find((one) => one.after === model && one.before === parameters.against);
  const part = pair && pair.suites.find((one) => one.suite === suite);
  const keys = part && parameters.changed ? new Set(part[parameters.changed + '_keys']) : null;
  const answers = all.filter((answer) => answer.suite === suite && (keys ? keys.has(answer.key) : !answer.correct));
  const groups = Map.groupBy ? Map.groupBy(answers, reasonOf) : answers.reduce((map, answer) => map.set(reasonOf(answer), [...(map.get(reasonOf(answer)) || []), answer]), new Map());
  const choose = (name, values, shown) => h('p', { class: 'choice' }, shown, values.map((value) => h('a', { class: 'chip', 'aria-current': value === { model, suite }[name] ? 'true' : null, href: address('evaluation', { model, suite, [name]: value }) }, value)));
  return section(keys ? `Answers of ${model} that ${parameters.changed === 'lost' ? 'became wrong' : 'became right'} against ${parameters.against}` : `Wrong answers of ${model}`, 'Grouped by the reason of the scorer.',
    choose('model', MODELS, 'Model: '), choose('suite', suites, 'Suite: '),
    [...groups].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1)).map(([reason, list]) => h('details', { open: groups.size === 1 || reason === parameters.reason },
      h('summary', null, `${reason} (${number(list.length)})`), list.slice(0, 50).map((answer) => answerView(answer, model)),
      list.length > 50 ? h('p', { class: 'note' }, `${number(list.length - 50)} more`) : null)));
}

function reasonOf(answer) {
  return answer.error ? answer.error.split(/: ?\[|\n/)[0].slice(0, 100) : 'no reason';
}

function answerView(answer, model) {
  const others = MODELS.filter((name) => name !== model).map((name) => [name, (RUN.answers[name] || []).find((other) => other.key === answer.key)]).filter(([, other]) => other);
  const question = answer.question || (others.map(([, other]) => other.question).find(Boolean) || '');
  const gold = answer.gold || (others.map(([, other]) => other.gold).find(Boolean) || '');
  return h('div', { class: 'answer' }, h('h3', null, answer.key), h('blockquote', null, question),
    h('dl', null, gold ? [h('dt', null, 'gold'), h('dd', null, h('pre', { class: 'code' }, gold))] : null,
      h('dt', null, `${model}: ${answer.correct ? 'right' : 'wrong'}`), h('dd', null, h('pre', { class: 'code' }, answer.text), answer.error ? h('p', { class: 'note' }, answer.error) : null),
      others.map(([name, other]) => [h('dt', null, `${name}: ${other.correct ? 'right' : 'wrong'}`), h('dd', null, h('pre', { class: 'code' }, other.text))])));
}

function compareView() {
  const c = COMPARISON, all = (columns, rows, caption) => (rows.length ? table(columns, rows, caption) : null);
  return [section(`${c.a} and ${c.b}`, 'A is the first state, B the second. Rows and figures on the other pages are those of B.',
    all(['parameter', 'A', 'B'], c.params.map(([key, a, b]) => [h('code', null, key), JSON.stringify(a), JSON.stringify(b)]), 'Parameters that differ'),
    all(['round', 'figure', '#A', '#B'], c.figures.map(([name, figure, a, b]) => [name, figure, number(a), number(b)]), 'Figures of the rounds that differ')),
    section('Accuracy', `A before and B after. ${pairNote(c.pairs.flatMap((pair) => pair.suites))}`, table(PAIR_COLUMNS, c.pairs.flatMap((pair) => pair.suites.map((suite) => pairCells(pair.model, suite, {}))), 'Paired comparison')),
    ...c.rounds.map((round) => section(`Rows of ${round.name} with another outcome`, `${number(round.changed.length)} rows changed, ${number(round.unchanged)} did not; ${number(round.added)} are only in B, ${number(round.removed)} only in A.`,
      all(['A', 'B', '#rows'], round.transitions.map((one) => [badge(one.from), badge(one.to), number(one.rows)]), 'Transitions'),
      all(['row', 'query', 'A', 'B'], round.changed.map((row) => [link('row', { round: round.name, id: row.id }, row.id), short((rowOf(round.name, row.id) || { query: '' }).query),
        [badge(row.a.outcome), ` at ${row.a.check} ${row.a.reason}`], [badge(row.b.outcome), ` at ${row.b.check} ${row.b.reason}`]]), 'Changed rows')))];
}
