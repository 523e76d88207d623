// All trials: what differs between them as columns, the rest once above.

let showsAllScores = false;

function drawTrials(search) {
  const section = byId('trials');
  section.hidden = search.trials.length === 0;
  if (section.hidden) return;
  const table = new DataTable({
    label: 'Trials',
    fileName: `trials-${fileName(search.model)}.csv`,
    rows: search.trials,
    columns: trialColumns(search),
    sortBy: 'rank',
    filter: (trial) => selection.has(trial),
    rowClass: (trial) => trial.number === search.best ? 'best' : null,
    onRow: (trial) => selection.set(selection.numbers?.has(trial.number) ? null : [trial.number], 'table'),
    summary: (count) => `${count} of ${plural(search.trials.length, 'trial')}`,
  });
  const chosen = h('span', {class: 'selected', role: 'status'});
  const clear = h('button', {type: 'button', onclick: () => selection.set(null, '')}, 'Show all');
  const scores = toggle('All scores', showsAllScores, (isOn) => {
    showsAllScores = isOn;
    table.options.columns = trialColumns(search);
    table.draw();
  });
  const showSelection = () => {
    chosen.hidden = clear.hidden = selection.numbers === null;
    chosen.textContent = selection.numbers === null ? '' : `${selection.numbers.size} selected in ${selection.from}`;
    table.draw();
  };
  selection.listeners.push(showSelection);
  showSelection();
  show(byId('trial-table'),
      panelHead('All trials', trialSentence(search), chosen, clear, table.search, scores, table.save),
      constants(search), table.scroll, table.foot);
}

function trialSentence(search) {
  const count = (state) => search.trials.filter((trial) => trial.state === state).length;
  const parts = [plural(search.candidates.length, 'candidate')];
  for (const state of ['failed', 'pruned', 'interrupted']) {
    if (count(state) > 0) parts.push(`${count(state)} ${STANDING_TEXT[state]}`);
  }
  return `${parts.join(', ')}. A candidate has ${search.tolerance}.`;
}

/** The settings that all trials have, once. */
function constants(search) {
  const names = Object.keys(search.constants);
  if (names.length === 0) return null;
  return h('div', {class: 'constants'}, h('p', {class: 'note'}, 'The same in all trials:'),
      h('ul', {class: 'settings'}, names.map((name) => h('li', {class: 'setting', title: `${name}: ${settingTitle(search.constants[name])}`},
          h('span', {}, search.shortName(name)), settingText(search.constants[name])))));
}

const KIND_OF_BADGE = {best: 'best', candidate: 'good', outside: 'plain', failed: 'bad', pruned: 'bad', interrupted: 'bad'};

function trialColumns(search) {
  const ranks = ranksOf(search);
  const scores = scoreNames(search);
  const leading = new Set(scores.filter((name, index) => index === 0 || ['top1', 'rel_l2', 'worst_slice'].includes(name)));
  const hasLatency = (key) => search.trials.some((trial) => trial[key] !== null && trial[key] !== undefined);
  return [
    {key: 'trial', name: 'Trial', value: (trial) => trial.number, isHandle: true},
    {key: 'rank', name: 'Rank', value: (trial) => ranks.get(trial.number) ?? null, text: (trial) => ranks.get(trial.number) ?? ''},
    {key: 'state', name: 'State', kind: 'text', value: (trial) => trial.state === 'complete' ? STANDING_TEXT[standing(search, trial)] : trial.state,
      cell: (trial) => h('span', {class: `badge ${KIND_OF_BADGE[standing(search, trial)]}`}, STANDING_TEXT[standing(search, trial)])},
    ...scores.map((name) => ({
      key: name, name: scoreName(name), value: (trial) => trial.scores[name], text: (trial) => scoreText(name, trial.scores[name]),
      hidden: !leading.has(name) && !showsAllScores, descendsFirst: !lowerIsBetter(search, name),
    })),
    {key: 'size_bytes', name: 'Size', value: (trial) => trial.size_bytes, text: (trial) => bytes(trial.size_bytes)},
    {key: 'latency_ms', name: 'Latency', value: (trial) => trial.latency_ms, text: (trial) => milliseconds(trial.latency_ms), hidden: !hasLatency('latency_ms')},
    {key: 'latency_ratio', name: 'Relative time', title: 'Latency divided by that of the float model, with its 95 % interval', hidden: !hasLatency('latency_ratio'),
      value: (trial) => trial.latency_ratio?.[0], text: ratioText},
    ...search.parameters.map((name) => ({
      key: `setting ${name}`, csv: name, name: search.shortName(name), title: name, kind: 'text',
      value: (trial) => settingValue(trial.config[name]), text: (trial) => settingText(trial.config[name]),
      hover: (trial) => name in trial.config ? settingTitle(trial.config[name]) : null,
    })),
    {key: 'seconds', name: 'Seconds', value: (trial) => trial.seconds, text: (trial) => number(trial.seconds, 3), descendsFirst: true},
    {key: 'reason', name: 'Reason', kind: 'wrap', value: (trial) => trial.reason, hidden: search.trials.every((trial) => trial.reason === '')},
  ];
}

/** What a setting is sorted by. */
function settingValue(value) {
  return typeof value === 'number' || value === undefined ? value : settingTitle(value);
}

function ratioText({latency_ratio: ratio}) {
  return ratio ? `${number(ratio[0], 3)} (${number(ratio[1], 3)}\u2013${number(ratio[2], 3)})` : NONE;
}

/** The place of each complete trial: the best, the other candidates in their order, the rest by the objective. */
function ranksOf(search) {
  const order = new Map([search.best, ...search.candidates.filter((number) => number !== search.best)].map((number, index) => [number, index]));
  const sign = search.minimizes ? 1 : -1;
  const place = (trial) => order.get(trial.number) ?? Infinity;
  const sorted = [...search.scored].sort((a, b) => {
    if (place(a) !== place(b)) return place(a) - place(b);
    return sign * (a.scores[search.objective] - b.scores[search.objective]);
  });
  return new Map(sorted.map((trial, index) => [trial.number, index + 1]));
}
