// Time series. The library is loaded when the first plot is shown.
import { html, useEffect, useRef } from "./html.js";

let library = null;

function loaded() {
  library ||= new Promise((resolve, reject) => {
    const base = new URL(".", import.meta.url).href;
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = base + "uPlot.min.css";
    const script = document.createElement("script");
    script.src = base + "uPlot.iife.min.js";
    script.onload = () => resolve(window.uPlot);
    script.onerror = () => reject(new Error("the plots could not be loaded"));
    document.head.append(style, script);
  });
  return library;
}

// As a canvas takes it, which knows neither variables nor themes. `share`: in percent, of a colour that lets others through.
function colour(name, share = 100) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `color-mix(in srgb, var(--${name}) ${share}%, transparent)`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const two = (number) => String(number).padStart(2, "0");
const minutes = (at) => `${two(new Date(at * 1000).getHours())}:${two(new Date(at * 1000).getMinutes())}`;

// As exact as steps of so many seconds need it.
function moment(at, step) {
  const time = new Date(at * 1000);
  if (step < 60) return `${minutes(at)}:${two(time.getSeconds())}`;
  return step < 10800 ? minutes(at) : `${two(time.getMonth() + 1)}-${two(time.getDate())} ${minutes(at)}`;
}

// Not less than a minute: the first samples would fill the whole width.
function timeRange(_, low, high) {
  const end = high ?? Date.now() / 1000;
  return [Math.min(low ?? end, end - 60), end];
}

function optionsFor(series, { width, format }) {
  const axis = {
    stroke: colour("quiet"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  return {
    width,
    height: 190,
    padding: [12, 8, 0, 0],
    cursor: { points: { size: 6 }, y: false },
    legend: { live: true },
    scales: { x: { range: timeRange }, y: { range: (_, low, high) => [0, (high || 1) * 1.1] } },
    axes: [{ ...axis, space: 70, values: (_, all, __, ___, step) => all.map((at) => moment(at, step)) }, { ...axis, size: 58, values: (_, all) => all.map((v) => (v === null ? "" : format(v))) }],
    series: [
      { label: "at", value: (_, at) => (at ? minutes(at) : "–") },
      ...series.map((one) => ({
        label: one.label,
        stroke: colour(one.colour),
        width: 2,
        fill: one.fill ? colour(one.colour, 13) : undefined,
        points: { show: false },
        value: (_, v) => (v === null || v === undefined ? "–" : format(v)),
      })),
    ],
  };
}

/** `data`: [times in s, values of each series...]; `series`: {label, colour, fill}. `format` makes text of a value. */
export function Plot({ title, note, data, series, format = String }) {
  const place = useRef(null);
  const plot = useRef(null);
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    let ended = false;
    const make = (uPlot) => {
      if (ended || !place.current) return;
      plot.current?.destroy();
      plot.current = new uPlot(optionsFor(series, { width: place.current.clientWidth, format }), latest.current, place.current);
    };
    loaded().then(make, () => {});
    const fit = new ResizeObserver(() => {
      if (plot.current && place.current) plot.current.setSize({ width: place.current.clientWidth, height: 190 });
    });
    fit.observe(place.current);
    const recolour = () => window.uPlot && make(window.uPlot);
    window.addEventListener("quarq-theme", recolour);
    return () => {
      ended = true;
      fit.disconnect();
      window.removeEventListener("quarq-theme", recolour);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [series.map((one) => one.label).join()]);
  useEffect(() => plot.current?.setData(data), [data]);
  return html`<figure class="plot"><figcaption><strong>${title}</strong>${note && html` <span class="quiet">${note}</span>`}</figcaption>
    <div class="canvas" ref=${place} role="img" aria-label=${title}></div></figure>`;
}
