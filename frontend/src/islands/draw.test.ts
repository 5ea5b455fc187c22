import { describe, expect, it } from "vitest";

import { added, betweenOf, cornersOf, cornersText, handlesOf, inserted, metres, moved, ringOf, sizeOf, sketchOf, without, type Figure } from "./draw-model";

const figure = (more: Partial<Figure> = {}): Figure => ({ tool: "polygon", points: [], radius: 500, ...more });

describe("drawing", () => {
  it("grows a polygon corner by corner", () => {
    let one = figure();
    for (const at of [[113, 22], [113.01, 22], [113.01, 22.01]] as [number, number][]) one = added(one, at);
    expect(one.points).toHaveLength(3);
    expect(sketchOf(one).features[0]?.geometry.type).toBe("Polygon");
    expect(sketchOf({ ...one, points: one.points.slice(0, 2) }).features[0]?.geometry.type).toBe("LineString");
  });
  it("keeps a circle that is whole, and moves its middle and its rim", () => {
    const one = added(figure({ tool: "circle" }), [113, 22]);
    expect(added(one, [114, 23])).toBe(one);
    expect(moved(one, 0, [113.5, 22.5]).points).toEqual([[113.5, 22.5]]);
    const rim = handlesOf(one)[1] as [number, number];
    expect(Math.round(metres([113, 22], rim))).toBe(500);
    expect(moved(one, 1, [113, 22.01]).radius).toBe(1113);
    expect(ringOf(one)).toHaveLength(64);
  });
  it("moves each corner of a rectangle with its sides", () => {
    const one = figure({ tool: "rectangle", points: [[113, 23], [114, 22]] });
    expect(ringOf(one)).toEqual([[113, 23], [114, 23], [114, 22], [113, 22]]);
    expect(ringOf(moved(one, 1, [115, 24]))).toEqual([[113, 24], [115, 24], [115, 22], [113, 22]]);
    expect(ringOf(moved(one, 3, [112, 21]))).toEqual([[112, 23], [114, 23], [114, 21], [112, 21]]);
  });
  it("puts corners in and takes them away", () => {
    const one = figure({ points: [[0, 0], [2, 0], [2, 2]] });
    expect(betweenOf(one)).toEqual([[1, 0], [2, 1], [1, 1]]);
    expect(betweenOf({ ...one, tool: "line" })).toHaveLength(2);
    expect(inserted(one, 2, [0, 1]).points).toEqual([[0, 0], [2, 0], [2, 2], [0, 1]]);
    expect(without(one, 1).points).toEqual([[0, 0], [2, 2]]);
  });
  it("measures", () => {
    const one = figure({ tool: "rectangle", points: [[113, 0.01], [113.01, 0]] });
    const size = sizeOf(one);
    expect(Math.round((size?.area ?? 0) / 1000)).toBe(1239);
    expect(Math.round(size?.length ?? 0)).toBe(4453);
    expect(sizeOf(figure({ points: [[0, 0]] }))).toBeNull();
    expect(sizeOf(figure({ tool: "line", points: [[113, 0], [113.01, 0]] }))).toEqual({ area: 0, length: expect.closeTo(1113.2, 1) as number });
  });
  it("reads what people type, and says when it cannot", () => {
    expect(cornersOf("113.1, 22.6\n113.2，22.7\n\n113.3 22.8")).toEqual([[113.1, 22.6], [113.2, 22.7], [113.3, 22.8]]);
    expect(cornersOf("1, 1\n2, 1\n2, 2\n1, 1")).toHaveLength(3);
    expect(cornersOf('{"type": "Polygon"}')).toBeNull();
    expect(cornersOf("113.1\n")).toBeNull();
    expect(cornersOf("190, 22")).toBeNull();
    expect(cornersText([[113.1, 22.6]])).toBe("113.100000, 22.600000");
  });
});
