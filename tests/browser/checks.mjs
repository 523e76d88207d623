// Small assertions that name what was checked.

let passed = 0;

export function check(what, isTrue, seen = '') {
  if (!isTrue) throw new Error(`${what}${seen === '' ? '' : `: got ${JSON.stringify(seen)}`}`);
  ++passed;
}

export function equal(what, seen, expected) {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: got ${a}, expected ${b}`);
  ++passed;
}

export function passedChecks() {
  return passed;
}
