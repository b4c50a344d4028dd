// What Luigi's users could never see, each two clicks from the overview: why a task waits, what it prints while
// it prints it, what it failed with, how long it usually takes. With a real worker that runs a pipeline.

import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Locator } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await new Server().start();
  server.runPipeline("All", "--workers", "2");
});

test.afterAll(() => server.end());

test("what a task prints is seen while it runs, and to its end", async ({ page }) => {
  await page.goto(server.url);
  const running = page.getByRole("region", { name: "Running now" });
  await expect(running).toContainText("Slow", { timeout: 40_000 });
  await running.getByRole("link", { name: "what it prints" }).click();
  const log = page.getByLabel("What was printed", { exact: true });
  await expect(log).toContainText("a first line of Slow");
  await expect(page.getByText(", live")).toBeVisible();
  await expect(page.getByRole("region", { name: "About" })).toContainText("waits for the file go");
  server.put("go");
  await expect(log).toContainText("the last line of Slow");
  await expect(page.getByText(", live")).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("done");
  await page.getByRole("searchbox", { name: "Search what was printed" }).fill("last line");
  await expect(page.getByText("1 of 4 lines")).toBeVisible();
});

test("a long log is searched, left and followed again, and only what is in sight is in the document", async ({ page }) => {
  const other = await new Server().start();
  try {
    other.runPipeline("Wordy");
    await page.goto(`${other.url}#/tasks?status=RUNNING&family=Wordy`);
    await page.getByRole("link", { name: /^Wordy/ }).click({ timeout: 60_000 });
    const log = page.getByRole("log");
    await expect(log).toContainText("line 20000 of many", { timeout: 60_000 });
    expect(await log.locator(".line").count()).toBeLessThan(200);
    // It stays where one has scrolled to while more is printed, and says so.
    await log.evaluate((box) => (box.scrollTop = 18 * 100));
    await expect(log).toContainText("line 100 of many");
    await expect(page.getByLabel("follow the end")).not.toBeChecked();
    other.put("more");
    await page.getByRole("button", { name: /new lines? below/ }).click();
    await expect(log).toContainText("and one more line");
    await expect(page.getByLabel("follow the end")).toBeChecked();
    // What is found leads to what stands around it.
    await page.getByRole("searchbox", { name: "Search what was printed" }).fill("line 777 of");
    await expect(log.locator(".line")).toHaveCount(1);
    await expect(log.locator("mark")).toHaveText("line 777 of");
    await log.getByRole("button", { name: /show what stands around it/ }).press("Enter");
    await expect(log).toContainText("line 776 of many");
    await expect(log).toContainText("line 778 of many");
    await expect(page.getByRole("searchbox", { name: "Search what was printed" })).toHaveValue("");
    // It is marked, and one reads on from there.
    const marked = log.locator("[aria-current]");
    await expect(marked).toHaveText(/line 777 of many$/);
    await expect(marked).toBeFocused();
    await expect(marked).toBeInViewport();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
      const colour = (line: Locator) => line.evaluate((box) => getComputedStyle(box).backgroundColor);
      expect(await colour(marked)).not.toBe(await colour(log.locator(".line").first()));
      const { violations } = await new AxeBuilder({ page }).include("[role=log]").withRules(["color-contrast"]).analyze();
      expect(violations).toEqual([]);
    }
    await page.keyboard.press("End");
    await expect(log).toContainText("and one more line");
    await expect(marked).toHaveCount(0);
    await expect(log).toBeFocused();
  } finally {
    await other.end();
  }
});

test("what a task failed with, and why another waits for it", async ({ page }) => {
  await page.goto(server.url);
  await page.getByRole("region", { name: "Failed or disabled last" }).getByRole("link", { name: "what went wrong" }).first().click();
  await expect(page.getByRole("region", { name: "What went wrong" })).toContainText("ValueError: there is no such table: rivers");
  await page.goto(server.url);
  await page.getByRole("region", { name: "Waiting", exact: true }).getByRole("link", { name: /^All/ }).click();
  const why = page.getByRole("region", { name: "Why it waits" });
  await expect(why).toContainText("failed");
  await why.getByRole("link", { name: /Broken/ }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Broken");
});

test("how long a task usually takes", async ({ page }) => {
  // Two clicks from the overview.
  await page.goto(server.url);
  await page.getByRole("region", { name: "Attempts that ended, by hour" }).getByRole("link", { name: "history" }).click();
  await page.getByRole("region", { name: "How families fared" }).getByRole("link", { name: "Extract" }).click();
  await expect(page.getByRole("region", { name: "How long Extract takes" })).toContainText("Half of 2 attempts");
  await page.goto(`${server.url}#/tasks?family=Extract`);
  await page.getByRole("link", { name: /^Extract/ }).first().click();
  await expect(page.getByRole("region", { name: "How long it usually takes" })).toContainText("Half of 2 attempts");
});

test("a run is cancelled", async ({ page }) => {
  const other = await new Server().start();
  try {
    other.runPipeline("Slow", "--workers", "2");
    await page.goto(`${other.url}#/tasks?status=RUNNING&family=Slow`);
    await page.getByRole("link", { name: /^Slow/ }).click({ timeout: 40_000 });
    await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toContainText("disabled", { timeout: 40_000 });
    await expect(page.getByRole("region", { name: "Attempts" }).first()).toContainText("cancelled");
  } finally {
    await other.end();
  }
});
