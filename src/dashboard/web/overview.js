// The first page: what needs somebody, and how much is going on.
import { html, useMemo } from "./html.js";
import { get, useLoaded, useShared } from "./api.js";
import { compact, count, duration, plural } from "./format.js";
import { go, link } from "./route.js";
import { Plot } from "./plot.js";
import { Failure, Notice, Number, useNow } from "./ui.js";
import { QueueTable } from "./queues.js";

const longWait = 60000;

function Tile({ label, value, to, kind }) {
  return html`<a class=${`tile ${value ? "tile-" + kind : "tile-zero"}`} href=${to}>
    <span class="tile-value" title=${count(value)}>${compact(value)}</span><span class="tile-label">${label}</span>
  </a>`;
}

function problems(queues, now) {
  const all = [];
  for (const q of queues) {
    const jobs = link("jobs", { queue: q.name, state: "queued" });
    if (q.paused)
      all.push({ kind: "warning", to: link("queues"), text: `Queue ${q.name} is paused: ${plural(q.queued, "job")} wait.` });
    else if (q.unserved) all.push({ kind: "error", to: jobs, text: `Jobs of queue ${q.name} are ready, and ${q.unserved}.` });
    else if (q.oldest && now - q.oldest > longWait)
      all.push({ kind: "warning", to: jobs, text: `Queue ${q.name}: the next job has waited for ${duration(now - q.oldest)}.` });
    if (q.dead)
      all.push({
        kind: "warning",
        to: link("errors", { queue: q.name }),
        text: `Queue ${q.name} has ${plural(q.dead, "dead job")}.`,
      });
  }
  const order = { error: 0, warning: 1 };
  return all.sort((a, b) => order[a.kind] - order[b.kind]);
}

const backlog = [
  { label: "queued", colour: "queued", fill: true },
  { label: "running", colour: "running" },
  { label: "deferred", colour: "deferred" },
];

const rate = [{ label: "done per second", colour: "succeeded", fill: true }];
const perSecond = (v) => (v < 10 ? String(Math.round(v * 10) / 10) : compact(Math.round(v)));

const ranges = [
  ["60", "last hour"],
  ["360", "last 6 hours"],
  ["1440", "last day"],
  ["4320", "last 3 days"],
];
const statsInterval = 15000;

const ended = [
  { label: "succeeded", colour: "succeeded", fill: true },
  { label: "failed", colour: "dead" },
  { label: "retried", colour: "failed" },
  { label: "enqueued", colour: "queued" },
];
const percentiles = (what) => [
  { label: "p50", colour: "running", of: `${what}_p50` },
  { label: "p95", colour: "failed", of: `${what}_p95` },
  { label: "p99", colour: "dead", of: `${what}_p99` },
];
const waits = percentiles("wait");
const runs = percentiles("run");
const seconds = (v) => duration(v * 1000);

function TaskTable({ tasks, queue }) {
  const name = (task) => (task === "" ? "not known" : task === "*" ? "others" : task);
  const time = (s) => (s === null ? html`<span class="none">–</span>` : seconds(s));
  return html`<div class="table"><table>
    <thead><tr><th>Task</th><th class="number">Enqueued</th><th class="number">Succeeded</th><th class="number">Failed</th><th class="number">Retried</th>
      <th class="number">Lost</th><th class="number">Run p50</th><th class="number">Run p95</th><th class="number">Time in all</th></tr></thead>
    <tbody>${tasks.slice(0, 50).map(
      (t) => html`<tr key=${t.task}><td class="lead">${queue && t.task && t.task !== "*" ? html`<a href=${link("jobs", { queue, task: t.task })}>${t.task}</a>` : name(t.task)}</td>
        <td class="number" data-label="Enqueued"><${Number} value=${t.enqueued} /></td><td class="number" data-label="Succeeded"><${Number} value=${t.succeeded} /></td>
        <td class="number" data-label="Failed"><${Number} value=${t.failed} loud /></td><td class="number" data-label="Retried"><${Number} value=${t.retried} /></td>
        <td class="number" data-label="Lost"><${Number} value=${t.lost} loud /></td><td class="number" data-label="Run p50">${time(t.run_p50)}</td>
        <td class="number" data-label="Run p95">${time(t.run_p95)}</td><td class="number" data-label="Time in all">${time(t.run_total)}</td></tr>`,
    )}</tbody></table></div>`;
}

/** What workers and clients have counted, minute by minute: of all queues, or of one. */
function History({ parameters, queues }) {
  const { range = "60", queue = "" } = parameters;
  const { data, failure } = useLoaded((signal) => get("stats", { minutes: range, queue }, signal), [range, queue], statsInterval);
  const steps = data?.steps || [];
  const times = steps.map((s) => s.at);
  const perMinute = (data?.step || 60) / 60;
  const plots = useMemo(
    () => ({
      ended: [times, ...ended.map((one) => steps.map((s) => s[one.label] / perMinute))],
      waits: [times, ...waits.map((one) => steps.map((s) => s[one.of]))],
      runs: [times, ...runs.map((one) => steps.map((s) => s[one.of]))],
    }),
    [data],
  );
  const set = (name) => (event) => go("overview", { ...parameters, [name]: event.target.value });
  return html`<div class="list-head history-head"><h2>History</h2><div class="list-actions">
      <select aria-label="Queue" onChange=${set("queue")}><option value="">all queues</option>
        ${queues.map((q) => html`<option value=${q.name} selected=${q.name === queue}>${q.name}</option>`)}</select>
      <select aria-label="Time" onChange=${set("range")}>${ranges.map(([value, label]) => html`<option value=${value} selected=${value === range}>${label}</option>`)}</select>
    </div></div>
    <${Failure} of=${failure} />
    <div class="plots">
      <${Plot} title="Jobs per minute" data=${plots.ended} series=${ended} format=${perSecond} />
      <${Plot} title="Wait before the first attempt" data=${plots.waits} series=${waits} format=${seconds} />
      <${Plot} title="How long attempts take" data=${plots.runs} series=${runs} format=${seconds} />
    </div>
    ${data && data.tasks.length > 0 && html`<h2>Tasks</h2><${TaskTable} tasks=${data.tasks} queue=${queue || (queues.length === 1 ? queues[0].name : "")} />`}`;
}

export function Overview({ parameters }) {
  const { overview, samples, session } = useShared();
  const now = useNow();
  const latest = samples.length && samples[samples.length - 1].at;
  const data = useMemo(() => [samples.map((s) => s.at), ...backlog.map((one) => samples.map((s) => s[one.label]))], [latest]);
  const rates = useMemo(() => [samples.map((s) => s.at), samples.map((s) => s.rate)], [latest]);
  if (!overview) return html`<p class="quiet">Asking the broker …</p>`;
  const { queues } = overview;
  const sum = (name) => queues.reduce((all, q) => all + q[name], 0);
  const found = problems(queues, now);
  const only = queues.length === 1 ? { queue: queues[0].name } : {};
  const jobs = (state) => link("jobs", { ...only, state });
  const paused = queues.filter((q) => q.paused).length;
  return html`
    <h1>Overview</h1>
    <div class="tiles">
      <${Tile} label="queued" value=${sum("queued")} to=${jobs("queued")} kind="queued" />
      <${Tile} label="running" value=${sum("running")} to=${jobs("running")} kind="running" />
      <${Tile} label="deferred" value=${sum("deferred")} to=${jobs("deferred")} kind="deferred" />
      <${Tile} label="dead" value=${sum("dead")} to=${link("errors", only)} kind="dead" />
      <${Tile} label=${paused ? "queues paused" : "queues"} value=${paused || queues.length} to=${link("queues")} kind=${paused ? "deferred" : "plain"} />
    </div>
    <section aria-label="What needs attention">
      ${session?.warnings.map((text) => html`<${Notice} kind="warning">${text}<//>`)}
      ${found.slice(0, 8).map((one) => html`<a class="notice notice-${one.kind} notice-link" href=${one.to}>${one.text}</a>`)}
      ${found.length > 8 && html`<p class="quiet">… and ${found.length - 8} more.</p>`}
      ${!found.length && queues.length > 0 && html`<${Notice} kind="good">All queues are served, none waits for long, and nothing is dead.<//>`}
    </section>
    <div class="plots">
      <${Plot} title="Jobs in the broker" note="since this page was opened" data=${data} series=${backlog} format=${compact} />
      <${Plot} title="Jobs done per second" note="by live workers" data=${rates} series=${rate} format=${perSecond} />
    </div>
    <h2>Queues</h2>
    <${QueueTable} queues=${queues} now=${now} />
    <${History} parameters=${parameters} queues=${queues} />
  `;
}
