// Where one is: the part of the address behind `#`. It holds the page and all of its filters, so that an
// address can be shared and reloaded; and since it never reaches a server, the page works behind any proxy
// and under any path.

import { useEffect, useState } from "preact/hooks";

export interface Route {
  /** The name of the page, such as `tasks`. */
  page: string;
  /** What is shown there, such as the id of a task. */
  subject: string;
  query: URLSearchParams;
}

/** What a query is made of: a list stands for several values of one name. */
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export function parse(hash: string): Route {
  const text = hash.replace(/^#\/?/, "");
  const old = fromVisualiser(text);
  if (old) return old;
  const at = text.indexOf("?");
  const path = at < 0 ? text : text.slice(0, at);
  const [page = "", ...rest] = path.split("/");
  return {
    page: page || "overview",
    subject: decoded(rest.join("/")),
    query: new URLSearchParams(at < 0 ? "" : text.slice(at + 1)),
  };
}

/** Addresses of Luigi's visualiser, such as `#tab=graph&taskId=Total__99914b932b`. Ours begin with `#/`. */
function fromVisualiser(text: string): Route | undefined {
  if (!/^\w+=/.test(text)) return undefined;
  const old = new URLSearchParams(text);
  const query = new URLSearchParams();
  const tab = old.get("tab") ?? "tasks";
  if (tab === "graph") {
    if (old.get("invert") === "1") query.set("direction", "down");
    if (old.get("hideDone") === "1") query.set("hide_done", "true");
    return { page: "graph", subject: old.get("taskId") ?? "", query };
  }
  if (tab === "workers") return { page: "workers", subject: "", query };
  if (tab === "resource" || tab === "resources") {
    const [name, ...more] = listed(old.get("resources"));
    return { page: "resources", subject: name && more.length === 0 ? name : "", query };
  }
  for (const category of listed(old.get("statuses"))) {
    if (!category.startsWith("UPSTREAM_")) query.append("status", category);
    else if (!query.has("status")) query.append("upstream_status", category);
  }
  const family = old.get("family");
  if (family) query.append("family", family);
  const search = old.get("search__search");
  if (search) query.set("search", search);
  const [column, way] = (old.get("order") ?? "").split(",");
  const by = COLUMNS[Number(column)];
  if (by) query.set("sort", way === "desc" ? `-${by}` : by);
  return { page: "tasks", subject: "", query };
}

/** By what the columns of the visualiser's table are sorted. */
const COLUMNS: Record<number, string> = { 0: "status", 1: "family", 3: "priority", 4: "updated" };

/** A list of texts in JSON, as the visualiser kept it. */
function listed(text: string | null): string[] {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function asQuery(query: Query): URLSearchParams {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === "" || value === false) continue;
    if (typeof value === "object") for (const one of value) made.append(name, one);
    else made.set(name, String(value));
  }
  return made;
}

/** The address of a page, for links. */
export function href(page: string, subject = "", query: Query | URLSearchParams = {}): string {
  const made = query instanceof URLSearchParams ? query : asQuery(query);
  const text = made.toString();
  const path = subject ? `${page}/${encodeURIComponent(subject)}` : page;
  return `#/${path}${text ? `?${text}` : ""}`;
}

/** Goes there. What is typed into a filter replaces the address, lest "back" goes letter by letter. */
export function go(to: string, how: "push" | "replace" = "push"): void {
  if (to === location.hash) return;
  if (how === "push") {
    location.hash = to;
  } else {
    history.replaceState(null, "", to);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parse(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parse(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
