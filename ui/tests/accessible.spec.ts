// Every page in light and dark, wide and narrow: an automated check of what can be checked so.

import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await new Server([], "[scheduler]\nworker_disconnect_delay=3600\n[resources]\ngpu=2\n").start();
  await server.add({ task_id: "A_1", family: "A", params: { day: "1" }, deps: ["B_1"], resources: { gpu: 1 } });
  await server.add({ task_id: "B_1", family: "B", params: {}, resources: { gpu: 1 } });
  await server.add({ task_id: "C_1", family: "C", params: {}, status: "FAILED", expl: '"broken"' });
  await server.add({ task_id: "D_1", family: "D", params: {}, status: "DISABLED" });
  await server.add({ task_id: "E_1", family: "E", params: {}, status: "DONE" });
  await server.work();
});

test.afterAll(() => server.end());

const PLACES = ["overview", "tasks", "task/A_1", "task/C_1", "graph/A_1", "graph", "timeline", "workers", "workers/w1", "resources", "history", "settings"];

/** What an automated check finds that is serious. */
async function findings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter((one) => one.impact === "serious" || one.impact === "critical");
  return serious.map((one) => `${one.id} ${one.nodes.map((node) => node.html).join(" ")}`);
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`no page has a serious finding, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    for (const place of PLACES) {
      await page.goto(`${server.url}#/${place}`);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      expect(await findings(page), place).toEqual([]);
    }
  });
}

test("no dialog has a serious finding", async ({ page }) => {
  await server.rpc("add_worker", { worker: "w2", info: { cancels: true } });
  await server.rpc("add_task", { worker: "w2", task_id: "M_1", family: "M", params: {}, accepts_messages: true });
  expect(await server.work("w2")).toBe("M_1");
  for (const [place, button] of [["task/C_1", "Forgive"], ["task/M_1", "Cancel"], ["task/M_1", "Send message"], ["workers/w1", "Disable this worker"], ["tasks?status=FAILED", "Mark as done"]] as const) {
    await page.goto(`${server.url}#/${place}`);
    await page.getByRole("button", { name: button }).first().click();
    const dialog = page.getByRole("dialog");
    await expect(dialog).toBeVisible();
    expect(await findings(page), place).toEqual([]);
    // It takes the focus, and gives it back.
    expect(await dialog.evaluate((one) => one.contains(document.activeElement))).toBe(true);
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await expect(page.getByRole("button", { name: button }).first()).toBeFocused();
    await page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: /^(Leave it|Close)$/ }).click();
    await expect(dialog).toHaveCount(0);
    await expect(page.getByRole("button", { name: button }).first()).toBeFocused();
  }
});

test("after an action the focus is where the button was", async ({ page }) => {
  await server.rpc("add_task", { worker: "w1", task_id: "Gone_1", family: "Gone", params: {}, status: "FAILED" });
  await page.goto(`${server.url}#/task/Gone_1`);
  await page.getByRole("button", { name: "Forgive" }).press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Forgive" }).press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("pending");
  await expect(page.getByRole("group", { name: "Actions" })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Disable" })).toBeFocused();
});

test("when news takes a button away, the focus goes from its question to where it was", async ({ page }) => {
  const task = { worker: "w1", task_id: "Gone_2", family: "Gone", params: {} };
  await server.rpc("add_task", { ...task, status: "FAILED" });
  await page.goto(`${server.url}#/task/Gone_2`);
  await page.getByRole("button", { name: "Forgive" }).press("Enter");
  await server.rpc("add_task", { ...task, status: "DONE" });
  await expect(page.locator("h1")).toContainText("done");
  await page.getByRole("dialog").getByRole("button", { name: "Leave it" }).press("Enter");
  await expect(page.getByRole("group", { name: "Actions" })).toBeFocused();
});

test("what has the focus is not hidden behind the head of the page", async ({ page }) => {
  for (let n = 0; n < 60; n += 1) await server.rpc("add_task", { worker: "w1", task_id: `Row_${n}`, family: "Row", params: { n: String(n) } });
  await page.goto(`${server.url}#/tasks?family=Row`);
  const rows = page.getByRole("checkbox", { name: /n=/ });
  await expect(rows).toHaveCount(60);
  await rows.last().focus();
  const head = (await page.locator(".top").boundingBox())?.height ?? 0;
  for (let turn = 0; turn < 40; turn += 1) {
    await page.keyboard.press("Shift+Tab");
    const top = await page.evaluate(() => document.activeElement?.getBoundingClientRect().bottom ?? 0);
    expect(top).toBeGreaterThan(head);
  }
});

test("keys lead from page to page, and none does while somebody writes", async ({ page }) => {
  await page.goto(server.url);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  for (const [key, heading] of [["t", "Tasks"], ["w", "Workers"], ["r", "Resources"], ["h", "History"], ["l", "Timeline"], ["s", "Settings"]] as const) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(heading);
  }
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox", { name: "Find tasks" })).toBeFocused();
  await page.keyboard.type("gt C");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/tasks\?search=gt\+C/);
});

test("it fits a phone", async ({ page }) => {
  await page.setViewportSize({ width: 375, height: 700 });
  for (const place of PLACES) {
    await page.goto(`${server.url}#/${place}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth), place).toBeLessThanOrEqual(380);
  }
});

test("all can be reached by keyboard", async ({ page }) => {
  await page.goto(`${server.url}#/overview`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByText("To the content")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.locator("main a").first()).toBeFocused();
});

test("no request leaves the server, and data comes from the API alone", async ({ page }) => {
  const elsewhere: string[] = [];
  const data: string[] = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(server.url) && !url.startsWith("blob:")) elsewhere.push(url);
    if (["fetch", "xhr", "eventsource"].includes(request.resourceType())) data.push(url);
  });
  for (const place of PLACES) {
    await page.goto(`${server.url}#/${place}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  }
  expect(elsewhere).toEqual([]);
  expect(data.length).toBeGreaterThan(PLACES.length);
  expect(data.filter((url) => !url.startsWith(`${server.url}api/v1/`))).toEqual([]);
});
