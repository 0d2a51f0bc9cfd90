// model_schemas.js FOLDER FILE COUNT SEED: reads lines "name TAB schema TAB document" from FILE, changes each document
// COUNT times, and prints "name TAB valid or invalid TAB changed document" by ajv, which is in FOLDER.
// model_schemas.js FOLDER FILE DOCUMENTS: the same of lines "name TAB document" of another file, as they are.
const fs = require('fs');
const [folder, file, count, seed] = process.argv.slice(2);
const Ajv = require(folder + '/node_modules/ajv/dist/2020');
const addFormats = require(folder + '/node_modules/ajv-formats');

let state = Number(seed) >>> 0;
const random = (limit) => {  // xorshift: the same documents for the same seed
  state ^= state << 13;
  state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % limit;
};

const values = () => [null, true, false, 0, 1, 2, 5, 10, -1, 9, 100, 101, 127, 128, 255, 256, -128, -129, 0.5, -0.25, 1.5, 1e30,
  '', 'a', 'ab', 'abc', 'abcdefgh', 'abcdefghi', 'small', 'large', 'tiny', 'ä', '€€€', '1234', '12345', 'voucher', 'transfer', 'NaN',
  'Infinity', 'ann@example.org', 'no address', 'https://example.org/a?b', 'no url', '123e4567-e89b-12d3-a456-426614174000',
  '2026-11-29', '2026-02-30', '2026-11-29T12:00:00Z', '12:00:00Z', '10.0.0.1', '10.0.0', '::1', '::g', 'example.org', '-a',
  [], [1], [1, 2], ['a'], ['a', 'a'], ['a', 'b'], [1, 1], [[1]], [null], {}, {a: 1}, {b: 'x'}, {1: 2}, {small: 1}, {$bytes: 'aGk='}, {$bytes: 5}, {number: '1234'},
  {method: 'voucher', number: '1234'}, {method: 'voucher', number: 'x'}, {method: 'cash'}, {iban: 'a', cents: 1, method: 'transfer'},
  32767, -32769, 65536, 2147483648, -2147483648, 4294967295, 4294967296, 9007199254740991, 1e39, 0.75, 1000000, 1500000000, 20000000000,
  '12', '+3 ', '-4', '1.5', '1e3', '.', 'yes', 'OFF', 'maybe', '1500ms', '1h30m', '-2s', '5 s', '2026-11-29T12:00:00.25-05:00',
  '😀', '😀😀😀', 'a\nb', [[1], [1, 2]], [[1, 2, 3]], [true, 'a'], [true], {true: 1, No: 2}, {more: {number: '1234'}},
  {is: 'literal', value: 1}, {is: 'sum', terms: []}, {what: 'deleted'}, {what: 'moved', from: 1}, {what: 'created', by: 'a', more: 1},
  {name: 'a', pets: []}, {name: '', owners: []}, {size: 1}, {x: 1}, {deeper: {x: 0}}, {one: 'a'}];
const any = () => {
  const all = values();
  return all[random(all.length)];
};

const change = (value) => {
  if (random(4) === 0 || value === null || typeof value !== 'object') return any();
  const keys = Object.keys(value);
  const what = random(8);
  if (Array.isArray(value)) {
    if (what === 0) value.push(any());
    else if (what === 1) value.pop();
    else if (what === 2 && value.length > 0) value.push(value[random(value.length)]);
    else if (keys.length > 0) value[random(keys.length)] = change(value[random(keys.length)]);
    return value;
  }
  const key = keys[random(Math.max(1, keys.length))];
  if (what === 0) value[['more', 'x', '7', 'small'][random(4)]] = any();
  else if (what === 1 && key !== undefined) delete value[key];
  else if (key !== undefined) value[key] = change(value[key]);
  return value;
};

const ajv = new Ajv({strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false});
addFormats(ajv);
const lines = [];
const checks = new Map();
const judge = (name, document) => {
  lines.push(name + '\t' + (checks.get(name)(document) ? 'valid' : 'invalid') + '\t' + JSON.stringify(document));
};
for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
  if (line === '') continue;
  const [name, schema, text] = line.split('\t');
  checks.set(name, ajv.compile(JSON.parse(schema)));
  if (seed === undefined) continue;
  for (let i = 0; i < Number(count); ++i) {
    let document = JSON.parse(text);
    for (let k = random(3); k > 0; --k) document = change(document);
    judge(name, document);
  }
}
if (seed === undefined) {
  for (const line of fs.readFileSync(count, 'utf8').split('\n')) {
    if (line === '') continue;
    const [name, document] = line.split('\t');
    judge(name, JSON.parse(document));
  }
}
process.stdout.write(lines.map((line) => line + '\n').join(''));
