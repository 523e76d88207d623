// Elements of the page. Text is always set as text, so that nothing in the data is read as markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

/** An element of the page: h('td', {class: 'text'}, 'words', otherElement). */
function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An element of a drawing. */
function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Replaces what is in an element; absent children are left out. */
function show(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

/** A sentence whose options and names of settings are set as code. */
function sentence(text) {
  return text.split(/(--[a-z][a-z-]*|\b[a-z]+(?:_[a-z0-9]+)+\b|\b[a-z]+\.onnx\b)/)
      .map((part, index) => index % 2 === 1 ? h('code', {}, part) : part);
}

function byId(id) {
  return document.getElementById(id);
}

/** The heading of a panel: what it shows, what to read from it, and its controls. */
function panelHead(title, note, ...tools) {
  return h('div', {class: 'panel-head'},
      h('div', {}, h('h3', {}, title), note ? h('p', {class: 'note'}, note) : null),
      tools.length > 0 ? h('div', {class: 'tools'}, ...tools) : null);
}

/** A list to choose from; `choices` are [value, text]. */
function choice(text, choices, value, onChange) {
  const list = h('select', {onchange: () => onChange(list.value)},
      choices.map(([key, name]) => h('option', {value: key, selected: key === value}, name)));
  return h('label', {class: 'choice'}, text, list);
}

/** A button that is on or off. */
function toggle(text, isOn, onChange) {
  const button = h('button', {
    type: 'button',
    'aria-pressed': String(isOn),
    onclick: () => {
      const next = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(next));
      onChange(next);
    },
  }, text);
  return button;
}

/** Offers `text` as a file to save. */
function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], {type}));
  const link = h('a', {href: url, download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** A button that puts `text` on the clipboard. Without access to it, the text is selected to be copied by hand. */
function copyButton(text, source) {
  const button = h('button', {type: 'button'}, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = 'Selected';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
  return button;
}
