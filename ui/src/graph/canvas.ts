// Draws a laid-out graph: only what is in sight, and only as much of it as can be made out.

import { lookOf } from "../parts/status";
import { plain } from "../parts/text";
import type { Laid } from "./layout";
import { countsText, type Drawing, type Shape } from "./shape";

export const WIDTH = 200;
export const HEIGHT = 28;

/** Which part is seen: the place of the canvas's corner, and how large a unit is in pixels. */
export interface Sight {
  x: number;
  y: number;
  scale: number;
}

export interface Paint {
  background: string;
  text: string;
  edge: string;
  accent: string;
  fill: (colour: string) => string;
  stroke: (colour: string) => string;
}

/** The colours of the style sheet as they are now. */
export function colours(): Paint {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    background: read("background"),
    text: read("text"),
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

export function longLabel(shape: Shape): string {
  return shape.counts ? `${plain(shape.label)}: ${countsText(shape.counts)}` : plain(shape.label.slice(0, 500));
}

export interface Marked {
  chosen: number;
  found: ReadonlySet<number>;
}

export function draw(canvas: HTMLCanvasElement, { shapes }: Drawing, laid: Laid, sight: Sight, marked: Marked): void {
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
  const right = sight.x + clientWidth / sight.scale;
  const bottom = sight.y + clientHeight / sight.scale;

  context.strokeStyle = paint.edge;
  context.lineWidth = Math.max(1, 0.5 / sight.scale);
  context.beginPath();
  for (const route of laid.routes) {
    const last = route.length - 2;
    const x0 = route[0] ?? 0;
    const x1 = route[last] ?? 0;
    if (x1 < sight.x || x0 > right) continue;
    const y0 = route[1] ?? 0;
    const y1 = route[last + 1] ?? 0;
    if (last === 2 && Math.max(y0, y1) < sight.y) continue;
    if (last === 2 && Math.min(y0, y1) > bottom) continue;
    trace(context, route);
  }
  context.stroke();

  const readable = sight.scale > 0.45;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (let index = 0; index < shapes.length; index += 1) {
    const x = (laid.x[index] ?? 0) - WIDTH / 2;
    const y = (laid.y[index] ?? 0) - HEIGHT / 2;
    if (x > right || x + WIDTH < sight.x || y > bottom || y + HEIGHT < sight.y) continue;
    const shape = shapes[index];
    if (!shape) continue;
    box(context, shape, x, y, paint, readable);
    if (index === marked.chosen || marked.found.has(index)) {
      context.strokeStyle = paint.accent;
      context.lineWidth = index === marked.chosen ? 4 : 3;
      context.strokeRect(x - 3, y - 3, WIDTH + 6, HEIGHT + 6);
    }
  }
}

function trace(context: CanvasRenderingContext2D, route: Float32Array): void {
  context.moveTo((route[0] ?? 0) + WIDTH / 2, route[1] ?? 0);
  for (let index = 2; index < route.length; index += 2) {
    const isLast = index === route.length - 2;
    const x = (route[index] ?? 0) - (isLast ? WIDTH / 2 : 0);
    const y = route[index + 1] ?? 0;
    const fromX = (route[index - 2] ?? 0) + (index === 2 ? WIDTH / 2 : 0);
    const fromY = route[index - 1] ?? 0;
    const middle = (fromX + x) / 2;
    context.bezierCurveTo(middle, fromY, middle, y, x, y);
  }
}

function box(context: CanvasRenderingContext2D, shape: Shape, x: number, y: number, paint: Paint, readable: boolean): void {
  const look = lookOf(shape.status);
  context.fillStyle = paint.fill(look.colour);
  context.strokeStyle = paint.stroke(look.colour);
  context.lineWidth = 1.5;
  if (!readable) {
    context.fillStyle = paint.stroke(look.colour);
    context.fillRect(x, y, WIDTH, HEIGHT);
    return;
  }
  if (shape.counts) {
    // A family looks like a pile.
    context.strokeRect(x + 4, y + 4, WIDTH, HEIGHT);
    context.fillRect(x, y, WIDTH, HEIGHT);
  }
  context.fillRect(x, y, WIDTH, HEIGHT);
  context.strokeRect(x, y, WIDTH, HEIGHT);
  context.save();
  context.beginPath();
  context.rect(x, y, WIDTH - 4, HEIGHT);
  context.clip();
  context.fillStyle = paint.text;
  context.fillText(`${look.sign} ${shortLabel(shape)}`, x + 8, y + HEIGHT / 2);
  context.restore();
}

/** The shape at a place of the graph, or -1. */
export function hit(shapes: readonly Shape[], laid: Laid, x: number, y: number): number {
  for (let index = shapes.length - 1; index >= 0; index -= 1) {
    if (Math.abs((laid.x[index] ?? 0) - x) <= WIDTH / 2 && Math.abs((laid.y[index] ?? 0) - y) <= HEIGHT / 2) return index;
  }
  return -1;
}

/** The sight in which all of the graph is seen. */
export function whole(laid: Laid, width: number, height: number): Sight {
  const scale = Math.min(1.2, width / (laid.width + 40), height / (laid.height + 40));
  return { scale, x: laid.width / 2 - width / scale / 2, y: laid.height / 2 - height / scale / 2 };
}

/** A small picture of the whole, with a frame around what is seen. */
export function drawSmall(canvas: HTMLCanvasElement, { shapes }: Drawing, laid: Laid, sight: Sight, seen: { width: number; height: number }): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const scale = Math.min(canvas.width / laid.width, canvas.height / laid.height);
  const paint = colours();
  context.fillStyle = paint.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  shapes.forEach((shape, index) => {
    context.fillStyle = paint.stroke(lookOf(shape.status).colour);
    context.fillRect(((laid.x[index] ?? 0) - WIDTH / 2) * scale, ((laid.y[index] ?? 0) - HEIGHT / 2) * scale, Math.max(1, WIDTH * scale), Math.max(1, HEIGHT * scale));
  });
  context.strokeStyle = paint.accent;
  context.lineWidth = 2;
  context.strokeRect(sight.x * scale, sight.y * scale, (seen.width / sight.scale) * scale, (seen.height / sight.scale) * scale);
}
