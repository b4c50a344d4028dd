// What operators do from the page, and that the server did it.

import { expect, test } from "@playwright/test";
import { Server } from "./server";

let server: Server;

test.beforeEach(async () => {
  server = await new Server().start();
});

test.afterEach(() => server.end());

async function status(id: string): Promise<string> {
  return (await server.get(`tasks/${id}`)).task.status;
}

test("a failed task is forgiven, disabled, enabled and marked as done", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {}, status: "FAILED", expl: '"broken"' });
  await server.add({ task_id: "A_2", family: "A", params: { n: "2" }, status: "FAILED" });
  await page.goto(`${server.url}#/task/A_2`);
  await page.getByRole("button", { name: "Mark as done" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Mark as done" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("done");
  expect(await status("A_2")).toBe("DONE");
  await page.goto(`${server.url}#/task/A_1`);
  for (const [button, heading, wanted] of [
    ["Forgive", "pending", "PENDING"],
    ["Disable", "disabled", "DISABLED"],
    ["Enable again", "pending", "PENDING"],
  ] as const) {
    await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: button }).click();
    await page.getByRole("dialog").getByRole("button", { name: button }).click();
    await expect(page.getByRole("heading", { level: 1 })).toContainText(heading);
    expect(await status("A_1")).toBe(wanted);
  }
});

test("many tasks are forgiven at once, chosen or by the filter", async ({ page }) => {
  for (const n of [1, 2, 3, 4]) await server.add({ task_id: `A_${n}`, family: "A", params: { n: String(n) }, status: "FAILED" });
  await page.goto(`${server.url}#/tasks?status=FAILED`);
  await page.getByRole("checkbox", { name: /n=2/ }).check();
  const bulk = page.getByRole("group", { name: "Actions on many tasks" });
  await bulk.getByRole("button", { name: "Forgive" }).click();
  await expect(page.getByRole("dialog")).toContainText("1 chosen task");
  await page.getByRole("dialog").getByRole("button", { name: "Forgive" }).click();
  await expect(page.getByText("1 changed, 0 stayed as they were.")).toBeVisible();
  expect(await status("A_2")).toBe("PENDING");
  await expect(bulk).toContainText("all 3 tasks that fit the filter");
  await bulk.getByRole("button", { name: "Mark as done" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Mark as done" }).click();
  await expect(page.getByText("3 changed, 0 stayed as they were.")).toBeVisible();
  expect(await status("A_4")).toBe("DONE");
  await expect(page.locator("tbody tr")).toHaveCount(0);
});

test("the scheduler is paused and goes on", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {} });
  await page.goto(server.url);
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.locator(".paused strong")).toHaveText("Paused");
  expect(await server.work()).toBeNull();
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.locator(".paused strong")).toHaveCount(0);
  expect(await server.work()).toBe("A_1");
});

test("a task says how it is run again, and the line is taken by a button", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await server.add({ task_id: "Again_1", family: "Again", module: "pipelines.again", params: { day: "2026-11-01", words: "it's two" } });
  await page.goto(`${server.url}#/task/Again_1`);
  const about = page.getByRole("region", { name: "About" });
  const { rerun_command } = await server.get("tasks/Again_1");
  expect(rerun_command).toContain("--module pipelines.again Again --day 2026-11-01");
  await expect(about.locator("code.wrap")).toHaveText(rerun_command);
  await expect(about).not.toContainText("left out");
  await about.getByRole("button", { name: "Copy the command line" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(rerun_command);
});

test("a trace is taken whole by a button, as it was said", async ({ page }) => {
  const frames = Array.from({ length: 200 }, (_, n) => `  File "/jobs/load.py", line ${n}, in run\n    step_${n}()\n`).join("");
  const trace = `Runtime error:\nTraceback (most recent call last):\n${frames}ValueError: no \u202e<b>table</b>\n`;
  await server.add({ task_id: "A_1", family: "A", params: {}, status: "FAILED", expl: JSON.stringify(trace) });
  await page.goto(`${server.url}#/task/A_1`);
  const wrong = page.getByRole("region", { name: "What went wrong" });
  const shown = wrong.locator("pre");
  await expect(shown).toContainText("in run\n    step_199()\nValueError: no ‹U+202E›<b>table</b>");
  await wrong.getByRole("button", { name: "Copy the error" }).press("Enter");
  await expect(wrong.getByText("copied")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(trace);
});

test("a run that reads no messages is offered none", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {} });
  await server.work();
  await page.goto(`${server.url}#/task/A_1`);
  await expect(page.getByRole("button", { name: "Cancel" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Send message" })).toHaveCount(0);
});

test("a run is sent a message, and its answer is seen", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {}, accepts_messages: true });
  await server.work();
  // As stock workers say it, who leave out the rest.
  await server.add({ task_id: "A_1", status: "RUNNING", tracking_url: "https://example.org/" });
  await page.goto(`${server.url}#/task/A_1`);
  await page.getByRole("button", { name: "Send message" }).click();
  await page.getByRole("textbox", { name: "Message" }).fill("how far?");
  await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
  await expect(page.getByText("If the task answers")).toBeVisible();
  const { rpc_messages: [message] } = await server.rpc("ping", { worker: "w1" });
  expect(message.kwargs.content).toBe("how far?");
  await server.rpc("add_scheduler_message_response", { task_id: "A_1", message_id: message.kwargs.message_id, response: "half <b>way</b>" });
  await expect(page.getByText("It answers: half <b>way</b>")).toBeVisible();
});

async function limitOf(name: string): Promise<number> {
  const { items } = await server.get("resources");
  return items.find((one: { name: string }) => one.name === name).limit;
}

test("what is typed into a limit is sent with Enter, and what is no limit changes nothing", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {}, resources: { gpu: 1 } });
  await page.goto(`${server.url}#/resources`);
  const limit = page.getByRole("spinbutton", { name: "Limit of gpu" });
  await expect(limit).toHaveValue("1");
  await limit.fill("5");
  // What others do meanwhile takes nothing away of it.
  await server.add({ task_id: "A_2", family: "A", params: {}, resources: { gpu: 1 } });
  await expect(page.getByRole("region", { name: "gpu" })).toContainText("2 wait");
  await expect(limit).toHaveValue("5");
  await limit.press("Enter");
  await expect(page.getByText("The limit of gpu is 5 now.")).toBeVisible();
  for (const wrong of ["", "-3", "1.5"]) {
    await limit.fill(wrong);
    await limit.press("Enter");
    await expect(limit).toHaveValue(wrong);
    await limit.blur();
    await expect(limit).toHaveValue("5");
  }
  await expect(page.getByText("Limit of gpu stays 5: ").first()).toBeVisible();
  // Whoever goes on without Enter has changed nothing.
  await limit.fill("6");
  await limit.press("Tab");
  await expect(page.getByText("Limit of gpu stays 5: what was typed is sent with Enter.")).toBeVisible();
  await expect(limit).toHaveValue("5");
  await limit.fill("7");
  await limit.press("Escape");
  await expect(limit).toHaveValue("5");
  await limit.blur();
  expect(await limitOf("gpu")).toBe(5);
});

test("each press of a button counts, however quick", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {}, resources: { gpu: 1 } });
  await page.goto(`${server.url}#/resources`);
  const more = page.getByRole("button", { name: "One more of gpu" });
  await more.waitFor();
  await more.evaluate((button: HTMLElement) => {
    for (let press = 0; press < 3; press += 1) setTimeout(() => button.click(), 5 * press);
  });
  await expect(page.getByRole("spinbutton", { name: "Limit of gpu" })).toHaveValue("4");
  await expect.poll(() => limitOf("gpu")).toBe(4);
});

test("a worker that has not followed yet is said to have as many processes as it has", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {} });
  await server.rpc("add_worker", { worker: "w1", info: { workers: 4 } });
  await page.goto(`${server.url}#/workers`);
  const row = page.locator("[data-worker=w1]");
  await row.getByRole("spinbutton", { name: "Processes" }).fill("12");
  await page.keyboard.press("Enter");
  await expect(row).toContainText("now 4");
  await server.rpc("add_worker", { worker: "w1", info: { workers: 12 } });
  await expect(row).not.toContainText("now 4");
  await expect(row.getByRole("spinbutton", { name: "Processes" })).toHaveValue("12");
});

test("who presses twice sends a message once", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {}, accepts_messages: true });
  await server.work();
  await page.goto(`${server.url}#/task/A_1`);
  await page.getByRole("button", { name: "Send message" }).click();
  const dialog = page.getByRole("dialog");
  const message = dialog.getByRole("textbox", { name: "Message" });
  await message.fill("how far?");
  // Before there is an answer, and after it.
  await dialog.getByRole("button", { name: "Send" }).evaluate((button: HTMLElement) => {
    button.click();
    button.click();
  });
  await expect(dialog).toContainText("Sent: how far?");
  await dialog.getByRole("button", { name: "Send" }).click();
  await message.fill("and now?");
  await message.press("Control+Enter");
  await expect(dialog).toContainText("Sent: and now?");
  const { rpc_messages: messages } = await server.rpc("ping", { worker: "w1" });
  expect(messages.map((one: { kwargs: { content: string } }) => one.kwargs.content)).toEqual(["how far?", "and now?"]);
});

test("a run that its worker cannot end is not offered to be, and why is said", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {} });
  await server.work();
  await page.goto(`${server.url}#/task/A_1`);
  const cancel = page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Cancel" });
  await expect(cancel).toBeDisabled();
  await expect(cancel).toHaveAccessibleDescription(/worker w1 is stock Luigi's or an older one, and cannot end the run/);
  await cancel.click({ force: true });
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("of a run that is to end it is told what its worker says", async ({ page }) => {
  await server.rpc("add_worker", { worker: "w1", info: { cancels: true } });
  await server.add({ task_id: "A_1", family: "A", params: {} });
  await server.work();
  await page.goto(`${server.url}#/task/A_1`);
  const actions = page.getByRole("group", { name: "Actions" });
  await actions.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(actions).toContainText("being cancelled");
  await expect(actions.getByRole("button", { name: "Cancel" })).toHaveCount(0);
  const answer = { worker: "w1", task_id: "A_1", attempt: 1, answer: "it runs on a thread" };
  await server.rpc("answer_cancel", answer);
  const stands = page.getByRole("region", { name: "How it stands" });
  await expect(stands).toContainText("worker w1 says: it runs on a thread");
  await server.rpc("answer_cancel", { ...answer, refused: true });
  await expect(stands).toContainText("cannot end the run, which goes on");
  await expect(actions.getByRole("button", { name: "Cancel" })).toBeVisible();
});

test("what cannot be enabled is not offered to be", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {}, status: "DISABLED" });
  await page.goto(`${server.url}#/task/A_1`);
  await expect(page.getByRole("button", { name: "Mark as done" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Enable again" })).toHaveCount(0);
});

test("tasks that another filter hides are chosen no longer", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: { n: "1" } });
  await page.goto(`${server.url}#/tasks?status=PENDING`);
  await page.getByRole("checkbox", { name: /n=1/ }).check();
  const bulk = page.getByRole("group", { name: "Actions on many tasks" });
  await expect(bulk).toContainText("1 chosen task");
  await page.getByRole("group", { name: "Statuses" }).getByRole("button", { name: /failed/ }).click();
  await expect(page.getByRole("checkbox", { name: /n=1/ })).toBeVisible();
  await expect(bulk).toContainText("that fit the filter");
});
