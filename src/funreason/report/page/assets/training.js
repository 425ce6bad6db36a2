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
  ['Reward', 'loss', 'step', 'reward', 'mean of the samples'],
  ['Samples with exactly the right calls', 'loss', 'step', 'exact', 'fraction'],
  ['Part of the reward: format', 'loss', 'step', 'format', 'mean of the samples'],
  ['Part of the reward: correctness', 'loss', 'step', 'correctness', 'mean of the samples'],
  ['Part of the reward: length', 'loss', 'step', 'length_penalty', 'mean of the samples'],
  ['Dead groups, whose samples all earn the same', 'loss', 'step', 'dead_groups', 'fraction'],
  ['KL divergence from the start model', 'loss', 'step', 'kl', 'nats per token'],
  ['Entropy of the samples', 'loss', 'step', 'entropy', 'nats per token'],
  ['Length of a completion', 'loss', 'step', 'length', 'tokens'],
  ['Learning rate', 'loss', 'step', 'learning_rate', 'learning rate'],
  ['Speed', 'loss', 'step', 'tokens_per_second', 'tokens per second'],
];

function trainingView() {
  const rounds = RUN.rounds.filter((round) => round.training.loss.length || round.training.heldout.length);
  const live = (RUN.live || {}).loss ? [{ name: `running, step ${RUN.live.step} of ${RUN.live.steps}`, training: { loss: RUN.live.loss, heldout: [] } }] : [];
  if (!rounds.length && !live.length) return [h('h2', null, 'Training'), h('p', null, 'No training has finished in this state.')];
  const charts = CURVES.map(([title, file, x, column, unit]) => {
    const series = [...rounds, ...live].map((round, at) => ({ name: round.name, style: at % SERIES, points: round.training[file].map((entry) => [entry[x], entry[column]]) }))
      .filter((one) => one.points.some((point) => point[1] !== undefined && point[1] !== null));
    return series.length ? lineChart(title, x, unit, series) : null;
  });
  return [section('Training', 'Final losses are means over the last tenth of the steps, in nats per token.', supervised(rounds), byRewards(rounds),
    h('div', { class: 'grid2' }, charts))];
}

function supervised(rounds) {
  const rows = rounds.filter((round) => methodOf(round) !== 'grpo').map(({ name, training: { figures: f } }) => [name, number((f.rows || {}).used), number((f.rows || {}).heldout), number((f.tokens || {}).think), number((f.tokens || {}).result),
    number((f.loss || {}).think), number((f.loss || {}).result), number((f.heldout || {}).think), number((f.heldout || {}).result), number(f.weight), percent(f.grad_fraction)]);
  return rows.length ? table(['round', '#rows', '#held out', '#reasoning tokens', '#result tokens', '#reasoning loss', '#result loss', '#held-out reasoning', '#held-out result', '#λ', '#gradient'], rows, 'Trainings by a loss on the rows; gradient: the fraction of the reasoning') : null;
}

// The parts of a reward, as grpo/curves.py names them; a part that was not asked for has no value.
const REWARD = [['exact', 'exact'], ['format', 'format'], ['correctness', 'correctness'], ['length_penalty', 'length']];

function byRewards(rounds) {
  const rows = rounds.filter((round) => methodOf(round) === 'grpo').map(({ name, training: { figures: f } }) => {
    const samples = f.samples || {}, dead = f.dead_groups || {};
    return [name, number((f.rows || {}).prompts), number(f.steps), number(f.sampled_tokens), number(samples.reward), ...REWARD.map(([key]) => number(samples[key])),
      percent(dead.before), percent(dead.trained), number(samples.kl), number(samples.length)];
  });
  return rows.length ? [table(['round', '#prompts', '#steps', '#tokens sampled', '#reward', ...REWARD.map(([, title]) => '#' + title), '#dead before', '#dead in training', '#KL', '#tokens per sample'], rows, 'Trainings by rewards (GRPO)'),
    h('p', { class: 'note' }, 'Reward and its parts, KL and tokens are means over the last tenth of the steps. A group is dead where all its samples earn the same: it teaches nothing. Before: in the first sampling, by the start model.')] : null;
}

function methodOf(round) {
  return round.training.figures.method || 'sft';
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
