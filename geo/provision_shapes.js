/* Signs of provision: a shape and a letter for each kind, so that colour is never alone. */
var KIND_SHAPES = {
  srp: ['circle', {cx: 12, cy: 12, r: 10.5}, 'R'],
  sen_unit: ['path', {d: 'M6.3 2h11.4l5.8 10-5.8 10H6.3L.5 12Z'}, 'U'],
  special: ['rect', {x: 2, y: 2, width: 20, height: 20, rx: 1.5}, 'S'],
  alternative: ['path', {d: 'M12-1 25 12 12 25-1 12Z'}, 'A']
};
var NAVY = '#0b2f5c';
var LOOKS = {
  here: {fill: NAVY, line: NAVY, text: '#fff'},
  later: {fill: '#fff', line: NAVY, text: NAVY},
  other: {fill: '#e4e8ea', line: '#5f6a70', text: '#46555d'},
  closed: {fill: '#fff', line: '#46555d', text: '#46555d', dash: '3 2'}
};

function kindShape(kind, look, size, extras) {
  var svg = sheet(size, size, '0 0 24 24');
  var shape = KIND_SHAPES[kind] || OTHER_SHAPE.concat('?');
  var own = LOOKS[look];
  if (extras && extras.broken) {
    draw(svg, 'circle', {cx: 12, cy: 12, r: 17, fill: 'none', stroke: '#fff', 'stroke-width': 5});
    draw(svg, 'circle', {cx: 12, cy: 12, r: 17, fill: 'none', stroke: '#b0122f', 'stroke-width': 2.8, 'stroke-dasharray': '5 3.5'});
  }
  draw(svg, shape[0], Object.assign({}, shape[1], {fill: own.fill, stroke: '#fff', 'stroke-width': 5, 'paint-order': 'stroke'}));
  draw(svg, shape[0], Object.assign({}, shape[1], {fill: own.fill, stroke: own.line, 'stroke-width': 1.8,
    'stroke-dasharray': own.dash || 'none'}));
  if (extras && extras.fresh) {
    draw(svg, shape[0], Object.assign({}, shape[1], {fill: 'none', stroke: '#fff', 'stroke-width': 1.5, transform: 'translate(2.6 2.6) scale(.783)'}));
  }
  var letter = draw(svg, 'text', {x: 12, y: 16.6, 'text-anchor': 'middle', 'font-size': 13, 'font-weight': 700, fill: own.text});
  letter.textContent = shape[2];
  if (look === 'closed') { draw(svg, 'path', {d: 'M1 23 23 1', stroke: '#46555d', 'stroke-width': 2.4}); }
  return svg;
}

/* Signs of the places where children live: outlines for an SVG path around x, y with radius r. */
var OUTLINES = {
  dot: function (x, y, r) { return 'M' + (x - r) + ',' + y + 'a' + r + ',' + r + ' 0 1,0 ' + 2 * r + ',0a' + r + ',' + r + ' 0 1,0 ' + -2 * r + ',0Z'; },
  cross: function (x, y, r) { return 'M' + (x - r) + ',' + (y - r) + 'l' + 2 * r + ',' + 2 * r + 'M' + (x - r) + ',' + (y + r) + 'l' + 2 * r + ',' + -2 * r; },
  up: function (x, y, r) { var w = r * 1.25; return 'M' + x + ',' + (y - w) + 'l' + w + ',' + 1.9 * w + 'h' + -2 * w + 'Z'; },
  down: function (x, y, r) { var w = r * 1.25; return 'M' + x + ',' + (y + w) + 'l' + w + ',' + -1.9 * w + 'h' + -2 * w + 'Z'; },
  square: function (x, y, r) { return 'M' + (x - r) + ',' + (y - r) + 'h' + 2 * r + 'v' + 2 * r + 'h' + -2 * r + 'Z'; }
};
function dotLook(name, fill) {
  if (name === 'cross') { return {sign: 'cross', fill: false, color: '#1c2b33', weight: 2}; }
  return {sign: name, fill: true, fillColor: fill, fillOpacity: 1, color: '#46535a', weight: 0.9};
}
function dotShape(look) {
  var svg = sheet(18, 18, '0 0 18 18');
  draw(svg, 'path', {d: OUTLINES[look.sign](9, 9, 5.5), fill: look.fill ? look.fillColor : 'none', stroke: look.color, 'stroke-width': look.weight});
  return svg;
}
