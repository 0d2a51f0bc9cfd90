// The first page: what needs somebody, and how much is going on.
import { html, useMemo } from "./html.js";
import { serverNow, shared, useShared } from "./api.js";
import { compact, count, duration, plural } from "./format.js";
import { link } from "./route.js";
import { Plot } from "./plot.js";
import { Notice, useNow } from "./ui.js";
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

export function Overview() {
  const { overview, samples, session } = useShared();
  const now = useNow();
  const data = useMemo(
    () => [samples.map((s) => s.at), ...backlog.map((one) => samples.map((s) => s[one.label]))],
    [samples.length && samples[samples.length - 1].at],
  );
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
    </div>
    <h2>Queues</h2>
    <${QueueTable} queues=${queues} now=${now} />
  `;
}
