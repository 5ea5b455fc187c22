// What the npm package mqtt-packet makes of packets: a JSON packet a line in, its bytes in hexadecimal out.
const packet = require("mqtt-packet");
const revive = (_key, value) =>
  value && typeof value === "object" && typeof value.hex === "string" ? Buffer.from(value.hex, "hex") : value;
require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const given = JSON.parse(line, revive);
    process.stdout.write(`${packet.generate(given, { protocolVersion: given.protocolVersion }).toString("hex")}\n`);
  });
