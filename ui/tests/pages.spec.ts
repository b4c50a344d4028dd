// Each page, with tasks that a worker of the tests announces: what it shows, that it follows changes by
// itself, and that its address holds all of it.

import { expect, test } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await new Server([], "[scheduler]\nworker_disconnect_delay=3600\n[resources]\ngpu=2\n").start();
  await server.add({ task_id: "db.Load_1", family: "db.Load", params: { day: "2026-11-01", table: "rivers" }, deps: ["db.Extract_1"], resources: { gpu: 1 }, priority: 5 });
  await server.add({ task_id: "db.Extract_1", family: "db.Extract", params: { day: "2026-11-01" }, priority: 9 });
  await server.add({ task_id: "Report_1", family: "Report", params: {}, deps: ["db.Load_1"] });
  await server.add({ task_id: "Done_1", family: "Done", status: "DONE", params: { n: "1" } });
  await server.rpc("add_worker", { worker: "w1", info: { host: "here", pid: 7, workers: 2 } });
});

test.afterAll(() => server.end());

test("the overview says how things stand, and follows", async ({ page }) => {
  await page.goto(server.url);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("All is well.");
  await expect(page.locator("[data-status=PENDING] strong")).toHaveText("3");
  await expect(page.getByRole("region", { name: "Waiting" })).toContainText("db.Extract");
  await server.add({ task_id: "Wrong_1", family: "Wrong", params: {}, status: "FAILED", expl: '"no disk"' });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("1 task failed.");
  await expect(page.getByRole("region", { name: "Failed or disabled last" })).toContainText("Wrong");
  // From there to what went wrong: one click on, two in all.
  await page.getByRole("link", { name: "what went wrong" }).first().click();
  await expect(page.getByRole("region", { name: "What went wrong" })).toContainText("no disk");
});

test("tasks are filtered, sorted and found again by their address", async ({ page }) => {
  await page.goto(`${server.url}#/tasks`);
  await expect(page.locator("tbody tr")).toHaveCount(5);
  await page.getByRole("group", { name: "Statuses" }).getByRole("button", { name: /^✓ done|done 1$/ }).first().click();
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await expect(page).toHaveURL(/status=DONE/);
  await page.reload();
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.goBack();
  await expect(page.locator("tbody tr")).toHaveCount(5);
  await page.getByRole("searchbox", { name: "Search tasks" }).fill("load rivers");
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await expect(page.locator("tbody tr")).toContainText("db.Load");
  await page.goto(`${server.url}#/tasks?sort=-priority`);
  await expect(page.locator("tbody tr").first()).toContainText("db.Extract");
  await page.locator("button.family", { hasText: "db.Load" }).click();
  await expect(page).toHaveURL(/family=db.Load/);
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.goto(`${server.url}#/tasks?param=day%3D2026-11-01`);
  await expect(page.locator("tbody tr")).toHaveCount(2);
});

test("tasks are filtered by the time of their last change", async ({ page }) => {
  await page.goto(`${server.url}#/tasks?status=DONE`);
  const rows = page.locator("tbody tr");
  await expect(rows).toHaveCount(1);
  await page.getByLabel("When").selectOption("in the last 10 minutes");
  await expect(page).toHaveURL(/updated_since=\d+/);
  await expect(rows).toHaveCount(1);
  await page.getByLabel("When").selectOption("between …");
  await page.getByLabel("From").fill("2020-01-01T00:00");
  await page.getByLabel("Until").fill("2020-01-02T00:00");
  await expect(rows).toHaveCount(0);
  await page.reload();
  await expect(page.getByLabel("Until")).toHaveValue("2020-01-02T00:00");
  await expect(rows).toHaveCount(0);
  await page.getByLabel("When").selectOption("at any time");
  await expect(rows).toHaveCount(1);
  // It was announced as done, so it was never started.
  await page.getByLabel("When").selectOption("in the last day");
  await page.getByLabel("Which time").selectOption("started");
  await expect(page).toHaveURL(/started_since=\d+/);
  await expect(rows).toHaveCount(0);
});

test("tasks are filtered by what they wait for, by namespace, worker and resource", async ({ page }) => {
  await server.add({ worker: "w2", task_id: "Other_1", family: "Other", params: {} });
  await page.goto(`${server.url}#/tasks`);
  const rows = page.locator("tbody tr");
  const loads = page.getByRole("navigation", { name: "Families" }).locator("details", { hasText: "db" }).first();
  await expect(loads.locator("summary")).toHaveText("db 2");
  await loads.getByRole("button", { name: "all of it" }).click();
  await expect(page).toHaveURL(/namespace=db/);
  await expect(rows).toHaveCount(2);
  await page.getByRole("button", { name: "clear all" }).click();
  await expect(page).not.toHaveURL(/namespace/);
  const add = async (kind: string, value: string) => {
    await page.getByLabel("Filter by", { exact: true }).selectOption(kind);
    await page.getByRole("textbox", { name: "The value to filter by" }).fill(value);
    await page.keyboard.press("Enter");
  };
  await add("worker", "w2");
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("Other");
  await page.getByRole("button", { name: "worker: w2" }).click();
  await add("resource", "gpu");
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("db.Load");
  await server.add({ task_id: "Hopeless_1", family: "Hopeless", params: {}, deps: ["Off_1"] });
  await server.add({ task_id: "Off_1", family: "Off", params: {}, status: "DISABLED" });
  await page.goto(`${server.url}#/tasks`);
  await page.getByRole("group", { name: "What they wait for" }).getByRole("button", { name: "upstream disabled" }).click();
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("Hopeless");
});

test("a run says how far it is, what it does and where it can be watched", async ({ page }) => {
  await server.add({ worker: "w3", task_id: "Run_1", family: "Run", params: {}, priority: 99 });
  expect(await server.work("w3")).toBe("Run_1");
  await page.goto(`${server.url}#/task/Run_1`);
  const about = page.getByRole("region", { name: "About" });
  await server.rpc("set_task_progress_percentage", { task_id: "Run_1", progress_percentage: 42 });
  await server.rpc("set_task_status_message", { task_id: "Run_1", status_message: "halfway" });
  await server.add({ worker: "w3", task_id: "Run_1", status: "RUNNING", tracking_url: "https://example.org/runs/7" });
  await expect(about.getByRole("progressbar")).toHaveAttribute("value", "42");
  await expect(about).toContainText("halfway");
  const link = about.getByRole("link", { name: "https://example.org/runs/7" });
  await expect(link).toHaveAttribute("rel", /noopener noreferrer/);
  await server.add({ worker: "w3", task_id: "Run_1", family: "Run", status: "DONE" });
});

test("what is done can be left out of a graph, and the picture is enlarged and moved by mouse", async ({ page }) => {
  await server.add({ task_id: "Half_1", family: "Half", params: {}, deps: ["Done_1", "db.Extract_1"] });
  await page.goto(`${server.url}#/graph/Half_1`);
  const nodes = page.getByRole("region", { name: "The same as a list" }).locator("li");
  await expect(nodes).toHaveCount(3);
  await page.getByLabel("hide done").check();
  await expect(nodes).toHaveCount(2);
  const picture = page.locator("canvas.picture");
  await expect(picture).toHaveAttribute("data-laid", "yes");
  const drawn = () => picture.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  await picture.hover();
  await page.mouse.wheel(0, -300);
  const before = await drawn();
  await page.mouse.down();
  await page.mouse.move(500, 500, { steps: 3 });
  await page.mouse.up();
  await expect.poll(drawn).not.toBe(before);
  const moved = await drawn();
  await page.mouse.wheel(0, -300);
  await expect.poll(drawn).not.toBe(moved);
});

test("the colours are as somebody chose", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(`${server.url}#/settings`);
  const theme = page.locator("html");
  await expect(theme).toHaveAttribute("data-theme", "light");
  await page.getByRole("group", { name: "Colours" }).getByRole("button", { name: "dark" }).click();
  await page.reload();
  await expect(theme).toHaveAttribute("data-theme", "dark");
  await page.getByRole("group", { name: "Colours" }).getByRole("button", { name: "as the system says" }).click();
  await expect(theme).toHaveAttribute("data-theme", "light");
});

test("a task says what it is and why it waits", async ({ page }) => {
  await page.goto(`${server.url}#/task/db.Load_1`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("db.Load");
  await expect(page.getByRole("region", { name: "Why it waits" })).toContainText("db.Extract");
  await expect(page.getByRole("region", { name: "Parameters" })).toContainText("rivers");
  await expect(page.getByRole("region", { name: "Depends on 1" })).toContainText("db.Extract");
  await expect(page.getByRole("region", { name: "Is needed by 1" })).toContainText("Report");
  await page.getByRole("button", { name: "Copy the task's id" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("db.Load_1");
});

test("the graph shows both ways, and can be saved", async ({ page }) => {
  await page.goto(`${server.url}#/graph/db.Load_1?direction=both`);
  await expect(page.locator("canvas.picture")).toHaveAttribute("data-laid", "yes");
  await expect(page.getByRole("region", { name: "The same as a list" }).locator("li")).toHaveCount(3);
  for (const [button, type] of [["SVG", "<svg"], ["DOT", "digraph"], ["JSON", '"nodes"']] as const) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: button, exact: true }).click()]);
    const text = await (await import("node:fs/promises")).readFile(await download.path(), "utf8");
    expect(text).toContain(type);
    expect(text).toContain("Extract");
  }
  await page.getByRole("group", { name: "Which way" }).getByRole("button", { name: "what it depends on" }).click();
  await expect(page.getByRole("region", { name: "The same as a list" }).locator("li")).toHaveCount(2);
  await expect(page).toHaveURL(/direction=up/);
});

test("a graph is offered of what is wanted itself, and found of any task", async ({ page }) => {
  await page.goto(`${server.url}#/graph`);
  const offered = page.getByRole("region", { name: "Announced last, and needed by no other" });
  await expect(offered).toContainText("Report");
  await expect(offered).not.toContainText("db.");
  await page.getByRole("searchbox", { name: "Search a task" }).fill("extract");
  await page.getByRole("region", { name: "Tasks that fit" }).getByRole("link", { name: /^db.Extract/ }).click();
  await expect(page).toHaveURL(/#\/graph\/db.Extract_1/);
});

test("workers and resources are shown and changed", async ({ page }) => {
  await page.goto(`${server.url}#/workers`);
  await expect(page.locator("[data-worker=w1]")).toContainText("active");
  await page.getByRole("button", { name: "One process more of w1" }).click();
  await expect(page.getByText("The worker will have 3 processes.")).toBeVisible();
  const { rpc_messages: messages } = await server.rpc("ping", { worker: "w1" });
  expect(messages).toEqual([{ name: "set_worker_processes", kwargs: { n: 3 } }]);
  await page.goto(`${server.url}#/resources`);
  await page.getByRole("button", { name: "One more of gpu" }).click();
  await expect(page.getByText("The limit of gpu is 3 now.")).toBeVisible();
  await expect(page.getByRole("spinbutton", { name: "Limit of gpu" })).toHaveValue("3");
  expect((await server.rpc("resource_list", {}))[0].num_total).toBe(3);
  await page.goto(`${server.url}#/workers/w1`);
  await page.getByRole("button", { name: "Disable this worker" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await expect(page.getByText("The worker gets no more tasks.")).toBeVisible();
  await expect(page.getByRole("region", { name: "About" })).toContainText("disabled");
});

test("Luigi's addresses lead to the same places", async ({ page }) => {
  await page.goto(`${server.url}static/visualiser/index.html#tab=graph&taskId=db.Load_1`);
  await expect(page.locator("canvas.picture")).toHaveAttribute("data-laid", "yes");
  await page.goto(`${server.url}static/visualiser/index.html#tab=graph&taskId=db.Load_1&invert=1&hideDone=1`);
  await expect(page.getByRole("button", { name: "what depends on it" })).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByLabel("hide done")).toBeChecked();
  for (const [old, heading] of [
    ["tab=workers", "Workers"],
    ["tab=resource", "Resources"],
    ["tab=resources&resources=%5B%22gpu%22%5D", "Resources"],
    ["tab=tasks", "Tasks"],
  ] as const) {
    await page.goto(`${server.url}static/visualiser/index.html#${old}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(heading);
  }
  await page.goto(`${server.url}static/visualiser/index.html#tab=tasks&statuses=%5B%22DONE%22%5D&search__search=done`);
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await expect(page.getByRole("searchbox", { name: "Search tasks" })).toHaveValue("done");
  await page.goto(`${server.url}static/visualiser/index.html#tab=tasks&family=db.Load`);
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.goto(`${server.url}history/by_name/Load`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("History");
  await expect(page.getByRole("searchbox", { name: "family" })).toHaveValue("Load");
});
