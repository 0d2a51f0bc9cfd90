// The jobs of a queue: filtered, page by page; and what operators do to all that match.
import { html, useEffect, useRef, useState } from "./html.js";
import { get, isOperator, post, useLoaded, useShared } from "./api.js";
import { count, errorOf, plural } from "./format.js";
import { go, link } from "./route.js";
import { Dialog, Empty, Failure, say, State, Time, useNow } from "./ui.js";

export const states = ["queued", "running", "deferred", "dead", "failed", "expired", "cancelled", "succeeded"];
const refreshInterval = 3000;

/** For the API; and for the page's own URL, where `queue` may be missing. */
export function filterOf(parameters) {
  const { state, task, error, text, id, since, until } = parameters;
  return { state, task, error, text, id, since, until };
}

function queryOf(filter) {
  const { state, ...rest } = filter;
  const query = { states: state ? state.split(",") : [] };
  for (const [name, value] of Object.entries(rest)) {
    if (value) query[name] = name === "since" || name === "until" ? Number(value) : value;
  }
  return query;
}

function when(job) {
  if (job.state === "deferred") return job.due;
  return job.finished && !["queued", "running"].includes(job.state) ? job.finished : job.enqueued;
}

function Tabs({ parameters, queue }) {
  const chosen = parameters.state || "";
  const counts = queue ? { queued: queue.queued, running: queue.running, deferred: queue.deferred, dead: queue.dead } : {};
  const tab = (state, label) => html`<a class=${chosen === state ? "tab tab-chosen" : "tab"}
    aria-current=${chosen === state ? "page" : undefined} href=${link("jobs", { ...parameters, state, from: "" })}>
    ${label}${counts[state] ? html` <span class="badge">${count(counts[state])}</span>` : ""}</a>`;
  return html`<nav class="tabs" aria-label="States">${tab("", "all")}${states.map((s) => tab(s, s))}</nav>`;
}

const ages = [
  ["", "any time"],
  ["600000", "last 10 min"],
  ["3600000", "last hour"],
  ["86400000", "last day"],
  ["604800000", "last week"],
];

function Filter({ parameters, queues }) {
  const set = (name) => (event) => go("jobs", { ...parameters, [name]: event.target.value, from: "" });
  const submit = (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    const since = fields.age ? String(Date.now() - window.Number(fields.age)) : "";
    const { age, ...rest } = fields;
    go("jobs", { ...parameters, ...rest, since: age ? since : parameters.since, from: "" });
  };
  const field = (name, label, hint) => html`<label><span>${label}</span>
    <input name=${name} defaultValue=${parameters[name] || ""} placeholder=${hint} autocomplete="off" spellcheck=${false} /></label>`;
  return html`<form class="filter" onSubmit=${submit} key=${JSON.stringify(parameters)} role="search">
    <label><span>Queue</span><select name="queue" onChange=${set("queue")}>
      ${queues.map((q) => html`<option value=${q.name} selected=${q.name === parameters.queue}>${q.name}</option>`)}</select></label>
    ${field("task", "Task", "its whole name")}${field("text", "Arguments contain", "text")}
    ${field("error", "Error contains", "type: message")}${field("id", "Id begins with", "01…")}
    <label><span>Enqueued</span><select name="age">${ages.map(([ms, label]) => html`<option value=${ms}>${label}</option>`)}</select></label>
    <div class="filter-buttons"><button type="submit">Filter</button>
    <a class="button" href=${link("jobs", { queue: parameters.queue, state: parameters.state })}>Clear</a></div>
    ${parameters.since && html`<p class="quiet">Enqueued since ${new Date(window.Number(parameters.since)).toLocaleString()}
      <a href=${link("jobs", { ...parameters, since: "", from: "" })}>any time</a></p>`}
  </form>`;
}

const verbs = {
  cancel: { button: "Cancel all", title: "Cancel jobs", will: "will be cancelled", states: ["queued", "running", "deferred"] },
  requeue: { button: "Requeue all", title: "Requeue dead jobs", will: "will run again, with all their attempts", states: ["dead"] },
  purge: { button: "Purge all", title: "Purge jobs", will: "will be forgotten, and nothing of them is kept", states: states.filter((s) => s !== "running") },
};

/** Which of them can be done to all jobs in these states. */
function possible(filter) {
  const asked = filter.state ? filter.state.split(",") : [];
  return Object.keys(verbs).filter((name) => asked.length && asked.every((s) => verbs[name].states.includes(s)));
}

/** First counts, as far as is needed; then asks; then does it. */
export function Bulk({ queue, filter, action, onClose }) {
  const [found, set] = useState({ count: 0, looked: 0, total: null, over: false });
  const [failure, fail] = useState(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    const abort = new AbortController();
    (async () => {
      let from = "";
      let sum = 0;
      do {
        const page = await get("count", { queue, ...filter, from }, abort.signal);
        sum += page.count;
        from = page.next;
        set({ count: sum, looked: page.looked_at, total: page.total, over: !from });
      } while (from && !abort.signal.aborted);
    })().catch((e) => abort.signal.aborted || fail(e));
    return () => abort.abort();
  }, []);
  const act = async () => {
    setBusy(true);
    try {
      const done = await post("bulk", { queue, action, which: queryOf(filter) });
      say(`${plural(done.count, "job")} ${done.outcome}.`);
      onClose(true);
    } catch (e) {
      fail(e);
      setBusy(false);
    }
  };
  const verb = verbs[action];
  const described = Object.entries(filter).filter(([, value]) => value);
  return html`<${Dialog} title=${verb.title} onClose=${() => onClose(false)}>
    <p><strong class="counted">${found.over ? plural(found.count, "job") : `${count(found.count)} jobs so far`}</strong>
      of queue <strong>${queue}</strong> ${verb.will}.</p>
    ${!found.over && html`<p class="quiet" aria-live="polite">Looked at ${count(found.looked)}${found.total !== null ? ` of ${count(found.total)}` : ""} …</p>`}
    <dl class="facts">${described.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
    <${Failure} of=${failure} />
    <div class="dialog-buttons">
      <button autofocus onClick=${() => onClose(false)}>Keep them</button>
      <button class="danger" disabled=${busy || !found.over || !found.count} onClick=${act}>
        ${busy ? "Working …" : `${verb.button.split(" ")[0]} ${plural(found.count, "job")}`}</button>
    </div>
  <//>`;
}

export function JobTable({ jobs, now, marked }) {
  return html`<div class="table"><table class="jobs">
    <thead><tr><th>State</th><th>Task</th><th>Arguments</th><th>Error</th><th class="number">Attempts</th><th>When</th><th>Id</th></tr></thead>
    <tbody>${jobs.map(
      (job, i) => html`<tr key=${job.id} class=${i === marked ? "marked" : ""}>
        <td data-label="State"><${State} name=${job.state} /></td>
        <td class="lead"><a href=${link("job", { queue: job.queue, id: job.id })}>${job.task || html`<span class="none">unreadable</span>`}</a></td>
        <td data-label="Arguments" class="cut"><code>${job.arguments.slice(0, 200)}${job.keyword_arguments ? " " + job.keyword_arguments.slice(0, 200) : ""}</code></td>
        <td data-label="Error" class="cut error-text" title=${errorOf(job).slice(0, 500)}>${errorOf(job).slice(0, 200)}</td>
        <td class="number" data-label="Attempts">${job.attempts}</td>
        <td data-label="When" class="when"><${Time} at=${when(job)} now=${now} /></td>
        <td data-label="Id" class="id"><a href=${link("job", { queue: job.queue, id: job.id })}>${job.id.length > 14 ? job.id.slice(0, 6) + "…" + job.id.slice(-6) : job.id}</a></td>
      </tr>`,
    )}</tbody></table></div>`;
}

function Progress({ page }) {
  if (!page) return null;
  const { jobs, looked_at: looked, total, next } = page;
  const of = total === null || total === undefined ? "" : ` of ${count(total)}`;
  return html`<p class="quiet" aria-live="polite">${plural(jobs.length, "job")}; looked at ${count(looked)}${of}${next ? ", and there is more" : ""}.</p>`;
}

export function Jobs({ parameters }) {
  const { overview } = useShared();
  const now = useNow();
  const [bulk, setBulk] = useState(null);
  const [marked, mark] = useState(-1);
  const queues = overview?.queues || [];
  const chosen = parameters.queue || (queues.find((q) => q.queued + q.running + q.dead + q.deferred > 0) || queues[0])?.name;
  const all = { ...parameters, queue: chosen };
  const filter = filterOf(parameters);
  const { data, failure, reload } = useLoaded(
    (signal) => (chosen ? get("jobs", { queue: chosen, ...filter, from: parameters.from, limit: 50 }, signal) : null),
    [chosen, JSON.stringify(filter), parameters.from],
    parameters.from ? 0 : refreshInterval,
  );
  const rows = useRef([]);
  rows.current = data?.jobs || [];
  useEffect(() => {
    const pressed = (event) => {
      const step = { j: 1, k: -1 }[event.detail];
      if (step) mark((at) => Math.max(0, Math.min(rows.current.length - 1, at + step)));
      if (event.detail === "Enter")
        mark((at) => {
          const job = rows.current[at];
          if (job) go("job", { queue: job.queue, id: job.id });
          return at;
        });
      if (event.detail === "r") reload();
    };
    window.addEventListener("quarq-key", pressed);
    return () => window.removeEventListener("quarq-key", pressed);
  }, []);
  if (!overview) return html`<p class="quiet">Asking the broker …</p>`;
  if (!chosen) return html`<h1>Jobs</h1><${Empty} title="There are no queues yet." />`;
  const closed = (changed) => {
    setBulk(null);
    if (changed) reload();
  };
  return html`<h1>Jobs</h1>
    <${Tabs} parameters=${all} queue=${queues.find((q) => q.name === chosen)} />
    <${Filter} parameters=${all} queues=${queues.some((q) => q.name === chosen) ? queues : [...queues, { name: chosen }]} />
    <${Failure} of=${failure} />
    <div class="list-head"><${Progress} page=${data} />
      ${isOperator() && html`<div class="list-actions">${possible(filter).map(
        (name) => html`<button class=${name === "requeue" ? "" : "danger-quiet"} onClick=${() => setBulk(name)}>${verbs[name].button} …</button>`,
      )}</div>`}</div>
    ${data && (data.jobs.length
      ? html`<${JobTable} jobs=${data.jobs} now=${now} marked=${marked} />`
      : html`<${Empty} title=${data.next ? "None of those that were looked at match." : "No job matches."}>
          ${data.next ? "The search goes on behind them." : "Ended jobs are kept only as long as their results are asked to be."}<//>`)}
    <div class="pager">
      ${parameters.from && html`<a class="button" href=${link("jobs", { ...all, from: "" })}>First page</a>`}
      ${data?.next && html`<a class="button" href=${link("jobs", { ...all, from: data.next })}>${data.jobs.length ? "Next page" : "Search on"}</a>`}
    </div>
    ${bulk && html`<${Bulk} queue=${chosen} filter=${filter} action=${bulk} onClose=${closed} />`}`;
}
