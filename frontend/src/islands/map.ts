import type { Feature, FeatureCollection } from "geojson";
import { Map as GlMap, Marker, Popup, ScaleControl, type GeoJSONSource, setWorkerUrl, type StyleSpecification } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";

import { define, h, icon } from "../lib/dom";
import { t } from "../lib/strings";
import { colour, onTheme } from "../lib/theme";
import { boundsOf, moveFeature, styleLayers, union, type Box, type MapData, type MapLayer, type Moved } from "./map-layers";

setWorkerUrl(new URL(workerUrl, import.meta.url).href);

interface Loaded {
  layer: MapLayer;
  collection: FeatureCollection;
}

/** `<ym-map data-src>`: our own data on a map, a list with the same content beside it. */
export class MapElement extends HTMLElement {
  #map: GlMap | null = null;
  #mark: Marker | null = null;
  #loaded: Loaded[] = [];
  #box: Box | null = null;
  #chosen: { source: string; id: number } | null = null;
  #popup: Popup | null = null;
  #stop: (() => void) | null = null;
  #sketch: FeatureCollection = { type: "FeatureCollection", features: [] };
  #stage!: HTMLElement;
  #list!: HTMLUListElement;

  async connectedCallback(): Promise<void> {
    if (this.#stop || !this.dataset["src"]) return;
    this.#stop = onTheme(() => this.#restyle());
    this.#frame();
    const data = await this.#load();
    if (!data || !this.isConnected) return;
    this.#fillList();
    if (!this.#box) {
      this.#note(t("map.empty"));
      if (!data.bounds) {
        this.dataset["state"] = "ready";
        return;
      }
    }
    this.#draw(data);
  }

  disconnectedCallback(): void {
    this.#stop?.();
    this.#map?.remove();
    this.#map = null;
  }

  /** For islands around it that draw: the map itself, once `ym:map` has told that it is ready. */
  get gl(): GlMap | null {
    return this.#map;
  }

  /** Show what an island around it draws; it outlives a change of the theme. */
  sketch(collection: FeatureCollection): void {
    this.#sketch = collection;
    (this.#map?.getSource("sketch") as GeoJSONSource | undefined)?.setData(collection);
  }

  /** For the tests of the browser: how much is drawn at the moment. */
  get rendered(): number {
    return this.#map?.queryRenderedFeatures().length ?? 0;
  }

  #frame(): void {
    this.dataset["state"] = "loading";
    this.#stage = h("div", { class: "ym-map-stage" }, h("div", { class: "ym-map-canvas" }));
    this.#list = h("ul");
    this.replaceChildren(this.#stage);
    if (this.dataset["list"] !== "no") {
      const find = h("input", { type: "search", class: "form-control form-control-sm", "aria-label": t("palette.label"), autocomplete: "off" });
      find.addEventListener("input", () => {
        const wanted = find.value.trim().toLowerCase();
        for (const row of this.#list.children as Iterable<Element>) (row as HTMLElement).hidden = !row.textContent?.toLowerCase().includes(wanted);
      });
      this.append(h("div", { class: "ym-map-list" }, h("h3", {}, t("map.list")), h("label", { class: "ym-panel-search" }, icon("search"), find), this.#list));
    }
  }

  #note(text: string): void {
    this.#stage.querySelector(".ym-map-note")?.remove();
    this.#stage.append(h("p", { class: "ym-map-note", role: "status" }, text));
  }

  async #load(): Promise<MapData | null> {
    const get = async <T>(url: string): Promise<T> => {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
      return (await answer.json()) as T;
    };
    try {
      const data = await get<MapData>(this.dataset["src"] ?? "");
      const results = await Promise.allSettled(
        data.layers.map(async (layer) => ({ layer, collection: await get<FeatureCollection>(layer.url) })),
      );
      this.#loaded = results.filter((r): r is PromiseFulfilledResult<Loaded> => r.status === "fulfilled").map((r) => r.value);
      if (this.#loaded.length < results.length) this.#note(t("map.partial"));
      for (const { collection } of this.#loaded) {
        // Ids are our own running numbers: the state of a feature (chosen) needs integers.
        collection.features.forEach((feature, index) => (feature.id = index));
        this.#box = union(this.#box, boundsOf(collection));
      }
      return data;
    } catch {
      this.#note(t("failed"));
      this.dataset["state"] = "failed";
      return null;
    }
  }

  #style(tiles: string | null | undefined): StyleSpecification {
    const style: StyleSpecification = { version: 8, sources: {}, layers: [{ id: "paper", type: "background", paint: { "background-color": colour("surface-2") } }] };
    if (tiles) {
      style.sources["tiles"] = { type: "raster", tiles: [tiles], tileSize: 256 };
      style.layers.push({ id: "tiles", type: "raster", source: "tiles" });
    }
    const texts: StyleSpecification["layers"] = [];
    for (const { layer, collection } of this.#loaded) {
      style.sources[layer.id] = { type: "geojson", data: collection };
      for (const made of styleLayers(layer, colour)) (made.type === "symbol" ? texts : style.layers).push(made);
    }
    style.layers.push(...texts);
    if (this.#picks) {
      style.sources["sketch"] = { type: "geojson", data: this.#sketch };
      style.layers.push(
        { id: "sketch-fill", type: "fill", source: "sketch", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour("vein"), "fill-opacity": 0.22 } },
        { id: "sketch-line", type: "line", source: "sketch", layout: { "line-join": "round" }, paint: { "line-color": colour("vein"), "line-width": 3 } },
      );
    }
    return style;
  }

  #draw(data: MapData): void {
    const box = this.#box ?? data.bounds ?? null;
    const canvas = this.#stage.querySelector<HTMLElement>(".ym-map-canvas");
    if (!canvas) return;
    try {
      this.#map = new GlMap({
        container: canvas,
        style: this.#style(data.tiles),
        ...(box ? { bounds: box, fitBoundsOptions: { padding: 48, maxZoom: 17 } } : {}),
        attributionControl: false,
        localIdeographFontFamily: getComputedStyle(document.body).fontFamily,
        fadeDuration: 0,
        maxPitch: 65,
        // A finger scrolls the page; two move the map.
        cooperativeGestures: window.matchMedia("(pointer: coarse)").matches,
      });
    } catch {
      this.#note(t("map.nogl"));
      this.dataset["state"] = "nogl";
      return;
    }
    const map = this.#map;
    map.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
    map.getCanvas().setAttribute("aria-label", t("map.canvas"));
    if (this.#picks) map.getCanvas().style.cursor = "crosshair";
    this.#stage.append(this.#tools(map), this.#switcher(map));
    map.on("click", (event) => {
      if (this.#picks) return this.#place(map, event.lngLat);
      const hit = map.queryRenderedFeatures(event.point).find((feature) => feature.layer.type !== "symbol" && feature.source !== "tiles");
      if (hit) this.#choose(hit.source, Number(hit.id), [event.lngLat.lng, event.lngLat.lat]);
    });
    map.on("mousemove", (event) => {
      if (this.#picks) return;
      map.getCanvas().style.cursor = map.queryRenderedFeatures(event.point).length ? "pointer" : "";
    });
    map.once("idle", () => {
      this.dataset["state"] = "ready";
      const wanted = this.dataset["selected"];
      if (wanted) this.#chooseKey(wanted);
      this.#listen();
      this.dispatchEvent(new CustomEvent("ym:map", { bubbles: true }));
    });
  }

  /** Whether a click asks for a place (`data-pick`) instead of opening what is there. */
  get #picks(): boolean {
    return this.dataset["pick"] !== undefined;
  }

  /** Let layers that live move by themselves; what comes within one frame is drawn once. */
  #listen(): void {
    const lively = this.#loaded.filter(({ layer }) => layer.live);
    if (!lively.length) return;
    const due = new Set<Loaded>();
    this.addEventListener("ym:live", (event) => {
      const { kind, data } = (event as CustomEvent<{ kind: string; data: Record<string, unknown> }>).detail;
      if (kind !== "state") return;
      for (const each of lively) {
        if (!moveFeature(each.collection, data as unknown as Moved)) continue;
        if (!due.size) {
          requestAnimationFrame(() => {
            for (const { layer, collection } of due) (this.#map?.getSource(layer.id) as GeoJSONSource | undefined)?.setData(collection);
            due.clear();
            this.dataset["moves"] = String(Number(this.dataset["moves"] ?? 0) + 1);
          });
        }
        due.add(each);
      }
    });
    this.dataset["live"] = [...new Set(lively.flatMap(({ layer }) => layer.live?.split(" ") ?? []))].join(" ");
  }

  /** Where nothing is opened but a place is asked for: a mark where the click was, and an event that says where. */
  #place(map: GlMap, { lng, lat }: { lng: number; lat: number }): void {
    if (this.dataset["pick"] !== "quiet") {
      this.#mark ??= new Marker({ color: colour("vein") });
      this.#mark.setLngLat([lng, lat]).addTo(map);
    }
    this.dispatchEvent(new CustomEvent("ym:place", { detail: { lng, lat }, bubbles: true }));
  }

  #button(name: string, label: string, run: () => void): HTMLButtonElement {
    return h("button", { type: "button", class: "ym-icon-btn", "aria-label": label, title: label, onclick: run }, icon(name));
  }

  #tools(map: GlMap): HTMLElement {
    const tilt = h("button", { type: "button", class: "ym-icon-btn", "aria-pressed": "false", title: t("map.tilt"), "aria-label": `3D ${t("map.tilt")}` }, "3D");
    tilt.addEventListener("click", () => {
      const on = map.getPitch() < 10;
      map.easeTo({ pitch: on ? 55 : 0, bearing: on ? -20 : 0, duration: 400 });
      tilt.setAttribute("aria-pressed", String(on));
      tilt.textContent = on ? "2D" : "3D";
      tilt.title = t(on ? "map.flat" : "map.tilt");
      tilt.setAttribute("aria-label", `${tilt.textContent} ${tilt.title}`);
    });
    return h(
      "div",
      { class: "ym-map-tools" },
      this.#button("plus", t("map.zoomin"), () => map.zoomIn()),
      this.#button("minus", t("map.zoomout"), () => map.zoomOut()),
      this.#button("maximize", t("map.fit"), () => this.#box && map.fitBounds(this.#box, { padding: 48, pitch: map.getPitch(), maxZoom: 17 })),
      tilt,
    );
  }

  #switcher(map: GlMap): HTMLElement {
    const rows = this.#loaded.map(({ layer, collection }) => {
      const box = h("input", { type: "checkbox", class: "form-check-input", checked: layer.visible !== false });
      box.addEventListener("change", () => {
        layer.visible = box.checked;
        for (const made of map.getStyle().layers) {
          if ("source" in made && made.source === layer.id) map.setLayoutProperty(made.id, "visibility", box.checked ? "visible" : "none");
        }
        this.#fillList();
      });
      return h("label", { class: "form-check" }, box, h("i", { "data-tone": layer.tone ?? "primary" }), h("span", {}, layer.label, " ", h("small", { class: "num" }, String(collection.features.length))));
    });
    return h("details", { class: "ym-map-layers", open: this.offsetWidth > 640 }, h("summary", {}, icon("layers-subtract"), t("map.layers")), ...rows);
  }

  #fillList(): void {
    const rows: HTMLElement[] = [];
    for (const { layer, collection } of this.#loaded) {
      if (layer.visible === false) continue;
      collection.features.slice(0, 500).forEach((feature, index) => {
        const row = h("button", { type: "button", "data-key": `${layer.id}/${index}` }, h("span", {}, String(feature.properties?.["name"] ?? "")), h("small", {}, `${layer.label}${feature.properties?.["detail"] ? ` · ${feature.properties["detail"] as string}` : ""}`));
        row.addEventListener("click", () => (this.#map ? this.#choose(layer.id, index) : this.#open(feature)));
        rows.push(h("li", {}, row));
      });
    }
    this.#list.replaceChildren(...(rows.length ? rows : [h("li", { class: "ym-none" }, t("map.empty"))]));
  }

  #open(feature: Feature): void {
    const url = feature.properties?.["url"] as string | undefined;
    if (url) location.assign(url);
  }

  #chooseKey(key: string): void {
    for (const { layer, collection } of this.#loaded) {
      const index = collection.features.findIndex((feature) => feature.properties?.["key"] === key);
      if (index >= 0) return this.#choose(layer.id, index);
    }
  }

  #choose(source: string, id: number, at?: [number, number]): void {
    const map = this.#map;
    const feature = this.#loaded.find(({ layer }) => layer.id === source)?.collection.features[id];
    if (!map || !feature) return;
    if (this.#chosen) map.removeFeatureState(this.#chosen);
    this.#chosen = { source, id };
    map.setFeatureState(this.#chosen, { chosen: true });
    const box = boundsOf({ type: "FeatureCollection", features: [feature] });
    if (!at && box) {
      map.fitBounds(box, { padding: 96, maxZoom: 17, pitch: map.getPitch(), bearing: map.getBearing(), duration: 500 });
    }
    const place: [number, number] = at ?? (box ? [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] : [0, 0]);
    const { name, detail, url } = (feature.properties ?? {}) as { name?: string; detail?: string; url?: string };
    this.#popup?.remove();
    this.#popup = new Popup({ closeOnClick: false, maxWidth: "20rem", focusAfterOpen: Boolean(at) })
      .setLngLat(place)
      .setDOMContent(h("div", {}, h("b", {}, name ?? ""), detail ? h("small", {}, detail) : null, url ? h("a", { href: url }, t("map.open")) : null))
      .addTo(map);
    this.#list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const row = this.#list.querySelector(`[data-key="${source}/${id}"]`);
    row?.setAttribute("aria-current", "true");
    row?.scrollIntoView({ block: "nearest" });
  }

  #restyle(): void {
    if (!this.#map) return;
    const tiles = this.#map.getSource("tiles") as { tiles?: string[] } | undefined;
    this.#map.setStyle(this.#style(tiles?.tiles?.[0]));
  }
}

define("ym-map", MapElement);
