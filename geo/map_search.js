/* Search: a text field with a list under it, for the keyboard as much as for the mouse. */
function plain(text) { return text.toLowerCase().normalize('NFKD').replace(/[\u0300-\u036f’']/g, ''); }
/* The entries in which a text is found, or whose URN it is; the earlier in the name, the sooner. */
function matching(entries, query) {
  return entries.filter(function (entry) { return entry.key.indexOf(query) >= 0 || entry.urn === query; })
    .sort(function (a, b) { return a.key.indexOf(query) - b.key.indexOf(query) || a.key.localeCompare(b.key); });
}
/* `find(text)` returns entries {text, under, go}, or null where there is nothing to look for. */
function startSearch(find) {
  var field = document.getElementById('find');
  var list = document.getElementById('found');
  var status = document.getElementById('status');
  var hits = [];
  var active = -1;
  function close() {
    list.hidden = true;
    active = -1;
    field.setAttribute('aria-expanded', 'false');
    field.removeAttribute('aria-activedescendant');
  }
  function mark(index) {
    active = index;
    Array.prototype.forEach.call(list.children, function (item, at) {
      item.setAttribute('aria-selected', String(at === index));
      if (at === index) {
        field.setAttribute('aria-activedescendant', item.id);
        item.scrollIntoView({block: 'nearest'});
      }
    });
  }
  function choose(index) {
    var hit = hits[index];
    if (!hit) { return; }
    field.value = hit.text;
    close();
    hit.go();
    status.textContent = 'Shown on the map: ' + hit.text + (hit.under ? ', ' + hit.under : '') + '.';
  }
  function look() {
    var all = find(field.value);
    list.textContent = '';
    close();
    if (!all) { hits = []; status.textContent = ''; return; }
    hits = all.slice(0, 12);
    hits.forEach(function (hit, at) {
      var item = node('li', hit.text, list);
      item.id = 'found-' + at;
      item.setAttribute('role', 'option');
      item.setAttribute('aria-selected', 'false');
      node('small', hit.under, item);
      item.addEventListener('mousedown', function (event) { event.preventDefault(); });
      item.addEventListener('click', function () { choose(at); });
    });
    if (hits.length) {
      list.hidden = false;
      field.setAttribute('aria-expanded', 'true');
    }
    status.textContent = !all.length ? 'Nothing found. Try a shorter part of the name.'
      : all.length > hits.length ? all.length + ' found; the first ' + hits.length + ' are listed.' : all.length + ' found.';
  }
  field.addEventListener('input', look);
  field.addEventListener('blur', close);
  field.addEventListener('keydown', function (event) {
    var last = hits.length - 1;
    if (event.key === 'Escape') {
      if (list.hidden) { field.value = ''; }
      close();
    } else if (event.key === 'Enter') {
      choose(Math.max(active, 0));
    } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && hits.length) {
      list.hidden = false;
      field.setAttribute('aria-expanded', 'true');
      var step = event.key === 'ArrowDown' ? 1 : -1;
      mark(active < 0 ? (step > 0 ? 0 : last) : (active + step + hits.length) % hits.length);
    } else { return; }
    event.preventDefault();
  });
}
