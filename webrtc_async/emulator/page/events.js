// The lists of requests, faults, webhooks and switches.

import { by, clock, createSvg, fillId, fillList, part, setText, setName, setVisible } from "./elements.js";

const MIN_STRIP_SECONDS = 10; // minimum time span of the strip of requests

const shortened = (target) =>
  target
    .replace(/^\/v1\/accounts\/[^/]+(?=\/)/, "")
    .replace(/([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "$1…");

// Logarithmic from 0 to 10 seconds, so that a millisecond and a fault's delay are both visible.
const share = (seconds) => Math.min(1, Math.log10(1 + 1000 * (seconds ?? 0)) / 4);

const kindOf = (status) => (status === null ? "none" : `${Math.floor(status / 100)}xx`);

export function fillExchange(row, exchange) {
  setText(part(row, "at"), clock(exchange.at));
  setName(part(row, "operation"), exchange.operation ?? "");
  setName(part(row, "target"), `${exchange.method} ${shortened(exchange.target)}`);
  part(row, "target").title = `${exchange.method} ${exchange.target}`;
  setVisible(part(row, "fault"), exchange.fault !== null);
  setText(part(row, "fault"), exchange.fault === null ? "" : `fault: ${exchange.fault}`);
  fillStatus(part(row, "status"), exchange.status, "none");
  setText(part(row, "took"), duration(exchange.seconds));
  part(row, "took").style.setProperty("--share", share(exchange.seconds).toFixed(3));
}

// Draws the requests on a time axis; the height of a mark is the response time.
export function drawStrip(exchanges) {
  if (exchanges.length === 0) return;
  const to = exchanges[0].at;
  const from = Math.min(exchanges.at(-1).at, to - MIN_STRIP_SECONDS);
  const marks = exchanges.map(({ at, seconds, status }) => {
    const height = 6 + 30 * share(seconds);
    const x = 2 + (394 * (at - from)) / (to - from);
    return createSvg("rect", { x, y: 38 - height, width: 2, height, "data-kind": kindOf(status) });
  });
  by("strip").replaceChildren(...marks);
  setText(by("strip-from"), clock(from));
  setText(by("strip-to"), clock(to));
}

function fillStatus(element, status, fallback) {
  setText(element, status === null ? fallback : String(status));
  element.dataset.kind = kindOf(status);
}

function duration(seconds) {
  if (seconds === null) return "–";
  if (seconds < 0.0001) return "<0.1 ms";
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
}

export function fillFault(item, { rule, fired, seen }) {
  setText(part(item, "fired"), `fired ${fired === 1 ? "once" : `${fired} times`}`);
  part(item, "fired").classList.toggle("absent", fired === 0);
  const { route = "any request", ...facts } = rule;
  const pairs = [["for", route], ...Object.entries(facts), ["seen", seen]];
  const make = () => document.createElement("span");
  fillList(part(item, "facts"), pairs, ([name]) => name, make, (span, [name, value]) =>
    setText(span, value === true ? name : `${name} ${shownFact(value)}`),
  );
}

// A random delay and header values are objects.
function shownFact(value) {
  if (typeof value !== "object") return value;
  return Object.entries(value)
    .map((pair) => pair.join(" "))
    .join(", ");
}

export function fillWebhook(item, webhook) {
  setText(part(item, "at"), clock(webhook.at));
  setText(part(item, "event"), webhook.event);
  fillId(item, webhook.participantId);
  setText(part(item, "url"), webhook.url);
  setVisible(part(item, "problem"), webhook.error !== null);
  const attempts = webhook.attempts > 1 ? `, after ${webhook.attempts} attempts` : "";
  setText(part(item, "problem"), webhook.error === null ? "" : webhook.error + attempts);
  const fallback = webhook.error === null ? "waiting" : "not delivered";
  fillStatus(part(item, "status"), webhook.status, fallback);
}

export function makeSwitch() {
  const pair = document.createElement("div");
  pair.append(document.createElement("dt"), document.createElement("dd"));
  return pair;
}

export function fillSwitch(pair, [name, value]) {
  setText(pair.firstChild, name);
  setText(pair.lastChild, typeof value === "object" ? JSON.stringify(value) : String(value));
}
