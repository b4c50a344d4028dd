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

test("a run is sent a message, and its answer is seen", async ({ page }) => {
  await server.add({ task_id: "A_1", family: "A", params: {}, accepts_messages: true });
  await server.work();
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
