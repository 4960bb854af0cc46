import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/helpers/built.ts",
    pool: "forks",
    env: { ORT_DISABLE_TELEMETRY: "1" },
    // All cores: most tests wait for a process of their own, and by default one core is left out.
    maxWorkers: "100%",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
