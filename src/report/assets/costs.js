// Where the time of the search went, what the cache saved, and the memory that it took.

function drawCosts(search) {
  byId('costs').hidden = search.trials.length === 0;
  if (search.trials.length === 0) return;
  drawStages(search, byId('stages'));
  drawResources(search, byId('resources'));
}

function drawStages(search, figure) {
  const rows = [...search.stages].sort((a, b) => b.seconds - a.seconds);
  const saved = search.cache.seconds_saved;
  const note = saved > 0 ? `Reused results saved ${duration(saved)}: ${search.cache.hits} were taken from the cache, ${search.cache.misses} computed.` :
    'The time of each stage over all trials.';
  if (rows.length === 0) {
    show(figure, panelHead('Stages', 'No stage was recorded.'));
    return;
  }
  const place = h('div', {class: 'chart'});
  // Beside the other chart it is as high as that.
  const least = figure.clientWidth < 0.75 * figure.parentElement.clientWidth ? 21.6 : 7;
  place.style.height = `${Math.max(least, rows.length * 2.1 + 1.5)}rem`;
  show(figure, panelHead('Stages', note), place);
  disposeRemoved();
  drawChart(place, 'Time of the stages: ' + rows.map(({name, seconds}) => `${name} ${duration(seconds)}`).join(', '),
      (colours) => stageOptions(rows, colours));
}

function stageOptions(rows, colours) {
  const style = axisStyle(colours);
  return {
    grid: {left: 4, right: 150, top: 4, bottom: 4, containLabel: true},
    xAxis: {type: 'value', show: false, max: Math.max(...rows.map(({seconds}) => seconds))},
    yAxis: {...style, type: 'category', inverse: true, axisLine: {show: false}, data: rows.map(({name}) => name),
      axisLabel: {...style.axisLabel, color: colours.text}},
    series: [{
      type: 'bar', barMaxWidth: 16, itemStyle: {color: colours.accent, borderRadius: [0, 3, 3, 0]},
      data: rows.map(({seconds}) => seconds),
      label: {show: true, position: 'right', color: colours.muted, fontSize: textSize(),
        formatter: ({dataIndex}) => stageText(rows[dataIndex])},
    }],
  };
}

function stageText({seconds, computed, reused}) {
  const share = reused > 0 ? `, ${reused} of ${computed + reused} reused` : '';
  return `${duration(seconds)}${share}`;
}

function drawResources(search, figure) {
  const hasMemory = search.trials.some((trial) => trial.memory_bytes !== null);
  const timed = search.trials.filter((trial) => trial.ended !== null).sort((a, b) => a.ended - b.ended);
  const place = h('div', {class: 'chart'});
  const peak = search.peak_rss_bytes > 0 ? ` At most ${bytes(search.peak_rss_bytes)} of memory.` : '';
  const note = `${trialCount(search)} in ${duration(search.seconds)}.${peak}`;
  show(figure,
      panelHead('Time and memory', timed.length > 0 ? `${note} A trial is as wide and as high as the time that it took.` : note), place,
      legend(['computed', 'seconds of a trial'], ...(hasMemory ? [['line', 'memory when it ended']] : [])));
  disposeRemoved();
  const label = `Seconds of each trial${hasMemory ? ' and memory when it ended' : ''}${timed.length > 0 ? ', over the time of the search' : ''}`;
  drawChart(place, label, (colours) => ({
    grid: {left: 4, right: 8, top: 34, bottom: 30, containLabel: true},
    yAxis: resourceAxes(hasMemory, colours),
    ...(timed.length > 0 ? resourcesByTime(search, timed, hasMemory, colours) : resourcesByNumber(search, hasMemory, colours)),
  }));
}

function resourceAxes(hasMemory, colours) {
  const style = axisStyle(colours);
  const right = {...style, type: 'value', name: 'memory', position: 'right', scale: true, splitLine: {show: false},
    nameTextStyle: {...style.nameTextStyle, align: 'right'}, axisLabel: {...style.axisLabel, formatter: bytes}};
  return [{...style, type: 'value', name: 'seconds', nameTextStyle: {...style.nameTextStyle, align: 'left'}}, ...(hasMemory ? [right] : [])];
}

/** Trials in the order in which they ended, from the beginning of the first one. */
function resourcesByTime(search, timed, hasMemory, colours) {
  const style = axisStyle(colours);
  const outline = timed.flatMap(({ended, seconds}) =>
    [[ended - seconds, 0], [ended - seconds, seconds], [ended, seconds], [ended, 0], [null, null]]);
  return {
    tooltip: tooltip(colours, ({dataIndex}) => trialTip(search, timed[dataIndex])),
    xAxis: {...style, type: 'value', name: 'time since the start', nameLocation: 'middle', nameGap: 28, splitLine: {show: false}, min: 0,
      axisLabel: {...style.axisLabel, formatter: duration}},
    series: [
      {type: 'line', silent: true, symbol: 'none', lineStyle: {color: colours.accent, width: 1}, areaStyle: {color: colours.accent, opacity: 0.45},
        data: outline},
      {type: 'scatter', symbolSize: 6, itemStyle: {color: colours.accent}, data: timed.map(({ended, seconds}) => [ended, seconds])},
      ...(hasMemory ? [memoryLine(timed.map((trial) => [trial.ended, trial.memory_bytes]), colours)] : []),
    ],
  };
}

/** Of studies that do not say when a trial ended. */
function resourcesByNumber(search, hasMemory, colours) {
  const style = axisStyle(colours);
  return {
    tooltip: tooltip(colours, ({dataIndex}) => trialTip(search, search.trials[dataIndex])),
    xAxis: {...style, type: 'category', name: 'trial', nameLocation: 'middle', nameGap: 28, splitLine: {show: false},
      data: search.trials.map(({number: trial}) => trial)},
    series: [
      {type: 'bar', barMaxWidth: 18, barCategoryGap: '25%', itemStyle: {color: colours.accent},
        data: search.trials.map((trial) => trial.seconds)},
      ...(hasMemory ? [memoryLine(search.trials.map((trial) => trial.memory_bytes), colours)] : []),
    ],
  };
}

function memoryLine(data, colours) {
  return {type: 'line', yAxisIndex: 1, symbol: 'none', lineStyle: {color: colours.good, width: 2.5}, data};
}
