// The attempts of a task and of all that it depends on, out of the history, with earlier ones; and the path that
// decided how long the last run of it took.

import { useMemo } from "preact/hooks";
import { get } from "../api/client";
import { onCounts, OF_HISTORY, useLoaded } from "../api/load";
import type { AttemptPage, AttemptRow } from "../api/schema";
import type { Graph, GraphNode } from "../api/words";
import { Head, Nothing, Panel, Shown } from "../parts/frame";
import { Gantt, type Span } from "../parts/gantt";
import { isRunning, StatusSign } from "../parts/status";
import { TaskName } from "../parts/task-table";
import { plain } from "../parts/text";
import { serverNow, span } from "../parts/time";
import { Usual, useUsual } from "../parts/usual";
import { go, href } from "../route";
import { Key, spanOf } from "./timeline";

/** How many rows there are at most. */
const MOST_ROWS = 300;
/** Of how many families the history is asked, and for how many attempts of each. */
const MOST_FAMILIES = 30;
const MOST_ATTEMPTS = 1000;

interface Known {
  graph: Graph;
  /** The attempts of each of its tasks, newest first. */
  attempts: Map<string, AttemptRow[]>;
  /** Whether the history has more than was asked for. */
  cut: boolean;
}

async function load(root: string, signal: AbortSignal): Promise<Known> {
  const graph = await get<Graph>("graph", { task: root, direction: "up", limit: 10_000 }, signal);
  const ids = new Set(graph.nodes.map((node) => node.id));
  // What is nearest to the root matters most.
  const families = [...new Set(graph.nodes.filter((node) => node.status !== null).map((node) => node.family))];
  const pages = await Promise.all(
    families.slice(0, MOST_FAMILIES).map((family) => get<AttemptPage>("attempts", { family, limit: MOST_ATTEMPTS }, signal)),
  );
  const attempts = new Map<string, AttemptRow[]>();
  for (const one of pages.flatMap((page) => page.items)) {
    if (!ids.has(one.task_id)) continue;
    const known = attempts.get(one.task_id);
    if (known) known.push(one);
    else attempts.set(one.task_id, [one]);
  }
  return { graph, attempts, cut: graph.cut || families.length > MOST_FAMILIES || pages.some((page) => page.next) };
}

export function GraphTimeline({ root, query }: { root: string; query: URLSearchParams }) {
  const known = useLoaded(`timeline of ${root}`, (signal) => load(root, signal), onCounts, { ...OF_HISTORY, pause: 2000 });
  const only = query.get("critical") === "true";
  // As somebody said; else earlier attempts show where they leave room for the last ones.
  const said = query.get("earlier");
  const earlier = said ? said === "true" : known.data ? leaveRoom(known.data) : true;
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    if (value) next.set(name, value);
    else next.delete(name);
    go(href("timeline", root, next));
  };
  return (
    <>
      <Head title="Timeline">
        <span class="subject">
          <a class="task" href={href("task", root)}>{plain((known.data?.graph.nodes[0]?.display_name ?? root).slice(0, 150))}</a> and what it depends on{" "}
          <a href={href("graph", root)}>graph</a>
        </span>
      </Head>
      <div class="row">
        <label>
          <input type="checkbox" checked={only} onChange={(event) => change("critical", event.currentTarget.checked ? "true" : "")} /> the critical path only
        </label>
        <label>
          <input type="checkbox" checked={earlier} onChange={(event) => change("earlier", String(event.currentTarget.checked))} /> earlier attempts, too
        </label>
      </div>
      <Shown of={known}>{(all) => <Whole known={all} only={only} earlier={earlier} />}</Shown>
    </>
  );
}

function Whole({ known, only, earlier }: { known: Known; only: boolean; earlier: boolean }) {
  const { graph, attempts, cut } = known;
  const usual = useUsual();
  const critical = useMemo(() => criticalPath(graph), [graph]);
  const isCritical = new Set(critical.map((index) => graph.nodes[index]?.id));
  const rows = graph.nodes
    .filter((node) => attempts.has(node.id) && (!only || isCritical.has(node.id)))
    .map((node) => ({ node, all: attempts.get(node.id) ?? [] }))
    .sort((one, other) => (one.all.at(-1)?.began ?? 0) - (other.all.at(-1)?.began ?? 0));
  const spans = rows.slice(0, MOST_ROWS).flatMap(({ node, all }): Span[] =>
    (earlier ? all : all.slice(0, 1)).map((one, index) => ({
      ...spanOf(one, usual?.get(one.family), node.id),
      rowLabel: plain(node.display_name),
      strong: index === 0 && isCritical.has(node.id),
    })),
  );
  return (
    <>
      <Panel title="Attempts" aside={<Key />}>
        {spans.length === 0 ? <Nothing>The history knows of none of them.</Nothing> : <Gantt spans={spans} label="Attempts over time" />}
        {rows.length > MOST_ROWS && <p class="muted">The first {MOST_ROWS} of {rows.length.toLocaleString()} tasks are shown.</p>}
        {cut && <p class="muted">There is more than is shown: only the newest attempts were looked at.</p>}
      </Panel>
      <CriticalPath nodes={critical.flatMap((index) => graph.nodes[index] ?? [])} attempts={attempts} />
    </>
  );
}

function CriticalPath({ nodes, attempts }: { nodes: GraphNode[]; attempts: Map<string, AttemptRow[]> }) {
  return (
    <Panel title="Critical path">
      <p class="muted">From the end back: of what a task depends on, the one that was done last, or still runs. To be faster, begin here.</p>
      <ol class="list">
        {nodes.slice(0, 100).map((node) => {
          const all = attempts.get(node.id) ?? [];
          const [last] = all;
          const took = last?.secs ?? (last?.outcome === "running" ? serverNow() - last.began : undefined);
          return (
            <li key={node.id}>
              <StatusSign status={node.status} />
              <div class="what">
                <TaskName task={node} />
                <div class="beside">
                  {took !== undefined && <span>{last?.outcome === "running" ? "runs for" : "took"} <b>{span(took)}</b></span>}
                  <Usual family={node.family} />
                  {last?.waited_secs != null && last.waited_secs >= 1 && <span>waited {span(last.waited_secs)} for a worker or resources</span>}
                  {all.length > 1 && <span>{all.length} attempts</span>}
                </div>
              </div>
            </li>
          );
        })}
        {nodes.length > 100 && <li class="muted">and {nodes.length - 100} more</li>}
      </ol>
    </Panel>
  );
}

/** Whether the time of all attempts is not so long that the last ones could not be made out. */
function leaveRoom({ attempts }: Known): boolean {
  const spread = (all: AttemptRow[]) => {
    const began = all.map((one) => one.began);
    const ended = all.map((one) => one.ended ?? serverNow());
    return Math.max(...ended, 0) - Math.min(...began, Infinity);
  };
  const all = [...attempts.values()];
  const last = all.flatMap((of) => of.slice(0, 1));
  return all.length === 0 || spread(last) > 0.2 * spread(all.flat().slice(0, 20_000));
}

/** When a node that ran was done: what still runs will be done later than all others. */
function doneAt(node: GraphNode | undefined): number {
  return isRunning(node?.status) ? Infinity : (node?.updated ?? 0);
}

/** From the first node, always on to the dependency that was done last, as places in the graph. */
export function criticalPath(graph: Graph): number[] {
  const needs = new Map<number, number[]>();
  for (const [from, to] of graph.edges) {
    const known = needs.get(from);
    if (known) known.push(to);
    else needs.set(from, [to]);
  }
  const way: number[] = [];
  const seen = new Set<number>();
  let current: number | undefined = graph.nodes.length > 0 ? 0 : undefined;
  while (current !== undefined && !seen.has(current)) {
    seen.add(current);
    way.push(current);
    const ran: number[] = (needs.get(current) ?? []).filter((index) => graph.nodes[index]?.started);
    const last = Math.max(...ran.map((index) => doneAt(graph.nodes[index])));
    current = ran.find((index) => doneAt(graph.nodes[index]) === last);
  }
  return way;
}
