// All about one task: what it is, why it waits, what depends on what, what it printed, what can be done.

import { useState } from "preact/hooks";
import { get, path } from "../api/client";
import { onTask, onTasks, useLoaded } from "../api/load";
import type { TaskDetail, TaskLink, Why } from "../api/types";
import { Attempts, DurationsOf } from "../parts/attempts";
import { Facts, Panel, Shown } from "../parts/frame";
import { LogView } from "../parts/log-view";
import { Reason } from "../parts/reason";
import { StatusMark } from "../parts/status";
import { TaskActions } from "../parts/task-actions";
import { shortWorker, TaskName } from "../parts/task-table";
import { Copy, Outside, plain, Said } from "../parts/text";
import { Lasting, When } from "../parts/time";
import { go, href } from "../route";
import { useIsOperator } from "../session";

export function TaskPage({ id, query }: { id: string; query: URLSearchParams }) {
  const [hidden, setHidden] = useState(false);
  const detail = useLoaded(`task ${id} ${hidden}`, (signal) => get<TaskDetail>(path("tasks", id), { hidden }, signal), onTask(id));
  return (
    <Shown of={detail}>
      {(known) => <Whole detail={known} query={query} hidden={hidden} setHidden={setHidden} reload={detail.reload} />}
    </Shown>
  );
}

interface Wanted {
  detail: TaskDetail;
  query: URLSearchParams;
  hidden: boolean;
  setHidden: (hidden: boolean) => void;
  reload: () => void;
}

function Whole({ detail, query, hidden, setHidden, reload }: Wanted) {
  const { task } = detail;
  const attempt = query.get("attempt") ?? task.attempt_id;
  const show = query.get("show");
  return (
    <>
      <h1>
        <StatusMark status={task.status} upstream={task.upstream_status} /> <Said text={task.display_name} />
      </h1>
      <p class="row">
        <code class="id">{plain(task.id)}</code> <Copy text={task.id} what="the task's id" />
        <a href={href("graph", task.id)}>graph</a>
        <a href={href("timeline", task.id)}>timeline</a>
        <a href={href("tasks", "", { family: task.family })}>others of the family</a>
      </p>
      <TaskActions task={task} onDone={reload} />
      <WhyPanel id={task.id} status={task.status} />
      {detail.error && (
        <Panel title={task.status === "DONE" ? "What its last attempt said" : "What went wrong"} aside={<Copy text={detail.error} what="the error" />}>
          <pre class="error" tabIndex={0}>
            {plain(detail.error)}
          </pre>
          {detail.error_is_cut && <p class="muted">The rest is not shown.</p>}
        </Panel>
      )}
      {attempt && (
        <Panel title="What it printed" aside={<span class="muted">attempt {attempt === task.attempt_id ? task.attempt : plain(attempt)}</span>}>
          {show === "log" || show === null ? <LogView key={attempt} attempt={attempt} /> : <ShowLog id={task.id} query={query} />}
        </Panel>
      )}
      <div class="columns">
        <About detail={detail} hidden={hidden} setHidden={setHidden} />
        <Panel title="Parameters">
          <Params params={detail.params} hidden={detail.hidden_params} />
        </Panel>
        <Links title="Depends on" links={detail.dependencies} total={task.dependencies} id={task.id} direction="up" />
        <Links title="Is needed by" links={detail.dependants} total={task.dependants} id={task.id} direction="down" />
      </div>
      <Attempts task={task.id} family={task.family} changes={onTask(task.id)} choose={(chosen) => go(href("task", task.id, { attempt: chosen, show: "log" }))} />
      <DurationsOf family={task.family} />
    </>
  );
}

function ShowLog({ id, query }: { id: string; query: URLSearchParams }) {
  const next = new URLSearchParams(query);
  next.set("show", "log");
  return <a href={href("task", id, next)}>Show it</a>;
}

function WhyPanel({ id, status }: { id: string; status: string }) {
  const why = useLoaded(`why ${id} ${status}`, (signal) => get<Why>(path("tasks", id, "why"), {}, signal), onTasks);
  if (!why.data || status === "DONE") return null;
  return (
    <Panel title={status === "PENDING" || status === "FAILED" || status === "UNKNOWN" ? "Why it waits" : "How it stands"}>
      <p class="why">
        <Reason why={why.data} />
      </p>
    </Panel>
  );
}

function About({ detail, hidden, setHidden }: { detail: TaskDetail; hidden: boolean; setHidden: (hidden: boolean) => void }) {
  const { task, retry } = detail;
  const isOperator = useIsOperator();
  const isRunning = task.status === "RUNNING" || task.status === "BATCH_RUNNING";
  const amounts = (of: Record<string, number>) =>
    Object.entries(of).map(([name, amount]) => (
      <span key={name}>
        <a href={href("resources", name)}>{plain(name)}</a> {amount}{" "}
      </span>
    ));
  const rows: [string, preact.ComponentChildren][] = [];
  if (task.status_message) rows.push(["Says", <Said key="says" text={detail.status_message ?? task.status_message} most={1000} />]);
  if (task.progress !== null) {
    rows.push(["Progress", <span key="progress"><progress max={100} value={task.progress} aria-label="Progress" /> {Math.round(task.progress)} %</span>]);
  }
  if (task.tracking_url) rows.push(["To be watched at", <Outside key="url" address={task.tracking_url} />]);
  if (task.started) rows.push([isRunning ? "Runs for" : "Last started", isRunning ? <Lasting key="for" from={task.started} /> : <When key="at" at={task.started} />]);
  if (task.worker) rows.push([isRunning ? "Worker" : "Last worker", <a key="worker" href={href("workers", task.worker)} title={plain(task.worker)}>{shortWorker(task.worker)}</a>]);
  rows.push(["Announced", <When key="created" at={task.created} />], ["Changed", <When key="updated" at={task.updated} />]);
  if (task.retry_at) rows.push(["Tried again", <When key="retry" at={task.retry_at} />]);
  if (task.disabled_until) rows.push(["Disabled until", <When key="until" at={task.disabled_until} />]);
  if (detail.removed_at) rows.push(["Dropped", <When key="removed" at={detail.removed_at} />]);
  rows.push(["Priority", task.priority]);
  if (Object.keys(task.resources).length > 0) rows.push(["Resources", amounts(task.resources)]);
  rows.push(["Failures that count", `${retry.failures}${retry.retry_count !== null ? ` of ${retry.retry_count.toLocaleString()}` : ""}`]);
  if (detail.module) rows.push(["Code", <code key="module">{plain(detail.module)}</code>]);
  if (detail.batch_id) rows.push(["Batch", <code key="batch">{plain(detail.batch_id)}</code>]);
  rows.push(["Workers that can run it", detail.workers.length === 0 ? "none" : detail.workers.slice(0, 20).map((worker) => (
    <div key={worker}><a href={href("workers", worker)} title={plain(worker)}>{shortWorker(worker)}</a></div>
  ))]);
  if (detail.rerun_command) {
    rows.push(["To run it again", <span key="rerun"><code class="wrap">{plain(detail.rerun_command)}</code> <Copy text={detail.rerun_command} what="the command line" /></span>]);
  }
  return (
    <Panel
      title="About"
      aside={
        isOperator && (
          <label>
            <input type="checkbox" checked={hidden} onChange={(event) => setHidden(event.currentTarget.checked)} /> hidden parameters
          </label>
        )
      }
    >
      <Facts of={rows} />
    </Panel>
  );
}

function Params({ params, hidden }: { params: Record<string, string>; hidden: Record<string, string> | null }) {
  const rows: [string, preact.ComponentChildren][] = [
    ...Object.entries(params).map(([name, value]): [string, preact.ComponentChildren] => [plain(name), <Said key={name} text={value} />]),
    ...Object.entries(hidden ?? {}).map(([name, value]): [string, preact.ComponentChildren] => [`${plain(name)} (hidden)`, <Said key={name} text={value} />]),
  ];
  return rows.length === 0 ? <p class="muted">It has none.</p> : <Facts of={rows} />;
}

function Links({ title, links, total, id, direction }: { title: string; links: TaskLink[]; total: number; id: string; direction: "up" | "down" }) {
  const shown = links.slice(0, 50);
  return (
    <Panel title={`${title} ${total.toLocaleString()}`} aside={total > 0 && <a href={href("graph", id, { direction })}>graph</a>}>
      {total === 0 ? (
        <p class="muted">No task.</p>
      ) : (
        <ul class="list">
          {shown.map((link) => (
            <li key={link.id}>
              <StatusMark status={link.status} /> <TaskName task={link} />
            </li>
          ))}
          {total > shown.length && <li class="muted">and {(total - shown.length).toLocaleString()} more</li>}
        </ul>
      )}
    </Panel>
  );
}
