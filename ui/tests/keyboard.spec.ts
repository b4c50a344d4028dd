// Who uses the page without a mouse keeps their place, and reaches all that there is.

import { expect, test, type Page } from "@playwright/test";
import { Server } from "./server";

let server: Server;
const MANY = 250;

test.beforeAll(async () => {
  server = await new Server([], "[scheduler]\nworker_disconnect_delay=3600\n").start();
  await server.addMany(Array.from({ length: MANY }, (_, n) => ({ task_id: `Row_${n}`, family: "Row", params: { n: String(n) }, priority: n, status: n < 3 ? "FAILED" : "PENDING" })));
  await server.add({ task_id: "Needs_1", family: "Needs", params: {}, deps: ["Row_7"] });
});

test.afterAll(() => server.end());

/** Holds back what the page asks for there until the call of what it returns. */
async function hold(page: Page, place: string): Promise<() => void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(place, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

test("one goes from page to page of a list with the same key", async ({ page }) => {
  await page.goto(`${server.url}#/tasks`);
  const pager = page.locator(".pager").first();
  const next = pager.getByRole("button", { name: "Next" });
  await expect(pager).toContainText("1–100 of 251");
  const release = await hold(page, "**/api/v1/tasks?*");
  await next.press("Enter");
  // What was there stays meanwhile, and says that it is not what was asked for.
  const rows = page.locator("[aria-busy=true] tbody tr");
  await expect(rows).toHaveCount(100);
  await expect(next).toBeFocused();
  release();
  await expect(pager).toContainText("101–200 of 251");
  await expect(rows).toHaveCount(0);
  await page.keyboard.press("Enter");
  await expect(pager).toContainText("201–251 of 251");
  await expect(next).toBeFocused();
  await expect(next).toBeDisabled();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/offset=200/);
  await page.keyboard.press("Shift+Tab");
  await expect(pager.getByRole("button", { name: "Previous" })).toBeFocused();
});

test("who sorts a list stays at the head of the column", async ({ page }) => {
  await page.goto(`${server.url}#/tasks?family=Row`);
  const priority = page.getByRole("columnheader", { name: "Priority" });
  await priority.getByRole("button").press("Enter");
  await expect(page.locator("tbody tr").first()).toContainText(`n=${MANY - 1}`);
  await expect(priority).toHaveAttribute("aria-sort", "descending");
  await expect(priority.getByRole("button")).toBeFocused();
});

test("who wants to see hidden parameters stays where that is said", async ({ page }) => {
  await page.goto(`${server.url}#/task/Row_7`);
  const hidden = page.getByRole("checkbox", { name: "hidden ones, too" });
  const answered = page.waitForResponse(/hidden=true/);
  await hidden.press("Space");
  await answered;
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  await expect(hidden).toBeFocused();
  await expect(hidden).toBeChecked();
});

test("a filter that is taken out leaves the focus among the filters", async ({ page }) => {
  await page.goto(`${server.url}#/tasks?family=Row&family=Needs`);
  await page.getByRole("button", { name: "family: Needs" }).press("Enter");
  await expect(page).not.toHaveURL(/Needs/);
  await expect(page.locator(".filters")).toBeFocused();
});

test("what goes with what was done to it leaves the focus at the list", async ({ page }) => {
  await page.goto(`${server.url}#/tasks?family=Row`);
  const list = page.getByRole("region", { name: "Tasks", exact: true });
  await page.getByRole("checkbox", { name: /^Choose Row/ }).first().press("Space");
  await page.locator("#actions").getByRole("button", { name: "choose none" }).press("Enter");
  await expect(list).toBeFocused();
  await server.add({ task_id: "Bad_1", family: "Bad", params: {}, status: "FAILED" });
  await page.goto(`${server.url}#/tasks?family=Bad&status=FAILED`);
  await page.getByRole("button", { name: "Forgive Bad()" }).press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Forgive" }).press("Enter");
  await expect(page.locator("tbody tr")).toHaveCount(0);
  await expect(list).toBeFocused();
  await page.getByRole("link", { name: "Show all tasks" }).press("Enter");
  await expect(page.locator("tbody tr")).toHaveCount(100);
  await expect(list).toBeFocused();
});

test("after a way to another page one reads on at its heading", async ({ page }) => {
  await page.goto(`${server.url}#/tasks?family=Row`);
  const heading = page.getByRole("heading", { level: 1 });
  await expect(page.locator("tbody tr")).toHaveCount(100);
  // Who has just come begins at the top.
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
  const last = page.locator("tbody tr").last().getByRole("link", { name: /^Row/ });
  const release = await hold(page, "**/api/v1/tasks/Row_*");
  await last.press("Enter");
  // There is no heading before there is an answer.
  await expect(page.locator("main")).toBeFocused();
  release();
  await expect(heading).toContainText("Row");
  await expect(heading).toBeFocused();
  expect(await page.evaluate(() => scrollY)).toBe(0);
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Workers" }).press("Enter");
  await expect(heading).toHaveText("Workers");
  await expect(heading).toBeFocused();
  await page.goBack();
  await expect(heading).toContainText("Row");
  await expect(heading).toBeFocused();
  // A change of what the same page shows moves nothing.
  await page.goto(`${server.url}#/timeline`);
  await expect(heading).toBeFocused();
  const day = page.getByRole("button", { name: "day" });
  await day.press("Enter");
  await expect(page).toHaveURL(/period=86400/);
  await expect(day).toBeFocused();
});

test("what is done to chosen tasks comes after them, and a key leads there", async ({ page }) => {
  await page.goto(`${server.url}#/tasks?family=Row&sort=priority`);
  const rows = page.getByRole("checkbox", { name: /^Choose Row/ });
  await expect(rows).toHaveCount(100);
  await rows.nth(2).press("Space");
  const actions = page.getByRole("group", { name: "Actions on many tasks" });
  // In sight, wherever one is in the list.
  await expect(actions).toBeInViewport();
  await expect(actions).toContainText("1 chosen task");
  await page.keyboard.press("a");
  await expect(actions.getByRole("button", { name: "Forgive" })).toBeFocused();
  await page.locator("tbody tr").last().getByRole("link", { name: "graph" }).focus();
  await page.keyboard.press("Tab");
  await expect(actions.getByRole("button", { name: "Forgive" })).toBeFocused();
  // It hides nothing that has the focus.
  for (let turn = 0; turn < 20; turn += 1) {
    await page.keyboard.press("Shift+Tab");
    const bottom = await page.evaluate(() => document.activeElement?.getBoundingClientRect().top ?? 0);
    expect(bottom).toBeLessThan((await actions.boundingBox())?.y ?? 0);
  }
});

test("what acts on a row says on which", async ({ page }) => {
  await page.goto(`${server.url}#/tasks?status=FAILED&sort=priority`);
  const row = page.locator("[data-task=Row_1]");
  await expect(row.getByRole("button")).toHaveAccessibleName("Forgive Row(n=1)");
  for (const way of ["error", "graph"]) await expect(row.getByRole("link", { name: `${way} of Row(n=1)`, exact: true })).toBeVisible();
  await page.goto(`${server.url}#/workers`);
  const worker = page.locator("[data-worker=w1]");
  await expect(worker.getByRole("spinbutton", { name: "Processes of w1", exact: true })).toBeVisible();
  await expect(worker.getByRole("button", { name: "One process more of w1", exact: true })).toBeVisible();
});

test("the keys there are can be asked for, and the answer goes again", async ({ page }) => {
  await page.goto(`${server.url}#/tasks?family=Row`);
  const first = page.getByRole("checkbox", { name: /^Choose Row/ }).first();
  await first.focus();
  await page.keyboard.press("?");
  const keys = page.getByRole("dialog", { name: "Keys" });
  await expect(keys).toBeVisible();
  for (const what of ["find tasks", "to the timeline", "from node to node", "the row above, and below"]) await expect(keys).toContainText(what);
  await page.keyboard.press("Escape");
  await expect(keys).toHaveCount(0);
  await expect(first).toBeFocused();
  // Not while somebody writes.
  await page.getByRole("searchbox", { name: "Search tasks" }).pressSequentially("?");
  await expect(keys).toHaveCount(0);
});

test("a list that is not unfolded is gone through before it counts", async ({ page }) => {
  await page.goto(`${server.url}#/tasks?family=Row`);
  const when = page.getByLabel("When");
  const begun = await page.evaluate(() => history.length);
  await when.focus();
  for (const seen of ["600", "3600", "86400"]) {
    await page.keyboard.press("ArrowDown");
    await expect(when).toHaveValue(seen);
  }
  await expect(page).not.toHaveURL(/updated_since/);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/updated_since=\d+/);
  await expect(when).toBeFocused();
  expect(await page.evaluate(() => history.length)).toBe(begun + 1);
  await expect(page.locator("tbody tr")).toHaveCount(100);
  // To leave it is to choose, too; Escape is not.
  await page.keyboard.press("Home");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await expect(page).toHaveURL(/updated_since=\d+/);
  await when.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("Tab");
  await expect(page).not.toHaveURL(/updated_since/);
});

test("what is meant by the time is chosen before the time is", async ({ page }) => {
  await page.goto(`${server.url}#/tasks?family=Row`);
  await page.getByLabel("Which time").selectOption("started");
  await page.getByLabel("When").selectOption("in the last day");
  await expect(page).toHaveURL(/started_since=\d+/);
});

test("steps of a graph are counted to before they count", async ({ page }) => {
  await page.goto(`${server.url}#/graph/Needs_1`);
  const nodes = page.getByRole("region", { name: "The same as a list" }).locator("li");
  await expect(nodes).toHaveCount(2);
  const steps = page.getByRole("spinbutton", { name: "steps" });
  await steps.focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(steps).toHaveValue("2");
  await expect(page).not.toHaveURL(/depth/);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/depth=2/);
  await expect(steps).toBeFocused();
});
