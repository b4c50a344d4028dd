// The graph around a task: what it depends on, what depends on it, or both.

import { useMemo, useRef, useState } from "preact/hooks";
import { get } from "../api/client";
import { onTasks, useLoaded } from "../api/load";
import type { Graph, TaskPage } from "../api/types";
import { asDot, asSvg, save } from "../graph/export";
import { longLabel } from "../graph/canvas";
import type { Laid } from "../graph/layout";
import { countsText, shapesOf, type Drawing, type Shape } from "../graph/shape";
import { GraphView } from "../graph/view";
import { Panel, Shown } from "../parts/frame";
import { StatusMark } from "../parts/status";
import { TaskName } from "../parts/task-table";
import { plain } from "../parts/text";
import { go, href } from "../route";

const DIRECTIONS = [["up", "what it depends on"], ["down", "what depends on it"], ["both", "both"]] as const;
/** From so many nodes on, families are drawn as one if nobody says otherwise. */
const MANY = 150;

export function GraphPage({ root, query }: { root: string; query: URLSearchParams }) {
  if (!root) return <ChooseRoot />;
  return <Around key={root} root={root} query={query} />;
}

function ChooseRoot() {
  const [words, setWords] = useState("");
  const tasks = useLoaded(`roots ${words}`, (signal) => get<TaskPage>("tasks", { search: words, limit: 20, sort: "-created" }, signal), onTasks);
  return (
    <>
      <h1>Graph</h1>
      <p>
        <input type="search" aria-label="Search a task" placeholder="of which task?" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
      </p>
      <Shown of={tasks}>
        {(page) => (
          <ul class="list">
            {page.items.map((task) => (
              <li key={task.id}>
                <StatusMark status={task.status} /> <a href={href("graph", task.id)}>{plain(task.display_name.slice(0, 200))}</a>
              </li>
            ))}
            {page.items.length === 0 && <li class="muted">No task fits.</li>}
          </ul>
        )}
      </Shown>
    </>
  );
}

function Around({ root, query }: { root: string; query: URLSearchParams }) {
  const direction = query.get("direction") ?? "up";
  const depth = query.get("depth") ?? "";
  const hideDone = query.get("hide_done") === "true";
  const limit = query.get("limit") ?? "2000";
  const graph = useLoaded(
    `graph ${root} ${direction} ${depth} ${limit}`,
    (signal) => get<Graph>("graph", { task: root, direction, depth, limit }, signal),
    (change) => change.kind === "counts",
  );
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    if (value) next.set(name, value);
    else next.delete(name);
    go(href("graph", root, next));
  };
  return (
    <>
      <h1>Graph</h1>
      <p class="row">
        <a href={href("task", root)}>{plain(root.slice(0, 150))}</a>
        <select aria-label="Which way" value={direction} onChange={(event) => change("direction", event.currentTarget.value)}>
          {DIRECTIONS.map(([value, label]) => (
            <option key={value} value={value}>{label}</option>
          ))}
        </select>
        <label>
          steps{" "}
          <input type="number" class="count" min={1} max={1000} placeholder="all" value={depth} onChange={(event) => change("depth", event.currentTarget.value)} />
        </label>
        <label>
          <input type="checkbox" checked={hideDone} onChange={(event) => change("hide_done", event.currentTarget.checked ? "true" : "")} /> hide done
        </label>
      </p>
      <Shown of={graph}>
        {(known) => <Picture root={root} graph={known} hideDone={hideDone} limit={limit} more={() => change("limit", "10000")} />}
      </Shown>
    </>
  );
}

interface Wanted {
  root: string;
  graph: Graph;
  hideDone: boolean;
  limit: string;
  more: () => void;
}

function Picture({ root, graph, hideDone, limit, more }: Wanted) {
  const [collapsed, setCollapsed] = useState(graph.nodes.length > MANY);
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set());
  const [words, setWords] = useState("");
  const [focus, setFocus] = useState(-1);
  const laid = useRef<Laid | undefined>(undefined);
  const drawing = useMemo(() => shapesOf(graph, { collapsed, expanded, hideDone }), [graph, collapsed, expanded, hideDone]);
  const found = useMemo(() => {
    const wanted = words.trim().toLowerCase();
    const all = new Set<number>();
    if (wanted) drawing.shapes.forEach((shape, index) => longLabel(shape).toLowerCase().includes(wanted) && all.add(index));
    return all;
  }, [drawing, words]);
  const choose = (shape: Shape) => {
    if (shape.task) go(href("task", shape.task.id));
    else setExpanded(new Set([...expanded, shape.family]));
  };
  const name = root.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 60);
  return (
    <>
      <p class="row">
        <label>
          <input
            type="checkbox"
            checked={collapsed}
            onChange={(event) => {
              setCollapsed(event.currentTarget.checked);
              setExpanded(new Set());
            }}
          />{" "}
          families as one
        </label>
        {[...expanded].map((family) => (
          <button key={family} type="button" class="chip" onClick={() => setExpanded(new Set([...expanded].filter((one) => one !== family)))}>
            {plain(family.slice(0, 60))} <span aria-label="collapse">×</span>
          </button>
        ))}
        <input
          type="search"
          aria-label="Search in the graph"
          placeholder="find in the graph"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
          onKeyDown={(event) => {
            const [first] = found;
            if (event.key === "Enter" && first !== undefined) setFocus(first);
          }}
        />
        <span class="muted" role="status">
          {graph.nodes.length.toLocaleString()} tasks{words && `, ${found.size.toLocaleString()} found`}
        </span>
        <button type="button" class="small" onClick={() => laid.current && save(`${name}.svg`, "image/svg+xml", asSvg(drawing, laid.current))}>SVG</button>
        <button type="button" class="small" onClick={() => save(`${name}.dot`, "text/vnd.graphviz", asDot(drawing))}>DOT</button>
        <button type="button" class="small" onClick={() => save(`${name}.json`, "application/json", `${JSON.stringify(graph, null, 1)}\n`)}>JSON</button>
      </p>
      {graph.cut && (
        <p class="warn">
          There is more than these {graph.nodes.length.toLocaleString()} tasks.{" "}
          {limit !== "10000" && <button type="button" class="small" onClick={more}>Show up to 10,000</button>}
        </p>
      )}
      <GraphView
        drawing={drawing}
        found={found}
        focus={focus}
        onChoose={choose}
        onLaid={(known) => {
          laid.current = known;
        }}
      />
      <NodeList drawing={drawing} found={found} words={words} focus={setFocus} expand={choose} />
    </>
  );
}

/** The nodes as a list, for keyboards and for who cannot see the picture. */
function NodeList({ drawing, found, words, focus, expand }: { drawing: Drawing; found: ReadonlySet<number>; words: string; focus: (index: number) => void; expand: (shape: Shape) => void }) {
  const all = drawing.shapes.map((shape, index) => ({ shape, index }));
  const fitting = words ? all.filter(({ index }) => found.has(index)) : all;
  return (
    <Panel title="The same as a list">
      <ul class="list">
        {fitting.slice(0, 100).map(({ shape, index }) => (
          <li key={shape.key}>
            <StatusMark status={shape.status} />{" "}
            {shape.task ? (
              <TaskName task={shape.task} />
            ) : (
              <button type="button" class="link" onClick={() => expand(shape)}>
                {plain(shape.label)} × {shape.size}: {countsText(shape.counts ?? {})}
              </button>
            )}{" "}
            <button type="button" class="small" aria-label={`Show ${longLabel(shape).slice(0, 100)} in the picture`} onClick={() => focus(index)}>
              in the picture
            </button>
          </li>
        ))}
        {fitting.length > 100 && <li class="muted">and {(fitting.length - 100).toLocaleString()} more: search for them</li>}
      </ul>
    </Panel>
  );
}
