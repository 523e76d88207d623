// A table that is sorted by its column heads, searched, and saved as CSV.

const ROWS_SHOWN = 200;

/**
 * Columns: {key, name, title, value(row) for sorting and CSV, cell(row) for display, kind: 'text' | 'number' | ..., hidden, isHandle}.
 * Options: rows, columns, rowClass(row), onRow(row), sortBy, descending, filter(row), label, fileName, summary(count).
 */
class DataTable {
  constructor(options) {
    this.options = options;
    this.sortBy = options.sortBy ?? null;
    this.descending = options.descending ?? false;
    this.words = '';
    this.showsAll = false;
    this.scroll = h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Table: ${options.label}`});
    this.count = h('span', {role: 'status'});
    this.more = h('button', {type: 'button', onclick: () => { this.showsAll = true; this.draw(); }});
    this.search = h('input', {
      type: 'search',
      placeholder: 'Search',
      'aria-label': `Search: ${options.label}`,
      oninput: () => { this.words = this.search.value.toLowerCase(); this.draw(); },
    });
    this.save = h('button', {type: 'button', onclick: () => this.saveCsv()}, 'Save as CSV');
    this.foot = h('div', {class: 'table-foot'}, this.count, this.more);
    this.draw();
  }

  get columns() {
    return this.options.columns.filter((column) => !column.hidden);
  }

  /** The rows that the search box and the filter leave, in the order of the chosen column. */
  rows() {
    const words = this.words.split(/\s+/).filter(Boolean);
    const rows = this.options.rows.filter((row) => {
      if (this.options.filter && !this.options.filter(row)) return false;
      if (words.length === 0) return true;
      const text = this.options.columns.map((column) => this.plain(column, row)).join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const column = this.options.columns.find(({key}) => key === this.sortBy);
    if (!column) return rows;
    const sign = this.descending ? -1 : 1;
    return rows.sort((a, b) => compareValues(column.value(a), column.value(b), sign));
  }

  /** What a cell says, as searched. */
  plain(column, row) {
    const value = column.text ? column.text(row) : column.value(row);
    return value === null || value === undefined ? '' : String(value);
  }

  draw() {
    const rows = this.rows();
    const shown = this.showsAll ? rows : rows.slice(0, ROWS_SHOWN);
    const hadFocus = this.scroll.contains(document.activeElement) ? document.activeElement.dataset?.key : null;
    this.scroll.replaceChildren(h('table', {},
        h('thead', {}, h('tr', {}, this.columns.map((column) => this.head(column)))),
        h('tbody', {}, shown.map((row) => this.row(row)))));
    if (hadFocus) this.scroll.querySelector(`button[data-key="${CSS.escape(hadFocus)}"]`)?.focus();
    this.count.textContent = this.options.summary(rows.length);
    this.more.hidden = shown.length === rows.length;
    this.more.textContent = `Show all ${rows.length}`;
  }

  head(column) {
    const isSorted = column.key === this.sortBy;
    return h('th', {
      class: column.kind === 'text' || column.kind === 'wrap' || column.kind === 'name' ? 'text' : null,
      scope: 'col',
      title: column.title,
      'aria-sort': isSorted ? (this.descending ? 'descending' : 'ascending') : 'none',
    }, h('button', {type: 'button', 'data-key': column.key, onclick: () => this.sort(column)}, column.name));
  }

  sort(column) {
    this.descending = column.key === this.sortBy ? !this.descending : Boolean(column.descendsFirst);
    this.sortBy = column.key;
    this.draw();
  }

  row(row) {
    const {onRow, rowClass} = this.options;
    const act = onRow ? () => onRow(row) : null;
    return h('tr', {
      class: rowClass?.(row) ?? null,
      'data-row': act !== null,
      onclick: act,
    }, this.columns.map((column) => this.cell(column, row)));
  }

  cell(column, row) {
    const kind = {text: 'text', wrap: 'text wrap', name: 'text name'}[column.kind] ?? null;
    let content = column.cell ? column.cell(row) : this.plain(column, row);
    // The keyboard's way to what a click on the row does, which the click on the button is, too.
    if (column.isHandle && this.options.onRow) content = h('button', {type: 'button', class: 'handle'}, content);
    return h('td', {class: kind, title: column.hover ? column.hover(row) : null}, content);
  }

  saveCsv() {
    const {columns, fileName: name} = this.options;
    save(name, 'text/csv', csv([columns.map((column) => column.csv ?? column.key),
      ...this.rows().map((row) => columns.map((column) => column.value(row)))]));
  }
}

/** Numbers before texts, absent values last in both directions. */
function compareValues(a, b, sign) {
  const isAbsent = (value) => value === null || value === undefined || value === '';
  if (isAbsent(a) || isAbsent(b)) return Number(isAbsent(a)) - Number(isAbsent(b));
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  return sign * String(a).localeCompare(String(b), 'en', {numeric: true});
}
