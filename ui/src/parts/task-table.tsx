// A table of tasks, with the columns that a page wants, sorted by the server where that is offered.

import type { TaskRow } from "../api/types";
import { href } from "../route";
import { Lasting, When } from "./time";
import { StatusMark } from "./status";
import { Outside, plain, Said } from "./text";

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
  choosing?: Choosing;
  sorting?: Sorting;
}

export function TaskTable({ tasks, label, choosing, sorting }: Wanted) {
  const all = tasks.length > 0 && choosing !== undefined && tasks.every((task) => choosing.chosen.has(task.id));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
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
            <Head name="Status" by="status" sorting={sorting} />
            <Head name="Task" by="family" sorting={sorting} />
            <Head name="Priority" by="priority" sorting={sorting} first="-priority" />
            <Head name="Started" by="started" sorting={sorting} first="-started" />
            <Head name="Changed" by="updated" sorting={sorting} first="-updated" />
            <th scope="col">Worker</th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <Row key={task.id} task={task} {...(choosing ? { choosing } : {})} />
          ))}
        </tbody>
      </table>
      {tasks.length === 0 && <p class="muted empty">No task fits.</p>}
    </div>
  );
}

function Head({ name, by, sorting, first = by }: { name: string; by: string; sorting: Sorting | undefined; first?: string }) {
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

function Row({ task, choosing }: { task: TaskRow; choosing?: Choosing }) {
  const isRunning = task.status === "RUNNING" || task.status === "BATCH_RUNNING";
  return (
    <tr data-task={task.id}>
      {choosing && (
        <td class="narrow">
          <input
            type="checkbox"
            aria-label={`Choose ${plain(task.display_name).slice(0, 100)}`}
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
        {task.status_message && isRunning && (
          <div class="muted">
            <Said text={task.status_message} most={120} />
          </div>
        )}
        {isRunning && task.progress !== null && (
          <progress max={100} value={task.progress} aria-label="Progress">
            {task.progress} %
          </progress>
        )}
        {isRunning && task.tracking_url && (
          <div>
            <Outside address={task.tracking_url} />
          </div>
        )}
      </td>
      <td class="number">{task.priority}</td>
      <td>
        {isRunning && task.started ? <Lasting from={task.started} /> : <When at={task.started} />}
      </td>
      <td>
        <When at={task.updated} />
      </td>
      <td class="worker">
        {task.worker && (
          <a href={href("workers", task.worker)} title={plain(task.worker)}>
            {shortWorker(task.worker)}
          </a>
        )}
      </td>
    </tr>
  );
}

/** A task's name, which leads to its page. */
export function TaskName({ task }: { task: { id: string; display_name: string; family?: string; params?: Record<string, string> } }) {
  const shown = plain(task.display_name);
  return (
    <a class="task" href={href("task", task.id)} title={shown.slice(0, 1000)}>
      <bdi>{shown.length > 200 ? `${shown.slice(0, 200)}…` : shown}</bdi>
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
