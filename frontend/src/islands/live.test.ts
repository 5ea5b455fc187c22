import { expect, test } from "vitest";
import { Pace, topicsOf } from "./live-model";

test("topics are joined, each once, in a fixed order", () => {
  expect(topicsOf(["alarms device:3", "positions", "device:3,alarms", ""])).toBe("alarms,device:3,positions");
  expect(topicsOf([])).toBe("");
});

test("a pace runs at once and loses no last asking", async () => {
  let runs = 0;
  const pace = new Pace(40, () => (runs += 1));
  pace.ask();
  pace.ask();
  pace.ask();
  expect(runs).toBe(1);
  await new Promise((done) => setTimeout(done, 80));
  expect(runs).toBe(2);
});
