// Two searches side by side.

const SEARCH_NAMES = ['A', 'B'];

function drawComparison(searches) {
  byId('compare').hidden = false;
  show(byId('compare-table'),
      panelHead('The best of each', searches.map((search, index) => `${SEARCH_NAMES[index]}: ${search.model}`).join('; ')),
      h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Comparison'}, comparisonTable(searches)));
  const measure = commonMeasure(searches);
  if (!measure) return;
  drawBoth(byId('compare-history'), 'History', 'The best so far, by trial.', searches, historyOfBoth(searches, measure));
  drawBoth(byId('compare-front'), 'Accuracy and size', `${measure.name} of all trials against their size.`, searches, sizesOfBoth(searches, measure));
}

/** The objective, where both have it; else a score that both have. */
function commonMeasure([first, second]) {
  const other = measures(second);
  const own = measures(first);
  const key = [first.objective, ...own.keys()].find((name) => own.has(name) && other.has(name) && name !== 'size_bytes');
  return key ? own.get(key) : null;
}

function comparisonTable(searches) {
  const rows = [...scoreRows(searches), ...costRows(searches), ...settingRows(searches)];
  return h('table', {class: 'plain'},
      h('thead', {}, h('tr', {}, ['What', ...SEARCH_NAMES].map((name) => h('th', {class: 'text', scope: 'col'}, h('span', {}, name))))),
      h('tbody', {}, rows.map(({name, texts, better}) => h('tr', {}, h('th', {class: 'text', scope: 'row'}, name),
          texts.map((text, index) => h('td', {class: 'text'}, index === better ? h('b', {}, text, ' \u2713') : text))))));
}

/** What is measured of both best models; the better one is marked where both have it. */
function scoreRows(searches) {
  const bests = searches.map((search) => search.bestTrial);
  const all = new Map(searches.flatMap((search) => [...measures(search)]));
  const rows = [...all.values()].map(({name, of, text, lower}) => {
    const [a, b] = bests.map((trial) => trial ? of(trial) : undefined);
    const differ = Number.isFinite(a) && Number.isFinite(b) && a !== b;
    return {name, texts: [a, b].map((value) => value === undefined ? NONE : text(value)), better: differ ? Number((b < a) === lower) : null};
  });
  return [{name: 'Model', texts: searches.map((search) => modelName(search.model))},
    {name: 'Best trial', texts: bests.map((trial) => trial ? String(trial.number) : NONE)}, ...rows];
}

function costRows(searches) {
  return [
    {name: 'Trials', texts: searches.map((search) => String(search.trials_in_all ?? search.trials.length))},
    {name: 'Candidates', texts: searches.map((search) => String(search.candidates.length))},
    {name: 'Time of the search', texts: searches.map((search) => duration(search.seconds))},
    {name: 'Tolerance', texts: searches.map((search) => search.tolerance)},
  ];
}

/** The settings of the best trials that differ. */
function settingRows(searches) {
  const settings = searches.map((search) => ({...search.constants, ...search.bestTrial?.config}));
  return [...new Set(settings.flatMap(Object.keys))]
      .map((name) => ({name, texts: settings.map((own) => settingText(own[name]))}))
      .filter(({texts: [a, b]}) => a !== b);
}

function drawBoth(figure, title, note, searches, make) {
  const place = h('div', {class: 'chart'});
  show(figure, panelHead(title, note), place, legend(['candidate', 'A'], ['second', 'B']));
  drawChart(place, `${title} of both searches`, make);
}

function historyOfBoth(searches, measure) {
  return (colours) => {
    const lines = searches.map((search) => incumbentLine(search, measure, Math.max(...search.trials.map(({number}) => number))));
    return bothOptions(colours, measure, {name: 'trial', minInterval: 1, min: 0}, lines.map((data, index) => ({
      type: 'line', step: 'end', symbol: index === 0 ? 'circle' : 'rect', symbolSize: 7, data,
      lineStyle: {width: 2.5, color: bothColour(colours, index)}, itemStyle: {color: bothColour(colours, index)},
    })));
  };
}

function sizesOfBoth(searches, measure) {
  return (colours) => bothOptions(colours, measure, {name: 'Size', scale: true, axisLabel: {...axisStyle(colours).axisLabel, formatter: bytes}},
      searches.map((search, index) => ({
        type: 'scatter', symbol: index === 0 ? 'circle' : 'rect', symbolSize: 9, itemStyle: {color: bothColour(colours, index), opacity: 0.75},
        data: search.scored.filter((trial) => trial.size_bytes !== null).map((trial) => [trial.size_bytes, measure.of(trial)]),
      })));
}

function bothColour(colours, index) {
  return index === 0 ? colours.accent : colours.best;
}

function bothOptions(colours, measure, horizontal, series) {
  const values = series.flatMap(({data}) => data.map(([, value]) => value));
  const vertical = valueAxis(colours, measure.name, values, measure.tick);
  return {
    grid: {left: 8, right: 16, top: 34, bottom: 30, containLabel: true},
    tooltip: tooltip(colours, ({seriesIndex, data}) =>
      h('div', {class: 'tip'}, `${SEARCH_NAMES[seriesIndex]}: ${measure.name} ${measure.text(data[1])}`)),
    xAxis: {...axisStyle(colours), type: 'value', nameLocation: 'middle', nameGap: 28, splitLine: {show: false}, ...horizontal},
    yAxis: {...vertical, nameTextStyle: {...vertical.nameTextStyle, align: 'left'}},
    series,
  };
}
