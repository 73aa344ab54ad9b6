// Draws a session's participants on a circle, and an arrow from each publisher to its subscribers.

import { createSvg, short } from "./elements.js";

const MAX_LABEL_LENGTH = 16; // characters of a tag next to the graph
const BEND = 0.65; // distance of a line's bend from the centre: 0 at the centre, 1 for no bend

// Draws numbered members into an element of the document, at most as wide as is available.
export function drawGraph(svg, members, available) {
  let box = drawInto(svg, members, true);
  // If labels would become too small to read, the numbers alone are better.
  if (box.width > available * 1.15) box = drawInto(svg, members, false);
  svg.setAttribute("viewBox", `${box.x - 3} ${box.y - 3} ${box.width + 6} ${box.height + 6}`);
  svg.setAttribute("width", box.width + 6);
}

function drawInto(svg, members, withLabels) {
  const count = members.length;
  const disc = count > 12 ? 12 : 14;
  const radius = count === 1 ? 0 : (withLabels ? 60 : 46) + 5.4 * count;
  const start = count === 2 ? Math.PI : -Math.PI / 2 + (count % 2 ? 0 : Math.PI / count);
  const positions = members.map((_, index) => {
    const angle = start + (2 * Math.PI * index) / count;
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
  });
  const subscribedTo = members.map((each) => new Set(each.subscribedTo));
  const edges = createSvg("g", {});
  for (let a = 0; a < count; a += 1) {
    for (let b = a + 1; b < count; b += 1) {
      const toA = subscribedTo[a].has(members[b].id);
      const toB = subscribedTo[b].has(members[a].id);
      if (toA || toB) {
        const scale = count > 12 ? 0.55 : count > 8 ? 0.75 : 1;
        const edge = drawEdge(positions[a], positions[b], toA, toB, disc, scale);
        edge.dataset.ends = `${members[a].id} ${members[b].id}`;
        edges.append(edge);
      }
    }
  }
  const nodes = members.map((each, index) =>
    drawNode(each, positions[index], radius, disc, withLabels),
  );
  const all = createSvg("g", { class: count > 8 ? "dense" : "" }, edges, ...nodes);
  svg.replaceChildren(all);
  return all.getBBox();
}

function drawNode(member, position, radius, disc, withLabel) {
  const kinds = [
    member.publishPermissions.length === 0 && "silent",
    member.deviceId !== null && "connected",
  ];
  const attributes = {
    cx: position.x,
    cy: position.y,
    r: disc,
    class: ["disc", ...kinds].filter(Boolean).join(" "),
  };
  const center = { x: position.x, y: position.y, dy: "0.35em", class: "node-number" };
  const number = createSvg("text", center, String(member.number));
  const title = createSvg("title", {}, member.tag ?? member.id);
  const node = createSvg("g", { class: "node" }, title, createSvg("circle", attributes), number);
  node.dataset.id = member.id;
  if (withLabel) node.append(drawLabel(member, position, radius, disc));
  return node;
}

function drawLabel(member, position, radius, disc) {
  const characters = [...(member.tag ?? short(member.id))];
  const text =
    characters.length > MAX_LABEL_LENGTH
      ? `${characters.slice(0, MAX_LABEL_LENGTH - 1).join("")}…`
      : characters.join("");
  const [cos, sin] = radius === 0 ? [0, 1] : [position.x / radius, position.y / radius];
  const distance = disc + 7;
  const attributes = {
    x: position.x + distance * cos,
    y: position.y + distance * sin,
    dy: "0.35em",
    class: "label",
  };
  attributes["text-anchor"] = Math.abs(cos) < 0.1 ? "middle" : cos > 0 ? "start" : "end";
  if (attributes["text-anchor"] === "middle") attributes.dy = sin < 0 ? "0em" : "0.8em";
  return createSvg("text", attributes, text);
}

// A line bent towards the centre, with an arrowhead at each end that subscribes to the other.
function drawEdge(a, b, toA, toB, disc, scale) {
  const bend = { x: ((a.x + b.x) / 2) * BEND, y: ((a.y + b.y) / 2) * BEND };
  const [headA, lineA] = endOf(a, bend, disc, toA ? scale : 0);
  const [headB, lineB] = endOf(b, bend, disc, toB ? scale : 0);
  const kind = toA && toB ? " mutual" : "";
  const line = { d: `M${lineA}Q${bend.x} ${bend.y} ${lineB}`, class: `line${kind}` };
  const head = { d: headA + headB, class: `head${kind}` };
  return createSvg("g", { class: "edge" }, createSvg("path", line), createSvg("path", head));
}

function endOf(position, bend, disc, scale) {
  const length = Math.hypot(bend.x - position.x, bend.y - position.y) || 1;
  const x = (bend.x - position.x) / length;
  const y = (bend.y - position.y) / length;
  const at = (along, across) =>
    `${(position.x + along * x - across * y).toFixed(2)} ${(position.y + along * y + across * x).toFixed(2)}`;
  const tip = disc + 2;
  if (scale === 0) return ["", at(tip, 0)];
  const back = tip + 9 * scale;
  return [`M${at(tip, 0)}L${at(back, 4.5 * scale)}L${at(back, -4.5 * scale)}Z`, at(back - 1, 0)];
}
