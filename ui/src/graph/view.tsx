// The picture of a graph, to be moved, enlarged, searched and clicked; by keyboard, too.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { draw, drawSmall, hit, longLabel, whole, type Sight } from "./canvas";
import type { Laid } from "./layout";
import type { Drawing, Shape } from "./shape";
import type { Asked } from "./layout.worker";

interface Wanted {
  drawing: Drawing;
  found: ReadonlySet<number>;
  /** A shape to be brought into sight. */
  focus: number;
  onChoose: (shape: Shape) => void;
  onLaid: (laid: Laid) => void;
}

/** Lays the drawing out in a thread of its own; the last one stays until the new one is there. */
function useLayout(drawing: Drawing): { laid: Laid; drawing: Drawing; isOld: boolean } | undefined {
  const [done, setDone] = useState<{ laid: Laid; drawing: Drawing; structure: string }>();
  const worker = useRef<Worker>(undefined);
  const turn = useRef(0);
  useEffect(() => () => worker.current?.terminate(), []);
  const structure = `${drawing.shapes.length} ${drawing.edges.length} ${drawing.shapes.map((shape) => shape.key).join("\n")}`;
  useEffect(() => {
    // What is asked now makes a former question pointless.
    worker.current?.terminate();
    worker.current = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    turn.current += 1;
    const mine = turn.current;
    worker.current.onmessage = (event: MessageEvent<{ turn: number; laid: Laid }>) => {
      if (event.data.turn === mine) setDone({ laid: event.data.laid, drawing, structure });
    };
    const asked: Asked = { turn: mine, count: drawing.shapes.length, edges: drawing.edges };
    worker.current.postMessage(asked);
  }, [structure]);
  if (!done) return undefined;
  // The same nodes may have other statuses meanwhile.
  const isOld = done.structure !== structure;
  return { laid: done.laid, drawing: isOld ? done.drawing : drawing, isOld };
}

export function GraphView({ drawing, found, focus, onChoose, onLaid }: Wanted) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const small = useRef<HTMLCanvasElement>(null);
  const [sight, setSight] = useState<Sight>();
  const [chosen, setChosen] = useState(0);
  const [hovered, setHovered] = useState("");
  const done = useLayout(drawing);
  const laid = done?.laid;

  const fit = useCallback(() => {
    const { clientWidth = 800, clientHeight = 500 } = canvas.current ?? {};
    if (laid) setSight(whole(laid, clientWidth, clientHeight));
  }, [laid]);
  useEffect(() => {
    if (laid) onLaid(laid);
    fit();
  }, [laid, fit]);
  useEffect(() => {
    if (!laid || focus < 0 || !canvas.current) return;
    const { clientWidth, clientHeight } = canvas.current;
    const scale = 1;
    setSight({ scale, x: (laid.x[focus] ?? 0) - clientWidth / scale / 2, y: (laid.y[focus] ?? 0) - clientHeight / scale / 2 });
    setChosen(focus);
  }, [focus, laid]);

  useEffect(() => {
    if (!done || !sight || !canvas.current) return;
    const place = canvas.current;
    const frame = requestAnimationFrame(() => {
      draw(place, done.drawing, done.laid, sight, { chosen, found });
      if (small.current) drawSmall(small.current, done.drawing, done.laid, sight, { width: place.clientWidth, height: place.clientHeight });
    });
    return () => cancelAnimationFrame(frame);
  }, [done?.laid, done?.drawing, sight, chosen, found]);
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
    const shape = done.drawing.shapes[index];
    if (!shape) return;
    setChosen(index);
    onChoose(shape);
  };
  const pressed = (event: KeyboardEvent) => {
    if (!sight || !canvas.current || !done) return;
    const { clientWidth, clientHeight } = canvas.current;
    const step = 80 / sight.scale;
    const moves: Record<string, () => void> = {
      ArrowLeft: () => setSight({ ...sight, x: sight.x - step }),
      ArrowRight: () => setSight({ ...sight, x: sight.x + step }),
      ArrowUp: () => setSight({ ...sight, y: sight.y - step }),
      ArrowDown: () => setSight({ ...sight, y: sight.y + step }),
      "+": () => zoom(1.25, clientWidth / 2, clientHeight / 2),
      "-": () => zoom(0.8, clientWidth / 2, clientHeight / 2),
      "0": fit,
      Enter: () => {
        const shape = done.drawing.shapes[chosen];
        if (shape) onChoose(shape);
      },
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
  return (
    <div class="graph">
      <canvas
        ref={canvas}
        class="picture"
        tabIndex={0}
        role="img"
        aria-label={`Graph of ${drawing.shapes.length} nodes. Arrows move it, plus and minus change its size, 0 shows all of it. The list below has the same nodes.`}
        data-laid={done && !done.isOld ? "yes" : "no"}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onKeyDown={pressed}
      />
      <canvas ref={small} class="small-picture" width={180} height={110} aria-hidden="true" onClick={jump} />
      <div class="zoom">
        <button type="button" class="small" aria-label="Larger" onClick={() => middle(1.25)}>+</button>
        <button type="button" class="small" aria-label="Smaller" onClick={() => middle(0.8)}>−</button>
        <button type="button" class="small" onClick={fit}>All</button>
      </div>
      <p class="hovered" aria-hidden="true">{hovered}</p>
      {(!done || done.isOld) && <p class="muted laying" role="status">Laying out {drawing.shapes.length.toLocaleString()} nodes …</p>}
    </div>
  );
}
