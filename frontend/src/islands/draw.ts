import { Marker, type Map as GlMap } from "maplibre-gl";

import { define, h, icon, jsonOf } from "../lib/dom";
import { added, betweenOf, cornersOf, cornersText, handlesOf, inserted, LEAST, metres, moved, sizeOf, sketchOf, without, type Figure, type Place, type Tool } from "./draw-model";
import type { MapElement } from "./map";
import { boundsOf } from "./map-layers";

interface Setup {
  /** What may be drawn; the first is what the page begins with. */
  tools: Tool[];
  /** Id of the field by what stands in it: longitude latitude radius | west north east south | corners | figure. */
  fields: Record<string, string>;
  words: Record<string, string>;
}
const ICONS: Record<Tool, string> = { circle: "circle", rectangle: "square", polygon: "polygon", line: "route" };
const STEP = 6; // pixels that an arrow key moves a dot

/** `<ym-draw>` around a `<ym-map data-pick="quiet">`: figures are drawn on the map, and stand in the fields of the form. */
class Draw extends HTMLElement {
  #setup!: Setup;
  #gl: GlMap | null = null;
  #figure: Figure = { tool: "polygon", points: [], radius: 0 };
  #before: Figure[] = [];
  #dots: Marker[] = [];
  #sizing = false;
  #writing = false;
  #said!: HTMLElement;
  #bar!: HTMLElement;

  connectedCallback(): void {
    const setup = jsonOf<Setup>(this);
    if (!setup || this.#said) return;
    this.#setup = setup;
    this.#said = h("p", { class: "ym-draw-said", role: "status" });
    this.#bar = h("div", { class: "ym-draw-bar", role: "toolbar", "aria-label": this.#word("bar"), hidden: true }, ...this.#buttons());
    this.prepend(this.#bar);
    this.append(this.#said);
    this.addEventListener("ym:map", () => this.#start());
    if (this.#map?.dataset["state"] === "ready") this.#start();
    this.addEventListener("ym:place", (event) => {
      const { lng, lat } = (event as CustomEvent<{ lng: number; lat: number }>).detail;
      this.#place([lng, lat]);
    });
    const form = this.closest("form");
    const own = new Set(Object.values(setup.fields));
    form?.addEventListener("input", (event) => {
      if (!this.#writing && own.has((event.target as HTMLElement).id)) this.#read();
    });
    form?.addEventListener("change", (event) => {
      if (!this.#writing && (event.target as HTMLElement).id === setup.fields["figure"]) this.#read();
    });
  }

  get #map(): MapElement | null {
    return this.querySelector("ym-map");
  }

  #start(): void {
    if (this.#gl) return;
    this.#gl = this.#map?.gl ?? null;
    if (!this.#gl) return;
    this.#bar.hidden = false;
    this.#gl.doubleClickZoom.disable();
    this.#gl.on("mousemove", ({ lngLat }) => this.#stretch([lngLat.lng, lngLat.lat]));
    this.#read();
    const box = boundsOf(sketchOf(this.#figure));
    if (box) this.#gl.fitBounds(box, { padding: 64, maxZoom: 17, duration: 0 });
    this.dataset["state"] = "ready";
  }

  // -- what the buttons do ---------------------------------------------------------------------------------------------

  #buttons(): HTMLElement[] {
    const { tools } = this.#setup;
    const choose = tools.length < 2 ? [] : tools.map((tool) => this.#button(ICONS[tool], tool, () => this.#choose(tool), { "data-tool": tool, "aria-pressed": "false" }));
    const centre = this.#button("map-pin", "centre", () => {
      const at = this.#gl?.getCenter();
      if (at) this.#place([at.lng, at.lat]);
    });
    const back = this.#button("arrow-back-up", "back", () => {
      const last = this.#before.pop();
      if (last) this.#set(last);
    });
    return [...choose, centre, back, this.#button("trash", "clear", () => this.#take({ ...this.#figure, points: [] }))];
  }

  #button(name: string, word: string, run: () => void, more: Record<string, string> = {}): HTMLButtonElement {
    return h("button", { type: "button", class: "btn btn-sm", "data-do": word, onclick: run, ...more }, icon(name), this.#word(word));
  }

  #word(key: string, values: Record<string, string | number> = {}): string {
    return (this.#setup.words[key] ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
  }

  #choose(tool: Tool): void {
    if (tool === this.#figure.tool) return;
    // A rectangle may go on as a polygon; everything else begins anew.
    const points = this.#figure.tool === "rectangle" && tool === "polygon" ? handlesOf(this.#figure) : [];
    this.#take({ ...this.#figure, tool, points });
  }

  #place(at: Place): void {
    const { tool, points } = this.#figure;
    if (this.#sizing) {
      this.#sizing = false;
      // Both clicks are one step: taken back together.
      this.#set(tool === "circle" ? moved(this.#figure, 1, at) : added({ ...this.#figure, points: points.slice(0, 1) }, at));
      return;
    }
    const next = added(this.#figure, at);
    if (next === this.#figure) return;
    this.#sizing = next.points.length === 1 && (tool === "circle" || tool === "rectangle");
    this.#take(next);
  }

  /** Between the first click and the second the rim, or the opposite corner, follows the pointer. */
  #stretch(at: Place): void {
    const [first] = this.#figure.points;
    if (!this.#sizing || !first) return;
    if (this.#figure.tool === "circle") this.#figure = { ...this.#figure, radius: Math.max(1, Math.round(metres(first, at))) };
    else this.#figure = { ...this.#figure, points: [first, at] };
    this.#show();
  }

  /** A change that can be taken back. */
  #take(next: Figure): void {
    this.#before.push(this.#figure);
    if (this.#before.length > 100) this.#before.shift();
    this.#set(next);
  }

  #set(next: Figure): void {
    if (!next.points.length) this.#sizing = false;
    this.#figure = next;
    this.#write();
    this.#show();
  }

  // -- the fields ------------------------------------------------------------------------------------------------------

  #field(name: string): HTMLInputElement | null {
    const id = this.#setup.fields[name];
    return id ? (document.getElementById(id) as HTMLInputElement | null) : null;
  }

  #number(name: string): number | null {
    const text = this.#field(name)?.value.trim() ?? "";
    return text && Number.isFinite(Number(text)) ? Number(text) : null;
  }

  #fill(name: string, value: string): void {
    const field = this.#field(name);
    if (!field || field.value === value) return;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** From the fields, as somebody types or the page begins. */
  #read(): void {
    const [first] = this.#setup.tools;
    const chosen = this.#field("figure")?.value as Tool | undefined;
    const tool = chosen ?? first ?? "polygon";
    const radius = this.#number("radius") ?? 0;
    let points: Place[] | null = [];
    if (tool === "circle") {
      const [x, y] = [this.#number("longitude"), this.#number("latitude")];
      if (x !== null && y !== null) points = [[x, y]];
    } else if (tool === "rectangle") {
      const [west, north, east, south] = ["west", "north", "east", "south"].map((name) => this.#number(name));
      if (west != null && north != null && east != null && south != null) points = [[west, north], [east, south]];
    } else points = cornersOf(this.#field("corners")?.value ?? "");
    this.#sizing = false;
    this.#figure = { tool, points: points ?? [], radius };
    this.#show(points === null);
  }

  #write(): void {
    const { tool, points, radius } = this.#figure;
    const [first] = points;
    this.#writing = true;
    this.#fill("figure", tool === "rectangle" ? "polygon" : tool);
    if (tool === "circle") {
      this.#fill("longitude", first ? first[0].toFixed(6) : "");
      this.#fill("latitude", first ? first[1].toFixed(6) : "");
      if (first && radius > 0) this.#fill("radius", String(radius));
    } else if (tool === "rectangle" && this.#setup.fields["west"]) {
      const ends = points.length === 2 ? points : [];
      const pick = (axis: 0 | 1, of: (...values: number[]) => number): string => (ends.length ? of(...ends.map((point) => point[axis])).toFixed(6) : "");
      this.#fill("west", pick(0, Math.min));
      this.#fill("east", pick(0, Math.max));
      this.#fill("south", pick(1, Math.min));
      this.#fill("north", pick(1, Math.max));
    } else this.#fill("corners", cornersText(tool === "rectangle" && points.length === 2 ? handlesOf(this.#figure) : points));
    this.#writing = false;
  }

  // -- on the map ------------------------------------------------------------------------------------------------------

  #show(unreadable = false): void {
    const { tool, points } = this.#figure;
    for (const button of this.#bar.querySelectorAll<HTMLButtonElement>("[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset["tool"] === tool));
    for (const [name, possible] of [["back", this.#before.length > 0], ["clear", points.length > 0]] as const) {
      const button = this.#bar.querySelector<HTMLButtonElement>(`[data-do="${name}"]`);
      if (button) button.disabled = !possible;
    }
    this.#said.textContent = unreadable ? this.#word("unreadable") : [this.#word(this.#hint()), this.#measured()].filter(Boolean).join(" ");
    this.dataset["points"] = String(points.length);
    if (!this.#gl) return;
    this.#map?.sketch(sketchOf(this.#figure));
    this.#placeDots(this.#gl);
  }

  #hint(): string {
    const { tool, points } = this.#figure;
    if (this.#sizing) return `${tool}.second`;
    return points.length < LEAST[tool] ? `${tool}.first` : `${tool}.done`;
  }

  #measured(): string {
    const size = sizeOf(this.#figure);
    if (!size) return "";
    const say = (value: number, small: string, large: string, per: number): string =>
      value >= per ? this.#word(large, { n: (value / per).toLocaleString(undefined, { maximumFractionDigits: 2 }) }) : this.#word(small, { n: Math.round(value).toLocaleString() });
    if (this.#figure.tool === "line") return this.#word("length", { length: say(size.length, "m", "km", 1000) });
    const area = say(size.area, "m2", "km2", 1e6);
    if (this.#figure.tool === "circle") return this.#word("round", { radius: say(this.#figure.radius, "m", "km", 1000), area });
    return this.#word("area", { area });
  }

  /** The dots: made anew only when there are more or fewer, so that one that is held, or has the focus, stays. */
  #placeDots(map: GlMap): void {
    const ends = this.#sizing ? this.#figure.points.slice(0, 1) : handlesOf(this.#figure);
    const all = [...ends, ...(this.#sizing ? [] : betweenOf(this.#figure))];
    if (all.length !== this.#dots.length || this.#dots[0]?.getElement().dataset["tool"] !== this.#figure.tool) {
      const focused = this.#dots.findIndex((dot) => dot.getElement() === document.activeElement);
      for (const dot of this.#dots) dot.remove();
      this.#dots = all.map((at, index) => this.#dot(index, index < ends.length, at).addTo(map));
      if (focused >= 0) this.#dots[Math.min(focused, ends.length - 1)]?.getElement().focus();
    }
    this.#dots.forEach((dot, index) => dot.setLngLat(all[index] as Place));
  }

  #dot(index: number, end: boolean, at: Place): Marker {
    const { tool } = this.#figure;
    const name = !end ? this.#word("between") : tool === "circle" ? this.#word(index ? "rim" : "middle") : this.#word("corner", { n: index + 1 });
    const button = h("button", { type: "button", class: end ? "ym-draw-dot" : "ym-draw-dot is-between", "aria-label": name, title: name, "data-tool": tool });
    const marker = new Marker({ element: button, draggable: true }).setLngLat(at);
    const place = (): Place => [marker.getLngLat().lng, marker.getLngLat().lat];
    const after = index - (this.#figure.points.length || 0);
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      if (this.#sizing && index === 0) this.#sizing = false;
      // Without a mouse: a middle becomes a corner by Enter.
      if (!end && event.detail === 0) this.#take(inserted(this.#figure, after, place()));
    });
    let held: Figure | null = null;
    marker.on("dragstart", () => (held = this.#figure));
    marker.on("drag", () => {
      if (!end) return;
      this.#figure = moved(this.#figure, index, place());
      this.#show();
    });
    marker.on("dragend", () => {
      const next = end ? moved(this.#figure, index, place()) : inserted(this.#figure, after, place());
      if (held) this.#figure = held;
      this.#sizing = false;
      this.#take(next);
    });
    button.addEventListener("keydown", (event) => {
      const far = STEP * (event.shiftKey ? 5 : 1);
      const [x, y] = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key] ?? [0, 0];
      const gl = this.#gl;
      if (end && gl && (x || y)) {
        const from = gl.project(marker.getLngLat());
        const to = gl.unproject([from.x + (x ?? 0), from.y + (y ?? 0)]);
        this.#take(moved(this.#figure, index, [to.lng, to.lat]));
      } else if (end && (event.key === "Delete" || event.key === "Backspace") && !(tool === "circle" && index)) {
        this.#take(tool === "rectangle" ? { ...this.#figure, points: [] } : without(this.#figure, index));
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
    return marker;
  }
}

define("ym-draw", Draw);
