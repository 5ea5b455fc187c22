// From the short description of docs/frontend.md to an option of ECharts. Pure: no DOM, so that it can be tested.

export interface Datum {
  name: string;
  value: number | null;
  url?: string;
}
export interface Series {
  name: string;
  type?: "bar" | "line";
  data: (number | null | Datum)[];
  tone?: string;
  unit?: string;
  axis?: "percent";
  area?: boolean;
}
export interface Chart {
  type: "bar" | "line" | "pie";
  categories?: string[];
  axis?: string;
  unit?: string;
  series: Series[];
  urls?: (string | null)[];
  stack?: boolean;
  horizontal?: boolean;
  percent?: boolean;
  area?: boolean;
  option?: Record<string, unknown>;
}

export interface Palette {
  text: string;
  muted: string;
  line: string;
  surface: string;
  font: string;
  tones: Record<string, string>;
  scale: string[];
}

export type Option = Record<string, unknown>;

const percentText = (value: unknown): string =>
  typeof value === "number" ? `${(value * 100).toLocaleString(undefined, { maximumFractionDigits: 1 })} %` : "–";
const numberText = (value: unknown): string =>
  typeof value === "number" ? value.toLocaleString(undefined, { maximumFractionDigits: 2 }) : "–";

/** Is there anything to draw? */
export function isEmpty(chart: Chart): boolean {
  return !chart.series.some((series) =>
    series.data.some((item) => (typeof item === "object" && item !== null ? item.value : item) !== null),
  );
}

/** The address behind a point, if it has one. */
export function urlOf(chart: Chart, seriesIndex: number, dataIndex: number): string | null {
  const item = chart.series[seriesIndex]?.data[dataIndex];
  if (typeof item === "object" && item !== null && item.url) return item.url;
  return chart.urls?.[dataIndex] ?? null;
}

function formatterOf(chart: Chart, series: Series): (value: unknown) => string {
  const unit = series.unit ?? chart.unit ?? "";
  if (chart.percent || series.axis === "percent") return percentText;
  return (value) => (unit ? `${numberText(value)} ${unit}` : numberText(value));
}

/** The option of ECharts for a chart in the colours given. */
export function optionOf(chart: Chart, palette: Palette): Option {
  const base: Option = {
    color: palette.scale,
    textStyle: { fontFamily: palette.font, color: palette.text },
    animationDuration: 250,
    aria: { enabled: true },
    tooltip: {
      // Tooltips of HTML carry style attributes, which the policy of the pages forbids: they are drawn on the canvas.
      renderMode: "richText",
      trigger: chart.type === "pie" ? "item" : "axis",
      axisPointer: { type: chart.series.some((s) => (s.type ?? chart.type) === "bar") ? "shadow" : "line" },
      backgroundColor: palette.surface,
      borderColor: palette.line,
      textStyle: { color: palette.text, fontSize: 13 },
      confine: true,
    },
    legend: {
      show: chart.type === "pie" || chart.series.length > 1,
      type: "scroll",
      top: 0,
      left: 0,
      itemWidth: 14,
      itemHeight: 9,
      textStyle: { color: palette.muted },
      pageTextStyle: { color: palette.muted },
    },
  };
  const body = chart.type === "pie" ? pie(chart, palette) : cartesian(chart, palette);
  return { ...base, ...body, ...(chart.option ?? {}) };
}

function pie(chart: Chart, palette: Palette): Option {
  const series = chart.series[0];
  return {
    series: [
      {
        type: "pie",
        name: series?.name ?? "",
        radius: ["46%", "74%"],
        center: ["50%", "55%"],
        data: series?.data ?? [],
        itemStyle: { borderColor: palette.surface, borderWidth: 2 },
        label: { color: palette.text, formatter: "{b}\n{d} %" },
        tooltip: series ? { valueFormatter: formatterOf(chart, series) } : {},
      },
    ],
  };
}

function cartesian(chart: Chart, palette: Palette): Option {
  const second = chart.series.some((series) => series.axis === "percent") && !chart.percent;
  const valueAxis = (percent: boolean, isSecond = false): Option => ({
    type: "value",
    name: percent ? "%" : (chart.unit ?? ""),
    nameTextStyle: { color: palette.muted, align: isSecond ? "right" : "left", padding: [0, 0, 4, 0] },
    nameGap: 10,
    axisLabel: { color: palette.muted, formatter: percent ? (v: number) => `${Math.round(v * 100)}` : numberText },
    splitLine: { show: !isSecond, lineStyle: { color: palette.line } },
    axisLine: { show: false },
  });
  const categoryAxis: Option = {
    type: "category",
    data: chart.categories ?? [],
    inverse: chart.horizontal === true,
    axisLabel: { color: palette.muted, hideOverlap: true, ...(chart.horizontal ? { width: 150, overflow: "truncate" } : {}) },
    axisTick: { show: false },
    axisLine: { lineStyle: { color: palette.line } },
  };
  const values = second ? [valueAxis(false), valueAxis(true, true)] : valueAxis(chart.percent === true);
  return {
    grid: { left: 4, right: second ? 8 : 16, top: chart.series.length > 1 ? 60 : 34, bottom: 4, containLabel: true },
    xAxis: chart.horizontal ? values : categoryAxis,
    yAxis: chart.horizontal ? categoryAxis : values,
    series: chart.series.map((series, index) => {
      const type = series.type ?? (chart.type === "line" ? "line" : "bar");
      const tone = series.tone ? palette.tones[series.tone] : palette.scale[index % palette.scale.length];
      return {
        type,
        name: series.name,
        data: series.data,
        stack: chart.stack && type === "bar" ? "all" : undefined,
        yAxisIndex: second && series.axis === "percent" && !chart.horizontal ? 1 : undefined,
        itemStyle: { color: tone, borderRadius: type === "bar" && !chart.stack ? 2 : 0 },
        lineStyle: { width: 2.5, color: tone },
        areaStyle: (series.area ?? chart.area) && type === "line" ? { opacity: 0.14, color: tone } : undefined,
        symbol: ["circle", "rect", "triangle", "diamond"][index % 4],
        symbolSize: 7,
        barMaxWidth: 32,
        connectNulls: false,
        tooltip: { valueFormatter: formatterOf(chart, series) },
      };
    }),
  };
}
