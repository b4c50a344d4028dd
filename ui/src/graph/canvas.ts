// Draws a laid-out graph: only what is in sight, and only as much of it as can be made out.

import { lookOf } from "../parts/status";
import { plain } from "../parts/text";
import type { Laid } from "./layout";
import { countsText, URGENCY, type Drawing, type Shape } from "./shape";

export const WIDTH = 210;
export const HEIGHT = 40;
const ROUND = 6;

/** Which part is seen: the place of the canvas's corner, and how large a unit is in pixels. */
export interface Sight {
  x: number;
  y: number;
  scale: number;
}

export interface Paint {
  background: string;
  panel: string;
  text: string;
  muted: string;
  edge: string;
  accent: string;
  fill: (colour: string) => string;
  stroke: (colour: string) => string;
}

/** The colours of the style sheet as they are now. */
export function colours(): Paint {
  const style = getComputedStyle(document.documentElement);
  // To ask the style sheet takes long, and each box asks.
  const known = new Map<string, string>();
  const read = (name: string) => {
    let value = known.get(name);
    if (value === undefined) known.set(name, (value = style.getPropertyValue(`--${name}`).trim()));
    return value;
  };
  return {
    background: read("canvas"),
    panel: read("panel"),
    text: read("text"),
    muted: read("muted"),
    edge: read("edge"),
    accent: read("accent"),
    fill: (colour) => read(`${colour}-fill`),
    stroke: (colour) => read(colour),
  };
}

export function shortLabel(shape: Shape): string {
  if (shape.counts) return `${shape.label} × ${shape.size}`;
  return plain(shape.label.length > 200 ? `${shape.label.slice(0, 200)}…` : shape.label);
}

/** The family, and below it the parameters or what a family's tasks are. */
export function labels(shape: Shape): [string, string] {
  if (shape.counts) return [`${plain(shape.label)} × ${shape.size.toLocaleString()}`, countsText(shape.counts)];
  const label = plain(shape.label.slice(0, 200));
  const at = label.indexOf("(");
  return at < 0 ? [label, ""] : [label.slice(0, at), label.slice(at + 1).replace(/\)$/, "")];
}

export function longLabel(shape: Shape): string {
  return shape.counts ? `${plain(shape.label)}: ${countsText(shape.counts)}` : plain(shape.label.slice(0, 500));
}

export interface Marked {
  chosen: number;
  found: ReadonlySet<number>;
  /** What is beside the chosen one; nothing else is drawn loudly while something is chosen. */
  near: ReadonlySet<number>;
}

export function draw(canvas: HTMLCanvasElement, drawing: Drawing, laid: Laid, sight: Sight, marked: Marked): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const density = devicePixelRatio || 1;
  const { clientWidth, clientHeight } = canvas;
  if (canvas.width !== Math.round(clientWidth * density) || canvas.height !== Math.round(clientHeight * density)) {
    canvas.width = Math.round(clientWidth * density);
    canvas.height = Math.round(clientHeight * density);
  }
  const paint = colours();
  context.setTransform(density, 0, 0, density, 0, 0);
  context.fillStyle = paint.background;
  context.fillRect(0, 0, clientWidth, clientHeight);
  context.setTransform(density * sight.scale, 0, 0, density * sight.scale, -sight.x * sight.scale * density, -sight.y * sight.scale * density);
  const seen = { left: sight.x, top: sight.y, right: sight.x + clientWidth / sight.scale, bottom: sight.y + clientHeight / sight.scale };
  lines(context, drawing, laid, sight, seen, marked, paint);
  boxes(context, drawing, laid, sight, seen, marked, paint);
}

interface Seen {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

function lines(context: CanvasRenderingContext2D, { edges }: Drawing, laid: Laid, sight: Sight, seen: Seen, marked: Marked, paint: Paint): void {
  const loud: number[] = [];
  const { points, starts } = laid;
  context.strokeStyle = paint.edge;
  context.lineWidth = Math.max(1, 0.6 / sight.scale);
  context.globalAlpha = marked.chosen >= 0 ? 0.35 : 0.8;
  context.beginPath();
  for (let edge = 0; edge < edges.length; edge += 1) {
    const [from, to] = edges[edge] ?? [-1, -1];
    const first = starts[edge] ?? 0;
    const last = (starts[edge + 1] ?? 0) - 2;
    if ((points[last] ?? 0) < seen.left || (points[first] ?? 0) > seen.right) continue;
    const y0 = points[first + 1] ?? 0;
    const y1 = points[last + 1] ?? 0;
    if (last - first === 2 && (Math.max(y0, y1) < seen.top || Math.min(y0, y1) > seen.bottom)) continue;
    if (marked.chosen >= 0 && (from === marked.chosen || to === marked.chosen)) loud.push(edge);
    else trace(context, laid, edge, sight.scale < STRAIGHT);
  }
  context.stroke();
  context.globalAlpha = 1;
  if (loud.length === 0) return;
  context.strokeStyle = paint.accent;
  context.lineWidth = Math.max(1.6, 1 / sight.scale);
  context.beginPath();
  for (const edge of loud) trace(context, laid, edge, false);
  context.stroke();
}

function boxes(context: CanvasRenderingContext2D, { shapes }: Drawing, laid: Laid, sight: Sight, seen: Seen, marked: Marked, paint: Paint): void {
  context.textBaseline = "middle";
  const sizes = sizesOf(shapes);
  for (let index = 0; index < shapes.length; index += 1) {
    const x = (laid.x[index] ?? 0) - WIDTH / 2;
    const y = (laid.y[index] ?? 0) - HEIGHT / 2;
    if (x > seen.right || x + WIDTH < seen.left || y > seen.bottom || y + HEIGHT < seen.top) continue;
    const shape = shapes[index];
    if (!shape) continue;
    const isQuiet = (marked.chosen >= 0 && index !== marked.chosen && !marked.near.has(index)) || (marked.found.size > 0 && !marked.found.has(index));
    context.globalAlpha = isQuiet ? 0.45 : 1;
    if (sight.scale > READABLE) box(context, shape, x, y, paint);
    else if (sight.scale > COARSE) coarse(context, shape, shortName(shape, sizes), x, y, sight.scale, paint);
    else tiny(context, shape, x, y, sight.scale, paint);
    if (index === marked.chosen || marked.found.has(index)) {
      context.strokeStyle = paint.accent;
      context.lineWidth = Math.max(index === marked.chosen ? 3 : 2, 1.5 / sight.scale);
      rounded(context, x - 3, y - 3, WIDTH + 6, HEIGHT + 6, ROUND + 2);
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}

function rounded(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, round: number): void {
  context.beginPath();
  context.roundRect(x, y, width, height, round);
}

/** Below this scale nobody can tell a curve from a line, which is drawn far sooner. */
const STRAIGHT = 0.15;

function trace(context: CanvasRenderingContext2D, { points, starts }: Laid, edge: number, isStraight: boolean): void {
  const first = starts[edge] ?? 0;
  const last = (starts[edge + 1] ?? 0) - 2;
  let fromX = (points[first] ?? 0) + WIDTH / 2;
  let fromY = points[first + 1] ?? 0;
  context.moveTo(fromX, fromY);
  for (let index = first + 2; index <= last; index += 2) {
    const x = (points[index] ?? 0) - (index === last ? WIDTH / 2 : 0);
    const y = points[index + 1] ?? 0;
    const middle = (fromX + x) / 2;
    if (isStraight) context.lineTo(x, y);
    else context.bezierCurveTo(middle, fromY, middle, y, x, y);
    [fromX, fromY] = [x, y];
  }
}

/** Below this scale two lines of text cannot be read, but one large one and the sign; below the other one neither. */
const READABLE = 0.45;
const COARSE = 0.2;

/** How many boxes there are of each family, counted once for a drawing. */
const counted = new WeakMap<readonly Shape[], Map<string, number>>();

function sizesOf(shapes: readonly Shape[]): Map<string, number> {
  let sizes = counted.get(shapes);
  if (!sizes) {
    sizes = new Map();
    for (const { family } of shapes) sizes.set(family, (sizes.get(family) ?? 0) + 1);
    counted.set(shapes, sizes);
  }
  return sizes;
}

/** What tells a box from its neighbours: among many of a family what its parameters hold, else the family without its namespace. */
function shortName(shape: Shape, sizes: Map<string, number>): string {
  const [family, params] = labels(shape);
  if (params && !shape.counts && (sizes.get(shape.family) ?? 0) > 8) return params.replace(/(^|, )\w+=/g, "$1");
  return family.slice(family.lastIndexOf(".") + 1);
}

/** Its end as a rule tells more than its middle: of dates, paths and numbers. */
function shortened(name: string, fits: number): string {
  if (name.length <= fits) return name;
  const end = Math.ceil((fits - 1) / 2);
  return `${name.slice(0, fits - 1 - end)}…${name.slice(name.length - end)}`;
}

/** A box whose sign and name are as large as it has room for. */
function coarse(context: CanvasRenderingContext2D, shape: Shape, name: string, x: number, y: number, scale: number, paint: Paint): void {
  const look = lookOf(shape.status);
  context.fillStyle = paint.fill(look.colour);
  context.fillRect(x, y, WIDTH, HEIGHT);
  context.strokeStyle = paint.stroke(look.colour);
  context.lineWidth = 1 / scale;
  context.strokeRect(x, y, WIDTH, HEIGHT);
  const size = Math.min(0.8 * HEIGHT, 12 / scale);
  context.font = `bold ${size}px system-ui, sans-serif`;
  context.fillStyle = paint.stroke(look.colour);
  context.fillText(look.sign, x + 6, y + HEIGHT / 2);
  const fits = Math.floor((WIDTH - size - 14) / (0.62 * size));
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.fillStyle = paint.text;
  context.fillText(shortened(name, fits), x + size + 10, y + HEIGHT / 2, WIDTH - size - 14);
}

/** A box too small for a sign: statuses differ in what is filled and crossed out, not by colour alone. */
function tiny(context: CanvasRenderingContext2D, shape: Shape, x: number, y: number, scale: number, paint: Paint): void {
  const { colour } = lookOf(shape.status);
  const [full, pale] = [paint.stroke(colour), paint.fill(colour)];
  const filled = { DONE: [0, 1], FAILED: [0, 1], DISABLED: [0, 1], RUNNING: [0, 0.5], BATCH_RUNNING: [0.5, 1] } as const;
  const [from, to] = filled[(shape.status ?? "UNKNOWN") as keyof typeof filled] ?? [0, 0];
  context.fillStyle = from === 0 && to === 1 ? full : pale;
  context.fillRect(x, y, WIDTH, HEIGHT);
  context.lineWidth = 1 / scale;
  if (from !== 0 || to !== 1) {
    context.fillStyle = full;
    context.fillRect(x + from * WIDTH, y, (to - from) * WIDTH, HEIGHT);
    context.strokeStyle = full;
    context.strokeRect(x, y, WIDTH, HEIGHT);
  }
  if (shape.status !== "FAILED" && shape.status !== "DISABLED") return;
  context.strokeStyle = paint.panel;
  context.lineWidth = 1.5 / scale;
  context.beginPath();
  context.moveTo(x, y + HEIGHT);
  context.lineTo(x + WIDTH, y);
  if (shape.status === "FAILED") {
    context.moveTo(x, y);
    context.lineTo(x + WIDTH, y + HEIGHT);
  }
  context.stroke();
}

function box(context: CanvasRenderingContext2D, shape: Shape, x: number, y: number, paint: Paint): void {
  const look = lookOf(shape.status);
  context.fillStyle = paint.panel;
  context.strokeStyle = paint.stroke(look.colour);
  context.lineWidth = 1.2;
  if (shape.counts) {
    // A family looks like a pile.
    rounded(context, x + 4, y + 4, WIDTH, HEIGHT, ROUND);
    context.fill();
    context.stroke();
  }
  rounded(context, x, y, WIDTH, HEIGHT, ROUND);
  context.fill();
  context.fillStyle = paint.fill(look.colour);
  context.fill();
  context.stroke();
  context.save();
  context.clip();
  context.fillStyle = paint.stroke(look.colour);
  context.font = "bold 13px system-ui, sans-serif";
  context.fillText(look.sign, x + 9, y + HEIGHT / 2);
  const [first, second] = labels(shape);
  context.fillStyle = paint.text;
  context.font = "600 12px system-ui, sans-serif";
  context.fillText(first, x + 28, second ? y + 14 : y + HEIGHT / 2, WIDTH * 2);
  if (second) {
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = paint.muted;
    context.fillText(second, x + 28, y + 28, WIDTH * 2);
  }
  context.restore();
  if (shape.counts) shares(context, shape, x, y + HEIGHT - 3, paint);
}

/** How a family's tasks are divided, as a band at the foot of its box. */
function shares(context: CanvasRenderingContext2D, { counts = {}, size }: Shape, x: number, y: number, paint: Paint): void {
  let at = x + 3;
  for (const status of URGENCY) {
    const width = ((counts[status] ?? 0) / size) * (WIDTH - 6);
    context.fillStyle = paint.stroke(lookOf(status).colour);
    context.fillRect(at, y - 1, width, 3);
    at += width;
  }
}

/** The shape at a place of the graph, or -1. */
export function hit(shapes: readonly Shape[], laid: Laid, x: number, y: number): number {
  for (let index = shapes.length - 1; index >= 0; index -= 1) {
    if (Math.abs((laid.x[index] ?? 0) - x) <= WIDTH / 2 && Math.abs((laid.y[index] ?? 0) - y) <= HEIGHT / 2) return index;
  }
  return -1;
}

/** From one shape, or a place, the next one that way; -1 if there is none. */
export function beside(shapes: readonly Shape[], laid: Laid, from: { x: number; y: number }, [right, down]: readonly [number, number]): number {
  let best = -1;
  let least = Infinity;
  for (let index = 0; index < shapes.length; index += 1) {
    const dx = (laid.x[index] ?? 0) - from.x;
    const dy = (laid.y[index] ?? 0) - from.y;
    const along = dx * right + dy * down;
    // What is nearly in line comes before what is nearer and aside.
    const aside = Math.abs(dx * down) + Math.abs(dy * right);
    if (along > 1 && along + 3 * aside < least) [best, least] = [index, along + 3 * aside];
  }
  return best;
}

/** The sight in which all of the graph is seen. */
export function whole(laid: Laid, width: number, height: number): Sight {
  const scale = Math.min(1.2, width / (laid.width + 40), height / (laid.height + 40));
  return { scale, x: laid.width / 2 - width / scale / 2, y: laid.height / 2 - height / scale / 2 };
}

/** The boxes of a small picture, as they were drawn last: they change seldom, what is seen often. */
let kept: { laid: Laid; drawing: Drawing; theme: string; picture: HTMLCanvasElement } | undefined;

function smallBoxes(width: number, height: number, drawing: Drawing, laid: Laid): HTMLCanvasElement {
  const theme = document.documentElement.dataset["theme"] ?? "";
  if (kept?.laid === laid && kept.drawing === drawing && kept.theme === theme) return kept.picture;
  const picture = document.createElement("canvas");
  picture.width = width;
  picture.height = height;
  const context = picture.getContext("2d");
  const scale = Math.min(width / laid.width, height / laid.height);
  const paint = colours();
  if (context) {
    context.fillStyle = paint.background;
    context.fillRect(0, 0, width, height);
    drawing.shapes.forEach((shape, index) => {
      context.fillStyle = paint.stroke(lookOf(shape.status).colour);
      context.fillRect(((laid.x[index] ?? 0) - WIDTH / 2) * scale, ((laid.y[index] ?? 0) - HEIGHT / 2) * scale, Math.max(1, WIDTH * scale), Math.max(1, HEIGHT * scale));
    });
  }
  kept = { laid, drawing, theme, picture };
  return picture;
}

/** A small picture of the whole, with a frame around what is seen. */
export function drawSmall(canvas: HTMLCanvasElement, drawing: Drawing, laid: Laid, sight: Sight, seen: { width: number; height: number }): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const scale = Math.min(canvas.width / laid.width, canvas.height / laid.height);
  context.drawImage(smallBoxes(canvas.width, canvas.height, drawing, laid), 0, 0);
  context.strokeStyle = colours().accent;
  context.lineWidth = 2;
  context.strokeRect(sight.x * scale, sight.y * scale, (seen.width / sight.scale) * scale, (seen.height / sight.scale) * scale);
}
