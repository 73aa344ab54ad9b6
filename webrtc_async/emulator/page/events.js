// What happened: requests, faults, webhooks; and the switches by which it did.

import { by, clock, drawn, fillId, list, part, say, sayName, show } from "./elements.js";

const SHORTEST_STRIP = 10; // seconds that the strip of requests covers at least

const shortened = (target) =>
  target
    .replace(/^\/v1\/accounts\/[^/]+(?=\/)/, "")
    .replace(/([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "$1…");

// From nothing to ten seconds, so that both a millisecond and a fault's delay can be seen.
const share = (seconds) => Math.min(1, Math.log10(1 + 1000 * (seconds ?? 0)) / 4);

const kindOf = (status) => (status === null ? "none" : `${Math.floor(status / 100)}xx`);

export function fillExchange(row, exchange) {
  say(part(row, "at"), clock(exchange.at));
  sayName(part(row, "operation"), exchange.operation ?? "");
  sayName(part(row, "target"), `${exchange.method} ${shortened(exchange.target)}`);
  part(row, "target").title = `${exchange.method} ${exchange.target}`;
  show(part(row, "fault"), exchange.fault !== null);
  say(part(row, "fault"), exchange.fault === null ? "" : `fault: ${exchange.fault}`);
  fillStatus(part(row, "status"), exchange.status, "none");
  say(part(row, "took"), duration(exchange.seconds));
  part(row, "took").style.setProperty("--share", share(exchange.seconds).toFixed(3));
}

// The same requests along the time in which they came; the higher, the longer they took.
export function drawStrip(exchanges) {
  if (exchanges.length === 0) return;
  const to = exchanges[0].at;
  const from = Math.min(exchanges.at(-1).at, to - SHORTEST_STRIP);
  const marks = exchanges.map(({ at, seconds, status }) => {
    const height = 6 + 30 * share(seconds);
    const x = 2 + (394 * (at - from)) / (to - from);
    return drawn("rect", { x, y: 38 - height, width: 2, height, "data-kind": kindOf(status) });
  });
  by("strip").replaceChildren(...marks);
  say(by("strip-from"), clock(from));
  say(by("strip-to"), clock(to));
}

function fillStatus(element, status, otherwise) {
  say(element, status === null ? otherwise : String(status));
  element.dataset.kind = kindOf(status);
}

function duration(seconds) {
  if (seconds === null) return "–";
  if (seconds < 0.0001) return "<0.1 ms";
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
}

export function fillFault(item, { rule, fired, seen }) {
  say(part(item, "fired"), `fired ${fired === 1 ? "once" : `${fired} times`}`);
  part(item, "fired").classList.toggle("absent", fired === 0);
  const { route = "any request", ...facts } = rule;
  const told = [["for", route], ...Object.entries(facts), ["seen", seen]];
  const make = () => document.createElement("span");
  list(part(item, "facts"), told, ([name]) => name, make, (span, [name, value]) =>
    say(span, value === true ? name : `${name} ${value}`),
  );
}

export function fillWebhook(item, webhook) {
  say(part(item, "at"), clock(webhook.at));
  say(part(item, "event"), webhook.event);
  fillId(item, webhook.participantId);
  say(part(item, "url"), webhook.url);
  show(part(item, "problem"), webhook.error !== null);
  const repeated = webhook.attempts > 1 ? `, after ${webhook.attempts} attempts` : "";
  say(part(item, "problem"), webhook.error === null ? "" : webhook.error + repeated);
  const otherwise = webhook.error === null ? "waiting" : "not delivered";
  fillStatus(part(item, "status"), webhook.status, otherwise);
}

export function makeSwitch() {
  const pair = document.createElement("div");
  pair.append(document.createElement("dt"), document.createElement("dd"));
  return pair;
}

export function fillSwitch(pair, [name, value]) {
  say(pair.firstChild, name);
  say(pair.lastChild, typeof value === "object" ? JSON.stringify(value) : String(value));
}
