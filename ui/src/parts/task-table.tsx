// A table of tasks, with the columns that a page wants, sorted by the server where that is offered.

import type { ComponentChildren } from "preact";
import type { TaskRow } from "../api/schema";
import { href } from "../route";
import { useIsOperator } from "../session";
import { Wide } from "./frame";
import { isRunning, StatusMark } from "./status";
import { offered, OFFERS, type Offer } from "./task-actions";
import { Outside, plain, Said } from "./text";
import { Lasting, When } from "./time";

export interface Choosing {
  chosen: ReadonlySet<string>;
  choose: (ids: string[], on: boolean) => void;
}

export interface Sorting {
  sort: string;
  change: (sort: string) => void;
}

interface Wanted {
  tasks: TaskRow[];
  label: string;
  /** What stands there if there are none. */
  none?: ComponentChildren;
  choosing?: Choosing;
  sorting?: Sorting;
  /** Called when somebody wants something done to a task. */
  act?: (offer: Offer, task: TaskRow) => void;
}

export function TaskTable({ tasks, label, none = "No task fits.", choosing, sorting, act }: Wanted) {
  const all = tasks.length > 0 && choosing !== undefined && tasks.every((task) => choosing.chosen.has(task.id));
  return (
    <Wide label={label}>
      <table class="tasks">
        <thead>
          <tr>
            {choosing && (
              <th class="narrow">
                <input
                  type="checkbox"
                  aria-label="Choose all tasks on this page"
                  checked={all}
                  onChange={(event) => choosing.choose(tasks.map((task) => task.id), event.currentTarget.checked)}
                />
              </th>
            )}
            <Column name="Status" by="status" sorting={sorting} />
            <Column name="Task" by="family" sorting={sorting} />
            <Column name="Priority" by="priority" sorting={sorting} first="-priority" />
            <Column name="Started" by="started" sorting={sorting} first="-started" />
            <Column name="Changed" by="updated" sorting={sorting} first="-updated" />
            <th scope="col">Worker</th>
            <th scope="col"><span class="unseen">Ways and actions</span></th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <Row key={task.id} task={task} choosing={choosing} act={act} />
          ))}
        </tbody>
      </table>
      {tasks.length === 0 && <p class="nothing">{none}</p>}
    </Wide>
  );
}

function Column({ name, by, sorting, first = by }: { name: string; by: string; sorting: Sorting | undefined; first?: string }) {
  if (!sorting) return <th scope="col">{name}</th>;
  const isUp = sorting.sort === by;
  const isDown = sorting.sort === `-${by}`;
  const next = isUp ? `-${by}` : isDown ? by : first;
  return (
    <th scope="col" aria-sort={isUp ? "ascending" : isDown ? "descending" : "none"}>
      <button type="button" class="head" onClick={() => sorting.change(next)}>
        {name} <span aria-hidden="true">{isUp ? "▲" : isDown ? "▼" : ""}</span>
      </button>
    </th>
  );
}

interface RowProps {
  task: TaskRow;
  choosing: Choosing | undefined;
  act: Wanted["act"] | undefined;
}

function Row({ task, choosing, act }: RowProps) {
  const runs = isRunning(task.status);
  return (
    <tr data-task={task.id} class={choosing?.chosen.has(task.id) ? "chosen" : ""}>
      {choosing && (
        <td class="narrow">
          <input
            type="checkbox"
            aria-label={`Choose ${nameOf(task)}`}
            checked={choosing.chosen.has(task.id)}
            onChange={(event) => choosing.choose([task.id], event.currentTarget.checked)}
          />
        </td>
      )}
      <td>
        <StatusMark status={task.status} upstream={task.upstream_status} />
      </td>
      <td class="name">
        <TaskName task={task} />
        {runs && <Says task={task} />}
      </td>
      <td class="number">{task.priority === 0 ? <span class="muted">0</span> : task.priority}</td>
      <td class="time">{runs && task.started ? <>for <Lasting from={task.started} /></> : <When at={task.started} />}</td>
      <td class="time">
        <When at={task.updated} />
      </td>
      <td class="worker">
        <WorkerName id={task.worker} />
      </td>
      <td class="ways" tabIndex={-1}>
        <Ways task={task} act={act} />
      </td>
    </tr>
  );
}

/** How far a run is, and what it says of itself. */
export function Says({ task }: { task: TaskRow }) {
  return (
    <div class="says">
      {task.progress != null && <Progress of={task.progress} />}
      {task.status_message && <Said text={task.status_message} most={120} />}
      {task.tracking_url && <Outside address={task.tracking_url} />}
    </div>
  );
}

export function Progress({ of }: { of: number }) {
  return (
    <span class="progress">
      <progress max={100} value={of} aria-label="Progress" />
      {Math.round(of)} %
    </span>
  );
}

/** Where to look on, and what is mostly done to a task of this status. */
function Ways({ task, act }: { task: TaskRow; act: Wanted["act"] | undefined }) {
  const isOperator = useIsOperator();
  const ways: ComponentChildren[] = [];
  const name = nameOf(task);
  if (task.status === "FAILED" || task.status === "DISABLED") {
    ways.push(<a key="error" aria-label={`error of ${name}`} href={href("task", task.id, { show: "error" })}>error</a>);
  } else if (isRunning(task.status)) {
    ways.push(<a key="log" aria-label={`log of ${name}`} href={href("task", task.id, { show: "log" })}>log</a>);
  }
  ways.push(<a key="graph" aria-label={`graph of ${name}`} href={href("graph", task.id)}>graph</a>);
  const [first] = act && isOperator ? offered(task) : [];
  if (act && (first === "forgive" || first === "re-enable")) {
    const { label } = OFFERS[first];
    ways.push(<button key="act" type="button" class="small" aria-label={`${label} ${name}`} onClick={() => act(OFFERS[first], task)}>{label}</button>);
  }
  return <>{ways}</>;
}

/** A task in the names of what acts on it, which would all be the same without. */
export function nameOf(task: { display_name: string }): string {
  return plain(task.display_name.slice(0, 100));
}

/** A task's name, which leads to its page: the family, and then the parameters, less loud. */
export function TaskName({ task, most = 200 }: { task: { id: string; display_name: string }; most?: number }) {
  const whole = plain(task.display_name);
  const shown = whole.length > most ? `${whole.slice(0, most)}…` : whole;
  const at = shown.indexOf("(");
  return (
    <a class="task" href={href("task", task.id)} title={whole.slice(0, 1000)}>
      <bdi>
        <span class="of">{at < 0 ? shown : shown.slice(0, at)}</span>
        {at >= 0 && <span class="with">{shown.slice(at)}</span>}
      </bdi>
    </a>
  );
}

export function WorkerName({ id }: { id: string | null | undefined }) {
  if (!id) return null;
  return (
    <a href={href("workers", id)} title={plain(id)}>
      {shortWorker(id)}
    </a>
  );
}

/** Workers' ids are long: what tells them apart is where and as which process they run. */
export function shortWorker(id: string): string {
  const host = /\bhost=([^,)]*)/.exec(id)?.[1];
  const pid = /\bpid=([^,)]*)/.exec(id)?.[1];
  const short = host ? `${host}${pid ? `:${pid}` : ""}` : id;
  return plain(short.length > 40 ? `${short.slice(0, 40)}…` : short);
}
