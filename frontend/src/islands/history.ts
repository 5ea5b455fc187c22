import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import { AriaComponent, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, TooltipComponent } from "echarts/components";
import { init, use, type ECharts } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

import { debounce, define, h, icon, jsonOf } from "../lib/dom";
import { t } from "../lib/strings";
import { colour, onTheme } from "../lib/theme";
import { palette } from "./chart-palette";
import { hasData, historyOption, localised, wordOf, type History } from "./history-option";

use([
  BarChart, LineChart, ScatterChart, AriaComponent, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, TooltipComponent,
  CanvasRenderer,
]);

/**
 * `<ym-history>`: the history of points out of its data script. Holes where readings are missing, a band from least to greatest,
 * excluded readings with a mark of their own. Arrow keys walk along the readings and say them; the table behind it is one button away.
 */
class HistoryElement extends HTMLElement {
  #chart: ECharts | null = null;
  #history: History | null = null;
  #at = -1;
  #says = h("p", { class: "visually-hidden", role: "status" });
  #stop: (() => void) | null = null;
  #observer: ResizeObserver | null = null;

  connectedCallback(): void {
    const told = jsonOf<History>(this);
    const history = told && localised(told);
    const table = this.querySelector<HTMLElement>(".ym-chart-table");
    if (!history || this.#chart) return;
    this.#history = history;
    if (!hasData(history)) {
      this.prepend(h("p", { class: "ym-none" }, t("chart.empty")));
      return;
    }
    const box = h("div", { class: "ym-chart-box", "data-height": "lg", tabindex: "0", role: "application", "aria-label": `${this.dataset["title"] ?? ""} ${t("history.keys")}` });
    this.prepend(this.#tools(box, table), box, this.#says);
    if (table) table.hidden = true;
    const drawn = init(box);
    this.#chart = drawn;
    const words = { excluded: t("history.excluded"), band: t("history.band"), gap: t("history.gap"), increase: t("history.increase") };
    const draw = (): void => drawn.setOption(historyOption(history, palette(), words), true);
    draw();
    box.addEventListener("keydown", (event) => this.#key(event));
    this.#stop = onTheme(draw);
    this.#observer = new ResizeObserver(debounce(() => drawn.resize(), 60));
    this.#observer.observe(box);
    this.dataset["state"] = "ready";
  }

  disconnectedCallback(): void {
    this.#stop?.();
    this.#observer?.disconnect();
    this.#chart?.dispose();
    this.#chart = null;
    this.querySelectorAll(".ym-chart-box, .ym-chart-tools").forEach((element) => element.remove());
    this.#says.remove();
  }

  #key(event: KeyboardEvent): void {
    const one = this.#history?.series[0];
    if (!one || !this.#chart || event.ctrlKey || event.altKey || event.metaKey) return;
    const last = one.time.length - 1;
    const step = event.shiftKey ? Math.max(1, Math.round(last / 20)) : 1;
    const from = this.#at < 0 ? last : this.#at;
    const to = { ArrowLeft: from - step, ArrowRight: from + step, Home: 0, End: last }[event.key];
    if (to === undefined) {
      if (event.key === "Escape") this.#chart.dispatchAction({ type: "hideTip" });
      return;
    }
    event.preventDefault();
    this.#at = Math.min(last, Math.max(0, to));
    this.#chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: this.#at });
    const moment = new Date(one.time[this.#at] ?? 0).toISOString().slice(0, 19).replace("T", " ");
    const value = one.value[this.#at];
    this.#says.textContent = `${moment}: ${value == null ? t("history.gap") : wordOf(one, value)}`;
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
      toggle.replaceChildren(icon(table.hidden ? "table" : "chart-line"));
      name(t(table.hidden ? "chart.table" : "chart.chart"));
      if (!box.hidden) this.#chart?.resize();
    });
    const whole = h("button", { type: "button", class: "ym-icon-btn", "aria-label": t("history.whole"), title: t("history.whole") }, icon("maximize"));
    whole.addEventListener("click", () => this.#chart?.dispatchAction({ type: "dataZoom", start: 0, end: 100 }));
    const save = h("button", { type: "button", class: "ym-icon-btn", "aria-label": t("chart.download"), title: t("chart.download") }, icon("photo"));
    save.addEventListener("click", () => {
      const href = this.#chart?.getDataURL({ pixelRatio: 2, backgroundColor: colour("surface") });
      if (href) h("a", { href, download: `${this.dataset["title"] || "chart"}.png` }).click();
    });
    return h("div", { class: "ym-chart-tools" }, whole, toggle, save);
  }
}

define("ym-history", HistoryElement);
