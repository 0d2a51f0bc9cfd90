// Small parts that all pages are made of.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { serverNow } from "./api.js";
import { absolute, compact, count, layOut, relative } from "./format.js";

/** A clock for what is relative; it stands while the page can't be seen. */
export function useNow(interval = 1000) {
  const [now, set] = useState(serverNow());
  useEffect(() => {
    const timer = setInterval(() => document.hidden || set(serverNow()), interval);
    return () => clearInterval(timer);
  }, [interval]);
  return now;
}

export function Time({ at, now }) {
  if (at === null || at === undefined) return html`<span class="none">–</span>`;
  return html`<time datetime=${new Date(at).toISOString()} title=${absolute(at)}>${relative(at, now)}</time>`;
}

export const State = ({ name }) => html`<span class="state state-${name}">${name}</span>`;

export const Number = ({ value, loud }) =>
  html`<span class=${value ? (loud ? "loud" : "") : "none"} title=${count(value)}>${compact(value)}</span>`;

export function Json({ text, width }) {
  return html`<code class="json">${layOut(text, width).map((p) => html`<span class="json-${p.kind}">${p.text}</span>`)}</code>`;
}

export function Notice({ kind = "info", children }) {
  return html`<div class="notice notice-${kind}" role=${kind === "error" ? "alert" : "status"}>${children}</div>`;
}

export function Failure({ of }) {
  return of ? html`<${Notice} kind="error">${of.message}<//>` : null;
}

export function Empty({ title, children }) {
  return html`<div class="empty"><strong>${title}</strong>${children && html`<p>${children}</p>`}</div>`;
}

/** Copies also where pages over plain HTTP have no clipboard. */
export function Copy({ text, what }) {
  const [done, set] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    set(true);
    setTimeout(() => set(false), 1500);
  };
  return html`<button class="copy" onClick=${copy} aria-label=${`Copy ${what}`}>${done ? "copied" : "copy"}</button>`;
}

/** A modal dialog; Escape and the cancel button close it. */
export function Dialog({ title, onClose, children }) {
  const element = useRef(null);
  useLayoutEffect(() => {
    element.current.showModal();
  }, []);
  return html`<dialog ref=${element} aria-label=${title} onClose=${onClose} onCancel=${onClose}
    onClick=${(event) => event.target === element.current && onClose()}>
    <div class="dialog"><h2>${title}</h2>${children}</div>
  </dialog>`;
}

// ---- messages that go by themselves

/** @type {(message: { text: string, kind: string, key: number }) => void} */
let show = () => {};
export const say = (text, kind = "info") => show({ text, kind, key: Date.now() });

export function Messages() {
  const [message, set] = useState(null);
  useEffect(() => {
    show = set;
  }, []);
  useEffect(() => {
    if (!message) return undefined;
    const timer = setTimeout(() => set(null), message.kind === "error" ? 10000 : 4000);
    return () => clearTimeout(timer);
  }, [message?.key]);
  return html`<div class="messages" role="status" aria-live="polite">
    ${message && html`<div class="message message-${message.kind}">${message.text}</div>`}
  </div>`;
}

/**
 * Runs what a button does: shows that it is under way, and what came of it.
 * @returns {[boolean, (act: () => Promise<any>, after?: (done: any) => void) => Promise<void>]}
 */
export function useAction() {
  const [busy, set] = useState(false);
  const run = async (act, after) => {
    set(true);
    try {
      const done = await act();
      if (after) after(done);
    } catch (failure) {
      say(failure.message, "error");
    } finally {
      set(false);
    }
  };
  return [busy, run];
}
