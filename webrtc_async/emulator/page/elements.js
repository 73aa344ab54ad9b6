// Helpers that fill elements. Tags, ids and paths are untrusted text: all text is set as
// text or attributes, never as markup.

export const by = (id) => document.getElementById(id);
export const part = (element, name) => element.querySelector(`.${name}`);
export const short = (id) => (id.length > 12 ? `${id.slice(0, 8)}…` : id);
export const clock = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");

export function plural(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Names and paths have no spaces, so line breaks are allowed before each word in them.
export function setName(element, name) {
  if (element.textContent === name) return;
  const [first, ...words] = name.split(/(?<=[a-z0-9…])(?=[A-Z/])/);
  element.replaceChildren(first, ...words.flatMap((word) => [document.createElement("wbr"), word]));
}

export function setVisible(element, isVisible) {
  element.hidden = !isVisible;
}

export function cloneTemplate(template) {
  return by(template).content.firstElementChild.cloneNode(true);
}

// Reuses the elements of items that stay, to keep focus, selection and scroll position.
export function fillList(parent, items, keyOf, make, fill) {
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
  setText(part(element, "id"), short(id));
  part(element, "id").title = id;
}

// Creates an SVG element; string children become its text.
export function createSvg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
