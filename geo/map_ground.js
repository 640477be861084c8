/* What every map has: the data, panes, the ground, words that make room for one another, and buttons.
   Every name reaches the page through textContent, so that a name can never act as a tag. */
var data = JSON.parse(document.getElementById('map-data').textContent);
var words = data.words;
var groups = {};
var canvas = {};
var still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
var whole = L.latLngBounds(data.bounds);
var frame = document.querySelector('.frame');

function panes(levels, untouched) {
  Object.keys(levels).forEach(function (name) {
    var pane = map.createPane(name);
    pane.style.zIndex = levels[name];
    if (untouched.indexOf(name) >= 0) { pane.style.pointerEvents = 'none'; }
  });
}
function svgIn(pane) { return (canvas[pane] = canvas[pane] || L.svg({pane: pane, padding: 0.4})); }
function group(name) { return (groups[name] = groups[name] || L.layerGroup()); }
function capital(text) { return text.charAt(0).toUpperCase() + text.slice(1); }
function node(tag, text, parent, name) {
  var made = document.createElement(tag);
  if (text) { made.textContent = text; }
  if (name) { made.className = name; }
  if (parent) { parent.appendChild(made); }
  return made;
}
function fit() { map.fitBounds(whole, {padding: [14, 14], animate: false}); }

function factList(pairs, parent) {
  if (!pairs.length) { return; }
  var list = node('dl', '', parent);
  pairs.forEach(function (pair) { node('dt', pair[0], list); node('dd', pair[1], list); });
}

function card(title) {
  var box = node('div');
  box.tabIndex = -1;
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', title);
  node('h3', title, box);
  return box;
}

function icon(element, name, size) {
  return L.divIcon({html: element, className: name, iconSize: size ? [size, size] : null});
}

function drawGround() {
  var land = {pane: 'land', renderer: svgIn('land'), interactive: false, stroke: true, weight: 1, fillOpacity: 1};
  data.land.forEach(function (shape) {
    L.polygon(shape, Object.assign({}, land, {color: '#cfd3ca', fillColor: '#eceae1'})).addTo(map);
  });
  data.areas.forEach(function (area) {
    L.polygon(area.shape, Object.assign({}, land, {color: '#c3c9c4', fillColor: '#f7f5ee'})).addTo(map);
    L.polygon(area.shape, {pane: 'areas', renderer: svgIn('areas'), interactive: false, fill: false, color: '#6b7a82',
      weight: 1.25, dashArray: '8 3 2 3'}).addTo(group('areas'));
    word(area.name, area.at, 'area', 'areas', area.shape);
  });
  data.roads.forEach(function (line) {
    L.polyline(line, {pane: 'roads', renderer: svgIn('roads'), interactive: false, color: '#b3a887', weight: 2, opacity: 0.8})
      .addTo(group('roads'));
  });
  data.places.forEach(function (place) { word(place[0], [place[1], place[2]], 'place', 'places'); });
}

/* Words on the map: the ones that would cover another step back until there is room. */
var texts = [];
var SHIFTS = {place: [[0, -16], [0, 16], [0, -28], [0, 28]], existing: [[0, 0], [0, -24], [0, 24]],
  area: [[0, 0], [0, -26], [0, 26], [-34, -26], [34, -26], [-34, 26], [34, 26], [0, -52], [0, 52]]};
function word(text, at, kind, layer, shape) {
  if (!at) { return; }
  var box = node('div');
  node('span', text, box);
  var marker = L.marker(at, {icon: icon(box, 'word ' + kind), pane: 'words', interactive: false, keyboard: false});
  marker.addTo(group(layer));
  texts.push({marker: marker, at: L.latLng(at), span: box.firstChild, shifts: SHIFTS[kind],
    extent: shape ? L.polygon(shape).getBounds() : null});
}
function overlaps(box, taken) {
  return taken.some(function (other) {
    return box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3];
  });
}
/* A name may step aside inside its own shape only, never out to sea. */
function within(text) {
  if (!text.extent) { return function () { return true; }; }
  var low = map.latLngToLayerPoint(text.extent.getSouthWest()).subtract(map.latLngToLayerPoint(text.at));
  var high = map.latLngToLayerPoint(text.extent.getNorthEast()).subtract(map.latLngToLayerPoint(text.at));
  return function (shift) {
    return shift[0] >= low.x && shift[0] <= high.x && shift[1] <= low.y && shift[1] >= high.y;
  };
}
/* `taken`: boxes no word may cover; `better`: boxes it covers only where there is no other room. */
function placeWords(taken, better) {
  texts.forEach(function (text) {
    var shown = text.marker.getElement();
    if (!shown) { return; }
    var p = map.latLngToLayerPoint(text.at);
    var w = text.span.offsetWidth / 2 + 4;
    var h = text.span.offsetHeight / 2 + 2;
    var free = text.shifts.filter(within(text)).map(function (shift) {
      return {shift: shift, box: [p.x - w + shift[0], p.y - h + shift[1], p.x + w + shift[0], p.y + h + shift[1]]};
    }).filter(function (place) { return !overlaps(place.box, taken); });
    free = free.filter(function (place) { return !overlaps(place.box, better); })[0] || free[0];
    shown.classList.toggle('off', !free);
    if (!free) { return; }
    taken.push(free.box);
    text.span.style.left = free.shift[0] + 'px';
    text.span.style.top = free.shift[1] + 'px';
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

function scrollRegions() {
  document.querySelectorAll('.below .scroll').forEach(function (box) {
    var table = box.querySelector('table');
    if (!table) { return; }
    box.setAttribute('role', 'region');
    box.setAttribute('aria-label', table.caption.textContent);
    new ResizeObserver(function () { box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1; }).observe(box);
  });
}

/* On paper the map is whole and every one of `sections` (details) open. */
function startPrint(sections) {
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
