// What the server says, and the state of the page that comes of it. URLs are relative, so that any prefix works.
import { useEffect, useState } from "./html.js";

/** An answer that is no success, in the server's words. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function read(response) {
  const text = await response.text();
  if (response.ok) return text ? JSON.parse(text) : null;
  let detail = text;
  try {
    detail = JSON.parse(text).detail || text;
  } catch {
    // A proxy in between answers in its own way.
  }
  throw new ApiError(response.status, detail || `the server answered ${response.status}`);
}

export function queryText(parameters) {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

export async function get(what, parameters = {}, signal) {
  const query = queryText(parameters);
  return read(await fetch(`api/${what}${query ? "?" + query : ""}`, { signal, headers: { Accept: "application/json" } }));
}

export async function post(what, body) {
  return read(
    await fetch(`api/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

// ---- what all pages share

const listeners = new Set();
export const shared = {
  session: null,
  overview: null, // {queues, trouble}
  connected: false,
  samples: [], // of the overview, while this page has been open: {at, queued, running, deferred, dead, done, rate}
  offset: 0, // of the broker's side clock to this one, in ms
};

function tellAll() {
  for (const one of listeners) one();
}

export function useShared() {
  const [, again] = useState(0);
  useEffect(() => {
    const one = () => again((n) => n + 1);
    listeners.add(one);
    return () => listeners.delete(one);
  }, []);
  return shared;
}

export const serverNow = () => Date.now() + shared.offset;

export const isOperator = () => shared.session?.role === "operator";

const maxSamples = 900;

// A rate over some seconds: workers say how much they have done each second or two.
const rateSpan = 8;

function rateOf(at, done) {
  const before = shared.samples.findLast((s) => at - s.at >= rateSpan) || shared.samples[0];
  return before && at - before.at >= 2 ? Math.max(0, (done - before.done) / (at - before.at)) : null;
}

function addSample({ queues, done }) {
  const at = Date.now() / 1000;
  const sum = (name) => queues.reduce((all, one) => all + one[name], 0);
  shared.samples.push({
    at,
    done,
    rate: rateOf(at, done),
    queued: sum("queued"),
    running: sum("running"),
    deferred: sum("deferred"),
    dead: sum("dead"),
  });
  if (shared.samples.length > maxSamples) shared.samples.shift();
}

function take(overview) {
  shared.overview = overview;
  shared.connected = true;
  if (!overview.trouble) addSample(overview);
  tellAll();
}

let source = null;
let again = null;

function listen() {
  if (source || document.hidden) return;
  source = new EventSource("api/events");
  source.addEventListener("overview", (event) => take(JSON.parse(event.data)));
  source.onerror = () => {
    shared.connected = false;
    tellAll();
    // The browser gives up after an answer that is no stream, such as a proxy's while the server restarts.
    if (source && source.readyState === EventSource.CLOSED) {
      stop();
      again = setTimeout(listen, 3000);
    }
  };
}

function stop() {
  clearTimeout(again);
  source?.close();
  source = null;
}

export async function begin() {
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
  listen();
  while (!shared.session) {
    try {
      const asked = Date.now();
      shared.session = await get("session");
      shared.offset = shared.session.now - (asked + Date.now()) / 2;
    } catch (failure) {
      shared.failure = failure;
      tellAll();
      await new Promise((resolve) => setTimeout(resolve, 3000));
    }
  }
  tellAll();
}

/**
 * What `load(signal)` returns, loaded anew when one of `inputs` changes, and every `interval` ms while the page can be
 * seen; 0: not again.
 */
export function useLoaded(load, inputs, interval = 0) {
  const [state, set] = useState({ data: null, failure: null, loading: true });
  const [round, reload] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    let timer = null;
    set((old) => ({ ...old, loading: true }));
    const once = async () => {
      if (!document.hidden) {
        try {
          const data = await load(abort.signal);
          if (!abort.signal.aborted) set({ data, failure: null, loading: false });
        } catch (failure) {
          if (!abort.signal.aborted) set((old) => ({ data: old.data, failure, loading: false }));
        }
      }
      if (interval && !abort.signal.aborted) timer = setTimeout(once, interval);
    };
    once();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [...inputs, round]);
  const put = (data) => set({ data, failure: null, loading: false });
  return { ...state, reload: () => reload((n) => n + 1), put };
}

/** Calls `take` with the data of each event of this type that the server sends at `path`, while the page can be seen. */
export function useEvents(path, type, take) {
  useEffect(() => {
    let stream = null;
    const turn = () => {
      if (!document.hidden && !stream) {
        stream = new EventSource(path);
        stream.addEventListener(type, (event) => take(JSON.parse(event.data)));
      } else if (document.hidden) {
        stream?.close();
        stream = null;
      }
    };
    document.addEventListener("visibilitychange", turn);
    turn();
    return () => {
      document.removeEventListener("visibilitychange", turn);
      stream?.close();
    };
  }, [path]);
}
