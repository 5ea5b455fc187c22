// From the description of the map's layers to style layers of MapLibre, and the measures of a collection. Pure.
import type { FeatureCollection, Position } from "geojson";
import type { LayerSpecification } from "maplibre-gl";

export interface MapLayer {
  id: string;
  label: string;
  url: string;
  kind: "area" | "line" | "point" | "building";
  tone?: string;
  visible?: boolean;
  label_field?: string | null;
  height_field?: string | null;
  color_field?: string | null;
  /** Topics of live events that move or recolour the features of this layer. */
  live?: string | null;
}

/** What a live event says of a device on the map. */
export interface Moved {
  device: number;
  online: boolean;
  at: [number, number] | null;
}

/** Move and recolour the feature of a device in place; true when something has changed. */
export function moveFeature(collection: FeatureCollection, moved: Moved): boolean {
  const feature = collection.features.find((each) => each.properties?.["key"] === `device-${moved.device}`);
  if (!feature?.properties) return false;
  let changed = false;
  if (moved.at && feature.properties["moves"] && feature.geometry.type === "Point") {
    const [x, y] = feature.geometry.coordinates;
    if (x !== moved.at[0] || y !== moved.at[1]) {
      feature.geometry.coordinates = moved.at;
      changed = true;
    }
  }
  const light = feature.properties["light"] === "red" && moved.online ? "red" : moved.online ? "green" : "grey";
  if (feature.properties["light"] !== light) {
    feature.properties["light"] = light;
    changed = true;
  }
  return changed;
}
export interface MapData {
  layers: MapLayer[];
  tiles?: string | null;
  bounds?: [number, number, number, number] | null;
  note?: string;
}
export type Colours = (name: string) => string;

const LIGHTS: [string, string][] = [
  ["green", "success"],
  ["yellow", "warning"],
  ["red", "danger"],
  ["grey", "secondary"],
];

/** The paint of a layer: its tone, or by the lights in its `color_field`. */
function paintColour(layer: MapLayer, colours: Colours): unknown {
  const tone = colours(layer.tone ?? "primary");
  if (!layer.color_field) return tone;
  return ["match", ["get", layer.color_field], ...LIGHTS.flatMap(([light, name]) => [light, colours(name)]), tone];
}

/** Ids of the style layers that belong to a layer, in the order of drawing. */
export function styleLayers(layer: MapLayer, colours: Colours): LayerSpecification[] {
  const colour = paintColour(layer, colours);
  const source = layer.id;
  const layout = { visibility: layer.visible === false ? "none" : "visible" };
  const made: unknown[] = [];
  if (layer.kind === "area") {
    made.push(
      { id: `${source}-fill`, type: "fill", source, layout, paint: { "fill-color": colour, "fill-opacity": ["case", ["boolean", ["feature-state", "chosen"], false], 0.42, 0.16] } },
      { id: `${source}-line`, type: "line", source, layout, paint: { "line-color": colour, "line-width": ["case", ["boolean", ["feature-state", "chosen"], false], 3.5, 1.6] } },
    );
  } else if (layer.kind === "line") {
    made.push({ id: `${source}-line`, type: "line", source, layout: { ...layout, "line-cap": "round", "line-join": "round" }, paint: { "line-color": colour, "line-width": 3.5 } });
  } else if (layer.kind === "building") {
    made.push({
      id: `${source}-solid`, type: "fill-extrusion", source, layout,
      paint: {
        "fill-extrusion-color": ["case", ["boolean", ["feature-state", "chosen"], false], colours("warning"), colour],
        "fill-extrusion-height": ["coalesce", ["to-number", ["get", layer.height_field ?? "height"]], 6],
        "fill-extrusion-base": 0,
        "fill-extrusion-opacity": 0.88,
      },
    });
  } else {
    made.push({
      id: `${source}-dot`, type: "circle", source, layout,
      paint: {
        "circle-color": colour,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, 4, 15, 9],
        // What moves has a ring of its own, so that it is found among what stands.
        "circle-stroke-color": ["case", ["==", ["get", "moves"], true], colours("primary"), colours("surface")],
        "circle-stroke-width": ["case", ["==", ["get", "moves"], true], 4, 2],
      },
    });
  }
  if (layer.label_field) {
    made.push({
      id: `${source}-text`, type: "symbol", source,
      ...(layer.kind === "building" ? { minzoom: 15 } : layer.kind === "area" ? { minzoom: layer.id === "parks" ? 0 : 11 } : {}),
      layout: {
        ...layout, "text-field": ["to-string", ["get", layer.label_field]], "text-font": ["sans-serif"],
        "text-size": layer.id === "parks" ? 15 : 12, "text-max-width": 9, "text-padding": 6,
        ...(layer.kind === "point" ? { "text-offset": [0, 1], "text-anchor": "top", "text-optional": true } : {}),
      },
      paint: { "text-color": colours("text"), "text-halo-color": colours("surface"), "text-halo-width": 1.6 },
    });
  }
  return made as LayerSpecification[];
}

export type Box = [number, number, number, number];

/** West, south, east, north of everything in a collection; null when it is empty. */
export function boundsOf(collection: FeatureCollection): Box | null {
  let box: Box | null = null;
  const walk = (value: unknown): void => {
    if (!Array.isArray(value)) return;
    if (typeof value[0] === "number" && typeof value[1] === "number") {
      const [x, y] = value as Position as [number, number];
      box = box ? [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)] : [x, y, x, y];
    } else value.forEach(walk);
  };
  for (const { geometry } of collection.features) {
    if (!geometry) continue;
    if (geometry.type === "GeometryCollection") geometry.geometries.forEach((part) => "coordinates" in part && walk(part.coordinates));
    else walk(geometry.coordinates);
  }
  return box;
}

/** The box around two boxes; either may be missing. */
export function union(a: Box | null, b: Box | null): Box | null {
  if (!a || !b) return a ?? b;
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}
