// Workers, cron jobs, errors, and what operators have done.
import { html, useState } from "./html.js";
import { get, isOperator, post, useLoaded, useShared } from "./api.js";
import { absolute, count, duration } from "./format.js";
import { go, link } from "./route.js";
import { Bulk } from "./jobs.js";
import { Empty, Failure, Number, say, State, Time, useAction, useNow } from "./ui.js";

const refreshInterval = 3000;

function Slots({ worker }) {
  const { running, concurrency } = worker;
  if (!concurrency) return html`${count(running)}`;
  const share = Math.min(100, Math.round((running / concurrency) * 100));
  return html`<span class="slots" title=${`${running} of ${concurrency} slots`}>
    <meter min="0" max="100" value=${share} aria-label="slots in use"></meter>${count(running)} / ${count(concurrency)}</span>`;
}

function Tasks({ worker }) {
  if (!worker.names_tasks) return html`<span class="none">not announced</span>`;
  const shown = worker.tasks.slice(0, 12);
  const more = worker.tasks.length - shown.length + worker.tasks_cut;
  return html`${shown.map((name) => html`<span class="chip">${name}</span>`)}${more > 0 && html`<span class="quiet"> and ${more} more</span>`}`;
}

export function Workers({ parameters }) {
  const { data, failure } = useLoaded((signal) => get("workers", {}, signal), [], refreshInterval);
  const all = (data || []).filter((w) => !parameters.queue || w.queues.includes(parameters.queue));
  return html`<h1>Workers</h1><${Failure} of=${failure} />
    ${parameters.queue && html`<p class="quiet">Of queue ${parameters.queue}. <a href=${link("workers")}>All workers</a></p>`}
    ${data && !all.length && html`<${Empty} title="No worker is alive.">Start one, and jobs that wait will run.<//>`}
    ${all.length > 0 && html`<div class="table"><table>
      <thead><tr><th>Worker</th><th>Queues</th><th>Slots</th><th class="number">Waiting</th><th class="number">Done</th><th class="number">Lease</th><th>Tasks</th></tr></thead>
      <tbody>${all.map(
        (w) => html`<tr key=${w.token}><td class="lead">${w.name}</td>
          <td data-label="Queues">${w.queues.map((q) => html`<a class="chip" href=${link("jobs", { queue: q, state: "running" })}>${q}</a>`)}</td>
          <td data-label="Slots"><${Slots} worker=${w} /></td>
          <td class="number" data-label="Waiting"><${Number} value=${w.waiting || 0} /></td>
          <td class="number" data-label="Done">${w.done === null ? "?" : html`<${Number} value=${w.done} />`}</td>
          <td class="number" data-label="Lease" title="until its jobs are given to others, unless it is heard of">${duration(w.lease_ms)}</td>
          <td data-label="Tasks"><${Tasks} worker=${w} /></td></tr>`,
      )}</tbody></table></div>`}`;
}

function CronActions({ cron, reload }) {
  const [busy, run] = useAction();
  const { queue, name } = cron;
  const runNow = () =>
    run(
      () => post("cron", { queue, name, action: "run" }),
      (done) => {
        say(`A run of ${name} is enqueued.`);
        go("job", { queue, id: done.outcome });
      },
    );
  const action = cron.paused ? "resume" : "pause";
  const turn = () =>
    run(
      () => post("cron", { queue, name, action }),
      (done) => {
        say(`Cron job ${name} is ${done.outcome}.`);
        reload();
      },
    );
  return html`<button disabled=${busy} onClick=${turn} aria-label=${`${action} cron job ${name}`}>${cron.paused ? "Resume" : "Pause"}</button>
    ${" "}<button disabled=${busy} onClick=${runNow}>Run now<span class="hidden"> ${name}</span></button>`;
}

function NextRun({ cron, now }) {
  const paused = cron.paused && html`<span class="state state-deferred">paused</span> `;
  if (!cron.next) return html`${paused}<span class="none">not planned</span>`;
  const to = link("job", { queue: cron.queue, id: cron.next_id });
  return html`${paused}<a href=${to}>${absolute(cron.next)}</a> <span class="quiet"><${Time} at=${cron.next} now=${now} />${cron.paused && ", will be skipped"}</span>`;
}

export function Crons() {
  const now = useNow();
  const { data, failure, reload } = useLoaded((signal) => get("crons", {}, signal), [], refreshInterval);
  return html`<h1>Cron jobs</h1><p class="quiet">Of a paused cron job no planned run takes place; one that is run now does.</p><${Failure} of=${failure} />
    ${data && !data.length && html`<${Empty} title="There are no cron jobs.">Workers plan them: worker.cron("nightly", report, "30 3 * * *").<//>`}
    ${data && data.length > 0 && html`<div class="table"><table>
      <thead><tr><th>Name</th><th>Queue</th><th>Next run</th><th class="number">Under way</th><th>Worker</th><th>History</th>${isOperator() && html`<th><span class="hidden">Actions</span></th>`}</tr></thead>
      <tbody>${data.map(
        (c) => html`<tr key=${c.queue + c.name}><td class="lead">${c.name}</td>
          <td data-label="Queue"><a href=${link("jobs", { queue: c.queue })}>${c.queue}</a></td>
          <td data-label="Next run"><${NextRun} cron=${c} now=${now} /></td>
          <td class="number" data-label="Under way"><${Number} value=${c.active} /></td>
          <td data-label="Worker">${c.known ? "alive" : html`<span class="loud">none knows it</span>`}</td>
          <td data-label="History"><a href=${link("jobs", { queue: c.queue, task: "cron:" + c.name })}>runs</a></td>
          ${isOperator() && html`<td class="actions"><${CronActions} cron=${c} reload=${reload} /></td>`}</tr>`,
      )}</tbody></table></div>`}`;
}

export function Errors({ parameters }) {
  const { overview } = useShared();
  const now = useNow();
  const [bulk, setBulk] = useState(null);
  const queues = overview?.queues || [];
  const chosen = parameters.queue || (queues.find((q) => q.dead) || queues[0])?.name;
  const { data, failure, reload } = useLoaded((signal) => (chosen ? get("errors", { queue: chosen }, signal) : null), [chosen], refreshInterval);
  if (!overview) return html`<p class="quiet">Asking the broker …</p>`;
  const filterOf = (g) => ({ state: g.state, task: g.task, error: `${g.error_type}: ${g.error}` });
  const closed = (changed) => {
    setBulk(null);
    if (changed) reload();
  };
  return html`<h1>Errors</h1>
    <p class="quiet">Jobs that have failed, by task and error. Dead ones used all their attempts, and wait for somebody to requeue or purge them.</p>
    <nav class="tabs" aria-label="Queues">${queues.map(
      (q) => html`<a class=${q.name === chosen ? "tab tab-chosen" : "tab"} aria-current=${q.name === chosen ? "page" : undefined}
        href=${link("errors", { queue: q.name })}>${q.name}${q.dead ? html` <span class="badge">${count(q.dead)}</span>` : ""}</a>`,
    )}</nav>
    <${Failure} of=${failure} />
    ${data && data.total !== null && html`<p class="quiet">Of the first ${count(data.looked_at)} jobs; ${count(data.total)} are dead.</p>`}
    ${data && !data.groups.length && html`<${Empty} title=${`Nothing has failed in queue ${chosen}.`} />`}
    ${data && data.groups.length > 0 && html`<div class="table"><table>
      <thead><tr><th class="number">Jobs</th><th>State</th><th>Task</th><th>Error</th><th>Last</th><th><span class="hidden">Actions</span></th></tr></thead>
      <tbody>${data.groups.map(
        (g) => html`<tr key=${g.state + g.task + g.error_type + g.error}>
          <td class="number" data-label="Jobs"><a class="loud" href=${link("jobs", { queue: chosen, ...filterOf(g) })}>${count(g.count)}</a></td>
          <td data-label="State"><${State} name=${g.state} /></td>
          <td data-label="Task">${g.task}</td>
          <td class="lead error-text"><a href=${link("job", { queue: chosen, id: g.example })}><strong>${g.error_type}</strong>: ${g.error}…</a></td>
          <td data-label="Last"><${Time} at=${g.last} now=${now} /></td>
          <td class="actions"><a class="button" href=${link("jobs", { queue: chosen, ...filterOf(g) })}>Show</a>
            ${isOperator() && g.state === "dead" && html` <button onClick=${() => setBulk({ filter: filterOf(g), action: "requeue" })}>Requeue …</button>`}
            ${isOperator() && html` <button class="danger-quiet" onClick=${() => setBulk({ filter: filterOf(g), action: "purge" })}>Purge …</button>`}</td></tr>`,
      )}</tbody></table></div>`}
    ${bulk && html`<${Bulk} queue=${chosen} filter=${bulk.filter} action=${bulk.action} onClose=${closed} />`}`;
}

export function Audit() {
  const now = useNow();
  const { data, failure } = useLoaded((signal) => get("audit", {}, signal), [], refreshInterval);
  return html`<h1>Changes</h1><p class="quiet">What operators have done here since the dashboard was started.</p>
    <${Failure} of=${failure} />
    ${data && !data.length && html`<${Empty} title="Nothing has been changed." />`}
    ${data && data.length > 0 && html`<div class="table"><table>
      <thead><tr><th>When</th><th>Who</th><th>Action</th><th>Queue</th><th>What</th><th>Outcome</th></tr></thead>
      <tbody>${data.map(
        (a) => html`<tr><td data-label="When"><${Time} at=${a.at} now=${now} /></td><td data-label="Who">${a.user || html`<span class="none">nobody named</span>`} <span class="quiet">${a.peer}</span></td>
          <td data-label="Action" class="lead">${a.action}</td><td data-label="Queue">${a.queue}</td><td data-label="What" class="error-text">${a.what}</td><td data-label="Outcome">${a.outcome}</td></tr>`,
      )}</tbody></table></div>`}`;
}
