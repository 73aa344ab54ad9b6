// A card for each session, with its graph and its participants.

import { fillId, fresh, list, part, plural, say, short, show } from "./elements.js";
import { drawGraph } from "./graph.js";

const pinned = new Map(); // session id -> the participant whose arrows stand out
let ahead = 0; // seconds that the emulator's clock is ahead of this one

export function setClock(now) {
  ahead = now - Date.now() / 1000;
}

export function makeSession(session) {
  const card = fresh("session-card");
  card.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pin(card, session.id, undefined);
  });
  new ResizeObserver(() => drawMembers(card)).observe(part(card, "drawing"));
  return card;
}

export function fillSession(card, session) {
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
  const isThere = tag !== null && tag.trim() !== "";
  say(element, isThere ? tag : otherwise);
  element.classList.toggle("absent", !isThere);
}

export function fillExpiry(card) {
  const minutes = Math.max(0, Math.round((card.expiresAt - ahead - Date.now() / 1000) / 60));
  say(part(card, "expiry"), `ends in ${Math.floor(minutes / 60)} h ${minutes % 60} min`);
}

export function makeParticipant() {
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

export function fillParticipant(item, participant) {
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
