// Times, numbers and JSON as text.

/** @type {[string, number][]} */
const units = [
  ["d", 86400000],
  ["h", 3600000],
  ["min", 60000],
  ["s", 1000],
];

/** "3 min", "1.2 s", "40 ms". */
export function duration(ms) {
  const size = Math.abs(ms);
  for (const [name, length] of units) {
    if (size < length) continue;
    const value = size / length;
    return `${value < 10 && name !== "min" ? Math.round(value * 10) / 10 : Math.round(value)} ${name}`;
  }
  if (size === 0 || size >= 10) return `${Math.round(size)} ms`;
  return size >= 1 ? `${Math.round(size * 10) / 10} ms` : `${Math.round(size * 1000)} µs`;
}

export function relative(at, now) {
  const ago = now - at;
  if (Math.abs(ago) < 1000) return "now";
  return ago > 0 ? `${duration(ago)} ago` : `in ${duration(ago)}`;
}

const two = (number) => String(number).padStart(2, "0");

/** In the browser's time zone: "2026-11-29 07:14:03". */
export function absolute(at) {
  const time = new Date(at);
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** "07:14:03.250", in the browser's time zone. */
export function clockTime(at) {
  const time = new Date(at);
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}

const grouped = new Intl.NumberFormat("en");
export const count = (number) => grouped.format(number);

const compactly = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
export const compact = (number) => (number < 100000 ? count(number) : compactly.format(number));

export const plural = (number, one, many = one + "s") => `${count(number)} ${number === 1 ? one : many}`;

export const errorOf = (job) => [job.error_type, job.error].filter(Boolean).join(": ");

/**
 * JSON text as pieces {kind, text}, laid out in lines. It is never parsed to values: numbers stay as they are, digit by
 * digit.
 */
export function layOut(json, width = 72) {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/g) || [];
  const out = [];
  let at = 0;
  const put = (kind, text) => out.push({ kind, text });
  const lengthOf = (from) => {
    let depth = 0;
    let length = 0;
    for (let i = from; i < tokens.length; ++i) {
      length += tokens[i].length + (tokens[i] === "," || tokens[i] === ":" ? 1 : 0);
      if ("[{".includes(tokens[i])) ++depth;
      if ("]}".includes(tokens[i]) && --depth === 0) return length;
      if (length > width) return length;
    }
    return length;
  };
  const value = (indent) => {
    const token = tokens[at++];
    if (token !== "[" && token !== "{") {
      put(token[0] === '"' ? "string" : /^[-0-9]/.test(token) ? "number" : "word", token);
      return;
    }
    const close = token === "[" ? "]" : "}";
    const inline = lengthOf(at - 1) <= width - indent;
    put("mark", token);
    if (tokens[at] === close) {
      put("mark", tokens[at++]);
      return;
    }
    const inner = indent + 2;
    while (at < tokens.length) {
      if (!inline) put("space", "\n" + " ".repeat(inner));
      if (close === "}") {
        put("name", tokens[at++]);
        put("mark", tokens[at++] + " ");
      }
      value(inner);
      if (tokens[at] !== ",") break;
      put("mark", tokens[at++] + (inline ? " " : ""));
    }
    if (!inline) put("space", "\n" + " ".repeat(indent));
    put("mark", tokens[at++] || "");
  };
  if (tokens.length) value(0);
  return out;
}
