import { describe, expect, it } from "vitest";

import { axesOf, hasData, historyOption, localised, wordOf, type History, type PointSeries } from "./history-option";

const one = (more: Partial<PointSeries> = {}): PointSeries => ({
  name: "COD", unit: "mg/L", kind: "gauge", decimals: 1, states: {}, time: [0, 1000, 2000], value: [1, null, 3], excluded: [], gaps: [[0, 2000]], ...more,
});
const history = (...series: PointSeries[]): History => ({ step: "raw", begin: 0, end: 3000, offset: 8 * 3_600_000, series });
const palette = { text: "", muted: "", line: "", surface: "", font: "", tones: {}, scale: ["#111", "#222"] };
const words = { excluded: "excluded", band: "band", gap: "gap", increase: "increase" };

describe("history", () => {
  it("keeps a hole as a hole", () => {
    const option = historyOption(history(one()), palette, words) as { series: { data: unknown[]; connectNulls: boolean }[] };
    expect(option.series[0]?.data).toEqual([[0, 1], [1000, null], [2000, 3]]);
    expect(option.series[0]?.connectNulls).toBe(false);
  });
  it("puts units on two sides", () => {
    expect(axesOf(history(one(), one({ unit: "pH" }), one(), one({ unit: "L/s" })))).toEqual([0, 1, 0, 1]);
  });
  it("draws the band from the least value up, holes included", () => {
    const option = historyOption({ ...history(one({ low: [0, null, 2], high: [2, null, 5] })), step: "hour" }, palette, words) as { series: { id: string; data: unknown[] }[] };
    expect(option.series.find((series) => series.id === "band-0")?.data).toEqual([[0, 2], [1000, null], [2000, 3]]);
  });
  it("marks what is excluded apart from the line", () => {
    const option = historyOption(history(one({ excluded: [[1500, 99, "range"], [1600, null, "no number"]] })), palette, words) as { series: { type: string; data: unknown[] }[] };
    const marks = option.series.find((series) => series.type === "scatter");
    expect(marks?.data).toEqual([{ value: [1500, 99], reason: "range" }]);
  });
  it("shows the clock of the installation", () => {
    const shifted = localised(history(one({ excluded: [[1500, 99, "range"]] })));
    expect(shifted.series[0]?.time[0]).toBe(8 * 3_600_000);
    expect(shifted.series[0]?.excluded[0]?.[0]).toBe(8 * 3_600_000 + 1500);
  });
  it("says states by their names and numbers with their unit", () => {
    expect(wordOf(one({ kind: "state", states: { "1": "On" } }), 1)).toBe("On");
    expect(wordOf(one(), 2.25)).toMatch(/^2[.,][23] mg\/L$/);
    expect(wordOf(one(), null)).toBe("–");
  });
  it("knows when there is nothing to draw", () => {
    expect(hasData(history(one({ value: [null, null, null] })))).toBe(false);
    expect(hasData(history(one()))).toBe(true);
  });
});
