// The parameters of the space: all trials as lines over them, how much each mattered, and the objective by value.

const MOST_AXES = 9;

function drawParameters(search) {
  const section = byId('parameters');
  section.hidden = search.parameters.length === 0 || search.scored.length < 2;
  if (section.hidden) return;
  const parameters = byImportance(search);
  drawParallel(search, parameters.slice(0, MOST_AXES));
  drawImportances(search);
  drawSlices(search, parameters);
}

/** The parameters that differ between complete trials, the most important first. */
function byImportance(search) {
  const share = new Map(search.importances.map(({name, share: value}) => [name, value]));
  return search.parameters
      .filter((name) => new Set(search.scored.map((trial) => JSON.stringify(trial.config[name]))).size > 1)
      .sort((a, b) => (share.get(b) ?? -1) - (share.get(a) ?? -1));
}

/** The different values of a parameter as texts, numbers in their order. */
function valuesOf(search, name) {
  const values = new Map();
  for (const trial of search.scored) {
    const value = trial.config[name] ?? null;
    values.set(JSON.stringify(value), value);
  }
  return [...values.values()].sort((a, b) => compareValues(a, b, 1));
}

function drawParallel(search, parameters) {
  const figure = byId('parallel');
  const place = h('div', {class: 'chart', id: 'parallel-chart'});
  show(figure,
      panelHead('All parameters', 'A line is a trial, stronger when its objective is better. Drag along an axis to select trials; a click on the axis clears it.'),
      place, legend(['bestLine', 'best'], ['betterLine', 'better'], ['worseLine', 'worse']));
  disposeRemoved();
  const isNarrow = figure.clientWidth < 640;
  place.style.height = isNarrow ? `${(parameters.length + 2) * 4.6}rem` : '21rem';
  const axes = parallelAxes(search, parameters);
  const chart = drawChart(place, `Parallel coordinates of ${plural(search.scored.length, 'trial')} over ${parameters.map(search.shortName).join(', ')}`,
      (colours, width) => parallelOptions(search, axes, colours, width < 640));
  chart.on('axisareaselected', () => {
    const model = chart.getModel().getSeriesByIndex(0);
    const isActive = axes.some((axis, dim) => chart.getModel().getComponent('parallelAxis', dim).activeIntervals.length > 0);
    const active = model.getRawIndicesByActiveState('active');
    selection.set(isActive ? active.map((index) => parallelTrials(search)[index].number) : null, 'parameters');
  });
}

/** The trials in the order in which they are drawn: the best last, over the others. */
function parallelTrials(search) {
  const sign = search.minimizes ? -1 : 1;
  return [...search.scored].sort((a, b) =>
    Number(a.number === search.best) - Number(b.number === search.best) ||
    sign * (a.scores[search.objective] - b.scores[search.objective]));
}

function parallelAxes(search, parameters) {
  const axes = parameters.map((name) => {
    const values = valuesOf(search, name);
    const keys = values.map((value) => JSON.stringify(value));
    return {
      name: search.shortName(name),
      categories: values.map((value) => value === null ? 'not used' : settingText(value)),
      of: (trial) => keys.indexOf(JSON.stringify(trial.config[name] ?? null)),
    };
  });
  const all = measures(search);
  for (const key of ['size_bytes', 'latency_ratio', 'latency_ms', search.objective]) {
    const measure = all.get(key);
    if (!measure || countOf(search, measure) < search.scored.length) continue;
    if (key === 'latency_ms' && axes.some((axis) => axis.key === 'latency_ratio')) continue;
    axes.push({key, name: measure.name, of: measure.of, text: measure.tick});
  }
  return axes;
}

function parallelOptions(search, axes, colours, isNarrow) {
  const trials = parallelTrials(search);
  const last = Math.max(1, trials.length - 2);
  return {
    tooltip: {...tooltip(colours, ({dataIndex}) => trialTip(search, trials[dataIndex])), trigger: 'item'},
    parallel: isNarrow ? {layout: 'vertical', left: 16, right: 24, top: 28, bottom: 36} :
      {left: 70, right: 90, top: 40, bottom: 24},
    parallelAxis: axes.map((axis, dim) => parallelAxis(search, axis, dim, {colours, isNarrow})),
    series: [{
      type: 'parallel', smooth: false, inactiveOpacity: 0.06, activeOpacity: 0.95,
      lineStyle: {width: 1.4},
      emphasis: {lineStyle: {width: 4}},
      data: trials.map((trial, rank) => ({
        value: axes.map((axis) => axis.of(trial)),
        lineStyle: lineOf(search, trial, rank / last, colours),
      })),
    }],
  };
}

function lineOf(search, trial, goodness, colours) {
  if (trial.number === search.best) return {color: colours.best, width: 3, opacity: 1};
  return {color: mix(colours.other, colours.accent, goodness), width: 1.4, opacity: 0.25 + 0.55 * goodness};
}

/** A colour between two of the form #rrggbb. */
function mix(from, to, share) {
  const part = (text, at) => parseInt(text.slice(at, at + 2), 16);
  return '#' + [1, 3, 5].map((at) =>
    Math.round(part(from, at) * (1 - share) + part(to, at) * share).toString(16).padStart(2, '0')).join('');
}

function parallelAxis(search, axis, dim, {colours, isNarrow}) {
  const style = axisStyle(colours);
  const common = {
    dim,
    name: axis.name,
    nameLocation: isNarrow ? 'start' : 'end',
    nameGap: isNarrow ? 10 : 14,
    nameTextStyle: {color: colours.text, fontSize: textSize(0.8), fontWeight: 600, textBorderColor: colours.surface, textBorderWidth: 4,
      ...(isNarrow ? {align: 'left', verticalAlign: 'bottom', padding: [0, 0, 10, 0]} : {width: 120, overflow: 'truncate'})},
    axisLine: {lineStyle: {color: colours.other, width: 1.5}},
    axisTick: {show: false},
    axisLabel: {...style.axisLabel, textBorderColor: colours.surface, textBorderWidth: 3},
    areaSelectStyle: {width: 22, borderColor: colours.accent, color: colours.accent, opacity: 0.25},
  };
  if (axis.categories) return {...common, type: 'category', data: axis.categories, boundaryGap: true};
  const {type, min, max} = valueAxis(colours, '', search.scored.map(axis.of));
  return {...common, type, min, max, scale: true, axisLabel: {...common.axisLabel, formatter: axis.text, hideOverlap: true}};
}

function drawImportances(search) {
  const figure = byId('importances');
  const rows = search.importances.filter(({share}) => share > 0.0005);
  const title = 'What mattered';
  if (rows.length === 0) {
    show(figure, panelHead(title, 'The importance of the parameters is estimated from ten complete trials on.'));
    return;
  }
  const place = h('div', {class: 'chart'});
  place.style.height = `${Math.max(6, rows.length * 2.1 + 2)}rem`;
  show(figure,
      panelHead(title, 'The share of each parameter in reaching the best tenth of the trials (PED-ANOVA).'), place);
  disposeRemoved();
  drawChart(place, 'Importance: ' + rows.map(({name, share}) => `${search.shortName(name)} ${(100 * share).toFixed(0)} %`).join(', '),
      (colours) => importanceOptions(search, rows, colours));
}

function importanceOptions(search, rows, colours) {
  const style = axisStyle(colours);
  return {
    grid: {left: 4, right: 52, top: 4, bottom: 4, containLabel: true},
    xAxis: {type: 'value', show: false, max: rows[0].share},
    yAxis: {...style, type: 'category', inverse: true, axisLine: {show: false}, data: rows.map(({name}) => search.shortName(name)),
      axisLabel: {...style.axisLabel, color: colours.text, width: 190, overflow: 'truncate'}},
    series: [{
      type: 'bar', barMaxWidth: 16, itemStyle: {color: colours.accent, borderRadius: [0, 3, 3, 0]},
      data: rows.map(({share}) => share),
      label: {show: true, position: 'right', color: colours.muted, fontSize: textSize(),
        formatter: ({value}) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`},
    }],
  };
}

function drawSlices(search, parameters) {
  const figure = byId('slices');
  const charts = h('div', {class: 'small-charts'});
  const name = scoreName(search.objective);
  show(figure, panelHead('By value', `${name} of the trials for each value of a parameter; the bar is the median.`), charts);
  disposeRemoved();
  for (const parameter of parameters) {
    const place = h('div', {class: 'chart'});
    place.style.height = `${Math.min(16, 2.6 + 1.7 * Math.max(2, valuesOf(search, parameter).length))}rem`;
    charts.append(h('div', {}, h('h4', {title: parameter}, search.shortName(parameter)), place));
    drawChart(place, `${name} by ${search.shortName(parameter)}`, (colours) => sliceOptions(search, parameter, colours));
  }
}

function sliceOptions(search, parameter, colours) {
  const values = valuesOf(search, parameter);
  const keys = values.map((value) => JSON.stringify(value));
  const objective = (trial) => trial.scores[search.objective];
  const row = (trial) => keys.indexOf(JSON.stringify(trial.config[parameter] ?? null));
  const style = axisStyle(colours);
  const medians = keys.map((key, index) => medianOf(search.scored.filter((trial) => row(trial) === index).map(objective)));
  // Points are spread within their row, always in the same way.
  const at = (trial) => [objective(trial), row(trial) + 0.6 * (((trial.number * 0.618034) % 1) - 0.5)];
  return {
    grid: {left: 4, right: 12, top: 4, bottom: 4, containLabel: true},
    tooltip: tooltip(colours, ({data}) => trialTip(search, search.trial(data.number))),
    xAxis: {...valueAxis(colours, '', search.scored.map(objective), (value) => scoreTick(search.objective, value)), name: '', splitNumber: 3},
    // The points need numbers to be spread, the labels need categories.
    yAxis: [
      {type: 'value', min: -0.5, max: keys.length - 0.5, inverse: true, show: false},
      {...style, type: 'category', inverse: true, position: 'left', data: values.map(sliceLabel), axisLine: {show: false},
        axisLabel: {...style.axisLabel, color: colours.text}},
    ],
    series: [
      ...pointSeries(search, search.scored, at, colours)
          .map((entry) => ({...entry, symbolSize: entry.symbol === 'diamond' ? 11 : 6})),
      {type: 'scatter', symbol: 'rect', silent: true, z: 4, itemStyle: {color: colours.text}, symbolSize: [2.5, 18],
        data: medians.map((value, index) => [value, index])},
    ],
  };
}

function sliceLabel(value) {
  const text = value === null ? 'not used' : settingText(value);
  return text.length > 14 ? `${text.slice(0, 13)}\u2026` : text;
}

function medianOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
