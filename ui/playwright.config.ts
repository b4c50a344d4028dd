// The page in a real browser, against a real server. The browser is the system's.

import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: false,
  workers: 1,
  retries: 0,
  // Tests wait for conditions, never for time: these are for machines that are busy with much else.
  timeout: 600_000,
  expect: { timeout: 30_000 },
  reporter: process.env["CONDOTTA_UI_REPORT"] ? [["line"], ["json", { outputFile: process.env["CONDOTTA_UI_REPORT"] }]] : [["line"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1280, height: 800 },
    permissions: ["clipboard-read", "clipboard-write"],
    launchOptions: {
      executablePath: process.env["CONDOTTA_CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu"],
    },
  },
});
