// An edge node of Sparkplug B made of the npm package sparkplug-client: one device, a value that grows, a lamp that obeys.
// Arguments: port, client identifier, user, password. A line on standard input: "gap" loses a message. Says what it does, a word a line.
const { newClient } = require("sparkplug-client");

const [port, clientId, username, password] = process.argv.slice(2);
const node = newClient({
  serverUrl: `mqtt://127.0.0.1:${port}`, username: username || "", password: password || "",
  groupId: "park", edgeNode: "n1", clientId, publishDeath: true, version: "spBv1.0", keepalive: 5,
});
const say = (...words) => process.stdout.write(`${words.join(" ")}\n`);
let count = 0;
let lamp = 10;
let timer;

const birth = () => {
  node.publishNodeBirth({
    timestamp: Date.now(),
    metrics: [
      { name: "Node Control/Rebirth", type: "Boolean", value: false },
      { name: "count", alias: 1, type: "Int32", value: count },
    ],
  });
  node.publishDeviceBirth("m1", {
    timestamp: Date.now(),
    metrics: [{ name: "Outputs/Lamp", type: "Int16", value: lamp }, { name: "Inputs/T", type: "Float", value: 21.5 }],
  });
  say("birth");
  clearInterval(timer);
  timer = setInterval(() => {
    count += 1;
    node.publishNodeData({ timestamp: Date.now(), metrics: [{ alias: 1, type: "Int32", value: count }] });
    node.publishDeviceData("m1", { timestamp: Date.now(), metrics: [{ name: "Inputs/T", type: "Float", value: 20 + count }] });
  }, 100);
};

node.on("birth", birth);
node.on("error", (error) => say("error", error.message));
node.on("ncmd", (payload) => {
  say("ncmd", payload.metrics.map((metric) => metric.name).join(","));
  if (payload.metrics.some((metric) => metric.name === "Node Control/Rebirth" && metric.value)) birth();
});
node.on("dcmd", (device, payload) => {
  lamp = payload.metrics[0].value;
  say("dcmd", device, payload.metrics[0].name, lamp);
  node.publishDeviceData(device, { timestamp: Date.now(), metrics: [{ name: "Outputs/Lamp", type: "Int16", value: lamp }] });
});
process.stdin.on("data", (data) => {
  if (String(data).trim() === "gap") node.seq = (node.seq + 3) % 256;
  else node.stop();
});
