// Attempts of any period, and how long those of a family take.

import { get, path } from "../api/client";
import { HISTORY_LAG, useLoaded } from "../api/load";
import {
  OUTCOMES, type Attempt, type AttemptPage, type Durations, type FamilyHistory, type Period,
} from "../api/types";
import { AttemptTable, dayOf, DurationFacts } from "../parts/attempts";
import { Panel, Shown } from "../parts/frame";
import { outcomeLook, OutcomeMark } from "../parts/outcome";
import { plain } from "../parts/text";
import { span } from "../parts/time";
import { go, href } from "../route";

const FILTERS = ["task", "family", "worker", "outcome", "since", "until"];

export function HistoryPage({ query }: { query: URLSearchParams }) {
  const asked = new URLSearchParams();
  for (const [name, value] of query) if ((FILTERS.includes(name) || name === "after") && value !== "") asked.append(name, value);
  asked.set("limit", "100");
  const attempts = useLoaded(`history ${asked}`, (signal) => get<AttemptPage>("attempts", asked, signal), (change) => change.kind === "counts" && !asked.has("after"), HISTORY_LAG);
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
      <PeriodChart family={family ?? ""} />
      {family ? <FamilyDurations family={family} /> : <FamilyTable />}
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

/** How families fared in the last month, those that take most of the time first. */
function FamilyTable() {
  const families = useLoaded("family histories", (signal) => get<{ items: FamilyHistory[] }>("history/families", {}, signal));
  const secs = (value: number | null) => (value === null ? "–" : span(value));
  return (
    <Panel title="Families, of the last 30 days">
      <Shown of={families}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="muted">No attempt has ended yet.</p>
          ) : (
            <div class="scroll" tabIndex={0} role="region" aria-label="Families">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Family</th>
                    <th scope="col">Done</th>
                    <th scope="col">Failed</th>
                    <th scope="col">Median</th>
                    <th scope="col">95 of 100</th>
                    <th scope="col">Longest</th>
                    <th scope="col">Altogether</th>
                  </tr>
                </thead>
                <tbody>
                  {[...items]
                    .sort((one, other) => other.durations.total - one.durations.total)
                    .slice(0, 200)
                    .map(({ family, outcomes, durations }) => (
                      <tr key={family}>
                        <td class="name">
                          <a href={href("history", "", { family })}>{plain(family.slice(0, 100)) || "(no name)"}</a>
                        </td>
                        <td class="number">{(outcomes.done ?? 0).toLocaleString()}</td>
                        <td class="number">{((outcomes.failed ?? 0) + (outcomes.lost ?? 0) + (outcomes.timed_out ?? 0)).toLocaleString()}</td>
                        <td class="number">{secs(durations.median)}</td>
                        <td class="number">{secs(durations.p95)}</td>
                        <td class="number">{secs(durations.max)}</td>
                        <td class="number">{span(durations.total)}</td>
                      </tr>
                    ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Shown>
    </Panel>
  );
}

const WIDTH = 800;
const HEIGHT = 100;

/** How many attempts ended on each day, and how. */
function PeriodChart({ family }: { family: string }) {
  const periods = useLoaded(`history counts ${family}`, (signal) => get<{ items: Period[] }>("history/counts", { family, days: 60 }, signal));
  const items = periods.data?.items ?? [];
  if (items.length === 0) return null;
  const sum = (period: Period) => OUTCOMES.reduce((all, outcome) => all + (period.outcomes[outcome] ?? 0), 0);
  const most = Math.max(1, ...items.map(sum));
  const width = WIDTH / items.length;
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`Attempts by day, at most ${most}`}>
        {items.map((period, index) => {
          let below = 0;
          return (
            <g key={period.began}>
              <title>{`${dayOf(period.began)}: ${OUTCOMES.filter((one) => period.outcomes[one]).map((one) => `${period.outcomes[one]} ${outcomeLook(one).word}`).join(", ")}`}</title>
              {OUTCOMES.map((outcome) => {
                const height = ((period.outcomes[outcome] ?? 0) / most) * HEIGHT;
                below += height;
                return <rect key={outcome} class={`area ${outcomeLook(outcome).colour}`} x={index * width} width={Math.max(1, width - 1)} y={HEIGHT - below} height={height} />;
              })}
            </g>
          );
        })}
      </svg>
      <figcaption>attempts that ended, by day, at most {most.toLocaleString()}</figcaption>
    </figure>
  );
}
