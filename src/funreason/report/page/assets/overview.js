// What was run, what it reached, what became of the rows, what it cost.

function overview() {
  return [ran(), reached(), RUN.rounds.map(funnel), retention(), cost()];
}

function ran() {
  const source = RUN.source, prepared = RUN.prepare;
  const models = RUN.models.map((model) => [model.role, model.name, h('code', null, model.identity.slice(0, 19))]);
  const rounds = RUN.rounds.map((round) => {
    const figures = round.training.figures;
    return [link('rows', { round: round.name }, round.name), round.recipe, methodOf(round), round.generator, round.init, number(round.total),
      number((figures.rows || {}).used), number(figures.weight), number(figures.steps)];
  });
  return section('What was run', `State: ${RUN.state}.`,
    table(['role', 'model', 'identity'], models, 'Models'),
    h('p', null, 'Data: ', h('code', null, source.path || source.hub || 'unknown'), prepared.rows === undefined ? '' :
      `: ${number(prepared.rows)} rows, ${number(prepared.tasks)} tasks, ${number(prepared.quarantined)} quarantined. `,
      RUN.overlaps.overlapping === undefined ? '' : `${number(RUN.overlaps.overlapping)} tasks overlap with benchmarks (mode ${RUN.overlaps.mode}).`),
    table(['round', 'recipe', 'method', 'rows written by', 'training starts at', '#rows', '#rows trained on', '#λ at the end', '#steps'], rounds, 'Rounds'));
}

function reached() {
  const suites = [RUN.measure, ...new Set(MODELS.flatMap((name) => accuraciesOf(name).map((entry) => entry.suite)))]
    .filter((suite, at, all) => all.indexOf(suite) === at && (suite === RUN.measure || suite.split('.').length <= 2));
  const blocks = suites.map((suite) => {
    const entries = MODELS.map((name) => [name, accuracyOf(name, suite)]).filter(([, entry]) => entry);
    return entries.length ? h('div', { class: 'block' }, h('h3', null, suite === RUN.measure ? `${suite} (the accuracy that the gate compares)` : suite),
      intervals(entries.map(([name, entry]) => ({ ...entry, label: modelName(name), href: address('evaluation', { model: name }) })))) : null;
  });
  return section('Accuracy before and after training', 'Fraction of right answers with its 95 % interval.', h('div', { class: 'grid2' }, blocks));
}

const KINDS = { kept: 'good', regenerated: 'mended', statement: 'other', not_selected: 'other', dropped: 'bad', hard: 'bad' };

function funnel(round) {
  const steps = round.funnel.map((step, at) => ({
    label: step.step, value: step.rows, href: at ? address('rows', { round: round.name, check: step.step }) : address('rows', { round: round.name }),
    note: at && round.funnel[at - 1].rows !== step.rows ? `(−${number(round.funnel[at - 1].rows - step.rows)})` : '',
  }));
  const outcomes = Object.entries(round.outcomes).map(([name, value]) => ({
    label: name, value, kind: KINDS[name], href: address('rows', { round: round.name, outcome: name }),
  }));
  return section(`Rows of round ${round.name}`, `Written by ${generatorOf(round.name)}.` + (round.sampled ? ` The page holds ${number(round.rows.length)} of ${number(round.total)} rows: a sample, and every changed, hard and undecided row.` : ''),
    h('div', { class: 'grid2' },
      h('div', null, h('h3', null, 'Rows left after each step'), bars(steps)),
      h('div', null, h('h3', null, 'Rows per outcome'), bars(outcomes))));
}

function retention() {
  const rows = RUN.rounds.flatMap((round) => Object.entries(round.retention).map(([name, part]) => [round.name, name,
    percent(part.before), percent(part.after), signed(part.difference), `${signed(part.low)} to ${signed(part.high)}`, number(part.lost), number(part.gained), number(part.p)]));
  return rows.length ? section('Code retention', 'The same code problems before and after training, compared in pairs.',
    table(['round', 'benchmark', '#base', '#after', '#difference', '#95 % interval', '#lost', '#gained', '#p (McNemar)'], rows, 'Code retention')) : null;
}

function signed(value) {
  return value === undefined || value === null ? '–' : (value < 0 ? '−' : '+') + (100 * Math.abs(value)).toFixed(1) + ' %';
}

function cost() {
  const entries = [['base', RUN.base.costs], ...RUN.rounds.map((round) => [round.name, round.costs])]
    .flatMap(([name, costs]) => costs.map((part) => [name, part.stage, part.requests, part.prompt_tokens, part.completion_tokens, part.cost]));
  const sum = (at) => entries.reduce((total, entry) => total + entry[at], 0);
  const cells = (entry) => entry.map((value, at) => (at < 2 ? value : number(value)));
  return section('What it cost', `${number(sum(2))} requests, ${number(sum(3))} prompt tokens and ${number(sum(4))} completion tokens of models; ${number(sum(5))} in the currency of llm.prices. Answers from the response cache count as well.`,
    table(['round', 'stage', '#requests', '#prompt tokens', '#completion tokens', '#cost'], [...entries.map(cells), ['all', '', ...[2, 3, 4, 5].map((at) => number(sum(at)))]], 'Requests to models'));
}
