// A drawing of the model: operators in rows, each below all that it reads from.

const NODE_HEIGHT = 24;
const ROW_HEIGHT = 40;
const COLUMN_WIDTH = 132;
const MOST_NODES = 3000;

function drawGraph(layers, figure, choose) {
  const title = 'What runs on integers';
  if (layers.length > MOST_NODES) {
    show(figure, panelHead(title, `The model has ${layers.length} operators, too many to draw.`));
    return;
  }
  const placed = layOut(layers);
  const width = Math.max(COLUMN_WIDTH, ...placed.map(({x}) => x + COLUMN_WIDTH));
  const height = Math.max(...placed.map(({y}) => y)) + ROW_HEIGHT;
  const drawing = s('svg', {width, height, viewBox: `0 0 ${width} ${height}`, role: 'img',
    'aria-label': `Graph of ${plural(layers.length, 'operator')}; the table lists them`},
  s('g', {}, edges(layers, placed)),
  s('g', {}, layers.map((layer, index) => nodeOf(layer, placed[index], () => choose(index)))));
  show(figure,
      panelHead(title, 'Dashed red lines are conversions between float and integers.'),
      h('div', {class: 'drawing', tabindex: '0', role: 'region', 'aria-label': 'Graph of the model'}, drawing),
      h('ul', {class: 'legend'}, [['integer', 'integers'], ['float', 'float']].map(([kind, text]) =>
        h('li', {}, s('svg', {width: 18, height: 14, class: 'drawing-key', 'aria-hidden': 'true'},
            s('rect', {x: 1, y: 2, width: 16, height: 10, rx: 3, fill: `var(--${kind === 'integer' ? 'accent' : 'float'}-soft)`,
              stroke: `var(--${kind === 'integer' ? 'accent' : 'float'})`, 'stroke-dasharray': kind === 'float' ? '4 2' : null})), text))));
}

/** The place of each operator: its row is one below the lowest that it reads, its column near theirs. */
function layOut(layers) {
  const rows = [];
  const depth = [];
  for (const [index, layer] of layers.entries()) {
    depth[index] = 1 + Math.max(-1, ...layer.reads.map((source) => depth[source] ?? -1));
    (rows[depth[index]] ??= []).push(index);
  }
  const column = [];
  for (const row of rows) {
    const wish = (index) => {
      const sources = layers[index].reads.map((source) => column[source]).filter((at) => at !== undefined);
      return sources.length > 0 ? sources.reduce((sum, at) => sum + at, 0) / sources.length : 0;
    };
    const wishes = new Map(row.map((index) => [index, wish(index)]));
    row.sort((a, b) => wishes.get(a) - wishes.get(b) || a - b);
    placeRow(row, wishes, column);
  }
  const left = Math.min(...column);
  return layers.map((layer, index) => ({x: 8 + (column[index] - left) * COLUMN_WIDTH, y: 8 + depth[index] * ROW_HEIGHT}));
}

/** Gives the operators of a row columns near their wishes, at least one apart. */
function placeRow(row, wishes, column) {
  let next = -Infinity;
  for (const index of row) {
    column[index] = Math.max(next, wishes.get(index));
    next = column[index] + 1;
  }
  // Keeping apart has moved them to the right only: move the row back as far as they are off on average.
  const off = row.reduce((sum, index) => sum + column[index] - wishes.get(index), 0) / row.length;
  for (const index of row) column[index] -= off;
}

function edges(layers, placed) {
  const middle = (COLUMN_WIDTH - 16) / 2;
  return layers.flatMap((layer, index) => layer.reads.map((source) => {
    const [from, to] = [placed[source], placed[index]];
    const [x1, y1, x2, y2] = [from.x + middle, from.y + NODE_HEIGHT, to.x + middle, to.y];
    const bend = Math.min(ROW_HEIGHT, (y2 - y1) / 2);
    return s('path', {
      class: layer.quantized === layers[source].quantized ? 'edge' : 'edge converted',
      d: `M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`,
    });
  }));
}

function nodeOf(layer, {x, y}, choose) {
  const width = COLUMN_WIDTH - 16;
  const text = layer.op_type.length > 17 ? `${layer.op_type.slice(0, 16)}\u2026` : layer.op_type;
  return s('g', {class: `node ${layer.quantized ? 'integer' : 'float'}`, 'data-index': layer.index, onclick: choose},
      s('title', {}, `${layer.index} ${layer.node}${layer.why ? `: ${layer.why}` : ''}`),
      s('rect', {x, y, width, height: NODE_HEIGHT, rx: 5}),
      s('text', {x: x + width / 2, y: y + NODE_HEIGHT / 2 + 4, 'text-anchor': 'middle'}, text));
}

/** Shows one operator in the drawing. */
function markNode(figure, index) {
  figure.querySelector('.node.chosen')?.classList.remove('chosen');
  const node = figure.querySelector(`.node[data-index="${index}"]`);
  if (!node) return;
  node.classList.add('chosen');
  const drawing = figure.querySelector('.drawing');
  const rect = node.querySelector('rect');
  drawing.scrollTop = Number(rect.getAttribute('y')) - drawing.clientHeight / 2;
  drawing.scrollLeft = Number(rect.getAttribute('x')) - drawing.clientWidth / 2 + COLUMN_WIDTH / 2;
}
