/* What every page has, whatever maps stand on it: its data, small builders, regions that scroll.
   Every name reaches the page through textContent, so that a name can never act as a tag. */
var data = JSON.parse(document.getElementById('map-data').textContent);
var words = data.words;
var still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
var whole = L.latLngBounds(data.bounds);

function capital(text) { return text.charAt(0).toUpperCase() + text.slice(1); }
function node(tag, text, parent, name) {
  var made = document.createElement(tag);
  if (text) { made.textContent = text; }
  if (name) { made.className = name; }
  if (parent) { parent.appendChild(made); }
  return made;
}

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

function scrollRegions() {
  document.querySelectorAll('.below .scroll').forEach(function (box) {
    var table = box.querySelector('table');
    if (!table) { return; }
    box.setAttribute('role', 'region');
    box.setAttribute('aria-label', table.caption.textContent);
    new ResizeObserver(function () { box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1; }).observe(box);
  });
}
