// What may be drawn on a map, and how it stands in the fields of a form. Pure; WGS 84 degrees, metres.
import type { FeatureCollection, Geometry } from "geojson";

export type Place = [number, number];
export type Tool = "circle" | "rectangle" | "polygon" | "line";
/** A figure as it grows: the middle of a circle, two opposite corners of a rectangle, the corners of the others. */
export interface Figure {
  tool: Tool;
  points: Place[];
  radius: number;
}
/** How many points a figure needs before it is one. */
export const LEAST: Record<Tool, number> = { circle: 1, rectangle: 2, polygon: 3, line: 2 };
const METRES = 111_320; // of one degree of latitude
const NUMBER = /^[+-]?\d+(\.\d+)?$/;

const near = (latitude: number): number => Math.max(Math.cos((latitude * Math.PI) / 180), 0.01);
const round = (value: number): number => Math.round(value * 1e6) / 1e6;
export const rounded = ([x, y]: Place): Place => [round(x), round(y)];

/** Metres between two places, as the crow flies (flat; good for the size of a park or a city). */
export function metres(a: Place, b: Place): number {
  return Math.hypot((b[0] - a[0]) * METRES * near((a[1] + b[1]) / 2), (b[1] - a[1]) * METRES);
}

/** The ring of corners that a figure has, not closed; empty until it is one. */
export function ringOf(figure: Figure): Place[] {
  const { tool, points, radius } = figure;
  const [first, second] = points;
  if (!first || points.length < LEAST[tool]) return [];
  if (tool === "circle") {
    return Array.from({ length: 64 }, (_, i): Place => {
      const angle = (i * Math.PI) / 32;
      return [first[0] + (radius * Math.cos(angle)) / METRES / near(first[1]), first[1] + (radius * Math.sin(angle)) / METRES];
    });
  }
  if (tool === "rectangle" && second) return [first, [second[0], first[1]], second, [first[0], second[1]]];
  return points;
}

/** What is drawn: the area or the way, and while it is too little for one the line so far. */
export function sketchOf(figure: Figure): FeatureCollection {
  const ring = ringOf(figure);
  const [first] = ring;
  let geometry: Geometry | null = null;
  if (first && figure.tool !== "line") geometry = { type: "Polygon", coordinates: [[...ring, first]] };
  else if (figure.points.length > 1) geometry = { type: "LineString", coordinates: figure.points };
  return { type: "FeatureCollection", features: geometry ? [{ type: "Feature", properties: {}, geometry }] : [] };
}

/** The dots that can be taken hold of; the last one of a circle is its rim. */
export function handlesOf(figure: Figure): Place[] {
  const [middle] = figure.points;
  if (figure.tool === "circle") return middle ? [middle, [middle[0] + figure.radius / METRES / near(middle[1]), middle[1]]] : [];
  return figure.tool === "rectangle" && figure.points.length === 2 ? ringOf(figure) : figure.points;
}

/** Where a corner can be put in between: the middles of the sides. */
export function betweenOf({ tool, points }: Figure): Place[] {
  if ((tool !== "polygon" && tool !== "line") || points.length < 2) return [];
  const sides = tool === "polygon" && points.length > 2 ? points.length : points.length - 1;
  return Array.from({ length: sides }, (_, i): Place => {
    const a = points[i] as Place;
    const b = points[(i + 1) % points.length] as Place;
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  });
}

/** A click: one more point; a figure that is whole stays as it is. */
export function added(figure: Figure, at: Place): Figure {
  if ((figure.tool === "circle" && figure.points.length > 0) || (figure.tool === "rectangle" && figure.points.length > 1)) return figure;
  return { ...figure, points: [...figure.points, rounded(at)] };
}

/** A dot was moved. */
export function moved(figure: Figure, index: number, to: Place): Figure {
  const [first, second] = figure.points;
  if (figure.tool === "circle" && first) {
    if (index === 1) return { ...figure, radius: Math.max(1, Math.round(metres(first, to))) };
    return { ...figure, points: [rounded(to)] };
  }
  if (figure.tool === "rectangle" && first && second) {
    const [x, y] = rounded(to);
    const points: Place[] = [[first[0], first[1]], [second[0], second[1]]];
    (points[index === 0 || index === 3 ? 0 : 1] as Place)[0] = x;
    (points[index < 2 ? 0 : 1] as Place)[1] = y;
    return { ...figure, points };
  }
  return { ...figure, points: figure.points.map((point, i) => (i === index ? rounded(to) : point)) };
}

/** A corner put in after another. */
export function inserted(figure: Figure, after: number, at: Place): Figure {
  return { ...figure, points: [...figure.points.slice(0, after + 1), rounded(at), ...figure.points.slice(after + 1)] };
}

/** Without one of its points. */
export function without(figure: Figure, index: number): Figure {
  return { ...figure, points: figure.tool === "circle" ? [] : figure.points.filter((_, i) => i !== index) };
}

/** Square metres and metres around (of a line: its length), flat; null until it is a figure. */
export function sizeOf(figure: Figure): { area: number; length: number } | null {
  const ring = ringOf(figure);
  const [origin] = ring;
  if (!origin) return null;
  if (figure.tool === "circle") return { area: Math.PI * figure.radius ** 2, length: 2 * Math.PI * figure.radius };
  const scale = METRES * near(origin[1]);
  const flat = ring.map(([x, y]): Place => [(x - origin[0]) * scale, (y - origin[1]) * METRES]);
  let area = 0;
  let length = 0;
  flat.forEach((a, i) => {
    const last = i === flat.length - 1;
    if (last && figure.tool === "line") return;
    const b = flat[last ? 0 : i + 1] as Place;
    area += a[0] * b[1] - b[0] * a[1];
    length += Math.hypot(b[0] - a[0], b[1] - a[1]);
  });
  return { area: figure.tool === "line" ? 0 : Math.abs(area) / 2, length };
}

/** Typed corners as places; null where a line is none, or where it is GeoJSON of another kind. A closing corner falls away. */
export function cornersOf(text: string): Place[] | null {
  const found: Place[] = [];
  for (const line of text.split("\n")) {
    const parts = line.trim().split(/[\s,，;；、]+/).filter(Boolean);
    if (!parts.length) continue;
    const [x, y] = parts.map(Number);
    if (parts.length !== 2 || !parts.every((part) => NUMBER.test(part)) || Math.abs(x as number) > 180 || Math.abs(y as number) > 90) return null;
    found.push([x as number, y as number]);
  }
  const [first] = found;
  const last = found.at(-1);
  if (first && last && found.length > 3 && first[0] === last[0] && first[1] === last[1]) found.pop();
  return found;
}

/** Corners as they are typed. */
export const cornersText = (points: Place[]): string => points.map(([x, y]) => `${x.toFixed(6)}, ${y.toFixed(6)}`).join("\n");
