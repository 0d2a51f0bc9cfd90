// All queues, and what operators do to them.
import { html } from "./html.js";
import { isOperator, post, useShared } from "./api.js";
import { duration } from "./format.js";
import { link } from "./route.js";
import { Empty, Number, say, useAction, useNow } from "./ui.js";

function Pause({ queue }) {
  const [busy, run] = useAction();
  const action = queue.paused ? "resume" : "pause";
  const change = () =>
    run(
      () => post("queue", { queue: queue.name, action }),
      (done) => say(`Queue ${queue.name} is ${done.outcome}.`),
    );
  return html`<button disabled=${busy} onClick=${change} aria-label=${`${action} queue ${queue.name}`}>
    ${queue.paused ? "Resume" : "Pause"}</button>`;
}

function Status({ queue }) {
  if (queue.paused) return html`<span class="state state-deferred">paused</span>`;
  if (queue.unserved) return html`<span class="state state-dead" title=${queue.unserved}>unserved</span>`;
  if (!queue.workers) return html`<span class="state state-cancelled">no worker</span>`;
  return html`<span class="state state-succeeded">served</span>`;
}

export function QueueTable({ queues, now, actions }) {
  if (!queues.length) {
    return html`<${Empty} title="There are no queues yet.">A queue is there as soon as a job was sent to it, or a worker serves it.<//>`;
  }
  const jobs = (q, state) => link("jobs", { queue: q.name, state });
  const cell = (q, name, label, loud) => html`<td class="number" data-label=${label}>
    <a href=${jobs(q, name)}><${Number} value=${q[name]} loud=${loud} /></a></td>`;
  return html`<div class="table"><table>
    <thead><tr><th>Queue</th><th>Status</th><th class="number">Queued</th><th class="number">Waits</th><th class="number">Running</th>
      <th class="number">Deferred</th><th class="number">Dead</th><th class="number">Kept</th><th class="number">Workers</th>
      ${actions && html`<th><span class="hidden">Actions</span></th>`}</tr></thead>
    <tbody>${queues.map(
      (q) => html`<tr key=${q.name}>
        <td class="lead"><a href=${link("jobs", { queue: q.name })}>${q.name}</a></td>
        <td data-label="Status"><${Status} queue=${q} /></td>
        ${cell(q, "queued", "Queued")}
        <td class="number" data-label="Waits">${q.oldest ? duration(Math.max(0, now - q.oldest)) : html`<span class="none">–</span>`}</td>
        ${cell(q, "running", "Running")}${cell(q, "deferred", "Deferred")}
        <td class="number" data-label="Dead"><a href=${link("errors", { queue: q.name })}><${Number} value=${q.dead} loud /></a></td>
        <td class="number" data-label="Kept"><a href=${jobs(q, "succeeded,failed,cancelled,expired")}><${Number} value=${q.kept} /></a></td>
        <td class="number" data-label="Workers"><a href=${link("workers", { queue: q.name })}><${Number} value=${q.workers} /></a></td>
        ${actions && html`<td class="actions"><${Pause} queue=${q} /></td>`}
      </tr>`,
    )}</tbody></table></div>`;
}

export function Queues() {
  const { overview } = useShared();
  const now = useNow();
  if (!overview) return html`<p class="quiet">Asking the broker …</p>`;
  return html`<h1>Queues</h1>
    <p class="quiet">A paused queue takes jobs and gives none; what runs goes on. “Waits” is for how long the next ready job has waited.</p>
    <${QueueTable} queues=${overview.queues} now=${now} actions=${isOperator()} />`;
}
