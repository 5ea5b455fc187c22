// Builds one SVG sprite out of the icons the pages use, and empties the folder that Vite writes to.
// A new icon: add its name here (the name as in Tabler's catalogue), run the build.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const names = `
  adjustments alert-circle alert-triangle archive arrow-back-up arrow-down arrow-left arrow-narrow-right arrow-right
  arrow-up arrows-sort ban bell bolt book bookmark briefcase building building-bank building-community
  building-factory-2 building-skyscraper buildings bulb calendar calendar-stats calendar-time camera car cash chart-bar
  chart-dots chart-line chart-pie check checklist checks chevron-down chevron-left chevron-right chevron-up circle
  circle-check circle-dashed circle-dot circle-x clipboard-check clipboard-data clipboard-list clock clock-play
  cloud-upload coin coins columns contrast-2 copy cpu crane currency-yuan database database-import device-floppy
  device-mobile dots dots-vertical download droplet edit equal external-link eye eye-off file file-certificate
  file-download file-export file-import file-invoice file-spreadsheet file-text file-type-docx file-type-pdf filter flag
  flame folder gauge gavel git-branch grid-dots grip-vertical hammer heart-handshake help-circle hierarchy hierarchy-2
  history home hourglass id inbox info-circle key keyboard language layers-subtract layout-board layout-grid
  layout-kanban leaf link list list-check list-details list-search lock lock-access login logout mail map map-2 map-pin
  maximize medal menu-2 message message-report minus moon news note notes octagon paperclip password pencil phone photo
  plant-2 player-pause player-play plus polygon presentation printer progress progress-alert progress-check qrcode
  question-mark receipt receipt-2 refresh report report-analytics report-money rotate-clockwise route ruler-measure
  scale search section send server settings shield shield-check shield-lock sitemap sort-ascending sort-descending
  square square-check stack-2 star stopwatch sun sun-high table table-export table-import tag target template tool
  traffic-lights transfer trash trending-down trending-up trophy truck upload user user-check user-circle
  user-cog user-plus users users-group versions wallet wand world x zoom-in zoom-out zoom-question
  arrows-join bell-off bell-ringing books code rotate toggle-right
`.trim().split(/\s+/);

const symbols = [];
const missing = [];
for (const name of [...new Set(names)].sort()) {
  let svg;
  try {
    svg = readFileSync(join(root, "node_modules/@tabler/icons/icons/outline", `${name}.svg`), "utf8");
  } catch {
    missing.push(name);
    continue;
  }
  const body = svg.replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>[\s\S]*$/, "");
  symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${body.replace(/\s+/g, " ").trim()}</symbol>`);
}
if (missing.length > 0) {
  console.error(`icons that Tabler does not have: ${missing.join(", ")}`);
  process.exit(1);
}
writeFileSync(
  join(root, "src/icons.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg" fill="none" stroke="currentColor" stroke-width="1.75" ` +
    `stroke-linecap="round" stroke-linejoin="round">${symbols.join("\n")}</svg>\n`,
);
rmSync(join(root, "../src/yuanmai/assets/ui"), { recursive: true, force: true });
console.log(`${symbols.length} icons`);
