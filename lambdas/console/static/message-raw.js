// A message as it was sent, ER7 or not, coloured by element. What an element is stands
// in a line below when the mouse or the focus is on it.

import { h, fill } from './dom.js';
import { count, size } from './format.js';

// Raw shows segments. It is one stop for the Tab key: the arrows lead from value to value
// and from segment to segment.
export class Raw {
  element;
  #lines = h('div', { class: 'er7', role: 'group', 'aria-label': 'The message as it was sent' });
  #about = h('div', { class: 'about', role: 'status' }, 'Point at a value, or go to it with the arrow keys, to see what it is.');
  #known = new WeakMap(); // what an element is: { node, field }
  #view;
  #whole;

  // view is an answer of /messages/{id}/view. whole returns the whole value at a path of
  // a segment.
  constructor(view, whole) {
    this.#view = view;
    this.#whole = whole;
    this.#lines.addEventListener('mouseover', (event) => this.#tell(event.target));
    this.#lines.addEventListener('focusin', (event) => this.#tell(event.target));
    this.#lines.addEventListener('keydown', (event) => this.#move(event));
    this.element = h('div', { class: 'raw' }, this.#lines, this.#about);
    this.add(view);
  }

  // add appends a page.
  add(view) {
    this.#view = view;
    this.#lines.append(...(view.segments ?? []).map((segment) => this.#segment(segment)), ...(view.lines ?? []).map((line) => this.#line(line)));
    this.#lines.querySelector('[tabindex="0"]') ?? this.#lines.querySelector('.value')?.setAttribute('tabindex', '0');
  }

  // find puts the focus on the value at a path of a segment, or on what is nearest to it.
  // Without a segment it is the first one of that name.
  find(index, path) {
    const name = path.split(/[-[]/)[0];
    const line = index === null ? [...this.#lines.children].find((line) => line.querySelector('.name')?.textContent === name)
      : this.#lines.querySelector(`[data-index="${Number(index)}"]`);
    if (!line) return;
    const values = [...line.querySelectorAll('.value')];
    const pathOf = (value) => this.#known.get(value)?.node.path ?? '';
    const within = (value) => pathOf(value).replaceAll('[1]', '').startsWith(path.replaceAll('[1]', ''));
    const found = (path && values.find(within)) || line.querySelector('.value.flawed, .flawed .value') || values[0];
    line.classList.add('target');
    line.scrollIntoView({ block: 'center' });
    if (found) this.#focus(found);
  }

  #segment(segment) {
    const { delimiters } = this.#view;
    const own = (segment.findings ?? []).map((i) => this.#view.findings[i]).filter(Boolean);
    return h('div', { class: own.length > 0 ? 'line flawed' : 'line', 'data-index': segment.index },
      h('span', { class: 'number' }, segment.index + 1),
      h('div', { class: 'text' },
        segment.name ? this.#mark(h('span', { class: 'name value', tabindex: '-1' }, segment.name), { path: segment.name, name: segment.title, groups: segment.groups }) : segment.text,
        (segment.fields ?? []).map((field) => this.#field(segment, field, delimiters)),
        this.#more(segment.index, '', segment.folded)),
      own.length > 0 && h('ul', { class: 'notes' }, own.map((finding) => h('li', { class: finding.level }, describe(finding)))));
  }

  #field(segment, field, delimiters) {
    const within = new Set(field.repetitions.flatMap(findingsWithin));
    const flawed = (field.findings ?? []).some((i) => !within.has(i)); // and not just a part of it
    // The first two fields of a header are the delimiters themselves.
    const header = ['MSH', 'FHS', 'BHS'].includes(segment.name) && field.position <= 2;
    const separator = header ? null : this.#mark(h('span', { class: 'delimiter' }, delimiters.field), field, field);
    return h('span', { class: flawed ? 'field flawed' : 'field' }, separator,
      joined(field.repetitions.map((node) => this.#node(segment.index, field, node, [delimiters.component, delimiters.subcomponent])), delimiters.repetition),
      this.#more(segment.index, field.path, field.folded));
  }

  #node(index, field, node, [delimiter, ...inner]) {
    const more = this.#more(index, node.path, node.folded);
    if (node.parts) {
      const below = new Set(node.parts.flatMap(findingsWithin));
      const flawed = (node.findings ?? []).some((i) => !below.has(i));
      return [h('span', { class: flawed ? 'flawed' : '' }, joined(node.parts.map((part) => this.#node(index, field, part, inner)), delimiter ?? '')), more];
    }
    if (!node.raw) return this.#mark(h('span', {}), node, field);
    const flawed = node.findings ? ' flawed' : '';
    return [this.#mark(h('span', { class: `value${flawed} ${kind(node.type ?? field.type, node.meaning)}`, tabindex: '-1' }, node.raw), node, field), more];
  }

  // line shows a line of what cannot be parsed, with what is wrong below it.
  #line(line) {
    const { fault } = this.#view;
    const here = fault?.line === line.index;
    return h('div', { class: here ? 'line flawed' : 'line', 'data-index': line.index },
      h('span', { class: 'number' }, line.index + 1),
      h('div', { class: 'text' }, this.#mark(h('span', { class: 'value', tabindex: '-1' }, line.text), { path: `line ${line.index + 1}`, name: 'cannot be parsed' }), this.#more(line.index, '', line.folded)),
      here && h('ul', { class: 'notes' }, h('li', {}, faultText(fault))));
  }

  // more offers the bytes that are left out of a value.
  #more(index, path, folded) {
    if (!folded) return null;
    const button = h('button', { class: 'unfold', onclick: async () => {
      button.disabled = true;
      try {
        const text = await this.#whole(index, path);
        const field = button.closest('.text > .field') ?? button.parentElement;
        const shown = path ? button.previousElementSibling : null;
        if (shown?.classList.contains('value')) {
          shown.textContent = text;
          button.remove();
        } else {
          fill(path ? field : button.parentElement, path ? this.#view.delimiters.field : '', h('span', { class: 'value', tabindex: '-1' }, text));
        }
      } catch (error) {
        button.disabled = false;
        fill(this.#about, error.message);
      }
    } }, `… ${size(folded)} more`);
    return button;
  }

  #mark(element, node, field = null) {
    this.#known.set(element, { node, field });
    return element;
  }

  #tell(target) {
    const known = this.#known.get(target);
    if (known) fill(this.#about, about(known));
  }

  #focus(value) {
    this.#lines.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1');
    value.setAttribute('tabindex', '0');
    value.focus();
  }

  #move(event) {
    const current = event.target.closest('.value');
    if (!current) return;
    const values = [...current.closest('.line').querySelectorAll('.value')];
    const beside = (by) => values[values.indexOf(current) + by];
    const line = (sibling) => current.closest('.line')[sibling]?.querySelector('.value');
    const to = {
      ArrowRight: () => beside(1) ?? line('nextElementSibling'),
      ArrowLeft: () => beside(-1),
      ArrowDown: () => line('nextElementSibling'),
      ArrowUp: () => line('previousElementSibling'),
      Home: () => values[0],
      End: () => values.at(-1),
    }[event.key]?.();
    if (to) {
      event.preventDefault();
      this.#focus(to);
    }
  }
}

// describe writes a finding for a person.
export function describe({ path, rule, level, text }) {
  return [h('code', {}, path), ' ', rule.replaceAll('-', ' '), text && ': ' + text, level === 'strict' && ' (few senders keep this rule)'];
}

// faultText says why a message cannot be parsed.
export function faultText({ text, path, offset }) {
  return [text.charAt(0).toUpperCase() + text.slice(1), ' (', path && [h('code', {}, path), ', '], `byte ${count(offset)}).`];
}

// about says what an element is.
function about({ node, field }) {
  const type = node.type ?? (node.name ? '' : field?.type);
  return [
    h('code', {}, node.path), ' ',
    h('strong', {}, node.name ?? field?.name ?? 'not in the standard'),
    node.name && field && field !== node && h('span', { class: 'faint' }, ` of ${field.name ?? field.path}`),
    type && h('span', {}, ` · ${type}`),
    (node.table ?? field?.table) && h('span', {}, ` · table ${node.table ?? field.table}`),
    node.meaning && h('span', { class: 'meaning' }, ` · ${node.meaning}`),
    node.groups && h('span', { class: 'faint' }, ` · ${node.groups.join(' › ')}`),
    node.text && h('span', { class: 'faint' }, ` · reads “${node.text.slice(0, 200)}”`),
  ];
}

// findingsWithin lists the findings of an element and of its parts.
function findingsWithin(node) {
  return [...(node.findings ?? []), ...(node.parts ?? []).flatMap(findingsWithin)];
}

// kind is the class of a value's colour.
function kind(type = '', meaning = '') {
  if (['TS', 'DTM', 'DT', 'TM'].includes(type)) return 'when';
  if (['NM', 'SI', 'MO', 'CQ'].includes(type)) return 'number';
  if (meaning || ['ID', 'IS'].includes(type)) return 'code';
  return 'free';
}

// joined puts a delimiter between elements.
function joined(elements, delimiter) {
  return elements.flatMap((element, i) => i === 0 ? [element] : [h('span', { class: 'delimiter' }, delimiter), element]);
}
