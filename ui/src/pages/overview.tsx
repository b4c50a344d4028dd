// "Is all well?" in one look: how many tasks of which status, what runs, what failed, what waits and why.

import { useState } from "preact/hooks";
import { get, path } from "../api/client";
import { useChanges } from "../api/live";
import { onTasks, onWorkers, useLoaded } from "../api/load";
import { STATUSES, type Counts, type DeadEnds, type Page, type Resource, type TaskPage, type TaskRow, type Totals, type Why, type WorkerRow } from "../api/types";
import { Bar, Panel, Shown } from "../parts/frame";
import { LOOKS, StatusMark } from "../parts/status";
import { shortWorker, TaskName } from "../parts/task-table";
import { plain, Said } from "../parts/text";
import { Lasting, When, serverNow } from "../parts/time";
import { href, type Query } from "../route";
import { CountsChart, type Sample } from "../parts/counts-chart";
import { FirstRun } from "../parts/first-run";
import { Reason } from "../parts/reason";

/** How many tasks a panel shows. */
const FEW = 8;

export function Overview() {
  const totals = useLoaded("counts", (signal) => get<Totals>("counts", {}, signal), (change) => change.kind !== "status" && change.kind !== "progress");
  const [newest, setNewest] = useState<Counts>();
  const [samples, setSamples] = useState<Sample[]>([]);
  useChanges((change) => {
    if (change.kind !== "counts" || !change.counts) return;
    const counts = change.counts;
    setNewest(counts);
    setSamples((before) => [...before.slice(-599), { at: change.at ?? serverNow(), counts }]);
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
                <CountsChart samples={samples} />
              </>
            )}
            <div class="columns">
              <Running />
              <Failed />
              <Waiting />
              <Stuck many={known.dead_ends} />
              <Workers />
              <Resources />
            </div>
          </>
        );
      }}
    </Shown>
  );
}

function total(counts: Counts): number {
  return STATUSES.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
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
  const waits = counts.PENDING > 0 && totals.workers === 0;
  if (waits) wrong.push("tasks wait, and no worker is connected");
  const text = wrong.length === 0 ? "All is well." : `${wrong.join(", ")}.`;
  return <h1 class={wrong.length === 0 ? "verdict well" : "verdict ill"}>{text.charAt(0).toUpperCase() + text.slice(1)}</h1>;
}

function Tiles({ counts }: { counts: Counts }) {
  return (
    <ul class="tiles" aria-label="Tasks by status">
      {STATUSES.map((status) => (
        <li key={status}>
          <a href={href("tasks", "", { status })} class={`tile ${LOOKS[status].colour}`} data-status={status}>
            <strong>{(counts[status] ?? 0).toLocaleString()}</strong>
            <StatusMark status={status} />
          </a>
        </li>
      ))}
    </ul>
  );
}

function useTasks(name: string, query: Query) {
  return useLoaded(`tasks ${name}`, (signal) => get<TaskPage>("tasks", { ...query, limit: FEW }, signal), onTasks);
}

function TaskPanel({ title, query, none, extra }: { title: string; query: Query; none: string; extra?: (task: TaskRow) => preact.ComponentChildren }) {
  const tasks = useTasks(title, query);
  return (
    <Panel title={title} aside={<a href={href("tasks", "", query)}>{tasks.data ? `all ${tasks.data.total.toLocaleString()}` : "all"}</a>}>
      <Shown of={tasks}>
        {(page) =>
          page.items.length === 0 ? (
            <p class="muted">{none}</p>
          ) : (
            <ul class="list">
              {page.items.map((task) => (
                <li key={task.id}>
                  <StatusMark status={task.status} upstream={task.upstream_status} /> <TaskName task={task} />
                  {extra?.(task)}
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
  return (
    <TaskPanel
      title="Running now"
      query={{ status: ["RUNNING"], sort: "started" }}
      none="Nothing runs."
      extra={(task) => (
        <small>
          {task.started && <Lasting from={task.started} />}
          {task.progress !== null && ` · ${Math.round(task.progress)} %`}
          {" · "}
          <a href={href("task", task.id, { show: "log" })}>what it prints</a>
        </small>
      )}
    />
  );
}

function Failed() {
  return (
    <TaskPanel
      title="Failed last"
      query={{ status: ["FAILED", "DISABLED"], sort: "-updated" }}
      none="Nothing failed."
      extra={(task) => (
        <small>
          <When at={task.updated} />
          {" · "}
          <a href={href("task", task.id, { show: "error" })}>what went wrong</a>
        </small>
      )}
    />
  );
}

function Waiting() {
  return (
    <TaskPanel
      title="Waiting"
      query={{ status: ["PENDING"], sort: "-priority" }}
      none="Nothing waits."
      extra={(task) => <Because id={task.id} />}
    />
  );
}

function Because({ id }: { id: string }) {
  const why = useLoaded(`why ${id}`, (signal) => get<Why>(path("tasks", id, "why"), {}, signal), onTasks);
  if (!why.data) return null;
  return (
    <small class="why">
      <Reason why={why.data} />
    </small>
  );
}

function Stuck({ many }: { many: number }) {
  const dead = useLoaded(`dead-ends ${many}`, (signal) => get<DeadEnds>("dead-ends", { limit: FEW }, signal));
  if (many === 0) return null;
  return (
    <Panel title="Can never run">
      <Shown of={dead}>
        {(page) => (
          <ul class="list">
            {page.items.map((item) => (
              <li key={item.task.id}>
                <TaskName task={item.task} />
                <small class="why">
                  <Said text={item.reason} />
                </small>
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </Panel>
  );
}

function Workers() {
  const workers = useLoaded("workers few", (signal) => get<Page<WorkerRow>>("workers", { limit: FEW }, signal), onWorkers);
  return (
    <Panel title="Workers" aside={<a href={href("workers")}>{workers.data ? `all ${workers.data.total}` : "all"}</a>}>
      <Shown of={workers}>
        {(page) =>
          page.items.length === 0 ? (
            <p class="muted">No worker is connected.</p>
          ) : (
            <ul class="list">
              {page.items.map((worker) => (
                <li key={worker.id}>
                  <a href={href("workers", worker.id)} title={plain(worker.id)}>
                    {shortWorker(worker.id)}
                  </a>
                  <small>
                    {worker.state === "disabled" ? "disabled · " : ""}
                    runs {worker.running}, {worker.pending} pending, heard of <When at={worker.last_active} />
                  </small>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}

function Resources() {
  const resources = useLoaded("resources", (signal) => get<{ items: Resource[] }>("resources", {}, signal), (change) => onTasks(change) || change.kind === "limit");
  return (
    <Panel title="Resources" aside={<a href={href("resources")}>all</a>}>
      <Shown of={resources}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="muted">No task needs any.</p>
          ) : (
            <ul class="list">
              {[...items]
                .sort((one, other) => other.used / (other.limit || 1) - one.used / (one.limit || 1))
                .slice(0, FEW)
                .map((resource) => (
                  <li key={resource.name}>
                    <a href={href("resources", resource.name)}>{plain(resource.name)}</a>
                    <Bar value={resource.used} most={resource.limit} label={`${resource.used} of ${resource.limit} used`} />
                    <small>
                      {resource.used} of {resource.limit}
                      {resource.waiters > 0 && `, ${resource.waiters} wait`}
                    </small>
                  </li>
                ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}
