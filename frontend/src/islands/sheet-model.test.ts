import { expect, test } from "vitest";
import { cells, judge, type Column } from "./sheet-model";

const done: Column = { key: "done", label: "Done", type: "number", max_key: "planned", not_less: true };

test("a value under the previous one warns and still travels", () => {
  const verdict = judge(done, "280", { planned: "500" }, 290.5);
  expect(verdict).toEqual({ value: "280", error: null, warning: ["sheet.less", { prev: "290.5" }] });
});
test("more than the plan is an error", () => expect(judge(done, "501", { planned: "500" }).error).toEqual(["sheet.max", { max: "500" }]));
test("negative and not a number are errors", () => {
  expect(judge(done, "-1", {}).error?.[0]).toBe("sheet.negative");
  expect(judge(done, "x", {}).error?.[0]).toBe("sheet.number");
});
test("a percent stops at 100", () => expect(judge({ key: "p", label: "", type: "percent" }, "101", {}).error?.[0]).toBe("sheet.max"));
test("empty is fine unless required", () => {
  expect(judge(done, " ", {}).error).toBeNull();
  expect(judge({ ...done, required: true }, "", {}).error?.[0]).toBe("sheet.required");
});
test("a choice is found by its label", () => {
  const state: Column = { key: "s", label: "", type: "choice", choices: [{ value: "started", label: "已开工" }] };
  expect(judge(state, "已开工", {}).value).toBe("started");
  expect(judge(state, "停工", {}).error).toEqual(["sheet.choice", { list: "已开工" }]);
});
test("a paste from Excel with quotes and line breaks", () => {
  expect(cells('1\t"a\nb"\t"x ""y"""\r\n2\t\t3\r\n')).toEqual([["1", "a\nb", 'x "y"'], ["2", "", "3"]]);
});
