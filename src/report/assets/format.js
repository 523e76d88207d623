// Numbers, sizes, times and names as text.

const NONE = '\u2013';

/** A number with `digits` significant digits, without digits that say nothing. */
function number(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude < 1e-3 || magnitude >= 1e7) {
    const [mantissa, exponent] = value.toExponential(Math.max(0, digits - 2)).split('e');
    return `${trimmed(mantissa)}e${Number(exponent)}`.replaceAll('-', '\u2212');
  }
  return trimmed(value.toPrecision(digits)).replace('-', '\u2212');
}

function trimmed(text) {
  if (text.includes('e')) return String(Number(text));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function bytes(value) {
  if (value === null || value === undefined) return NONE;
  if (value < 1e3) return `${value} B`;
  if (value < 1e6) return `${number(value / 1e3, 3)} kB`;
  if (value < 1e9) return `${number(value / 1e6, 3)} MB`;
  return `${number(value / 1e9, 3)} GB`;
}

function milliseconds(value) {
  if (value === null || value === undefined) return NONE;
  return value < 0.1 ? `${number(value * 1e3, 3)} \u00b5s` : `${number(value, 3)} ms`;
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds < 60) return `${number(seconds, 3)} s`;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** The trials of a search: their number, and how many of them the page has when that is a part. */
function trialCount(search) {
  const all = search.trials_in_all ?? search.trials.length;
  return all === search.trials.length ? plural(all, 'trial') : `${plural(all, 'trial')} (${search.trials.length} shown)`;
}

const SHARES = new Set(['top1', 'top5']);
const SCORE_NAMES = {
  top1: 'Top-1', top5: 'Top-5', rel_l2: 'Noise (rel_l2)', worst_slice: 'Worst slice', cos: 'Cosine', psnr: 'PSNR, dB',
  sqnr: 'SQNR, dB', ssim: 'SSIM', kl: 'KL', custom: 'Evaluator', latency_ms: 'Latency, ms', size_bytes: 'Size',
};

function scoreName(name) {
  return SCORE_NAMES[name] ?? name;
}

/** The value of a score in its usual unit. */
function scoreText(name, value) {
  if (value === null || value === undefined) return NONE;
  if (SHARES.has(name)) return `${(100 * value).toFixed(2)} %`;
  if (name === 'size_bytes') return bytes(value);
  return number(value);
}

/** The same at an axis, where digits that say nothing are in the way. */
function scoreTick(name, value) {
  return SHARES.has(name) ? `${number(100 * value, 3)} %` : scoreText(name, value);
}

const HIGHER_IS_BETTER = new Set(['top1', 'top5', 'cos', 'psnr', 'ssim', 'sqnr']);

/** Short names of settings that still tell them apart: the part after the last point where no other has it. */
function shortNames(names) {
  const last = (name) => name.slice(name.lastIndexOf('.') + 1);
  const count = new Map();
  for (const name of names) count.set(last(name), (count.get(last(name)) ?? 0) + 1);
  return new Map(names.map((name) => [name, count.get(last(name)) === 1 ? last(name) : name]));
}

/** The value of a setting as text: methods without the name of their group, long lists by their length. */
function settingText(value) {
  if (value === null || value === undefined) return NONE;
  if (value === true) return 'on';
  if (value === false) return 'off';
  if (Array.isArray(value)) {
    if (value.length === 0) return 'none';
    const text = value.join(', ');
    return text.length <= 32 ? text : plural(value.length, 'name');
  }
  if (typeof value === 'object') return JSON.stringify(value);
  if (typeof value === 'number') return number(value);
  return value.replace(/^(CalibrationMethod|PowerOfTwoMethod|LayerWiseMethod|QuantType)\./, '');
}

/** The whole value of a setting. */
function settingTitle(value) {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function fileName(path) {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The name of a model: its file, with the folder where many files have that name. */
function modelName(path) {
  const parts = path.split('/').filter(Boolean);
  return /^(model|best|onnx)\.onnx$/.test(fileName(path)) ? parts.slice(-2).join('/') : fileName(path);
}

/** A field of a CSV file (RFC 4180). */
function csvField(value) {
  const text = value === null || value === undefined ? '' :
      typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv(rows) {
  return rows.map((row) => row.map(csvField).join(',') + '\r\n').join('');
}
