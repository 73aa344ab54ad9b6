// Asks for the emulator's picture, and draws it whenever it has changed.

import { by, fresh, list, plural, say, show } from "./elements.js";
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

const EVERY = 600; // ms between looks while the emulator answers
const LONGEST_PAUSE = 4000; // ms between looks while it does not

function draw(picture) {
  setClock(picture.now);
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

let news = "";

// To screen readers, and not at every change of a busy emulator.
function announce(text) {
  if (news === "") setTimeout(tellNews, 2000);
  news = text;
}

function tellNews() {
  say(by("news"), news);
  news = "";
}

function tell(state, text) {
  document.documentElement.dataset.connection = state;
  say(by("connection-text"), text);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Nobody looks at a hidden page.
function shown() {
  if (!document.hidden) return undefined;
  return new Promise((resolve) =>
    document.addEventListener("visibilitychange", resolve, { once: true }),
  );
}

async function follow() {
  let entityTag = null;
  let failures = 0;
  for (;;) {
    const seen = await look(entityTag);
    failures = seen === undefined ? failures + 1 : 0;
    if (seen === undefined) {
      tell("lost", "no answer, trying again; this is what was last known");
    } else {
      tell("live", "live");
      entityTag = seen.entityTag;
      if (seen.picture !== undefined) draw(seen.picture);
    }
    await pause(failures === 0 ? EVERY : Math.min(EVERY * failures, LONGEST_PAUSE));
    await shown();
  }
}

// Asks for the picture, unless it still has this tag; undefined without a good answer.
async function look(entityTag) {
  const headers = entityTag === null ? {} : { "If-None-Match": entityTag };
  try {
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch("state", { headers, cache: "no-store", signal });
    if (answer.status === 304) return { entityTag };
    if (answer.status !== 200) return undefined;
    return { entityTag: answer.headers.get("ETag"), picture: await answer.json() };
  } catch {
    return undefined;
  }
}

setInterval(() => document.querySelectorAll(".session").forEach(fillExpiry), 20000);
follow();
