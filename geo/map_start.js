/* Start: put the parts on the map and join them to the panel, the tables and the printer. */
var still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
var whole = L.latLngBounds(data.bounds);
var panel = document.getElementById('panel');
var fold = document.getElementById('fold');
var frame = document.querySelector('.frame');
var stage = document.getElementById('stage');
var BUSY = 250; // more links than this hide the map; the reader switches them on

function fit() { map.fitBounds(whole, {padding: [14, 14], animate: false}); }

function sizeMarks() {
  var corners = [whole.getSouthWest(), whole.getNorthEast()].map(function (at) { return map.project(at); });
  var room = Math.sqrt(Math.abs((corners[1].x - corners[0].x) * (corners[1].y - corners[0].y)) / Math.max(1, schools.length));
  var box = map.getContainer();
  box.classList.toggle('tiny', room * Math.sqrt(schools.length / Math.max(1, clusters.length)) < 42);
  box.classList.toggle('far', room < 34);
  box.classList.toggle('mid', room >= 34 && room < 60);
}

function switchLayer(name, on) {
  if (on) { group(name).addTo(map); } else { group(name).remove(); }
  document.querySelectorAll('[data-layer="' + name + '"]').forEach(function (box) { box.checked = on; });
  settleWords();
}

function showSchool(school) {
  switchLayer('phase-' + school.phase, true);
  frame.scrollIntoView({block: 'nearest'});
  map.setView(school.at, Math.max(map.getZoom(), 12.5), {animate: false});
  school.marker.openPopup();
}
function showCluster(cluster) {
  if (!cluster.outline) { cluster.section.open = true; cluster.section.scrollIntoView(); return; }
  switchLayer('clusters', true);
  frame.scrollIntoView({block: 'nearest'});
  map.closePopup();
  map.fitBounds(cluster.outline.getBounds(), {padding: [30, 30], maxZoom: 14, animate: false});
}

function startPanel() {
  document.querySelectorAll('.key').forEach(function (key) { key.appendChild(keyShape(key.dataset.key, data.colours)); });
  document.querySelectorAll('[data-layer]').forEach(function (box) {
    var name = box.dataset.layer;
    var on = box.checked && !((name === 'kept' || name === 'cut') && data.links.length > BUSY);
    switchLayer(name, on);
    box.addEventListener('change', function () { switchLayer(name, box.checked); });
  });
  document.querySelectorAll('[data-cluster]').forEach(function (button) {
    var cluster = clusters[Number(button.dataset.cluster)];
    button.addEventListener('click', function () {
      showCluster(cluster);
      document.getElementById('status').textContent = 'Shown on the map: ' + cluster.number + ' · ' + cluster.name + '.';
    });
  });
  fold.addEventListener('click', function () {
    var open = !stage.classList.toggle('shut');
    fold.setAttribute('aria-expanded', String(open));
    fold.textContent = open ? 'Hide panel' : 'Show panel';
    map.invalidateSize({animate: false});
  });
  map.getContainer().addEventListener('keydown', function (event) {
    if (event.key === 'Escape') { map.closePopup(); }
  });
  panel.hidden = false;
  fold.hidden = false;
}

function startTables() {
  sections.forEach(function (section) {
    var head = section.querySelector('thead tr');
    if (!head) { return; }
    var last = node('th', 'Map', head, 'act');
    last.scope = 'col';
  });
  schools.forEach(function (school) {
    node('span', 'URN ' + school.row.dataset.urn, school.row.cells[0], 'urn');
    var cell = node('td', '', school.row, 'act');
    var button = node('button', 'Show on map', cell, 'go');
    button.type = 'button';
    button.setAttribute('aria-label', 'Show ' + school.name + ' on the map');
    button.addEventListener('click', function () {
      showSchool(school);
      var box = school.marker.getPopup().getElement().querySelector('[role="group"]');
      if (box) { box.focus({preventScroll: true}); }
      school.marker.once('popupclose', function () {
        if (!document.activeElement || document.activeElement === document.body || map.getContainer().contains(document.activeElement)) {
          button.focus();
        }
      });
    });
  });
  var unfold = document.getElementById('unfold');
  unfold.hidden = false;
  unfold.addEventListener('click', function () {
    var open = unfold.textContent === 'Open all';
    sections.forEach(function (section) { section.open = open; });
    unfold.textContent = open ? 'Close all' : 'Open all';
  });
  document.querySelectorAll('.below .scroll').forEach(function (box) {
    var table = box.querySelector('table');
    if (!table) { return; }
    box.setAttribute('role', 'region');
    box.setAttribute('aria-label', table.caption.textContent);
    new ResizeObserver(function () { box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1; }).observe(box);
  });
  startLinks();
}

function startLinks() {
  var part = document.getElementById('links');
  if (!part) { return; }
  var box = part.querySelector('details');
  part.hidden = false;
  box.addEventListener('toggle', function () {
    if (!box.open || box.querySelector('table')) { return; }
    var scroll = node('div', '', box, 'scroll');
    var table = node('table', '', scroll);
    table.createCaption().textContent = capital(words.feeder_links);
    table.caption.className = 'unseen';
    var head = node('tr', '', table.createTHead());
    ['From', 'To', 'Pupils', 'Within one ' + words.cluster, 'Basis'].forEach(function (text) { node('th', text, head).scope = 'col'; });
    var body = table.createTBody();
    data.links.slice().reverse().forEach(function (link) {
      var row = node('tr', '', body);
      node('th', schools[link[0]].name, row).scope = 'row';
      [schools[link[1]].name, String(link[2]), link[3] ? 'Yes' : 'No', link[4] ? 'Estimated' : 'Counted']
        .forEach(function (text) { node('td', text, row); });
    });
  });
}

/* Pan buttons: whoever cannot drag can still move the map. */
function startControls() {
  var pad = L.control({position: 'bottomright'});
  pad.onAdd = function () {
    var box = node('div', '', null, 'pad');
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', 'Move the map');
    var moves = [null, ['north', 0, -1, 'M12 6l7 9H5z'], null, ['west', -1, 0, 'M6 12l9-7v14z'], ['whole map', 0, 0, ''],
      ['east', 1, 0, 'M18 12l-9-7v14z'], null, ['south', 0, 1, 'M12 18l7-9H5z'], null];
    moves.forEach(function (move) {
      if (!move) { node('span', '', box); return; }
      var button = node('button', '', box);
      button.type = 'button';
      button.setAttribute('aria-label', move[3] ? 'Move ' + move[0] : 'Show the whole map');
      button.title = button.getAttribute('aria-label');
      var svg = sheet(14, 14, '0 0 24 24');
      if (move[3]) { draw(svg, 'path', {d: move[3], fill: 'currentColor'}); } else {
        draw(svg, 'path', {d: 'M4 11 12 4l8 7v9h-5.5v-5.5h-5V20H4Z', fill: 'currentColor'});
      }
      button.appendChild(svg);
      button.addEventListener('click', function () {
        if (move[3]) { map.panBy([move[1] * 140, move[2] * 140], {animate: !still}); } else { fit(); }
      });
    });
    L.DomEvent.disableClickPropagation(box);
    return box;
  };
  pad.addTo(map);
  L.control.scale({metric: true, imperial: true, maxWidth: 120}).addTo(map);
}

function startPrint() {
  var before = null;
  window.addEventListener('beforeprint', function () {
    before = {view: map.getBounds(), open: []};
    sections.forEach(function (section) {
      if (!section.open) { section.open = true; before.open.push(section); }
    });
    map.closePopup();
    var all = before.view.contains(whole);
    var view = all ? whole : before.view;
    var south = map.project(view.getSouthWest());
    var north = map.project(view.getNorthEast());
    var tall = 680 * Math.abs((south.y - north.y) / (north.x - south.x)) + 20;
    frame.style.cssText = 'flex:none;width:680px;height:' + Math.round(Math.min(Math.max(tall, 380), 760)) + 'px';
    map.invalidateSize({animate: false});
    if (all) { fit(); } else { map.fitBounds(view, {animate: false}); }
  });
  window.addEventListener('afterprint', function () {
    if (!before) { return; }
    frame.style.cssText = '';
    before.open.forEach(function (section) { section.open = false; });
    map.invalidateSize({animate: false});
    map.fitBounds(before.view, {animate: false});
    before = null;
  });
}

document.getElementById('noscript').hidden = true;
fit();
map.setMaxBounds(whole.pad(0.75));
drawGround();
drawClusters();
drawRoutes();
drawLinks();
drawSchools();
map.on('zoomend', function () { sizeMarks(); settleWords(); });
startPanel();
map.invalidateSize({animate: false});
fit();
sizeMarks();
settleWords();
startTables();
startControls();
startSearch(showSchool, showCluster);
startPrint();
map.getContainer().dataset.ready = 'yes';
