/* Start: put the parts on the map and join them to the panel, the tables and the printer. */
var panel = document.getElementById('panel');
var fold = document.getElementById('fold');
var stage = document.getElementById('stage');
var BUSY = 250; // more links than this hide the map; the reader switches them on

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
  scrollRegions();
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

function finder() {
  var entries = clusters.map(function (cluster) {
    return {text: cluster.number + ' · ' + cluster.name, under: capital(words.cluster), key: plain(cluster.number + ' ' + cluster.name),
      go: function () { showCluster(cluster); }};
  }).concat(schools.map(function (school) {
    return {text: school.name, under: [school.phaseText, school.area, school.cluster ? school.cluster.name : ''].filter(Boolean).join(' · '),
      key: plain(school.name), urn: school.row.dataset.urn, go: function () { showSchool(school); }};
  }));
  return function (text) {
    var query = plain(text.trim());
    return query ? matching(entries, query) : null;
  };
}

document.getElementById('noscript').hidden = true;
fit();
map.setMaxBounds(whole.pad(0.75));
drawGround();
drawClusters();
drawRoutes();
drawLinks();
drawSchools();
map.on('zoomend', function () { sizeMarks(schools.length, clusters.length); settleWords(); });
startPanel();
map.invalidateSize({animate: false});
fit();
sizeMarks(schools.length, clusters.length);
settleWords();
startTables();
startControls();
startSearch(finder());
startPrint(sections);
map.getContainer().dataset.ready = 'yes';
