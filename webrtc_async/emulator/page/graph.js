// Draws a session's participants on a circle, and an arrow to everyone who hears another.

import { drawn, short } from "./elements.js";

const LONGEST_LABEL = 16; // characters of a tag beside the graph
const BENT = 0.65; // how far from the middle a line's bend is: 0 is in it, 1 is none

// Draws numbered members into an element that is in the document, not wider than is available.
export function drawGraph(svg, members, available) {
  let box = drawInto(svg, members, true);
  // Beside names that would shrink to nothing, the numbers of the list are better.
  if (box.width > available * 1.15) box = drawInto(svg, members, false);
  svg.setAttribute("viewBox", `${box.x - 3} ${box.y - 3} ${box.width + 6} ${box.height + 6}`);
  svg.setAttribute("width", box.width + 6);
}

function drawInto(svg, members, named) {
  const count = members.length;
  const disc = count > 12 ? 12 : 14;
  const radius = count === 1 ? 0 : (named ? 60 : 46) + 5.4 * count;
  const start = count === 2 ? Math.PI : -Math.PI / 2 + (count % 2 ? 0 : Math.PI / count);
  const places = members.map((_, index) => {
    const angle = start + (2 * Math.PI * index) / count;
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
  });
  const hears = members.map((each) => new Set(each.hears));
  const edges = drawn("g", {});
  for (let a = 0; a < count; a += 1) {
    for (let b = a + 1; b < count; b += 1) {
      const toA = hears[a].has(members[b].id);
      const toB = hears[b].has(members[a].id);
      if (toA || toB) {
        const edge = drawEdge(places[a], places[b], toA, toB, disc, count > 12 ? 0.55 : count > 8 ? 0.75 : 1);
        edge.dataset.ends = `${members[a].id} ${members[b].id}`;
        edges.append(edge);
      }
    }
  }
  const nodes = members.map((each, index) => drawNode(each, places[index], radius, disc, named));
  const all = drawn("g", { class: count > 8 ? "dense" : "" }, edges, ...nodes);
  svg.replaceChildren(all);
  return all.getBBox();
}

function drawNode(member, place, radius, disc, named) {
  const kinds = [
    member.publishPermissions.length === 0 && "silent",
    member.deviceId !== null && "connected",
  ];
  const attributes = { cx: place.x, cy: place.y, r: disc, class: ["disc", ...kinds].filter(Boolean).join(" ") };
  const number = drawn("text", { x: place.x, y: place.y, dy: "0.35em", class: "node-number" }, String(member.number));
  const title = drawn("title", {}, member.tag ?? member.id);
  const node = drawn("g", { class: "node" }, title, drawn("circle", attributes), number);
  node.dataset.id = member.id;
  if (named) node.append(drawLabel(member, place, radius, disc));
  return node;
}

function drawLabel(member, place, radius, disc) {
  const characters = [...(member.tag ?? short(member.id))];
  const text = characters.length > LONGEST_LABEL ? `${characters.slice(0, LONGEST_LABEL - 1).join("")}…` : characters.join("");
  const [cos, sin] = radius === 0 ? [0, 1] : [place.x / radius, place.y / radius];
  const away = disc + 7;
  const attributes = { x: place.x + away * cos, y: place.y + away * sin, dy: "0.35em", class: "label" };
  attributes["text-anchor"] = Math.abs(cos) < 0.1 ? "middle" : cos > 0 ? "start" : "end";
  if (attributes["text-anchor"] === "middle") attributes.dy = sin < 0 ? "0em" : "0.8em";
  return drawn("text", attributes, text);
}

// A line bent towards the middle, with a head at each end that hears the other.
function drawEdge(a, b, toA, toB, disc, scale) {
  const bend = { x: ((a.x + b.x) / 2) * BENT, y: ((a.y + b.y) / 2) * BENT };
  const [headA, lineA] = endOf(a, bend, disc, toA ? scale : 0);
  const [headB, lineB] = endOf(b, bend, disc, toB ? scale : 0);
  const kind = toA && toB ? " mutual" : "";
  const line = { d: `M${lineA}Q${bend.x} ${bend.y} ${lineB}`, class: `line${kind}` };
  const head = { d: headA + headB, class: `head${kind}` };
  return drawn("g", { class: "edge" }, drawn("path", line), drawn("path", head));
}

function endOf(place, bend, disc, scale) {
  const length = Math.hypot(bend.x - place.x, bend.y - place.y) || 1;
  const x = (bend.x - place.x) / length;
  const y = (bend.y - place.y) / length;
  const at = (along, across) =>
    `${(place.x + along * x - across * y).toFixed(2)} ${(place.y + along * y + across * x).toFixed(2)}`;
  const tip = disc + 2;
  if (scale === 0) return ["", at(tip, 0)];
  const back = tip + 9 * scale;
  return [`M${at(tip, 0)}L${at(back, 4.5 * scale)}L${at(back, -4.5 * scale)}Z`, at(back - 1, 0)];
}
