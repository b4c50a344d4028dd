// The connected workers; or one of them, with what it runs.

import { useState } from "preact/hooks";
import { get, path, post } from "../api/client";
import { onWorkers, useLoaded } from "../api/load";
import type { WorkerDetail, WorkerPage, WorkerRow } from "../api/schema";
import { Ask, done, type Question } from "../parts/dialog";
import { FirstRun } from "../parts/first-run";
import { Bar, Facts, Head, Nothing, Panel, Shown, Wide } from "../parts/frame";
import { NumberField } from "../parts/number-field";
import { NEWS, Silent } from "../parts/silent";
import { shortWorker, TaskTable, WorkerName } from "../parts/task-table";
import { plain, Said } from "../parts/text";
import { When } from "../parts/time";
import { href } from "../route";
import { useIsOperator } from "../session";

export function WorkersPage({ id }: { id: string }) {
  return id ? <One key={id} id={id} /> : <All />;
}

function All() {
  const [limit, setLimit] = useState(100);
  const workers = useLoaded(`workers ${limit}`, (signal) => get<WorkerPage>("workers", { limit }, signal), onWorkers, NEWS);
  const [question, setQuestion] = useState<Question>();
  const isOperator = useIsOperator();
  return (
    <>
      <Head title="Workers" />
      <Shown of={workers}>
        {(page) =>
          page.items.length === 0 ? (
            <>
              <Nothing>No worker is connected. What workers ran is in the <a href={href("history")}>history</a>.</Nothing>
              <FirstRun title="Start a worker" />
            </>
          ) : (
            <>
              <Wide label="Workers">
                <table class="workers">
                  <thead>
                    <tr>
                      <th scope="col">Worker</th>
                      <th scope="col">State</th>
                      <th scope="col">Runs</th>
                      <th scope="col" class="number">Pending</th>
                      <th scope="col" class="number" title="Pending tasks that no other worker can run">Only its own</th>
                      <th scope="col">Started</th>
                      <th scope="col">Heard of</th>
                      <th scope="col">Began with</th>
                      <th scope="col" class="number">Unread</th>
                      <th scope="col">Processes</th>
                      {isOperator && <th scope="col"><span class="unseen">Actions</span></th>}
                    </tr>
                  </thead>
                  <tbody>
                    {page.items.map((worker) => (
                      <tr key={worker.id} data-worker={worker.id}>
                        <td><WorkerName id={worker.id} /></td>
                        <td><State of={worker} /></td>
                        <td class="busy"><Busy of={worker} /></td>
                        <td class="number">{worker.pending.toLocaleString()}</td>
                        <td class="number">{worker.unique.toLocaleString()}</td>
                        <td class="time"><When at={worker.started} /></td>
                        <td class="time"><When at={worker.last_active} /></td>
                        <td class="said-cell"><Said text={worker.first_task} most={80} /></td>
                        <td class="number">{worker.unread_messages}</td>
                        <td><Processes worker={worker} onDone={workers.reload} /></td>
                        {isOperator && (
                          <td class="ways" tabIndex={-1}>
                            {worker.state === "active" && (
                              <button type="button" class="small" aria-label={`Disable worker ${shortWorker(worker.id)}`} onClick={() => setQuestion(disabling(worker.id, workers.reload))}>
                                Disable
                              </button>
                            )}
                          </td>
                        )}
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Wide>
              {page.total > page.items.length && (
                <button type="button" onClick={() => setLimit((before) => Math.min(1000, before + 100))}>
                  Show more of {page.total.toLocaleString()}
                </button>
              )}
            </>
          )
        }
      </Shown>
      {question && <Ask question={question} onClose={() => setQuestion(undefined)} />}
    </>
  );
}

function disabling(id: string, onDone: () => void): Question {
  return {
    title: "Disable this worker?",
    text: `${shortWorker(id)} gets no more tasks, finishes what it runs, and goes.`,
    action: "Disable",
    run: async () => {
      await post(path("workers", id, "disable"));
      onDone();
      return "The worker gets no more tasks.";
    },
  };
}

function State({ of }: { of: WorkerRow }) {
  return (
    <>
      <span class={`status ${of.state === "active" ? "done" : "disabled"}`}>{of.state}</span> <Silent of={of} />
    </>
  );
}

function processesOf(worker: WorkerRow): number {
  return Number(worker.info["workers"]) || 1;
}

function Busy({ of }: { of: WorkerRow }) {
  const processes = processesOf(of);
  return (
    <>
      {of.running} of {processes}
      <Bar calm value={of.running} most={processes} label={`${of.running} of ${processes} processes are busy`} />
    </>
  );
}

/** How many processes a worker has, and the means to change that. */
function Processes({ worker, onDone }: { worker: WorkerRow; onDone: () => void }) {
  const isOperator = useIsOperator();
  const known = processesOf(worker);
  if (!isOperator) return <>{known}</>;
  const set = (n: number) =>
    done(async () => {
      await post(path("workers", worker.id, "processes"), { n });
      onDone();
      return `The worker will have ${n} ${n === 1 ? "process" : "processes"}.`;
    });
  const name = shortWorker(worker.id);
  return <NumberField label={`Processes of ${name}`} less={`One process less of ${name}`} more={`One process more of ${name}`} value={known} least={1} most={10_000} set={set} />;
}

function One({ id }: { id: string }) {
  const detail = useLoaded(`worker ${id}`, (signal) => get<WorkerDetail>(path("workers", id), {}, signal), onWorkers, NEWS);
  const [question, setQuestion] = useState<Question>();
  const isOperator = useIsOperator();
  const disable = () => setQuestion(disabling(id, detail.reload));
  if (detail.error?.status === 404) return <Gone id={id} />;
  return (
    <Shown of={detail}>
      {({ worker, running }) => (
        <>
          <Head title={<>Worker {shortWorker(worker.id)}</>}>
            {isOperator && worker.state === "active" && (
              <button type="button" onClick={disable}>Disable this worker</button>
            )}
          </Head>
          <p class="row under-head">
            <code class="id">{plain(worker.id)}</code>
            <a href={href("tasks", "", { worker: worker.id })}>its tasks</a>
            <a href={href("timeline", "", { worker: worker.id })}>timeline</a>
            <a href={href("history", "", { worker: worker.id })}>history</a>
          </p>
          <Panel title="Runs now">
            <TaskTable tasks={running} label="What the worker runs" none="Nothing." />
          </Panel>
          <div class="halves">
            <Panel title="About">
              <Facts
                of={[
                  ["State", <State key="state" of={worker} />],
                  ["Started", <When key="started" at={worker.started} />],
                  ["Heard of", <When key="heard" at={worker.last_active} />],
                  ["Runs", <Busy key="busy" of={worker} />],
                  ["Pending", worker.pending.toLocaleString()],
                  ["Only its own", worker.unique.toLocaleString()],
                  ["Unread messages", worker.unread_messages],
                  ["Processes", <Processes key="processes" worker={worker} onDone={detail.reload} />],
                  ["Began with", <Said key="first" text={worker.first_task || "–"} />],
                ]}
              />
            </Panel>
            <Panel title="What it says of itself">
              <Facts of={Object.entries(worker.info).map(([name, value]): [string, preact.ComponentChildren] => [plain(name), <Said key={name} text={String(value)} />])} />
            </Panel>
          </div>
          {question && <Ask question={question} onClose={() => setQuestion(undefined)} />}
        </>
      )}
    </Shown>
  );
}

function Gone({ id }: { id: string }) {
  return (
    <>
      <Head title={<>Worker {shortWorker(id)}</>} />
      <p>
        It is not connected. What it ran is in its <a href={href("history", "", { worker: id })}>history</a>.
      </p>
    </>
  );
}
