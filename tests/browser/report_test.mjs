// Opens reports in a headless browser and uses them as a reader does: sorts, filters, selects, exports, changes the theme.
// node report_test.mjs PROGRAM SOURCE BROWSER WORK

import {spawn} from 'node:child_process';
import {cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {chromium} from 'playwright-core';
import {check, equal, passedChecks} from './checks.mjs';
import {makeSearch, run} from './search.mjs';

const [program, source, executablePath, work] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = `${work}/search`;

/** What the pages said on the console, which has to stay empty. */
const said = [];

async function open(browser, address, {width = 1400, colorScheme = 'light'} = {}) {
  const context = await browser.newContext({viewport: {width, height: 900}, colorScheme, acceptDownloads: true});
  const page = await context.newPage();
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => said.push(`error: ${error.message}`));
  await page.goto(address);
  return page;
}

/** The texts of one column of a table. */
async function column(page, table, name) {
  return page.$eval(table, (root, wanted) => {
    const names = [...root.querySelectorAll('thead th')].map((head) => head.textContent.trim());
    const index = names.indexOf(wanted);
    return [...root.querySelectorAll('tbody tr')].map((row) => row.children[index].textContent.trim());
  }, name);
}

const rows = (page, table) => page.$$eval(`${table} tbody tr`, (all) => all.length);

async function sortsByAColumn(page) {
  const number = (text) => Number(text.replace('\u2212', '-'));
  const head = page.locator('#trial-table thead button', {hasText: /^L2/});
  await head.click();
  const ascending = (await column(page, '#trial-table', 'L2')).filter((text) => /\d/.test(text)).map(number);
  check('a click sorts in ascending order', ascending.every((value, at) => at === 0 || ascending[at - 1] <= value), ascending);
  await head.focus();
  await page.keyboard.press('Enter');
  const descending = (await column(page, '#trial-table', 'L2')).filter((text) => /\d/.test(text)).map(number);
  equal('the keyboard sorts in descending order', descending, [...descending].sort((a, b) => b - a));
  equal('the order is announced', await page.locator('#trial-table th[aria-sort="descending"]').count(), 1);
}

async function searchesTrials(page, count) {
  const box = page.locator('#trial-table input[type="search"]');
  await box.fill('failed');
  equal('the search box leaves the failed trial', await rows(page, '#trial-table'), 1);
  check('its reason is shown as text', (await page.textContent('#trial-table tbody')).includes('</script><img src=x>'));
  await box.fill('no such thing');
  equal('nothing is found', await rows(page, '#trial-table'), 0);
  await box.fill('');
  equal('all trials are back', await rows(page, '#trial-table'), count);
}

/** Draws a rectangle around all points of the chart. */
async function selectsInTheChart(page, count) {
  await page.click('#front button:has-text("Select")');
  await page.locator('#front').scrollIntoViewIfNeeded();
  const box = await page.locator('#front-chart').boundingBox();
  await page.mouse.move(box.x + 0.12 * box.width, box.y + box.height - 62);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 80, {steps: 4});
  await page.mouse.move(box.x + box.width - 30, box.y + 36, {steps: 4});
  await page.mouse.up();
  const chosen = page.locator('#trial-table .selected');
  await chosen.waitFor();
  const selected = Number((await chosen.textContent()).split(' ')[0]);
  check('a rectangle selects trials, but none that failed', selected > 0 && selected < count, selected);
  equal('the table shows the selected trials', await rows(page, '#trial-table'), selected);
  await page.click('#trial-table button:has-text("Show all")');
  equal('the selection is taken back', await rows(page, '#trial-table'), count);
}

async function selectsOnAnAxis(page, count) {
  await page.locator('#parallel-chart').scrollIntoViewIfNeeded();
  const box = await page.locator('#parallel-chart').boundingBox();
  const x = await page.$eval('#parallel-chart', (chart) => {
    const texts = [...chart.querySelectorAll('text')].find((text) => text.textContent === 'activation_type');
    const own = texts.getBoundingClientRect();
    return own.x + own.width / 2;
  });
  await page.mouse.move(x, box.y + 45);
  await page.mouse.down();
  await page.mouse.move(x, box.y + 0.3 * box.height, {steps: 3});
  await page.mouse.move(x, box.y + 0.5 * box.height, {steps: 3});
  await page.mouse.up();
  await page.locator('#trial-table .selected').waitFor();
  const left = await rows(page, '#trial-table');
  check('a part of an axis selects trials', left > 0 && left < count, left);
  equal('they have one value', new Set(await column(page, '#trial-table', 'activation_type')).size, 1);
  await page.click('#trial-table button:has-text("Show all")');
}

async function savesCsv(page, count) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#trial-table button:has-text("Save as CSV")')]);
  const text = readFileSync(await download.path(), 'utf8');
  equal('the file has a line for each trial and a head', text.trimEnd().split('\r\n').length, count + 1);
  check('its head has whole names', text.startsWith('trial,rank,state,L2,'), text.slice(0, 80));
}

async function showsLayers(page) {
  const all = await rows(page, '#layer-table');
  check('the layers are listed', all > 10, all);
  await page.selectOption('#layer-table select', 'float');
  const floats = await rows(page, '#layer-table');
  await page.selectOption('#layer-table select', 'integer');
  equal('a filter parts the layers', (await rows(page, '#layer-table')) + floats, all);
  await page.selectOption('#layer-table select', 'all');
  await page.fill('#layer-table input[type="search"]', 'Relu');
  await page.locator('#layer-table tbody button.handle').first().focus();
  await page.keyboard.press('Enter');
  equal('the keyboard chooses a layer', await page.locator('#layer-table tr.chosen').count(), 1);
  check('its histogram is shown', (await page.textContent('#layer-histogram h3')).includes('Relu'));
  check('with its clip points', (await page.textContent('#layer-histogram')).includes('clipped at'));
  equal('the graph marks it', await page.locator('#layer-graph .node.chosen').count(), 1);
  await page.locator('#layer-graph .node').first().click();
  await page.fill('#layer-table input[type="search"]', '');
  equal('the graph chooses a layer, too', await page.textContent('#layer-table tr.chosen td'), '0');
}

async function changesTheTheme(page) {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.click('#theme');
  await page.click('#theme');
  equal('the button says the theme', await page.getAttribute('#theme', 'aria-label'), 'Theme: Dark');
  check('the page is dark', (await background()) !== light);
  await page.click('#theme');
}

async function usesTheReport(browser, address, count) {
  const page = await open(browser, address);
  equal('all trials are listed', await rows(page, '#trial-table'), count);
  check('the command is shown', (await page.textContent('#rebuild')).includes('quantsearch quantize'));
  await sortsByAColumn(page);
  await searchesTrials(page, count);
  await selectsInTheChart(page, count);
  await selectsOnAnAxis(page, count);
  await savesCsv(page, count);
  await showsLayers(page);
  await changesTheTheme(page);
  await page.keyboard.press('Tab');
  check('a printed page has content', (await page.pdf()).length > 20000);
  await page.context().close();
}

/** Faults of accessibility that hinder readers, as axe-core finds them. */
async function seriousFaults(page) {
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => window.axe.run());
  return violations.filter(({impact}) => impact === 'serious' || impact === 'critical')
      .map(({id, nodes}) => `${id}: ${nodes.slice(0, 3).map(({html}) => html.slice(0, 160)).join(' ')}`);
}

async function looksRight(browser, address) {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [390, 768, 1400, 3840]) {
      const page = await open(browser, address, {width, colorScheme});
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      check(`nothing runs off the edge at ${width} pixels`, wide <= width, wide);
      if (width === 390 || width === 1400) equal(`axe at ${width} pixels, ${colorScheme}`, await seriousFaults(page), []);
      await page.context().close();
    }
  }
}

/** The page of a search that runs follows it to its end. */
async function followsARunningSearch(browser) {
  const copy = `${work}/running`;
  rmSync(copy, {recursive: true, force: true});
  cpSync(`${folder}/out`, copy, {recursive: true});
  const results = JSON.parse(readFileSync(`${copy}/results.json`, 'utf8'));
  const head = {...results, trials: [], candidates: [], best: null, stop_reason: 'running', layers: undefined};
  writeFileSync(`${copy}/running.json`, JSON.stringify(head));
  const server = spawn(program, ['report', copy, '--serve', '--port', '0'], {stdio: ['ignore', 'pipe', 'inherit']});
  try {
    const address = await new Promise((resolve, reject) => {
      server.stdout.on('data', (text) => resolve(String(text).match(/http:\S+/)[0]));
      server.on('exit', () => reject(new Error('the server has ended')));
    });
    const page = await open(browser, address);
    equal('a running search is said to run', await page.textContent('#status'), `Running: ${results.trials.length} trials`);
    check('layers are left out until it ends', await page.locator('#layers').isHidden());
    equal('axe of a running search', await seriousFaults(page), []);
    rmSync(`${copy}/running.json`);
    await page.waitForFunction(() => document.getElementById('status').textContent === 'Ended');
    check('the layers have come', await page.locator('#layers').isVisible());
    await page.context().close();
  } finally {
    server.kill('SIGINT');
  }
}

async function comparesTwoSearches(browser) {
  run(program, ['report', '--compare', 'out', 'out', '--html', 'both.html'], folder);
  for (const width of [390, 1400]) {
    const page = await open(browser, `file://${folder}/both.html`, {width});
    check('both searches have a column', (await page.textContent('#compare-table thead')).endsWith('AB'));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(`the comparison fits ${width} pixels`, wide <= width, wide);
    equal(`axe of the comparison at ${width} pixels`, await seriousFaults(page), []);
    await page.context().close();
  }
}

async function opensASearchWithoutTrials(browser) {
  const results = JSON.parse(readFileSync(`${folder}/out/results.json`, 'utf8'));
  writeFileSync(`${folder}/none.json`, JSON.stringify({...results, trials: [], candidates: [], best: null, layers: undefined, base_trial: undefined}));
  run(program, ['report', 'none.json', '--html', 'none.html'], folder);
  const page = await open(browser, `file://${folder}/none.html`);
  equal('it says that there is no trial', await page.textContent('#result-lead'), 'No trial is complete.');
  check('there is no empty table', await page.locator('#trials').isHidden());
  await page.context().close();
}

/** The report of the search's results after `change(results)`. */
async function openChanged(browser, name, change) {
  const results = JSON.parse(readFileSync(`${folder}/out/results.json`, 'utf8'));
  change(results);
  writeFileSync(`${folder}/${name}.json`, JSON.stringify(results));
  run(program, ['report', `${name}.json`, '--html', `${name}.html`], folder);
  return open(browser, `file://${folder}/${name}.html`);
}

async function saysWhatIsLeftOut(browser) {
  const page = await openChanged(browser, 'left_out', (results) => {
    results.layers = {left_out: 'trials ran in worker processes <b>'};
    results.trials_in_all = 5000;
  });
  check('the section of the layers is there', await page.locator('#layers').isVisible());
  check('it says why they are not listed',
      (await page.textContent('#layer-table')).includes('They are not listed: trials ran in worker processes <b>.'));
  equal('there is no table of layers', await page.locator('#layer-table table').count(), 0);
  for (const id of ['layer-graph', 'layer-histogram']) check(`${id} is not there`, await page.locator(`#${id}`).isHidden());
  const count = await rows(page, '#trial-table');
  check('the number of all trials stands beside that of those on the page',
      (await page.textContent('#resources')).includes(`5000 trials (${count} shown) in `), await page.textContent('#resources'));
  await page.context().close();
}

/** What a reader sees of the chart of times and memory: its label, its texts, its small marks, and the area of the trials. */
async function resourceChart(page) {
  await page.locator('#resources').scrollIntoViewIfNeeded();
  return page.$eval('#resources .chart', (chart) => {
    const middle = ({left, right, top, bottom}) => ({x: (left + right) / 2, y: (top + bottom) / 2});
    const texts = [...chart.querySelectorAll('text')].map((text) => ({text: text.textContent, ...middle(text.getBoundingClientRect())}));
    const paths = [...chart.querySelectorAll('path')];
    const boxes = paths.map((path) => path.getBoundingClientRect());
    const area = boxes[paths.findIndex((path) => Number(path.getAttribute('fill-opacity') ?? 1) < 0.5)];
    return {
      label: chart.getAttribute('aria-label'), texts, area: area && {left: area.left, right: area.right},
      points: boxes.filter(({width, height}) => width > 4.5 && width < 8 && Math.abs(width - height) < 0.5).map(middle).sort((a, b) => a.x - b.x),
    };
  });
}

/** Seconds of a text such as '3 min 20 s'; null when it is no time. */
function secondsOf(text) {
  if (!/^(\d+(\.\d+)? s|\d+ min \d+ s|\d+ h \d+ min)$/.test(text)) return null;
  const units = {h: 3600, min: 60, s: 1};
  return [...text.matchAll(/([\d.]+) (h|min|s)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit], 0);
}

/** The place of a value on an axis, by two of its marks. */
function placeBy(marks) {
  const [first, last] = [marks[0], marks[marks.length - 1]];
  return (value) => first.place + (value - first.value) / (last.value - first.value) * (last.place - first.place);
}

const near = (places, others) => places.length === others.length && places.every((place, at) => Math.abs(place - others[at]) < 2);

async function showsTrialsOverTime(browser) {
  // They end in another order than that of their numbers, each at another time.
  const seconds = (number) => 10 + number;
  const ended = (number) => 1.75e9 + 60 * (number ^ 1);
  const page = await openChanged(browser, 'times', (results) => {
    for (const trial of results.trials) Object.assign(trial, {seconds: seconds(trial.number), ended_at: ended(trial.number), memory_bytes: 2e8});
  });
  const numbers = [...Array(await rows(page, '#trial-table')).keys()].sort((a, b) => ended(a) - ended(b));
  const start = Math.min(...numbers.map((number) => ended(number) - seconds(number)));
  const {label, texts, points, area} = await resourceChart(page);
  check('its label says that it goes over time', label.endsWith('and memory when it ended, over the time of the search'), label);
  const titles = texts.map(({text}) => text);
  for (const title of ['time since the start', 'seconds', 'memory']) check(`an axis is called ${title}`, titles.includes(title), titles);
  const times = texts.map(({text, x}) => ({value: secondsOf(text), place: x})).filter(({value}) => value !== null);
  check('the marks of the axis are times', times.length > 2, titles);
  equal('they begin with that of the first trial', times[0].value, 0);
  const x = placeBy(times);
  check('they are apart in proportion', near(times.map(({place}) => place), times.map(({value}) => x(value))), times);
  check('a point is where a trial ended', near(points.map((point) => point.x), numbers.map((number) => x(ended(number) - start))), points);
  const heights = texts.filter(({text}) => /^\d+$/.test(text)).map(({text, y}) => ({value: Number(text), place: y})).sort((a, b) => a.value - b.value);
  check('and as high as its seconds', near(points.map((point) => point.y), numbers.map((number) => placeBy(heights)(seconds(number)))), heights);
  const last = numbers[numbers.length - 1];
  check('the area goes from the beginning of the first to the end of the last', near([area.left, area.right], [x(0), x(ended(last) - start)]), area);
  await page.context().close();
}

async function showsTrialsInTheirOrderWithoutTimes(browser) {
  const page = await openChanged(browser, 'untimed', (results) => {
    for (const trial of results.trials) Object.assign(trial, {ended_at: undefined, memory_bytes: undefined});
  });
  const {label, texts} = await resourceChart(page);
  const titles = texts.map(({text}) => text);
  equal('its label has no time', label, 'Seconds of each trial');
  equal('its axes are those of trials and seconds', ['trial', 'seconds', 'time since the start', 'memory'].map((title) => titles.includes(title)),
      [true, true, false, false]);
  await page.context().close();
}

/** The report of the search with one more trial, which failed with text that looks like markup. */
function addAFailedTrial() {
  const results = JSON.parse(readFileSync(`${folder}/out/results.json`, 'utf8'));
  // Measured times could put all points at the edge of the chart.
  results.trials.forEach((trial, at) => {
    if (trial.latency_ms) trial.latency_ms = 0.05 + 0.01 * (at % 7);
    if (trial.latency_ratio) trial.latency_ratio = {...trial.latency_ratio, ratio: 0.6 + 0.05 * (at % 7)};
  });
  const [first] = results.trials;
  results.trials.push({...first, number: results.trials.length, state: 'failed', scores: {}, latency_ms: null, latency_ratio: undefined,
    candidate: false, reason: 'no range: </script><img src=x>'});
  writeFileSync(`${folder}/failed.json`, JSON.stringify(results));
  run(program, ['report', 'failed.json', '--html', 'report.html'], folder);
  return results.trials.length;
}

rmSync(folder, {recursive: true, force: true});
mkdirSync(folder, {recursive: true});
makeSearch(program, source, folder);
check('the report is below 1.5 MB', statSync(`${folder}/out/report.html`).size < 1.5e6);
const count = addAFailedTrial();
const browser = await chromium.launch({executablePath, args: ['--no-sandbox']});
try {
  const address = `file://${folder}/report.html`;
  await usesTheReport(browser, address, count);
  await looksRight(browser, address);
  await followsARunningSearch(browser);
  await comparesTwoSearches(browser);
  await opensASearchWithoutTrials(browser);
  await saysWhatIsLeftOut(browser);
  await showsTrialsOverTime(browser);
  await showsTrialsInTheirOrderWithoutTimes(browser);
  equal('the console stays empty', said, []);
} finally {
  await browser.close();
}
console.log(`browser test: ${passedChecks()} checks passed`);
