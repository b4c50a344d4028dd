// The picture of a graph, to be moved, enlarged, searched and clicked; by keyboard, too.

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { beside, draw, drawSmall, HEIGHT, hit, longLabel, whole, WIDTH, type Sight } from "./canvas";
import type { Laid } from "./layout";
import type { Drawing, Shape } from "./shape";
import type { Asked } from "./layout.worker";

interface Wanted {
  drawing: Drawing;
  found: ReadonlySet<number>;
  /** A shape to be brought into sight; a new object for each wish. */
  focus: { index: number } | undefined;
  /** What the picture shows all of itself for when it changes: which tasks were asked for, and how. */
  view: string;
  /** Called to open a shape: by a double click, or by Enter. */
  onOpen: (shape: Shape) => void;
  /** Called with the places of the drawing's nodes, and with nothing as long as they are not known. */
  onLaid: (laid: Laid | undefined) => void;
  /** What is said of the chosen shape. */
  about: (shape: Shape) => ComponentChildren;
}

/** With more nodes than these a small picture of the whole says where one is. */
const MANY = 30;

/** Lays the drawing out in a thread of its own; the last one stays until the new one is there. */
function useLayout(drawing: Drawing): { laid: Laid; drawing: Drawing; isOld: boolean } | undefined {
  const [done, setDone] = useState<{ laid: Laid; drawing: Drawing; structure: string }>();
  const worker = useRef<Worker>(undefined);
  const turn = useRef(0);
  useEffect(() => () => worker.current?.terminate(), []);
  const structure = useMemo(() => `${drawing.shapes.length} ${drawing.edges.length} ${drawing.shapes.map((shape) => shape.key).join("\n")}`, [drawing]);
  useEffect(() => {
    // What is asked now makes a former question pointless.
    worker.current?.terminate();
    worker.current = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    turn.current += 1;
    const mine = turn.current;
    worker.current.onmessage = (event: MessageEvent<{ turn: number; laid: Laid }>) => {
      if (event.data.turn === mine) setDone({ laid: event.data.laid, drawing, structure });
    };
    const edges = new Int32Array(2 * drawing.edges.length);
    drawing.edges.forEach(([from, to], index) => {
      edges[2 * index] = from;
      edges[2 * index + 1] = to;
    });
    const asked: Asked = { turn: mine, count: drawing.shapes.length, edges };
    worker.current.postMessage(asked, [edges.buffer]);
  }, [structure]);
  if (!done) return undefined;
  // The same nodes may have other statuses meanwhile.
  const isOld = done.structure !== structure;
  return { laid: done.laid, drawing: isOld ? done.drawing : drawing, isOld };
}

export function GraphView({ drawing, found, focus, view, onOpen, onLaid, about }: Wanted) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const small = useRef<HTMLCanvasElement>(null);
  const [sight, setSight] = useState<Sight>();
  /** The key of the chosen shape, which stays when others come and go. */
  const [chosenKey, setChosenKey] = useState("");
  const [hovered, setHovered] = useState("");
  /** The layout that the picture shows. */
  const [drawn, setDrawn] = useState<Laid>();
  const theme = useTheme();
  const done = useLayout(drawing);
  const laid = done?.laid;

  const chosen = useMemo(() => done?.drawing.shapes.findIndex((shape) => shape.key === chosenKey) ?? -1, [done?.drawing, chosenKey]);
  const near = useMemo(() => neighbours(done?.drawing, chosen), [done?.drawing, chosen]);

  const fitted = useRef("");
  const fit = useCallback(() => {
    const { clientWidth = 800, clientHeight = 500 } = canvas.current ?? {};
    if (laid) setSight(whole(laid, clientWidth, clientHeight));
  }, [laid]);
  useEffect(() => {
    onLaid(done?.isOld ? undefined : laid);
    if (!laid || done?.isOld) return;
    // Where somebody has moved to is left only when something else is asked for.
    if (fitted.current !== view) fit();
    fitted.current = view;
  }, [laid, done?.isOld, fit, view]);
  useEffect(() => {
    if (!laid || !done || !focus || !canvas.current) return;
    const { clientWidth, clientHeight } = canvas.current;
    const scale = 1;
    setSight({ scale, x: (laid.x[focus.index] ?? 0) - clientWidth / scale / 2, y: (laid.y[focus.index] ?? 0) - clientHeight / scale / 2 });
    setChosenKey(done.drawing.shapes[focus.index]?.key ?? "");
    canvas.current.scrollIntoView({ block: "nearest" });
  }, [focus, laid]);

  useEffect(() => {
    if (!done || !sight || !canvas.current) return;
    const place = canvas.current;
    const frame = requestAnimationFrame(() => {
      draw(place, done.drawing, done.laid, sight, { chosen, found, near });
      setDrawn(done.laid);
      if (small.current && !small.current.hidden) drawSmall(small.current, done.drawing, done.laid, sight, { width: place.clientWidth, height: place.clientHeight });
    });
    return () => cancelAnimationFrame(frame);
  }, [done?.laid, done?.drawing, sight, chosen, found, near, theme]);
  useEffect(() => {
    const again = () => setSight((before) => (before ? { ...before } : before));
    addEventListener("resize", again);
    return () => removeEventListener("resize", again);
  }, []);

  const at = (event: { offsetX: number; offsetY: number }) =>
    sight ? { x: sight.x + event.offsetX / sight.scale, y: sight.y + event.offsetY / sight.scale } : { x: 0, y: 0 };
  const zoom = useCallback((factor: number, x: number, y: number) => {
    setSight((before) => {
      if (!before) return before;
      const scale = Math.min(4, Math.max(0.005, before.scale * factor));
      return { scale, x: before.x + x / before.scale - x / scale, y: before.y + y / before.scale - y / scale };
    });
  }, []);
  // Not through a property: browsers take those for promises not to keep the page from scrolling.
  useEffect(() => {
    const place = canvas.current;
    if (!place) return;
    const turned = (event: WheelEvent) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    };
    place.addEventListener("wheel", turned, { passive: false });
    return () => place.removeEventListener("wheel", turned);
  }, [zoom]);

  const drag = useRef<{ x: number; y: number; moved: boolean } | undefined>(undefined);
  const down = (event: PointerEvent) => {
    drag.current = { x: event.clientX, y: event.clientY, moved: false };
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    const held = drag.current;
    if (held && sight) {
      const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
      if (!held.moved && Math.abs(dx) + Math.abs(dy) < 4) return;
      drag.current = { x: event.clientX, y: event.clientY, moved: true };
      setSight({ ...sight, x: sight.x - dx / sight.scale, y: sight.y - dy / sight.scale });
    } else if (done) {
      const { x, y } = at(event);
      const index = hit(done.drawing.shapes, done.laid, x, y);
      const shape = done.drawing.shapes[index];
      setHovered(shape ? longLabel(shape) : "");
    }
  };
  const up = (event: PointerEvent) => {
    const wasMoved = drag.current?.moved;
    drag.current = undefined;
    if (wasMoved || !done) return;
    const { x, y } = at(event);
    const index = hit(done.drawing.shapes, done.laid, x, y);
    setChosenKey(done.drawing.shapes[index]?.key ?? "");
  };
  const opened = (event: MouseEvent) => {
    if (!done) return;
    const { x, y } = at(event);
    const shape = done.drawing.shapes[hit(done.drawing.shapes, done.laid, x, y)];
    if (shape) onOpen(shape);
  };
  /** Chooses the next shape that way, or the first one, and brings it into sight. */
  const stepTo = (right: number, down: number) => {
    if (!sight || !canvas.current || !done) return;
    const { laid: places, drawing: { shapes } } = done;
    const to = chosen < 0 ? 0 : beside(shapes, places, { x: places.x[chosen] ?? 0, y: places.y[chosen] ?? 0 }, [right, down]);
    const shape = shapes[to];
    if (!shape) return;
    setChosenKey(shape.key);
    const [wide, high] = [canvas.current.clientWidth / sight.scale, canvas.current.clientHeight / sight.scale];
    const [x, y] = [places.x[to] ?? 0, places.y[to] ?? 0];
    const within = (begin: number, length: number, at: number, room: number) => Math.min(at - room, Math.max(at + room - length, begin));
    setSight({ ...sight, x: within(sight.x, wide, x, WIDTH), y: within(sight.y, high, y, 2 * HEIGHT) });
  };
  const pressed = (event: KeyboardEvent) => {
    if (!sight || !canvas.current || !done) return;
    const { clientWidth, clientHeight } = canvas.current;
    const arrow = (right: number, down: number) => () => {
      const step = 80 / sight.scale;
      if (event.shiftKey) setSight({ ...sight, x: sight.x + right * step, y: sight.y + down * step });
      else stepTo(right, down);
    };
    const moves: Record<string, () => void> = {
      ArrowLeft: arrow(-1, 0),
      ArrowRight: arrow(1, 0),
      ArrowUp: arrow(0, -1),
      ArrowDown: arrow(0, 1),
      "+": () => zoom(1.25, clientWidth / 2, clientHeight / 2),
      "-": () => zoom(0.8, clientWidth / 2, clientHeight / 2),
      "0": fit,
      Enter: () => {
        const shape = done.drawing.shapes[chosen];
        if (shape) onOpen(shape);
      },
      Escape: () => setChosenKey(""),
    };
    const act = moves[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const jump = (event: MouseEvent) => {
    const place = small.current;
    if (!place || !laid || !canvas.current || !sight) return;
    const scale = Math.min(place.width / laid.width, place.height / laid.height) * (place.clientWidth / place.width);
    const { clientWidth, clientHeight } = canvas.current;
    setSight({ ...sight, x: event.offsetX / scale - clientWidth / sight.scale / 2, y: event.offsetY / scale - clientHeight / sight.scale / 2 });
  };
  const middle = (factor: number) => {
    const { clientWidth = 0, clientHeight = 0 } = canvas.current ?? {};
    zoom(factor, clientWidth / 2, clientHeight / 2);
  };
  const card = chosen >= 0 ? done?.drawing.shapes[chosen] : undefined;
  const { clientWidth: across = 0, clientHeight: high = 0 } = canvas.current ?? {};
  const hasSmall = drawing.shapes.length > MANY || (!!laid && !!sight && (laid.width * sight.scale > 1.1 * across || laid.height * sight.scale > 1.1 * high));
  return (
    <div class="graph">
      <canvas
        ref={canvas}
        class="picture"
        tabIndex={0}
        role="img"
        aria-label={`Graph of ${drawing.shapes.length} nodes. Arrows go from node to node, with Shift they move it, plus and minus change its size, 0 shows all of it, Enter opens what is chosen. The list below has the same nodes.`}
        data-laid={done && !done.isOld && drawn === done.laid ? "yes" : "no"}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onDblClick={opened}
        onKeyDown={pressed}
      />
      <canvas ref={small} class="small-picture" width={180} height={110} aria-hidden="true" hidden={!hasSmall} onPointerDown={jump} onPointerMove={(event) => event.buttons === 1 && jump(event)} />
      <div class="zoom">
        <button type="button" class="small" aria-label="Larger" onClick={() => middle(1.25)}>+</button>
        <button type="button" class="small" aria-label="Smaller" onClick={() => middle(0.8)}>−</button>
        <button type="button" class="small" onClick={fit}>All</button>
      </div>
      {card ? (
        <div class="card" role="status">
          <button type="button" class="small close" aria-label="Choose nothing" onClick={() => setChosenKey("")}>×</button>
          {about(card)}
        </div>
      ) : (
        <p class="hovered" aria-hidden="true">{hovered}</p>
      )}
      {(!done || done.isOld) && <p class="muted laying" role="status">Laying out {drawing.shapes.length.toLocaleString()} nodes …</p>}
    </div>
  );
}

/** What a shape depends on, and what depends on it. */
function neighbours(drawing: Drawing | undefined, of: number): ReadonlySet<number> {
  const near = new Set<number>();
  if (!drawing || of < 0) return near;
  for (const [from, to] of drawing.edges) {
    if (from === of) near.add(to);
    if (to === of) near.add(from);
  }
  return near;
}

/** Light or dark, for what is drawn and not styled. */
function useTheme(): string {
  const [theme, setTheme] = useState(document.documentElement.dataset["theme"] ?? "");
  useEffect(() => {
    const watch = new MutationObserver(() => setTheme(document.documentElement.dataset["theme"] ?? ""));
    watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => watch.disconnect();
  }, []);
  return theme;
}
