// All about one task: what it is, why it waits, what depends on what, what it printed, what can be done.

import { useEffect, useRef, useState } from "preact/hooks";
import { get, path } from "../api/client";
import { onHolds, onTask, useLoaded } from "../api/load";
import type { CancelState, TaskDetail, TaskLink } from "../api/schema";
import type { Why } from "../api/words";
import { Attempts, DurationsOf } from "../parts/attempts";
import { Head, Nothing, Panel, Shown } from "../parts/frame";
import { LogView } from "../parts/log-view";
import { Reason } from "../parts/reason";
import { isRunning, StatusMark, StatusSign } from "../parts/status";
import { TaskActions } from "../parts/task-actions";
import { AboutTask, Params } from "../parts/task-facts";
import { TaskName } from "../parts/task-table";
import { Copy, plain, Said } from "../parts/text";
import { go, href } from "../route";
import { useIsOperator } from "../session";

export function TaskPage({ id, query }: { id: string; query: URLSearchParams }) {
  const [hidden, setHidden] = useState(false);
  const detail = useLoaded(`task ${id} ${hidden}`, (signal) => get<TaskDetail>(path("tasks", id), { hidden }, signal), onTask(id));
  if (detail.error?.status === 404) return <NotThere id={id} query={query} />;
  return (
    <Shown of={detail}>
      {(known) => <Whole detail={known} query={query} hidden={hidden} setHidden={setHidden} reload={detail.reload} />}
    </Shown>
  );
}

function chooser(id: string) {
  return (attempt: string) => go(href("task", id, { attempt, show: "log" }));
}

/** The scheduler does not know it; the history may. */
function NotThere({ id, query }: { id: string; query: URLSearchParams }) {
  const attempt = query.get("attempt");
  return (
    <>
      <Head title={<Said text={id} most={200} />} />
      <p>
        The scheduler knows no task of this id: it was never announced, or was dropped some time after its end. What the history knows of it is below.
      </p>
      {attempt && (
        <Panel title="What it printed">
          <LogView key={attempt} attempt={attempt} />
        </Panel>
      )}
      <Attempts task={id} current={attempt} changes={onTask(id)} choose={chooser(id)} />
    </>
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
  const isOperator = useIsOperator();
  const runs = isRunning(task.status);
  const [isEnding, setEnding] = useState(false);
  const cancel = useLoaded(
    `cancel ${task.id} ${runs}`,
    async (signal) => (runs ? get<CancelState>(path("tasks", task.id, "cancel"), {}, signal) : undefined),
    onTask(task.id),
    // What the worker answers is no event.
    { every: isEnding ? 1000 : 0 },
  );
  useEffect(() => setEnding(cancel.data?.asked === true), [cancel.data?.asked]);
  const said = isEnding || cancel.data?.refused;
  const onDone = () => {
    reload();
    cancel.reload();
  };
  return (
    <>
      <div class="page-head task-head">
        <h1>
          <StatusMark status={task.status} upstream={task.upstream_status} /> <Title name={task.display_name} />
        </h1>
        <TaskActions detail={detail} cancel={runs ? cancel.data : undefined} isEnding={isEnding} onDone={onDone} />
      </div>
      <p class="row under-head">
        <code class="id">{plain(task.id)}</code> <Copy text={task.id} what="the task's id" />
        <a href={href("graph", task.id)}>graph</a>
        <a href={href("timeline", task.id)}>timeline</a>
        <a href={href("tasks", "", { family: task.family })}>others of the family</a>
      </p>
      <WhyPanel id={task.id} status={task.status} besides={said ? plain(cancel.data?.note ?? "") : ""} />
      <div class="main-and-side">
        <div>
          <ErrorPanel detail={detail} shown={query.get("show") === "error"} />
          {attempt && (
            <Panel title="What it printed" aside={<span class="muted">attempt {attempt === task.attempt_id ? task.attempt : plain(attempt)}</span>}>
              <LogView key={attempt} attempt={attempt} />
            </Panel>
          )}
          <Attempts task={task.id} current={attempt} changes={onTask(task.id)} choose={chooser(task.id)} />
          <div class="halves">
            <Links title="Depends on" links={detail.dependencies} total={task.dependencies} id={task.id} direction="up" />
            <Links title="Is needed by" links={detail.dependants} total={task.dependants} id={task.id} direction="down" />
          </div>
        </div>
        <div>
          <AboutTask detail={detail} />
          <Panel
            title="Parameters"
            aside={
              isOperator && (
                <label>
                  <input type="checkbox" checked={hidden} onChange={(event) => setHidden(event.currentTarget.checked)} /> hidden ones, too
                </label>
              )
            }
          >
            <Params params={detail.params} hidden={detail.hidden_params} />
          </Panel>
          <DurationsOf family={task.family} />
        </div>
      </div>
    </>
  );
}

function Title({ name }: { name: string }) {
  const at = name.indexOf("(");
  if (at < 0) return <Said text={name} />;
  return (
    <>
      <bdi class="of">{plain(name.slice(0, Math.min(at, 200)))}</bdi>
      <span class="with"><Said text={name.slice(at)} /></span>
    </>
  );
}

function ErrorPanel({ detail, shown }: { detail: TaskDetail; shown: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const { error, task } = detail;
  useEffect(() => {
    if (shown) place.current?.scrollIntoView({ block: "nearest" });
  }, [shown]);
  if (!error) return null;
  const isOver = task.status === "DONE";
  return (
    <div ref={place}>
      <Panel title={isOver ? "What its last attempt said" : "What went wrong"} look={isOver ? "" : "ill"} aside={<Copy text={error} what="the error" />}>
        <pre class="error" tabIndex={0} aria-label="The error">
          {plain(error)}
        </pre>
        {detail.error_is_cut && <p class="muted">The rest is not shown.</p>}
      </Panel>
    </div>
  );
}

/** Why it waits; of a run, how it stands, and `besides` what became of the wish to end it. */
function WhyPanel({ id, status, besides }: { id: string; status: string; besides: string }) {
  const why = useLoaded(`why ${id} ${status}`, (signal) => get<Why>(path("tasks", id, "why"), {}, signal), onHolds);
  if (!why.data || status === "DONE") return null;
  return (
    <Panel title={status === "PENDING" || status === "FAILED" || status === "UNKNOWN" ? "Why it waits" : "How it stands"} look="reason">
      <p class="why" aria-busy={why.loading}>
        <Reason why={why.data} self={id} />
      </p>
      {besides && <p role="status">{besides}</p>}
    </Panel>
  );
}

function Links({ title, links, total, id, direction }: { title: string; links: TaskLink[]; total: number; id: string; direction: "up" | "down" }) {
  const shown = links.slice(0, 50);
  return (
    <Panel title={`${title} ${total.toLocaleString()}`} aside={total > 0 && <a href={href("graph", id, { direction })}>graph</a>}>
      {total === 0 ? (
        <Nothing>No task.</Nothing>
      ) : (
        <ul class="list">
          {shown.map((link) => (
            <li key={link.id}>
              <StatusSign status={link.status} /> <TaskName task={link} />
            </li>
          ))}
          {total > shown.length && <li class="muted">and {(total - shown.length).toLocaleString()} more</li>}
        </ul>
      )}
    </Panel>
  );
}
