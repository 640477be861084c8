/* One of the two maps: it shows an option, rings who moves, and marks what is chosen. */
panes({land: 205, clusters: 310, roads: 320, areas: 330, links: 420, chosen: 425, reach: 440, schools: 600, words: 610,
  signs: 630, numbers: 640}, ['links', 'chosen', 'words', 'reach']);
var shown = -1; // position of the option that is drawn
var ranked = []; // its numbers; where they would cover one another, the cluster of more schools keeps its own
var outlines = [];
var links = L.canvas({pane: 'links', padding: 0.4});
var own = L.layerGroup().addTo(map); // links of the school that is chosen
var OVER = {secondary: 300, middle_secondary: 300, all_through: 300};
var GREY = '#8b959b';

var marks = data.places_of_schools.map(function (at, index) {
  var marker = L.marker(at, {icon: icon(node('span'), 'mark', 24), pane: 'schools', keyboard: false});
  marker.on('click', function () { choose({school: index}); });
  return marker.addTo(map);
});

function drawOption(index) {
  if (index === shown) { return; }
  shown = index;
  var option = data.options[index];
  var hubs = {};
  option.clusters.forEach(function (cluster) { hubs[cluster.hub] = true; });
  marks.forEach(function (marker, school) {
    var cluster = option.clusters[option.of[school]];
    var fill = cluster ? data.colours[cluster.colour] : GREY;
    marker.getElement().replaceChildren(schoolShape(data.phases[school], fill, hubs[school], data.selective[school], 17));
    marker.setZIndexOffset((hubs[school] ? 600 : 0) + (OVER[data.phases[school]] || 0));
  });
  drawClusters(option);
  drawLinks();
  drawReach();
}

function drawClusters(option) {
  group('clusters').clearLayers();
  var sizes = option.clusters.map(function () { return 0; });
  option.of.forEach(function (cluster) { if (cluster >= 0) { sizes[cluster] += 1; } });
  ranked = [];
  outlines = option.clusters.map(function (cluster, at) {
    if (!cluster.at) { return null; }
    var pick = function () { choose({cluster: cluster.no}, shown); };
    var common = {pane: 'clusters', renderer: svgIn('clusters'), lineJoin: 'round'};
    L.polygon(cluster.shape, Object.assign({}, common, {interactive: false, fill: false, color: '#fff', weight: 5, opacity: 0.85}))
      .addTo(group('clusters'));
    var colour = data.colours[cluster.colour];
    var outline = L.polygon(cluster.shape, Object.assign({}, common, {color: colour, weight: 2.25, className: 'outline',
      fillColor: 'url(#fill-' + cluster.colour + ')', fillOpacity: 1}));
    outline.on('click', pick).addTo(group('clusters'));
    var box = node('span', String(cluster.no), null, 'chip');
    box.style.setProperty('--c', colour);
    var chip = L.marker(cluster.at, {icon: icon(box, 'number', 28), pane: 'numbers', keyboard: false});
    chip.on('click', pick).addTo(group('clusters'));
    ranked.push({chip: chip, place: cluster.at, size: sizes[at]});
    return outline;
  });
  ranked.sort(function (a, b) { return b.size - a.size; });
}

function linkLine(link, target, pane, renderer) {
  var ends = [data.places_of_schools[link[0]], data.places_of_schools[link[1]]];
  var common = {pane: pane, renderer: renderer, interactive: false, lineCap: 'butt', dashArray: link[2] ? '7 5' : null};
  if (link[3].indexOf(shown) >= 0) {
    L.polyline(ends, Object.assign({}, common, {color: '#24404f', weight: 2.5})).addTo(target);
  } else {
    L.polyline(ends, Object.assign({}, common, {color: '#b0122f', weight: 4.5})).addTo(target);
    L.polyline(ends, Object.assign({}, common, {color: '#fff', weight: 1.75, dashArray: null})).addTo(target);
  }
}
function drawLinks() {
  group('links').clearLayers();
  if (!map.hasLayer(group('links'))) { return; }
  data.links.forEach(function (link) { linkLine(link, group('links'), 'links', links); });
}

/* The longer the way to the hub, the wider the ring: classes of whole minutes. */
function drawReach() {
  group('reach').clearLayers();
  if (!map.hasLayer(group('reach'))) { return; }
  data.options[shown].minutes.forEach(function (minutes, school) {
    if (minutes < 0) { return; }
    L.circleMarker(data.places_of_schools[school], {pane: 'reach', renderer: svgIn('reach'), interactive: false, fill: false,
      color: '#0b2f5c', weight: 1.75, radius: reachRadius(bandOf(minutes))}).addTo(group('reach'));
  });
}

function drawSigns(type) {
  group('signs').clearLayers();
  data.provisions.forEach(function (one) {
    if (type === 'none' || (type !== 'all' && one.types.indexOf(type) < 0)) { return; }
    var beside = L.divIcon({html: kindShape(one.kind, 'here', 20), className: 'sign', iconSize: [26, 26], iconAnchor: [1, 27]});
    L.marker(one.at, {icon: beside, pane: 'signs', keyboard: false}) // so that the school under it can be chosen too
      .on('click', function () { showProvision(one); }).addTo(group('signs'));
  });
}

function ring(moving) {
  var which = {};
  moving.forEach(function (school) { which[school] = true; });
  marks.forEach(function (marker, school) { marker.getElement().classList.toggle('moves', Boolean(which[school])); });
}

function mark(school, cluster) {
  own.clearLayers();
  marks.forEach(function (marker, at) { marker.getElement().classList.toggle('chosen', at === school); });
  outlines.forEach(function (outline, at) {
    if (outline) { outline.setStyle({weight: data.options[shown].clusters[at].no === cluster ? 6 : 2.25}); }
  });
  data.links.forEach(function (link) {
    if (link[0] === school || link[1] === school) { linkLine(link, own, 'chosen', svgIn('chosen')); }
  });
}
function goTo(school, cluster) {
  var at = data.options[shown].clusters.findIndex(function (one) { return one.no === cluster; });
  if (school >= 0) { map.setView(data.places_of_schools[school], Math.max(map.getZoom(), 11.5), {animate: false}); }
  else if (outlines[at]) { map.fitBounds(outlines[at].getBounds(), {padding: [30, 30], maxZoom: 13, animate: false}); }
}

function layer(name, on) {
  if (on) { group(name).addTo(map); } else { group(name).remove(); }
  if (name === 'links') { drawLinks(); }
  if (name === 'reach') { drawReach(); }
  if (name === 'tiles') { map.getPane('land').style.display = on ? 'none' : ''; }
}
function settle() {
  if (shown < 0 || !frame.offsetWidth) { return; }
  sizeMarks(data.phases.length, data.options[shown].clusters.length);
  var hubs = data.options[shown].clusters.filter(function (one) { return one.hub >= 0; }).map(function (one) {
    var p = map.latLngToLayerPoint(data.places_of_schools[one.hub]);
    return [p.x - 10, p.y - 10, p.x + 10, p.y + 10];
  });
  placeWords(map.hasLayer(group('clusters')) ? placeNumbers(ranked) : [], hubs);
}
function resize() { map.invalidateSize({animate: false}); }

fit(); // first, as limits would start a movement of their own from wherever the map is
map.setMaxBounds(whole.pad(0.75));
drawGround();
if (data.tiles) { L.tileLayer(data.tiles, {maxZoom: 17}).addTo(group('tiles')); }
startControls();
map.on('zoomend', settle);
map.getContainer().addEventListener('keydown', function (event) { if (event.key === 'Escape') { choose({}); } });
return {map: map, frame: frame, show: drawOption, ring: ring, mark: mark, goTo: goTo, layer: layer, signs: drawSigns,
  settle: settle, resize: resize, fit: fit};
