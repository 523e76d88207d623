// The operators of the best model: what runs on integers, in which format and range, with what noise and time, and why.

let chosenLayer = null;  // index

function drawLayers(search) {
  const section = byId('layers');
  const layers = layersOf(search);
  const leftOut = search.layers?.left_out;
  section.hidden = layers.length === 0 && !leftOut;
  drawPlacement(search, byId('placement'));
  for (const id of ['layer-graph', 'layer-histogram']) byId(id).hidden = layers.length === 0;
  if (leftOut) show(byId('layer-table'), panelHead('Operators', sentence(`They are not listed: ${leftOut}.`)));
  if (layers.length === 0) return;
  const choose = (index) => {
    chosenLayer = index;
    table.draw();
    drawHistogram(layers[index], byId('layer-histogram'));
    markNode(byId('layer-graph'), index);
  };
  const table = layerTable(search, layers, choose);
  show(byId('layer-table'),
      panelHead('Operators', layerSentence(layers), table.search, layerFilter(table), table.save), table.scroll, table.foot);
  drawGraph(layers, byId('layer-graph'), choose);
  const telling = [({histogram, output}) => histogram && output, ({histogram}) => histogram, () => true];
  choose(layers.findIndex(telling.find((says) => layers.some(says))));
}

/** The layers with what the methods of the best trial recorded of them. */
function layersOf(search) {
  const rows = unpacked(search.layers?.rows ? search.layers : null);
  const tables = search.layer_tables ?? {};
  const byNode = (name) => new Map((tables[name] ?? []).map((row) => [row.node, row]));
  const [reconstruction, precision, leftFloat] = ['reconstruction', 'precision', 'left_float'].map(byNode);
  return rows.map((row, index) => {
    const tuned = reconstruction.get(row.node);
    const chosen = precision.get(row.node);
    return {
      ...row, index,
      before: tuned?.error_before ?? chosen?.estimated_noise ?? null,
      after: tuned?.error_after ?? null,
      sensitivity: chosen?.sensitivity ?? null,
      why: leftFloat.get(row.node)?.reason || reasonOf(search, row) || tuned?.reason || chosen?.reason || '',
    };
  });
}

/** Mappings that were packed as their keys and rows of values; absent values are null. */
function unpacked(table) {
  return (table?.rows ?? []).map((row) => Object.fromEntries(table.keys.map((key, at) => [key, row[at]])));
}

/** Operators that are excluded by name are those that the search found to be faster in float, where it measured that. */
function reasonOf(search, {reason}) {
  return search.placement && reason === 'excluded by name' ? 'faster in float, as measured' : reason;
}

/** The time of the kernel of an operator, or the operator whose kernel computes it too. */
function timeText(layer, key) {
  return layer.fused_with === undefined || layer.fused_with === null ? number(layer[key], 3) : `in ${layer.fused_with}`;
}

function layerSentence(layers) {
  const integers = layers.filter((layer) => layer.quantized).length;
  return `${integers} of ${plural(layers.length, 'operator')} run on integers.`;
}

function layerFilter(table) {
  const kinds = [['all', 'All'], ['integer', 'Integers'], ['float', 'Float']];
  return choice('Runs on', kinds, 'all', (kind) => {
    table.options.filter = kind === 'all' ? null : (layer) => layer.quantized === (kind === 'integer');
    table.draw();
  });
}

function formatText(layer) {
  if (!layer.quantized) return 'float';
  const weight = layer.weight_type ? ` \u00d7 ${layer.weight_type}${layer.per_channel ? ' per channel' : ''}` : '';
  return `${layer.input_type ?? layer.output?.type ?? ''}${weight}`;
}

function layerTable(search, layers, choose) {
  const has = (key) => layers.some((layer) => layer[key] !== null && layer[key] !== undefined);
  const columns = [
    {key: 'index', name: '#', value: (layer) => layer.index, isHandle: true},
    {key: 'node', name: 'Name', kind: 'name', value: (layer) => layer.node, hover: (layer) => layer.node},
    {key: 'op_type', name: 'Operator', kind: 'text', value: (layer) => layer.op_type},
    {key: 'runs_on', name: 'Runs on', kind: 'text', value: (layer) => layer.quantized ? 'integers' : 'float',
      cell: (layer) => h('span', {class: `badge ${layer.quantized ? 'integer' : 'float'}`}, layer.quantized ? 'integers' : 'float')},
    {key: 'format', name: 'Format', kind: 'text', value: formatText},
    {key: 'low', name: 'Low', title: 'Smallest value that the output can hold', value: (layer) => layer.output?.low,
      cell: (layer) => number(layer.output?.low, 3), hidden: !has('output')},
    {key: 'high', name: 'High', title: 'Largest value that the output can hold', value: (layer) => layer.output?.high,
      cell: (layer) => number(layer.output?.high, 3), hidden: !has('output')},
    {key: 'noise_before', name: 'Noise before', title: 'Relative error before reconstruction', value: (layer) => layer.before,
      cell: (layer) => number(layer.before, 3), hidden: !has('before'), descendsFirst: true},
    {key: 'noise_after', name: 'After', title: 'Relative error after reconstruction', value: (layer) => layer.after,
      cell: (layer) => number(layer.after, 3), hidden: !has('after'), descendsFirst: true},
    {key: 'float_us', name: 'Float \u00b5s', title: 'Time of its kernel in the float model', value: (layer) => layer.float_us,
      cell: (layer) => timeText(layer, 'float_us'), hidden: !has('float_us'), descendsFirst: true},
    {key: 'quantized_us', name: 'Quantized \u00b5s', title: 'Time of its kernel in the best model', value: (layer) => layer.quantized_us,
      cell: (layer) => timeText(layer, 'quantized_us'), hidden: !has('quantized_us'), descendsFirst: true},
    {key: 'conversions_us', name: 'Conversions \u00b5s', title: 'Time to convert what its kernel writes between float and integers',
      value: (layer) => layer.conversions_us, cell: (layer) => number(layer.conversions_us, 3),
      hidden: !layers.some((layer) => layer.conversions_us > 0), descendsFirst: true},
    {key: 'why', name: 'Why', kind: 'wrap', value: (layer) => layer.why, hidden: !layers.some((layer) => layer.why)},
  ];
  return new DataTable({
    label: 'Operators of the best model',
    fileName: 'layers.csv',
    rows: layers, columns,
    rowClass: (layer) => layer.index === chosenLayer ? 'chosen' : null,
    onRow: (layer) => choose(layer.index),
    summary: (count) => `${count} of ${plural(layers.length, 'operator')}`,
  });
}

// The values of the output of one operator.

function drawHistogram(layer, figure) {
  const {histogram, output} = layer;
  if (!histogram) {
    show(figure, panelHead(`Activations of ${layer.op_type}`,
        'Its output was not observed: it is quantized with its neighbour, moves data only, or stays float.'));
    disposeRemoved();
    return;
  }
  const place = h('div', {class: 'chart'});
  show(figure,
      panelHead(`Activations of ${layer.op_type}`, `${layer.node}: ${histogramNote(histogram, output)}. Share of the values on a logarithmic scale.`), place);
  disposeRemoved();
  drawChart(place, `Histogram of the output of ${layer.node}, ${histogramNote(histogram, output)}`,
      (colours, width) => histogramOptions(histogram, output, {colours, width}));
}

function histogramNote({low, high}, output) {
  const seen = `observed ${number(low, 3)} to ${number(high, 3)}`;
  return output ? `${seen}, clipped at ${number(output.low, 3)} and ${number(output.high, 3)}` : `${seen}, not quantized`;
}

function histogramOptions({low, high, counts}, output, {colours, width: pixels}) {
  const width = (high - low) / counts.length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const middle = (bin) => low + (bin + 0.5) * width;
  const style = axisStyle(colours);
  const clips = output ? [output.low, output.high] : [];
  const from = Math.min(low, ...clips);
  const to = Math.max(high, ...clips);
  const room = 0.04 * (to - from);
  const least = 0.5 / Math.max(total, 10);
  const barWidth = Math.max(1, (0.85 * 0.9 * pixels * width) / (to - from + 2 * room));
  return {
    grid: {left: 4, right: 12, top: 26, bottom: 4, containLabel: true},
    tooltip: {...tooltip(colours, ([{data}]) => h('div', {class: 'tip'},
        `${number(data[0] - width / 2, 3)} to ${number(data[0] + width / 2, 3)}: ${number(100 * data[1], 2)} % of the values`)), trigger: 'axis'},
    xAxis: {...style, type: 'value', min: from - room, max: to + room, splitLine: {show: false},
      axisLabel: {...style.axisLabel, showMinLabel: false, showMaxLabel: false, formatter: (value) => number(value, 3)}},
    yAxis: {...style, type: 'log', min: least, startValue: least, max: 1,
      axisLabel: {...style.axisLabel, formatter: (value) => number(value, 1)}},
    series: [{
      type: 'bar', barWidth, itemStyle: {color: colours.accent},
      data: counts.map((count, bin) => [middle(bin), count / total]).filter(([, share]) => share > 0),
      markLine: {
        silent: true, symbol: 'none', lineStyle: {color: colours.best, type: 'dashed', width: 1.5},
        label: {color: colours.text, fontSize: textSize(0.72), formatter: ({value}) => number(value, 3)},
        data: clips.map((value) => ({xAxis: value})),
      },
    }],
  };
}

/** What has no integer kernel has no time on integers. */
function isMeasured(row, key) {
  return key === 'float_ms' || row.verdict !== 'no integer kernel';
}

// The times that decided which patterns of operators run on integers.

function drawPlacement(search, panel) {
  const patterns = search.placement?.patterns ?? [];
  panel.hidden = patterns.length === 0;
  if (panel.hidden) return;
  const verdicts = {integer: 'integers', float: 'float', 'no integer kernel': 'float'};
  const table = new DataTable({
    label: 'Placement of operators', fileName: 'placement.csv', rows: patterns,
    sortBy: 'float_ms', descending: true,
    summary: (count) => `${plural(count, 'pattern')}`,
    columns: [
      {key: 'pattern', name: 'Operators', kind: 'wrap', value: (row) => row.pattern},
      {key: 'count', name: 'Count', value: (row) => row.count, descendsFirst: true},
      ...['float_ms', 'integer_ms', 'conversions_ms'].map((key) => ({
        key, name: {float_ms: 'Float', integer_ms: 'Integers', conversions_ms: 'Conversions'}[key],
        value: (row) => isMeasured(row, key) ? row[key] : null, cell: (row) => isMeasured(row, key) ? milliseconds(row[key]) : NONE,
        descendsFirst: true,
      })),
      {key: 'verdict', name: 'Runs on', kind: 'text', value: (row) => row.verdict,
        cell: (row) => h('span', {class: `badge ${row.verdict === 'integer' ? 'integer' : 'float'}`, title: row.verdict}, verdicts[row.verdict] ?? row.verdict)},
    ],
  });
  show(panel, panelHead('Why they are placed so',
      `Times of one run, measured on ${search.placement.machine}. An operator runs on integers where that saves more than its conversions cost.`,
      table.search, table.save), table.scroll, table.foot);
}
