// The pictures of the book, taken of a server with real workers that run the nightly jobs of a shop. Each is
// taken each time; they are written into the book only on demand, as no two are the same byte by byte.

import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { Server } from "./server";

const BOOK = join(import.meta.dirname, "../../docs/how-to/web-page");
/** No picture in the book is to weigh more, in bytes. */
const HEAVIEST = 150_000;
let server: Server;

test.use({ viewport: { width: 1120, height: 680 } });

test.beforeAll(async () => {
  server = await new Server([], "[scheduler]\nretry_delay=900\n[resources]\ndatabase=3\ngpu=1\n").start();
  server.run("shop", "Night", "--days", "3", "--workers", "4");
  await expect
    .poll(async () => (await server.get("tasks?status=RUNNING&family=demand.Train")).total + (await server.get("tasks?family=quality.CheckStock&status=FAILED")).total, { timeout: 240_000 })
    .toBe(2);
  // A second worker, for whom there is work, too.
  server.run("shop", "Archive", "--weeks", "60", "--workers", "3");
  await expect.poll(async () => (await server.get("tasks?family=archive.Upload&status=DONE")).total, { timeout: 240_000 }).toBeGreaterThan(5);
});

test.afterAll(() => server.end());

async function idOf(query: string): Promise<string> {
  return encodeURIComponent((await server.get(`tasks?${query}`)).items[0].id);
}

/** Takes the picture once nothing is on its way any more. */
async function take(page: Page, name: string, info: { outputPath: (name: string) => string }): Promise<void> {
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  const write = process.env["CONDOTTA_UI_WRITE"];
  if (write) mkdirSync(BOOK, { recursive: true });
  const path = write ? join(BOOK, `${name}.png`) : info.outputPath(`${name}.png`);
  await page.screenshot({ path, animations: "disabled" });
  expect(statSync(path).size, name).toBeGreaterThan(10_000);
  if (write) expect(statSync(path).size, name).toBeLessThan(HEAVIEST);
}

test("the overview", async ({ page }, info) => {
  await page.goto(server.url);
  await expect(page.getByRole("region", { name: "Running now" })).toContainText("demand.Train");
  await expect(page.getByRole("region", { name: "Failed or disabled last" })).toContainText("quality.CheckStock");
  await expect(page.getByRole("region", { name: "Waiting", exact: true }).locator(".why").first()).toBeVisible();
  await take(page, "overview", info);
});

test("the tasks", async ({ page }, info) => {
  await page.setViewportSize({ width: 1120, height: 640 });
  await page.goto(`${server.url}#/tasks`);
  await expect(page.locator("tbody tr").nth(5)).toBeVisible();
  await take(page, "tasks", info);
});

test("a task that runs, with its log", async ({ page }, info) => {
  await page.setViewportSize({ width: 1120, height: 600 });
  await page.goto(`${server.url}#/task/${await idOf("family=demand.Train")}`);
  await expect(page.getByRole("log")).toContainText("loss");
  await take(page, "task", info);
});

test("a task that failed", async ({ page }, info) => {
  await page.emulateMedia({ colorScheme: "dark" });
  // Without the places of files in the log, which differ from machine to machine.
  await page.setViewportSize({ width: 1120, height: 480 });
  await page.goto(`${server.url}#/task/${await idOf("family=quality.CheckStock")}`);
  await expect(page.getByRole("region", { name: "What went wrong" })).toContainText("garden chair, oak");
  await take(page, "failed", info);
});

test("a graph", async ({ page }, info) => {
  await page.goto(`${server.url}#/graph/${await idOf("family=Night")}`);
  await expect(page.locator("canvas.picture")).toHaveAttribute("data-laid", "yes");
  await page.getByLabel("families as one").check();
  await expect(page.locator("canvas.picture")).toHaveAttribute("data-laid", "yes");
  await take(page, "graph", info);
});

test("a timeline", async ({ page }, info) => {
  await page.goto(`${server.url}#/timeline?by=family&period=600`);
  await expect(page.locator(".gantt .span").nth(20)).toBeVisible();
  await take(page, "timeline", info);
});

test("the history", async ({ page }, info) => {
  await page.goto(`${server.url}#/history?period=1`);
  await expect(page.locator("[data-attempt]").nth(10)).toBeVisible();
  await take(page, "history", info);
});

test("on a phone", async ({ page }, info) => {
  await page.setViewportSize({ width: 390, height: 780 });
  await page.goto(server.url);
  await expect(page.getByRole("region", { name: "Unfinished tasks" }).getByRole("group", { name: /^Unfinished tasks from/ })).toBeVisible();
  await take(page, "phone", info);
});
