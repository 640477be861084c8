/* The panel: cards, lists and the search. Everything it says of numbers it reads from the tables. */
function link(text, address, parent) {
  var made = node('a', text, parent);
  made.href = address;
  return made;
}
function button(text, parent, go, name) {
  var made = node('button', text, parent, name);
  made.type = 'button';
  made.addEventListener('click', go);
  return made;
}
function openCard(title) {
  var box = byId('card');
  box.textContent = '';
  box.hidden = false;
  node('h2', title, box).id = 'card-title';
  box.setAttribute('aria-labelledby', 'card-title');
  button('Close', box, closeCard, 'close').setAttribute('aria-label', 'Close: ' + title);
  return box;
}
function closeCard() {
  var back = opener && opener.isConnected && opener !== document.body ? opener : byId('find');
  opener = null;
  if (state.school >= 0 || state.cluster) { choose({}); } else { byId('card').hidden = true; }
  back.focus();
}
function factTable(caption, heads, lines, parent) {
  var table = node('table', '', parent);
  node('caption', caption, table);
  var head = node('tr', '', table.createTHead());
  heads.forEach(function (text) { node('th', text, head).scope = 'col'; });
  var body = table.createTBody();
  lines.forEach(function (line) {
    var row = node('tr', '', body);
    line.forEach(function (text, at) {
      var cell = node(at ? 'td' : 'th', text, row);
      if (!at) { cell.scope = 'row'; }
    });
  });
}

function schoolCard(index) {
  var school = schools[index];
  var box = openCard(school.name);
  node('p', [capital(school.phase), school.area, school.sector, 'URN ' + school.urn].filter(Boolean).join(' · '), box);
  factTable('Its cluster in each option', ['Option', 'Cluster', 'To the hub'], data.options.map(function (option) {
    return [option.name, clusterWords(option, index), minutesWords(option, index)];
  }), box);
  link('Why is it there?', data.school_page + school.urn, node('p', '', box));
  node('p', data.sentence, box, 'sentence');
}

function clusterCard(option, number) {
  var cluster = option.clusters.find(function (one) { return one.no === number; });
  var box = openCard(cluster.no + ' · ' + cluster.name + ' (' + option.name + ')');
  var row = document.querySelector('#clusters-' + option.key + ' tr[data-number="' + number + '"]');
  var heads = row.closest('table').tHead.rows[0].cells;
  factList(Array.prototype.slice.call(row.cells, 1).map(function (cell, at) {
    return [heads[at + 1].textContent, cell.textContent];
  }), box);
  link('The page of this cluster', cluster.page, node('p', '', box));
  node('h3', 'Its schools', box);
  var list = node('ul', '', box, 'plain');
  option.of.forEach(function (own, index) {
    if (option.clusters[own] !== cluster) { return; }
    var item = button(schools[index].name, node('li', '', list), function () { choose({school: index}); });
    node('small', capital(schools[index].phase) + ', ' + minutesWords(option, index), item);
  });
  node('p', data.sentence, box, 'sentence');
}

function showProvision(one) {
  openCard(one.name);
  node('p', one.said + '.', byId('card'));
  byId('status').textContent = one.name + ': ' + one.said + '.';
}

function fillList(option) {
  byId('list-title').textContent = 'Clusters: ' + option.name;
  var list = byId('list');
  list.textContent = '';
  var sizes = option.clusters.map(function () { return 0; });
  option.of.forEach(function (own) { if (own >= 0) { sizes[own] += 1; } });
  option.clusters.forEach(function (cluster, at) {
    var made = button('', node('li', '', list), function () { choose({cluster: cluster.no}, keys.indexOf(option.key)); });
    var chip = node('span', String(cluster.no), made, 'chip');
    chip.style.setProperty('--c', data.colours[cluster.colour]);
    node('span', cluster.name, made);
    node('span', sizes[at] + (sizes[at] === 1 ? ' school' : ' schools'), made, 'count');
  });
}

function fillChanges() {
  var found = comparison();
  byId('changes').hidden = !found;
  if (!found) { return; }
  var number = found.moves.length;
  byId('changes-title').textContent = 'From ' + found.before.name + ' to ' + found.after.name;
  byId('changes-said').textContent = number === 0 ? 'No school moves to another cluster.'
    : number === 1 ? '1 school moves to another cluster.' : number + ' schools move to another cluster.';
  var list = byId('changes-list');
  list.textContent = '';
  found.moves.forEach(function (index) {
    var made = button(schools[index].name, node('li', '', list), function () { choose({school: index}); });
    node('small', 'from ' + clusterWords(found.before, index) + ' to ' + clusterWords(found.after, index), made);
  });
}

/* A postcode is cut to its sector before anything is done with it; nothing is kept of it. */
var POSTCODE = /^\s*([a-z]{1,2}\d[a-z\d]?)\s*(\d)([a-z]{1,2})\s*$/i;
var SECTOR = /^\s*([a-z]{1,2}\d[a-z\d]?)\s+(\d)?\s*$/i;
function finder() {
  var field = byId('find');
  var entries = schools.map(function (school, index) {
    return {text: school.name, under: [capital(school.phase), school.area, school.sector].filter(Boolean).join(' · '),
      key: plain(school.name), urn: school.urn, sector: school.sector, go: function () { choose({school: index}); }};
  });
  var near = function (start) {
    return entries.filter(function (entry) { return entry.sector.indexOf(start) === 0; });
  };
  return function (text) {
    var whole = POSTCODE.exec(text);
    if (whole) { field.value = text = (whole[1] + ' ' + whole[2]).toUpperCase(); }
    byId('find-help').textContent = whole ? 'Only ' + text + ' of the postcode is used; the rest is gone.' : byId('find-help').dataset.text;
    var query = plain(text.trim());
    var part = SECTOR.exec(text);
    if (!query) { return null; }
    if (part && data.sectors) {
      var outward = part[1].toUpperCase() + ' ';
      var here = near(outward + (part[2] || ''));
      return here.length ? here : near(outward);
    }
    return matching(entries, query);
  };
}
