/* Start: both maps, what is chosen, what is switched on, the address, and paper. */
byId('noscript').hidden = true;
byId('stage').hidden = false;
map.invalidateSize({animate: false});
var boards = [boardOn(map, byId('left'))];
var state = readState();
var drawn = {};

/* The second map is made when it is first asked for; the two move together. */
function secondBoard() {
  if (boards[1]) { return; }
  var other = L.map('second', Object.assign({}, map.options, {center: map.getCenter(), zoom: map.getZoom()}));
  boards.push(boardOn(other, byId('right')));
  var moving = false;
  [[map, other], [other, map]].forEach(function (pair) {
    pair[0].on('move', function () {
      if (moving || !state.two) { return; }
      moving = true;
      pair[1].setView(pair[0].getCenter(), pair[0].getZoom(), {animate: false});
      moving = false;
    });
  });
  boards[1].show(keys.indexOf(state.beside));
  document.querySelectorAll('[data-layer]').forEach(function (box) { boards[1].layer(box.dataset.layer, box.checked); });
  boards[1].signs(byId('signs') ? byId('signs').value : 'none');
  boards[1].layer('signs', true);
}

function apply() {
  var before = drawn;
  state = readState();
  drawn = state;
  var turned = before.two !== state.two;
  byId('right').hidden = !state.two;
  byId('maps').classList.toggle('two', state.two);
  if (turned) {
    var all = before.option === undefined || map.getBounds().contains(whole);
    boards[0].resize();
    if (all) { boards[0].fit(); }
  }
  boards[0].show(keys.indexOf(state.option));
  if (state.two) {
    secondBoard();
    if (turned) {
      boards[1].resize();
      boards[1].map.setView(map.getCenter(), map.getZoom(), {animate: false});
    }
    boards[1].show(keys.indexOf(state.beside));
  }
  var found = comparison();
  boards.forEach(function (board) { board.ring(found ? found.moves : []); });
  if (before.option !== state.option) { fillList(optionOf(state.option)); }
  if (before.option !== state.option || before.beside !== state.beside) { fillChanges(); }
  settleControls();
  showChosen(before);
  boards.forEach(function (board) { board.settle(); });
  tell(before);
}

function settleControls() {
  document.querySelectorAll('input[name="option"]').forEach(function (box) { box.checked = box.value === state.option; });
  document.querySelectorAll('input[name="view"]').forEach(function (box) { box.checked = (box.value === 'two') === state.two; });
  byId('left-option').value = state.option;
  byId('right-option').value = state.beside || otherThan(state.option);
  var beside = byId('beside');
  Array.prototype.forEach.call(beside.options, function (each) {
    each.disabled = each.value === state.option || (state.two && !each.value);
  });
  beside.value = state.beside;
  byId('left-name').textContent = optionOf(state.option).name;
  byId('right-name').textContent = state.beside ? optionOf(state.beside).name : '';
}

function showChosen(before) {
  boards[0].mark(state.school, state.cluster);
  if (boards[1]) { boards[1].mark(state.school, 0); }
  var same = before.school === state.school && before.cluster === state.cluster;
  if (state.school >= 0) {
    if (!same) { schoolCard(state.school); }
  } else if (state.cluster) {
    if (!same || before.option !== state.option) { clusterCard(optionOf(state.option), state.cluster); }
  } else { byId('card').hidden = true; }
  if (!same) { boards[0].goTo(state.school, state.cluster); }
  if (follow) { byId('card').focus(); }
  follow = false;
}

function tell(before) {
  if (before.option === undefined) { return; }
  var said = [];
  if (before.option !== state.option || before.two !== state.two || before.beside !== state.beside) {
    said.push(optionOf(state.option).name + (state.two ? ' on the left, ' + optionOf(state.beside).name + ' on the right' : '') + '.');
    if (state.beside) { said.push(byId('changes-said').textContent); }
  }
  if (state.school >= 0 && before.school !== state.school) { said.push('Shown on the map: ' + schools[state.school].name + '.'); }
  if (state.cluster && before.cluster !== state.cluster) { said.push('Shown on the map: ' + byId('card-title').textContent + '.'); }
  if (said.length) { byId('status').textContent = said.join(' '); }
}

function pick(key) {
  change({option: key, beside: state.beside === key ? (state.two ? state.option : '') : state.beside, cluster: 0});
}
function startChoices() {
  document.querySelectorAll('input[name="option"]').forEach(function (box) {
    box.addEventListener('change', function () { pick(box.value); });
  });
  document.querySelectorAll('input[name="view"]').forEach(function (box) {
    box.addEventListener('change', function () {
      var two = box.value === 'two';
      change({two: two, beside: two ? state.beside || otherThan(state.option) : state.beside});
    });
  });
  byId('left-option').addEventListener('change', function () { pick(byId('left-option').value); });
  byId('right-option').addEventListener('change', function () {
    var key = byId('right-option').value;
    change({beside: key, option: key === state.option ? state.beside : state.option});
  });
  byId('beside').addEventListener('change', function () { change({beside: byId('beside').value}); });
  document.querySelectorAll('[data-layer]').forEach(function (box) {
    box.checked = box.defaultChecked;
    boards[0].layer(box.dataset.layer, box.checked);
    box.addEventListener('change', function () {
      boards.forEach(function (board) {
        board.layer(box.dataset.layer, box.checked);
        board.settle();
      });
    });
  });
  if (byId('signs')) {
    byId('signs').selectedIndex = 0;
    byId('signs').addEventListener('change', function () {
      boards.forEach(function (board) { board.signs(byId('signs').value); });
    });
    boards[0].signs(byId('signs').value);
    boards[0].layer('signs', true);
  }
}

function startKeys() {
  document.querySelectorAll('.key').forEach(function (key) {
    var parts = key.dataset.key.split(' ');
    if (parts[0] === 'kind') { key.appendChild(kindShape(parts[1], 'here', 18)); }
    else if (parts[0] === 'band') {
      var svg = sheet(56, 56, '0 0 56 56');
      draw(svg, 'circle', {cx: 28, cy: 28, r: reachRadius(Number(parts[1])), fill: 'none', stroke: '#0b2f5c', 'stroke-width': 1.75});
      key.appendChild(svg);
    } else { key.appendChild(keyShape(parts[0], data.colours)); }
  });
}

/* On paper each map has a size of its own, and shows what it shows on the screen. */
function startPaper() {
  var views = [];
  window.addEventListener('beforeprint', function () {
    var view = map.getBounds();
    boards.forEach(function (board, at) {
      if (at && !state.two) { return; }
      board.map.getContainer().style.cssText += ';width:' + (state.two ? 560 : 1130) + 'px;height:810px';
      board.resize();
      board.map.fitBounds(view.contains(whole) ? whole : view, {animate: false});
      board.settle();
    });
    views = [view];
  });
  window.addEventListener('afterprint', function () {
    boards.forEach(function (board) {
      board.map.getContainer().style.width = '';
      board.map.getContainer().style.height = '';
      board.resize();
      if (views.length) { board.map.fitBounds(views[0], {animate: false}); }
      board.settle();
    });
  });
}

startKeys();
boards[0].show(keys.indexOf(state.option));
startChoices();
apply();
startSearch(finder());
startPaper();
window.addEventListener('hashchange', function () {
  if (location.hash && location.hash.indexOf('=') < 0) { return; } // a way within the page
  apply();
});
byId('main').dataset.ready = 'yes';
