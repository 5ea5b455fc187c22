import { define, svg } from "../lib/dom";

/** The path of a line through `values` in a box of `width` × `height`; gaps (null) break the line. */
export function sparkPath(values: (number | null)[], width: number, height: number): string {
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return "";
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = "";
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) {
      pen = false;
      return;
    }
    const y = span === 0 ? height / 2 : height - ((value - low) / span) * height;
    path += `${pen ? "L" : "M"}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    pen = true;
  });
  return path;
}

/** `<ym-sparkline data-values="1,2,,3" data-label="…">`: the trend beside a figure, its last value marked. */
class Sparkline extends HTMLElement {
  connectedCallback(): void {
    const values = (this.dataset["values"] ?? "").split(",").map((text) => {
      const number = Number(text);
      return text.trim() === "" || !Number.isFinite(number) ? null : number;
    });
    const [width, height, pad] = [72, 28, 3];
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
    picture.setAttribute("aria-label", `${this.dataset["label"] ?? ""}: ${values.filter((v) => v !== null).join(", ")}`);
    const group = svg("g", { transform: `translate(${pad} ${pad})` });
    const path = sparkPath(values, width - 2 * pad, height - 2 * pad);
    group.append(svg("path", { d: path, class: "line" }));
    const last = /([\d.]+) ([\d.]+)$/.exec(path);
    if (last) group.append(svg("circle", { cx: last[1] ?? 0, cy: last[2] ?? 0, r: 2.5 }));
    picture.append(group);
    this.replaceChildren(picture);
  }
}

define("ym-sparkline", Sparkline);
