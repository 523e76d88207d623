// What all charts have in common: colours of the theme, axes, size, and drawing again when one of them changes.

const drawn = new Map();  // element -> {chart, make}

/** The colours of the theme, from the style sheet. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const names = ['page', 'surface', 'raised', 'text', 'muted', 'line', 'grid', 'accent', 'best', 'good', 'float', 'other'];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function motionIsReduced() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** Draws `make(colours, width)`, the options of a chart, into the element, and again whenever theme or size change. */
function drawChart(element, label, make) {
  const old = drawn.get(element);
  if (old) old.chart.dispose();
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', label);
  const chart = echarts.init(element, null, {renderer: 'svg'});
  const entry = {chart, make, width: element.clientWidth};
  drawn.set(element, entry);
  redraw(element, entry);
  sizes.observe(element);
  return chart;
}

function redraw(element, entry) {
  const colours = palette();
  entry.chart.setOption({
    animation: false,
    textStyle: {fontFamily: getComputedStyle(document.body).fontFamily, color: colours.muted},
    ...entry.make(colours, element.clientWidth),
  }, {notMerge: true});
  entry.afterDraw?.();
}

const sizes = new ResizeObserver((changes) => {
  for (const {target} of changes) {
    const entry = drawn.get(target);
    if (!entry || !target.isConnected) {
      sizes.unobserve(target);
      entry?.chart.dispose();
      drawn.delete(target);
      continue;
    }
    if (target.clientWidth === 0 || target.clientWidth === entry.width) continue;
    entry.width = target.clientWidth;
    entry.chart.resize();
    redraw(target, entry);
  }
});

function redrawAll() {
  for (const [element, entry] of drawn) redraw(element, entry);
}

/** Charts of elements that are no longer on the page hold their memory until they are given back. */
function disposeRemoved() {
  for (const [element, entry] of drawn) {
    if (element.isConnected) continue;
    sizes.unobserve(element);
    entry.chart.dispose();
    drawn.delete(element);
  }
}

/** The size of text in charts, which follows that of the page. */
function textSize(share = 0.78) {
  return Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize) * share);
}

function axisStyle(colours) {
  return {
    axisLine: {show: true, lineStyle: {color: colours.line}},
    axisTick: {show: false},
    axisLabel: {color: colours.muted, fontSize: textSize(), hideOverlap: true},
    splitLine: {lineStyle: {color: colours.grid}},
    nameTextStyle: {color: colours.muted, fontSize: textSize()},
    minorTick: {show: false},
  };
}

/** A numerical axis. Values that are positive and span more than 50 times are shown on a logarithmic scale. */
function valueAxis(colours, name, values, text = (value) => number(value, 3)) {
  const finite = values.filter((value) => Number.isFinite(value));
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const isLog = low > 0 && high > 50 * low;
  const style = axisStyle(colours);
  return {
    ...style,
    type: isLog ? 'log' : 'value',
    name: isLog ? `${name} (log)` : name,
    scale: true,
    ...(isLog ? decades(low, high) : spread(low, high)),
    axisLabel: {...style.axisLabel, formatter: text},
  };
}

/** The ends of a logarithmic axis: powers of ten, or 2 and 5 times these where it spans few of them. */
function decades(low, high) {
  const steps = high > 300 * low ? [1] : [1, 2, 5];
  const below = 10 ** Math.floor(Math.log10(low));
  const above = 10 ** Math.floor(Math.log10(high));
  return {
    min: Math.max(...steps.map((step) => step * below).filter((value) => value <= low)),
    max: Math.min(...[...steps, 10].map((step) => step * above).filter((value) => value >= high)),
  };
}

/** Room around the values, which are all equal now and then. */
function spread(low, high) {
  if (high > low) return {};
  const room = Math.abs(low) * 0.1 || 1;
  return {min: low - room, max: high + room};
}

function tooltip(colours, formatter) {
  return {
    confine: true,
    backgroundColor: colours.surface,
    borderColor: colours.line,
    padding: [8, 10],
    extraCssText: 'box-shadow: 0 4px 16px rgb(0 0 0 / 16%); border-radius: 8px;',
    formatter,
  };
}

/** How the standings of trials look: form and colour both tell them apart. */
function markOf(colours, kind) {
  return {
    best: {symbol: 'diamond', symbolSize: 15, itemStyle: {color: colours.best, borderColor: colours.surface, borderWidth: 1.5}},
    candidate: {symbol: 'circle', symbolSize: 9, itemStyle: {color: colours.accent, borderColor: colours.surface, borderWidth: 1}},
    outside: {symbol: 'emptyCircle', symbolSize: 7, itemStyle: {color: colours.other, borderColor: colours.other, borderWidth: 1.5}},
    float: {symbol: 'rect', symbolSize: 11, itemStyle: {color: colours.float, borderColor: colours.surface, borderWidth: 1}},
    lost: {symbol: 'triangle', symbolSize: 8, itemStyle: {color: colours.float}},
  }[kind];
}

/** The standings that a legend has to explain. */
function standingLegend(search) {
  const found = new Set(search.scored.map((trial) => standing(search, trial)));
  return ['best', 'candidate', 'outside'].filter((kind) => found.has(kind)).map((kind) => [kind, STANDING_TEXT[kind]]);
}

/** A legend in words, outside of the chart, with the marks of markOf() as drawings. */
function legend(...entries) {
  const mark = {
    best: () => s('path', {d: 'M7 1 L13 7 L7 13 L1 7 Z', fill: 'var(--best)'}),
    candidate: () => s('circle', {cx: 7, cy: 7, r: 4.5, fill: 'var(--accent)'}),
    outside: () => s('circle', {cx: 7, cy: 7, r: 3.8, fill: 'none', stroke: 'var(--other)', 'stroke-width': 1.6}),
    float: () => s('rect', {x: 2, y: 2, width: 10, height: 10, fill: 'var(--float)'}),
    lost: () => s('path', {d: 'M7 2 L12 12 L2 12 Z', fill: 'var(--float)'}),
    line: () => s('path', {d: 'M0 7 H14', stroke: 'var(--good)', 'stroke-width': 2.5}),
    bestLine: () => s('path', {d: 'M0 7 H14', stroke: 'var(--best)', 'stroke-width': 3}),
    betterLine: () => s('path', {d: 'M0 7 H14', stroke: 'var(--accent)', 'stroke-width': 2}),
    worseLine: () => s('path', {d: 'M0 7 H14', stroke: 'var(--other)', 'stroke-width': 1.5, opacity: 0.6}),
    computed: () => s('rect', {x: 1, y: 2, width: 12, height: 10, rx: 2, fill: 'var(--accent)'}),
    second: () => s('rect', {x: 2, y: 2, width: 10, height: 10, fill: 'var(--best)'}),
  };
  return h('ul', {class: 'legend'}, entries.map(([kind, text]) =>
    h('li', {}, s('svg', {width: 14, height: 14, viewBox: '0 0 14 14', 'aria-hidden': 'true'}, mark[kind]()), text)));
}
