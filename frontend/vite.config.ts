import { defineConfig } from "vite";

// Everything lands in the Python package, so that the wheel carries it. `base: "./"` keeps every address relative to the
// file that names it: the assets work under any STATIC_URL.
export default defineConfig({
  base: "./",
  publicDir: false,
  css: { transformer: "lightningcss" },
  build: {
    outDir: "../src/yuanmai/assets",
    // Other things live there too (fonts); scripts/icons.mjs empties our own folder before a build.
    emptyOutDir: false,
    assetsDir: "ui",
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    // Domestic browsers lag behind Chromium: 360, WPS and the UOS browser are served down to Chromium 100.
    target: ["chrome100", "firefox102", "safari15.4"],
    cssTarget: ["chrome100", "firefox102", "safari15.4"],
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      input: { main: "src/main.ts" },
    },
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
