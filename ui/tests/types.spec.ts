// The page's idea of the answers is the server's; and what is loaded of the page is little.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "@playwright/test";
import { shapesOf } from "./document";
import { Server } from "./server";

const FILE = join(import.meta.dirname, "../src/api/schema.ts");

test("the page is small", async () => {
  const built = join(import.meta.dirname, "../../crates/condotta-server/page");
  const sizes = readdirSync(built).map((name) => gzipSync(readFileSync(join(built, name))).length);
  const sum = sizes.reduce((all, size) => all + size, 0);
  expect(sum).toBeGreaterThan(10_000);
  expect(sum).toBeLessThan(300_000);
});

test("the shapes in src/api/schema.ts are those of the server's document", async () => {
  const server = await new Server().start();
  try {
    const made = shapesOf(await server.get("openapi.json"));
    if (process.env["CONDOTTA_UI_WRITE"]) writeFileSync(FILE, made);
    expect(made === readFileSync(FILE, "utf8"), "src/api/schema.ts is not what the server says: run `npm run types`").toBe(true);
  } finally {
    await server.end();
  }
});
