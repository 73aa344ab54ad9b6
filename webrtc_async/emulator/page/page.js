// Polls the emulator's state, and redraws the page after each change.

import { by, cloneTemplate, fillList, plural, setText, setVisible } from "./elements.js";
import {
  drawStrip,
  fillExchange,
  fillFault,
  fillSwitch,
  fillWebhook,
  makeSwitch,
} from "./events.js";
import {
  fillExpiry,
  fillParticipant,
  fillSession,
  makeParticipant,
  makeSession,
  setClock,
} from "./sessions.js";

const POLL_INTERVAL = 600; // ms between polls while the emulator responds
const MAX_POLL_INTERVAL = 4000; // ms between polls while it does not

function draw(state) {
  setClock(state.now);
  const { accounts, exchanges, faults, webhooks } = state;
  const total = (name) => accounts.reduce((sum, each) => sum + each.counts[name], 0);
  const sessions = accounts.flatMap((account) =>
    account.sessions.map((each) => ({ ...each, account: accounts.length > 1 ? account.id : "" })),
  );
  const alone = accounts.flatMap((account) => account.participantsInNoSession);

  setText(by("account"), accounts.map((each) => `account ${each.id}`).join(", "));
  count("session", total("sessions"));
  count("participant", total("participants"));
  count("request", state.requests);
  count("fault", faults.length, " armed");
  count("webhook", state.webhookCount);
  announce(`${plural(total("sessions"), "session")}, ${plural(total("participants"), "participant")}`);

  const address = new URL("../v1", document.baseURI).href;
  setText(
    by("create-a-session"),
    `TOKEN=$(curl -s -u CLIENT_ID:CLIENT_SECRET \\\n` +
      `  -d grant_type=client_credentials \\\n` +
      `  ${new URL("../api/v1/oauth2/token", document.baseURI).href} | cut -d'"' -f4)\n` +
      `curl -H "Authorization: Bearer $TOKEN" -X POST \\\n` +
      `  ${address}/accounts/${accounts[0]?.id ?? ""}/sessions`,
  );
  setVisible(by("no-sessions"), sessions.length === 0);
  setVisible(by("legend"), sessions.some((each) => each.participants.length > 0));
  fillList(by("sessions"), sessions, (each) => each.id, makeSession, fillSession);
  older(by("older-sessions"), total("sessions") - sessions.length, "older session");

  setVisible(by("lobby"), alone.length > 0);
  fillList(by("in-no-session"), alone, (each) => each.id, makeParticipant, fillParticipant);
  older(
    by("older-in-no-session"),
    total("participantsInNoSession") - alone.length,
    "older participant",
  );

  fillSection("exchanges", "no-requests", exchanges, "exchange-row", fillExchange);
  setVisible(by("request-log"), exchanges.length > 0);
  drawStrip(exchanges);
  fillSection("faults", "no-faults", faults, "fault-item", fillFault);
  fillSection("webhooks", "no-webhooks", webhooks, "webhook-item", fillWebhook);

  const switches = Object.entries(state.switches);
  setVisible(by("switches-section"), switches.length > 0);
  fillList(by("switches"), switches, ([name]) => name, makeSwitch, fillSwitch);
}

function count(noun, number, suffix = "") {
  setText(by(`${noun}-count`), number.toLocaleString("en"));
  setText(by(`${noun}-word`), `${noun}${number === 1 ? "" : "s"}${suffix}`);
}

function older(note, count, noun) {
  setVisible(note, count > 0);
  setText(note, `and ${plural(count, noun)}`);
}

function fillSection(id, emptyNote, items, template, fill) {
  setVisible(by(emptyNote), items.length === 0);
  setVisible(by(id), items.length > 0);
  // Items without a number keep their position.
  const key = (each) => each.number ?? items.indexOf(each);
  fillList(by(id), items, key, () => cloneTemplate(template), fill);
}

let announcement = "";

// Announces text to screen readers, at most every 2 seconds.
function announce(text) {
  if (announcement === "") setTimeout(flushAnnouncement, 2000);
  announcement = text;
}

function flushAnnouncement() {
  setText(by("announcement"), announcement);
  announcement = "";
}

function setConnection(state, text) {
  document.documentElement.dataset.connection = state;
  setText(by("connection-text"), text);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Polling stops while the page is hidden.
function untilVisible() {
  if (!document.hidden) return undefined;
  return new Promise((resolve) =>
    document.addEventListener("visibilitychange", resolve, { once: true }),
  );
}

async function poll() {
  let entityTag = null;
  let failures = 0;
  for (;;) {
    const result = await fetchState(entityTag);
    failures = result === undefined ? failures + 1 : 0;
    if (result === undefined) {
      setConnection("lost", "no response, retrying; the page shows the last known state");
    } else {
      setConnection("live", "live");
      entityTag = result.entityTag;
      if (result.state !== undefined) draw(result.state);
    }
    await pause(
      failures === 0 ? POLL_INTERVAL : Math.min(POLL_INTERVAL * failures, MAX_POLL_INTERVAL),
    );
    await untilVisible();
  }
}

// Returns the state if its tag has changed; undefined after a failure.
async function fetchState(entityTag) {
  const headers = entityTag === null ? {} : { "If-None-Match": entityTag };
  try {
    const signal = AbortSignal.timeout(5000);
    const response = await fetch("state", { headers, cache: "no-store", signal });
    if (response.status === 304) return { entityTag };
    if (response.status !== 200) return undefined;
    return { entityTag: response.headers.get("ETag"), state: await response.json() };
  } catch {
    return undefined;
  }
}

setInterval(() => document.querySelectorAll(".session").forEach(fillExpiry), 20000);
poll();
