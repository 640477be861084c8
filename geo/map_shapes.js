/* Shapes: one per phase, so that colour is never alone. The same drawing serves map and legend. */
var SVG = 'http://www.w3.org/2000/svg';
var PHASE_SHAPES = {
  primary: ['circle', {cx: 12, cy: 12, r: 9.5}],
  secondary: ['rect', {x: 2.5, y: 2.5, width: 19, height: 19, rx: 1.5}],
  all_through: ['path', {d: 'M12 .5 24 22H0Z'}],
  middle_primary: ['path', {d: 'M6.5 2.5h11l5.5 9.5-5.5 9.5h-11L1 12Z'}],
  middle_secondary: ['path', {d: 'M12-.5 24.5 12 12 24.5-.5 12Z'}]
};
var OTHER_SHAPE = ['path', {d: 'M8 1h8v7h7v8h-7v7H8v-7H1V8h7Z'}];

function draw(parent, tag, attributes) {
  var made = document.createElementNS(SVG, tag);
  Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
  parent.appendChild(made);
  return made;
}

function sheet(width, height, box) {
  var svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', box);
  svg.setAttribute('width', width);
  svg.setAttribute('height', height);
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('focusable', 'false');
  return svg;
}

function schoolShape(phase, fill, hub, selective, size) {
  var svg = sheet(size, size, '0 0 24 24');
  if (hub) {
    draw(svg, 'circle', {cx: 12, cy: 12, r: 18, fill: '#fff', 'fill-opacity': 0.75, stroke: '#fff', 'stroke-width': 8});
    draw(svg, 'circle', {cx: 12, cy: 12, r: 18, fill: 'none', stroke: '#1c2b33', 'stroke-width': 4});
  }
  var shape = PHASE_SHAPES[phase] || OTHER_SHAPE;
  draw(svg, shape[0], Object.assign(
    {fill: fill, stroke: '#fff', 'stroke-width': 5, 'paint-order': 'stroke', 'stroke-linejoin': 'round'}, shape[1]));
  if (selective) { draw(svg, 'circle', {cx: 12, cy: phase === 'all_through' ? 15 : 12, r: 4, fill: '#fff'}); }
  return svg;
}

function lineShape(colour, options) {
  var svg = sheet(28, 14, '0 0 28 14');
  var dash = options.dash ? {'stroke-dasharray': options.dash} : {};
  draw(svg, 'line', Object.assign({x1: 0, y1: 7, x2: 28, y2: 7, stroke: colour, 'stroke-width': options.width || 3}, dash));
  if (options.hollow) { draw(svg, 'line', {x1: 0, y1: 7, x2: 28, y2: 7, stroke: '#fff', 'stroke-width': 2}); }
  return svg;
}

function areaShape(fill, stroke, dash) {
  var svg = sheet(26, 18, '0 0 26 18');
  draw(svg, 'rect', Object.assign({x: 2, y: 2, width: 22, height: 14, rx: 3, fill: fill, stroke: stroke, 'stroke-width': 2.5},
    dash ? {'stroke-dasharray': dash} : {}));
  return svg;
}

function wordShape(text) {
  var made = document.createElement('span');
  made.textContent = text;
  made.setAttribute('aria-hidden', 'true');
  made.style.fontSize = '.8125rem';
  return made;
}

function keyShape(name, colours) {
  if (name.indexOf('phase-') === 0) { return schoolShape(name.slice(6), '#46555d', false, false, 15); }
  switch (name) {
    case 'hub': return schoolShape('secondary', '#46555d', true, false, 12);
    case 'selective': return schoolShape('secondary', '#46555d', false, true, 15);
    case 'alone': return schoolShape('primary', '#8b959b', false, false, 15);
    case 'clusters': return areaShape(colours[0] + '33', colours[0]);
    case 'kept': return lineShape('#24404f', {width: 3});
    case 'cut': return lineShape('#b0122f', {width: 5, hollow: true});
    case 'estimated': return lineShape('#24404f', {width: 3, dash: '6 4'});
    case 'areas': return lineShape('#6b7a82', {width: 1.5, dash: '8 3 2 3'});
    case 'routes': return lineShape(colours[0], {width: 4});
    case 'roads': return lineShape('#b3a887', {width: 3});
    case 'existing': return areaShape('none', '#1c2b33', '4 3');
    case 'places': return wordShape('Aa');
    default: return squareShape(13);
  }
}

function squareShape(size) {
  var svg = sheet(size, size, '0 0 24 24');
  draw(svg, 'rect', {x: 4, y: 4, width: 16, height: 16, fill: '#7d878c', stroke: '#fff', 'stroke-width': 4, 'paint-order': 'stroke'});
  return svg;
}
