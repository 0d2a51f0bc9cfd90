// One job: what it is, what has happened to it, and what can be done.
import { html, useEffect, useLayoutEffect, useRef } from "./html.js";
import { get, isOperator, post, useEvents, useLoaded } from "./api.js";
import { absolute, clockTime, count, duration, plural, relative } from "./format.js";
import { link } from "./route.js";
import { Copy, Failure, Json, say, State, useAction, useNow } from "./ui.js";

const refreshInterval = 10000; // should the stream of events be cut off
const isOpen = (job) => ["queued", "deferred", "running"].includes(job.state);

function Actions({ job, reload }) {
  const [busy, run] = useAction();
  const act = (action) =>
    run(
      () => post("job", { queue: job.queue, id: job.id, action }),
      (done) => {
        say(`Job ${job.id}: ${done.outcome}.`);
        reload();
      },
    );
  if (!isOperator()) return null;
  return html`<div class="list-actions">
    ${isOpen(job) && html`<button class="danger-quiet" disabled=${busy} onClick=${() => act("cancel")}>Cancel</button>`}
    ${job.state === "dead" && html`<button disabled=${busy} onClick=${() => act("requeue")}>Requeue</button>`}
  </div>`;
}

/** What happened when, as far as the broker still knows. */
function eventsOf(job) {
  const events = [];
  const add = (at, text, kind, detail, until) => at && events.push({ at, text, kind, detail, until });
  add(job.enqueued, "enqueued", "queued", `priority ${job.priority}`);
  const last = job.history.length ? job.history[job.history.length - 1] : null;
  for (const one of job.history) {
    const failed = one.error_type || one.error;
    const took = one.started && one.finished ? `took ${duration(one.finished - one.started)}` : "";
    const kind = !failed ? "succeeded" : one === last && !isOpen(job) ? job.state : "failed";
    const text = !failed ? "succeeded" : kind === "failed" ? "failed" : job.state;
    add(one.finished, `attempt ${one.number} ${text}`, kind, [took, one.worker && `on ${one.worker}`, failed && `${one.error_type}: ${one.error}`].filter(Boolean).join(" · "));
  }
  if (!job.history.length) {
    add(job.started, `attempt ${job.attempts} started`, "running", job.worker && `on ${job.worker}`);
    const took = job.started && job.finished ? `took ${duration(job.finished - job.started)}` : "";
    add(job.finished, isOpen(job) ? "last attempt failed" : job.state, isOpen(job) ? "failed" : job.state, took);
  }
  if (job.state === "running") add(Date.now(), `attempt ${job.attempts} runs`, "running", job.worker && `on ${job.worker}`);
  if (isOpen(job)) add(job.due, "due", "deferred");
  if (isOpen(job)) add(job.expires, "expires if it has not started", "expired");
  return events.sort((a, b) => a.at - b.at);
}

function Timeline({ job, now }) {
  const events = eventsOf(job);
  let before = null;
  return html`<ol class="timeline">${events.map((one) => {
    const pause = before && one.at - before >= 1000 ? `+${duration(one.at - before)}` : "";
    before = one.at;
    return html`<li class="event event-${one.kind}"><div><strong>${one.text}</strong>
      <time datetime=${new Date(one.at).toISOString()} title=${relative(one.at, now)}>${absolute(one.at)}</time>
      <span class="quiet">${pause}</span></div>${one.detail && html`<p class="error-text">${one.detail}</p>`}</li>`;
  })}</ol>`;
}

function Facts({ job, now }) {
  const row = (name, value) => value !== "" && value !== null && value !== undefined && html`<dt>${name}</dt><dd>${value}</dd>`;
  const time = (at) => at && html`${absolute(at)} <span class="quiet">${relative(at, now)}</span>`;
  return html`<dl class="facts">
    ${row("Id", html`<code>${job.id}</code> <${Copy} text=${job.id} what="the id" />`)}
    ${row("Queue", html`<a href=${link("jobs", { queue: job.queue })}>${job.queue}</a>`)}
    ${row("Task", html`<a href=${link("jobs", { queue: job.queue, task: job.task })}>${job.task}</a>`)}
    ${row("Attempts", job.losses ? `${job.attempts}, and lost with its worker ${job.losses} times` : job.attempts)}
    ${row("Priority", job.priority)}
    ${job.worker && row(isOpen(job) ? "Runs on" : "Ran on", job.worker)}
    ${job.waits_for && row("Waits for", html`<a href=${link("job", { queue: job.queue, id: job.waits_for.split(" ")[0] })}>${job.waits_for}</a>`)}
    ${job.tags.length > 0 && row("Tags", job.tags.map((tag) => html`<span class="chip">${tag}</span>`))}
    ${job.version > 0 && row("Version", job.version)}
    ${job.headers.map((one) => row(one.name, html`<code>${one.value}</code>`))}
    ${row("Enqueued", time(job.enqueued))}${isOpen(job) && row("Due", time(job.due))}${isOpen(job) && row("Expires", time(job.expires))}
    ${row("Started", time(job.started))}${row(isOpen(job) ? "Failed" : "Ended", time(job.finished))}
    ${job.started && job.finished && row("Took", duration(job.finished - job.started))}
  </dl>`;
}

function Payload({ title, text }) {
  if (!text) return null;
  return html`<section><h2>${title} <${Copy} text=${text} what=${title.toLowerCase()} /></h2><pre class="payload"><${Json} text=${text} /></pre></section>`;
}

function Progress({ of: { done, total } }) {
  if (!total) return html`<section><h2>Progress</h2><p>${count(done)} done</p></section>`;
  const share = Math.min(100, Math.floor((done / total) * 100));
  return html`<section><h2>Progress</h2><p class="progress">
    <progress max="100" value=${share} aria-label="progress"></progress>
    <span>${count(done)} of ${count(total)}, ${share} %</span></p></section>`;
}

/** It stays at its end while new lines come, unless the reader has scrolled up. */
function Log({ job }) {
  const list = useRef(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (list.current && atEnd.current) list.current.scrollTop = list.current.scrollHeight;
  });
  const scrolled = ({ target }) => (atEnd.current = target.scrollHeight - target.scrollTop - target.clientHeight < 4);
  if (!job.log.length && !job.log_lines_cut) return null;
  const several = job.log.some((line) => line.attempt !== job.log[0].attempt);
  return html`<section><h2>Log <${Copy} text=${job.log.map((line) => line.text).join("\n")} what="the log" /></h2>
    ${job.log_lines_cut > 0 && html`<p class="quiet">${plural(job.log_lines_cut, "older line")} not kept.</p>`}
    <ol class="log" ref=${list} onScroll=${scrolled} tabindex="0" aria-label="Log">${job.log.map(
      (line) => html`<li><time datetime=${new Date(line.at).toISOString()} title=${absolute(line.at)}>${clockTime(line.at)}</time>
        ${several && html`<span class="quiet">attempt ${line.attempt}</span>`}<code>${line.text}</code></li>`,
    )}</ol></section>`;
}

export function Job({ parameters }) {
  const { queue, id } = parameters;
  const now = useNow();
  const { data: job, failure, reload, put } = useLoaded((signal) => get("job", { queue, id }, signal), [queue, id], refreshInterval);
  useEvents(`api/events?queue=${encodeURIComponent(queue)}&id=${encodeURIComponent(id)}`, "job", put);
  useEffect(() => {
    const pressed = (event) => event.detail === "r" && reload();
    window.addEventListener("quarq-key", pressed);
    return () => window.removeEventListener("quarq-key", pressed);
  }, []);
  if (!job) {
    return html`<h1>Job</h1><${Failure} of=${failure} />${failure && html`<p><a href=${link("jobs", { queue })}>Jobs of queue ${queue}</a></p>`}`;
  }
  return html`
    <p class="crumbs"><a href=${link("jobs", { queue })}>Jobs of ${queue}</a> / <a href=${link("jobs", { queue, state: job.state })}>${job.state}</a></p>
    <div class="list-head"><h1 class="job-title"><${State} name=${job.state} /> ${job.task || "unreadable"}</h1><${Actions} job=${job} reload=${reload} /></div>
    ${failure && html`<${Failure} of=${failure} />`}
    <div class="columns">
      <div>
        ${(job.error_type || job.error) && html`<section><h2>${isOpen(job) ? "Last error" : "Error"} <${Copy} text=${job.error} what="the error" /></h2>
          <div class="error"><strong>${job.error_type}</strong><pre>${job.error}</pre></div></section>`}
        ${job.progress && html`<${Progress} of=${job.progress} />`}
        <${Log} job=${job} />
        <${Payload} title="Arguments" text=${job.arguments} />
        <${Payload} title="Arguments by name" text=${job.keyword_arguments} />
        <${Payload} title="Result" text=${job.result} />
        ${!job.arguments && !job.result && html`<p class="quiet">Of an ended job only its end is kept.</p>`}
      </div>
      <div>
        <section><h2>Facts</h2><${Facts} job=${job} now=${now} /></section>
        <section><h2>Timeline</h2><${Timeline} job=${job} now=${now} /></section>
      </div>
    </div>`;
}
