// The frame around the pages: where to go, how the broker is, and the keys.
import { html, render, useEffect, useState } from "./html.js";
import { begin, useShared } from "./api.js";
import { go, link, useRoute } from "./route.js";
import { Dialog, Failure, Messages, Notice } from "./ui.js";
import { Overview } from "./overview.js";
import { Queues } from "./queues.js";
import { Jobs } from "./jobs.js";
import { Job } from "./job.js";
import { Audit, Crons, Errors, Workers } from "./others.js";

const pages = {
  overview: { label: "Overview", key: "o", show: Overview },
  queues: { label: "Queues", key: "q", show: Queues },
  jobs: { label: "Jobs", key: "j", show: Jobs },
  errors: { label: "Errors", key: "e", show: Errors },
  workers: { label: "Workers", key: "w", show: Workers },
  crons: { label: "Cron", key: "c", show: Crons },
  audit: { label: "Changes", key: "h", show: Audit },
};

const keys = [
  ["g then o q j e w c h", "go to overview, queues, jobs, errors, workers, cron, changes"],
  ["/", "to the filter"],
  ["j k", "next, previous job"],
  ["Enter", "open the marked job"],
  ["r", "load again"],
  ["t", "light, dark or the system's theme"],
  ["Esc", "close"],
  ["?", "this sheet"],
];

function nextTheme() {
  const root = document.documentElement;
  const next = { undefined: "light", light: "dark", dark: "" }[root.dataset.theme];
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  try {
    if (next) localStorage.setItem("quarq-theme", next);
    else localStorage.removeItem("quarq-theme");
  } catch {
    // It stays for as long as the page.
  }
  window.dispatchEvent(new Event("quarq-theme"));
}

function useKeys(showHelp) {
  useEffect(() => {
    let afterG = 0;
    const pressed = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const where = event.target.tagName;
      if (event.key === "Escape") event.target.blur?.();
      if (["INPUT", "SELECT", "TEXTAREA"].includes(where) || document.querySelector("dialog[open]")) return;
      if (event.key === "Enter" && ["A", "BUTTON"].includes(where)) return;
      const goes = Date.now() - afterG < 1500;
      afterG = event.key === "g" ? Date.now() : 0;
      const target = goes && Object.entries(pages).find(([, page]) => page.key === event.key);
      if (target) {
        go(target[0]);
      } else if (event.key === "?") {
        showHelp(true);
      } else if (event.key === "t") {
        nextTheme();
      } else if (event.key === "/") {
        event.preventDefault();
        /** @type {HTMLElement | null} */ (document.querySelector(".filter input"))?.focus();
      } else {
        window.dispatchEvent(new CustomEvent("quarq-key", { detail: event.key }));
      }
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

const Help = ({ onClose }) => html`<${Dialog} title="Keys" onClose=${onClose}>
  <dl class="facts">${keys.map(([key, what]) => html`<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`)}</dl>
  <div class="dialog-buttons"><button autofocus onClick=${onClose}>Close</button></div><//>`;

function Broker() {
  const { session, overview, connected } = useShared();
  const isGood = connected && !overview?.trouble;
  return html`<div class="broker"><span class=${`light ${isGood ? "light-good" : "light-bad"}`}></span>
    <span><strong>${isGood ? "live" : connected ? "no broker" : "not connected"}</strong>
    ${session && html`<br /><span class="quiet" title=${session.broker}>${session.broker}</span><br />
      <span class="quiet">${session.user ? session.user + ", " : ""}${session.role} · ${session.version}</span>`}</span></div>`;
}

function App() {
  const { overview, session, failure } = useShared();
  const { page, parameters } = useRoute();
  const [help, showHelp] = useState(false);
  useKeys(showHelp);
  const current = page === "job" ? "jobs" : page;
  const Show = page === "job" ? Job : (pages[page] || pages.overview).show;
  useEffect(() => {
    const label = page === "job" ? "Job" : (pages[page] || pages.overview).label;
    document.title = `${label} · quarq`;
  }, [page]);
  return html`
    <a class="skip" href="#content" onClick=${(e) => { e.preventDefault(); document.getElementById("content").focus(); }}>To the content</a>
    <header class="side">
      <a class="brand" href=${link("overview")}><svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" /><circle cx="15" cy="15" r="7.5" /><path d="M18 18l6.5 6.5" /></svg>quarq</a>
      <nav aria-label="Pages">${Object.entries(pages).map(
        ([name, one]) => html`<a href=${link(name)} class=${name === current ? "chosen" : ""} aria-current=${name === current ? "page" : undefined}>${one.label}</a>`,
      )}</nav>
      <div class="side-end"><${Broker} />
        <div class="side-buttons"><button class="plain" onClick=${nextTheme} aria-label="Change the theme">Theme</button>
        <button class="plain" onClick=${() => showHelp(true)} aria-label="Keys">Keys <kbd>?</kbd></button></div></div>
    </header>
    <main id="content" tabindex="-1">
      ${!session && failure && html`<${Failure} of=${failure} />`}
      ${overview?.trouble && html`<${Notice} kind="error">The broker does not answer: ${overview.trouble}<//>`}
      ${session && html`<${Show} key=${page} parameters=${parameters} />`}
    </main>
    ${help && html`<${Help} onClose=${() => showHelp(false)} />`}
    <${Messages} />`;
}

const root = document.getElementById("app");
root.textContent = "";
render(html`<${App} />`, root);
begin();
