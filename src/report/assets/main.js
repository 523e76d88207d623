// Puts the page together from its data, and again when the reader changes the theme or a running search goes on.

const SECTION_NAMES = [['search', 'Search'], ['parameters', 'Parameters'], ['layers', 'Layers'], ['costs', 'Cost'], ['trials', 'Trials'], ['about', 'About']];

let data = JSON.parse(byId('data').textContent);

function drawPage() {
  selection.listeners.length = 0;
  const searches = data.searches.map(searchOf);
  const isComparison = searches.length > 1;
  const [search] = searches;
  const title = isComparison ? searches.map(({model}) => modelName(model)).join(' and ') : modelName(search.model);
  document.title = `${title} \u2013 quantsearch`;
  byId('title').textContent = title;
  if (isComparison) {
    byId('status').hidden = true;
    drawComparison(searches);
  } else {
    drawStatus(search);
    drawSummary(search);
    selection.listeners.push(() => drawExploration(search));
    drawExploration(search);
    drawParameters(search);
    drawLayers(search);
    drawCosts(search);
    drawTrials(search);
    drawFacts(search);
  }
  drawSections();
  disposeRemoved();
}

function drawStatus(search) {
  const status = byId('status');
  const [kind, text] = search.running ? ['running', `Running: ${trialCount(search)}`] :
    search.bestTrial?.candidate ? ['ended', 'Ended'] : ['none', 'Ended without a candidate'];
  status.className = `status ${kind}`;
  if (status.textContent !== text) status.textContent = text;
}

function drawSections() {
  show(byId('sections'), ...SECTION_NAMES.filter(([id]) => !byId(id).hidden)
      .map(([id, name]) => h('a', {href: `#${id}`}, name)));
}

function drawFacts(search) {
  byId('about').hidden = false;
  const {raw, distinct, complete, filtered} = search.space;
  const left = Object.entries(filtered).map(([reason, count]) => `${count} left out: ${reason}`);
  const facts = [
    ['Model', search.model],
    ['Optimized', `${scoreName(search.objective)}, ${search.minimizes ? 'lower' : 'higher'} is better; goal: ${search.goal.replace('_', ' ')}`],
    ['A candidate has', search.tolerance],
    ['End', search.stop_message || search.stop_reason],
    ['Time', duration(search.seconds)],
    ['Space', raw > 0 ? [`${raw} points, ${complete ? '' : 'at least '}${distinct} distinct`, ...left].join('; ') : ''],
    ['Processor', search.processor],
    ['Confirmed', confirmationText(search)],
  ];
  show(byId('facts'), ...facts.filter(([, text]) => text).map(([name, text]) => h('div', {}, h('dt', {}, name), h('dd', {}, text))));
}

function confirmationText({confirmation, objective}) {
  if (!confirmation) return '';
  const scores = confirmation.scores.map(({trial, score}) => `trial ${trial} ${scoreText(objective, score)}`);
  return `on ${confirmation.samples} samples that no trial saw: float ${scoreText(objective, confirmation.float)}, ${scores.join(', ')}`;
}

// Light and dark.

const THEMES = ['auto', 'light', 'dark'];
const darkSystem = matchMedia('(prefers-color-scheme: dark)');
let theme = 'auto';

function applyTheme(isPrinted = false) {
  const isDark = !isPrinted && (theme === 'dark' || (theme === 'auto' && darkSystem.matches));
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  const name = {auto: 'Auto', light: 'Light', dark: 'Dark'}[theme];
  show(byId('theme'), h('span', {'aria-hidden': 'true'}, '\u25d0 '), name);
  byId('theme').setAttribute('aria-label', `Theme: ${name}`);
  redrawAll();
}

function watchTheme() {
  byId('theme').addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    applyTheme();
  });
  darkSystem.addEventListener('change', () => applyTheme());
  addEventListener('beforeprint', () => applyTheme(true));
  addEventListener('afterprint', () => applyTheme());
}

// A served page asks for its data again while the search runs.

async function refresh() {
  try {
    const answer = await fetch('data.json', {cache: 'no-store'});
    const next = answer.ok && !isBeingRead() ? await answer.json() : data;
    if (JSON.stringify(next) !== JSON.stringify(data)) {
      data = next;
      drawPage();
    }
  } catch {
    byId('status').textContent = 'Not served any more';
    return;
  }
  if (data.searches.some(({running}) => running)) setTimeout(refresh, 1000 * data.refresh_seconds);
}

/** True while a new drawing would take away what the reader is doing: a selection, or words in a search box. */
function isBeingRead() {
  return selection.numbers !== null || document.activeElement?.type === 'search';
}

watchTheme();
applyTheme();
drawPage();
if (data.refresh_seconds !== null) setTimeout(refresh, 1000 * data.refresh_seconds);
