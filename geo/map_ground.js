/* What every map has: panes, the ground, words that make room for one another, and buttons. */
var groups = {};
var canvas = {};

function panes(levels, untouched) {
  Object.keys(levels).forEach(function (name) {
    var pane = map.createPane(name);
    pane.style.zIndex = levels[name];
    if (untouched.indexOf(name) >= 0) { pane.style.pointerEvents = 'none'; }
  });
}
function svgIn(pane) { return (canvas[pane] = canvas[pane] || L.svg({pane: pane, padding: 0.4})); }
function group(name) { return (groups[name] = groups[name] || L.layerGroup()); }
function fit() { map.fitBounds(whole, {padding: [14, 14], animate: false}); }

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

/* Marks get smaller where the map is too small for so many. */
function sizeMarks(schools, clusters) {
  var corners = [whole.getSouthWest(), whole.getNorthEast()].map(function (at) { return map.project(at); });
  var room = Math.sqrt(Math.abs((corners[1].x - corners[0].x) * (corners[1].y - corners[0].y)) / Math.max(1, schools));
  var box = map.getContainer();
  box.classList.toggle('tiny', room * Math.sqrt(schools / Math.max(1, clusters)) < 42);
  box.classList.toggle('far', room < 34);
  box.classList.toggle('mid', room >= 34 && room < 60);
}

/* Numbers of clusters (`place`, `chip`), the weightiest first; returns the boxes they take. */
function placeNumbers(ranked) {
  var taken = [];
  var small = map.getContainer().classList.contains('tiny') ? 8 : 12;
  ranked.forEach(function (cluster) {
    var p = map.latLngToLayerPoint(cluster.place);
    var box = [p.x - small, p.y - small + 2, p.x + small, p.y + small - 2];
    var clash = overlaps(box, taken);
    cluster.chip.getElement().classList.toggle('off', clash);
    if (!clash) { taken.push(box); }
  });
  return taken;
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
