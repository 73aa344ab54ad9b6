// Filling elements of the page. Tags, ids and targets are other people's text: everything is set as
// text or as an attribute, never as markup.

export const by = (id) => document.getElementById(id);
export const part = (element, name) => element.querySelector(`.${name}`);
export const short = (id) => (id.length > 12 ? `${id.slice(0, 8)}…` : id);
export const clock = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");

export function plural(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Names and paths have no spaces to break at, so they may break where a word of theirs begins.
export function sayName(element, name) {
  if (element.textContent === name) return;
  const [first, ...words] = name.split(/(?<=[a-z0-9…])(?=[A-Z/])/);
  element.replaceChildren(first, ...words.flatMap((word) => [document.createElement("wbr"), word]));
}

export function show(element, is) {
  element.hidden = !is;
}

export function fresh(template) {
  return by(template).content.firstElementChild.cloneNode(true);
}

// Keeps the elements of what stays, so that focus, selection and scrolling do.
export function list(parent, items, keyOf, make, fill) {
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

export function fillId(element, id) {
  say(part(element, "id"), short(id));
  part(element, "id").title = id;
}

// Makes an SVG element; children that are strings are its text.
export function drawn(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
