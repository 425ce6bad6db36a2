// The data of the page: unpacked once, with the indexes that the views need.

async function unpack() {
  const packed = document.getElementById('data').textContent.replace(/\s+/g, '');
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return JSON.parse(await new Response(stream).text());
}

let RUN, COMPARISON, ROWS, ROUNDS, MODELS;

function index(data) {
  RUN = data.run;
  COMPARISON = data.comparison;
  ROUNDS = Object.fromEntries(RUN.rounds.map((round) => [round.name, round]));
  MODELS = ['base', ...RUN.rounds.map((round) => round.name)].filter((name) => accuraciesOf(name).length);
  ROWS = RUN.rounds.flatMap((round) => round.rows.map((row) => {
    row.round = round.name;
    row.query = (round.tasks[row.task] || {}).query || '';
    row.disagree = row.steps.some((step) => step.disagree);
    row.undecided = row.steps.some((step) => step.verdict === 'undecided');
    row.text = `${row.id}\n${row.query}\n${row.answer}\n${row.reason}`.toLowerCase();
    return row;
  }));
}

function accuraciesOf(model) {
  return model === 'base' ? RUN.base.accuracies : (ROUNDS[model] || { accuracies: [] }).accuracies;
}

function accuracyOf(model, suite) {
  return accuraciesOf(model).find((entry) => entry.suite === suite);
}

function modelName(name) {
  return name === 'base' ? 'base (untrained)' : name;
}

function rowOf(round, id) {
  return ROWS.find((row) => row.round === round && row.id === id);
}

function generatorOf(round) {
  const generator = (ROUNDS[round] || {}).generator;
  return generator === 'teacher' ? 'the teacher' : `the model of ${generator}`;
}
