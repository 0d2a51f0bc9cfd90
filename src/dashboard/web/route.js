// Every state of a page is in its URL, behind the #: no server has to know the pages' paths.
import { useEffect, useState } from "./html.js";
import { queryText } from "./api.js";

function parse(hash) {
  const text = hash.replace(/^#\/?/, "");
  const [path, query = ""] = text.split("?");
  return { page: path || "overview", parameters: Object.fromEntries(new URLSearchParams(query)) };
}

export function link(page, parameters = {}) {
  const query = queryText(parameters);
  return `#/${page === "overview" ? "" : page}${query ? "?" + query : ""}`;
}

export function go(page, parameters = {}, { replace = false } = {}) {
  const target = link(page, parameters);
  if (replace) {
    history.replaceState(null, "", target);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = target;
  }
}

export function useRoute() {
  const [route, set] = useState(() => parse(location.hash));
  useEffect(() => {
    const changed = () => set(parse(location.hash));
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}
