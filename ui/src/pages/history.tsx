// Attempts of any period, and how long those of a family take.

import { get, path } from "../api/client";
import { useLoaded } from "../api/load";
import { OUTCOMES, type Attempt, type AttemptPage, type Durations } from "../api/types";
import { AttemptTable, DurationFacts } from "../parts/attempts";
import { Panel, Shown } from "../parts/frame";
import { outcomeLook, OutcomeMark } from "../parts/outcome";
import { plain } from "../parts/text";
import { go, href } from "../route";

const FILTERS = ["task", "family", "worker", "outcome", "since", "until"];

export function HistoryPage({ query }: { query: URLSearchParams }) {
  const asked = new URLSearchParams();
  for (const [name, value] of query) if ((FILTERS.includes(name) || name === "after") && value !== "") asked.append(name, value);
  asked.set("limit", "100");
  const attempts = useLoaded(`history ${asked}`, (signal) => get<AttemptPage>("attempts", asked, signal), (change) => change.kind === "counts" && !asked.has("after"));
  const family = query.get("family");
  const change = (edit: (next: URLSearchParams) => void, how: "push" | "replace" = "push") => {
    const next = new URLSearchParams(query);
    next.delete("after");
    edit(next);
    go(href("history", "", next), how);
  };
  const outcomes = query.getAll("outcome");
  return (
    <>
      <h1>History</h1>
      <div class="filters" role="search">
        <div class="row">
          <Text name="family" label="Family" query={query} change={change} />
          <Text name="task" label="Task id" query={query} change={change} />
          <Text name="worker" label="Worker" query={query} change={change} />
          <Day name="since" label="From" query={query} change={change} />
          <Day name="until" label="Until before" query={query} change={change} />
        </div>
        <div class="row chips" role="group" aria-label="Outcomes">
          {OUTCOMES.map((outcome) => (
            <button
              key={outcome}
              type="button"
              class={`chip ${outcomeLook(outcome).colour}`}
              aria-pressed={outcomes.includes(outcome)}
              onClick={() => change((next) => {
                const rest = outcomes.filter((one) => one !== outcome);
                next.delete("outcome");
                for (const one of rest) next.append("outcome", one);
                if (rest.length === outcomes.length) next.append("outcome", outcome);
              })}
            >
              <OutcomeMark outcome={outcome} />
            </button>
          ))}
        </div>
      </div>
      {family && <FamilyDurations family={family} />}
      <Panel title="Attempts, newest first">
        <Shown of={attempts}>
          {(page) => (
            <>
              <AttemptTable items={page.items} withTask choose={(id) => openLog(page.items, id)} />
              <div class="row pager">
                {query.get("after") && <a href={href("history", "", without(query, "after"))}>Newest</a>}
                {page.next && <a href={href("history", "", within(query, "after", page.next))}>Older</a>}
              </div>
            </>
          )}
        </Shown>
      </Panel>
    </>
  );
}

type Change = (edit: (query: URLSearchParams) => void, how?: "push" | "replace") => void;

function openLog(items: Attempt[], id: string): void {
  const one = items.find((attempt) => attempt.id === id);
  if (one) go(href("task", one.task_id, { attempt: id, show: "log" }));
}

function without(query: URLSearchParams, name: string): URLSearchParams {
  const next = new URLSearchParams(query);
  next.delete(name);
  return next;
}

function within(query: URLSearchParams, name: string, value: string): URLSearchParams {
  const next = new URLSearchParams(query);
  next.set(name, value);
  return next;
}

function Text({ name, label, query, change }: { name: string; label: string; query: URLSearchParams; change: Change }) {
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label.toLowerCase()}
      value={query.get(name) ?? ""}
      onChange={(event) => {
        const value = event.currentTarget.value.trim();
        change((next) => (value ? next.set(name, value) : next.delete(name)));
      }}
    />
  );
}

/** A day, of the browser's time, kept in the address as seconds since 1970. */
function Day({ name, label, query, change }: { name: string; label: string; query: URLSearchParams; change: Change }) {
  const secs = Number(query.get(name)) || 0;
  const day = secs ? new Date(secs * 1000 - new Date(secs * 1000).getTimezoneOffset() * 60_000).toISOString().slice(0, 10) : "";
  return (
    <label>
      {label}{" "}
      <input
        type="date"
        value={day}
        onChange={(event) => {
          const value = event.currentTarget.value;
          change((next) => (value ? next.set(name, String(new Date(`${value}T00:00`).getTime() / 1000)) : next.delete(name)));
        }}
      />
    </label>
  );
}

function FamilyDurations({ family }: { family: string }) {
  const durations = useLoaded(`durations ${family}`, (signal) => get<Durations>(path("families", family, "durations"), {}, signal));
  return (
    <Panel title={`How long ${plain(family.slice(0, 80))} takes`}>
      <Shown of={durations}>{(known) => <DurationFacts of={known} />}</Shown>
    </Panel>
  );
}
