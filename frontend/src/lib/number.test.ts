import { expect, test } from "vitest";
import { dateText, decimalText, halfWidth } from "./number";

test("full-width digits, grouping, 约 and brackets become decimal text", () => {
  expect(decimalText("１，２３４．５")).toBe("1234.5");
  expect(decimalText("约 3,000")).toBe("3000");
  expect(decimalText("(12.50)")).toBe("-12.50");
  expect(decimalText("25 %")).toBe("25");
  expect(decimalText("0.10")).toBe("0.10"); // nothing is rounded or shortened
});
test("what is no number is refused", () => {
  for (const text of ["", "12a", "1.2.3", "三百", "--1", "1e5"]) expect(decimalText(text)).toBeNull();
});
test("dates in five spellings, impossible days refused", () => {
  for (const text of ["2022-3-5", "2022/03/05", "2022.3.5", "2022年3月5日", "２０２２-3-5"]) expect(dateText(text)).toBe("2022-03-05");
  expect(dateText("2022-02-30")).toBeNull();
  expect(dateText("2022-13-01")).toBeNull();
});
test("other full-width characters stay", () => expect(halfWidth("厂房（一）１")).toBe("厂房(一)1"));
