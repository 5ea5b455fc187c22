import { BarChart, LineChart, PieChart, SankeyChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TitleComponent, TooltipComponent } from "echarts/components";
import { init, use, type ECharts } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";

import { debounce, define, h, icon, jsonOf } from "../lib/dom";
import { t } from "../lib/strings";
import { colour, onTheme } from "../lib/theme";
import { isEmpty, optionOf, urlOf, type Chart } from "./chart-option";
import { palette } from "./chart-palette";

use([
  BarChart, LineChart, PieChart, SankeyChart, AriaComponent, GridComponent, LegendComponent, TitleComponent, TooltipComponent,
  LabelLayout, CanvasRenderer,
]);

/** `<ym-chart>`: draws the description in its data script; the table behind it is one button away. */
class ChartElement extends HTMLElement {
  #chart: ECharts | null = null;
  #stop: (() => void) | null = null;
  #observer: ResizeObserver | null = null;

  connectedCallback(): void {
    const chart = jsonOf<Chart>(this);
    const table = this.querySelector<HTMLElement>(".ym-chart-table");
    if (!chart || this.#chart) return;
    if (isEmpty(chart)) {
      this.prepend(h("p", { class: "ym-none" }, t("chart.empty")));
      return;
    }
    const box = h("div", { class: "ym-chart-box", "data-height": this.dataset["height"] ?? "md" });
    const tools = this.#tools(box, table);
    this.prepend(tools, box);
    if (table) table.hidden = true;
    const drawn = init(box);
    this.#chart = drawn;
    const draw = (): void => drawn.setOption(optionOf(chart, palette()), true);
    draw();
    drawn.on("click", (event) => {
      if (event.dataType === "edge") return; // only the nodes of a sankey open something
      const url = urlOf(chart, event.seriesIndex ?? 0, event.dataIndex);
      if (url) location.assign(url);
    });
    this.#stop = onTheme(draw);
    this.#observer = new ResizeObserver(debounce(() => drawn.resize(), 60));
    this.#observer.observe(box);
  }

  disconnectedCallback(): void {
    this.#stop?.();
    this.#observer?.disconnect();
    this.#chart?.dispose();
    this.#chart = null;
    this.querySelectorAll(".ym-chart-box, .ym-chart-tools").forEach((element) => element.remove());
  }

  #tools(box: HTMLElement, table: HTMLElement | null): HTMLElement {
    const toggle = h("button", { type: "button", class: "ym-icon-btn", "aria-pressed": "false" }, icon("table"));
    const name = (text: string): void => {
      toggle.setAttribute("aria-label", text);
      toggle.title = text;
    };
    name(t("chart.table"));
    toggle.addEventListener("click", () => {
      if (!table) return;
      table.hidden = !table.hidden;
      box.hidden = !table.hidden;
      toggle.setAttribute("aria-pressed", String(!table.hidden));
      toggle.replaceChildren(icon(table.hidden ? "table" : "chart-bar"));
      name(t(table.hidden ? "chart.table" : "chart.chart"));
      if (!box.hidden) this.#chart?.resize();
    });
    const save = h("button", { type: "button", class: "ym-icon-btn", "aria-label": t("chart.download"), title: t("chart.download") }, icon("photo"));
    save.addEventListener("click", () => {
      const href = this.#chart?.getDataURL({ pixelRatio: 2, backgroundColor: colour("surface") });
      if (href) h("a", { href, download: `${this.dataset["title"] || "chart"}.png` }).click();
    });
    return h("div", { class: "ym-chart-tools" }, toggle, save);
  }
}

define("ym-chart", ChartElement);
