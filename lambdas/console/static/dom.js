// Builds elements. Text is always text: nothing in the console makes markup of a string.

// h makes an element. A property that begins with "on" is a listener, true is an empty
// attribute, and null, undefined and false are no attribute. A child is a node, text, or
// a list of both; null, undefined and false are no child.
export function h(tag, properties, ...children) {
  return furnish(document.createElement(tag), properties, children);
}

// svg makes an element of a drawing.
export function svg(tag, properties, ...children) {
  return furnish(document.createElementNS('http://www.w3.org/2000/svg', tag), properties, children);
}

function furnish(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...present(children));
  return element;
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

// fill replaces what is in an element.
export function fill(element, ...children) {
  element.replaceChildren(...present(children));
}
