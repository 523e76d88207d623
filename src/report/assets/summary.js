// The top of the page: what was best and what it costs, what to do next, how to build it again.

function drawSummary(search) {
  byId('result').hidden = false;
  byId('result-lead').textContent = leadText(search);
  const best = search.bestTrial;
  byId('result-note').textContent = best ? `${verdictText(search, best)} ${startText(search)}` : '';
  show(byId('result-tiles'), best ? tiles(search, best) : []);
  show(byId('result-settings'), best ? settingList(search, best) : null);
  show(byId('next-steps'), search.next_steps.map((step) => h('li', {}, sentence(step))));
  const command = search.rebuild_command;
  byId('rebuild').hidden = command === '';
  if (command !== '') {
    // One option a line, as a shell takes it.
    const text = h('pre', {tabindex: '0', 'aria-label': 'Command'}, command.replaceAll(' --', ' \\\n  --'));
    show(byId('rebuild-command'),
      h('p', {class: 'note'}, 'Builds the same model again, byte for byte.'),
        h('div', {class: 'command'}, text, copyButton(command, text)));
  }
}

/** One sentence with what matters most. */
function leadText(search) {
  const best = search.bestTrial;
  if (!best) return search.running ? 'No trial has ended yet.' : 'No trial is complete.';
  const parts = [speedText(best), sizeText(search, best)].filter(Boolean);
  if (parts.length === 0) parts.push(`${scoreName(search.objective)} ${scoreText(search.objective, best.scores[search.objective])}`);
  return `Trial ${best.number} is the best${search.running ? ' so far' : ''}: ${parts.join(' and ')}.`;
}

/** The speed beside float, as far as its interval allows a statement. */
function speedText({latency_ratio: interval}) {
  if (!interval) return '';
  const [ratio, low, high] = interval;
  if (high < 1) return `${number(1 / ratio, 3)} times as fast as float`;
  if (low > 1) return `${number(ratio, 3)} times slower than float`;
  return 'as fast as float, within the noise,';
}

function sizeText(search, {size_bytes: size}) {
  if (!search.float.size_bytes || !size) return '';
  const ratio = search.float.size_bytes / size;
  return ratio >= 1 ? `${number(ratio, 2)} times smaller` : `${number(1 / ratio, 2)} times larger`;
}

function verdictText(search, best) {
  return best.candidate ? `It is within the tolerance: ${search.tolerance}.` :
    `It is not within the tolerance: ${search.tolerance}.`;
}

/** What the start is that the tiles compare with, or why there is none. */
function startText(search) {
  if (search.running) return '';
  if (search.base_note) return `${search.base_note[0].toUpperCase()}${search.base_note.slice(1)}.`;
  return search.base_trial === search.best ? 'It has the settings that the search started from.' : '';
}

/** The numbers of the best model beside those of the float model and of the settings that the search began with. */
function tiles(search, best) {
  const names = scoreNames(search).filter((name) => best.scores[name] !== undefined);
  const leading = names.filter((name) => [search.objective, 'top1', 'rel_l2', 'worst_slice'].includes(name));
  const made = leading.map((name) => {
    const text = (value) => scoreText(name, value);
    return tile(scoreName(name), text(best.scores[name]), against('float', search.float.scores?.[name], text),
        against('start', search.baseTrial?.scores[name], text));
  });
  if (best.size_bytes !== null) {
    made.push(tile('Size', bytes(best.size_bytes), against('float', search.float.size_bytes, bytes),
        against('start', search.baseTrial?.size_bytes, bytes)));
  }
  if (best.latency_ms !== null) {
    made.push(tile('Latency', milliseconds(best.latency_ms), against('float', search.float.latency_ms, milliseconds),
        against('start', search.baseTrial?.latency_ms, milliseconds), interval(best)));
  }
  return made;
}

function interval({latency_ratio: ratio}) {
  if (!ratio) return null;
  return h('p', {class: 'against'}, h('b', {}, number(ratio[0], 3)), ` of float (${number(ratio[1], 3)} to ${number(ratio[2], 3)})`);
}

function tile(name, value, ...lines) {
  return h('li', {class: 'tile'}, h('p', {class: 'name'}, name), h('p', {class: 'value'}, value), ...lines);
}

function against(what, value, text) {
  if (value === undefined || value === null) return null;
  const title = what === 'start' ? 'The trial with the settings that the search started from' : null;
  return h('p', {class: 'against', title}, `${what} `, h('b', {}, text(value)));
}

/** The settings by which the best trial differs from the others. */
function settingList(search, trial) {
  return h('ul', {class: 'settings', 'aria-label': 'Settings of the best trial'},
      search.parameters.filter((name) => name in trial.config).map((name) =>
        h('li', {class: 'setting', title: `${name}: ${settingTitle(trial.config[name])}`},
            h('span', {}, search.shortName(name)), settingText(trial.config[name]))));
}
