// What a task is and how it stands, as names with values.

import type { ComponentChildren } from "preact";
import { get } from "../api/client";
import { useLoaded } from "../api/load";
import type { AuditPage, TaskDetail } from "../api/schema";
import { href } from "../route";
import { useIsOperator } from "../session";
import { whoDid } from "./access";
import { Facts, Nothing, Panel } from "./frame";
import { isRunning } from "./status";
import { Progress, WorkerName } from "./task-table";
import { Copy, Outside, plain, Said } from "./text";
import { Lasting, When } from "./time";
import { Usual } from "./usual";

type Row = [string, ComponentChildren];

export function AboutTask({ detail }: { detail: TaskDetail }) {
  const deed = useDeed(detail);
  return (
    <Panel title="About">
      <Facts of={[...ofRun(detail), ...ofTask(detail), ...deed]} />
      {detail.rerun_command && (
        <p class="command">
          <span class="muted">To run it again</span> <Copy text={detail.rerun_command} what="the command line" />
          <code class="wrap">{plain(detail.rerun_command)}</code>
          <LeftOut names={detail.rerun_leaves_out} />
        </p>
      )}
    </Panel>
  );
}

/** Hidden parameters stand in no command line that is shown, so whoever runs it has to give them. */
function LeftOut({ names }: { names: string[] }) {
  if (names.length === 0) return null;
  return <small>Its hidden parameters are left out: {names.map(plain).join(", ")}. Add them yourself.</small>;
}

/** What operators do to a task that changes how it stands, by its name in the audit trail. */
const DEEDS: Record<string, string> = { forgive: "Forgiven", re_enable: "Enabled", done: "Marked as done", disable: "Disabled", cancel: "Cancelled" };

/** The last of them, and who did it, for those who may know. */
function useDeed({ task }: TaskDetail): Row[] {
  const isOperator = useIsOperator();
  const ask = async (signal: AbortSignal) => (isOperator ? get<AuditPage>("audit", { on: task.id, limit: 20 }, signal) : undefined);
  // The trail has it a moment after the task has changed.
  const trail = useLoaded(`deeds ${isOperator} ${task.id} ${task.status}`, ask, () => false, { lag: 1000 });
  // Of many tasks at once, it is not known which of them changed unless all did.
  const last = trail.data?.items.find(({ operation, on, details }) => DEEDS[operation] && !details["outcome"] && (on || details["changed"] === details["matched"]));
  if (!last) return [];
  return [[DEEDS[last.operation] ?? "", <span key="deed"><When at={last.at} /> <small>({whoDid(last)})</small></span>]];
}

/** What is known of its run. */
function ofRun({ task, status_message, resources_running }: TaskDetail): Row[] {
  const runs = isRunning(task.status);
  const rows: Row[] = [];
  if (task.status_message) rows.push(["Says", <Said key="says" text={status_message ?? task.status_message} most={1000} />]);
  if (task.progress != null) rows.push(["Progress", <Progress key="progress" of={task.progress} />]);
  if (task.tracking_url) rows.push(["To be watched at", <Outside key="url" address={task.tracking_url} />]);
  if (task.started) {
    rows.push([
      runs ? "Runs for" : "Last started",
      <span key="for">
        {runs ? <Lasting from={task.started} /> : <When at={task.started} />} <small><Usual family={task.family} /></small>
      </span>,
    ]);
  }
  if (task.worker) rows.push([runs ? "Worker" : "Last worker", <WorkerName key="worker" id={task.worker} />]);
  const amounts = resources_running ?? task.resources;
  if (Object.keys(amounts).length > 0) {
    rows.push([
      runs ? "Takes" : "Takes when it runs",
      <span key="takes">
        {Object.entries(amounts).map(([name, amount]) => (
          <span key={name} class="amount">
            {amount} <a href={href("resources", name)}>{plain(name.slice(0, 100))}</a>
          </span>
        ))}
      </span>,
    ]);
  }
  return rows;
}

function ofTask({ task, retry, removed_at, module, batch_id, workers }: TaskDetail): Row[] {
  const rows: Row[] = [["Priority", task.priority]];
  rows.push(["Announced", <When key="created" at={task.created} />], ["Changed", <When key="updated" at={task.updated} />]);
  if (task.retry_at) rows.push(["Tried again", <When key="retry" at={task.retry_at} />]);
  if (task.disabled_until) rows.push(["Disabled until", <When key="until" at={task.disabled_until} />]);
  if (removed_at) rows.push(["Dropped", <When key="removed" at={removed_at} />]);
  rows.push(["Failures that count", failures(retry)]);
  if (module) rows.push(["Code", <code key="module">{plain(module)}</code>]);
  if (batch_id) rows.push(["Batch", <code key="batch">{plain(batch_id)}</code>]);
  rows.push([
    "Can be run by",
    workers.length === 0 ? "no worker" : workers.slice(0, 20).map((worker) => <div key={worker}><WorkerName id={worker} /></div>),
  ]);
  return rows;
}

/** From so many on nobody meant a number. */
const ENDLESS = 1_000_000;

function failures({ failures: count, retry_count: most }: TaskDetail["retry"]): string {
  return most == null || most >= ENDLESS ? `${count}` : `${count} of ${most.toLocaleString()}`;
}

export function Params({ params, hidden }: { params: Record<string, string>; hidden?: Record<string, string> | null | undefined }) {
  const rows: Row[] = [
    ...Object.entries(params).map(([name, value]): Row => [plain(name), <Said key={name} text={value} />]),
    ...Object.entries(hidden ?? {}).map(([name, value]): Row => [`${plain(name)} (hidden)`, <Said key={name} text={value} />]),
  ];
  return rows.length === 0 ? <Nothing>It has none.</Nothing> : <Facts of={rows} />;
}
