/* The drawing. Schools come from the rows of the tables, shapes and links from one block of JSON. */
var frame = document.querySelector('.frame');
var LEVELS = {land: 205, areas: 330, clusters: 310, roads: 320, existing: 380, routes: 350, links: 420, words: 610,
  schools: 600, numbers: 640};
panes(LEVELS, ['links', 'words', 'routes']);
/* One record per school, in the order of the page: links name schools by that order. */
var sections = Array.prototype.slice.call(document.querySelectorAll('details.cluster'));
var clusters = sections.filter(function (section) { return !section.hasAttribute('data-alone'); })
  .map(function (section, at) {
    var chip = section.querySelector('.chip');
    return {at: at, section: section, number: chip.textContent, name: section.querySelector('h3').textContent,
      colour: data.colours[Number(section.dataset.colour)], place: data.clusters[at].at, shape: data.clusters[at].shape,
      routes: data.clusters[at].routes, schools: []};
  });
var schools = [];
sections.forEach(function (section, at) {
  var heads = Array.prototype.map.call(section.querySelectorAll('thead th'), function (head) { return head.textContent; });
  section.querySelectorAll('tr[data-urn]').forEach(function (row) {
    var cells = row.cells;
    var school = {row: row, at: row.dataset.at.split(',').map(Number), phase: row.dataset.phase,
      name: row.querySelector('.name').textContent, phaseText: cells[1].textContent, area: cells[2].textContent,
      hub: row.hasAttribute('data-hub'), selective: row.hasAttribute('data-selective'),
      cluster: section.hasAttribute('data-alone') ? null : clusters[at], links: [], facts: []};
    for (var i = 3; i < cells.length; i += 1) {
      if (cells[i].textContent !== '–') { school.facts.push([heads[i], cells[i].textContent]); }
    }
    if (school.cluster) { school.cluster.schools.push(school); }
    schools.push(school);
  });
});
data.links.forEach(function (link) {
  schools[link[0]].links.push(link);
  schools[link[1]].links.push(link);
});

function schoolCard(school, index) {
  var box = card(school.name);
  var kind = school.phaseText + (school.selective ? ', ' + words.selective : '') + (school.area ? ' · ' + school.area : '');
  node('p', kind, box);
  node('p', school.cluster ? school.cluster.number + ' · ' + school.cluster.name + (school.hub ? ' (' + words.hub + ')' : '')
    : 'In no ' + words.cluster, box);
  var inner = node('div', '', box, 'scroll');
  inner.tabIndex = 0;
  factList([['URN', school.row.dataset.urn]].concat(school.facts), inner);
  if (school.links.length) {
    node('h4', capital(words.feeder_links), inner);
    var list = node('ul', '', inner);
    school.links.slice().sort(function (a, b) { return b[2] - a[2]; }).forEach(function (link) {
      var item = node('li', '', list);
      var from = link[0] === index;
      node('span', (from ? 'to ' : 'from ') + schools[from ? link[1] : link[0]].name, item);
      node('span', link[2] + (link[4] ? ' est.' : '') + (link[3] ? '' : ', other ' + words.cluster), item);
    });
  }
  return box;
}

function clusterCard(cluster) {
  var box = card(cluster.number + ' · ' + cluster.name);
  node('p', cluster.schools.length + ' ' + (cluster.schools.length === 1 ? words.school : words.schools), box);
  var summary = cluster.section.querySelector('.summary');
  if (summary) { node('p', summary.textContent, box); }
  var pairs = Array.prototype.map.call(cluster.section.querySelectorAll('.facts > div'), function (pair) {
    return [pair.children[0].textContent, pair.children[1].textContent];
  });
  factList(pairs, box);
  return box;
}

function settleWords() {
  var taken = map.hasLayer(group('clusters')) ? placeNumbers(ranked) : [];
  var hubs = schools.filter(function (school) { return school.hub; }).map(function (school) {
    var p = map.latLngToLayerPoint(school.at);
    return [p.x - 10, p.y - 10, p.x + 10, p.y + 10];
  });
  placeWords(taken, hubs);
}

var ranked = []; // where numbers would cover one another, the cluster of more schools keeps its own
function drawClusters() {
  clusters.forEach(function (cluster) {
    if (!cluster.place) { return; }
    var common = {pane: 'clusters', renderer: svgIn('clusters'), lineJoin: 'round'};
    L.polygon(cluster.shape, Object.assign({}, common, {interactive: false, fill: false, color: '#fff', weight: 5, opacity: 0.85}))
      .addTo(group('clusters'));
    cluster.outline = L.polygon(cluster.shape, Object.assign({}, common,
      {color: cluster.colour, weight: 2.25, fillColor: cluster.colour, fillOpacity: 0.15}));
    cluster.outline.on('mouseover', function () { cluster.outline.setStyle({fillOpacity: 0.28}); });
    cluster.outline.on('mouseout', function () { cluster.outline.setStyle({fillOpacity: 0.15}); });
    cluster.outline.bindPopup(function () { return clusterCard(cluster); }, {maxWidth: 320}).addTo(group('clusters'));
    var chip = node('span', cluster.number, null, 'chip');
    chip.style.setProperty('--c', cluster.colour);
    cluster.chip = L.marker(cluster.place, {icon: icon(chip, 'number', 28), pane: 'numbers', keyboard: false});
    cluster.chip.on('click', function () { cluster.outline.openPopup(L.latLng(cluster.place)); }).addTo(group('clusters'));
  });
  ranked = clusters.filter(function (cluster) { return cluster.place; }).sort(function (a, b) {
    return b.schools.length - a.schools.length || a.at - b.at;
  });
  var current = Array.prototype.slice.call(document.querySelectorAll('[data-existing]'));
  data.existing.forEach(function (each, at) {
    L.polygon(each.shape, {pane: 'existing', renderer: svgIn('existing'), interactive: false, fill: false, color: '#fff',
      weight: 4, opacity: 0.9}).addTo(group('existing'));
    L.polygon(each.shape, {pane: 'existing', renderer: svgIn('existing'), interactive: false, fill: false, color: '#1c2b33',
      weight: 2, dashArray: '6 5'}).addTo(group('existing'));
    word(current[at].querySelector('strong').textContent, each.at, 'existing', 'existing', each.shape);
  });
}

/* From every school to its hub as one drives: a light edge keeps the line readable on its own fill. */
function drawRoutes() {
  clusters.forEach(function (cluster) {
    var common = {pane: 'routes', renderer: svgIn('routes'), interactive: false, lineJoin: 'round'};
    L.polyline(cluster.routes, Object.assign({}, common, {color: '#fff', weight: 6, opacity: 0.85})).addTo(group('routes'));
    L.polyline(cluster.routes, Object.assign({}, common, {color: cluster.colour, weight: 3.5})).addTo(group('routes'));
  });
}

function linkLines(link, target, strong) {
  var ends = [schools[link[0]].at, schools[link[1]].at];
  var width = Math.min(9, 1 + Math.sqrt(link[2]) * 0.55) + (strong ? 1 : 0);
  var common = {pane: 'links', renderer: canvas.links, interactive: false, lineCap: 'butt', opacity: strong ? 1 : 0.78,
    dashArray: link[4] ? '7 5' : null};
  if (link[3]) {
    L.polyline(ends, Object.assign({}, common, {color: '#24404f', weight: width})).addTo(target);
  } else {
    L.polyline(ends, Object.assign({}, common, {color: '#b0122f', weight: width + 1.5})).addTo(target);
    L.polyline(ends, Object.assign({}, common, {color: '#fff', weight: Math.max(1, width - 1.5), dashArray: null})).addTo(target);
  }
}
function drawLinks() {
  canvas.links = L.canvas({pane: 'links', padding: 0.4});
  data.links.forEach(function (link) { linkLines(link, group(link[3] ? 'kept' : 'cut'), false); });
}

var chosen = L.layerGroup().addTo(map);
function drawSchools() {
  var rank = {secondary: 300, middle_secondary: 300, all_through: 300};
  schools.forEach(function (school, index) {
    var fill = school.cluster ? school.cluster.colour : '#8b959b';
    var shape = schoolShape(school.phase, fill, school.hub, school.selective, 17);
    school.marker = L.marker(school.at, {icon: icon(shape, 'mark', 24), pane: 'schools', keyboard: false,
      zIndexOffset: (school.hub ? 600 : 0) + (rank[school.phase] || 0)});
    school.marker.bindPopup(function () { return schoolCard(school, index); }, {maxWidth: 320});
    school.marker.on('popupopen', function () {
      school.marker.getElement().classList.add('chosen');
      school.links.forEach(function (link) { linkLines(link, chosen, true); });
    });
    school.marker.on('popupclose', function () {
      if (school.marker.getElement()) { school.marker.getElement().classList.remove('chosen'); }
      chosen.clearLayers();
    });
    school.marker.addTo(group('phase-' + school.phase));
  });
  document.querySelectorAll('table.aside tr[data-at]').forEach(function (row) {
    var marker = L.marker(row.dataset.at.split(',').map(Number),
      {icon: icon(squareShape(14), 'mark', 24), pane: 'schools', keyboard: false, zIndexOffset: -500});
    marker.bindPopup(function () {
      var box = card(row.cells[0].textContent);
      node('p', row.cells[1].textContent, box);
      return box;
    }, {maxWidth: 320}).addTo(group('aside'));
  });
}
