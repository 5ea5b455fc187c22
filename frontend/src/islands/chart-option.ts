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
export interface SankeyNode {
  id: string;
  label: string;
  depth: number;
  url?: string;
  tone?: string;
  chosen?: boolean;
}
export interface SankeyLink {
  source: string;
  target: string;
  value: number;
  /** How the amount was shared out, if it was: such a link is drawn paler. */
  note?: string;
}
export interface Chart {
  type: "bar" | "line" | "pie" | "sankey";
  nodes?: SankeyNode[];
  links?: SankeyLink[];
  /** Heads of the columns of a sankey. */
  stages?: string[];
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
  if (chart.type === "sankey") return !chart.links?.length;
  return !chart.series.some((series) =>
    series.data.some((item) => (typeof item === "object" && item !== null ? item.value : item) !== null),
  );
}

/** The address behind a point, if it has one. */
export function urlOf(chart: Chart, seriesIndex: number, dataIndex: number): string | null {
  if (chart.type === "sankey") return chart.nodes?.[dataIndex]?.url ?? null;
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
      trigger: chart.type === "pie" || chart.type === "sankey" ? "item" : "axis",
      axisPointer: { type: chart.series.some((s) => (s.type ?? chart.type) === "bar") ? "shadow" : "line" },
      backgroundColor: palette.surface,
      borderColor: palette.line,
      textStyle: { color: palette.text, fontSize: 13 },
      confine: true,
    },
    legend: {
      show: chart.type === "pie" || (chart.type !== "sankey" && chart.series.length > 1),
      type: "scroll",
      top: 0,
      left: 0,
      itemWidth: 14,
      itemHeight: 9,
      textStyle: { color: palette.muted },
      pageTextStyle: { color: palette.muted },
    },
  };
  if (chart.type === "sankey") return { ...base, ...sankey(chart, palette, base["tooltip"] as Option), ...(chart.option ?? {}) };
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

/** Columns from left to right, heads above them; what was shared out is paler than what is recorded. */
function sankey(chart: Chart, palette: Palette, tooltip: Option): Option {
  const nodes = chart.nodes ?? [];
  const labels = new Map(nodes.map((node) => [node.id, node.label]));
  const stages = chart.stages ?? [];
  const last = Math.max(1, ...nodes.map((node) => node.depth));
  const colourOf = (node: SankeyNode): string =>
    (node.tone ? palette.tones[node.tone] : palette.scale[node.depth % palette.scale.length]) ?? palette.muted;
  const amount = (value: unknown): string => `${numberText(value)}${chart.unit ? ` ${chart.unit}` : ""}`;
  const [left, right] = [0.5, 100 / (last + 2)];
  return {
    title: stages.map((text, index) => ({
      text,
      left: `${left + (index * (100 - left - right)) / last}%`,
      top: 0,
      padding: 0,
      textStyle: { color: palette.muted, fontSize: 12, fontWeight: 600, width: 900 / (last + 1), overflow: "truncate" },
    })),
    tooltip: {
      ...tooltip,
      formatter: (item: { dataType?: string; name: string; value: number; data: SankeyLink }): string =>
        item.dataType === "edge"
          ? [`${labels.get(item.data.source) ?? ""} → ${labels.get(item.data.target) ?? ""}`, amount(item.value), item.data.note ?? ""].filter(Boolean).join("\n")
          : `${labels.get(item.name) ?? item.name}\n${amount(item.value)}`,
    },
    series: [
      {
        type: "sankey",
        left: `${left}%`,
        right: `${right}%`,
        top: stages.length ? 26 : 6,
        bottom: 6,
        nodeWidth: 12,
        nodeGap: 10,
        draggable: false,
        emphasis: { focus: "trajectory" },
        labelLayout: { hideOverlap: true },
        label: {
          color: palette.text,
          fontSize: 12,
          width: 820 / (last + 1),
          overflow: "truncate",
          formatter: (item: { name: string }) => labels.get(item.name) ?? item.name,
        },
        data: nodes.map((node) => ({
          name: node.id,
          depth: node.depth,
          itemStyle: {
            color: colourOf(node),
            borderColor: node.chosen ? palette.text : palette.surface,
            borderWidth: node.chosen ? 2 : 0,
          },
          label: node.chosen ? { fontWeight: 700 } : undefined,
        })),
        links: (chart.links ?? []).map((link) => ({
          ...link,
          lineStyle: { color: "source", opacity: link.note ? 0.18 : 0.38, curveness: 0.5 },
        })),
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
