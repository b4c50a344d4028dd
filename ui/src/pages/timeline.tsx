// When what ran: attempts of a period by worker or family, or those of the tasks of one graph with the path
// that decided how long all of it took.

import { get } from "../api/client";
import { onCounts, OF_HISTORY, useLoaded } from "../api/load";
import type { AttemptPage, AttemptRow, FamilyHistory } from "../api/schema";
import { AttemptName } from "../parts/attempts";
import { Choices, Head, Nothing, Panel, Shown } from "../parts/frame";
import { Gantt, type Span } from "../parts/gantt";
import { outcomeLook } from "../parts/outcome";
import { shortWorker } from "../parts/task-table";
import { plain } from "../parts/text";
import { serverNow, span } from "../parts/time";
import { isSlow, useUsual } from "../parts/usual";
import { go, href } from "../route";
import { GraphTimeline } from "./graph-timeline";

const PERIODS = [
  { value: "600", label: "10 min" }, { value: "3600", label: "hour" }, { value: "21600", label: "6 hours" },
  { value: "86400", label: "day" }, { value: "604800", label: "week" },
] as const;
type Period = (typeof PERIODS)[number]["value"];
const BY = [{ value: "worker", label: "by worker" }, { value: "family", label: "by family" }] as const;

export function TimelinePage({ root, query }: { root: string; query: URLSearchParams }) {
  return root ? <GraphTimeline key={root} root={root} query={query} /> : <OfPeriod query={query} />;
}

function OfPeriod({ query }: { query: URLSearchParams }) {
  const period = PERIODS.find((one) => one.value === query.get("period"))?.value ?? "3600";
  const by = query.get("by") === "family" ? "family" : "worker";
  const worker = query.get("worker") ?? "";
  const family = query.get("family") ?? "";
  const attempts = useLoaded(
    `timeline ${period} ${worker} ${family}`,
    (signal) => get<AttemptPage>("attempts", { since: Math.floor(serverNow() - Number(period)), worker, family, limit: 1000 }, signal),
    onCounts,
    OF_HISTORY,
  );
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    if (value) next.set(name, value);
    else next.delete(name);
    go(href("timeline", "", next));
  };
  return (
    <>
      <Head title="Timeline" />
      <div class="row">
        <span class="muted">the last</span>
        <Choices<Period> label="Which time" of={PERIODS} value={period} choose={(value) => change("period", value)} />
        <Choices label="In rows" of={BY} value={by} choose={(value) => change("by", value)} />
        {[["worker", worker], ["family", family]].map(([name = "", value = ""]) => value && (
          <button key={name} type="button" class="chip on" onClick={() => change(name, "")}>
            {name}: {name === "worker" ? shortWorker(value) : plain(value.slice(0, 60))} <span aria-label="remove">×</span>
          </button>
        ))}
        <a class="aside" href={href("history", "", { worker, family })}>the same as a table</a>
      </div>
      <Shown of={attempts}>{(page) => <Attempts page={page} by={by} />}</Shown>
    </>
  );
}

function Attempts({ page: { items, next }, by }: { page: AttemptPage; by: "worker" | "family" }) {
  const usual = useUsual();
  const spans = items.map((one) => spanOf(one, usual?.get(one.family), by === "family" ? one.family : (one.worker ?? "no worker")));
  for (const one of spans) one.rowLabel = by === "family" ? plain(one.row) : shortWorker(one.row);
  return (
    <>
      <Panel title={`${items.length.toLocaleString()} ${items.length === 1 ? "attempt" : "attempts"}`} aside={<Key />}>
        {spans.length === 0 ? <NothingRan /> : <Gantt spans={spans} label="Attempts over time" />}
        {next && <p class="muted">These are the newest; there are more. Choose a shorter time, a worker or a family.</p>}
      </Panel>
      <Slow items={items} usual={usual} />
    </>
  );
}

function NothingRan() {
  return (
    <Nothing>
      Nothing ran in this time. Choose a longer one above, look into the <a href={href("history")}>history</a>, or see <a href={href("tasks", "", { status: "PENDING" })}>what waits</a>.
    </Nothing>
  );
}

/** What the colours of bars say. */
export function Key() {
  return (
    <span class="row legend">
      {(["running", "done", "failed", "cancelled"] as const).map((outcome) => (
        <span key={outcome} class={`key ${outcomeLook(outcome).colour}`}>{outcomeLook(outcome).word}</span>
      ))}
      <span class="key slow">longer than usual</span>
    </span>
  );
}

/** The bar of an attempt, in a row that is given. */
export function spanOf(one: AttemptRow, usual: FamilyHistory | undefined, row: string): Span {
  const look = outcomeLook(one.outcome);
  const to = one.ended ?? (one.outcome === "running" ? serverNow() : one.began);
  return {
    key: one.id,
    row,
    rowLabel: plain(row),
    from: one.began,
    to,
    colour: look.colour,
    title: `${plain(one.task_id.slice(0, 100))}: ${look.word}`,
    to_page: href("task", one.task_id, { attempt: one.id, show: "log" }),
    slow: isSlow(to - one.began, usual),
    usual: usual?.durations.median,
  };
}

/** The attempts that took longer than their families usually do, by how much. */
function Slow({ items, usual }: { items: AttemptRow[]; usual: Map<string, FamilyHistory> | undefined }) {
  const took = (one: AttemptRow) => (one.ended ?? serverNow()) - one.began;
  const slow = items
    .filter((one) => (one.outcome === "done" || one.outcome === "running") && isSlow(took(one), usual?.get(one.family)))
    .map((one) => ({ one, median: usual?.get(one.family)?.durations.median ?? 0 }))
    .sort((a, b) => took(b.one) / b.median - took(a.one) / a.median);
  if (slow.length === 0) return null;
  return (
    <Panel title="Longer than usual">
      <ul class="list">
        {slow.slice(0, 10).map(({ one, median }) => (
          <li key={one.id}>
            <div class="what">
              <a class="task" href={href("task", one.task_id, { attempt: one.id })}><AttemptName of={one} /></a>
              <div class="beside">
                <span>
                  {one.outcome === "running" ? "runs for" : "took"} <b>{span(took(one))}</b>, usually {span(median)}
                </span>
              </div>
            </div>
          </li>
        ))}
        {slow.length > 10 && <li class="muted">and {(slow.length - 10).toLocaleString()} more</li>}
      </ul>
    </Panel>
  );
}
