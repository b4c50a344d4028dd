// Attempts of a task out of the history, and how long those of its family usually take.

import { get, path } from "../api/client";
import { type Concerns, OF_DAYS, OF_HISTORY, onCounts, useLoaded } from "../api/load";
import type { AttemptPage, AttemptRow, Durations } from "../api/schema";
import { href } from "../route";
import { useColumns } from "./chart";
import { Nothing, Panel, Shown, useWidth, Wide } from "./frame";
import { OutcomeMark } from "./outcome";
import { WorkerName } from "./task-table";
import { plain, Said } from "./text";
import { Lasting, moment, span, When } from "./time";

interface Wanted {
  task: string;
  /** The attempt whose log is shown. */
  current: string | null | undefined;
  changes: Concerns;
  choose: (attempt: string) => void;
}

export function Attempts({ task, current, changes, choose }: Wanted) {
  const attempts = useLoaded(`attempts ${task}`, (signal) => get<AttemptPage>(path("tasks", task, "attempts"), { limit: 20 }, signal), changes, OF_HISTORY);
  return (
    <Panel title="Attempts" aside={<a href={href("history", "", { task })}>all of its history</a>}>
      <Shown of={attempts}>{({ items }) => <AttemptTable items={items} current={current} choose={choose} />}</Shown>
    </Panel>
  );
}

interface TableProps {
  items: AttemptRow[];
  withTask?: boolean;
  current?: string | null | undefined;
  choose: (attempt: string) => void;
}

export function AttemptTable({ items, withTask = false, current, choose }: TableProps) {
  if (items.length === 0) return <Nothing>There is none.</Nothing>;
  return (
    <Wide label="Attempts">
      <table>
        <thead>
          <tr>
            <th scope="col">Outcome</th>
            {withTask && <th scope="col">Task</th>}
            <th scope="col" class="number">Attempt</th>
            <th scope="col">Began</th>
            <th scope="col" class="number">Took</th>
            <th scope="col" class="number">Waited</th>
            <th scope="col">Worker</th>
            <th scope="col">Error</th>
            <th scope="col"><span class="unseen">Log</span></th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.id} data-attempt={one.id} class={one.id === current ? "chosen" : ""}>
              <td><OutcomeMark outcome={one.outcome} /></td>
              {withTask && (
                <td class="name">
                  <a class="task" href={href("task", one.task_id)} title={plain(one.task_id.slice(0, 1000))}>
                    <AttemptName of={one} />
                  </a>
                </td>
              )}
              <td class="number">{one.attempt}</td>
              <td class="time" title={moment(one.began)}><When at={one.began} /></td>
              <td class="number">{one.outcome === "running" ? <Lasting from={one.began} /> : one.secs == null ? "–" : span(one.secs)}</td>
              <td class="number">{one.waited_secs == null ? "–" : span(one.waited_secs)}</td>
              <td><WorkerName id={one.worker} /></td>
              <td class="said-cell">{one.error && <Said text={essence(one.error)} most={100} />}</td>
              <td class="ways"><button type="button" class="link" aria-label={`log of attempt ${one.attempt} of ${textOf(one)}`} onClick={() => choose(one.id)}>log</button></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

/** The family and the parameters, as tasks are named elsewhere. */
export function AttemptName({ of }: { of: AttemptRow }) {
  const [family, params] = partsOf(of);
  return (
    <bdi>
      <span class="of">{family}</span>
      <span class="with">({params})</span>
    </bdi>
  );
}

function textOf(attempt: AttemptRow): string {
  const [family, params] = partsOf(attempt);
  return `${family}(${params})`;
}

function partsOf({ family, params, task_id }: AttemptRow): [family: string, params: string] {
  const text = Object.entries(params).map(([name, value]) => `${name}=${value}`).join(", ");
  return [plain(family.slice(0, 100)) || plain(task_id.slice(0, 100)), plain(text.length > 120 ? `${text.slice(0, 120)}…` : text)];
}

/** What says most of an error: of a trace the line after its last frame, else what it ends with. */
export function essence(error: string): string {
  const lines = error.trimEnd().split("\n");
  const frame = lines.findLastIndex((line) => /^\s+File ".*", line \d+/.test(line));
  const said = frame < 0 ? undefined : lines.slice(frame + 1).find((line) => /^\S/.test(line));
  return (said ?? lines.at(-1) ?? "").trim();
}

/** How long attempts of a family usually take. */
export function DurationsOf({ family }: { family: string }) {
  const durations = useLoaded(`durations ${family}`, (signal) => get<Durations>(path("families", family, "durations"), {}, signal), onCounts, OF_DAYS);
  return (
    <Panel title="How long it usually takes" aside={<a href={href("history", "", { family })}>history</a>}>
      <Shown of={durations}>{(known) => <DurationFacts of={known} whose={` of ${plain(family)}`} />}</Shown>
    </Panel>
  );
}

/** `whose` is what is said of whose attempts they are, where it is not clear. */
export function DurationFacts({ of, whose = "" }: { of: Durations; whose?: string }) {
  if (of.count === 0) return <Nothing>No attempt{whose} has succeeded yet.</Nothing>;
  const secs = (value: number | null | undefined) => (value == null ? "–" : span(value));
  if (of.count === 1) {
    return (
      <p>
        The one attempt{whose} that has succeeded took <strong>{secs(of.max)}</strong>.
      </p>
    );
  }
  return (
    <>
      <p>
        Half of {of.count.toLocaleString()} attempts{whose} took at most <strong>{secs(of.median)}</strong>, nine of ten{" "}
        <strong>{secs(of.p90)}</strong>, the longest <strong>{secs(of.max)}</strong>.
      </p>
      {of.days.length > 1 && <Trend days={of.days} />}
    </>
  );
}

const HEIGHT = 90;

/** Medians by day as bars, with what 95 of 100 did not exceed as a line above. */
function Trend({ days }: { days: Durations["days"] }) {
  const [place, width] = useWidth<HTMLDivElement>();
  const first = days[0]?.began ?? 0;
  const last = days.at(-1)?.began ?? 0;
  const most = Math.max(...days.map((day) => day.p95 ?? day.median ?? 0), 1e-3);
  const step = width / (Math.round((last - first) / 86_400) + 1);
  const y = (value: number | null | undefined) => HEIGHT - ((value ?? 0) / most) * (HEIGHT - 4);
  const points = days.map(({ began, count, median, p95 }) => {
    const x = Math.round((began - first) / 86_400) * step;
    const said = `${dayOf(began)}: ${count.toLocaleString()} ${count === 1 ? "attempt" : "attempts"}, median ${span(median ?? 0)}, 95 of 100 at most ${span(p95 ?? 0)}`;
    const drawn = (
      <>
        <rect class="area running" x={x + 0.5} width={Math.max(1, step - 1)} y={y(median)} height={HEIGHT - y(median)} />
        <rect class="area pending" x={x + 0.5} width={Math.max(1, step - 1)} y={y(p95)} height={2} />
      </>
    );
    return { key: String(began), said, x, width: step, drawn };
  });
  const { read, group, columns } = useColumns(points, HEIGHT);
  return (
    <figure class="trend">
      <div ref={place}>
        <div {...group}>
          <svg width="100%" height={HEIGHT} role="group" aria-label={`Durations by day, from ${dayOf(first)} to ${dayOf(last)}`}>
            {columns}
          </svg>
        </div>
      </div>
      <figcaption>
        {read ? (
          <span class="read" aria-hidden="true">{read.said}</span>
        ) : (
          <>median of each day, {dayOf(first)} – {dayOf(last)}, and what 95 of 100 did not exceed; at most {span(most)}</>
        )}
      </figcaption>
    </figure>
  );
}

/** A day of UTC. */
export function dayOf(began: number): string {
  return new Date(began * 1000).toISOString().slice(0, 10);
}
