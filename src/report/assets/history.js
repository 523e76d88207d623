// The trials as points: in their order, and accuracy against cost.

const exploration = {history: null, cost: null, accuracy: null};  // what the reader chose to see

function drawExploration(search) {
  byId('search').hidden = search.trials.length === 0;
  if (search.trials.length === 0) return;
  drawHistory(search, byId('history'));
  drawFront(search, byId('front'));
}

function drawHistory(search, figure) {
  const all = measures(search);
  const key = all.has(exploration.history) ? exploration.history : soughtMeasure(search, all);
  const measure = all.get(key);
  const place = h('div', {class: 'chart'});
  const lost = search.trials.filter((trial) => trial.state !== 'complete');
  const picker = choice('Show', [...all].map(([name, {name: text}]) => [name, text]), key, (value) => {
    exploration.history = value;
    drawHistory(search, figure);
  });
  show(figure,
      panelHead('History', `Each trial by its number; the line follows the best one so far.`, picker), place,
      legend(['line', 'best so far'], ...standingLegend(search), ...(lost.length > 0 ? [['lost', 'failed or given up']] : [])));
  disposeRemoved();
  if (!measure) return;
  const chart = drawChart(place, `History: ${measure.name} of ${trialCount(search)}`,
      (colours) => historyOptions(search, measure, lost, colours));
  chart.on('click', ({data}) => { if (data?.number !== undefined) selection.set([data.number], 'history'); });
}

/** What the search looks for: speed and size where these are its goal and every trial has them. */
function soughtMeasure(search, all) {
  const key = {fastest: 'latency_ratio', smallest: 'size_bytes'}[search.goal];
  return countOf(search, all.get(key)) === search.scored.length && key ? key : search.objective;
}

function historyOptions(search, measure, lost, colours) {
  const points = search.scored.filter((trial) => Number.isFinite(measure.of(trial)));
  const values = points.map(measure.of);
  const vertical = valueAxis(colours, measure.name, values, measure.tick);
  const last = Math.max(...search.trials.map((trial) => trial.number));
  const series = pointSeries(search, points, (trial) => [trial.number, measure.of(trial)], colours);
  series.unshift({
    type: 'line', step: 'end', symbol: 'none', z: 1, silent: true,
    lineStyle: {color: colours.good, width: 2.5},
    data: incumbentLine(search, measure, last),
  });
  if (lost.length > 0 && values.length > 0) {
    series.push({
      type: 'scatter', ...markOf(colours, 'lost'), symbolOffset: [0, -6],
      data: lost.map((trial) => ({value: [trial.number, vertical.min ?? Math.min(...values)], number: trial.number})),
    });
  }
  return {
    grid: {left: 8, right: 16, top: 34, bottom: 30, containLabel: true},
    tooltip: tooltip(colours, ({data}) => trialTip(search, search.trial(data.number))),
    xAxis: {...axisStyle(colours), type: 'value', name: 'trial', nameLocation: 'middle', nameGap: 28, minInterval: 1, min: 0,
      max: Math.max(1, last), splitLine: {show: false}},
    yAxis: {...vertical, nameTextStyle: {...vertical.nameTextStyle, align: 'left'}},
    series,
  };
}

function incumbentLine(search, measure, last) {
  const line = search.incumbents.map((number) => [number, measure.of(search.trial(number))])
      .filter(([, value]) => Number.isFinite(value));
  if (line.length > 0) line.push([last, line[line.length - 1][1]]);
  return line;
}

/** One series of points for each standing, faded where the reader selected others. */
function pointSeries(search, trials, at, colours) {
  return ['outside', 'candidate', 'best'].map((kind, level) => ({
    type: 'scatter', ...markOf(colours, kind), z: 2 + level,
    data: trials.filter((trial) => standing(search, trial) === kind).map((trial) => ({
      value: at(trial), number: trial.number,
      itemStyle: selection.has(trial) ? undefined : {opacity: 0.15},
    })),
  }));
}

// Accuracy against cost.

function drawFront(search, figure) {
  const all = measures(search);
  const costs = ['latency_ratio', 'latency_ms', 'size_bytes'].filter((key) => countOf(search, all.get(key)) > 1);
  const accuracies = [...all.keys()].filter((key) => !['latency_ratio', 'latency_ms', 'size_bytes'].includes(key));
  if (costs.length === 0 || accuracies.length === 0) {
    show(figure, panelHead('Accuracy and cost', 'Drawn when two trials have a size or a latency.'));
    return;
  }
  const cost = costs.includes(exploration.cost) ? exploration.cost : costs[0];
  const accuracy = accuracies.includes(exploration.accuracy) ? exploration.accuracy : search.objective;
  const again = (change) => { Object.assign(exploration, change); drawFront(search, figure); };
  const place = h('div', {class: 'chart', id: 'front-chart'});
  const tools = frontTools(search, place);
  show(figure,
      panelHead('Accuracy and cost', 'The line joins trials that no other beats in both. Larger points are larger models.',
          choice('Show', accuracies.map((key) => [key, all.get(key).name]), accuracy, (value) => again({accuracy: value})),
          choice('against', costs.map((key) => [key, all.get(key).name]), cost, (value) => again({cost: value})),
          ...tools),
      place, legend(['line', 'front'], ...standingLegend(search), ['float', 'float model']));
  disposeRemoved();
  const shown = search.scored.filter((trial) =>
    Number.isFinite(all.get(cost).of(trial)) && Number.isFinite(all.get(accuracy).of(trial)));
  const chart = drawChart(place, `${all.get(accuracy).name} against ${all.get(cost).name} of ${plural(shown.length, 'trial')}`,
      (colours) => frontOptions(search, {shown, cost: all.get(cost), accuracy: all.get(accuracy)}, colours));
  chart.on('click', ({data}) => { if (data?.number !== undefined) selection.set([data.number], 'accuracy and cost'); });
  chart.on('brushEnd', ({areas}) => {
    if (areas.length > 0) selection.set(inside(shown, areas[0].coordRange, all.get(cost), all.get(accuracy)), 'accuracy and cost');
    chart.dispatchAction({type: 'brush', areas: []});
  });
}

function countOf(search, measure) {
  return measure ? search.scored.filter((trial) => Number.isFinite(measure.of(trial))).length : 0;
}

/** The trials whose points lie in a rectangle. */
function inside(trials, [[left, right], [bottom, top]], cost, accuracy) {
  return trials.filter((trial) => {
    const [x, y] = [cost.of(trial), accuracy.of(trial)];
    return x >= left && x <= right && y >= bottom && y <= top;
  }).map((trial) => trial.number);
}

function frontTools(search, place) {
  const chart = () => drawn.get(place).chart;
  const select = toggle('Select', false, (isOn) => chart().dispatchAction({
    type: 'takeGlobalCursor', key: 'brush', brushOption: isOn ? {brushType: 'rect', brushMode: 'single'} : {brushType: false},
  }));
  select.title = 'Draw a rectangle around points: the table shows these trials';
  const zoom = (factor) => h('button', {
    type: 'button', 'aria-label': factor < 1 ? 'Zoom in' : 'Zoom out', title: 'Also: wheel with Ctrl',
    onclick: () => zoomBy(chart(), factor),
  }, factor < 1 ? '+' : '\u2212');
  return [select, zoom(0.7), zoom(1 / 0.7)];
}

function zoomBy(chart, factor) {
  for (const [dataZoomIndex, {start, end}] of chart.getOption().dataZoom.entries()) {
    const middle = (start + end) / 2;
    const half = Math.min(50, ((end - start) / 2) * factor);
    const from = Math.max(0, Math.min(middle - half, 100 - 2 * half));
    chart.dispatchAction({type: 'dataZoom', dataZoomIndex, start: from, end: from + 2 * half});
  }
}

function frontOptions(search, {shown, cost, accuracy}, colours) {
  const at = (trial) => [cost.of(trial), accuracy.of(trial)];
  const floatAt = at(search.float);
  const hasFloat = floatAt.every(Number.isFinite);
  const series = pointSeries(search, shown, at, colours);
  sizePoints(search, series);
  series.unshift({
    type: 'line', symbol: 'none', silent: true, z: 1, lineStyle: {color: colours.good, width: 2},
    data: frontOf(shown, cost, accuracy).map(at),
  });
  const values = shown.map(accuracy.of);
  const vertical = valueAxis(colours, accuracy.name, values, accuracy.tick);
  const showsFloat = hasFloat && (vertical.type !== 'log' || floatAt[1] > 0);
  if (showsFloat) {
    series.push({
      type: 'scatter', ...markOf(colours, 'float'), z: 5, data: [{value: floatAt, isFloat: true}],
      label: {show: true, formatter: 'float', position: 'left', color: colours.muted, fontSize: textSize()},
    });
  }
  return {
    grid: {left: 8, right: 20, top: 34, bottom: 30, containLabel: true},
    tooltip: tooltip(colours, ({data}) => data.isFloat ? h('div', {class: 'tip'}, 'Float model') : trialTip(search, search.trial(data.number))),
    brush: {xAxisIndex: 0, yAxisIndex: 0, brushStyle: {color: 'rgb(0 114 178 / 12%)', borderColor: colours.accent}, outOfBrush: {}},
    dataZoom: [
      {type: 'inside', xAxisIndex: 0, zoomOnMouseWheel: 'ctrl', moveOnMouseMove: 'shift', filterMode: 'none'},
      {type: 'inside', yAxisIndex: 0, zoomOnMouseWheel: 'ctrl', moveOnMouseMove: 'shift', filterMode: 'none'},
    ],
    xAxis: {...valueAxis(colours, cost.name, [...shown.map(cost.of), ...(showsFloat ? [floatAt[0]] : [])], cost.tick),
      nameLocation: 'middle', nameGap: 28},
    yAxis: {...vertical, nameTextStyle: {...vertical.nameTextStyle, align: 'left'}},
    series,
  };
}

/** The area of a point grows with the size of the model. */
function sizePoints(search, series) {
  const sizes = search.scored.map((trial) => trial.size_bytes).filter((size) => size > 0);
  const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
  if (!(high > low * 1.02)) return;
  for (const {data} of series.slice(0, 2)) {
    for (const point of data) {
      const share = (search.trial(point.number).size_bytes - low) / (high - low);
      point.symbolSize = Math.sqrt(40 + 160 * share);
    }
  }
}

/** The trials that no other beats in both measures, by cost. */
function frontOf(trials, cost, accuracy) {
  const sign = (measure) => measure.lower ? 1 : -1;
  const sorted = [...trials].sort((a, b) =>
    sign(cost) * (cost.of(a) - cost.of(b)) || sign(accuracy) * (accuracy.of(a) - accuracy.of(b)));
  const front = [];
  for (const trial of sorted) {
    const best = front[front.length - 1];
    if (!best || sign(accuracy) * (accuracy.of(trial) - accuracy.of(best)) < 0) front.push(trial);
  }
  return front;
}
