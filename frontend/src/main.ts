import "@tabler/core/dist/css/tabler.min.css";
import "./css/tokens.css";
import "./css/base.css";
import "./css/layout.css";
import "./css/components.css";
import "./css/lists.css";
import "./css/islands.css";
import "./css/projects.css";
import "./css/plain.css";
import "./css/bulletin.css";
import "./css/cockpit.css";
import "./css/insight.css";
import "./css/paying.css";
import "./css/alarms.css";
import "./css/devices.css";

import sprite from "./icons.svg?url";
import "./mark.svg?url";
import "./theme-boot.js?url";

import "./islands/board";
import { startDepends } from "./islands/depends";
import "./islands/dropzone";
import "./islands/job";
import "./islands/lanes";
import "./islands/live";
import { startFilters } from "./islands/lists";
import "./islands/menu";
import { startPage } from "./islands/page";
import "./islands/palette";
import "./islands/pick";
import "./islands/sparkline";
import "./islands/toast";
import { setSprite } from "./lib/dom";
import { startThemes } from "./lib/theme";

setSprite(new URL(sprite, import.meta.url).href);
startThemes();
startPage();
startFilters();
startDepends();

// The heavy islands come only to the pages that use them.
const heavy: Record<string, () => Promise<unknown>> = {
  "ym-draw": () => import("./islands/draw"),
  "ym-chart": () => import("./islands/chart"),
  "ym-history": () => import("./islands/history"),
  "ym-map": () => import("./islands/map"),
  "ym-sheet": () => import("./islands/sheet"),
};
const asked = new Set<string>();

function fetchHeavy(root: ParentNode): void {
  for (const [name, load] of Object.entries(heavy)) {
    if (asked.has(name) || !root.querySelector(name)) continue;
    asked.add(name);
    void load();
  }
}
fetchHeavy(document);
new MutationObserver(() => fetchHeavy(document)).observe(document.body, { childList: true, subtree: true });
