// Where the nodes of graphs go, and the ways through them.

import { expect, test } from "@playwright/test";
import { COLUMN, layout, ROW } from "../src/graph/layout";
import { Server } from "./server";

test("a layer of very many becomes a block, and no two nodes lie upon each other", () => {
  const many = 250;
  // A root that needs all of them, and one more that needs the root and one of them.
  const edges = Array.from({ length: many }, (_, index): [number, number] => [0, index + 1]);
  edges.push([many + 1, 0], [many + 1, 7]);
  const { x, y, width, height, starts, points } = layout(many + 2, edges);
  expect(height).toBeLessThan(50 * ROW);
  expect(width / height).toBeGreaterThan(0.5);
  expect(width / height).toBeLessThan(2);
  const places = new Set(Array.from(x, (at, index) => `${Math.round(at)} ${Math.round((y[index] ?? 0) / ROW)}`));
  expect(places.size).toBe(many + 2);
  // All of it is left of what needs it, and edges end at their nodes.
  for (let index = 1; index <= many; index += 1) expect(x[index] ?? 0).toBeLessThanOrEqual((x[0] ?? 0) - COLUMN + 1);
  edges.forEach(([from, to], edge) => {
    const [first, last] = [starts[edge] ?? 0, (starts[edge + 1] ?? 0) - 2];
    expect([points[first], points[first + 1], points[last], points[last + 1]]).toEqual([x[to], y[to], x[from], y[from]]);
  });
});

test("small graphs keep a column for each layer", () => {
  const { x } = layout(30, Array.from({ length: 29 }, (_, index): [number, number] => [0, index + 1]));
  expect(new Set(x).size).toBe(2);
});

test("one goes from node to node by keyboard, and opens one", async ({ page }) => {
  const server = await new Server().start();
  try {
    await server.add({ task_id: "Left_1", family: "Left", params: {} });
    await server.add({ task_id: "Right_1", family: "Right", params: {}, deps: ["Left_1"] });
    await page.goto(`${server.url}#/graph/Right_1`);
    const picture = page.locator("canvas.picture");
    await expect(picture).toHaveAttribute("data-laid", "yes");
    await picture.focus();
    const card = page.locator(".graph .card");
    await page.keyboard.press("ArrowUp");
    await expect(card).toContainText("Right()");
    await page.keyboard.press("ArrowLeft");
    await expect(card).toContainText("Left()");
    await page.keyboard.press("Shift+ArrowRight");
    await expect(card).toContainText("Left()");
    await page.keyboard.press("ArrowRight");
    await expect(card).toContainText("Right()");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/#\/task\/Left_1/);
  } finally {
    await server.end();
  }
});

test("far out, what failed is told from what is done without its colour, and the small picture is there", async ({ page }) => {
  const server = await new Server([], "[scheduler]\nretry_delay=3600\n").start();
  try {
    for (const [family, status] of [["Bad", "FAILED"], ["Good", "DONE"]] as const) {
      const tasks = Array.from({ length: 1500 }, (_, n) => ({ task_id: `${family}_${n}`, family, params: { n: String(n) }, status }));
      await server.addMany(tasks);
      await server.add({ task_id: `All${family}_1`, family: `All${family}`, params: {}, deps: tasks.map((task) => task.task_id) });
    }
    /** How many points of the picture have the colour in which boxes are crossed out, and nothing else is drawn; and how many are drawn at all. */
    const crossed = async (family: string) => {
      // Not from one graph to the next within the page, which shows the one before until it has the other.
      await page.goto("about:blank");
      await page.goto(`${server.url}#/graph/All${family}_1?families=each`);
      await expect(page.locator("canvas.picture")).toHaveAttribute("data-laid", "yes");
      await expect(page.locator("canvas.small-picture")).toBeVisible();
      return page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>("canvas.picture")!;
        const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
        let [white, dark] = [0, 0];
        for (let at = 0; at < data.length; at += 4) {
          if (data[at]! + data[at + 1]! + data[at + 2]! >= 3 * 254) white += 1;
          // Nor is it empty.
          if (data[at + 1]! < 110 && data[at + 3] === 255) dark += 1;
        }
        return { white, dark };
      });
    };
    const [good, bad] = [await crossed("Good"), await crossed("Bad")];
    expect(good.white).toBe(0);
    expect(good.dark).toBeGreaterThan(1000);
    expect(bad.white).toBeGreaterThan(1000);
    expect(bad.dark).toBeGreaterThan(1000);
  } finally {
    await server.end();
  }
});
