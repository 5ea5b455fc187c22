// From the history of points to an option of ECharts. Pure: no DOM, so that it can be tested.
import type { Option, Palette } from "./chart-option";

type Cell = number | null;

/** One point: columns of equal length; a gap is a moment whose value is null. */
export interface PointSeries {
  name: string;
  unit: string;
  kind: "gauge" | "counter" | "state";
  decimals: number;
  states: Record<string, string>;
  time: number[];
  value: Cell[];
  low?: Cell[];
  high?: Cell[];
  number?: Cell[];
  excluded: [number, Cell, string][];
  gaps: [number, number][];
}
export interface History {
  step: "raw" | "hour" | "day";
  begin: number;
  end: number;
  /** Milliseconds that the clock of the installation is ahead of UTC: its time is shown, wherever the reader sits. */
  offset: number;
  series: PointSeries[];
}
export interface Words {
  excluded: string;
  band: string;
  gap: string;
  increase: string;
}

export const hasData = (history: History): boolean =>
  history.series.some((one) => one.value.some((value) => value !== null) || one.excluded.length > 0);

/** The same history on the clock of the installation. */
export function localised(history: History): History {
  const shift = (moment: number): number => moment + history.offset;
  return {
    ...history,
    begin: shift(history.begin),
    end: shift(history.end),
    series: history.series.map((one) => ({
      ...one,
      time: one.time.map(shift),
      excluded: one.excluded.map(([moment, value, reason]) => [shift(moment), value, reason]),
      gaps: one.gaps.map(([begin, end]) => [shift(begin), shift(end)]),
    })),
  };
}

/** A value as people read it: the name of a state, or the number with its unit. */
export function wordOf(one: PointSeries, value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  const state = one.kind === "state" ? one.states[String(value)] : undefined;
  if (state) return state;
  const text = value.toLocaleString(undefined, { minimumFractionDigits: 0, maximumFractionDigits: Math.max(one.decimals, 0) });
  return one.unit ? `${text} ${one.unit}` : text;
}

/** Which of the two axes each point has: those of the first unit the left one, all others the right one. */
export function axesOf(history: History): number[] {
  const first = history.series[0];
  return history.series.map((one) => (first && one.unit === first.unit && (one.kind === "state") === (first.kind === "state") ? 0 : 1));
}

function axis(history: History, sides: number[], side: number, palette: Palette): Option {
  const mine = history.series.filter((_one, index) => sides[index] === side);
  const units = [...new Set(mine.map((one) => one.unit).filter(Boolean))];
  const states = mine.length > 0 && mine.every((one) => one.kind === "state");
  const only = mine[0];
  return {
    type: "value",
    show: mine.length > 0,
    position: side === 0 ? "left" : "right",
    scale: history.step === "raw" || mine.some((one) => one.kind !== "counter"),
    name: units.join(", "),
    nameTextStyle: { color: palette.muted, align: side === 0 ? "left" : "right" },
    axisLabel: {
      color: palette.muted,
      hideOverlap: true,
      ...(states && only ? { formatter: (value: number) => only.states[String(value)] ?? "" } : {}),
    },
    ...(states ? { minInterval: 1 } : {}),
    splitLine: { show: side === 0, lineStyle: { color: palette.line } },
    axisLine: { show: false },
    axisTick: { show: false },
  };
}

const pairs = (time: number[], value: (Cell | undefined)[]): [number, Cell][] => time.map((moment, index) => [moment, value[index] ?? null]);

function seriesOf(history: History, one: PointSeries, index: number, side: number, palette: Palette, words: Words): Option[] {
  const tone = palette.scale[index % palette.scale.length] ?? palette.text;
  const bars = one.kind === "counter" && history.step !== "raw";
  const made: Option[] = [
    {
      id: `point-${index}`,
      name: bars ? `${one.name} (${words.increase})` : one.name,
      type: bars ? "bar" : "line",
      yAxisIndex: side,
      data: pairs(one.time, one.value),
      connectNulls: false,
      showSymbol: one.value.length < 80,
      symbolSize: 5,
      itemStyle: { color: tone },
      lineStyle: { width: 1.75, color: tone },
      ...(bars ? { barMaxWidth: 18 } : {}),
      ...(one.kind === "state" ? { step: "end" } : {}),
      tooltip: { valueFormatter: (value: unknown) => wordOf(one, value) },
      markArea: {
        silent: true,
        itemStyle: { color: palette.line, opacity: 0.45 },
        data: one.gaps.slice(0, 200).map(([begin, end]) => [{ xAxis: begin, name: "" }, { xAxis: end }]),
      },
    },
  ];
  if (one.low?.length && one.high?.length) {
    const { low, high } = one;
    const spread = high.map((value, place) => (value === null || low[place] == null ? null : value - (low[place] ?? 0)));
    const quiet = { type: "line", yAxisIndex: side, stack: `band-${index}`, stackStrategy: "all", symbol: "none", silent: true, lineStyle: { opacity: 0 } };
    made.push(
      { ...quiet, id: `low-${index}`, name: `${one.name} ${words.band}`, data: pairs(one.time, low), tooltip: { show: false }, itemStyle: { color: tone } },
      { ...quiet, id: `band-${index}`, name: `${one.name} ${words.band}`, data: pairs(one.time, spread), areaStyle: { color: tone, opacity: 0.18 }, itemStyle: { color: tone }, tooltip: { show: false } },
    );
  }
  if (one.excluded.length) {
    made.push({
      id: `excluded-${index}`,
      name: `${one.name} ${words.excluded}`,
      type: "scatter",
      yAxisIndex: side,
      symbol: "diamond",
      symbolSize: 9,
      itemStyle: { color: palette.surface, borderColor: palette.tones["danger"] ?? tone, borderWidth: 1.75 },
      data: one.excluded.filter(([, value]) => value !== null).map(([moment, value, reason]) => ({ value: [moment, value], reason })),
      tooltip: { valueFormatter: (value: unknown) => wordOf(one, value) },
    });
  }
  return made;
}

/** The option of ECharts for a history in the colours given. */
export function historyOption(history: History, palette: Palette, words: Words): Option {
  const sides = axesOf(history);
  return {
    color: palette.scale,
    textStyle: { fontFamily: palette.font, color: palette.text },
    animation: false,
    useUTC: true,
    aria: { enabled: true },
    grid: { left: 8, right: 8, top: 60, bottom: 56, containLabel: true },
    tooltip: {
      renderMode: "richText",
      trigger: "axis",
      axisPointer: { type: "line", lineStyle: { color: palette.muted } },
      backgroundColor: palette.surface,
      borderColor: palette.line,
      textStyle: { color: palette.text, fontSize: 13 },
      confine: true,
    },
    legend: { type: "scroll", top: 0, left: 0, itemWidth: 14, itemHeight: 9, textStyle: { color: palette.muted } },
    xAxis: {
      type: "time",
      min: history.begin,
      max: history.end,
      axisLabel: { color: palette.muted, hideOverlap: true },
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { lineStyle: { color: palette.line } },
    },
    yAxis: [axis(history, sides, 0, palette), axis(history, sides, 1, palette)],
    dataZoom: [
      { type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl" },
      {
        type: "slider", filterMode: "none", height: 22, bottom: 8, borderColor: palette.line, textStyle: { color: palette.muted },
        fillerColor: "rgba(80, 130, 190, 0.18)", dataBackground: { lineStyle: { color: palette.muted }, areaStyle: { color: palette.line } },
      },
    ],
    series: history.series.flatMap((one, index) => seriesOf(history, one, index, sides[index] ?? 0, palette, words)),
  };
}
