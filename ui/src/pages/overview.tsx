// "Is all well?" in one look: how many tasks of which status, what runs, what failed, what waits and why.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { get, path } from "../api/client";
import { useChanges } from "../api/live";
import { onCounts, onHolds, OF_HISTORY, onTasks, onWorkers, useLoaded } from "../api/load";
import {
  type Counts, type DeadEnds, type HistoryCounts, type Resources as AllResources, type TaskPage, type TaskRow, TaskStatus,
  type Totals, type UpstreamStatus, type WorkerPage,
} from "../api/schema";
import type { Why } from "../api/words";
import { CountsPanel } from "../parts/counts-chart";
import { EndedChart } from "../parts/ended-chart";
import { FirstRun } from "../parts/first-run";
import { Bar, Nothing, Panel, Shown } from "../parts/frame";
import { Reason } from "../parts/reason";
import { LOOKS, StatusSign } from "../parts/status";
import { NEWS, Silent } from "../parts/silent";
import { nameOf, Progress, TaskName, WorkerName } from "../parts/task-table";
import { plain, Said } from "../parts/text";
import { Lasting, serverNow, When } from "../parts/time";
import { isSlow, Usual, useUsual } from "../parts/usual";
import { href, type Query } from "../route";

/** How many tasks a panel shows. */
const FEW = 8;
/** How many of them with a sentence why they wait. */
const FEWER = 5;
/** What costs more is asked for less often, in milliseconds. */
const SELDOM = { pause: 4000 };

export function Overview() {
  const totals = useLoaded("counts", (signal) => get<Totals>("counts", {}, signal), (change) => change.kind !== "status" && change.kind !== "progress");
  const [newest, setNewest] = useState<Counts>();
  useChanges((change) => {
    if (change.kind === "counts" && change.counts) setNewest(change.counts);
  });
  return (
    <Shown of={totals}>
      {(known) => {
        const counts = newest ?? known.counts;
        return (
          <>
            <Verdict totals={known} counts={counts} />
            {total(counts) === 0 ? (
              <FirstRun />
            ) : (
              <>
                <Tiles counts={counts} />
                <div class="halves">
                  <CountsPanel now={counts} />
                  <Ended />
                </div>
              </>
            )}
            <div class="halves">
              <div>
                <Running />
                <Waiting many={counts.PENDING} />
                <Stuck many={known.dead_ends} />
              </div>
              <div>
                <Failed />
                <Workers />
                <Resources />
              </div>
            </div>
          </>
        );
      }}
    </Shown>
  );
}

function total(counts: Counts): number {
  return TaskStatus.reduce((sum, status) => sum + counts[status], 0);
}

/** One sentence that says whether somebody has to do something. */
function Verdict({ totals, counts }: { totals: Totals; counts: Counts }) {
  const wrong: string[] = [];
  const say = (count: number, one: string, many: string) => {
    if (count > 0) wrong.push(`${count.toLocaleString()} ${count === 1 ? one : many}`);
  };
  say(counts.FAILED, "task failed", "tasks failed");
  say(counts.DISABLED, "task is disabled", "tasks are disabled");
  say(totals.dead_ends, "task can never run", "tasks can never run");
  if (totals.paused) wrong.push("the scheduler is paused");
  if (counts.PENDING > 0 && totals.workers === 0) wrong.push("tasks wait, and no worker is connected");
  const isWell = wrong.length === 0;
  const text = isWell ? "All is well." : `${wrong.join(", ")}.`;
  const running = counts.RUNNING + counts.BATCH_RUNNING;
  return (
    <div class={`verdict ${isWell ? "well" : "ill"}`}>
      <span class="face" aria-hidden="true">{isWell ? "✓" : "!"}</span>
      <h1>{text.charAt(0).toUpperCase() + text.slice(1)}</h1>
      <p>
        {running.toLocaleString()} {running === 1 ? "runs" : "run"} on {totals.workers.toLocaleString()} {totals.workers === 1 ? "worker" : "workers"},{" "}
        {counts.PENDING.toLocaleString()} {counts.PENDING === 1 ? "waits" : "wait"}
      </p>
    </div>
  );
}

function Tiles({ counts }: { counts: Counts }) {
  return (
    <ul class="tiles" aria-label="Tasks by status">
      {TaskStatus.map((status) => (
        <li key={status}>
          <a href={href("tasks", "", { status })} class={`tile ${LOOKS[status].colour}${counts[status] === 0 ? " none" : ""}`} data-status={status}>
            <strong>{counts[status].toLocaleString()}</strong>
            <span class="word">
              <span aria-hidden="true">{LOOKS[status].sign}</span> {LOOKS[status].word}
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** How attempts ended in the last day. */
function Ended() {
  const counts = useLoaded("ended", (signal) => get<HistoryCounts>("history/counts", { by: "hour", days: 1 }, signal), onCounts, { ...OF_HISTORY, ...SELDOM });
  return (
    <Panel title="Attempts that ended, by hour" look="chart" aside={<a href={href("history")}>history</a>}>
      <Shown of={counts}>
        {({ items }) => (
          <figure>
            <EndedChart periods={items} secs={3600} from={serverNow() - 23 * 3600} to={serverNow()} />
            <figcaption>
              <span class="at">last day</span>
              {(["done", "failed", "lost", "timed_out"] as const).map((outcome) => {
                const sum = items.reduce((all, period) => all + (period.outcomes[outcome] ?? 0), 0);
                return sum > 0 || outcome === "done" || outcome === "failed" ? (
                  <span key={outcome} class={`key ${outcome === "done" ? "done" : "failed"}`}>
                    {outcome.replace("_", " ")} <b>{sum.toLocaleString()}</b>
                  </span>
                ) : null;
              })}
            </figcaption>
          </figure>
        )}
      </Shown>
    </Panel>
  );
}

interface TaskPanelProps {
  title: string;
  query: Query;
  none: string;
  /** What the way to all of them says of their number. */
  all?: (counts: Counts) => string;
  most?: number;
  children?: ComponentChildren;
  extra: (task: TaskRow) => ComponentChildren;
}

function TaskPanel({ title, query, none, all, most = FEW, children, extra }: TaskPanelProps) {
  const tasks = useLoaded(`tasks ${title}`, (signal) => get<TaskPage>("tasks", { ...query, limit: most }, signal), onTasks);
  const { data } = tasks;
  return (
    <Panel title={title} aside={<a href={href("tasks", "", query)}>{data ? (all?.(data.counts) ?? `all ${data.total.toLocaleString()}`) : "all"}</a>}>
      {children}
      <Shown of={tasks}>
        {(page) =>
          page.items.length === 0 ? (
            <Nothing>{none}</Nothing>
          ) : (
            <ul class="list">
              {page.items.map((task) => (
                <li key={task.id} data-task={task.id}>
                  <StatusSign status={task.status} />
                  <div class="what">
                    <TaskName task={task} />
                    {extra(task)}
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}

function Running() {
  const usual = useUsual();
  return (
    <TaskPanel
      title="Running now"
      query={{ status: ["RUNNING", "BATCH_RUNNING"], sort: "started" }}
      none="Nothing runs."
      extra={(task) => (
        <div class="beside">
          {task.progress != null && <Progress of={task.progress} />}
          {task.status_message && <Said text={task.status_message} most={120} />}
          {task.started && (
            <span class={isSlow(serverNow() - task.started, usual?.get(task.family)) ? "slow" : ""}>
              for <Lasting from={task.started} />
            </span>
          )}
          <Usual family={task.family} />
          <WorkerName id={task.worker} />
          <a aria-label={`what it prints: ${nameOf(task)}`} href={href("task", task.id, { show: "log" })}>what it prints</a>
        </div>
      )}
    />
  );
}

function Failed() {
  return (
    <TaskPanel
      title="Failed or disabled last"
      query={{ status: ["FAILED", "DISABLED"], sort: "-updated" }}
      none="Nothing failed, and nothing is disabled."
      all={({ FAILED, DISABLED }) => `all: ${FAILED.toLocaleString()} failed, ${DISABLED.toLocaleString()} disabled`}
      extra={(task) => (
        <div class="beside">
          <When at={task.updated} />
          {task.retry_at && <span>again <When at={task.retry_at} /></span>}
          <WorkerName id={task.worker} />
          <a aria-label={`what went wrong: ${nameOf(task)}`} href={href("task", task.id, { show: "error" })}>what went wrong</a>
        </div>
      )}
    />
  );
}

const HELD: [UpstreamStatus, string, string][] = [
  ["UPSTREAM_FAILED", "for what failed", "failed"],
  ["UPSTREAM_DISABLED", "for what is disabled", "disabled"],
  ["UPSTREAM_RUNNING", "for what runs", "running"],
  ["UPSTREAM_MISSING_INPUT", "for what has not run yet", "pending"],
];

/** What the pending tasks wait for, in numbers; and a few of them, each with the reason. */
function Waiting({ many }: { many: number }) {
  return (
    <TaskPanel title="Waiting" query={{ status: ["PENDING"], sort: "-priority" }} none="Nothing waits." most={FEWER} extra={(task) => <Because id={task.id} />}>
      {many > 0 && <Held />}
    </TaskPanel>
  );
}

/** How many resources are named of those that tasks wait for. */
const MOST_SHORT = 4;

function Held() {
  const held = useLoaded(
    "held",
    (signal) => Promise.all(HELD.map(async ([status]) => (await get<TaskPage>("tasks", { status: "PENDING", upstream_status: status, limit: 1 }, signal)).total)),
    onTasks,
    SELDOM,
  );
  const resources = useResources();
  const short = (resources.data?.items ?? []).filter((one) => one.waiters > 0 && one.used >= one.limit);
  if (!held.data || (short.length === 0 && held.data.every((count) => count === 0))) return null;
  return (
    <p class="row chips">
      {short.slice(0, MOST_SHORT).map((one) => (
        <a key={one.name} class="chip" href={href("resources", one.name)} title={`${one.used} of ${one.limit} are used`}>
          <b>{one.waiters.toLocaleString()}</b> for {plain(one.name.slice(0, 40))}, of which all is used
        </a>
      ))}
      {short.length > MOST_SHORT && <a class="chip" href={href("resources")}>for {short.length - MOST_SHORT} more resources</a>}
      {HELD.map(([status, words, colour], index) => {
        const count = held.data?.[index] ?? 0;
        return count === 0 ? null : (
          <a key={status} class={`chip ${colour}`} href={href("tasks", "", { status: "PENDING", upstream_status: status })}>
            <b>{count.toLocaleString()}</b> {words}
          </a>
        );
      })}
    </p>
  );
}

function Because({ id }: { id: string }) {
  const why = useLoaded(`why ${id}`, (signal) => get<Why>(path("tasks", id, "why"), {}, signal), onHolds, SELDOM);
  if (!why.data) return null;
  return (
    <Folded>
      <Reason why={why.data} self={id} />
    </Folded>
  );
}

/** Two lines of a reason, and the rest for who wants it. */
function Folded({ children }: { children: ComponentChildren }) {
  const place = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const [isCut, setIsCut] = useState(false);
  useLayoutEffect(() => {
    const box = place.current;
    if (box && !open) setIsCut(box.scrollHeight > box.clientHeight + 2);
  });
  return (
    <>
      <div ref={place} class={`why ${open ? "open" : "short"}`}>{children}</div>
      {(isCut || open) && (
        <button type="button" class="link rest" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "less" : "all of it"}
        </button>
      )}
    </>
  );
}

function Stuck({ many }: { many: number }) {
  const dead = useLoaded(`dead-ends ${many}`, (signal) => get<DeadEnds>("dead-ends", { limit: FEW }, signal));
  if (many === 0) return null;
  return (
    <Panel title="Can never run" look="ill">
      <Shown of={dead}>
        {(page) => (
          <ul class="list">
            {page.items.map((item) => (
              <li key={item.task.id}>
                <StatusSign status={item.task.status} />
                <div class="what">
                  <TaskName task={item.task} />
                  <div class="why">
                    <Said text={item.reason} />
                  </div>
                </div>
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </Panel>
  );
}

function Workers() {
  const workers = useLoaded("workers few", (signal) => get<WorkerPage>("workers", { limit: FEW }, signal), onWorkers, NEWS);
  return (
    <Panel title="Workers" aside={<a href={href("workers")}>{workers.data ? `all ${workers.data.total}` : "all"}</a>}>
      <Shown of={workers}>
        {(page) =>
          page.items.length === 0 ? (
            <Nothing>No worker is connected.</Nothing>
          ) : (
            <ul class="list lines">
              {page.items.map((worker) => {
                const processes = Math.max(1, Number(worker.info["workers"]) || 1);
                return (
                  <li key={worker.id}>
                    <span class="first"><WorkerName id={worker.id} /></span>
                    <Bar calm value={worker.running} most={processes} label={`runs ${worker.running} with ${processes} processes`} />
                    <span class="last">
                      {worker.state === "disabled" && <strong class="warn">disabled </strong>}
                      <Silent of={worker} />
                      {worker.running} of {processes} busy, {worker.pending.toLocaleString()} pending
                    </span>
                  </li>
                );
              })}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}

function useResources() {
  return useLoaded("resources", (signal) => get<AllResources>("resources", {}, signal), (change) => onTasks(change) || change.kind === "limit");
}

function Resources() {
  const resources = useResources();
  return (
    <Panel title="Resources" aside={<a href={href("resources")}>all</a>}>
      <Shown of={resources}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing>No task needs any.</Nothing>
          ) : (
            <ul class="list lines">
              {[...items]
                .sort((one, other) => other.used / (other.limit || 1) - one.used / (one.limit || 1))
                .slice(0, FEW)
                .map((resource) => (
                  <li key={resource.name}>
                    <span class="first"><a href={href("resources", resource.name)}>{plain(resource.name.slice(0, 60))}</a></span>
                    <Bar value={resource.used} most={resource.limit} label={`${resource.used} of ${resource.limit} used`} />
                    <span class="last">
                      {resource.used} of {resource.limit}
                      {resource.waiters > 0 && `, ${resource.waiters.toLocaleString()} wait`}
                    </span>
                  </li>
                ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}
