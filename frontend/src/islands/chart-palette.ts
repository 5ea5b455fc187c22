import { colour } from "../lib/theme";
import type { Palette } from "./chart-option";

/** The colours and the font of the page, as charts use them; asked anew whenever the theme changes. */
export function palette(): Palette {
  const names = ["primary", "success", "warning", "danger", "info", "secondary"];
  return {
    text: colour("text"),
    muted: colour("text-2"),
    line: colour("border"),
    surface: colour("surface"),
    font: getComputedStyle(document.body).fontFamily,
    tones: Object.fromEntries(names.map((name) => [name, colour(name)])),
    scale: ["chart-1", "chart-2", "chart-3", "chart-4", "chart-5", "chart-6", "chart-7", "chart-8"].map(colour),
  };
}
