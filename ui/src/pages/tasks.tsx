// All tasks: filtered, sorted and paged by the server; every filter is in the address.

import { useCallback, useState } from "preact/hooks";
import { get, post } from "../api/client";
import { onTasks, useLoaded } from "../api/load";
import {
  STATUSES, UPSTREAM_STATUSES, type BulkOutcome, type Counts, type Families, type TaskPage as Tasks,
} from "../api/types";
import { Ask, type Question } from "../parts/dialog";
import { Shown } from "../parts/frame";
import { LOOKS, StatusMark, UPSTREAM_WORDS } from "../parts/status";
import { TaskTable } from "../parts/task-table";
import { plain } from "../parts/text";
import { go, href } from "../route";
import { useIsOperator } from "../session";

const LIMIT = 100;
/** What of the address says which tasks; the rest says in which order, and which page. */
const FILTERS = ["status", "upstream_status", "family", "namespace", "param", "worker", "resource", "search", "updated_since", "updated_until", "started_since", "started_until"];

export function TasksPage({ query }: { query: URLSearchParams }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const sort = query.get("sort") ?? "-updated";
  const offset = Math.max(0, Number(query.get("offset")) || 0);
  const asked = new URLSearchParams();
  for (const [name, value] of query) if (FILTERS.includes(name) && value !== "") asked.append(name, value);
  const filter = asked.toString();
  asked.set("sort", sort);
  asked.set("limit", String(LIMIT));
  if (offset > 0) asked.set("offset", String(offset));
  const tasks = useLoaded(`tasks ${asked}`, (signal) => get<Tasks>("tasks", asked, signal), onTasks);

  const change = useCallback(
    (edit: (query: URLSearchParams) => void, how: "push" | "replace" = "push") => {
      const next = new URLSearchParams(query);
      next.delete("offset");
      edit(next);
      go(href("tasks", "", next), how);
    },
    [query],
  );
  const choose = (ids: string[], on: boolean) => {
    const next = new Set(chosen);
    for (const id of ids) if (on) next.add(id);
      else next.delete(id);
    setChosen(next);
  };
  const isOperator = useIsOperator();
  return (
    <>
      <h1>Tasks</h1>
      <div class="sides">
        <FamilyList query={query} change={change} />
        <div>
          <Filters query={query} counts={tasks.data?.counts} change={change} />
          <Shown of={tasks}>
            {(page) => (
              <>
                {isOperator && <Bulk page={page} chosen={chosen} filter={filter} onDone={() => { setChosen(new Set()); tasks.reload(); }} />}
                <Pager total={page.total} offset={offset} shown={page.items.length} change={change} />
                <TaskTable
                  tasks={page.items}
                  label="Tasks"
                  {...(isOperator ? { choosing: { chosen, choose } } : {})}
                  sorting={{ sort, change: (by) => change((next) => next.set("sort", by)) }}
                />
                {page.items.length > 20 && <Pager total={page.total} offset={offset} shown={page.items.length} change={change} />}
              </>
            )}
          </Shown>
        </div>
      </div>
    </>
  );
}

type Change = (edit: (query: URLSearchParams) => void, how?: "push" | "replace") => void;

/** Puts a value of a filter in, or takes it out. */
function turn(query: URLSearchParams, name: string, value: string): void {
  const values = query.getAll(name);
  query.delete(name);
  const isIn = values.includes(value);
  for (const other of values) if (other !== value) query.append(name, other);
  if (!isIn) query.append(name, value);
}

function Filters({ query, counts, change }: { query: URLSearchParams; counts: Counts | undefined; change: Change }) {
  const statuses = query.getAll("status");
  const upstream = query.getAll("upstream_status");
  const rest = ["family", "namespace", "param", "worker", "resource"].flatMap((name) => query.getAll(name).map((value) => ({ name, value })));
  const addParam = (event: Event) => {
    event.preventDefault();
    const input = (event.currentTarget as HTMLFormElement).elements.namedItem("param") as HTMLInputElement;
    const value = input.value.trim();
    if (value === "") return;
    if (!value.includes("=")) {
      input.setCustomValidity("Write name=value, such as date=2026-11-01");
      input.reportValidity();
      return;
    }
    change((next) => next.append("param", value));
    input.value = "";
  };
  return (
    <div class="filters" role="search">
      <div class="row">
        <input
          type="search"
          aria-label="Search tasks"
          placeholder="words of the name or id"
          value={query.get("search") ?? ""}
          onInput={(event) => {
            const words = event.currentTarget.value;
            change((next) => (words ? next.set("search", words) : next.delete("search")), "replace");
          }}
        />
        <form onSubmit={addParam}>
          <input
            name="param"
            aria-label="Filter by a parameter: name=value, then Enter"
            placeholder="parameter=value"
            onInput={(event) => event.currentTarget.setCustomValidity("")}
          />
        </form>
        <Since query={query} change={change} />
      </div>
      <div class="row chips" role="group" aria-label="Statuses">
        {STATUSES.map((status) => (
          <button
            key={status}
            type="button"
            class={`chip ${LOOKS[status].colour}`}
            aria-pressed={statuses.includes(status)}
            onClick={() => change((next) => turn(next, "status", status))}
          >
            <StatusMark status={status} /> {counts ? (counts[status] ?? 0).toLocaleString() : ""}
          </button>
        ))}
        {UPSTREAM_STATUSES.map((status) => (
          <button
            key={status}
            type="button"
            class="chip"
            aria-pressed={upstream.includes(status)}
            onClick={() => change((next) => turn(next, "upstream_status", status))}
          >
            {UPSTREAM_WORDS[status]}
          </button>
        ))}
      </div>
      {rest.length > 0 && (
        <div class="row chips">
          {rest.map(({ name, value }) => (
            <button key={`${name} ${value}`} type="button" class="chip" onClick={() => change((next) => turn(next, name, value))}>
              {name}: {plain(value.length > 80 ? `${value.slice(0, 80)}…` : value) || "(none)"} <span aria-label="remove">×</span>
            </button>
          ))}
          <button type="button" class="link" onClick={() => change((next) => FILTERS.forEach((name) => next.delete(name)))}>
            clear all
          </button>
        </div>
      )}
    </div>
  );
}

const SPANS: [string, number][] = [["at any time", 0], ["last 10 minutes", 600], ["last hour", 3600], ["last day", 86_400], ["last week", 604_800]];

function Since({ query, change }: { query: URLSearchParams; change: Change }) {
  const since = Number(query.get("updated_since")) || 0;
  const choose = (seconds: number) =>
    change((next) => (seconds ? next.set("updated_since", String(Math.floor(Date.now() / 1000) - seconds)) : next.delete("updated_since")));
  return (
    <select aria-label="Changed" value={since ? "kept" : "0"} onChange={(event) => choose(Number(event.currentTarget.value))}>
      {SPANS.map(([name, seconds]) => (
        <option key={name} value={String(seconds)}>
          {seconds ? `changed in the ${name}` : `changed ${name}`}
        </option>
      ))}
      {since > 0 && <option value="kept">changed since {new Date(since * 1000).toLocaleString()}</option>}
    </select>
  );
}

function FamilyList({ query, change }: { query: URLSearchParams; change: Change }) {
  const families = useLoaded("families", (signal) => get<Families>("families", {}, signal), onTasks);
  const [wanted, setWanted] = useState("");
  const chosen = query.getAll("family");
  const inNamespace = query.getAll("namespace");
  return (
    <nav class="families" aria-label="Families">
      <input type="search" placeholder="families" aria-label="Search families" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
      <Shown of={families}>
        {({ namespaces, cut }) => (
          <>
            {namespaces.map((group) => {
              const fitting = group.families.filter((one) => one.family.toLowerCase().includes(wanted.toLowerCase()));
              if (fitting.length === 0) return null;
              return (
                <details key={group.namespace} open={namespaces.length < 6 || wanted !== ""}>
                  <summary>
                    {plain(group.namespace) || "no namespace"} <span class="count">{group.total.toLocaleString()}</span>
                  </summary>
                  <button type="button" class="family all" aria-pressed={inNamespace.includes(group.namespace)} onClick={() => change((next) => turn(next, "namespace", group.namespace))}>
                    all of it
                  </button>
                  {fitting.slice(0, 200).map((one) => (
                    <button key={one.family} type="button" class="family" aria-pressed={chosen.includes(one.family)} onClick={() => change((next) => turn(next, "family", one.family))}>
                      <bdi>{plain(one.family.slice(0, 100)) || "(no name)"}</bdi>
                      {one.counts.FAILED > 0 && <span class="count failed">✕ {one.counts.FAILED.toLocaleString()}</span>}
                      <span class="count">{one.total.toLocaleString()}</span>
                    </button>
                  ))}
                  {fitting.length > 200 && <p class="muted">and {fitting.length - 200} more: search for them</p>}
                </details>
              );
            })}
            {cut && <p class="muted">There are more families than are listed.</p>}
          </>
        )}
      </Shown>
    </nav>
  );
}

function Pager({ total, offset, shown, change }: { total: number; offset: number; shown: number; change: Change }) {
  const to = (place: number) => change((next) => (place > 0 ? next.set("offset", String(place)) : next.delete("offset")));
  const last = Math.max(0, Math.floor((total - 1) / LIMIT) * LIMIT);
  return (
    <div class="row pager">
      <span aria-live="polite">
        {total === 0 ? "no tasks" : `${(offset + 1).toLocaleString()}–${(offset + shown).toLocaleString()} of ${total.toLocaleString()}`}
      </span>
      <button type="button" class="small" disabled={offset === 0} onClick={() => to(0)}>First</button>
      <button type="button" class="small" disabled={offset === 0} onClick={() => to(offset - LIMIT)}>Previous</button>
      <button type="button" class="small" disabled={offset + shown >= total} onClick={() => to(offset + LIMIT)}>Next</button>
      <button type="button" class="small" disabled={offset >= last} onClick={() => to(last)}>Last</button>
    </div>
  );
}

const BULK = [["forgive", "Forgive"], ["re-enable", "Enable again"], ["done", "Mark as done"], ["disable", "Disable"]] as const;

/** What is done to all chosen tasks, or to all that fit the filter. */
function Bulk({ page, chosen, filter, onDone }: { page: Tasks; chosen: ReadonlySet<string>; filter: string; onDone: () => void }) {
  const [question, setQuestion] = useState<Question>();
  const onFilter = chosen.size === 0;
  if (onFilter && filter === "") return null;
  const many = onFilter ? page.total : chosen.size;
  if (many === 0) return null;
  const which = onFilter ? `all ${many.toLocaleString()} tasks that fit the filter` : `${many.toLocaleString()} chosen tasks`;
  const ask = (action: string, label: string) =>
    setQuestion({
      title: `${label}?`,
      text: `This is done to ${which}. Those to which it does not apply stay as they are.`,
      action: label,
      run: async () => {
        const body = onFilter ? { action, filter, most: 10_000 } : { action, tasks: [...chosen] };
        const outcome = await post<BulkOutcome>("tasks/actions", body);
        onDone();
        const left = outcome.left > 0 ? `, ${outcome.left.toLocaleString()} left for another time` : "";
        return `${outcome.changed.toLocaleString()} changed, ${outcome.unchanged.toLocaleString()} stayed as they were${left}.`;
      },
    });
  return (
    <div class="row bulk" role="group" aria-label="Actions on many tasks">
      <span>{which}:</span>
      {BULK.map(([action, label]) => (
        <button key={action} type="button" class="small" onClick={() => ask(action, label)}>
          {label}
        </button>
      ))}
      {question && <Ask question={question} onClose={() => setQuestion(undefined)} />}
    </div>
  );
}
