import { expect, test } from "vitest";
import { isEmpty, optionOf, urlOf, type Chart, type Palette } from "./chart-option";
import { asked, type Depends } from "./depends";
import { accepts } from "./dropzone";
import { dropped } from "./lanes";
import { boundsOf, moveFeature, styleLayers, union } from "./map-layers";
import { sparkPath } from "./sparkline";

const palette: Palette = { text: "#111", muted: "#555", line: "#ddd", surface: "#fff", font: "x", tones: { success: "#080" }, scale: ["#00f", "#f00"] };
const chart: Chart = {
  type: "bar", categories: ["a", "b"], unit: "km", urls: ["/a", null],
  series: [{ name: "n", data: [1, null], tone: "success" }, { name: "r", type: "line", axis: "percent", data: [0.5, { name: "b", value: 1, url: "/p" }] }],
};

test("tooltips are drawn, never HTML with style attributes", () => {
  expect((optionOf(chart, palette)["tooltip"] as { renderMode: string }).renderMode).toBe("richText");
});
test("a percent series gets the second axis, tones are honoured", () => {
  const option = optionOf(chart, palette) as { yAxis: unknown[]; series: { yAxisIndex?: number; itemStyle: { color: string } }[] };
  expect(option.yAxis).toHaveLength(2);
  expect(option.series[1]?.yAxisIndex).toBe(1);
  expect(option.series[0]?.itemStyle.color).toBe("#080");
});
test("a point's own address goes before that of its category", () => {
  expect(urlOf(chart, 0, 0)).toBe("/a");
  expect(urlOf(chart, 1, 1)).toBe("/p");
  expect(urlOf(chart, 0, 1)).toBeNull();
});
test("only gaps is empty", () => {
  expect(isEmpty({ type: "line", series: [{ name: "", data: [null, null] }] })).toBe(true);
  expect(isEmpty(chart)).toBe(false);
});
const flow: Chart = {
  type: "sankey", series: [], unit: "km", stages: ["A", "B"],
  nodes: [{ id: "a:1", label: "Alpha", depth: 0, url: "/a" }, { id: "b:1", label: "Beta", depth: 1, tone: "success", chosen: true }],
  links: [{ source: "a:1", target: "b:1", value: 12.5, note: "by area" }],
};
test("a sankey draws nodes by their words, and shared links paler", () => {
  const option = optionOf(flow, palette) as {
    title: { text: string; left: string }[];
    tooltip: { renderMode: string; formatter: (item: object) => string };
    series: { data: { name: string; itemStyle: { color: string; borderWidth: number } }[]; links: { lineStyle: { opacity: number } }[]; label: { formatter: (item: object) => string } }[];
  };
  const series = option.series[0];
  expect(option.title.map((head) => head.text)).toEqual(["A", "B"]);
  expect(option.tooltip.renderMode).toBe("richText");
  expect(option.tooltip.formatter({ dataType: "edge", value: 12.5, data: flow.links?.[0] })).toBe("Alpha → Beta\n12.5 km\nby area");
  expect(series?.label.formatter({ name: "b:1" })).toBe("Beta");
  expect(series?.data[1]?.itemStyle).toMatchObject({ color: "#080", borderWidth: 2 });
  expect(series?.links[0]?.lineStyle.opacity).toBeLessThan(0.3);
  expect(urlOf(flow, 0, 0)).toBe("/a");
  expect(urlOf(flow, 0, 1)).toBeNull();
  expect(isEmpty(flow)).toBe(false);
  expect(isEmpty({ ...flow, links: [] })).toBe(true);
});
test("a gap breaks the sparkline", () => expect(sparkPath([0, 1, null, 1], 30, 10)).toBe("M0.0 10.0L10.0 0.0M30.0 0.0"));
test("accept by ending and by kind", () => {
  expect(accepts(".xlsx,.csv", "A.XLSX", "")).toBe(true);
  expect(accepts(".xlsx", "a.xls", "")).toBe(false);
  expect(accepts("image/*", "p", "image/png")).toBe(true);
});
test("bounds go through every kind of geometry", () => {
  const point = { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [113, 28] } } as const;
  const area = { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [[[112, 27], [112.5, 27], [112, 27.5], [112, 27]]] } } as const;
  expect(boundsOf({ type: "FeatureCollection", features: [point as never, area as never] })).toEqual([112, 27, 113, 28]);
  expect(boundsOf({ type: "FeatureCollection", features: [] })).toBeNull();
  expect(union([0, 0, 1, 1], null)).toEqual([0, 0, 1, 1]);
});
test("a hidden building layer is extruded and invisible", () => {
  const [solid] = styleLayers({ id: "b", label: "", url: "", kind: "building", visible: false, height_field: "h" }, () => "#000");
  expect(solid?.type).toBe("fill-extrusion");
  expect(solid?.layout?.visibility).toBe("none");
});
test("a card dropped where it came from chooses nothing", () => {
  expect(dropped("in", "out")).toBe("out");
  expect(dropped("in", "in")).toBeNull();
  expect(dropped("in", undefined)).toBeNull();
});

test("a live event moves what moves and recolours the rest", () => {
  const at = (x: number, y: number, device: number, moves: boolean) => ({
    type: "Feature" as const, geometry: { type: "Point" as const, coordinates: [x, y] }, properties: { key: `device-${device}`, light: "grey", moves },
  });
  const collection = { type: "FeatureCollection" as const, features: [at(1, 2, 7, true), at(3, 4, 8, false)] };
  expect(moveFeature(collection, { device: 7, online: true, at: [5, 6] })).toBe(true);
  expect(collection.features[0]?.geometry.coordinates).toEqual([5, 6]);
  expect(collection.features[0]?.properties.light).toBe("green");
  expect(moveFeature(collection, { device: 7, online: true, at: [5, 6] })).toBe(false);
  expect(moveFeature(collection, { device: 8, online: false, at: [9, 9] })).toBe(false);
  expect(collection.features[1]?.geometry.coordinates).toEqual([3, 4]);
  expect(moveFeature(collection, { device: 99, online: true, at: null })).toBe(false);
});

const depends: Depends = { limit: ["compare", ["above", "below"]], low: ["compare", ["outside"]], tone: ["limit", ["1"]] };

test("a field is asked when its master says so, and never when that is not asked itself", () => {
  expect(asked(depends, (name) => (name === "compare" ? "above" : "1"))).toEqual({ limit: true, low: false, tone: true });
  expect(asked(depends, (name) => (name === "compare" ? "outside" : "1"))).toEqual({ limit: false, low: true, tone: false });
});
