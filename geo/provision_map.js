/* The drawing of provision: who can reach what, for the need type, phase and state that are chosen. */
var frame = document.querySelector('.frame');
panes({land: 205, areas: 330, roads: 320, paths: 430, dots: 400, words: 610, signs: 650}, ['paths', 'words']);
var seen = {type: 0, phase: 0, state: 0, change: false};
var BETTER = dotLook('up', '#0b6bc2');
var WORSE = dotLook('down', '#c22f0c');
var SAME = dotLook('dot', '#d3d8da');
var NONE = dotLook('cross');
var PART = dotLook('square', '#fff');
var VISITED = dotLook('square', '#bcd9f2');
var markers = {};
var quiet = null;

function byId(name) { return document.getElementById(name); }
function listed(parent, shape, text, count) {
  var item = node('li', '', parent);
  node('span', '', item, 'key').appendChild(shape);
  node('span', text, item);
  if (count) { node('span', count, item, 'count'); }
}
function choiceOf(type, phase) {
  return data.choices.findIndex(function (pair) { return pair[0] === type && pair[1] === phase; });
}
/* Where a state says nothing of its own, it is as today. */
function reached(state, choice) {
  if (choice < 0) { return null; }
  var today = data.states[0].reach[choice];
  var own = data.states[state].reach[choice];
  var both = {};
  Object.keys(today).forEach(function (key) { both[key] = own[key] === null ? today[key] : own[key]; });
  return both;
}
function share(part, total) {
  var percent = total > 0 ? 100 * part / total : 0;
  if (percent > 0 && percent < 0.5) { return 'under 1%'; }
  if (percent < 100 && percent >= 99.5) { return 'over 99%'; }
  return Math.round(percent) + '%';
}
function amount(children) {
  var text = children < 0.05 ? 'fewer than 0.1' : children < 20 ? children.toFixed(1) : String(Math.round(children));
  return (data.estimated ? 'about ' : '') + text + (text === '1.0' ? ' child' : ' children');
}
function minutesOf(code) {
  if (code === -1) { return 'None open to them'; }
  if (code === -2) { return 'None open to some of them'; }
  if (code === -3) { return 'Visited at their own school'; }
  return Math.round(code) + ' minutes';
}

/* The dots: classes that end at the limits, and signs for what is no number. */
function classesOf(state, phase) {
  var ends = data.states[state].edges[phase];
  return ends.concat(Infinity).map(function (end, at) {
    var text = at === 0 ? 'up to ' + end + ' minutes' : end === Infinity ? 'over ' + ends[at - 1] + ' minutes'
      : 'over ' + ends[at - 1] + ', up to ' + end;
    return {end: end, text: text, look: dotLook('dot', data.colours[at])};
  });
}
function groupsNow() {
  if (seen.change) {
    return [{text: 'nearer by more than a minute', look: BETTER}, {text: 'farther by more than a minute', look: WORSE}, {text: 'unchanged', look: SAME}];
  }
  return classesOf(seen.state, seen.phase).concat([{text: 'none open to them', look: NONE}, {text: 'none open to some (by sex)', look: PART},
    {text: 'visited at their own school', look: VISITED}]);
}
function groupOf(groups, here, at) {
  if (seen.change) { return groups[[2, 0, 1][Number(here.change[at])]]; }
  var code = here.minutes[at];
  if (code < 0) { return groups[groups.length - 4 - code]; }
  return groups.find(function (one) { return code <= one.end; });
}
var Dot = L.CircleMarker.extend({
  _updatePath: function () {
    this._renderer._setPath(this, this._empty() ? 'M0 0' : OUTLINES[this.options.sign](this._point.x, this._point.y, this._radius));
  }
});
function radius() { return Math.max(3.2, Math.min(8, 3.2 + (map.getZoom() - 8.5) * 1.3)); }
function drawDots() {
  group('dots').clearLayers();
  byId('legend').textContent = '';
  var here = reached(seen.state, choiceOf(seen.type, seen.phase));
  if (!here) { return; }
  var kinds = groupsNow();
  var total = 0;
  var size = radius();
  here.children.forEach(function (children, at) {
    if (!children) { return; }
    var own = groupOf(kinds, here, at);
    own.children = (own.children || 0) + children;
    total += children;
    var place = data.points[at];
    new Dot([place[1], place[2]], Object.assign({pane: 'dots', renderer: svgIn('dots'), radius: size}, own.look))
      .bindPopup(function () { return placeCard(at); }, {maxWidth: 320}).addTo(group('dots'));
  });
  kinds.forEach(function (one, at) {
    if (one.children || (!seen.change && at < kinds.length - 3) || seen.change) {
      listed(byId('legend'), dotShape(one.look), one.text, share(one.children || 0, total));
    }
  });
  node('li', 'Share of the children beside each sign.', byId('legend'), 'quiet');
}
function placeCard(at) {
  var choice = choiceOf(seen.type, seen.phase);
  var here = reached(seen.state, choice);
  var box = card(data.points[at][0]);
  node('p', amount(here.children[at]) + ': ' + data.types[seen.type] + ', ' + data.phases[seen.phase].toLowerCase(), box);
  var facts = [['To the nearest', minutesOf(here.minutes[at])]];
  if (here.nearest[at] >= 0) { facts.push(['Nearest', data.nearest[here.nearest[at]]]); }
  if (seen.state > 0) { facts.push(['As it is', minutesOf(reached(0, choice).minutes[at])]); }
  factList(facts, box);
  return box;
}

/* Provision: what is for the chosen need stands out, the rest steps back. */
function lookOf(one, choice) {
  if (one.status === 2) { return 'closed'; }
  if (!data.choices.length || one.choices.indexOf(choice) >= 0) { return 'here'; }
  return one.types.indexOf(seen.type) >= 0 ? 'later' : 'other';
}
function brokenNow() {
  return data.states[seen.state].pathways.filter(function (way) { return way[2] === seen.type && way[3]; })
    .map(function (way) { return way[0]; });
}
function drawSigns() {
  group('signs').clearLayers();
  group('others').clearLayers();
  var choice = choiceOf(seen.type, seen.phase);
  var broken = brokenNow();
  var stacked = {};
  markers = {};
  data.states[seen.state].provisions.forEach(function (one, at) {
    var look = lookOf(one, choice);
    var of = one.types.indexOf(seen.type) >= 0 || !data.choices.length;
    var box = node('div', '', null);
    box.appendChild(kindShape(one.kind, look, of ? 22 : 14, {broken: broken.indexOf(at) >= 0, fresh: one.status === 1}));
    if (of || one.status) { node('span', String(one.no), box, 'no'); }
    var beside = stacked[one.at] = (stacked[one.at] || 0) + 1;
    var shown = L.divIcon({html: box, className: 'sign', iconSize: [26, 26], iconAnchor: [13 - 22 * (beside - 1), 13]});
    var marker = L.marker(one.at, {icon: shown, pane: 'signs', keyboard: true,
      zIndexOffset: {here: 900, later: 600, closed: 500, other: 0}[look]});
    marker.addTo(group(of || one.status ? 'signs' : 'others'));
    markers[one.no] = {marker: marker, one: one, at: at};
    marker.on('click', function () { showSign(one, at); });
    marker.on('add', function () { reachable(marker, one, at); });
    reachable(marker, one, at);
  });
}
var STATUS = ['', ' (new)', ' (closed)'];
function reachable(marker, one, at) {
  var element = marker.getElement();
  if (!element || element.dataset.ready) { return; }
  element.dataset.ready = 'yes';
  element.dataset.number = one.no;
  element.setAttribute('aria-label', one.no + ' ' + one.name + ', ' + data.kinds[one.kind] + STATUS[one.status]);
  element.addEventListener('focus', function () {
    if (element !== quiet && element.matches(':focus-visible')) { showSign(one, at); }
  });
  element.addEventListener('keydown', function (event) {
    if (event.key !== 'Enter' && event.key !== ' ') { return; }
    event.preventDefault();
    showSign(one, at).focus({preventScroll: true});
    backTo(element);
  });
}
/* When the card that was opened closes, the focus goes back to where it came from. */
function backTo(element) {
  map.once('popupclose', function () {
    var now = document.activeElement;
    if (now !== document.body && !now.closest('.leaflet-popup')) { return; }
    quiet = element; // back without opening the card again
    element.focus();
    quiet = null;
  });
}
function showSign(one, at) {
  var box = card(one.no + ' · ' + one.name);
  node('p', capital(data.kinds[one.kind]) + STATUS[one.status], box);
  factList(one.details, box);
  data.states[seen.state].pathways.forEach(function (way) {
    if (way[0] === at) { node('p', way[4], box, way[3] ? 'lost' : ''); }
  });
  L.popup({maxWidth: 320, offset: [0, -8]}).setLatLng(one.at).setContent(box).openOn(map);
  byId('status').textContent = [box.querySelector('h3').textContent].concat(one.details.map(function (pair) { return pair.join(': '); })).join('. ');
  return box;
}

/* From each primary provision to the secondary one its children go on to. */
function drawPaths() {
  group('paths').clearLayers();
  var now = data.states[seen.state];
  now.pathways.forEach(function (way) {
    if (way[2] !== seen.type || way[1] < 0 || way[0] === way[1]) { return; }
    var ends = [now.provisions[way[0]].at, now.provisions[way[1]].at];
    var common = {pane: 'paths', renderer: svgIn('paths'), interactive: false};
    L.polyline(ends, Object.assign({}, common, {color: '#fff', weight: 5, opacity: 0.8})).addTo(group('paths'));
    L.polyline(ends, Object.assign({}, common, {color: way[3] ? '#b0122f' : '#0b2f5c', weight: 2, dashArray: way[3] ? '6 4' : null}))
      .addTo(group('paths'));
  });
}
function drawKey() {
  var key = byId('signs');
  key.textContent = '';
  var used = {};
  data.states.forEach(function (state) { state.provisions.forEach(function (one) { used[one.kind] = true; }); });
  Object.keys(data.kinds).forEach(function (kind) {
    if (used[kind]) { listed(key, kindShape(kind, 'here', 18), capital(data.kinds[kind])); }
  });
  var now = data.states[seen.state].provisions;
  if (data.choices.length) {
    listed(key, kindShape('srp', 'here', 18), 'Filled: open to the chosen children');
    listed(key, kindShape('srp', 'later', 18), 'Hollow: for this need, but not open to the chosen children');
    listed(key, kindShape('srp', 'other', 13), 'Small: for other children');
  }
  if (now.some(function (one) { return one.status === 1; })) { listed(key, kindShape('srp', 'here', 18, {fresh: true}), 'Inner ring: new in this scenario'); }
  if (now.some(function (one) { return one.status === 2; })) { listed(key, kindShape('srp', 'closed', 18), 'Struck out: closed in this scenario'); }
  if (brokenNow().length) { listed(key, kindShape('srp', 'here', 15, {broken: true}), 'Dashed red ring: nowhere to go on to within the limit'); }
  node('li', 'Numbers are those of the table of provisions.', key, 'quiet');
}

function settle() {
  placeWords([], data.states[seen.state].provisions.map(function (one) {
    var p = map.latLngToLayerPoint(one.at);
    return [p.x - 10, p.y - 10, p.x + 10, p.y + 10];
  }));
}
function redraw() {
  map.closePopup();
  if (data.choices.length) {
    drawDots();
    drawPaths();
    var here = reached(seen.state, choiceOf(seen.type, seen.phase));
    byId('told').textContent = here ? here.words : 'No child of this phase with this need is known to need a place.';
    fillPlaces();
  }
  drawSigns();
  drawKey();
  settle();
}

/* Every dot in words, for the choice of the moment. */
function fillPlaces() {
  var fold = byId('all-places');
  if (!fold) { return; }
  fold.hidden = false;
  var inner = fold.querySelector('div');
  inner.textContent = '';
  if (!fold.open) { return; }
  var choice = choiceOf(seen.type, seen.phase);
  var here = reached(seen.state, choice);
  var table = node('table', '', inner);
  table.createCaption().textContent = data.types[seen.type] + ', ' + data.phases[seen.phase].toLowerCase() + ': ' + data.states[seen.state].heading;
  var head = node('tr', '', table.createTHead());
  ['Place', 'Children', 'To the nearest', 'Nearest'].concat(seen.state ? ['As it is'] : []).forEach(function (text) { node('th', text, head).scope = 'col'; });
  var body = table.createTBody();
  if (!here) { return; }
  var before = reached(0, choice);
  var order = here.children.map(function (_, at) { return at; }).filter(function (at) { return here.children[at]; });
  var far = function (at) { return here.minutes[at] < 0 && here.minutes[at] > -3 ? 1e6 : here.minutes[at]; };
  order.sort(function (a, b) { return far(b) - far(a) || a - b; });
  order.forEach(function (at) {
    var row = node('tr', '', body);
    node('th', data.points[at][0], row).scope = 'row';
    [amount(here.children[at]), minutesOf(here.minutes[at]), here.nearest[at] < 0 ? '–' : data.nearest[here.nearest[at]]]
      .concat(seen.state ? [minutesOf(before.minutes[at])] : []).forEach(function (text) { node('td', text, row); });
  });
}

function startChoices() {
  if (!data.choices.length) { return; }
  ['type', 'phase'].forEach(function (name) {
    byId(name).addEventListener('change', function () { seen[name] = Number(byId(name).value); redraw(); });
  });
  byId('state').addEventListener('change', function () {
    var parts = byId('state').value.split('-');
    seen.change = parts[0] === 'change';
    seen.state = Number(parts[1]);
    redraw();
  });
  ['type', 'phase', 'state'].forEach(function (name) { byId(name).selectedIndex = 0; });
  byId('all-places').addEventListener('toggle', fillPlaces);
}
function startButtons() {
  document.querySelectorAll('tr[data-number]').forEach(function (row) {
    var cell = node('td', '', row, 'act');
    var button = node('button', 'Show on map', cell, 'go');
    button.type = 'button';
    button.setAttribute('aria-label', 'Show ' + row.cells[1].textContent + ' on the map');
    button.addEventListener('click', function () {
      if (!markers[row.dataset.number]) { seen.state = 0; seen.change = false; byId('state').selectedIndex = 0; redraw(); }
      var found = markers[row.dataset.number];
      frame.scrollIntoView({block: 'nearest'});
      map.setView(found.one.at, Math.max(map.getZoom(), 11.5), {animate: false});
      showSign(found.one, found.at).focus({preventScroll: true});
      backTo(button);
    });
  });
  document.querySelectorAll('table.provisions thead tr').forEach(function (row) { node('th', 'Map', row, 'act').scope = 'col'; });
}
function startLayers() {
  document.querySelectorAll('[data-layer]').forEach(function (box) {
    var set = function () {
      if (box.checked) { group(box.dataset.layer).addTo(map); } else { group(box.dataset.layer).remove(); }
      settle();
    };
    box.checked = box.defaultChecked;
    box.addEventListener('change', set);
    set();
  });
}

byId('noscript').hidden = true;
byId('panel').hidden = false;
fit();
map.setMaxBounds(whole.pad(0.75));
drawGround();
group('signs').addTo(map);
group('others').addTo(map);
startLayers();
startChoices();
redraw();
map.invalidateSize({animate: false});
fit();
settle();
map.on('zoomend', function () {
  var size = radius();
  group('dots').eachLayer(function (dot) { dot.setRadius(size); });
  settle();
});
map.getContainer().addEventListener('keydown', function (event) { if (event.key === 'Escape') { map.closePopup(); } });
startButtons();
startControls();
scrollRegions();
startPrint(Array.prototype.slice.call(document.querySelectorAll('.below details:not(#all-places)')));
map.getContainer().dataset.ready = 'yes';
