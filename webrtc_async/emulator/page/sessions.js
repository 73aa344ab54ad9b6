// A card for each session, with its graph and its participants.

import { fillId, cloneTemplate, fillList, part, plural, setText, short, setVisible } from "./elements.js";
import { drawGraph } from "./graph.js";

const pinned = new Map(); // session id -> participant whose arrows are highlighted
let clockOffset = 0; // seconds that the emulator's clock is ahead of the browser's

export function setClock(now) {
  clockOffset = now - Date.now() / 1000;
}

export function makeSession(session) {
  const card = cloneTemplate("session-card");
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
  setText(part(card, "of-account"), session.account && `account ${session.account}`);
  setText(part(card, "size"), members.length === 0 ? "" : plural(members.length, "participant"));
  card.expiresAt = session.expiresAt;
  fillExpiry(card);
  setVisible(part(card, "nobody"), members.length === 0);
  setVisible(part(card, "inside"), members.length > 0);
  const numbered = members.map((each, index) => ({
    ...each,
    number: index + 1,
    numbers: each.subscribedTo.map((id) => members.findIndex((other) => other.id === id) + 1),

  }));
  const make = (each) => makeMember(card, session.id, each.id);
  fillList(part(card, "participants"), numbered, (each) => each.id, make, fillParticipant);
  const changed = JSON.stringify(numbered);
  if (card.drawnState === changed) return;
  card.drawnState = changed;
  card.members = numbered;
  if (!members.some((each) => each.id === pinned.get(session.id))) pinned.delete(session.id);
  drawMembers(card);
}

function fillName(element, tag, fallback) {
  const hasTag = tag !== null && tag.trim() !== "";
  setText(element, hasTag ? tag : fallback);
  element.classList.toggle("absent", !hasTag);
}

export function fillExpiry(card) {
  const minutes = Math.max(0, Math.round((card.expiresAt - clockOffset - Date.now() / 1000) / 60));
  setText(part(card, "expiry"), `expires in ${Math.floor(minutes / 60)} h ${minutes % 60} min`);
}

export function makeParticipant() {
  const item = cloneTemplate("participant-item");
  part(item, "number").remove();
  return item;
}

function makeMember(card, sessionId, id) {
  const item = cloneTemplate("participant-item");
  const toggle = () => pin(card, sessionId, pinned.get(sessionId) === id ? undefined : id);
  part(item, "number").addEventListener("click", toggle);
  item.addEventListener("pointerenter", () => highlight(card, id));
  item.addEventListener("pointerleave", () => highlight(card, pinned.get(sessionId)));
  return item;
}

export function fillParticipant(item, participant) {
  fillName(part(item, "tag"), participant.tag, "no tag");
  fillId(item, participant.id);
  setText(part(item, "publishes"), describePermissions(participant.publishPermissions));
  setText(part(item, "device"), participant.deviceId === null ? "" : "device connected");
  part(item, "device").title = participant.deviceId ?? "";
  setText(part(item, "callback"), participant.callbackUrl ? `callback ${participant.callbackUrl}` : "");
  if (participant.number === undefined) return;
  const button = part(item, "number");
  setText(button, String(participant.number));
  const name = participant.tag ?? short(participant.id);
  button.setAttribute("aria-label", `${participant.number}: highlight the arrows of ${name}`);
  button.classList.toggle("connected", participant.deviceId !== null);
  setText(part(item, "subscription"), describeSubscription(participant));
}

// Empty for both permissions, which nearly every participant has.
function describePermissions(permissions) {
  if (permissions.length === 0) return "publishes nothing";
  return permissions.length === 1 ? `publishes ${permissions[0].toLowerCase()} only` : "";
}

function describeSubscription({ subscription, numbers }) {
  if (subscription === "everyone") return "subscribed to everyone";
  return numbers.length === 0 ? "subscribed to nobody" : `subscribed to ${numbers.join(", ")}`;
}

function drawMembers(card) {
  const available = part(card, "drawing").clientWidth;
  // A new card is not in the document yet; the ResizeObserver draws it later.
  if (!card.members?.length || available === 0) return;
  const svg = part(card, "graph");
  const sentences = card.members.map((each) => `${each.number} ${describeSubscription(each)}.`);
  svg.setAttribute("aria-label", `Subscriptions. ${sentences.join(" ")}`);
  drawGraph(svg, card.members, available);
  highlight(card, pinned.get(card.dataset.key));
}

function pin(card, sessionId, id) {
  if (id === undefined) pinned.delete(sessionId);
  else pinned.set(sessionId, id);
  highlight(card, id);
}

// Highlights one participant's arrows; without an id, none.
function highlight(card, id) {
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
