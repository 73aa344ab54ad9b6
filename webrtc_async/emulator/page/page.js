// Draws the emulator's picture, and again whenever it changes.
// Tags, ids and targets are other people's text: they are set as text, never as markup.

import { drawGraph, drawn, short } from "./graph.js";

const EVERY = 600; // ms between looks while the emulator answers
const LONGEST_PAUSE = 4000; // ms between looks while it does not
const SHORTEST_STRIP = 10; // seconds that the strip of requests covers at least

const by = (id) => document.getElementById(id);
const part = (element, name) => element.querySelector(`.${name}`);
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const clock = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");

const pinned = new Map(); // session id -> the participant whose arrows stand out
let ahead = 0; // seconds that the emulator's clock is ahead of this one

// Writing

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(element, is) {
  element.hidden = !is;
}

function fresh(template) {
  return by(template).content.firstElementChild.cloneNode(true);
}

// Keeps the elements of what stays, so that focus, selection and scrolling do.
function list(parent, items, keyOf, make, fill) {
  const wanted = new Set(items.map((item) => String(keyOf(item))));
  const kept = new Map();
  for (const element of [...parent.children]) {
    if (wanted.has(element.dataset.key)) kept.set(element.dataset.key, element);
    else element.remove();
  }
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let element = kept.get(key);
    if (element === undefined) {
      element = make(item);
      element.dataset.key = key;
    }
    fill(element, item);
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
}

// The picture

function draw(picture) {
  ahead = picture.now - Date.now() / 1000;
  const { accounts, exchanges, faults, webhooks } = picture;
  const total = (what) => accounts.reduce((sum, each) => sum + each.counts[what], 0);
  const sessions = accounts.flatMap((account) =>
    account.sessions.map((each) => ({ ...each, account: accounts.length > 1 ? account.id : "" })),
  );
  const alone = accounts.flatMap((account) => account.participantsInNoSession);

  say(by("account"), accounts.map((each) => `account ${each.id}`).join(", "));
  count("session", total("sessions"));
  count("participant", total("participants"));
  count("request", picture.requests);
  count("fault", faults.length, " armed");
  count("webhook", picture.webhookCount);
  announce(`${plural(total("sessions"), "session")}, ${plural(total("participants"), "participant")}`);

  const address = new URL("../v1", document.baseURI).href;
  say(
    by("create-a-session"),
    `curl -u USERNAME:PASSWORD -X POST \\\n  ${address}/accounts/${accounts[0]?.id ?? ""}/sessions`,
  );
  show(by("no-sessions"), sessions.length === 0);
  show(by("legend"), sessions.some((each) => each.participants.length > 0));
  list(by("sessions"), sessions, (each) => each.id, makeSession, fillSession);
  older(by("older-sessions"), total("sessions") - sessions.length, "older session");

  show(by("lobby"), alone.length > 0);
  list(by("in-no-session"), alone, (each) => each.id, makeParticipant, fillParticipant);
  older(
    by("older-in-no-session"),
    total("participantsInNoSession") - alone.length,
    "older participant",
  );

  fillSection("exchanges", "no-requests", exchanges, "exchange-row", fillExchange);
  show(by("request-log"), exchanges.length > 0);
  drawStrip(exchanges);
  fillSection("faults", "no-faults", faults, "fault-item", fillFault);
  fillSection("webhooks", "no-webhooks", webhooks, "webhook-item", fillWebhook);

  const switches = Object.entries(picture.switches);
  show(by("switches-section"), switches.length > 0);
  list(by("switches"), switches, ([name]) => name, makeSwitch, fillSwitch);
}

function count(what, number, more = "") {
  say(by(`${what}-count`), number.toLocaleString("en"));
  say(by(`${what}-word`), `${what}${number === 1 ? "" : "s"}${more}`);
}

function older(note, count, what) {
  show(note, count > 0);
  say(note, `and ${plural(count, what)}`);
}

function fillSection(id, none, items, template, fill) {
  show(by(none), items.length === 0);
  show(by(id), items.length > 0);
  // Those without a number do not change places.
  const key = (each) => each.number ?? items.indexOf(each);
  list(by(id), items, key, () => fresh(template), fill);
}

// Sessions and participants

function makeSession(session) {
  const card = fresh("session-card");
  card.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pin(card, session.id, undefined);
  });
  new ResizeObserver(() => drawMembers(card)).observe(part(card, "drawing"));
  return card;
}

function fillSession(card, session) {
  const members = session.participants;
  fillName(part(card, "tag"), session.tag, "no tag");
  fillId(card, session.id);
  say(part(card, "of-account"), session.account && `account ${session.account}`);
  say(part(card, "size"), members.length === 0 ? "" : plural(members.length, "participant"));
  card.expiresAt = session.expiresAt;
  fillExpiry(card);
  show(part(card, "nobody"), members.length === 0);
  show(part(card, "inside"), members.length > 0);
  const numbered = members.map((each, index) => ({
    ...each,
    number: index + 1,
    numbersHeard: each.hears.map((id) => members.findIndex((other) => other.id === id) + 1),
    others: members.length - 1,
  }));
  const make = (each) => makeMember(card, session.id, each.id);
  list(part(card, "participants"), numbered, (each) => each.id, make, fillParticipant);
  const changed = JSON.stringify(numbered);
  if (card.drawn === changed) return;
  card.drawn = changed;
  card.members = numbered;
  if (!members.some((each) => each.id === pinned.get(session.id))) pinned.delete(session.id);
  drawMembers(card);
}

function fillName(element, tag, otherwise) {
  say(element, tag ?? otherwise);
  element.classList.toggle("absent", tag === null);
}

function fillId(element, id) {
  say(part(element, "id"), short(id));
  part(element, "id").title = id;
}

function fillExpiry(card) {
  const minutes = Math.max(0, Math.round((card.expiresAt - Date.now() / 1000 - ahead) / 60));
  say(part(card, "expiry"), `ends in ${Math.floor(minutes / 60)} h ${minutes % 60} min`);
}

function makeParticipant() {
  const item = fresh("participant-item");
  part(item, "number").remove();
  return item;
}

function makeMember(card, sessionId, id) {
  const item = fresh("participant-item");
  const toggle = () => pin(card, sessionId, pinned.get(sessionId) === id ? undefined : id);
  part(item, "number").addEventListener("click", toggle);
  item.addEventListener("pointerenter", () => light(card, id));
  item.addEventListener("pointerleave", () => light(card, pinned.get(sessionId)));
  return item;
}

function fillParticipant(item, participant) {
  fillName(part(item, "tag"), participant.tag, "no tag");
  fillId(item, participant.id);
  say(part(item, "publishes"), publishing(participant.publishPermissions));
  say(part(item, "device"), participant.deviceId === null ? "" : "device connected");
  part(item, "device").title = participant.deviceId ?? "";
  say(part(item, "callback"), participant.callbackUrl ? `calls back ${participant.callbackUrl}` : "");
  if (participant.number === undefined) return;
  const button = part(item, "number");
  say(button, String(participant.number));
  const name = participant.tag ?? short(participant.id);
  button.setAttribute("aria-label", `${participant.number}: show the arrows of ${name}`);
  button.classList.toggle("connected", participant.deviceId !== null);
  say(part(item, "hears"), hearing(participant));
}

// Nothing is said of those who may publish all there is, as nearly everyone may.
function publishing(permissions) {
  if (permissions.length === 0) return "publishes nothing";
  return permissions.length === 1 ? `publishes ${permissions[0].toLowerCase()} only` : "";
}

function hearing({ hears, numbersHeard, others, subscribedTo }) {
  if (subscribedTo === "everyone") return others === 0 ? "would hear everyone" : "hears everyone";
  return hears.length === 0 ? "hears nobody" : `hears ${numbersHeard.join(", ")}`;
}

function drawMembers(card) {
  const available = part(card, "drawing").clientWidth;
  // A new card is not in the document yet; it is drawn when its size is observed.
  if (!card.members?.length || available === 0) return;
  const svg = part(card, "graph");
  const sentences = card.members.map((each) => `${each.number} ${hearing(each)}.`);
  svg.setAttribute("aria-label", `Who hears whom. ${sentences.join(" ")}`);
  drawGraph(svg, card.members, available);
  light(card, pinned.get(card.dataset.key));
}

function pin(card, sessionId, id) {
  if (id === undefined) pinned.delete(sessionId);
  else pinned.set(sessionId, id);
  light(card, id);
}

// Lets one participant's arrows stand out; without one, all are alike.
function light(card, id) {
  part(card, "graph").classList.toggle("choosing", id !== undefined);
  for (const edge of card.querySelectorAll(".edge")) {
    edge.classList.toggle("lit", edge.dataset.ends.split(" ").includes(id));
  }
  for (const node of card.querySelectorAll(".node")) {
    node.classList.toggle("lit", node.dataset.id === id);
  }
  for (const item of card.querySelectorAll(".participant")) {
    const isPinned = item.dataset.key === pinned.get(card.dataset.key);
    part(item, "number").setAttribute("aria-pressed", String(isPinned));
  }
}

// Requests, faults, webhooks, switches

const shortened = (target) =>
  target
    .replace(/^\/v1\/accounts\/[^/]+(?=\/)/, "")
    .replace(/([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "$1…");

// From nothing to ten seconds, so that both a millisecond and a fault's delay can be seen.
const share = (seconds) => Math.min(1, Math.log10(1 + 1000 * (seconds ?? 0)) / 4);

const kindOf = (status) => (status === null ? "none" : `${Math.floor(status / 100)}xx`);

function fillExchange(row, exchange) {
  say(part(row, "at"), clock(exchange.at));
  say(part(row, "operation"), exchange.operation ?? "");
  say(part(row, "target"), `${exchange.method} ${shortened(exchange.target)}`);
  part(row, "target").title = `${exchange.method} ${exchange.target}`;
  show(part(row, "fault"), exchange.fault !== null);
  say(part(row, "fault"), exchange.fault === null ? "" : `fault: ${exchange.fault}`);
  fillStatus(part(row, "status"), exchange.status, "none");
  say(part(row, "took"), duration(exchange.seconds));
  part(row, "took").style.setProperty("--share", share(exchange.seconds).toFixed(3));
}

// The same requests along the time in which they came; the higher, the longer they took.
function drawStrip(exchanges) {
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
  if (seconds < 0.0001) return "< 0.1 ms";
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
}

function fillFault(item, { rule, fired, seen }) {
  say(part(item, "fired"), `fired ${fired === 1 ? "once" : `${fired} times`}`);
  part(item, "fired").classList.toggle("absent", fired === 0);
  const { route = "any request", ...facts } = rule;
  const told = [["for", route], ...Object.entries(facts), ["seen", seen]];
  const make = () => document.createElement("span");
  list(part(item, "facts"), told, ([name]) => name, make, (span, [name, value]) =>
    say(span, value === true ? name : `${name} ${value}`),
  );
}

function fillWebhook(item, webhook) {
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

function makeSwitch() {
  const pair = document.createElement("div");
  pair.append(document.createElement("dt"), document.createElement("dd"));
  return pair;
}

function fillSwitch(pair, [name, value]) {
  say(pair.firstChild, name);
  say(pair.lastChild, typeof value === "object" ? JSON.stringify(value) : String(value));
}

// Following

let announced = "";
let mayAnnounceAt = 0;

// To screen readers, and not at every change of a busy emulator.
function announce(text) {
  if (text === announced || Date.now() < mayAnnounceAt) return;
  mayAnnounceAt = Date.now() + 5000;
  announced = text;
  say(by("news"), text);
}

function tell(state, text) {
  document.documentElement.dataset.connection = state;
  say(by("connection-text"), text);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Nobody looks at a hidden page.
function seen() {
  if (!document.hidden) return undefined;
  return new Promise((resolve) =>
    document.addEventListener("visibilitychange", resolve, { once: true }),
  );
}

async function follow() {
  let entityTag = null;
  let failures = 0;
  for (;;) {
    try {
      const headers = entityTag === null ? {} : { "If-None-Match": entityTag };
      const answer = await fetch("state", { headers, cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (answer.status === 200) {
        draw(await answer.json());
        entityTag = answer.headers.get("ETag");
      } else if (answer.status !== 304) {
        throw new Error(`It answered ${answer.status}.`);
      }
      failures = 0;
      tell("live", "live");
    } catch (error) {
      failures += 1;
      if (!(error instanceof TypeError)) console.error(error);
      tell("lost", "not answering; this is how it was, and it is asked again");
    }
    await pause(failures === 0 ? EVERY : Math.min(EVERY * failures, LONGEST_PAUSE));
    await seen();
  }
}

setInterval(() => document.querySelectorAll(".session").forEach(fillExpiry), 20000);
follow();
