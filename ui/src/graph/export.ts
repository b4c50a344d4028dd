// A graph as a file: SVG as it is drawn, DOT and JSON as it is.

import { lookOf } from "../parts/status";
import { plain } from "../parts/text";
import { HEIGHT, WIDTH, colours, labels, shortLabel } from "./canvas";
import type { Laid } from "./layout";
import type { Drawing } from "./shape";

const escape = (text: string) => plain(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

export function asSvg({ shapes, edges }: Drawing, laid: Laid): string {
  const paint = colours();
  const lines = edges.map((_, edge) => {
    const route = laid.points.subarray(laid.starts[edge], laid.starts[edge + 1]);
    const points = Array.from({ length: route.length / 2 }, (_, index) => `${route[2 * index]?.toFixed(1)},${route[2 * index + 1]?.toFixed(1)}`);
    return `<polyline points="${points.join(" ")}"/>`;
  });
  const boxes = shapes.map((shape, index) => {
    const x = (laid.x[index] ?? 0) - WIDTH / 2;
    const y = (laid.y[index] ?? 0) - HEIGHT / 2;
    const look = lookOf(shape.status);
    const [first, second] = labels(shape);
    return (
      `<g><title>${escape(shape.label)}</title><rect x="${x}" y="${y.toFixed(1)}" width="${WIDTH}" height="${HEIGHT}" rx="5" fill="${paint.fill(look.colour)}" stroke="${paint.stroke(look.colour)}"/>` +
      `<text x="${x + 9}" y="${(y + HEIGHT / 2 + 4).toFixed(1)}">${escape(look.sign)}</text>` +
      `<text x="${x + 28}" y="${(y + (second ? 17 : HEIGHT / 2 + 4)).toFixed(1)}" font-weight="600">${escape(cut(first, 26))}</text>` +
      `<text x="${x + 28}" y="${(y + 31).toFixed(1)}" font-size="11">${escape(cut(second, 30))}</text></g>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${laid.width} ${laid.height}" font-family="sans-serif" font-size="12">` +
    `<rect width="100%" height="100%" fill="${paint.background}"/><g fill="none" stroke="${paint.edge}">${lines.join("")}</g><g fill="${paint.text}">${boxes.join("")}</g></svg>\n`
  );
}

export function asDot({ shapes, edges }: Drawing): string {
  const quoted = (text: string) => `"${plain(text).replace(/[\\"]/g, (sign) => `\\${sign}`).replace(/\n/g, "\\n")}"`;
  const nodes = shapes.map((shape) => `  ${quoted(shape.key)} [label=${quoted(shortLabel(shape))}, tooltip=${quoted(lookOf(shape.status).word)}];`);
  const arrows = edges.map(([from, to]) => `  ${quoted(shapes[to]?.key ?? "")} -> ${quoted(shapes[from]?.key ?? "")};`);
  return `digraph tasks {\n  rankdir=LR;\n  node [shape=box];\n${nodes.join("\n")}\n${arrows.join("\n")}\n}\n`;
}

export function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
