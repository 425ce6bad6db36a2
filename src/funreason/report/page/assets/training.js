// Curves of the trainings, and the losses of single tokens.

const CURVES = [
  ['Loss of the reasoning', 'loss', 'step', 'think', 'nats per token'],
  ['Loss of the result', 'loss', 'step', 'result', 'nats per token'],
  ['λ, the weight of the reasoning', 'loss', 'step', 'weight', 'λ'],
  ['Gradient fraction of the reasoning', 'loss', 'step', 'grad_fraction', 'fraction'],
  ['Held-out loss of the reasoning', 'heldout', 'epoch', 'think', 'nats per token'],
  ['Held-out loss of the result', 'heldout', 'epoch', 'result', 'nats per token'],
  ['Held-out exact calls', 'heldout', 'epoch', 'exact_calls', 'fraction'],
  ['Held-out exact refusals', 'heldout', 'epoch', 'exact_no_call', 'fraction'],
  ['Learning rate', 'loss', 'step', 'learning_rate', 'learning rate'],
  ['Speed', 'loss', 'step', 'tokens_per_second', 'tokens per second'],
];

function trainingView() {
  const rounds = RUN.rounds.filter((round) => round.training.loss.length || round.training.heldout.length);
  const live = (RUN.live || {}).loss ? [{ name: `running, step ${RUN.live.step} of ${RUN.live.steps}`, training: { loss: RUN.live.loss, heldout: [] } }] : [];
  if (!rounds.length && !live.length) return [h('h2', null, 'Training'), h('p', null, 'No training has finished in this state.')];
  const rows = rounds.map(({ name, training: { figures: f } }) => [name, number((f.rows || {}).used), number((f.rows || {}).heldout), number((f.tokens || {}).think), number((f.tokens || {}).result),
    number((f.loss || {}).think), number((f.loss || {}).result), number((f.heldout || {}).think), number((f.heldout || {}).result), number(f.weight), percent(f.grad_fraction)]);
  const charts = CURVES.map(([title, file, x, column, unit]) => {
    const series = [...rounds, ...live].map((round) => ({ name: round.name, points: round.training[file].map((entry) => [entry[x], entry[column]]) }));
    return series.some((one) => one.points.some((point) => point[1] !== undefined && point[1] !== null)) ? lineChart(title, x, unit, series) : null;
  });
  return [section('Training', 'Final losses are means over the last tenth of the steps, in nats per token.',
    table(['round', '#rows', '#held out', '#tokens of reasoning', '#tokens of results', '#loss of reasoning', '#loss of result', '#held-out reasoning', '#held-out result', '#λ', '#gradient of reasoning'], rows, 'Trainings'),
    h('div', { class: 'grid2' }, charts))];
}

function tokensView(parameters) {
  const rounds = RUN.rounds.filter((round) => (round.tokens.rows || []).length);
  if (!rounds.length) return [h('h2', null, 'Tokens'), h('p', null, 'The trainings of this state wrote no losses of single tokens.')];
  const round = rounds.find((one) => one.name === parameters.round) || rounds[0];
  const most = Math.max(1e-9, ...round.tokens.rows.flatMap((row) => row.tokens.map((token) => token[2])));
  return [h('h2', null, 'Tokens'),
    h('p', { class: 'choice' }, 'Round: ', rounds.map((one) => h('a', { class: 'chip', 'aria-current': one === round ? 'true' : null, href: address('tokens', { round: one.name }) }, one.name))),
    h('p', { class: 'note' }, 'What training weighs: the colour is the segment (', h('span', { class: 'token think w4' }, 'reasoning'), ', ', h('span', { class: 'token result w4' }, 'result'),
      '), its shade the weight of the token in the loss. The upper bar under a token is its loss before training, the lower one after it, from 0 to 4 nats.'),
    round.tokens.rows.map((row) => h('article', { class: 'tokens' }, h('h3', null, row.id), h('p', null, row.tokens.map((token) => tokenView(token, most)))))];
}

function tokenView([text, segment, weight, before, after], most) {
  const bar = (loss) => (loss === null ? null : h('i', { style: { width: Math.min(100, 25 * loss) + '%' } }));
  return h('span', { class: `token ${segment} w${Math.ceil((4 * weight) / most)}`, title: `${segment}, weight ${number(weight)}, loss ${number(before)} → ${number(after)} nats` },
    text.replace(/\n/g, '⏎'), h('span', { class: 'losses', 'aria-hidden': 'true' }, bar(before), bar(after)));
}
