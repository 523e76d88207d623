// Runs the command, and makes data for it.

import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';

export function run(program, args, cwd) {
  return execFileSync(program, args, {cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28});
}

/** A .npy file of float32 with values that are the same in each run. */
export function writeImages(file, shape) {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = new Float32Array(count);
  let state = 12345;
  for (let index = 0; index < count; ++index) {
    state = (1103515245 * state + 12345) % 2147483648;
    values[index] = 3 * (state / 2147483648) - 1;
  }
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const head = text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11) + '\n';
  const bytes = Buffer.alloc(10 + head.length);
  bytes.write('\x93NUMPY\x01\x00', 'latin1');
  bytes.writeUInt16LE(head.length, 8);
  bytes.write(head, 10, 'latin1');
  writeFileSync(file, Buffer.concat([bytes, Buffer.from(values.buffer)]));
}

/** A search of a shipped model in `folder`/out, with pruned and failed trials. */
export function makeSearch(program, source, folder) {
  writeImages(`${folder}/images.npy`, [24, 1, 28, 28]);
  writeFileSync(`${folder}/config.yaml`, `
search_space:
  calibrate_method: [MinMax, Percentile, Entropy]
  activation_type: [QUInt8, QInt8]
  per_channel: [true, false]
  include_fast_ft: [false, true]
  extra_options: {FastFinetune: {NumIterations: [10], OptimAlgorithm: [adaround]}}
search_metric: [L2, latency]
`);
  run(program, ['search', `${source}/tests/data/resnet8.onnx`, '--calibration', 'images.npy', '--config', 'config.yaml',
    '--output', 'out', '--tolerance', '1000'], folder);
}
