// Which tasks the list shows: words, parameters, workers, resources, statuses and times. All of it is in the
// address; this only edits that.

import { useRef, useState } from "preact/hooks";
import { type Counts, TaskStatus, UpstreamStatus } from "../api/schema";
import { useFocusKept } from "../focus";
import { useSettled } from "./settled";
import { LOOKS, StatusMark, UPSTREAM_WORDS } from "./status";
import { shortWorker } from "./task-table";
import { plain } from "./text";
import { serverNow } from "./time";

/** What of the address says which tasks; the rest says in which order, and which page. */
export const FILTERS = ["status", "upstream_status", "family", "namespace", "param", "worker", "resource", "search", "updated_since", "updated_until", "started_since", "started_until"];
/** Those of them that may have several values, of which each can be taken out. */
const LISTED = ["family", "namespace", "param", "worker", "resource"];
/** Those that a line of input adds. */
const ADDED = [["param", "parameter", "name=value"], ["worker", "worker", "id"], ["resource", "resource", "name"], ["family", "family", "name"], ["namespace", "namespace", "name"]] as const;

export type Change = (edit: (query: URLSearchParams) => void, how?: "push" | "replace") => void;

interface Wanted {
  query: URLSearchParams;
  counts: Counts | undefined;
  change: Change;
}

/** Puts a value of a filter in, or takes it out. */
export function turn(query: URLSearchParams, name: string, value: string): void {
  const values = query.getAll(name);
  query.delete(name);
  const isIn = values.includes(value);
  for (const other of values) if (other !== value) query.append(name, other);
  if (!isIn) query.append(name, value);
}

export function TaskFilters({ query, counts, change }: Wanted) {
  const upstream = query.getAll("upstream_status");
  const place = useRef<HTMLDivElement>(null);
  // A filter that is taken out takes its button with it.
  useFocusKept(place, () => place.current?.focus());
  return (
    <div ref={place} class="filters" role="search" tabIndex={-1}>
      <div class="row">
        <input
          type="search"
          class="long"
          aria-label="Search tasks"
          placeholder="words of the name, the parameters or the id"
          value={query.get("search") ?? ""}
          onInput={(event) => {
            const words = event.currentTarget.value;
            change((next) => (words ? next.set("search", words) : next.delete("search")), "replace");
          }}
        />
        <Add change={change} />
        <Times query={query} change={change} />
      </div>
      <div class="row chips" role="group" aria-label="Statuses">
        {TaskStatus.map((status) => (
          <Chip key={status} name="status" value={status} query={query} change={change} look={LOOKS[status].colour}>
            <StatusMark status={status} /> {counts ? <b>{counts[status].toLocaleString()}</b> : ""}
          </Chip>
        ))}
      </div>
      <div class="row chips" role="group" aria-label="What they wait for">
        <span class="muted">waits for</span>
        {UpstreamStatus.map((status) => (
          <Chip key={status} name="upstream_status" value={status} query={query} change={change} look={upstream.includes(status) ? "pending" : ""}>
            {UPSTREAM_WORDS[status]}
          </Chip>
        ))}
      </div>
      <Chosen query={query} change={change} />
    </div>
  );
}

interface ChipProps {
  name: string;
  value: string;
  look: string;
  query: URLSearchParams;
  change: Change;
  children: preact.ComponentChildren;
}

function Chip({ name, value, look, query, change, children }: ChipProps) {
  const isOn = query.getAll(name).includes(value);
  return (
    <button type="button" class={`chip ${look}`} aria-pressed={isOn} onClick={() => change((next) => turn(next, name, value))}>
      {children}
    </button>
  );
}

/** Adds a filter by a parameter, a worker, a resource and so on. */
function Add({ change }: { change: Change }) {
  const [kind, setKind] = useState<string>("param");
  const hint = ADDED.find(([name]) => name === kind)?.[2] ?? "";
  const add = (event: Event) => {
    event.preventDefault();
    const input = (event.currentTarget as HTMLFormElement).elements.namedItem("value") as HTMLInputElement;
    const value = input.value.trim();
    if (value === "") return;
    if (kind === "param" && !value.includes("=")) {
      input.setCustomValidity("Write name=value, such as date=2026-11-01");
      input.reportValidity();
      return;
    }
    change((next) => {
      if (!next.getAll(kind).includes(value)) next.append(kind, value);
    });
    input.value = "";
  };
  return (
    <form class="joined" onSubmit={add}>
      <select aria-label="Filter by" value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
        {ADDED.map(([name, label]) => (
          <option key={name} value={name}>{label}</option>
        ))}
      </select>
      <input name="value" aria-label="The value to filter by, then Enter" placeholder={hint} onInput={(event) => event.currentTarget.setCustomValidity("")} />
    </form>
  );
}

/** The filters that are set, each with a way to take it out. */
function Chosen({ query, change }: { query: URLSearchParams; change: Change }) {
  const set = LISTED.flatMap((name) => query.getAll(name).map((value) => ({ name, value })));
  if (!FILTERS.some((name) => query.has(name))) return null;
  const shown = (name: string, value: string) => (name === "worker" ? shortWorker(value) : plain(value.length > 80 ? `${value.slice(0, 80)}…` : value));
  return (
    <div class="row chips">
      {set.map(({ name, value }) => (
        <button key={`${name} ${value}`} type="button" class="chip on" onClick={() => change((next) => turn(next, name, value))}>
          {name === "param" ? "" : `${name}: `}
          {shown(name, value) || "(none)"} <span aria-label="remove">×</span>
        </button>
      ))}
      <button type="button" class="link" onClick={() => change((next) => FILTERS.forEach((name) => next.delete(name)))}>
        clear all
      </button>
    </div>
  );
}

const SPANS: [string, number][] = [["10 minutes", 600], ["hour", 3600], ["day", 86_400], ["week", 604_800]];

/** When tasks changed or were started: within a while from now, or between two moments. */
function Times({ query, change }: { query: URLSearchParams; change: Change }) {
  const [kind, setKind] = useState("updated");
  const asked = ["updated", "started"].find((one) => query.has(`${one}_since`) || query.has(`${one}_until`));
  const of = asked ?? kind;
  const [since, until] = [Number(query.get(`${of}_since`)) || 0, Number(query.get(`${of}_until`)) || 0];
  const isSet = since > 0 || until > 0;
  const [open, setOpen] = useState(until > 0);
  const set = (kind: string, from: number, to: number) =>
    change((next) => {
      for (const name of ["updated_since", "updated_until", "started_since", "started_until"]) next.delete(name);
      if (from) next.set(`${kind}_since`, String(from));
      if (to) next.set(`${kind}_until`, String(to));
    });
  const choose = (value: string) => {
    setOpen(value === "between");
    if (value === "any") set(of, 0, 0);
    else if (value !== "between" && value !== "kept") set(of, Math.floor(serverNow()) - Number(value), 0);
  };
  const which = useSettled<HTMLSelectElement>(of, (value) => {
    setKind(value);
    set(value, since, until);
  });
  const when = useSettled<HTMLSelectElement>(open ? "between" : isSet ? "kept" : "any", choose);
  return (
    <span class="joined">
      <select aria-label="Which time" {...which}>
        <option value="updated">changed</option>
        <option value="started">started</option>
      </select>
      <select aria-label="When" {...when}>
        <option value="any">at any time</option>
        {SPANS.map(([name, seconds]) => (
          <option key={name} value={String(seconds)}>in the last {name}</option>
        ))}
        <option value="between">between …</option>
        {isSet && !open && <option value="kept">since {new Date(since * 1000).toLocaleString()}</option>}
      </select>
      {open && (
        <>
          <Moment label="From" at={since} choose={(at) => set(of, at, until)} />
          <Moment label="Until" at={until} choose={(at) => set(of, since, at)} />
        </>
      )}
    </span>
  );
}

/** A moment of the browser's time, kept in the address as seconds since 1970. */
export function Moment({ label, at, choose }: { label: string; at: number; choose: (at: number) => void }) {
  const local = at ? new Date(at * 1000 - new Date(at * 1000).getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : "";
  const settled = useSettled<HTMLInputElement>(local, (value) => choose(value ? new Date(value).getTime() / 1000 : 0));
  return <input type="datetime-local" aria-label={label} title={label} {...settled} />;
}
