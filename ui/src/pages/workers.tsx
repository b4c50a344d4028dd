// The connected workers; or one of them, with what it runs.

import { useState } from "preact/hooks";
import { get, path, post } from "../api/client";
import { onWorkers, useLoaded } from "../api/load";
import type { Page, WorkerDetail, WorkerRow } from "../api/types";
import { Ask, done, type Question } from "../parts/dialog";
import { Facts, Panel, Shown } from "../parts/frame";
import { shortWorker, TaskTable } from "../parts/task-table";
import { plain, Said } from "../parts/text";
import { When } from "../parts/time";
import { href } from "../route";
import { useIsOperator } from "../session";

export function WorkersPage({ id }: { id: string }) {
  return id ? <One key={id} id={id} /> : <All />;
}

function All() {
  const [limit, setLimit] = useState(100);
  const workers = useLoaded(`workers ${limit}`, (signal) => get<Page<WorkerRow>>("workers", { limit }, signal), onWorkers);
  return (
    <>
      <h1>Workers</h1>
      <Shown of={workers}>
        {(page) =>
          page.items.length === 0 ? (
            <p class="muted">No worker is connected.</p>
          ) : (
            <>
              <div class="scroll" tabIndex={0} role="region" aria-label="Workers">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">Worker</th>
                      <th scope="col">State</th>
                      <th scope="col">Runs</th>
                      <th scope="col">Pending</th>
                      <th scope="col">Only its own</th>
                      <th scope="col">Started</th>
                      <th scope="col">Heard of</th>
                      <th scope="col">Began with</th>
                      <th scope="col">Unread messages</th>
                      <th scope="col">Processes</th>
                    </tr>
                  </thead>
                  <tbody>
                    {page.items.map((worker) => (
                      <tr key={worker.id} data-worker={worker.id}>
                        <td class="name">
                          <a href={href("workers", worker.id)} title={plain(worker.id)}>{shortWorker(worker.id)}</a>
                        </td>
                        <td>{worker.state}</td>
                        <td class="number">{worker.running}</td>
                        <td class="number">{worker.pending}</td>
                        <td class="number">{worker.unique}</td>
                        <td><When at={worker.started} /></td>
                        <td><When at={worker.last_active} /></td>
                        <td><Said text={worker.first_task} most={80} /></td>
                        <td class="number">{worker.unread_messages}</td>
                        <td><Processes worker={worker} onDone={workers.reload} /></td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              {page.total > page.items.length && (
                <button type="button" onClick={() => setLimit((before) => Math.min(1000, before + 100))}>
                  Show more of {page.total.toLocaleString()}
                </button>
              )}
            </>
          )
        }
      </Shown>
    </>
  );
}

/** How many processes a worker has, and the means to change that. */
function Processes({ worker, onDone }: { worker: WorkerRow; onDone: () => void }) {
  const isOperator = useIsOperator();
  const known = Number(worker.info["workers"]) || 1;
  const set = (n: number) =>
    void done(async () => {
      await post(path("workers", worker.id, "processes"), { n });
      onDone();
      return `The worker will have ${n} ${n === 1 ? "process" : "processes"}.`;
    });
  const choose = (event: Event) => {
    const n = Number((event.currentTarget as HTMLInputElement).value);
    if (Number.isInteger(n) && n > 0) set(n);
  };
  if (!isOperator) return <>{known}</>;
  return (
    <span class="row">
      <button type="button" class="small" aria-label="One process less" disabled={known <= 1} onClick={() => set(known - 1)}>−</button>
      <input type="number" class="count" min={1} max={10_000} aria-label="Processes" value={known} onChange={choose} />
      <button type="button" class="small" aria-label="One process more" onClick={() => set(known + 1)}>+</button>
    </span>
  );
}

function One({ id }: { id: string }) {
  const detail = useLoaded(`worker ${id}`, (signal) => get<WorkerDetail>(path("workers", id), {}, signal), onWorkers);
  const [question, setQuestion] = useState<Question>();
  const isOperator = useIsOperator();
  const disable = () =>
    setQuestion({
      title: "Disable this worker?",
      text: "It gets no more tasks, finishes what it runs, and goes.",
      action: "Disable",
      run: async () => {
        await post(path("workers", id, "disable"));
        detail.reload();
        return "The worker gets no more tasks.";
      },
    });
  return (
    <Shown of={detail}>
      {({ worker, running }) => (
        <>
          <h1>Worker {shortWorker(worker.id)}</h1>
          <p>
            <code class="wrap">{plain(worker.id)}</code>
          </p>
          {isOperator && worker.state === "active" && (
            <button type="button" onClick={disable}>Disable this worker</button>
          )}
          <div class="columns">
            <Panel title="About">
              <Facts
                of={[
                  ["State", worker.state],
                  ["Started", <When key="started" at={worker.started} />],
                  ["Heard of", <When key="heard" at={worker.last_active} />],
                  ["Runs", worker.running],
                  ["Pending", worker.pending],
                  ["Only its own", worker.unique],
                  ["Unread messages", worker.unread_messages],
                  ["Processes", <Processes key="processes" worker={worker} onDone={detail.reload} />],
                  ["Began with", <Said key="first" text={worker.first_task} />],
                ]}
              />
            </Panel>
            <Panel title="What it says of itself">
              <Facts of={Object.entries(worker.info).map(([name, value]): [string, preact.ComponentChildren] => [plain(name), <Said key={name} text={String(value)} />])} />
            </Panel>
          </div>
          <Panel title="Runs now" aside={<a href={href("timeline", "", { worker: worker.id })}>timeline</a>}>
            <TaskTable tasks={running} label="What the worker runs" />
          </Panel>
          {question && <Ask question={question} onClose={() => setQuestion(undefined)} />}
        </>
      )}
    </Shown>
  );
}
