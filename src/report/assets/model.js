// The searches of the page, and which of their trials the reader has selected.

/** One search with what the sections ask of it. `data` is an entry of "searches". */
function searchOf(data) {
  const byNumber = new Map(data.trials.map((trial) => [trial.number, trial]));
  const names = shortNames([...data.parameters, ...Object.keys(data.constants)]);
  const scored = data.trials.filter(
      (trial) => trial.state === 'complete' && Number.isFinite(trial.scores[data.objective]));
  return {
    ...data,
    scored,
    trial: (number) => byNumber.get(number),
    bestTrial: byNumber.get(data.best),
    baseTrial: data.base_trial === data.best ? undefined : byNumber.get(data.base_trial),
    shortName: (parameter) => names.get(parameter) ?? parameter,
    minimizes: data.direction === 'minimize',
  };
}

/** The scores that trials have: the objective first, then those that say most. */
function scoreNames(search) {
  const found = new Set(search.scored.flatMap((trial) => Object.keys(trial.scores)));
  found.delete(search.objective);
  const leading = ['top1', 'rel_l2', 'worst_slice'].filter((name) => found.delete(name));
  return [search.objective, ...leading, ...[...found].sort()];
}

/** True when a lower value of this score is better. */
function lowerIsBetter(search, name) {
  return name === search.objective ? search.minimizes : !HIGHER_IS_BETTER.has(name);
}

/** What can be drawn on an axis, by key. `of` gives the value of a trial or of the float model. */
function measures(search) {
  const all = new Map(scoreNames(search).map((name) => [name, {
    name: scoreName(name),
    of: (model) => model.scores[name],
    text: (value) => scoreText(name, value),
    tick: (value) => scoreTick(name, value),
    lower: lowerIsBetter(search, name),
  }]));
  all.set('latency_ms', {name: 'Latency, ms', of: (model) => model.latency_ms, text: milliseconds, tick: milliseconds, lower: true});
  all.set('latency_ratio', {
    name: 'Relative time',
    of: (model) => model === search.float ? 1 : model.latency_ratio?.[0],
    text: (value) => number(value, 3),
    tick: (value) => number(value, 3),
    lower: true,
  });
  all.set('size_bytes', {name: 'Size', of: (model) => model.size_bytes, text: bytes, tick: bytes, lower: true});
  for (const [key, measure] of all) {
    const values = search.scored.map(measure.of).filter((value) => Number.isFinite(value));
    if (values.length === 0) all.delete(key);
  }
  return all;
}

/** How a trial is shown: 'best', 'candidate' (within the tolerance), 'outside', or its state when it is not complete. */
function standing(search, trial) {
  if (trial.number === search.best) return 'best';
  if (trial.state !== 'complete') return trial.state;
  return trial.candidate ? 'candidate' : 'outside';
}

const STANDING_TEXT = {
  best: 'best', candidate: 'within tolerance', outside: 'outside', failed: 'failed', pruned: 'given up',
  interrupted: 'interrupted',
};

/** Rows of a tooltip: the trial, its main scores and how it differs from the others. */
function trialTip(search, trial) {
  const rows = scoreNames(search).slice(0, 4)
      .filter((name) => trial.scores[name] !== undefined)
      .map((name) => [scoreName(name), scoreText(name, trial.scores[name])]);
  if (trial.size_bytes !== null) rows.push(['Size', bytes(trial.size_bytes)]);
  if (trial.latency_ms !== null) rows.push(['Latency', milliseconds(trial.latency_ms)]);
  for (const name of search.parameters) {
    if (name in trial.config) rows.push([search.shortName(name), settingText(trial.config[name])]);
  }
  return h('div', {class: 'tip'}, h('b', {}, `Trial ${trial.number}`), `, ${STANDING_TEXT[standing(search, trial)]}`,
      h('table', {}, h('tbody', {}, rows.map(([name, value]) => h('tr', {}, h('td', {}, name), h('td', {}, value))))));
}

/** The trials that the reader has selected in a chart; null: all. Sections listen to it. */
const selection = {
  numbers: null,
  from: '',
  listeners: [],
  set(numbers, from) {
    this.numbers = numbers === null || numbers.length === 0 ? null : new Set(numbers);
    this.from = this.numbers === null ? '' : from;
    for (const listener of this.listeners) listener();
  },
  has(trial) {
    return this.numbers === null || this.numbers.has(trial.number);
  },
};
